"""How long a call takes, measured so that a chart of it is worth looking at."""

from __future__ import annotations

import time
from collections.abc import Callable
from timeit import Timer
from typing import Final

CLOCK: Final[Callable[[], float]] = getattr(time, "thread_time", time.perf_counter)
"""In a web page no thread has a time of its own; there the wall clock has to do."""


def nanoseconds(
    function: Callable[[], object], seconds: float = 0.1, timer: Callable[[], float] = CLOCK
) -> float:
    """How many nanoseconds a call keeps the processor: the best of five runs, all of which take about `seconds` together.

    By default only the time of this thread counts, and so neither what others do meanwhile nor waiting. The calls of a run are
    as many as take a good while, found by doubling: a single call may be over before a coarse clock moves on.
    """
    timing = Timer(function, timer=timer)
    calls = 1
    while timing.timeit(calls) < seconds / 10:
        calls *= 2
    return min(timing.repeat(5, calls)) / calls * 1e9
