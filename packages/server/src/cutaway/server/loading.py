"""From the files to the keyspace, at the start.

Loading goes a slice at a time, and between two slices the loop has its turn: the server is on the network already, and answers
LOADING to whoever wants data, as Redis does. A line in the log says now and then how far it is.

Which file counts? With `appendonly yes` the append-only directory, since it is never behind the snapshot; otherwise the snapshot.
There is one exception, and it is on the safe side of what Redis does: if append-only is on but there is no such file yet, a
snapshot that is there is loaded rather than left to be overwritten.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands import Client, Command, CommandError
from cutaway.commands.errors import LOADING
from cutaway.datastructures import HashValue
from cutaway.persistence import (
    AOFError,
    AOFReplay,
    Entry,
    Library,
    ModuleData,
    OSFiles,
    RDBError,
    RDBReader,
    ResizeDB,
    SelectDB,
    ValueOptions,
    upgrade_single_file,
)
from cutaway.server.snapshots import slowly

if TYPE_CHECKING:
    from cutaway.commands import Database, Engine
    from cutaway.commands.keyspaces import Entry as KeyEntry
    from cutaway.resp import Reply

SLICE_SECONDS: Final = 0.02
SHORTEST_ENTRY: Final = 3
"""Bytes of a key in an RDB file: its type, and two empty strings."""

EVENTS_BETWEEN_LOOKS: Final = 256
PROGRESS_SECONDS: Final = 3.0

log: Final = logging.getLogger("cutaway.loading")


class LoadError(Exception):
    """The data cannot be loaded; the text says which file, where, and what to do."""


class Loader:
    """Fills an engine's keyspace."""

    __slots__ = (
        "_abandoned",
        "_client",
        "_database",
        "_engine",
        "_last_line",
        "expired",
        "keys",
        "loaded_bytes",
        "onto",
        "started",
        "total_bytes",
    )

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._client: Client | None = None
        self._abandoned = False
        self._database = engine.keyspace.databases[0]
        """Where the keys that are being read belong."""
        self.onto: str | None = None
        """What becomes of a key that is there already, "refuse" or "replace"; None: there is none."""
        self._last_line = 0.0
        self.keys = self.expired = 0
        self.loaded_bytes = self.total_bytes = 0
        self.started = 0.0
        """When loading began, in seconds since the epoch; 0 while nothing is being loaded."""

    @property
    def active(self) -> bool:
        """Whether data is being loaded just now."""
        return self.started > 0

    def gate(self, _client: Client, command: Command, _argv: Sequence[bytes]) -> Reply:
        """While loading, only commands that touch no data may run."""
        if "loading" in command.flags:
            return None
        return LOADING

    # ---- which files

    def close_the_gate(self) -> None:
        """Nobody gets at the data until `load` is done; called before the server listens."""
        self._engine.gates = (*self._engine.gates, self.gate)  # a stranger hears NOAUTH first

    async def load(self) -> bool:
        """Load what is there, while the loop goes on; whether it was loaded to its end. Raises LoadError."""
        try:
            await self._load()
        finally:
            self._engine.gates = tuple(gate for gate in self._engine.gates if gate != self.gate)
        return not self._abandoned

    def abandon(self) -> None:
        """Stop loading: the server is to end."""
        self._abandoned = True

    async def _load(self) -> None:
        config = self._engine.config
        began = time.monotonic()
        source = "nothing"
        if config.boolean("appendonly") and self._has_aof():
            await self._slices(self.replay(), "append only file")
            source = "append only file"
        elif (path := self.rdb_path()).is_file():
            await self._slices(self.read_rdb(path), str(path))
            source = str(path)
        if source != "nothing" and not self._abandoned:
            log.info("DB loaded from %s: %.3f seconds, %d keys", source, time.monotonic() - began, self.keys)

    def rdb_path(self) -> Path:
        """The snapshot's path."""
        return Path(self._engine.config.text("dir")) / self._engine.config.text("dbfilename")

    def _aof_directory(self) -> Path:
        return Path(self._engine.config.text("dir")) / self._engine.config.text("appenddirname")

    def _has_aof(self) -> bool:
        config = self._engine.config
        try:
            if upgrade_single_file(
                OSFiles(), config.text("dir"), str(self._aof_directory()), config.text("appendfilename")
            ):
                log.info("Took over the single append only file of an older version")
        except (OSError, AOFError) as error:
            raise LoadError(str(error)) from error
        return (self._aof_directory() / f"{config.text('appendfilename')}.manifest").is_file()

    async def _slices(self, steps: Iterable[None], source: str) -> None:
        try:
            self._begin()
            end = time.monotonic() + SLICE_SECONDS
            for _ in steps:
                if time.monotonic() > end:
                    self._progress(source)
                    await asyncio.sleep(0)
                    if self._abandoned:
                        return
                    end = time.monotonic() + SLICE_SECONDS
        finally:
            self._end()

    def load_now(self, steps: Iterable[None]) -> None:
        """Load without letting anybody in between: DEBUG RELOAD, DEBUG LOADAOF. Raises LoadError."""
        self._begin()
        try:
            for _ in steps:
                pass
        finally:
            self._end()

    def _begin(self) -> None:
        self.started = time.time()
        self._last_line = time.monotonic()
        self.keys = self.expired = 0
        self._database = self._engine.keyspace.databases[0]
        self._engine.keyspace.may_expire = False

    def _end(self) -> None:
        self.started = 0.0
        self._engine.keyspace.may_expire = True
        if self._client is not None:
            self._client.close()
            self._client = None

    def _progress(self, source: str) -> None:
        now = time.monotonic()
        if now - self._last_line >= PROGRESS_SECONDS:
            self._last_line = now
            share = 100 * self.loaded_bytes / self.total_bytes if self.total_bytes else 0.0
            log.info("Loading %s: %.0f %%, %d keys", source, share, self.keys)

    # ---- what is in them

    def read_rdb(self, path: Path) -> Iterable[None]:
        """Load a snapshot, a step for each few hundred keys. Raises LoadError."""
        self.total_bytes = path.stat().st_size
        with path.open("rb", buffering=0) as file:
            reader = RDBReader(file, self._options(), checksum=self._engine.config.boolean("rdbchecksum"))
            try:
                delay = self._engine.config.integer("key-load-delay")
                every = 1 if delay else EVENTS_BETWEEN_LOOKS
                for number, event in enumerate(slowly(reader.events(), delay) if delay else reader.events()):
                    if type(event) is Entry:
                        self._take_key(event, drop_expired=True)
                    else:
                        self._take(event)
                    if not number % every:
                        self.loaded_bytes = reader.source.offset
                        yield
            except RDBError as error:
                raise LoadError(
                    f"Fatal error loading {path}: {error}. Look at it with: python -m cutaway.persistence check {path}"
                ) from error
        if self.expired:
            log.info("%d keys had expired already", self.expired)

    def replay(self) -> Iterable[None]:
        """Replay the append-only directory, a step for each few hundred commands. Raises LoadError."""
        config = self._engine.config
        directory = str(self._aof_directory())
        try:
            replay = AOFReplay(
                OSFiles(), directory, config.text("appendfilename"), options=self._options(),
                load_truncated=config.boolean("aof-load-truncated"),
            )  # fmt: skip
            self.total_bytes = replay.size
            for number, step in enumerate(replay):
                if type(step) is list:
                    self._run(step, replay)
                elif type(step) is Entry:
                    self._take_key(step, drop_expired=False)
                else:
                    self._take(step)
                if not number % EVENTS_BETWEEN_LOOKS:
                    self.loaded_bytes = replay.offset
                    yield
            if replay.torn is not None:
                log.warning("!!! %s ends in the middle of a command; the last %d bytes are cut off, at offset %d",
                            replay.torn.file, replay.torn.size, replay.torn.offset)  # fmt: skip
                replay.cut_torn_tail()
        except (AOFError, OSError) as error:
            hint = f"python -m cutaway.persistence check {directory} --fix"
            raise LoadError(
                f"Fatal error loading the append only file: {error}. Look at it with: {hint}"
            ) from error

    def _options(self) -> ValueOptions:
        engine = self._engine
        return ValueOptions(
            limits=engine.limits,
            module_types=engine.extras.get("module_types", {}),
            any_version=engine.config.text("rdb-version-check") == "relaxed",
        )

    def _run(self, argv: list[bytes], replay: AOFReplay) -> None:
        engine = self._engine
        if self._client is None:
            self._client = engine.connect()
        command = engine.lookup(argv)
        if isinstance(command, CommandError):
            raise LoadError(
                f"Unknown command '{argv[0].decode(errors='replace')}' reading the append only file {replay.file} at offset {replay.offset}"
            )
        gates, engine.gates = engine.gates, ()
        try:
            engine.execute(self._client, argv)
        finally:
            engine.gates = gates
        self.keys += 1

    def _take(self, event: Any) -> None:
        if type(event) is SelectDB:
            self._database = self._database_of(event.number)
        elif type(event) is ResizeDB:
            # what the file says, as far as it can be true
            self._database.keys.reserve(min(event.keys, self.total_bytes // SHORTEST_ENTRY))
        elif type(event) is Library:
            self._take_library(event.source)
        elif type(event) is ModuleData:
            self._take_module_data(event)

    def _take_library(self, source: bytes) -> None:
        load = self._engine.extras.get("load_library")
        if load is not None:
            try:
                load(source, replace=self.onto == "replace")
            except CommandError as error:
                raise LoadError(
                    f"a function library of the file cannot be loaded: {error.message}"
                ) from error

    def _take_module_data(self, event: ModuleData) -> None:
        load = self._engine.extras.get("load_module_data")
        if load is None or not load(event.name, event.version, event.tokens):
            raise LoadError(f"the file holds data of the module type '{event.name}', which is not loaded")

    def _take_key(self, item: Entry, *, drop_expired: bool) -> None:
        _, key, value, expire_at, idle, freq = item
        if expire_at is not None and drop_expired and expire_at <= self._engine.keyspace.now:
            self.expired += 1
            return
        self.keys += 1
        database = self._database
        if self.onto is not None:
            self._make_way(database, key)
        entry = database.add(key, value)
        if expire_at is not None:
            database.expire(key, entry, expire_at)
        if type(value) is HashValue and value.has_expiries:
            database.volatile_fields[key] = entry
        if freq is not None or idle is not None:
            self._set_access(entry, idle, freq)

    def _make_way(self, database: Database, key: bytes) -> None:
        """There may be such a key already: take it out, or refuse to."""
        before = database.keys.get(key)
        if before is None:
            return
        if self.onto == "refuse":
            raise LoadError(f"the file has a key that is there already: {key!r}")
        database.remove(key)
        self._engine.keyspace.release(before.value)

    def _set_access(self, entry: KeyEntry, idle: int | None, freq: int | None) -> None:
        """Take over when a key was used, if the policy that is on now counts as the one before did."""
        keyspace = self._engine.keyspace
        if freq is not None and keyspace.access_for is not None:
            entry.access = freq | (int(time.time()) // 60 & 0xFFFF) << 8
        elif idle is not None and keyspace.access_for is None:
            entry.access = (keyspace.lru_clock - idle) & 0xFFFFFF

    def _database_of(self, index: int) -> Database:
        databases = self._engine.keyspace.databases
        if index >= len(databases):
            raise LoadError(f"the file has keys in database {index}, but `databases` is {len(databases)}")
        return databases[index]


def working_directory(text: str) -> str:
    """The absolute path of `dir`. Raises OSError if one cannot be in it."""
    path = str(Path(text).resolve())
    os.chdir(path)
    return path
