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
    """How many nanoseconds a call keeps the processor: the best of five runs that take `seconds` together.

    By default only the time of this thread counts, and so neither what others do meanwhile nor waiting.
    """
    timing = Timer(function, timer=timer)
    once = max(timing.timeit(1), 1e-7)
    calls = max(1, int(seconds / 5 / once))
    return min(timing.repeat(5, calls)) / calls * 1e9
