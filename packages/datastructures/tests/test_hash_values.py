"""`HashValue` against a dict with expiry times, in both encodings."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cutaway.datastructures.hash_values import HashValue
from cutaway.datastructures.limits import Limits
from cutaway.datastructures.listpacks import ListPack

FIELDS = st.sampled_from(
    [b"", b"0", b"7", b"-1", b"12345678901", *(b"f%d" % i for i in range(12)), b"long" * 4]
)
VALUES = st.one_of(st.binary(max_size=4), st.integers(-300, 300).map(lambda n: b"%d" % n), st.just(b"v" * 17))
TIMES = st.integers(1, 100)


class HashMachine(RuleBasedStateMachine):
    """Fields, values and expiries are those of the model, and the encoding never goes back."""

    @initialize(entries=st.sampled_from([0, 3, 8, 512]))
    def begin(self, entries: int) -> None:
        self.real = HashValue(Limits(hash_max_listpack_entries=entries, hash_max_listpack_value=16))
        self.model: dict[bytes, bytes] = {}
        self.times: dict[bytes, int] = {}
        self.was_large = False

    @rule(field=FIELDS, value=VALUES, keep=st.booleans())
    def set_field(self, field: bytes, value: bytes, keep: bool) -> None:
        assert self.real.set(field, value, keep_expiry=keep) == (field not in self.model)
        self.model[field] = value
        if not keep:
            self.times.pop(field, None)

    @rule(pairs=st.lists(st.tuples(FIELDS, VALUES), max_size=5))
    def set_many(self, pairs: list[tuple[bytes, bytes]]) -> None:
        assert self.real.update(pairs) == len(dict(pairs).keys() - self.model.keys())
        for field, value in pairs:
            self.model[field] = value
            self.times.pop(field, None)

    @rule(field=FIELDS)
    def delete(self, field: bytes) -> None:
        assert self.real.delete(field) == (self.model.pop(field, None) is not None)
        self.times.pop(field, None)

    @rule(field=FIELDS, time=st.one_of(st.none(), TIMES))
    def expire(self, field: bytes, time: int | None) -> None:
        if field not in self.model:
            with pytest.raises(KeyError):
                self.real.set_expiry(field, time)
        else:
            self.real.set_expiry(field, time)
            self.times.pop(field, None)
            if time is not None:
                self.times[field] = time

    @rule(now=TIMES, limit=st.sampled_from([None, 1, 3]))
    def reclaim(self, now: int, limit: int | None) -> None:
        due = sorted(time for time in self.times.values() if time < now)[:limit]
        expired = self.real.pop_expired(now, limit)
        assert [self.times.pop(field) for field in expired] == due
        for field in expired:
            del self.model[field]

    @rule(field=FIELDS)
    def look_up(self, field: bytes) -> None:
        assert self.real.get(field) == self.model.get(field)
        assert (field in self.real) == (field in self.model)
        assert self.real.length_of(field) == len(self.model.get(field, b""))
        assert self.real.expire_at(field) == self.times.get(field)

    @rule(seed=st.integers(), count=st.integers(-20, 20))
    def draw(self, seed: int, count: int) -> None:
        drawn = self.real.random_fields(count, Random(seed))
        assert all(self.model[field] == value for field, value in drawn)
        if count >= 0:
            assert len(dict(drawn)) == len(drawn) == min(count, len(self.model))
        else:
            assert len(drawn) == (-count if self.model else 0)

    @rule()
    def replace_by_copy(self) -> None:
        original, self.real = self.real, self.real.copy()
        assert self.real.encoding == original.encoding
        original.set(b"f0", b"only here")
        original.pop_expired(1000)

    @invariant()
    def same_content(self) -> None:
        self.real.check()
        assert len(self.real) == len(self.model)
        assert dict(self.real.items()) == self.model
        assert list(zip(self.real.fields(), self.real.values(), strict=True)) == list(self.real.items())
        assert dict(self.real.expiries()) == self.times
        assert self.real.has_expiries == bool(self.times)
        assert self.real.next_expiry == min(self.times.values(), default=None)
        large = self.real.encoding == "hashtable"
        assert large or not self.was_large
        self.was_large = large
        if not large:
            assert len(self.model) <= self.real.limits.hash_max_listpack_entries
            assert all(len(element) <= 16 for item in self.model.items() for element in item)
            assert list(self.real.items()) == list(self.model.items()), "in order of insertion"
        cursor, seen = self.real.scan(0, 3)
        while cursor:
            cursor, more = self.real.scan(cursor, 3)
            seen += more
        assert dict(seen) == self.model
        assert self.real.memory_usage() > 0


TestHash = HashMachine.TestCase
TestHash.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_listpack_hash_is_the_bytes_an_rdb_file_holds() -> None:
    value = HashValue()
    value.update([(b"a", b"1"), (b"b", b"x")])
    assert value.pack is not None
    assert bytes(value.pack) == bytes(ListPack.from_list([b"a", b"1", b"b", b"x"]))
    assert dict(HashValue.from_pack(ListPack.from_list(value.pack)).items()) == dict(value.items())


@pytest.mark.parametrize("elements", [[b"a"], [b"a", b"1", b"a", b"2"]])
def test_a_packed_hash_that_is_none_is_refused(elements: list[bytes]) -> None:
    with pytest.raises(ValueError, match="alternate"):
        HashValue.from_pack(ListPack.from_list(elements))


def test_a_packed_hash_beyond_the_limits_becomes_a_hashtable() -> None:
    pack = ListPack.from_list([b"a", b"1", b"b", b"2"])
    assert HashValue.from_pack(pack.copy(), Limits(hash_max_listpack_entries=1)).encoding == "hashtable"
    assert HashValue.from_pack(pack.copy(), Limits(hash_max_listpack_entries=2)).encoding == "listpack"


def test_a_field_lives_through_the_millisecond_at_which_it_expires() -> None:
    value = HashValue()
    value.set(b"f", b"v")
    value.set_expiry(b"f", 1000)
    assert value.pop_expired(1000) == []
    assert value.pop_expired(1001) == [b"f"]


def test_changing_one_expiry_again_and_again_leaves_no_refuse_behind() -> None:
    value = HashValue()
    value.set(b"f", b"v")
    value.set_expiry(b"f", 10_000)
    small = value.memory_usage()
    for time in range(5000):
        value.set_expiry(b"f", time)
    assert value.memory_usage() < small + 20_000
    assert value.next_expiry == 4999


@pytest.mark.parametrize("entries", [0, 512])
def test_random_fields_are_fair(entries: int) -> None:
    value, rng = HashValue(Limits(hash_max_listpack_entries=entries)), Random(3)
    value.update([(b"%d" % i, b"x") for i in range(30)])
    hits = Counter(field for _ in range(1000) for field, _ in value.random_fields(6, rng))
    chi_square = sum((hits[field] - 200) ** 2 / 200 for field in value.fields())
    assert chi_square < 30 + 5 * 60**0.5
