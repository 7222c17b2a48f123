"""A sorted set in both its forms, beside a dict."""

from __future__ import annotations

from math import copysign, inf
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cutaway.datastructures import (
    AVLTree,
    IndexChoice,
    ListPack,
    SkipList,
    SortedContainersIndex,
    SortedSetValue,
)
from cutaway.datastructures.limits import Limits
from cutaway.datastructures.sorted_set_listpacks import VIEWS, score_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutaway.datastructures import SortedSetIndex

FACTORIES: list[Callable[[], SortedSetIndex]] = [
    AVLTree,
    SortedContainersIndex,
    lambda: SkipList(Random(1)),
]

scores = st.sampled_from([-inf, -2.5, -1.0, 0.0, 1.0, 1.5, 3.0, 1e30, inf]) | st.floats(allow_nan=False)
members = st.sampled_from([b"", b"1", b"-1", b"01", b"a", b"aa", b"b", b"a long one"]) | st.binary(max_size=9)
ranks = st.integers(0, 12)


class Value(RuleBasedStateMachine):
    """A set that grows large at the sixth member, or at the first longer than 8 bytes."""

    @initialize(factory=st.sampled_from(FACTORIES))
    def start(self, factory: Callable[[], SortedSetIndex]) -> None:
        limits = Limits(zset_max_listpack_entries=5, zset_max_listpack_value=8)
        self.value = SortedSetValue(limits, IndexChoice(factory))
        self.model: dict[bytes, float] = {}
        self.large = False

    def ordered(self) -> list[tuple[bytes, float]]:
        return sorted(self.model.items(), key=lambda pair: (pair[1], pair[0]))

    @rule(member=members, score=scores)
    def add(self, member: bytes, score: float) -> None:
        new = member not in self.model
        self.large |= new and (len(self.model) >= 5 or len(member) > 8)
        assert self.value.add(member, score) == new
        self.model[member] = score

    @rule(rank=ranks, score=scores)
    def change_a_score(self, rank: int, score: float) -> None:
        if self.model:
            self.add(self.ordered()[rank % len(self.model)][0], score)

    @rule(member=members)
    def remove(self, member: bytes) -> None:
        assert self.value.remove(member) == (self.model.pop(member, None) is not None)

    @rule(start=ranks, stop=ranks)
    def remove_range_by_rank(self, start: int, stop: int) -> None:
        self.gone(self.value.remove_range_by_rank(start, stop), self.ordered()[start : stop + 1])

    @rule(low=scores, high=scores, min_open=st.booleans())
    def remove_range_by_score(self, low: float, high: float, min_open: bool) -> None:
        expected = [
            pair for pair in self.ordered() if low <= pair[1] <= high and not (min_open and pair[1] == low)
        ]
        assert self.value.count_by_score(low, high, min_open=min_open) == len(expected)
        assert self.value.range_by_score(low, high, min_open=min_open) == expected
        self.gone(self.value.remove_range_by_score(low, high, min_open=min_open), expected)

    @rule(low=members, high=members, score=scores)
    def remove_range_by_lex(self, low: bytes, high: bytes, score: float) -> None:
        for member in self.model:
            self.add(member, score)
        expected = [pair for pair in self.ordered() if low <= pair[0] < high]
        assert self.value.count_by_lex(low, high, max_open=True) == len(expected)
        assert self.value.range_by_lex(low, high, max_open=True) == expected
        self.gone(self.value.remove_range_by_lex(low, high, max_open=True), expected)

    @rule(n=st.integers(0, 3), highest=st.booleans())
    def pop(self, n: int, highest: bool) -> None:
        ordered = self.ordered()
        popped = self.value.pop_max(n) if highest else self.value.pop_min(n)
        self.gone(popped, ordered[::-1][:n] if highest else ordered[:n])

    def gone(self, removed: list[tuple[bytes, float]], expected: list[tuple[bytes, float]]) -> None:
        assert removed == expected
        for member, _ in removed:
            del self.model[member]

    @rule(count=st.integers(-8, 8), seed=st.integers(0, 9))
    def draw(self, count: int, seed: int) -> None:
        drawn = self.value.random_items(count, Random(seed))
        assert all(self.model[member] == score for member, score in drawn)
        if count >= 0:
            assert len({member for member, _ in drawn}) == len(drawn) == min(count, len(self.model))
        else:
            assert len(drawn) == (-count if self.model else 0)

    @rule()
    def a_copy_lives_on_its_own(self) -> None:
        copy = self.value.copy()
        assert copy.encoding == self.value.encoding
        assert list(copy.items()) == self.ordered()
        copy.add(b"other", 7.0)
        copy.pop_min()
        copy.check()

    @invariant()
    def holds_what_the_dict_holds(self) -> None:
        self.value.check()
        ordered = self.ordered()
        assert len(self.value) == len(ordered)
        assert list(self.value.items()) == ordered
        assert list(self.value.reverse_items()) == ordered[::-1]
        assert self.value.encoding == ("skiplist" if self.large else "listpack")
        for rank, (member, score) in enumerate(ordered):
            assert self.value.score(member) == score
            assert self.value.rank(member) == rank
            assert self.value.rank(member, reverse=True) == len(ordered) - 1 - rank
        assert self.value.score(b"nobody at all") is None
        assert self.value.rank(b"nobody at all") is None

    @invariant()
    def a_scan_returns_everything(self) -> None:
        cursor, found = self.value.scan(0, 2)
        while cursor:
            cursor, more = self.value.scan(cursor, 2)
            found += more
        assert dict(found) == self.model


