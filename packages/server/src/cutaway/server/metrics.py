"""The page for Prometheus: `--metrics-port 9121`, then http://127.0.0.1:9121/metrics.

As little of HTTP as that takes: a request line, headers that are skipped, one answer, and the connection is closed. What the
page says is looked up between two commands, in well under a millisecond; turning it into text takes ten times as long and is
done in a thread, so that no client has to wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cutaway.config.directive import Directive
from cutaway.config.values import Integer
from cutaway.observability.prometheus import CONTENT_TYPE, CommandLatency, Snapshot, page
from cutaway.server.measurements import every_command

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.config import Config
    from cutaway.server.observing import Observation

log: Final = logging.getLogger("cutaway.metrics")

PORT: Final = Directive("metrics-port", Integer(0, 65535), 0, immutable=True)
"""Ours alone: where the page is served; 0 for nowhere."""
PATHS: Final = frozenset({"/", "/metrics"})
PATIENCE_SECONDS: Final = 5.0
MOST_HEADER_BYTES: Final = 16 * 1024


def register(config: Config) -> Config:
    """Let `config` know our directive."""
    config.register(PORT)
    return config


def snapshot(engine: Engine, observation: Observation) -> Snapshot:
    """What the page is made of. O(commands)."""
    observation.measurements.gather_latencies()
    commands = {command.full_name: command for command in every_command(engine)}
    slow = observation.logs.logs[b"slow"]
    last = slow.newest(1)
    return Snapshot(
        info=observation.info.text(PAGE_SECTIONS),
        slow_log_length=len(slow),
        slow_log_last_id=last[0].id if last else 0,
        slow_log_last_microseconds=last[0].value if last else 0,
        spikes=[(event, *series.samples[-1]) for event, series in observation.latency.monitor.events.items()],
        latencies={
            name: CommandLatency(
                histogram.total,
                commands[name].nanoseconds // 1000,
                [(nanoseconds // 1000, count) for nanoseconds, count in histogram.cumulative()],
            )
            for name, histogram in observation.measurements.histograms.items()
            if name in commands  # a module may have gone, with its commands
        },
    )


PAGE_SECTIONS: Final = (
    "server", "clients", "memory", "persistence", "stats", "replication", "cpu", "commandstats", "errorstats", "cluster",
    "keyspace",
)  # fmt: skip


class Metrics:
    """The listener of one server's page."""

    __slots__ = ("_engine", "_observation", "_servers")

    def __init__(self, engine: Engine, observation: Observation) -> None:
        self._engine: Final = engine
        self._observation: Final = observation
        self._servers: Final[list[asyncio.Server]] = []

    async def listen(self) -> None:
        """Serve where `metrics-port` says, if it does, on the addresses of `bind`. Raises OSError."""
        config = self._engine.config
        if "metrics-port" not in config or not (port := config.integer("metrics-port")):
            return
        hosts: Any = config["bind"]
        for host in hosts:
            name = {"*": "0.0.0.0"}.get(host.lstrip("-"), host.lstrip("-"))  # noqa: S104 - as `bind` says
            with contextlib.suppress(OSError) if host.startswith("-") else contextlib.nullcontext():
                self._servers.append(
                    await asyncio.start_server(self._answer, name, port, limit=MOST_HEADER_BYTES)
                )
        log.info("Metrics for Prometheus are on port %d, at /metrics", port)

    def close(self) -> None:
        """Stop serving."""
        for server in self._servers:
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            OSError, asyncio.LimitOverrunError, asyncio.IncompleteReadError, TimeoutError
        ):
            async with asyncio.timeout(PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                status, body = await self._respond(head.split(b"\r\n", 1)[0].decode("latin-1").split())
                kind = CONTENT_TYPE if status.startswith("200") else "text/plain; charset=utf-8"
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
                if not head.startswith(b"HEAD"):
                    writer.write(body)
                await writer.drain()
        writer.close()

    async def _respond(self, request: Sequence[str]) -> tuple[str, bytes]:
        """Status and body for a request line's words."""
        if len(request) != 3 or not request[2].startswith("HTTP/"):
            return "400 Bad Request", b"This is HTTP, and only GET /metrics.\n"
        method, path, _ = request
        if path.partition("?")[0] not in PATHS:
            return "404 Not Found", b"The metrics are at /metrics.\n"
        if method not in ("GET", "HEAD"):
            return "405 Method Not Allowed", b"GET it.\n"
        seen = snapshot(self._engine, self._observation)
        return "200 OK", await asyncio.get_running_loop().run_in_executor(None, page, seen)
