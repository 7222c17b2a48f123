"""What the server measures of itself, apart from what each part counts anyway: rates, peaks, processor time, latencies.

Once every tenth of a second `sample` looks at the counters. The latencies of single calls gather in each command as plain
numbers, because that costs a call next to nothing; here they are counted into histograms, many at a time.

Most of it goes back to zero with CONFIG RESETSTAT.
"""

from __future__ import annotations

import os
import resource
import time
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cutaway.observability.histograms import LatencyHistogram
from cutaway.observability.rates import Rate
from cutaway.server.forks import forks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cutaway.commands import Command, Engine
    from cutaway.server.servers import Server

PAGE: Final = resource.getpagesize()
MEASURE_MILLISECONDS: Final = 1000
"""The memory in use is measured this often: without a limit it takes a sample of the keys."""


class Measurements:
    """Samples of one server, for INFO, LATENCY HISTOGRAM and the metrics."""

    __slots__ = (
        "_engine", "_measured_at", "_not_counted", "_server", "command_rate", "cycle_rate", "cycle_time_rate",
        "histograms", "in_rate", "longest_cycle", "most_commands", "operations_rate", "out_rate", "peak_used",
        "used_bytes",
    )  # fmt: skip

    def __init__(self, engine: Engine, server: Server) -> None:
        self._engine: Final = engine
        self._server: Final = server
        self._not_counted = 0
        self.histograms: Final[dict[str, LatencyHistogram]] = {}
        """By the full name of each command that was called."""
        self.operations_rate: Final = Rate()
        self.in_rate: Final = Rate()
        self.command_rate: Final = Rate(per=1)
        self.longest_cycle = self.most_commands = 0
        """The most microseconds, and the most commands, that a turn of the loop had: means over a tenth of a second."""
        self.out_rate: Final = Rate()
        self.cycle_rate: Final = Rate()
        self.cycle_time_rate: Final = Rate(per=1)
        self.used_bytes = self.peak_used = 0
        self._measured_at = 0
        engine.extras["measurements"] = self
        engine.extras.setdefault("on_resetstat", []).append(self.reset)
        engine.on_cron = (*engine.on_cron, self.sample)
        engine.config.subscribe("latency-tracking", self._track)
        engine.on_commands = (*engine.on_commands, self._track_new)

    # ---- latencies

    def _track(self, value: Any) -> None:
        for command in every_command(self._engine):
            command.on_samples = self._record if value else None
        if not value:
            self.histograms.clear()

    def _track_new(self) -> None:
        """Commands have come: those of modules are measured too."""
        if self._engine.config.boolean("latency-tracking"):
            for command in every_command(self._engine):
                command.on_samples = self._record

    def gather_latencies(self) -> int:
        """Have the calls since the last time counted; all calls so far. O(commands + calls since then)."""
        return self._engine.total_commands

    def _record(self, command: Command, samples: list[int]) -> None:
        """Enter the nanoseconds of a command's last calls into its histogram."""
        histogram = self.histograms.get(command.full_name)
        if histogram is None:
            histogram = self.histograms[command.full_name] = LatencyHistogram()
        histogram.record(samples)

    # ---- sampling

    def sample(self, now: int) -> None:
        """Look at the counters; `now` is in milliseconds since the epoch."""
        server = self._server
        calls = self.gather_latencies()
        self.operations_rate.sample(calls, now)
        self.command_rate.sample(calls, server.cycles)
        self.in_rate.sample(server.bytes_in, now)
        self.out_rate.sample(server.bytes_out, now)
        self.cycle_rate.sample(server.cycles, now)
        self.cycle_time_rate.sample(self.busy_microseconds, server.cycles)
        self.longest_cycle = max(self.longest_cycle, int(self.cycle_time_rate.last))
        self.most_commands = max(self.most_commands, ceil(self.command_rate.last))
        if now - self._measured_at >= MEASURE_MILLISECONDS:
            self._measured_at = now
            self.used_bytes = server.evictor.used_memory()
            self.peak_used = max(self.peak_used, self.used_bytes)

    @property
    def busy_microseconds(self) -> int:
        """How long the event loop's thread has worked, and not waited, since the statistics began."""
        return time.thread_time_ns() // 1000 - self._not_counted

    def reset(self) -> None:
        """CONFIG RESETSTAT."""
        server = self._server
        self.histograms.clear()
        for rate in (
            self.operations_rate,
            self.in_rate,
            self.out_rate,
            self.cycle_rate,
            self.cycle_time_rate,
            self.command_rate,
        ):
            rate.reset()
        server.forget_counts()
        self.peak_used = self.used_bytes
        self.longest_cycle = self.most_commands = 0
        self._not_counted = time.thread_time_ns() // 1000
        self._engine.active_expiry.forget_counts()
        forks.forget()
        persistence = self._engine.extras.get("persistence")
        if persistence is not None:
            persistence.appender.delayed_fsyncs = 0
            persistence.saver.saves = persistence.appender.rewrites = 0


def every_command(engine: Engine) -> Iterator[Command]:
    """All commands and subcommands of an engine."""
    for command in engine.commands.values():
        yield command
        yield from command.subcommands.values()


def resident_bytes() -> int:
    """How much of the machine's memory this process has; where the system does not tell, the most it ever had."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def total_system_memory() -> int:
    """The machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