TestValue = Value.TestCase
TestValue.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@given(st.floats(allow_nan=False))
def test_a_score_reads_back_from_its_text(score: float) -> None:
    assert float(score_text(score)) == score


def sign(score: float | None) -> float:
    assert score is not None
    return copysign(1.0, score)


def test_negative_zero_keeps_its_sign_in_the_large_form_only() -> None:
    small, large = SortedSetValue(), SortedSetValue(Limits(zset_max_listpack_entries=0))
    for value in (small, large):
        value.add(b"m", -0.0)
    assert sign(small.score(b"m")) == 1.0
    assert sign(large.score(b"m")) == -1.0


def test_a_zero_of_the_other_sign_is_no_new_score() -> None:
    value = SortedSetValue(Limits(zset_max_listpack_entries=0))
    value.add(b"m", 0.0)
    value.add(b"m", -0.0)
    assert sign(value.score(b"m")) == 1.0


def test_a_changed_score_makes_no_set_large() -> None:
    value = SortedSetValue(Limits(zset_max_listpack_entries=1))
    value.add(b"m", 1.0)
    value.add(b"m", 2.0)
    assert value.encoding == "listpack"


def test_a_listpack_is_taken_over_as_it_is() -> None:
    value = SortedSetValue(pack=ListPack.from_list([b"a", b"1", b"b", b"2.5"]))
    assert list(value.items()) == [(b"a", 1.0), (b"b", 2.5)]
    value.check()


def test_a_listpack_of_too_many_members_is_read_into_the_large_form() -> None:
    pack = ListPack.from_list([b"a", b"1", b"b", b"2"])
    value = SortedSetValue(Limits(zset_max_listpack_entries=1), pack=pack)
    assert value.encoding == "skiplist"
    assert list(value.items()) == [(b"a", 1.0), (b"b", 2.0)]
    value.check()


def test_every_member_is_drawn_about_as_often() -> None:
    rng = Random(4)
    for limits in (Limits(), Limits(zset_max_listpack_entries=0)):
        value = SortedSetValue.from_pairs(((b"%d" % number, float(number)) for number in range(10)), limits)
        drawn = [member for member, _ in value.random_items(-5000, rng)]
        drawn += [member for _ in range(500) for member, _ in value.random_items(5, rng)]
        assert all(650 < drawn.count(b"%d" % number) < 850 for number in range(10))


def test_memory_usage_counts_members_and_scores() -> None:
    for limits in (Limits(), Limits(zset_max_listpack_entries=0)):
        short = SortedSetValue.from_pairs(((b"%d" % number, 0.5) for number in range(50)), limits)
        long = SortedSetValue.from_pairs(((b"%050d" % number, 0.5) for number in range(50)), limits)
        assert long.memory_usage() >= short.memory_usage() + 50 * 30


@pytest.mark.parametrize("factory", FACTORIES)
def test_the_index_is_the_one_that_was_chosen(factory: Callable[[], SortedSetIndex]) -> None:
    value = SortedSetValue(Limits(zset_max_listpack_entries=0), IndexChoice(factory))
    value.add(b"m", 1.0)
    assert type(value.index) is type(factory())


def test_only_the_sets_decoded_last_keep_a_view() -> None:
    pairs = [(b"%d" % number, float(-number)) for number in range(9)]
    values = [SortedSetValue.from_pairs(pairs) for _ in range(VIEWS + 9)]
    assert values[0]._small._view is None
    assert values[-1]._small._view is not None
    for value in (values[0], values[-1]):
        value.check()
        assert [member for member, _ in value.pop_max(2)] == [b"0", b"1"]
        assert value.rank(b"2", reverse=True) == 0
        value.check()
