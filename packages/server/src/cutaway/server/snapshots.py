"""The data set as a file: from the live keyspace to the writers of the persistence room."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from cutaway.commands.connections import REDIS_VERSION
from cutaway.persistence import DatabaseDump, new_file, required_version, write_aof, write_rdb

if TYPE_CHECKING:
    from cutaway.commands import Database, Engine
    from cutaway.persistence import Files
    from cutaway.server.progress import Progress

T = TypeVar("T")
ModuleData = tuple[str, int, Iterable[int | float | bytes]]
"""Name and version of the format, and the tokens."""
Item = tuple[bytes, Any, int | None, int | None]
"""Key, value, expiry in milliseconds since the epoch, access hint."""


def key_count(engine: Engine) -> int:
    """How many keys there are in all databases."""
    return sum(len(database) for database in engine.keyspace.databases)


def databases(engine: Engine, progress: Progress | None = None) -> Iterator[DatabaseDump]:
    """Every database that holds something, its items generated, and counted, while they are written. No copy is made."""
    delay = engine.config.integer("rdb-key-save-delay")
    for database in engine.keyspace.databases:
        if len(database):
            items = _items(database, engine.config.text("maxmemory-policy"))
            if progress is not None:
                items = progress.counted(items)
            yield DatabaseDump(
                database.index, len(database), len(database.expires), slowly(items, delay) if delay else items
            )


def slowly(items: Iterable[T], microseconds: int) -> Iterator[T]:
    """The items with a pause after each, or after every n-th if `microseconds` is -n: tests need time to interfere."""
    for number, item in enumerate(items, 1):
        yield item
        if microseconds > 0:
            time.sleep(microseconds / 1_000_000)
        elif number % -microseconds == 0:
            time.sleep(0.000_001)


def _items(database: Database, policy: str) -> Iterator[Item]:
    """Keys with what belongs to them; with access hints only if some are to be evicted by them."""
    keyspace = database.keyspace
    if "lru" in policy:
        clock = keyspace.lru_clock
        for key, entry in database.keys.items():
            yield key, entry.value, entry.expire_at or None, (clock - entry.access) & 0xFFFFFF
    elif "lfu" in policy:
        for key, entry in database.keys.items():
            yield key, entry.value, entry.expire_at or None, entry.access & 0xFF
    else:
        for key, entry in database.keys.items():
            yield key, entry.value, entry.expire_at or None, None


def _volatile_values(engine: Engine) -> Iterator[Any]:
    for database in engine.keyspace.databases:
        for entry in database.volatile_fields.values():
            yield entry.value


def libraries(engine: Engine) -> list[bytes]:
    """The sources of the function libraries, if the scripting room is composed."""
    source: Callable[[], list[bytes]] | None = engine.extras.get("function_libraries")
    return [] if source is None else source()


def module_data(engine: Engine) -> list[ModuleData]:
    """What modules keep beside the keys, if the modules room is composed."""
    source: Callable[[], list[ModuleData]] | None = engine.extras.get("module_data")
    return [] if source is None else source()


def module_commands(engine: Engine) -> Iterable[Sequence[bytes]]:
    """The same as commands."""
    source: Callable[[], Iterable[Sequence[bytes]]] | None = engine.extras.get("module_commands")
    return [] if source is None else source()


def write_rdb_file(
    engine: Engine, files: Files, path: str, *, preamble: bool = False, progress: Progress | None = None
) -> int:
    """Write the data set to `path`, make the disk have it, and give its size in bytes. Raises OSError. O(data)."""
    config = engine.config
    aux = {
        b"redis-ver": REDIS_VERSION,
        b"redis-bits": b"64",
        b"ctime": b"%d" % (engine.clock() // 1000),
        b"aof-base": b"%d" % preamble,
    }
    with new_file(files, path) as write:
        return write_rdb(
            write,
            databases(engine, progress),
            aux=aux,
            libraries=libraries(engine),
            module_data=module_data(engine),
            version=required_version(_volatile_values(engine)),
            compression=config.boolean("rdbcompression"),
            checksum=config.boolean("rdbchecksum"),
            hints="freq" if "lfu" in config.text("maxmemory-policy") else "idle",
        )


def write_aof_file(engine: Engine, files: Files, path: str, *, progress: Progress | None = None) -> int:
    """Write the data set to `path` as commands, make the disk have it, and give its size. Raises OSError. O(data)."""
    with new_file(files, path) as write:
        if engine.config.boolean("aof-timestamp-enabled"):
            write(b"#TS:%d\r\n" % (engine.clock() // 1000))
        return write_aof(
            write, databases(engine, progress), libraries=libraries(engine), commands=module_commands(engine)
        )
