"""Latencies, counted in buckets: from a nanosecond to a second, each with an error of less than one percent.

An average hides what hurts. What one wants to know is: how long do the slowest one in a hundred take? Keeping all values would
tell, and costs memory without end. A histogram keeps counts. With buckets of equal width it is either coarse for small values
or huge; with buckets that double it is coarse everywhere. The High Dynamic Range histogram (Gil Tene) combines the two: between
each power of two and the next there are 128 buckets of equal width, so that a bucket is never wider than 1/128 of its values,
and 7 times as many values need only 3 times as many buckets.

Finding the bucket is shifting: the value loses its lower bits until eight are left. As a picture, for 2007:

    2007 = 0b11111010_111      shift 3, the eight bits that stay: 250      bucket: 2000 … 2007

A percentile is answered with the *upper* end of its bucket, as Redis does: `p50=2.007` microseconds. Empty buckets are not kept.

Redis: `latency-tracking`, INFO latencystats, LATENCY HISTOGRAM. Source: http://hdrhistogram.org, with two significant digits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

PRECISION_BITS: Final = 8
LEAST: Final = 1
MOST: Final = 1_000_000_000
"""Values below and above are counted as these, as in Redis."""


def upper_end(value: int) -> int:
    """The largest value that falls into the same bucket as `value`. O(1)."""
    shift = value.bit_length() - PRECISION_BITS
    if shift <= 0:
        return value
    return ((value >> shift) + 1 << shift) - 1


class LatencyHistogram:
    """How often which latency was seen. Values are nanoseconds."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts: Final[dict[int, int]] = {}
        """By the upper end of the bucket."""
        self.total = 0

    def record(self, values: Iterable[int]) -> None:
        """Count some latencies. O(n), and cheaper the more of them are equal."""
        counts = self._counts
        seen = 0
        for value, count in Counter(values).items():
            seen += count
            if not LEAST <= value <= MOST:
                value = min(max(value, LEAST), MOST)  # noqa: PLW2901 - it is counted as this
            shift = value.bit_length() - PRECISION_BITS
            end = value if shift <= 0 else ((value >> shift) + 1 << shift) - 1  # upper_end, without a call
            counts[end] = counts.get(end, 0) + count
        self.total += seen

    def percentile(self, percent: float) -> int:
        """The latency that `percent` of all did not exceed, in nanoseconds; 0 if there are none. O(buckets)."""
        wanted = max(int(percent / 100 * self.total + 0.5), 1)
        seen = 0
        for value in sorted(self._counts):
            seen += self._counts[value]
            if seen >= wanted:
                return value
        return 0

    def percentiles(self, percents: Sequence[float]) -> list[int]:
        """`percentile` for each of `percents`."""
        return [self.percentile(percent) for percent in percents]

    def cumulative(self, first: int = 1024) -> Iterator[tuple[int, int]]:
        """How many took no longer than `first`, twice that, four times …, up to all of them: (nanoseconds, count).

        Steps that add nothing are left out; each is called by the upper end of its bucket. O(buckets).
        """
        seen = 0
        limit = first
        step = 0
        for value in sorted(self._counts):
            while upper_end(limit) < value:
                if step:
                    yield upper_end(limit), seen
                    step = 0
                limit *= 2
            seen += self._counts[value]
            step += self._counts[value]
        if step:
            yield upper_end(limit), seen

    def __len__(self) -> int:
        return self.total

    def check(self) -> None:
        """Assert what must hold: the counts add up, and every bucket is named by its upper end."""
        assert sum(self._counts.values()) == self.total
        assert all(upper_end(value) == value and count > 0 for value, count in self._counts.items())
