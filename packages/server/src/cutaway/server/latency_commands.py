"""LATENCY: the monitor's histories, their pictures and their doctor, and the histograms of single commands.

What is recorded, if it takes as long as `latency-monitor-threshold`:

====================  ==================================================================================
command               a call, of a command that may be slow
fast-command          a call of one that may not: then it was the machine
command-unblocking    a call for a client that had waited (BLPOP)
expire-cycle          a search for expired keys
eviction-cycle        one round of making room
fork                  the start of a child
aof-write             writing to the append-only file; by circumstance it counts a second time, as
                      `aof-write-pending-fsync`, `aof-write-active-child` or `aof-write-alone`
aof-fsync-always      the fsync at the end of a turn, under that policy
aof-rename            putting a rewritten base in its place
====================  ==================================================================================

Another room records its own with `engine.extras["latency_event"](event, milliseconds)`. The real server knows a few more, for what
happens here in small steps (freeing large values: `expire-del`, `eviction-del`, `eviction-lazyfree`) or not at all
(`active-defrag-cycle`, `module-acquire-GIL`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands import Client, Command, CommandError, CommandTable, Engine
from cutaway.commands.engine import NEVER
from cutaway.commands.errors import printable
from cutaway.commands.eviction import ROOM as MEMORY
from cutaway.commands.eviction import Evictor
from cutaway.commands.helping import help_lines
from cutaway.observability.doctor import Patient, report
from cutaway.observability.latencies import LatencyMonitor
from cutaway.observability.sparklines import latency_graph
from cutaway.resp import MapReply, Reply, Verbatim
from cutaway.server.forks import forks
from cutaway.server.measurements import resident_bytes

if TYPE_CHECKING:
    from cutaway.server.measurements import Measurements
    from cutaway.server.slow_logs import CommandLogs

latency_commands: Final = CommandTable("server")

FLAGS: Final = "admin noscript loading stale"
TIPS: Final = ("nondeterministic_output", "request_policy:all_nodes", "response_policy:special")
MILLISECOND: Final = 1_000_000

latency_commands.container("LATENCY", arity=-2, since="2.8.13")


class LatencyWatch:
    """Feeds the latency monitor of one engine, and the slow log; `engine.extras["latency"]`."""

    __slots__ = ("_engine", "_expiry_seen", "_forks_seen", "_logs", "monitor")

    def __init__(self, engine: Engine, logs: CommandLogs) -> None:
        self._engine: Final = engine
        self._logs: Final = logs
        self._forks_seen = forks.count
        self._expiry_seen = 0
        self.monitor: Final = LatencyMonitor()
        engine.extras["latency"] = self
        engine.extras["latency_event"] = self.record
        engine.on_slow = self.slow_call
        evictor: Evictor = engine.extras[MEMORY]
        evictor.on_cycle = self._note_eviction
        engine.on_cron = (*engine.on_cron, self.look)
        engine.config.subscribe("commandlog-execution-slower-than", self._set_slow_log)
        engine.config.subscribe("latency-monitor-threshold", self._set_monitor)

    def _set_slow_log(self, microseconds: Any) -> None:
        self._logs.slow_from = NEVER if microseconds < 0 else microseconds * 1000
        self._follow()

    def _set_monitor(self, milliseconds: Any) -> None:
        self.monitor.threshold = milliseconds
        self._follow()

    def _follow(self) -> None:
        """The engine tells of calls from the lower of the two thresholds on."""
        threshold = self.monitor.threshold
        self._engine.slow_after = min(self._logs.slow_from, threshold * MILLISECOND if threshold else NEVER)

    # ---- what is recorded

    def record(self, event: str, milliseconds: int) -> None:
        """Something took so long; it counts if it reaches the threshold."""
        self.monitor.record(event, milliseconds, int(time.time()))

    def slow_call(self, client: Client, command: Command, argv: Sequence[bytes], nanoseconds: int) -> None:
        """A call that exceeded one of the thresholds. For the monitor the outermost call counts: clients waited for that."""
        if nanoseconds >= self._logs.slow_from:
            self._logs.note_call(client, command, argv, nanoseconds)
        if not self._engine.nesting:
            self.record(_kind_of_call(client, command), nanoseconds // MILLISECOND)

    def _note_eviction(self, nanoseconds: int) -> None:
        self.record("eviction-cycle", nanoseconds // MILLISECOND)

    def look(self, _now: int) -> None:
        """The regular look at what counts its own time."""
        spent = self._engine.active_expiry.nanoseconds
        self.record("expire-cycle", (spent - self._expiry_seen) // MILLISECOND)
        self._expiry_seen = spent
        if forks.count != self._forks_seen:
            self._forks_seen = forks.count
            self.record("fork", forks.last_nanoseconds // MILLISECOND)

    # ---- what is said of it

    def patient(self) -> Patient:
        """What the doctor has to know."""
        config = self._engine.config
        return Patient(
            slow_log_microseconds=config.integer("commandlog-execution-slower-than"),
            fork_rate=forks.rate(resident_bytes()),
            hz=config.integer("hz"),
            appendfsync=config.text("appendfsync"),
            huge_pages=has_huge_pages(),
        )


def _kind_of_call(client: Client, command: Command) -> str:
    if client.blocked is not None:
        return "command-unblocking"
    return "fast-command" if "fast" in command.flags else "command"


def has_huge_pages() -> bool:
    """Whether the system backs this process's memory with transparent huge pages; False where it does not tell."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    except OSError:
        return False
    return any(line.startswith("AnonHugePages:") and line.split()[1] != "0" for line in lines)


