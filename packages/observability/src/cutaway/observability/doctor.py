"""LATENCY DOCTOR: what the monitor saw, in words, and what can be done about it.

The report has two halves. The first has a line for each event: how many spikes, how bad, how often. The second has advice; a
piece of advice belongs to the events that it can cure, and is given once, however many of them there were.

What the doctor has to know of the server besides (the slow log's threshold, the speed of forks, `hz`) comes as a `Patient`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cutaway.observability.latencies import LatencyMonitor

MEDIOCRE_FORK_RATE: Final = 25.0
"""GB of memory per second of fork; below, fork is what the clients notice."""
FORK_WORDS: Final = ((10.0, "terrible"), (MEDIOCRE_FORK_RATE, "poor"), (100.0, "good"))
AWAKE_ENOUGH: Final = 100

OFF: Final = (
    "The latency monitor is off, so there is nothing to report. CONFIG SET latency-monitor-threshold <milliseconds> "
    "switches it on: from then on everything that takes as long as that is noted.\n"
)
HEALTHY: Final = "No latency spike was seen since the start, or since LATENCY RESET.\n"
PUZZLED: Final = "\nNothing that is known here helps against these.\n"

DISK: Final = ("local-disk", "fast-disk")
CURES: Final = {
    "command": ("slow-log", "large-values"),
    "fast-command": ("system",),
    "fork": ("fork",),
    "aof-write": (*DISK, "less-disk", "fsync"),
    "expire-cycle": ("hz", "large-values"),
    "eviction-cycle": ("eviction",),
    "eviction-del": ("large-values",),
}
"""Which advice may help against which event."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What the doctor looks at besides the spikes."""

    slow_log_microseconds: int = 10000
    """`slowlog-log-slower-than`; negative where the slow log is off."""
    fork_rate: float = 0.0
    """GB of memory per second of the last fork."""
    hz: int = 10
    appendfsync: str = "everysec"
    huge_pages: bool = False
    """Whether the system gives this process transparent huge pages."""


def report(monitor: LatencyMonitor, patient: Patient, now: int) -> str:
    """The doctor's words; `now` is in seconds since the epoch. O(events)."""
    if not monitor.events and not monitor.threshold:
        return OFF
    events = "".join(f"{number}. {line}\n" for number, line in enumerate(_findings(monitor, patient, now), 1))
    advice = "".join(f"- {line}\n" for line in _advice(monitor, patient))
    if not events and not advice:
        return HEALTHY
    head = "Latency spikes were seen in this server:\n\n" if events else ""
    return head + events + (f"\nWhat may help:\n\n{advice}" if advice else PUZZLED)


def _findings(monitor: LatencyMonitor, patient: Patient, now: int) -> Iterator[str]:
    for event, series in monitor.events.items():
        seen = series.statistics(now)
        line = (
            f"{event}: {seen.samples} latency spikes (average {seen.mean}ms, mean deviation {seen.deviation}ms, "
            f"period {seen.period / seen.samples:.2f} sec). Worst all time event {series.highest}ms."
        )
        if event == "fork":
            word = next((word for limit, word in FORK_WORDS if patient.fork_rate < limit), "excellent")
            line += f" Fork rate is {patient.fork_rate:.2f} GB/sec ({word})."
        yield line


def _advice(monitor: LatencyMonitor, patient: Patient) -> Iterator[str]:
    wanted = dict.fromkeys(cure for event in monitor.events for cure in CURES.get(event, ()))
    for cure in wanted:
        yield from _words(cure, monitor, patient)
    if patient.huge_pages:
        yield (
            "The system gives this process transparent huge pages. After a fork each write then copies 2 MB instead of "
            "4 KB. Switch them off: echo never > /sys/kernel/mm/transparent_hugepage/enabled, and start the server anew."
        )


def _words(cure: str, monitor: LatencyMonitor, patient: Patient) -> Iterator[str]:
    if cure == "slow-log":
        yield from _about_slow_log(monitor, patient)
    elif cure == "fork" and patient.fork_rate < MEDIOCRE_FORK_RATE:
        yield "Fork is slow here, as on some virtual machines. A faster machine helps, or fewer snapshots (save)."
    elif cure == "fsync" and patient.appendfsync == "always":
        yield "appendfsync always makes every write wait for the disk. With everysec a crash costs a second of writes."
    elif cure == "hz" and patient.hz < AWAKE_ENOUGH:
        yield "CONFIG SET hz 100 lets keys expire in smaller portions, more often."
    elif cure in SENTENCES:
        yield SENTENCES[cure]


def _about_slow_log(monitor: LatencyMonitor, patient: Patient) -> Iterator[str]:
    threshold = monitor.threshold * 1000
    if patient.slow_log_microseconds < 0:
        yield f"The slow log would name the commands: CONFIG SET slowlog-log-slower-than {threshold or 10000}."
    elif patient.slow_log_microseconds > threshold:
        yield (
            "The slow log misses some of these spikes, its threshold is higher than the monitor's: "
            f"CONFIG SET slowlog-log-slower-than {threshold}."
        )
    yield "SLOWLOG GET shows which commands took long, and with which arguments."


SENTENCES: Final = {
    "large-values": (
        "Whole large values are slow to read, to build and to delete. Spread them over several keys, read them in pieces "
        "(HSCAN, LRANGE), and delete them with UNLINK."
    ),
    "system": (
        "Even commands that do next to nothing were slow, so the process did not get the processor. Look for other load on "
        "this machine (top, vmstat), for neighbours on the same host, for swapping; redis-cli --intrinsic-latency 100 "
        "measures what the system alone costs."
    ),
    "local-disk": "Keep the append-only file on a local disk; a network volume answers late, and unevenly.",
    "fast-disk": "An SSD makes both fsync and snapshots faster.",
    "less-disk": (
        "Find out who else writes to this disk. If it is this server's own rewrite, no-appendfsync-on-rewrite yes spares the "
        "log meanwhile, at the price of what a crash would then cost."
    ),
    "eviction": (
        "A maxmemory that was lowered at once, or a single large write, made the server evict many keys in a row. Lower it "
        "step by step, and leave room for what the largest writes need."
    ),
}
