"""What is peculiar to the skip list: towers, spans, search paths, and the lots they are drawn by."""

from __future__ import annotations

from random import Random

import pytest

from cutaway.datastructures.skiplists import MAX_HEIGHT, SkipList


def filled(n: int, seed: int = 1) -> SkipList:
    index = SkipList(Random(seed))
    for number in range(n):
        index.insert(float(number), b"%d" % number)
    return index


class Unlucky(Random):
    """A source of chance that always says "one lane higher"."""

    def random(self) -> float:
        return 0.0


def test_the_same_seed_draws_the_same_towers() -> None:
    assert filled(50, seed=3).snapshot() == filled(50, seed=3).snapshot()
    assert filled(50, seed=3).snapshot() != filled(50, seed=4).snapshot()


def test_spans_of_a_lane_add_up_to_the_length() -> None:
    towers = filled(300).snapshot()
    for lane in range(len(towers[0].spans)):
        assert sum(tower.spans[lane] for tower in towers if len(tower.spans) > lane) == 300


def test_a_quarter_of_each_lane_stands_in_the_next() -> None:
    towers = filled(20_000, seed=9).snapshot()[1:]
    for height in (1, 2, 3):
        lower = sum(len(tower.spans) >= height for tower in towers)
        higher = sum(len(tower.spans) > height for tower in towers)
        assert higher / lower == pytest.approx(0.25, rel=0.15)


def test_no_tower_is_higher_than_the_limit_however_the_lots_fall() -> None:
    index = SkipList(Unlucky())
    for number in range(20):
        index.insert(float(number), b"%d" % number)
        index.check()
    assert max(len(tower.spans) for tower in index.snapshot()) == MAX_HEIGHT
    while len(index):
        index.pop_last()
        index.check()


def test_lanes_that_nobody_stands_in_are_taken_down() -> None:
    index = filled(1000)
    for _ in range(1000):
        index.pop_first()
    assert [tower.spans for tower in index.snapshot()] == [[0]]


def test_a_search_path_starts_at_the_head_descends_and_ends_before_the_pair() -> None:
    index = filled(500)
    path = index.search_path(321.0, b"321")
    assert (path[0].member, path[0].rank) == (None, -1)
    assert path[-1] == (0, b"320", 320)
    assert [step.lane for step in path] == sorted((step.lane for step in path), reverse=True)
    assert [step.rank for step in path] == sorted(step.rank for step in path)
    for step in path[1:]:
        assert step.member is None or index.by_rank(step.rank)[0] == step.member
