"""What MEMORY and INFO say of the process: its resident memory, its peak, what clients and buffers hold.

`used_memory` is what the data and the clients take, counted or estimated by the engine's room. The interpreter and the program
are not in it: they are what the process had when it started. Fragmentation is what the process has more than both together.

CPython says little of its own allocator, so the fields of INFO named `allocator_...` show the resident size, and the ratios that
Redis computes from them are 1.
"""

from __future__ import annotations

import ctypes
import gc
from typing import TYPE_CHECKING, Final

from cutaway.commands.eviction import ROOM, Evictor
from cutaway.commands.memory_commands import Figures, Overview
from cutaway.observability.info_texts import human, share
from cutaway.server.client_memory import BASE_BYTES
from cutaway.server.info_process import lua_memory
from cutaway.server.measurements import Measurements, resident_bytes, total_system_memory

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.observability.info_texts import Fields
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

    def _scripts(self) -> tuple[int, int]:
        """How many scripts are kept, and the bytes of their texts."""
        scripting = self._engine.extras.get("scripting")
        scripts = scripting.scripts.values() if scripting is not None else ()
        return len(scripts), sum(len(script.body) + SCRIPT_BYTES for script in scripts)

    def _functions(self) -> int:
        """The bytes of the function libraries."""
        scripting = self._engine.extras.get("scripting")
        return 0 if scripting is None else int(scripting.libraries.memory)

    def _clients(self) -> int:
        """What clients take, where there is no limit and nobody counts them one by one (`client_memory.py`). O(1)."""
        server = self._server
        if (
            server.client_memory.is_watching or self._evictor.limit
        ):  # the limit is there first, the counting follows
            return 0
        return len(server.connections) * BASE_BYTES + server.unread_bytes

    def _others(self) -> int:
        return self._clients() + self._scripts()[1] + self._functions() + sum(lua_memory(self._engine))

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
            functions=self._functions(),
        )

    # ---- INFO

    def section(self) -> Fields:
        """INFO's section `memory`, in bytes. The scripting room adds what its functions take."""
        engine, seen = self._engine, Overview.of(self._engine)
        own, peak = seen.figures, max(self._measurements.peak_used, seen.total)
        limit = engine.config.integer("maxmemory")
        scripts, functions = lua_memory(engine)
        return {
            **_sizes("used_memory", seen.total), **_sizes("used_memory_rss", own.resident), **_sizes("used_memory_peak", peak),
            "used_memory_peak_perc": share(seen.total, peak), "used_memory_overhead": seen.overhead, "used_memory_startup": 0,
            "used_memory_dataset": seen.dataset, "used_memory_dataset_perc": share(seen.dataset, max(seen.total, 1)),
            "allocator_allocated": seen.total + own.startup, "allocator_active": own.resident,
            "allocator_resident": own.resident, "allocator_muzzy": 0, **_sizes("total_system_memory", total_system_memory()),
            "used_memory_lua": scripts, "used_memory_vm_eval": scripts, "used_memory_lua_human": human(scripts),
            "used_memory_scripts_eval": own.scripts, "number_of_cached_scripts": own.script_count, "used_memory_vm_functions": functions,
            **_sizes("used_memory_vm_total", scripts + functions), **_sizes("used_memory_scripts", own.scripts + own.functions),
            **_sizes("maxmemory", limit), "maxmemory_policy": engine.config.text("maxmemory-policy"),
            "allocator_frag_ratio": 1.0, "allocator_frag_bytes": 0, "allocator_rss_ratio": 1.0, "allocator_rss_bytes": 0,
            "rss_overhead_ratio": 1.0, "rss_overhead_bytes": 0, "mem_fragmentation_ratio": seen.fragmentation,
            "mem_fragmentation_bytes": seen.fragmentation_bytes, "mem_not_counted_for_evict": 0, "mem_replication_backlog": 0,
            "mem_total_replication_buffers": 0, "mem_replicas_repl_buffer": 0, "mem_clients_slaves": 0,
            "mem_clients_normal": own.clients, "mem_cluster_links": 0, "mem_cluster_slot_import": 0, "mem_cluster_slot_export": 0,
            "mem_aof_buffer": own.aof_buffer, "mem_allocator": "pymalloc", "mem_overhead_db_hashtable_rehashing": 0,
            "active_defrag_running": 0, "lazyfree_pending_objects": len(engine.reclaimer),
            "lazyfreed_objects": engine.reclaimer.reclaimed,
        }  # fmt: skip


def _sizes(name: str, size: int) -> dict[str, object]:
    return {name: size, f"{name}_human": human(size)}


def purge() -> None:
    """Give free memory back to the system, where the C library knows how to."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
