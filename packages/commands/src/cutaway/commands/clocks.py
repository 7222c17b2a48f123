"""Time, handed in.

The engine never asks what time it is: it is given a clock, a function that answers in milliseconds since the epoch, and
a stopwatch, a function that counts nanoseconds and never goes back. A test or a notebook hands in a `FakeClock`, and an hour
passes when the reader says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

Clock = Callable[[], int]
Stopwatch = Callable[[], int]

stopwatch: Final[Stopwatch] = time.perf_counter_ns


def system_clock() -> int:
    """The system's time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000  # noqa: TID251


class FakeClock:
    """A clock that stands still until it is told to move."""

    __slots__ = ("now",)

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:  # noqa: D102
        return self.now

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        self.now += milliseconds
