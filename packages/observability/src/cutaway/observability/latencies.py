"""The latency monitor: when did the server keep everybody waiting, for how long, and doing what.

One thread serves all clients, so whatever it does for 200 milliseconds, a slow command, a fork, a write that the disk does not take,
is a latency of 200 milliseconds for everyone. The slow log knows commands alone. The monitor keeps a short history for each
*event*, each kind of thing that can take long, of the times at which it exceeded a threshold (`latency-monitor-threshold`).

A history has 160 samples of one second each. Within a second only the worst counts: a burst of slow commands is one spike,
and cannot push the history of the last hour out.

==================  =====================================================================
`command`           a command that is not declared fast: O(n) and the like
`fast-command`      one that is, O(1) or O(log n): if these are slow, the system is
`fork`              the call that makes the child for a snapshot or a rewrite
`aof-write`         handing the append-only file's bytes to the system, fsync included
`expire-cycle`      the background search for expired keys
`eviction-cycle`    making room when `maxmemory` is reached
==================  =====================================================================

Redis: `latency.c`, https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

HISTORY: Final = 160


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the samples of one event say together. Milliseconds, apart from `samples` and `period`."""

    samples: int
    least: int
    most: int
    mean: int
    deviation: int
    """The mean absolute deviation from the mean."""
    period: int
    """Seconds since the oldest sample, one at the least."""


class LatencySeries:
    """The history of one event."""

    __slots__ = ("_samples", "highest")

    def __init__(self) -> None:
        self._samples: Final[deque[tuple[int, int]]] = deque(maxlen=HISTORY)
        self.highest = 0
        """The worst of all time, in milliseconds; it outlives the history."""

    def add(self, latency: int, now: int) -> None:
        """A latency in milliseconds, at `now` in seconds since the epoch. O(1)."""
        self.highest = max(self.highest, latency)
        samples = self._samples
        if samples and samples[-1][0] == now:
            samples[-1] = (now, max(samples[-1][1], latency))
        else:
            samples.append((now, latency))

    @property
    def samples(self) -> list[tuple[int, int]]:
        """(seconds since the epoch, milliseconds), the oldest first."""
        return list(self._samples)

    def statistics(self, now: int) -> Statistics:
        """What the history amounts to. O(160)."""
        latencies = [latency for _, latency in self._samples]
        if not latencies:
            return Statistics(0, 0, 0, 0, 0, 0)
        mean = sum(latencies) // len(latencies)
        deviation = sum(abs(latency - mean) for latency in latencies) // len(latencies)
        period = max(now - self._samples[0][0], 1)
        return Statistics(len(latencies), min(latencies), max(latencies), mean, deviation, period)


class LatencyMonitor:
    """All events of a server. `threshold` is in milliseconds; 0 switches the monitor off."""

    __slots__ = ("events", "threshold")

    def __init__(self, threshold: int = 0) -> None:
        self.threshold = threshold
        self.events: Final[dict[str, LatencySeries]] = {}

    def record(self, event: str, latency: int, now: int) -> None:
        """Something took `latency` milliseconds; it counts if it reaches the threshold. O(1)."""
        if not self.threshold or latency < self.threshold:
            return
        series = self.events.get(event)
        if series is None:
            series = self.events[event] = LatencySeries()
        series.add(latency, now)

    def reset(self, *events: str) -> int:
        """Forget some events, or all of them if none are named; how many there were. Letters' case does not matter."""
        wanted = {event.lower() for event in events}
        found = [event for event in self.events if not wanted or event.lower() in wanted]
        for event in found:
            del self.events[event]
        return len(found)
