"""How fast something goes, now: a counter that only grows, looked at ten times a second.

A count since the start says little of the present moment. So the counter is sampled at regular times, each sample gives a
rate over the time since the one before, and the mean of the last sixteen is what INFO calls `instantaneous_…`: quick to
follow a change, and steady enough to be read (`trackInstantaneousMetric` in Redis).
"""

from __future__ import annotations

from collections import deque
from typing import Final

SAMPLES: Final = 16


class Rate:
    """The present rate of a growing counter. The caller says what time it is."""

    __slots__ = ("_base", "_count", "_factor", "_samples")

    def __init__(self, *, per: float = 1000.0) -> None:
        """`per` is the span that the rate is for, in the units of `base`: 1000 milliseconds, for "per second"."""
        self._factor: Final = per
        self._samples: Final[deque[float]] = deque(maxlen=SAMPLES)
        self._base = 0.0
        self._count = 0.0

    def sample(self, count: float, base: float) -> None:
        """The counter stands at `count`; `base` is what it is measured against, mostly the time. O(1)."""
        if self._base and base > self._base:
            self._samples.append(max(count - self._count, 0) * self._factor / (base - self._base))
        self._count = count
        self._base = base

    @property
    def value(self) -> float:
        """The mean of the last samples; 0 before there are two. O(1), for sixteen samples."""
        return sum(self._samples) / len(self._samples) if self._samples else 0.0

    @property
    def last(self) -> float:
        """The last sample alone; 0 before there are two. O(1)."""
        return self._samples[-1] if self._samples else 0.0

    def reset(self) -> None:
        """Forget all samples."""
        self._samples.clear()
        self._base = self._count = 0.0
