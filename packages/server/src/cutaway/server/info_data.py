"""INFO's sections about the data: what is on disk, the keys and how large their values are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cutaway.datastructures.module_values import ModuleValue
from cutaway.observability.key_sizes import KeySizes
from cutaway.server.progress import Progress

if TYPE_CHECKING:
    from cutaway.commands import Database, Engine
    from cutaway.observability.info_texts import Fields
    from cutaway.server.appending import Appender
    from cutaway.server.children import Child
    from cutaway.server.persisting import Persistence

MOST_KEYS_COUNTED: Final = 2_000
"""Of a larger database INFO keysizes looks at a sample of this size: the answer must not keep others waiting."""

IDLE: Final = Progress()


class DataSections:
    """What can be said of the data, on disk and by key."""

    __slots__ = ("_engine",)

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine

    # ---- disk

    def persistence(self) -> Fields:
        """The section `persistence`."""
        persistence: Persistence = self._engine.extras["persistence"]
        saver, appender, loader = persistence.saver, persistence.appender, persistence.loader
        child = saver.child or appender.child
        fields: dict[str, object] = {
            "loading": loader.active, "async_loading": 0, **_progress_fields(child),
            "rdb_changes_since_last_save": saver.changes, "rdb_bgsave_in_progress": saver.child is not None,
            "rdb_last_save_time": saver.last_save, "rdb_last_bgsave_status": _status(ok=saver.last_ok),
            "rdb_last_bgsave_time_sec": saver.last_seconds, "rdb_current_bgsave_time_sec": _since(saver.child),
            "rdb_saves": saver.saves, "rdb_last_cow_size": saver.last_copied_bytes,
            "rdb_last_load_keys_expired": loader.expired, "rdb_last_load_keys_loaded": loader.keys,
            "aof_enabled": appender.aof is not None, "aof_rewrite_in_progress": appender.child is not None,
            "aof_rewrite_scheduled": appender.scheduled, "aof_last_rewrite_time_sec": appender.last_rewrite_seconds,
            "aof_current_rewrite_time_sec": _since(appender.child),
            "aof_last_bgrewrite_status": _status(ok=appender.last_rewrite_ok), "aof_rewrites": appender.rewrites,
            "aof_rewrites_consecutive_failures": appender.failures, "aof_last_write_status": _status(ok=appender.last_write_ok),
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


def _progress_fields(child: Child | None) -> dict[str, object]:
    """How far the child is that writes now; zeros where there is none."""
    seen = IDLE if child is None else child.progress
    return {
        "current_cow_peak": seen.peak_bytes, "current_cow_size": seen.copied_bytes, "current_cow_size_age": seen.age,
        "current_fork_perc": 100 * seen.keys / max(seen.total, 1), "current_save_keys_processed": seen.keys,
        "current_save_keys_total": seen.total,
    }  # fmt: skip


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
