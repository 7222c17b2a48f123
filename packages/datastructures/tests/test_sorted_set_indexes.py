"""Every index keeps one contract: a machine runs each of them beside a plain sorted list."""

from __future__ import annotations

from bisect import bisect_left, insort
from math import inf
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cutaway.datastructures import AVLTree, ListPackIndex, SkipList, SortedContainersIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutaway.datastructures import SortedSetIndex

INDEXES: dict[str, Callable[[int], SortedSetIndex]] = {
    "skip list": lambda seed: SkipList(Random(seed)),
    "AVL tree": lambda _: AVLTree(),
    "sortedcontainers": lambda _: SortedContainersIndex(),
    "listpack": lambda _: ListPackIndex(),
}

# Few scores, so that ties are common; members that look like integers, that begin alike, that are empty.
scores = st.sampled_from([-inf, -1e300, -1.0, -0.1, 0.0, 0.1, 1.0, 2.0, 1e17, 2.0**62, 2.0**63, inf])
members = st.one_of(st.integers(-3, 300).map(lambda i: b"%d" % i), st.binary(max_size=3))
ranks = st.integers(0, 60)


def swapped(pairs: list[tuple[float, bytes]]) -> list[tuple[bytes, float]]:
    return [(member, score) for score, member in pairs]


class Contract(RuleBasedStateMachine):
    """One index and its model, the sorted list of the same (score, member)."""

    make: Callable[[int], SortedSetIndex]

    @initialize(seed=st.integers(0, 1000), pairs=st.dictionaries(members, scores, max_size=60))
    def start(self, seed: int, pairs: dict[bytes, float]) -> None:
        self.index = type(self).make(seed)
        self.model: list[tuple[float, bytes]] = []
        for member, score in pairs.items():
            self.insert(score, member)

    @rule(score=scores, member=members)
    def insert(self, score: float, member: bytes) -> None:
        if all(other != member for _, other in self.model):
            self.index.insert(score, member)
            insort(self.model, (score, member))

    @rule(rank=ranks)
    @precondition(lambda self: self.model)
    def remove(self, rank: int) -> None:
        score, member = self.model.pop(rank % len(self.model))
        assert self.index.remove(score, member)
        assert not self.index.remove(score, member)

    @rule(score=scores, member=members)
    def remove_or_rank_what_may_not_be_there(self, score: float, member: bytes) -> None:
        there = (score, member) in self.model
        assert self.index.rank(score, member) == (self.model.index((score, member)) if there else None)
        assert self.index.remove(score, member) == there
        if there:
            self.model.remove((score, member))

    @rule(start=ranks, stop=ranks)
    def delete_range_by_rank(self, start: int, stop: int) -> None:
        assert self.index.delete_range_by_rank(start, stop) == swapped(self.model[start : stop + 1])
        if start <= stop:
            del self.model[start : stop + 1]

    @rule(last=st.booleans())
    def pop(self, last: bool) -> None:
        pop = self.index.pop_last if last else self.index.pop_first
        if self.model:
            assert [pop()] == swapped([self.model.pop(-1 if last else 0)])
        else:
            with pytest.raises(IndexError):
                pop()

    @rule(start=ranks, stop=ranks, reverse=st.booleans())
    def range_by_rank(self, start: int, stop: int, reverse: bool) -> None:
        ordered = self.model[::-1] if reverse else self.model
        assert self.index.range_by_rank(start, stop, reverse=reverse) == swapped(ordered[start : stop + 1])

    @rule(rank=st.integers(-3, 60))
    def by_rank(self, rank: int) -> None:
        if 0 <= rank < len(self.model):
            assert [self.index.by_rank(rank)] == swapped([self.model[rank]])
        else:
            with pytest.raises(IndexError):
                self.index.by_rank(rank)

    @rule(
        low=scores,
        high=scores,
        min_open=st.booleans(),
        max_open=st.booleans(),
        reverse=st.booleans(),
        offset=st.integers(-1, 5),
        count=st.integers(-1, 9),
    )
    def range_by_score(
        self, low: float, high: float, min_open: bool, max_open: bool, reverse: bool, offset: int, count: int
    ) -> None:
        expected = [
            (score, member)
            for score, member in self.model
            if (low < score if min_open else low <= score) and (score < high if max_open else score <= high)
        ]
        bounds = {"min_open": min_open, "max_open": max_open}
        assert self.index.count_by_score(low, high, **bounds) == len(expected)
        page = expected[::-1] if reverse else expected
        page = page[offset : None if count < 0 else offset + count] if offset >= 0 else []
        assert self.index.range_by_score(
            low, high, **bounds, reverse=reverse, offset=offset, count=count
        ) == swapped(page)

    @rule(score=scores, after=st.booleans())
    def cut_by_score(self, score: float, after: bool) -> None:
        expected = sum(other < score or (after and other == score) for other, _ in self.model)
        assert self.index.first_at_or_after(score, after=after) == expected

    @rule(
        low=st.none() | members,
        high=st.none() | members,
        min_open=st.booleans(),
        max_open=st.booleans(),
        reverse=st.booleans(),
    )
    @precondition(lambda self: swapped(self.model) == sorted(swapped(self.model)))
    def range_by_lex_where_members_ascend(
        self, low: bytes | None, high: bytes | None, min_open: bool, max_open: bool, reverse: bool
    ) -> None:
        expected = [
            (score, member)
            for score, member in self.model
            if (low is None or (low < member if min_open else low <= member))
            and (high is None or (member < high if max_open else member <= high))
        ]
        bounds = {"min_open": min_open, "max_open": max_open}
        assert self.index.count_by_lex(low, high, **bounds) == len(expected)
        page = expected[::-1] if reverse else expected
        assert self.index.range_by_lex(low, high, **bounds, reverse=reverse) == swapped(page)

    @rule(score=scores)
    def give_all_the_same_score(self, score: float) -> None:
        renewed = [(score, member) for _, member in self.model]
        for old, member in self.model:
            self.index.remove(old, member)
        for _, member in self.model:
            self.index.insert(score, member)
        self.model = sorted(renewed)

    @invariant()
    def same_pairs_both_ways(self) -> None:
        self.index.check()
        assert len(self.index) == len(self.model)
        assert list(self.index) == swapped(self.model)
        assert list(reversed(self.index)) == swapped(self.model[::-1])

    @invariant()
    def ranks_invert_each_other(self) -> None:
        for pair in self.model[:: max(1, len(self.model) // 3)]:
            rank = self.index.rank(*pair)
            assert rank == bisect_left(self.model, pair)
            assert self.index.by_rank(rank) == pair[::-1]


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_behaves_as_a_sorted_list_does(name: str) -> None:
    machine = type("Machine", (Contract,), {"make": staticmethod(INDEXES[name])})
    few = settings(max_examples=40, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(machine, settings=few)


@pytest.mark.parametrize("name", ["skip list", "AVL tree", "sortedcontainers"])
def test_thousands_of_pairs_keep_the_order_through_growth_and_decay(name: str) -> None:
    rng = Random(7)
    index = INDEXES[name](7)
    model = [(float(rng.randrange(500)), b"%d" % number) for number in range(5000)]
    for score, member in model:
        index.insert(score, member)
    index.check()
    model.sort()
    assert list(index) == swapped(model)
    while len(model) > 10:
        start = rng.randrange(len(model))
        stop = start + rng.randrange(600)
        assert index.delete_range_by_rank(start, stop) == swapped(model[start : stop + 1])
        del model[start : stop + 1]
        index.check()
    assert list(index) == swapped(model)


@pytest.mark.parametrize("name", INDEXES)
def test_memory_usage_grows_with_the_pairs(name: str) -> None:
    index = INDEXES[name](1)
    empty = index.memory_usage()
    for number in range(100):
        index.insert(float(number), b"member:%d" % number)
    assert index.memory_usage() >= empty + 100 * 8
