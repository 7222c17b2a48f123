"""The append-only file at work: what the engine propagates goes in, and the turn of the loop waits for it.

The file itself is the persistence room's (`AppendOnlyFile`). What is here is *when*: `before_flush` is called at the end of each
turn, before any reply of that turn is written to a socket. Under `always` it returns only once the disk has everything, with
one fsync for all the clients of the turn (group commit). Under `everysec` it hands the bytes to the system, and once a second
a thread makes the disk have them.

If that thread is slow, writing to the file would wait for it inside the system call. As Redis does, the bytes are then
kept back for up to two seconds; after that they are written all the same, and whoever waits, waits.

A disk that is full costs no data: what was written of a command is cut off again, the bytes stay here, writes are refused with
an error that says why, and the next turn tries again. Under `always` the promise is already broken at that point (the commands
have run, and their clients are owed an answer), so the server stops, as Redis does.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cutaway.commands import Client, Command, CommandError
from cutaway.persistence import ALWAYS, EVERYSEC, AOFError, AppendOnlyFile, OSFiles
from cutaway.server.children import Child
from cutaway.server.snapshots import write_aof_file, write_rdb_file

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.commands.engine import Effect
    from cutaway.persistence import Files
    from cutaway.resp import Reply

POSTPONE_SECONDS: Final = 2.0
log: Final = logging.getLogger("cutaway.appending")


class Appender:
    """Logs an engine's writes."""

    __slots__ = (
        "_engine", "_files", "_last_fsync", "_loop", "_postponed_since", "aof", "child", "delayed_fsyncs", "last_copied_bytes",
        "last_rewrite_ok", "last_rewrite_seconds", "last_write_ok", "on_fatal", "rewrite_path", "rewrites", "scheduled",
    )  # fmt: skip

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop, files: Files | None = None) -> None:
        self._engine: Final = engine
        self._loop: Final = loop
        self._files: Final[Files] = files if files is not None else OSFiles()
        self._postponed_since = 0.0
        self._last_fsync = 0.0
        self.aof: AppendOnlyFile | None = None
        self.child: Child | None = None
        self.scheduled = False
        self.rewrite_path = ""
        self.rewrites = 0
        self.delayed_fsyncs = 0
        self.last_rewrite_ok = self.last_write_ok = True
        self.last_rewrite_seconds = -1
        self.last_copied_bytes = 0
        self.on_fatal = _exit

    # ---- on and off

    def directory(self) -> str:
        """The append-only directory's path."""
        return str(Path(self._engine.config.text("dir")) / self._engine.config.text("appenddirname"))

    def start(self) -> None:
        """Begin to log. What is already in the directory has been loaded. Raises OSError, AOFError."""
        config = self._engine.config
        aof = AppendOnlyFile(
            self._files, self.directory(), config.text("appendfilename"),
            fsync_policy=config.text("appendfsync"), timestamps=config.boolean("aof-timestamp-enabled"),
        )  # fmt: skip
        rdb = config.boolean("aof-use-rdb-preamble")
        aof.open(lambda path: self._write_base(path, rdb=rdb), rdb=rdb)
        aof.base_size = aof.size
        self.aof = aof
        self._engine.on_propagate = (*self._engine.on_propagate, self.take)

    def stop(self) -> None:
        """Stop logging; what is logged stays in the directory."""
        self.stop_child()
        if self.aof is not None:
            self.aof.close()
            self.aof = None
            self._engine.on_propagate = tuple(sink for sink in self._engine.on_propagate if sink != self.take)

    def _write_base(self, path: str, *, rdb: bool) -> None:
        if rdb:
            write_rdb_file(self._engine, path, preamble=True)
        else:
            write_aof_file(self._engine, path)

    def configure(self) -> None:
        """Follow `appendfsync` and `aof-timestamp-enabled`."""
        if self.aof is not None:
            self.aof.fsync_policy = self._engine.config.text("appendfsync")
            self.aof.timestamps = self._engine.config.boolean("aof-timestamp-enabled")

    # ---- writing

    def take(self, effects: list[Effect]) -> None:
        """The engine's sink."""
        aof = self.aof
        assert aof is not None
        second = self._engine.keyspace.now // 1000
        for index, argv in effects:
            aof.feed(index, argv, second)

    def before_flush(self) -> None:
        """End of the turn: no reply leaves before what it confirms is logged."""
        aof = self.aof
        if aof is None or (not aof.pending and not aof.fsync_due):
            return
        if aof.fsync_policy == EVERYSEC and aof.fsync_running and not self._waited_long_enough():
            return
        if not aof.flush():
            self._failed(aof)
            return
        if not self.last_write_ok:
            log.warning("AOF write error looks solved, writes go on.")
            self.last_write_ok = True
        if aof.fsync_policy == EVERYSEC and time.monotonic() - self._last_fsync >= 1.0:
            self.fsync_in_background()

    def _waited_long_enough(self) -> bool:
        now = time.monotonic()
        if not self._postponed_since:
            self._postponed_since = now
            return False
        if now - self._postponed_since < POSTPONE_SECONDS:
            return False
        self._postponed_since = 0.0
        self.delayed_fsyncs += 1
        log.warning(
            "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF without waiting for it."
        )
        return True

    def _failed(self, aof: AppendOnlyFile) -> None:
        if self.last_write_ok:
            log.error("Error writing to the AOF file: %s", _reason(aof.error))
        self.last_write_ok = False
        if aof.fsync_policy == ALWAYS:
            log.critical(
                "Can't recover from an AOF write error when the AOF fsync policy is 'always'. Exiting..."
            )
            self.on_fatal()

    def fsync_in_background(self) -> None:
        """Let a thread make the disk have what was written."""
        aof = self.aof
        if aof is None:
            return
        job = aof.begin_fsync()
        if job is None:
            return
        self._last_fsync = time.monotonic()

        def done(_future: asyncio.Future[None]) -> None:
            self._postponed_since = 0.0
            if not aof.end_fsync(job):
                self.last_write_ok = False
                log.error("Fail to fsync the AOF file: %s", _reason(job.error))
            elif not self.last_write_ok and aof.error is None:
                self.last_write_ok = True

        self._loop.run_in_executor(None, job.run).add_done_callback(done)

    def gate(self, client: Client, command: Command, _argv: Sequence[bytes]) -> Reply:
        """Refuse writes while the file cannot take them."""
        if self.last_write_ok or self.aof is None or not (command.is_write or "write" in client.queued_flags):
            return None
        return CommandError(f"MISCONF Errors writing to the AOF file: {_reason(self.aof.error)}")

    # ---- rewriting

    def rewrite(self) -> None:
        """Let a child write the present state into a new base. Raises CommandError where it cannot be started."""
        config = self._engine.config
        rdb = config.boolean("aof-use-rdb-preamble")
        try:
            if self.aof is not None:
                self.rewrite_path = self.aof.begin_rewrite(rdb=rdb)
            else:
                self.rewrite_path = str(Path(config.text("dir")) / f"temp-rewriteaof-bg-{os.getpid()}.aof")
            path = self.rewrite_path
            self.child = Child(
                "aof", lambda: self._write_base(path, rdb=rdb), config.integer("rdb-key-save-delay")
            )
        except OSError as error:
            if self.aof is not None:
                self.aof.abort_rewrite()
            self.last_rewrite_ok = False
            log.warning("Can't rewrite append only file in background: %s", _reason(error))
            raise CommandError(
                f"ERR Can't rewrite append only file in background: {_reason(error)}"
            ) from error
        log.info("Background append only file rewriting started by pid %d", self.child.pid)

    def poll(self) -> None:
        """See whether the child is done, whether a rewrite is due, and whether the second is over."""
        if self.child is not None and self.child.poll():
            self._rewritten(self.child)
        aof = self.aof
        if self.child is None and self._engine.extras["persistence"].idle():
            config = self._engine.config
            if self.scheduled or (
                aof is not None
                and aof.wants_rewrite(
                    config.integer("auto-aof-rewrite-percentage"), config.integer("auto-aof-rewrite-min-size")
                )
            ):
                if not self.scheduled and aof is not None:
                    log.info("Starting automatic rewriting of AOF on %d%% growth", aof.growth())
                self.scheduled = False
                self._try_rewrite()
        self.before_flush()

    def _try_rewrite(self) -> None:
        try:
            self.rewrite()
        except CommandError:
            log.debug("the rewrite will be tried again")

    def _rewritten(self, child: Child) -> None:
        self.child = None
        self.last_rewrite_seconds = int(time.time() - child.started)
        self.last_copied_bytes = child.copied_bytes
        self.last_rewrite_ok = not child.error
        if child.error:
            if self.aof is not None:
                self.aof.abort_rewrite()
            Path(self.rewrite_path).unlink(missing_ok=True)
            log.warning("Background AOF rewrite failed: %s", child.error)
            return
        try:
            if self.aof is not None:
                self.aof.finish_rewrite(self.rewrite_path)
            else:
                Path(self.rewrite_path).unlink(missing_ok=True)
        except (OSError, AOFError) as error:
            self.last_rewrite_ok = False
            log.warning("Background AOF rewrite could not be put in place: %s", error)
            return
        self.rewrites += 1
        log.info("Background AOF rewrite finished successfully")

    def stop_child(self) -> None:
        """Give up a rewrite; the files before it are still complete."""
        if self.child is not None:
            self.child.kill()
            self._rewritten(self.child)


def _reason(error: OSError | None) -> str:
    return "unknown" if error is None else error.strerror or str(error)


def _exit() -> None:
    logging.shutdown()
    os._exit(1)
