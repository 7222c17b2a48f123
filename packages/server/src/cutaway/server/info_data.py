"""INFO's sections about the data: memory, what is on disk, the keys and how large their values are.

Memory is the process's, as the system counts it. CPython says little of its own allocator, so the fields named `allocator_...` show
the resident size, and the ratios that Redis computes from them are 1. A room that accounts for memory itself gives better
numbers (`engine.info_sections["memory:..."]`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cutaway.datastructures.module_values import ModuleValue
from cutaway.observability.info_texts import human, share
from cutaway.observability.key_sizes import KeySizes
from cutaway.server.info_process import lua_memory
from cutaway.server.measurements import resident_bytes, total_system_memory

if TYPE_CHECKING:
    from cutaway.commands import Database, Engine
    from cutaway.observability.info_texts import Fields
    from cutaway.server.appending import Appender
    from cutaway.server.measurements import Measurements
    from cutaway.server.persisting import Persistence

MOST_KEYS_COUNTED: Final = 2_000
"""Of a larger database INFO keysizes looks at a sample of this size: the answer must not keep others waiting."""
OVERHEAD_PER_KEY: Final = 150
"""Bytes that a key costs besides its name and its value, roughly: the entry, and its place in the dictionary."""


class DataSections:
    """What can be said of the data, in memory and on disk."""

    __slots__ = ("_engine", "_measurements")

    def __init__(self, engine: Engine, measurements: Measurements) -> None:
        self._engine: Final = engine
        self._measurements: Final = measurements

    # ---- memory

    def memory(self) -> Fields:
        """The section `memory`, in bytes."""
        engine, seen = self._engine, self._measurements
        used, resident = seen.measure_used(), resident_bytes()
        peak = max(seen.peak_used, used)
        keys = sum(len(database) for database in engine.keyspace.databases)
        clients = sum(client.transport_info().get("tot-mem", 0) for client in engine.clients.values())
        overhead = min(seen.startup_bytes + clients + keys * OVERHEAD_PER_KEY, used)
        limit, system = engine.config.integer("maxmemory"), total_system_memory()
        lua, scripting = lua_memory(engine), engine.extras.get("scripting")
        cached = scripting.scripts if scripting is not None else {}
        texts = sum(len(script.body) for script in cached.values())
        persistence: Persistence = engine.extras["persistence"]
        aof = persistence.appender.aof
        return {
            **_sizes("used_memory", used), **_sizes("used_memory_rss", resident), **_sizes("used_memory_peak", peak),
            "used_memory_peak_perc": share(used, peak), "used_memory_overhead": overhead,
            "used_memory_startup": seen.startup_bytes, "used_memory_dataset": used - overhead,
            "used_memory_dataset_perc": share(used - overhead, max(used - seen.startup_bytes, 1)),
            "allocator_allocated": used, "allocator_active": resident, "allocator_resident": resident, "allocator_muzzy": 0,
            **_sizes("total_system_memory", system),
            "used_memory_lua": lua, "used_memory_vm_eval": lua, "used_memory_lua_human": human(lua),
            "used_memory_scripts_eval": texts, "number_of_cached_scripts": len(cached),
            "number_of_functions": 0, "number_of_libraries": 0, "used_memory_vm_functions": 0,
            **_sizes("used_memory_vm_total", lua), "used_memory_functions": 0, **_sizes("used_memory_scripts", texts),
            **_sizes("maxmemory", limit), "maxmemory_policy": engine.config.text("maxmemory-policy"),
            "allocator_frag_ratio": 1.0, "allocator_frag_bytes": 0, "allocator_rss_ratio": 1.0, "allocator_rss_bytes": 0,
            "rss_overhead_ratio": 1.0, "rss_overhead_bytes": 0, "mem_fragmentation_ratio": resident / (used or 1),
            "mem_fragmentation_bytes": resident - used, "mem_not_counted_for_evict": 0, "mem_replication_backlog": 0,
            "mem_total_replication_buffers": 0, "mem_replicas_repl_buffer": 0, "mem_clients_slaves": 0,
            "mem_clients_normal": clients, "mem_cluster_links": 0, "mem_cluster_slot_import": 0, "mem_cluster_slot_export": 0,
            "mem_aof_buffer": 0 if aof is None else aof.pending, "mem_allocator": "pymalloc",
            "mem_overhead_db_hashtable_rehashing": 0, "active_defrag_running": 0,
            "lazyfree_pending_objects": len(engine.reclaimer), "lazyfreed_objects": engine.reclaimer.reclaimed,
        }  # fmt: skip

    # ---- disk

    def persistence(self) -> Fields:
        """The section `persistence`."""
        persistence: Persistence = self._engine.extras["persistence"]
        saver, appender, loader = persistence.saver, persistence.appender, persistence.loader
        child = saver.child or appender.child
        fields: dict[str, object] = {
            "loading": loader.active, "async_loading": 0, "current_cow_peak": 0, "current_cow_size": 0,
            "current_cow_size_age": 0, "current_fork_perc": 0.0, "current_save_keys_processed": 0,
            "current_save_keys_total": 0 if child is None else self._keys(),
            "rdb_changes_since_last_save": saver.changes, "rdb_bgsave_in_progress": saver.child is not None,
            "rdb_last_save_time": saver.last_save, "rdb_last_bgsave_status": _status(ok=saver.last_ok),
            "rdb_last_bgsave_time_sec": saver.last_seconds, "rdb_current_bgsave_time_sec": _since(saver.child),
            "rdb_saves": saver.saves, "rdb_last_cow_size": saver.last_copied_bytes,
            "rdb_last_load_keys_expired": loader.expired, "rdb_last_load_keys_loaded": loader.keys,
            "aof_enabled": appender.aof is not None, "aof_rewrite_in_progress": appender.child is not None,
            "aof_rewrite_scheduled": appender.scheduled, "aof_last_rewrite_time_sec": appender.last_rewrite_seconds,
            "aof_current_rewrite_time_sec": _since(appender.child),
            "aof_last_bgrewrite_status": _status(ok=appender.last_rewrite_ok), "aof_rewrites": appender.rewrites,
            "aof_rewrites_consecutive_failures": 0, "aof_last_write_status": _status(ok=appender.last_write_ok),
            "aof_last_cow_size": appender.last_copied_bytes, "module_fork_in_progress": 0,
            "module_fork_last_cow_size": 0, "slot_migration_fork_in_progress": 0,
        }  # fmt: skip
        if appender.aof is not None:
            fields |= _log_fields(appender)
        if loader.active:
            elapsed = time.time() - loader.started
            part = loader.loaded_bytes / loader.total_bytes if loader.total_bytes else 0.0
            fields |= {
                "loading_start_time": int(loader.started), "loading_total_bytes": loader.total_bytes,
                "loading_rdb_used_mem": 0, "loading_loaded_bytes": loader.loaded_bytes, "loading_loaded_perc": 100 * part,
                "loading_eta_seconds": int(elapsed / part - elapsed) if part else 1,
            }  # fmt: skip
        return fields

    def _keys(self) -> int:
        return sum(len(database) for database in self._engine.keyspace.databases)

    # ---- keys

    def keyspace(self) -> Fields:
        """The section `keyspace`: a field for each database that holds keys."""
        return {
            f"db{database.index}": f"keys={len(database)},expires={len(database.expires)},avg_ttl={average_ttl(database)},"
            f"keys_with_volatile_items={len(database.volatile_fields)},subexpiry={len(database.volatile_fields)}"
            for database in self._engine.keyspace.databases
            if len(database)
        }  # fmt: skip

    def keysizes(self) -> Fields:
        """The section `keysizes`. O(keys), of a sample where there are very many."""
        fields: dict[str, object] = {}
        for database in self._engine.keyspace.databases:
            sizes = KeySizes()
            sizes.add(_sizes_in(database))
            if sizes.counted:
                fields |= sizes.fields(f"db{database.index}", len(database) / sizes.counted)
        return fields


def _sizes(name: str, size: int) -> dict[str, object]:
    return {name: size, f"{name}_human": human(size)}


def _status(*, ok: bool) -> str:
    return "ok" if ok else "err"


def _since(child: Any) -> int:
    return -1 if child is None else int(time.time() - child.started)


def _log_fields(appender: Appender) -> dict[str, object]:
    """What there is to say only while there is an append-only file."""
    aof = appender.aof
    assert aof is not None
    return {
        "aof_current_size": aof.size, "aof_base_size": aof.base_size, "aof_pending_rewrite": 0,
        "aof_buffer_length": aof.pending, "aof_pending_bio_fsync": int(aof.fsync_running),
        "aof_delayed_fsync": appender.delayed_fsyncs,
    }  # fmt: skip


def average_ttl(database: Database) -> int:
    """The mean time that keys with an expiry have left, in milliseconds: an estimate, from the expiry cycle's samples.

    Before the first sample a few keys are looked at now. O(1).
    """
    if database.average_ttl or not database.expires:
        return database.average_ttl if database.expires else 0
    now = database.keyspace.now
    sample = database.expires.sample(16, database.keyspace.random)
    return sum(max(entry.expire_at - now, 0) for _, entry in sample) // max(len(sample), 1)


def _sizes_in(database: Database) -> Iterator[tuple[str, int]]:
    """(type, size) of the database's values, or of a sample of them."""
    keys = database.keys
    if len(keys) <= MOST_KEYS_COUNTED:
        entries = keys.values()
    else:
        entries = (entry for _, entry in keys.sample(MOST_KEYS_COUNTED, database.keyspace.random))
    for entry in entries:
        value = entry.value
        if isinstance(value, int):
            yield "string", len(str(value))
        elif isinstance(value, (bytes, bytearray)):
            yield "string", len(value)
        else:  # a module's value counts as a key, but only its module could say how many elements it has
            yield value.type_name, 0 if isinstance(value, ModuleValue) else len(value)
