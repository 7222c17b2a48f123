"""What `top` shows: a server's state on one screen, drawn from what any Redis-compatible server tells of itself.

A `Sample` is what was asked at one moment: INFO, the slow log, how long a PING took. A `Dashboard` remembers the last ones, since most of
what is of interest is a difference: calls per second, hits of the last seconds, the commands that are busy now rather than since
the start. `render` draws it with rich; nothing here talks to a server or looks at a clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cutaway.observability.info_texts import details, human, parse

HISTORY: Final = 60
BARS: Final = " ▁▂▃▄▅▆▇█"
HOT_COMMANDS: Final = 8
SIDE_BY_SIDE: Final = 76
"""From so many columns on, two panels stand beside each other."""
LABELS: Final = 29
"""Columns of a panel that its frame, names and numbers need."""
ALARMING: Final = 0.9


@dataclass(frozen=True)
class Sample:
    """What a server said at one moment."""

    time: float
    """Seconds, on any clock that does not jump."""
    info: str
    """INFO everything."""
    ping_seconds: float = 0.0
    slow_log: Sequence[Sequence[object]] = ()
    """Entries of SLOWLOG GET, the newest first."""

    @cached_property
    def fields(self) -> dict[str, str]:
        """INFO's fields."""
        return parse(self.info)

    def number(self, name: str) -> float:
        """A field as a number, 0 if it is none or is not there."""
        try:
            return float(self.fields.get(name, "0"))
        except ValueError:
            return 0.0

    @cached_property
    def calls(self) -> dict[str, tuple[int, int]]:
        """Calls and microseconds of each command."""
        found: dict[str, tuple[int, int]] = {}
        for name, value in self.fields.items():
            if name.startswith("cmdstat_"):
                inner = details(value)
                found[name.removeprefix("cmdstat_")] = int(inner.get("calls", 0)), int(inner.get("usec", 0))
        return found


@dataclass(frozen=True, slots=True)
class Busy:
    """What one command did between two samples."""

    name: str
    calls_per_second: float
    share: float
    """Of the time that all commands took together, from 0 to 1."""
    microseconds_per_call: float


def bars(values: Sequence[float], width: int) -> str:
    """The last values as a row of bars, the highest of them full. O(width)."""
    shown = list(values)[-width:]
    most = max(shown, default=0.0) or 1.0
    return "".join(BARS[min(round(value / most * 8), 8)] for value in shown).rjust(width)


