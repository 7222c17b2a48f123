"""Everything that keeps data on disk, as one part of the server, and the commands that steer it.

`Persistence` owns the snapshots (`saving.py`), the append-only file (`appending.py`) and the loader (`loading.py`), and sees to it
that they do not get in each other's way: one child at a time, nothing saved while loading.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands import Client, CommandError, CommandTable
from cutaway.config import ConfigError
from cutaway.persistence import AOFError, OSFiles
from cutaway.server.appending import Appender
from cutaway.server.extensions import tell_modules
from cutaway.server.loading import Loader, LoadError, working_directory
from cutaway.server.saving import Saver

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.persistence import Files
    from cutaway.resp import Reply

log: Final = logging.getLogger("cutaway.server")

persisting: Final = CommandTable("server")

BUSY_SAVING: Final = "ERR Background save already in progress"


class Persistence:
    """Snapshots, log and loader of one engine."""

    __slots__ = ("_configured", "_engine", "_gated", "appender", "loader", "saver")

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop, files: Files | None = None) -> None:
        self._engine: Final = engine
        files = files if files is not None else OSFiles()
        self.saver: Final = Saver(engine, files)
        self.appender: Final = Appender(engine, loop, files)
        self.loader: Final = Loader(engine)
        self._gated = False
        self._configured = False
        engine.extras["persistence"] = self
        engine.extras["is_loading"] = lambda: self.loader.active
        engine.extras["reload"] = self.reload
        engine.extras.setdefault("on_flushall", []).append(self.saver.flushed)
        engine.extras["load_aof"] = self.load_aof
        engine.extras["aof_flush_sleep"] = self.appender.sleep_before_flush

    def configure(self) -> None:
        """Follow the directives, from now on. Called once, when the server listens and the data is loaded."""
        config = self._engine.config
        config.subscribe("dir", self._change_directory)
        config.subscribe("appendfsync", lambda _value: self.appender.configure())
        config.subscribe("aof-timestamp-enabled", lambda _value: self.appender.configure())
        config.subscribe("aof-disable-auto-gc", lambda _value: self.appender.configure())
        config.subscribe("appendonly", self._switch_appending)
        self._configured = True

    def _change_directory(self, value: Any) -> None:
        try:
            path = working_directory(value)
        except OSError as error:
            raise ConfigError(str(error.strerror)) from error
        self._engine.config.assign("dir", path)

    def _switch_appending(self, value: Any) -> None:
        if not value:
            self.appender.stop()
        elif self.appender.aof is None:
            try:
                if self._configured:
                    self.appender.switch_on()
                else:
                    self.appender.start()
            except (OSError, AOFError, CommandError) as error:
                self.appender.stop()
                log.warning("Unable to turn on AOF: %s", error)
                raise ConfigError("Unable to turn on AOF. Check server logs.") from error

    def idle(self) -> bool:
        """Whether no child is at work and nothing is being loaded."""
        return self.saver.child is None and self.appender.child is None and not self.loader.active

    def poll(self, _now: int) -> None:
        """The regular look, ten times a second."""
        if self.loader.active:
            return
        self.saver.poll()
        self.appender.poll()
        self._gate()

    def _gate(self) -> None:
        """Put the gate in front of the engine when something is wrong, and only then."""
        wrong = not self.saver.last_ok or not self.appender.last_write_ok
        if wrong != self._gated:
            self._gated = wrong
            own = (self.saver.gate, self.appender.gate)
            others = tuple(gate for gate in self._engine.gates if gate not in own)
            self._engine.gates = (*others, *own) if wrong else others

    def shut_down(self, *, save: bool) -> None:
        """Leave the files as they should be found. Raises CommandError if a snapshot is wanted and fails."""
        self.saver.stop_child()
        self.appender.stop_child()
        if self.appender.aof is not None:
            self.appender.aof.flush()
            self.appender.aof.fsync()
        if save:
            self.saver.save()

    def close(self) -> None:
        """Nobody is served any more: what is in the log's buffer goes to the disk, and the log is closed."""
        self.appender.stop()

    # ---- for DEBUG

    def reload(self, *, flush: bool = True, save: bool = True, merge: bool = False) -> None:
        """DEBUG RELOAD: write the snapshot and load it again. Raises CommandError.

        Without `flush` what is there stays, and a key or library that the file has, too, is an error; with `merge` it is replaced.
        """
        if save:
            self.saver.save()
        tell_modules(self._engine, "loading")
        if flush:
            self._empty()
        self.loader.onto = None if flush else "replace" if merge else "refuse"
        self._load(self.loader.read_rdb(self.loader.rdb_path()), "RDB dump")
        tell_modules(self._engine, "loaded")
        self._wake_all()

    def load_aof(self) -> None:
        """DEBUG LOADAOF: empty the keyspace and replay the log. Raises CommandError."""
        aof = self.appender.aof
        if aof is not None:
            aof.flush()
        tell_modules(self._engine, "loading")
        self._empty()
        sinks, self._engine.on_propagate = self._engine.on_propagate, ()
        try:
            self._load(self.loader.replay(), "AOF files")
        finally:
            self._engine.on_propagate = sinks
        self.saver.forget_changes()
        tell_modules(self._engine, "loaded")
        self._wake_all()

    def _empty(self) -> None:
        """Empty everything that a file brings: keys and function libraries."""
        for database in self._engine.keyspace.databases:
            database.clear()
        flush_libraries = self._engine.extras.get("flush_libraries")
        if flush_libraries is not None:
            flush_libraries()

    def _load(self, steps: Any, what: str) -> None:
        try:
            self.loader.load_now(steps)
        except (LoadError, OSError) as error:
            log.warning("%s", error)
            raise CommandError(f"ERR Error trying to load the {what}, check server logs.") from error
        finally:
            self.loader.onto = None

    def _wake_all(self) -> None:
        for database in self._engine.keyspace.databases:
            self._engine.blocking.recheck(database.index)


