"""What MEMORY and INFO say of the process: its resident memory, its peak, what clients and buffers hold.

`used_memory` is what the data and the clients take, counted or estimated by the engine's room. The interpreter and the program
are not in it: they are what the process had when it started. Fragmentation is what the process has more than both together.
"""

from __future__ import annotations

import ctypes
import gc
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands.eviction import ROOM, Evictor
from cutaway.commands.memory_commands import Figures, Overview
from cutaway.server.info_process import lua_memory
from cutaway.server.measurements import Measurements, resident_bytes

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.server.servers import Server

SCRIPT_BYTES: Final = 1024
"""What a script is taken to cost besides its text: the compiled function."""


class MemoryReport:
    """The figures of one server."""

    __slots__ = ("_engine", "_evictor", "_measurements", "_server", "_startup")

    def __init__(self, engine: Engine, server: Server, measurements: Measurements) -> None:
        self._engine: Final = engine
        self._server: Final = server
        self._measurements: Final = measurements
        self._evictor: Final[Evictor] = engine.extras[ROOM]
        self._startup: Final = resident_bytes()
        self._evictor.other_bytes = self._others
        engine.extras["memory_figures"] = self.figures
        engine.extras["purge_memory"] = purge
        engine.info_sections["memory:eviction"] = self.memory
        engine.info_sections["stats:eviction"] = self.stats

    def _scripts(self) -> tuple[int, int]:
        """How many scripts are kept, and the bytes of their texts."""
        scripting = self._engine.extras.get("scripting")
        scripts = scripting.scripts.values() if scripting is not None else ()
        return len(scripts), sum(len(script.body) + SCRIPT_BYTES for script in scripts)

    def _others(self) -> int:
        return self._scripts()[1] + lua_memory(self._engine)

    def figures(self) -> Figures:
        """What is known of the process now. O(clients + scripts)."""
        persistence = self._engine.extras.get("persistence")
        aof = persistence.appender.aof if persistence is not None else None
        count, scripts = self._scripts()
        return Figures(
            resident=resident_bytes(),
            startup=self._startup,
            peak=self._measurements.peak_used,
            clients=sum(connection.memory_usage() for connection in self._server.connections),
            aof_buffer=0 if aof is None else aof.pending,
            scripts=scripts,
            script_count=count,
        )

    # ---- INFO

    def memory(self) -> dict[str, Any]:
        """What INFO's section `memory` has to say differently, in bytes."""
        seen = Overview.of(self._engine)
        share = 100 * seen.dataset / max(seen.total, 1)
        return {
            "used_memory_overhead": seen.overhead, "used_memory_startup": 0,
            "used_memory_dataset": seen.dataset, "used_memory_dataset_perc": f"{share:.2f}%",
            "allocator_allocated": seen.total + self._startup,
            "mem_fragmentation_ratio": f"{seen.fragmentation:.2f}",
            "mem_fragmentation_bytes": seen.fragmentation_bytes,
            "mem_clients_normal": seen.figures.clients,
        }  # fmt: skip

    def stats(self) -> dict[str, Any]:
        """What INFO's section `stats` says of eviction; times are milliseconds."""
        return {
            "evicted_clients": self._server.client_memory.evicted,
            "total_eviction_exceeded_time": self._evictor.exceeded_nanoseconds // 1_000_000,
            "current_eviction_exceeded_time": self._evictor.current_exceeded_nanoseconds() // 1_000_000,
        }


def purge() -> None:
    """Give free memory back to the system, where the C library knows how to."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
