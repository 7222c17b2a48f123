"""MEMORY: where the bytes are.

What a key takes is an estimate (`sizes.py`), what all of them take a sum of these (`accounting.py`). What the process takes from
the system, what its clients have in flight, what the log's buffer holds: that the server knows, and tells it through
`engine.extras["memory_figures"]`; where there is no server it is nothing.

The fields of MEMORY STATS are those of a real server. `total.allocated` is INFO's `used_memory`, the interpreter not included,
so `startup.allocated` is 0 here; the interpreter's share is what `allocator.resident` has more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.engine import Engine
from cutaway.commands.eviction import ROOM, Evictor
from cutaway.commands.helping import help_lines
from cutaway.commands.key_specs import RO
from cutaway.commands.keyspaces import Database
from cutaway.commands.sizes import ENTRY_BYTES, SAMPLES, entry_size
from cutaway.commands.tables import CommandTable
from cutaway.resp import MapReply, Reply, Verbatim

memory: Final = CommandTable("server")

ALL_SHARDS: Final = ("request_policy:all_shards", "response_policy:all_succeeded")
SPECIAL: Final = ("nondeterministic_output", "request_policy:all_shards", "response_policy:special")
WORTH_A_LOOK: Final = 5 * 1024 * 1024
LARGE_CLIENT: Final = 200 * 1024
MANY_SCRIPTS: Final = 1000


@dataclass(slots=True)
class Figures:
    """What the server knows of its process, in bytes."""

    resident: int = 0
    """Memory that the process has from the system."""
    startup: int = 0
    """The same before there were any data: the interpreter and the program."""
    peak: int = 0
    """The most that was ever in use."""
    clients: int = 0
    aof_buffer: int = 0
    scripts: int = 0
    script_count: int = 0
    functions: int = 0


def figures(engine: Engine) -> Figures:
    """What the server knows of its process; nothing where there is none."""
    source: Callable[[], Figures] = engine.extras.get("memory_figures", Figures)
    return source()


def database_overhead(database: Database) -> tuple[int, int]:
    """The bytes of a database that are no data: its table with the entries, and the table of expiries. O(1)."""
    main = database.keys.memory_usage() + ENTRY_BYTES * len(database)
    return main, database.expires.memory_usage() if len(database.expires) else 0


@dataclass(slots=True)
class Overview:
    """The whole of the memory in use, divided up. All in bytes."""

    figures: Figures
    total: int
    overhead: int
    keys: int

    @classmethod
    def of(cls, engine: Engine) -> Overview:
        """Look at an engine now. O(databases), and a sample where there is no limit."""
        evictor: Evictor = engine.extras[ROOM]
        seen, total = figures(engine), evictor.used_memory()
        databases = [database for database in engine.keyspace.databases if len(database)]
        tables = sum(sum(database_overhead(database)) for database in databases)
        overhead = tables + seen.clients + seen.aof_buffer + seen.scripts + seen.functions
        return cls(seen, total, min(overhead, total), sum(map(len, databases)))

    @property
    def dataset(self) -> int:
        """Keys and values, without what it takes to find them."""
        return self.total - self.overhead

    @property
    def fragmentation(self) -> float:
        """How much more the process has than the data and the interpreter need."""
        return self.figures.resident / max(self.total + self.figures.startup, 1)

    @property
    def fragmentation_bytes(self) -> int:
        """The same as a difference."""
        return self.figures.resident - self.total - self.figures.startup


memory.container("MEMORY", arity=-2, since="4.0.0")


@memory.command(
    "MEMORY USAGE", arity=-3, flags="readonly", keys=RO(2, ""), syntax="key [SAMPLES count]", since="4.0.0"
)
def memory_usage(client: Client, key: bytes, *words: bytes) -> Reply:
    """Estimates how many bytes a key takes, with its value and what it costs to keep it. O(n) for n samples."""
    samples = SAMPLES
    for position in range(0, len(words), 2):
        if words[position].lower() != b"samples" or position + 1 == len(words):
            raise errors.SYNTAX
        samples = arguments.integer(words[position + 1])
        if samples < 0:
            raise errors.SYNTAX
    entry = client.db.peek(key)
    return None if entry is None else entry_size(key, entry, samples)


@memory.command("MEMORY STATS", arity=2, since="4.0.0", tips=SPECIAL)
def memory_stats(client: Client) -> Reply:
    """Tells what the memory in use is made of. O(databases), and a sample of the keys where there is no limit."""
    engine = client.engine
    seen = Overview.of(engine)
    own, total = seen.figures, max(seen.total, 1)
    peak = max(own.peak, seen.total)
    tables = [
        (database, *database_overhead(database)) for database in engine.keyspace.databases if len(database)
    ]
    rehashing = [database for database, _, _ in tables if database.keys.rehashing]
    fields: list[tuple[str, Reply]] = [
        ("peak.allocated", peak), ("total.allocated", seen.total), ("startup.allocated", 0),
        ("replication.backlog", 0), ("replicas.repl.buffer", 0), ("clients.slaves", 0), ("clients.normal", own.clients),
        ("cluster.links", 0), ("cluster.slot_import", 0), ("cluster.slot_export", 0), ("aof.buffer", own.aof_buffer),
        ("lua.caches", own.scripts), ("functions.caches", own.functions),
        *((f"db.{database.index}", MapReply([(b"overhead.hashtable.main", main), (b"overhead.hashtable.expires", expires)]))
          for database, main, expires in tables),
        ("overhead.db.hashtable.lut", sum(database.keys.memory_usage() for database, _, _ in tables)),
        ("overhead.db.hashtable.rehashing", sum(database.keys.memory_usage() for database in rehashing)),
        ("overhead.total", seen.overhead), ("db.dict.rehashing.count", len(rehashing)), ("keys.count", seen.keys),
        ("keys.bytes-per-key", seen.dataset // seen.keys if seen.keys else 0), ("dataset.bytes", seen.dataset),
        ("dataset.percentage", 100 * seen.dataset / total), ("peak.percentage", 100 * seen.total / max(peak, 1)),
        ("allocator.allocated", seen.total + own.startup), ("allocator.active", own.resident),
        ("allocator.resident", own.resident), ("allocator.muzzy", 0),
        ("allocator-fragmentation.ratio", seen.fragmentation), ("allocator-fragmentation.bytes", seen.fragmentation_bytes),
        ("allocator-rss.ratio", 1.0), ("allocator-rss.bytes", 0), ("rss-overhead.ratio", 1.0), ("rss-overhead.bytes", 0),
        ("fragmentation", seen.fragmentation), ("fragmentation.bytes", seen.fragmentation_bytes),
    ]  # fmt: skip
    return MapReply([(name.encode(), value) for name, value in fields])


@memory.command("MEMORY DOCTOR", arity=2, since="4.0.0", tips=SPECIAL)
def memory_doctor(client: Client) -> Reply:
    """Looks for trouble with memory, and says what may help. O(clients)."""
    seen = Overview.of(client.engine)
    if seen.total < WORTH_A_LOOK:
        return Verbatim(
            b"There is hardly anything in memory, so there is nothing to diagnose yet. Come back with some data.\n"
        )
    found = _complaints(client.engine, seen)
    if not found:
        return Verbatim(b"No trouble found: memory looks as it should.\n")
    lines = [
        f"{len(found)} thing{'s' if len(found) > 1 else ''} to look at:",
        "",
        *(f" * {text}" for text in found),
    ]
    return Verbatim("\n".join([*lines, ""]).encode())


def _complaints(engine: Engine, seen: Overview) -> list[str]:
    own, found = seen.figures, []
    if own.peak > seen.total * 1.5:
        found.append(
            f"Peak: {own.peak} bytes were in use once, {own.peak / seen.total:.1f} times as much as now. The system may not "
            "get back what has become free, so the process looks larger than the data. New data will fill it."
        )
    if seen.fragmentation > 1.4 and seen.fragmentation_bytes > 10 << 20:
        found.append(
            f"Fragmentation: the process has {seen.fragmentation:.2f} times what data and interpreter need. Values that were "
            "changed or deleted leave gaps; MEMORY PURGE gives back whole ones, a restart all."
        )
    count = max(len(engine.clients), 1)
    if own.clients > LARGE_CLIENT * count:
        found.append(
            f"Clients: each has {own.clients // count} bytes in flight on average. CLIENT LIST shows in `tot-mem` who it is; "
            "`maxmemory-clients` and `client-output-buffer-limit` set bounds."
        )
    if own.script_count > MANY_SCRIPTS:
        found.append(
            f"Scripts: {own.script_count} are kept. Scripts that are made up as texts with values in them are each a new one; "
            "pass the values as KEYS and ARGV."
        )
    return found


@memory.command("MEMORY PURGE", arity=2, flags="loading", since="4.0.0", tips=ALL_SHARDS)
def memory_purge(client: Client) -> Reply:
    """Asks the allocator to give free memory back to the system. O(free memory)."""
    purge: Callable[[], None] | None = client.engine.extras.get("purge_memory")
    if purge is not None:
        purge()
    return "OK"


@memory.command("MEMORY MALLOC-STATS", arity=2, flags="loading", since="4.0.0", tips=SPECIAL)
def memory_malloc_stats(client: Client) -> Reply:
    """Tells what the allocator says of itself. O(pools)."""
    own = figures(client.engine)
    return Verbatim(
        f"CPython {sys.version.split()[0]}, pymalloc for objects of up to 512 bytes, the system's malloc beyond\n"
        f"blocks in use: {sys.getallocatedblocks()}\n"
        f"resident: {own.resident} bytes, of which {own.startup} before there were data\n".encode()
    )


@memory.command("MEMORY HELP", arity=2, flags="loading stale", since="4.0.0")
def memory_help(client: Client) -> Reply:
    """Says what MEMORY can do. O(1)."""
    return help_lines(client, "memory")
