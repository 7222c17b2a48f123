"""A search looks at O(log n) of n pairs. Steps are counted as lines of code run, never as seconds."""

from __future__ import annotations

from functools import partial
from math import log2
from random import Random
from typing import TYPE_CHECKING

import pytest

from cutaway.datastructures import AVLTree, SkipList, SortedContainersIndex, SortedSetIndex
from cutaway.testing import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable


def churn(index: SortedSetIndex, number: int) -> None:
    index.insert(number + 0.5, b"new")
    index.remove(number + 0.5, b"new")


INDEXES: dict[str, Callable[[], SortedSetIndex]] = {
    "skip list": lambda: SkipList(Random(5)),
    "AVL tree": AVLTree,
    "sortedcontainers": SortedContainersIndex,
}
QUESTIONS: dict[str, Callable[[SortedSetIndex, int], object]] = {
    "rank": lambda index, number: index.rank(float(number), b"%d" % number),
    "by_rank": lambda index, number: index.by_rank(number),
    "range_by_rank": lambda index, number: index.range_by_rank(number, number + 9),
    "range_by_rank in reverse": lambda index, number: index.range_by_rank(number, number + 9, reverse=True),
    "range_by_score": lambda index, number: index.range_by_score(number - 0.5, number + 9.5),
    "count_by_score": lambda index, number: index.count_by_score(0.0, float(number)),
    "insert and remove": churn,
    "a far page": lambda index, number: index.range_by_score(0.0, 1e9, offset=number, count=10),
}
SIZES = [2**8, 2**12, 2**16]


def filled(make: Callable[[], SortedSetIndex], n: int) -> SortedSetIndex:
    index = make()
    numbers = list(range(n))
    Random(n).shuffle(numbers)
    for number in numbers:
        index.insert(float(number), b"%d" % number)
    index.by_rank(n // 2)  # sortedcontainers builds its positions when they are first asked for
    return index


@pytest.mark.parametrize("name", INDEXES)
def test_steps_grow_as_the_logarithm_of_the_size(name: str) -> None:
    rng = Random(11)
    costs: dict[str, list[float]] = {}
    for n in SIZES:
        index = filled(INDEXES[name], n)
        numbers = [rng.randrange(n - 10) for _ in range(40)]
        for question, ask in QUESTIONS.items():
            total = sum(lines_of(partial(ask, index, number)) for number in numbers)
            costs.setdefault(question, []).append(total / len(numbers))
    for question, means in costs.items():
        # From 2**8 to 2**16 the logarithm doubles; the rest is for chance. A linear cost would grow 256-fold.
        assert means[-1] <= 3 * means[0] + 40, (question, means)
        assert means[-1] <= 50 * log2(SIZES[-1]), (question, means)
