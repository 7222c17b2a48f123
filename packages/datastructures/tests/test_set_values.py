"""`SetValue` against the builtin set, in its three encodings, and the fairness of its draws."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cutaway.datastructures.intsets import IntSet
from cutaway.datastructures.limits import Limits
from cutaway.datastructures.listpacks import ListPack
from cutaway.datastructures.set_values import SetValue

INTEGERS = st.integers(-10, 30).map(lambda n: b"%d" % n)
MEMBERS = st.one_of(
    INTEGERS,
    st.sampled_from([b"", b"-0", b"007", b"+1", b" 1", b"1_0", b"x" * 9, b"%d" % 2**63, b"%d" % (2**63 - 1)]),
    st.integers(0, 20).map(lambda n: b"m%d" % n),
)
RANK = {"intset": 0, "listpack": 1, "hashtable": 2}


class SetMachine(RuleBasedStateMachine):
    """Members are those of the model, and the encoding never goes back while there are members."""

    @initialize(ints=st.sampled_from([0, 5, 512]), entries=st.sampled_from([0, 5, 128]))
    def begin(self, ints: int, entries: int) -> None:
        self.limits = Limits(
            set_max_intset_entries=ints, set_max_listpack_entries=entries, set_max_listpack_value=8
        )
        self.real = SetValue(self.limits)
        self.model: set[bytes] = set()
        self.rank = 0

    @rule(member=st.one_of(INTEGERS, MEMBERS))
    def add(self, member: bytes) -> None:
        assert self.real.add(member) == (member not in self.model)
        self.model.add(member)

    @rule(members=st.one_of(st.lists(INTEGERS, max_size=8), st.lists(MEMBERS, max_size=8)))
    def add_many(self, members: list[bytes]) -> None:
        if not self.model:
            self.rank = 0
        assert self.real.update(members) == len(set(members) - self.model)
        self.model.update(members)

    @rule(member=MEMBERS)
    def discard(self, member: bytes) -> None:
        assert self.real.discard(member) == (member in self.model)
        self.model.discard(member)

    @rule(member=MEMBERS)
    def look_up(self, member: bytes) -> None:
        assert (member in self.real) == (member in self.model)

    @precondition(lambda self: self.model)
    @rule(seed=st.integers())
    def pop_one(self, seed: int) -> None:
        assert self.real.random(Random(seed)) in self.model
        self.model.remove(self.real.pop_random(Random(seed)))

    @rule(seed=st.integers(), n=st.integers(0, 60))
    def pop_many(self, seed: int, n: int) -> None:
        expected = min(n, len(self.model))
        popped = self.real.pop_random_many(n, Random(seed))
        assert len(popped) == expected
        for member in popped:
            self.model.remove(member)

    @rule(seed=st.integers(), n=st.integers(0, 60))
    def draw(self, seed: int, n: int) -> None:
        drawn = self.real.random_distinct(n, Random(seed))
        assert len(set(drawn)) == len(drawn) == min(n, len(self.model))
        assert set(drawn) <= self.model

    @rule()
    def replace_by_copy(self) -> None:
        original, self.real = self.real, self.real.copy()
        assert self.real.encoding == original.encoding
        original.add(b"only here")
        original.discard(b"1")

    @invariant()
    def same_content(self) -> None:
        self.real.check()
        assert len(self.real) == len(self.model)
        assert set(self.real) == self.model
        encoding = self.real.encoding
        assert RANK[encoding] >= self.rank
        self.rank = RANK[encoding]
        if encoding == "intset":
            assert list(self.real) == sorted(self.model, key=int)
            assert len(self.model) <= self.limits.set_max_intset_entries
        elif encoding == "listpack":
            assert len(self.model) <= self.limits.set_max_listpack_entries
            assert all(len(member) <= 8 for member in self.model)
        cursor, seen = self.real.scan(0, 3)
        while cursor:
            cursor, more = self.real.scan(cursor, 3)
            seen += more
        assert set(seen) == self.model
        assert self.real.memory_usage() > 0


TestSet = SetMachine.TestCase
TestSet.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


def make(encoding: str, n: int) -> SetValue:
    limits = Limits(set_max_intset_entries=0, set_max_listpack_entries=0)
    if encoding == "intset":
        limits.set_max_intset_entries = n
    if encoding == "listpack":
        limits.set_max_listpack_entries = n
    value = SetValue(limits)
    value.update([b"%d" % i for i in range(n)])
    assert value.encoding == encoding
    return value


@pytest.mark.parametrize("encoding", RANK)
@pytest.mark.parametrize("how", ["random", "pop", "distinct", "pop many", "pop nearly all"])
def test_every_member_is_as_likely_to_be_drawn(encoding: str, how: str) -> None:
    n, rng, rounds = 40, Random(11), 300
    hits: Counter[bytes] = Counter()
    original = make(encoding, n)
    for _ in range(rounds):
        value = original.copy()
        if how == "random":
            hits.update(value.random(rng) for _ in range(10))
        elif how == "pop":
            hits.update(value.pop_random(rng) for _ in range(10))
        elif how == "distinct":
            hits.update(value.random_distinct(10, rng))
        elif how == "pop many":
            hits.update(value.pop_random_many(10, rng))
        else:
            hits.update(set(original) - set(value.pop_random_many(37, rng)))
    expected = sum(hits.values()) / n
    chi_square = sum((hits[member] - expected) ** 2 / expected for member in original)
    assert chi_square < n + 5 * (2 * n) ** 0.5


def test_a_draw_from_an_empty_set_is_an_error() -> None:
    for draw in (SetValue().random, SetValue().pop_random):
        with pytest.raises(IndexError):
            draw(Random(1))
    assert SetValue().random_distinct(3, Random(1)) == SetValue().pop_random_many(3, Random(1)) == []


def test_packed_forms_are_taken_over_unless_they_break_the_limits() -> None:
    assert SetValue.from_pack(IntSet([3, 1])).encoding == "intset"
    assert SetValue.from_pack(IntSet([3, 1]), Limits(set_max_intset_entries=1)).encoding == "hashtable"
    assert set(SetValue.from_pack(ListPack.from_list([b"a", b"7"]))) == {b"a", b"7"}
    assert SetValue.from_pack(ListPack.from_list([b"a" * 65])).encoding == "hashtable"
    with pytest.raises(ValueError, match="twice"):
        SetValue.from_pack(ListPack.from_list([b"a", b"a"]))
    packed = SetValue.from_members([b"2", b"1"]).pack
    assert packed is not None
    assert bytes(packed) == bytes(IntSet([1, 2]))
    assert make("hashtable", 3).pack is None