class Dashboard:
    """The last samples of one server, and how they look."""

    def __init__(self) -> None:
        self.before: Sample | None = None
        self.last: Sample | None = None
        self.speeds: Final[deque[float]] = deque(maxlen=HISTORY)
        """Commands per second."""
        self.pings: Final[deque[float]] = deque(maxlen=HISTORY)
        """Milliseconds."""
        self.memory: Final[deque[float]] = deque(maxlen=HISTORY)
        """Bytes."""

    def add(self, sample: Sample) -> None:
        """Take in what the server has just said."""
        self.before, self.last = self.last, sample
        if self.before is not None:
            self.speeds.append(self.rate("total_commands_processed"))
        self.pings.append(sample.ping_seconds * 1000)
        self.memory.append(sample.number("used_memory"))

    # ---- differences

    @property
    def seconds(self) -> float:
        """The time between the last two samples."""
        if self.before is None or self.last is None:
            return 0.0
        return self.last.time - self.before.time

    def rate(self, name: str) -> float:
        """How much a counter of INFO grew per second; one that was reset has grown by what it shows."""
        if self.before is None or self.last is None or self.seconds <= 0:
            return 0.0
        now, before = self.last.number(name), self.before.number(name)
        return (now - before if now >= before else now) / self.seconds

    def hot_commands(self) -> list[Busy]:
        """The commands that were called since the sample before, those that took most of the time first."""
        if self.before is None or self.last is None or self.seconds <= 0:
            return []
        grown: dict[str, tuple[int, int]] = {}
        for name, (calls, spent) in self.last.calls.items():
            calls_before, spent_before = self.before.calls.get(name, (0, 0))
            if calls > calls_before:
                grown[name] = calls - calls_before, max(spent - spent_before, 0)
        total = sum(spent for _, spent in grown.values()) or 1
        busy = [
            Busy(name, calls / self.seconds, spent / total, spent / calls)
            for name, (calls, spent) in grown.items()
        ]
        return sorted(busy, key=lambda each: (-each.share, each.name))

    def hit_share(self) -> float | None:
        """Of the keys that were looked up since the sample before, how many were there; None if none were looked up."""
        hits, misses = self.rate("keyspace_hits"), self.rate("keyspace_misses")
        return hits / (hits + misses) if hits + misses else None

    # ---- the picture

    def render(self, where: str, width: int = 100) -> RenderableType:
        """The whole screen for a terminal of `width` columns."""
        if self.last is None:
            return Text(f"waiting for {where} …")
        beside = width >= SIDE_BY_SIDE
        half = (width - 1) // 2 if beside else width
        chart = max(half - LABELS, 8)
        panels = [
            _panel("throughput", self._throughput(chart), half),
            _panel("memory", self._memory(chart), half),
            _panel("keyspace", self._keyspace(chart), half),
            _panel("clients, disk", self._state(), half),
        ]
        return Group(
            self._title(where),
            *(_pair(*panels[:2]), _pair(*panels[2:])) if beside else panels,
            _panel("hot commands", self._commands(), width),
            _panel("slow log", self._slow_log(), width),
        )

    def _title(self, where: str) -> Text:
        assert self.last is not None
        fields = self.last.fields
        name = fields.get("server_name", "redis")
        version = fields.get(f"{name}_version", fields.get("redis_version", "?"))
        uptime = timedelta(seconds=int(self.last.number("uptime_in_seconds")))
        return Text.assemble(
            (f" {name} {version} ", "bold reverse cyan"), f"  {where}  ",
            (f"{fields.get('role', '')}  up {uptime}  pid {fields.get('process_id', '?')}", "dim"),
        )  # fmt: skip

    def _throughput(self, chart: int) -> Iterator[tuple[str, str, str]]:
        speed = self.speeds[-1] if self.speeds else 0.0
        yield "commands/s", f"{speed:,.0f}", bars(self.speeds, chart)
        ping = self.pings[-1] if self.pings else 0.0
        yield "PING", f"{ping:.2f} ms", bars(self.pings, chart)
        yield "in", f"{human(self.rate('total_net_input_bytes'))}/s", ""
        yield "out", f"{human(self.rate('total_net_output_bytes'))}/s", ""
        cpu = self.rate("used_cpu_sys") + self.rate("used_cpu_user")
        yield "processor", f"{100 * cpu:.0f} %", _gauge(cpu, chart)

    def _memory(self, chart: int) -> Iterator[tuple[str, str, str]]:
        assert self.last is not None
        used, limit = self.last.number("used_memory"), self.last.number("maxmemory")
        yield "used", human(used), bars(self.memory, chart)
        yield "resident", human(self.last.number("used_memory_rss")), ""
        yield "peak", human(self.last.number("used_memory_peak")), ""
        yield "limit", human(limit) if limit else "none", _gauge(used / limit, chart) if limit else ""
        yield "policy", self.last.fields.get("maxmemory_policy", ""), ""

    def _keyspace(self, chart: int) -> Iterator[tuple[str, str, str]]:
        assert self.last is not None
        for name, value in self.last.fields.items():
            if name.startswith("db") and name[2:].isdigit():
                inner = details(value)
                yield name, f"{int(inner.get('keys', 0)):,} keys", f"{int(inner.get('expires', 0)):,} expire"
        share = self.hit_share()
        if share is not None:
            yield "hits", f"{100 * share:.1f} %", _gauge(share, chart)
        yield "expired", f"{self.rate('expired_keys'):,.0f}/s", ""
        yield "evicted", f"{self.rate('evicted_keys'):,.0f}/s", ""

    def _state(self) -> Iterator[tuple[str, str, str]]:
        assert self.last is not None
        number, fields = self.last.number, self.last.fields
        blocked = f"{number('blocked_clients'):.0f} wait"
        yield "clients", f"{number('connected_clients'):.0f}", blocked
        yield (
            "refused",
            f"{number('rejected_connections'):.0f}",
            f"{self.rate('total_error_replies'):,.0f} errors/s",
        )
        yield (
            "snapshot",
            fields.get("rdb_last_bgsave_status", "?"),
            f"{number('rdb_changes_since_last_save'):,.0f} changes since",
        )
        on = fields.get("aof_enabled") == "1"
        yield "log", "on" if on else "off", human(number("aof_current_size")) if on else ""

    def _commands(self) -> Table:
        table = Table(box=None, expand=True, header_style="dim", pad_edge=False)
        table.add_column("command")
        for title in ("calls/s", "time", "per call", "p50", "p99", "calls"):
            table.add_column(title, justify="right")
        for busy in self.hot_commands()[:HOT_COMMANDS]:
            percentiles = self._percentiles(busy.name)
            assert self.last is not None
            table.add_row(
                busy.name, f"{busy.calls_per_second:,.0f}", f"{100 * busy.share:.0f} %",
                f"{busy.microseconds_per_call:,.1f} µs", percentiles.get("p50", "?"), percentiles.get("p99", "?"),
                f"{self.last.calls[busy.name][0]:,}",
            )  # fmt: skip
        return table

    def _percentiles(self, command: str) -> Mapping[str, str]:
        assert self.last is not None
        values = details(self.last.fields.get(f"latency_percentiles_usec_{command}", ""))
        return {name: f"{float(value):,.0f} µs" for name, value in values.items()}

    def _slow_log(self) -> Table:
        assert self.last is not None
        table = Table(box=None, expand=True, show_header=False, pad_edge=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for entry in self.last.slow_log:
            _, moment, microseconds, arguments = entry[:4]
            words = " ".join(_shown(word) for word in _sequence(arguments))
            time = datetime.fromtimestamp(_integer(moment), UTC).astimezone()
            table.add_row(f"{time:%H:%M:%S}", f"{_integer(microseconds) / 1000:,.1f} ms", Text(words))
        return table


def _panel(title: str, body: Iterator[tuple[str, str, str]] | Table, width: int) -> Panel:
    if isinstance(body, Table):
        return Panel(body, title=title, title_align="left", border_style="cyan", width=width)
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", width=10, no_wrap=True)
    table.add_column(justify="right", width=12, no_wrap=True)
    table.add_column(style="green", no_wrap=True)
    for row in body:
        table.add_row(*row)
    return Panel(table, title=title, title_align="left", border_style="cyan", width=width, height=8)


def _pair(left: Panel, right: Panel) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_row(left, right)
    return table


def _gauge(share: float, cells: int) -> str:
    """A share from 0 to 1 as a bar that is filled so far; red when it is nearly full."""
    full = min(round(share * cells), cells)
    bar = "█" * full + "░" * (cells - full)
    return f"[red]{bar}[/]" if share >= ALARMING and full else bar


def _shown(word: object) -> str:
    text = word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0
