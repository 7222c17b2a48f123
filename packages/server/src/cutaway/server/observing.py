"""Everything that watches the server, as one part of it: measurements, INFO, slow logs, latency, MONITOR, pauses.

Each has a module of its own; here they are put together, in the order in which they need each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutaway.server.info import Info, info_commands
from cutaway.server.latency_commands import LatencyWatch, latency_commands
from cutaway.server.measurements import Measurements
from cutaway.server.memory_figures import MemoryReport
from cutaway.server.monitoring import Monitors, monitor_commands
from cutaway.server.pauses import Pause, pause_commands
from cutaway.server.slow_logs import CommandLogs, command_log_commands

if TYPE_CHECKING:
    from cutaway.commands import Command, Engine
    from cutaway.server.servers import Server

OBSERVING: Final[tuple[Command, ...]] = (
    *info_commands, *command_log_commands, *latency_commands, *monitor_commands, *pause_commands,
)  # fmt: skip


class Observation:
    """What watches one server."""

    __slots__ = ("info", "latency", "logs", "measurements", "memory", "monitors", "pause")

    def __init__(self, engine: Engine, server: Server) -> None:
        self.pause: Final = Pause(engine)
        self.measurements: Final = Measurements(engine, server)
        self.memory: Final = MemoryReport(engine, server, self.measurements)
        self.info: Final = Info(engine, server, self.measurements, self.memory)
        self.logs: Final = CommandLogs(engine, server)
        self.latency: Final = LatencyWatch(engine, self.logs)
        self.monitors: Final = Monitors(engine)