def _persistence(client: Client) -> Persistence:
    persistence: Persistence = client.engine.extras["persistence"]
    return persistence


@persisting.command("SAVE", arity=1, flags="admin noscript no_async_loading no_multi")
def save(client: Client) -> Reply:
    """Writes a snapshot of all data to disk, while everybody waits. O(n) for n keys in all databases."""
    persistence = _persistence(client)
    if persistence.saver.child is not None:
        raise CommandError(BUSY_SAVING)
    persistence.saver.save()
    return "OK"


@persisting.command("BGSAVE", arity=-1, flags="admin noscript no_async_loading", syntax="[SCHEDULE | CANCEL]")
def bgsave(client: Client, *words: bytes) -> Reply:
    """Writes a snapshot of all data to disk in a child process. O(1) here, O(n) for n keys in the child."""
    persistence = _persistence(client)
    mode = words[0].lower() if words else b""
    if len(words) > 1 or mode not in (b"", b"schedule", b"cancel"):
        raise CommandError("ERR syntax error")
    if mode == b"cancel":
        return _cancel(persistence)
    if persistence.saver.child is not None:
        raise CommandError(BUSY_SAVING)
    if persistence.appender.child is not None or client.deny_blocking:
        if mode == b"schedule" or client.deny_blocking:
            persistence.saver.scheduled = True
            return "Background saving scheduled"
        raise CommandError(
            "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to "
            "schedule a BGSAVE whenever possible."
        )
    persistence.saver.save_in_background()
    return "Background saving started"


def _cancel(persistence: Persistence) -> Reply:
    if persistence.saver.child is not None:
        persistence.saver.stop_child()
        return "Background saving cancelled"
    if persistence.saver.scheduled:
        persistence.saver.scheduled = False
        return "Scheduled background saving cancelled"
    raise CommandError("ERR Background saving is currently not in progress or scheduled")


@persisting.command("BGREWRITEAOF", arity=1, flags="admin noscript no_async_loading")
def bgrewriteaof(client: Client) -> Reply:
    """Writes the append-only file anew, as short as it can be, in a child process. O(1) here, O(n) in the child."""
    persistence = _persistence(client)
    if persistence.appender.child is not None:
        raise CommandError("ERR Background append only file rewriting already in progress")
    if persistence.saver.child is not None or client.deny_blocking:
        persistence.appender.scheduled = True
        return "Background append only file rewriting scheduled"
    persistence.appender.rewrite()
    return "Background append only file rewriting started"


@persisting.command(
    "LASTSAVE", arity=1, flags="loading stale fast", acl="admin dangerous", tips=["nondeterministic_output"]
)
def lastsave(client: Client) -> Reply:
    """Returns when the last snapshot succeeded, in seconds since the epoch. O(1)."""
    return _persistence(client).saver.last_save
