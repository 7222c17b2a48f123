"""Measure the three sorted-set indexes side by side, and print a table.

    python packages/datastructures/benchmarks/sorted_set_index.py 1000 100000 1000000

Microseconds of processor time a call. What changes nothing is the best of three rounds on the same index;
insertion is timed once, in random order, from empty to full. Memory is what the allocator gave out for the
structure, without members and scores.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from random import Random
from time import process_time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from cutaway.datastructures import AVLTree, SkipList, SortedContainersIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cutaway.datastructures import SortedSetIndex

INDEXES: dict[str, Callable[[], SortedSetIndex]] = {
    "SkipList": lambda: SkipList(Random(1)),
    "AVLTree": AVLTree,
    "SortedContainersIndex": SortedContainersIndex,
}
CALLS = 2000
COLUMNS = ["insert", "rank", "by_rank", "range of 100", "count_by_score", "remove", "pop_first", "memory"]
Pairs = list[tuple[float, bytes]]


def mean(call: Callable[..., object], arguments: Iterable[tuple[object, ...]]) -> float:
    """Return the microseconds that one call takes, over all `arguments`."""
    cases = list(arguments)
    begin = process_time()
    for case in cases:
        call(*case)
    return (process_time() - begin) / len(cases) * 1e6


def best(call: Callable[..., object], arguments: Iterable[tuple[object, ...]]) -> float:
    """Return the fastest of three means, for calls that change nothing."""
    cases = list(arguments)
    return min(mean(call, cases) for _ in range(3))


def memory(make: Callable[[], SortedSetIndex], pairs: Pairs) -> float:
    """Return the bytes a pair takes in the structure, the pair's own objects not counted."""
    tracemalloc.start()
    index = make()
    for score, member in pairs:
        index.insert(score, member)
    total = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return total / len(pairs)


def measure(make: Callable[[], SortedSetIndex], pairs: Pairs) -> list[float]:
    """Return the figures of one index over these pairs, in the order of the table's columns."""
    n = len(pairs)
    rng = Random(2)
    index = make()
    gc.collect()
    inserted = mean(index.insert, pairs)
    some = rng.sample(pairs, min(CALLS, n // 4))
    starts = [(rng.randrange(n),) for _ in some]
    figures = [
        inserted,
        best(index.rank, some),
        best(index.by_rank, starts),
        best(lambda start: index.range_by_rank(start, start + 99), starts),
        best(lambda score: index.count_by_score(score, 1.0), [(score,) for score, _ in some]),
        mean(index.remove, some),
        mean(index.pop_first, [()] * len(some)),
    ]
    return [*figures, memory(make, pairs[:100_000])]


def main(sizes: list[int]) -> None:
    """Print one table for each size."""
    console = Console(width=120)
    for n in sizes:
        rng = Random(n)
        pairs: Pairs = [(rng.random(), b"member:%d" % number) for number in range(n)]
        table = Table(title=f"{n:,} pairs: microseconds a call, and bytes a pair")
        table.add_column("index")
        for column in COLUMNS:
            table.add_column(column, justify="right")
        for name, make in INDEXES.items():
            table.add_row(name, *(f"{figure:.2f}" for figure in measure(make, pairs)))
        console.print(table)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1000, 100_000, 1_000_000])
