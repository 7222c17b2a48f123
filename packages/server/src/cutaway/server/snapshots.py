"""The data set as a file: from the live keyspace to the writers of the persistence room."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands.connections import REDIS_VERSION
from cutaway.persistence import DatabaseDump, required_version, write_aof, write_rdb

if TYPE_CHECKING:
    from cutaway.commands import Database, Engine

BUFFER: Final = 1 << 18


def databases(engine: Engine) -> Iterator[DatabaseDump]:
    """Every database that holds something, its items generated while they are written. No copy is made."""
    for database in engine.keyspace.databases:
        if len(database):
            yield DatabaseDump(database.index, len(database), len(database.expires), _items(database))


def _items(database: Database) -> Iterator[tuple[bytes, Any, int | None, int | None]]:
    keyspace = database.keyspace
    for key, entry in database.keys.items():
        if keyspace.access_for is None:
            hint = (keyspace.lru_clock - entry.access) & 0xFFFFFF
        else:
            hint = entry.access & 0xFF
        yield key, entry.value, entry.expire_at or None, hint or None


def _volatile_values(engine: Engine) -> Iterator[Any]:
    for database in engine.keyspace.databases:
        for entry in database.volatile_fields.values():
            yield entry.value


def libraries(engine: Engine) -> list[bytes]:
    """The sources of the function libraries, if the scripting room is composed."""
    source: Callable[[], list[bytes]] | None = engine.extras.get("function_libraries")
    return [] if source is None else source()


def write_rdb_file(engine: Engine, path: str, *, preamble: bool = False) -> int:
    """Write the data set to `path`, make the disk have it, and give its size in bytes. Raises OSError. O(data)."""
    config = engine.config
    aux = {
        b"redis-ver": REDIS_VERSION,
        b"redis-bits": b"64",
        b"ctime": b"%d" % (engine.clock() // 1000),
        b"aof-base": b"%d" % preamble,
    }
    with Path(path).open("wb", buffering=BUFFER) as file:
        size = write_rdb(
            file.write,
            databases(engine),
            aux=aux,
            libraries=libraries(engine),
            version=required_version(_volatile_values(engine)),
            compression=config.boolean("rdbcompression"),
            checksum=config.boolean("rdbchecksum"),
            hints="idle" if engine.keyspace.access_for is None else "freq",
        )
        file.flush()
        os.fsync(file.fileno())
    return size


def write_aof_file(engine: Engine, path: str) -> int:
    """Write the data set to `path` as commands, make the disk have it, and give its size. Raises OSError. O(data)."""
    with Path(path).open("wb", buffering=BUFFER) as file:
        size = write_aof(file.write, databases(engine), libraries=libraries(engine))
        file.flush()
        os.fsync(file.fileno())
    return size


def replace_file(temporary: str, path: str) -> None:
    """Put a complete file in its place, atomically, and make the disk have the name too. Raises OSError."""
    Path(temporary).replace(path)
    folder = os.open(Path(path).parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