def _watch(client: Client) -> LatencyWatch:
    watch: LatencyWatch = client.engine.extras["latency"]
    return watch


@latency_commands.command("LATENCY HISTORY", arity=3, flags=FLAGS, since="2.8.13", syntax="event", tips=TIPS)
def latency_history(client: Client, event: bytes) -> Reply:
    """Returns the spikes of an event: when, and how many milliseconds. O(1)."""
    series = _watch(client).monitor.events.get(event.decode("latin-1"))
    return [] if series is None else [list(sample) for sample in series.samples]


@latency_commands.command("LATENCY LATEST", arity=2, flags=FLAGS, since="2.8.13", tips=TIPS)
def latency_latest(client: Client) -> Reply:
    """Returns the last and the worst spike of each event. O(1)."""
    return [
        [event.encode(), *series.samples[-1], series.highest]
        for event, series in _watch(client).monitor.events.items()
    ]


@latency_commands.command("LATENCY RESET", arity=-2, flags=FLAGS, since="2.8.13", syntax="[event [event ...]]",
                          tips=["request_policy:all_nodes", "response_policy:agg_sum"])  # fmt: skip
def latency_reset(client: Client, *events: bytes) -> Reply:
    """Forgets the spikes of some events, or of all. O(1)."""
    return _watch(client).monitor.reset(*(event.decode("latin-1") for event in events))


@latency_commands.command("LATENCY GRAPH", arity=3, flags=FLAGS, since="2.8.13", syntax="event", tips=TIPS)
def latency_graph_(client: Client, event: bytes) -> Reply:
    """Draws the spikes of an event. O(1)."""
    name = event.decode("latin-1")
    series = _watch(client).monitor.events.get(name)
    if series is None:
        raise CommandError(f"ERR No samples available for event '{printable(event)}'")
    return Verbatim(latency_graph(name, series.samples, series.highest, int(time.time())).encode("latin-1"))


@latency_commands.command("LATENCY DOCTOR", arity=2, flags=FLAGS, since="2.8.13", tips=TIPS)
def latency_doctor(client: Client) -> Reply:
    """Explains the spikes, and what may help. O(1)."""
    watch = _watch(client)
    return Verbatim(report(watch.monitor, watch.patient(), int(time.time())).encode())


@latency_commands.command(
    "LATENCY HISTOGRAM", arity=-2, flags=FLAGS, since="7.0.0", syntax="[command [command ...]]", tips=TIPS
)
def latency_histogram(client: Client, *names: bytes) -> Reply:
    """Returns how many calls of each command took how long, in steps of powers of two. O(n) for n commands."""
    measurements: Measurements = client.engine.extras["measurements"]
    measurements.gather_latencies()
    wanted = list(_full_names(client.engine, names)) if names else list(measurements.histograms)
    return MapReply(
        [
            (name.encode(), MapReply([(b"calls", histogram.total), (b"histogram_usec", MapReply([
                (nanoseconds // 1000, count) for nanoseconds, count in histogram.cumulative()
            ]))]))
            for name in wanted
            if (histogram := measurements.histograms.get(name)) is not None
        ]
    )  # fmt: skip


def _full_names(engine: Engine, names: Sequence[bytes]) -> dict[str, None]:
    """The commands named, a container's subcommands with it; what there is not is passed over."""
    found: dict[str, None] = {}
    for name in names:
        container, _, word = name.lower().partition(b"|")
        command = engine.commands.get(container)
        if command is not None and word:
            command = command.subcommands.get(word)
        if command is not None:
            found[command.full_name] = None
            found.update(dict.fromkeys(child.full_name for child in command.subcommands.values()))
    return found


@latency_commands.command("LATENCY HELP", arity=2, flags="loading stale", since="2.8.13")
def latency_help(client: Client) -> Reply:
    """Says what LATENCY can do. O(1)."""
    return help_lines(client, "latency")
