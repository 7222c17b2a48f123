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

Switched on while the server runs, the log begins as a rewrite does: a child writes the data of this moment as the base, and
what happens from then on goes into an increment. A restart finds them when the child is done, and until then whatever it
would have found before (`AppendOnlyFile.open_anew`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cutaway.commands import Client, Command, CommandError
from cutaway.persistence import ALWAYS, EVERYSEC, AOFError, AppendOnlyFile
from cutaway.server.children import Child
from cutaway.server.extensions import tell_modules
from cutaway.server.snapshots import key_count, write_aof_file, write_rdb_file

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.commands.effects import Effect
    from cutaway.persistence import Files
    from cutaway.resp import Reply
    from cutaway.server.progress import Progress

POSTPONE_SECONDS: Final = 2.0
CANNOT_REWRITE: Final = (
    "ERR Can't execute an AOF background rewriting. Please check the server logs for more information."
)
FAILURES_IN_A_ROW: Final = 3
SHORTEST_PAUSE: Final = 60.0
LONGEST_PAUSE: Final = 3600.0
"""After so many rewrites that failed, the next one waits: a minute, then two, four, at most an hour (in seconds)."""

log: Final = logging.getLogger("cutaway.appending")


class Appender:
    """Logs an engine's writes."""

    __slots__ = (
        "_engine", "_files", "_flush_sleep", "_fsync_ok", "_last_fsync", "_loop", "_not_before",
        "_pause", "_postponed_since", "_target", "_wanted", "_write_ok", "aof", "child", "delayed_fsyncs", "failures",
        "last_copied_bytes", "last_rewrite_ok", "last_rewrite_seconds", "nanoseconds", "on_fatal",
        "rewrite_path", "rewrites", "scheduled",
    )  # fmt: skip

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop, files: Files) -> None:
        self._engine: Final = engine
        self._loop: Final = loop
        self._files: Final = files
        self._postponed_since = 0.0
        self._last_fsync = 0.0
        self.failures = 0
        """How many rewrites in a row did not come to their end."""
        self._not_before = self._pause = 0.0
        self._wanted = False
        self._target: AppendOnlyFile | None = None
        """What the child writes a base for: `aof`, or the directory of a log that is off."""
        self._flush_sleep = 0.0
        self.aof: AppendOnlyFile | None = None
        self.child: Child | None = None
        self.scheduled = False
        self.rewrite_path = ""
        self.rewrites = 0
        self.delayed_fsyncs = 0
        self.nanoseconds = 0
        """How long all writes to the file took together, with the fsyncs that clients waited for."""
        self.last_rewrite_ok = self._write_ok = self._fsync_ok = True
        self.last_rewrite_seconds = -1
        self.last_copied_bytes = 0
        self.on_fatal = _exit

    # ---- on and off

    def directory(self) -> str:
        """The append-only directory's path."""
        return str(Path(self._engine.config.text("dir")) / self._engine.config.text("appenddirname"))

    def start(self) -> None:
        """Begin to log, at the start. What is already in the directory has been loaded. Raises OSError, AOFError."""
        aof = self._make()
        rdb = self._engine.config.boolean("aof-use-rdb-preamble")
        aof.open(lambda path: self._write_base(path, rdb=rdb), rdb=rdb)
        aof.base_size = aof.size
        self._attach(aof)

    def switch_on(self) -> None:
        """Begin to log while the server runs. Raises CommandError if no child can be started."""
        self._wanted = True
        self.stop_child()
        if self._engine.extras["persistence"].idle() and not self._engine.nesting:
            self.rewrite()
        else:
            self.scheduled = True
            log.info("AOF was switched on; its first base is written when no other child is at work")

    def stop(self) -> None:
        """Stop logging; what is logged stays in the directory."""
        self._wanted = False
        self.stop_child()
        if self.aof is not None:
            self.aof.close()
            self.aof = None
            self._engine.on_propagate = tuple(sink for sink in self._engine.on_propagate if sink != self.take)
        self._write_ok = self._fsync_ok = True

    @property
    def last_write_ok(self) -> bool:
        """Whether the last write worked, and the last fsync in the background."""
        return self._write_ok and self._fsync_ok

    @property
    def beginning(self) -> bool:
        """Whether the log was switched on and its first base is not there yet."""
        return self._wanted and (self.aof is None or self.aof.detached)

    def _make(self) -> AppendOnlyFile:
        config = self._engine.config
        aof = AppendOnlyFile(
            self._files, self.directory(), config.text("appendfilename"),
            fsync_policy=config.text("appendfsync"), timestamps=config.boolean("aof-timestamp-enabled"),
        )  # fmt: skip
        aof.keep_history = config.boolean("aof-disable-auto-gc")
        return aof

    def _attach(self, aof: AppendOnlyFile) -> None:
        self.aof = aof
        self._wanted = True
        self._engine.on_propagate = (*self._engine.on_propagate, self.take)

    def _write_base(self, path: str, *, rdb: bool, progress: Progress | None = None) -> None:
        if rdb:
            write_rdb_file(self._engine, self._files, path, preamble=True, progress=progress)
        else:
            write_aof_file(self._engine, self._files, path, progress=progress)

    def configure(self) -> None:
        """Follow `appendfsync`, `aof-timestamp-enabled` and `aof-disable-auto-gc`."""
        if self.aof is not None:
            config = self._engine.config
            self.aof.fsync_policy = config.text("appendfsync")
            self.aof.timestamps = config.boolean("aof-timestamp-enabled")
            self.aof.keep_history = config.boolean("aof-disable-auto-gc")
            self.aof.remove_history()

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
        fsync = not self._disk_is_busy()
        if not self._flush(aof, fsync=fsync):
            self._failed(aof)
            return
        if not self._write_ok:
            log.warning("AOF write error looks solved, writes go on.")
            self._write_ok = True
        if fsync and aof.fsync_policy == EVERYSEC and time.monotonic() - self._last_fsync >= 1.0:
            self.fsync_in_background()

    def _flush(self, aof: AppendOnlyFile, *, fsync: bool) -> bool:
        """Write, and under `always` fsync, and tell the latency monitor of each if it took long."""
        stopwatch = self._engine.stopwatch
        started = stopwatch()
        if self._flush_sleep:
            time.sleep(self._flush_sleep)
        worked = aof.flush(fsync=False)
        written = stopwatch()
        self._tell(written - started, "aof-write", self._circumstance)
        if worked and fsync and aof.fsync_policy == ALWAYS and aof.fsync_due:
            worked = aof.fsync()
            self._tell(stopwatch() - written, "aof-fsync-always")
        self.nanoseconds += stopwatch() - started
        return worked

    def _circumstance(self) -> str:
        """What else the disk had to do: the real server's events say so too."""
        if self.aof is not None and self.aof.fsync_running:
            return "aof-write-pending-fsync"
        return "aof-write-alone" if self._engine.extras["persistence"].idle() else "aof-write-active-child"

    def _tell(self, nanoseconds: int, event: str, part: Callable[[], str] | None = None) -> None:
        engine = self._engine
        if nanoseconds >= engine.slow_after:
            record = engine.extras["latency_event"]
            record(event, nanoseconds // 1_000_000)
            if part is not None:
                record(part(), nanoseconds // 1_000_000)

    def _disk_is_busy(self) -> bool:
        """Whether a child writes, and `no-appendfsync-on-rewrite` says that nobody shall wait for the disk meanwhile."""
        persistence = self._engine.extras["persistence"]
        return not persistence.idle() and self._engine.config.boolean("no-appendfsync-on-rewrite")

    def sleep_before_flush(self, microseconds: float) -> None:
        """Wait so long before each write: a slow disk, for tests (DEBUG AOF-FLUSH-SLEEP)."""
        self._flush_sleep = microseconds / 1_000_000

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
        if self._write_ok:
            log.error("Error writing to the AOF file: %s", _reason(aof.error))
        self._write_ok = False
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
            worked = aof.end_fsync(job)
            if self._fsync_ok and not worked:
                log.error("Fail to fsync the AOF file: %s", _reason(job.error))
            self._fsync_ok = worked

        self._loop.run_in_executor(None, job.run).add_done_callback(done)

    def gate(self, client: Client, command: Command, _argv: Sequence[bytes]) -> Reply:
        """Refuse writes while the file cannot take them."""
        if self.last_write_ok or self.aof is None or not (command.is_write or "write" in client.queued_flags):
            return None
        return CommandError(f"MISCONF Errors writing to the AOF file: {_reason(self.aof.error)}")

    # ---- rewriting

    def rewrite(self) -> None:
        """Let a child write the present state into a new base. Raises CommandError where it cannot be started."""
        rdb = self._engine.config.boolean("aof-use-rdb-preamble")
        tell_modules(self._engine, "saving", "aof")
        try:
            path = self.rewrite_path = self._begin(rdb=rdb)
            self.child = Child(
                "aof",
                lambda progress: self._write_base(path, rdb=rdb, progress=progress),
                keys=key_count(self._engine),
            )
        except (OSError, AOFError) as error:
            reason = _reason(error) if isinstance(error, OSError) else str(error)
            self._give_up()
            log.warning("Can't rewrite append only file in background: %s", reason)
            raise CommandError(CANNOT_REWRITE) from error
        self._engine.extras["on_child"](self.child.pid)
        log.info("Background append only file rewriting started by pid %d", self.child.pid)

    def _begin(self, *, rdb: bool) -> str:
        """Turn to a new increment, if there is a log. Gives the path for the base. Raises OSError, AOFError."""
        if self.aof is not None:
            self._target = self.aof
            if self.aof.detached:
                name = self.aof.manifest.increments[-1].name
                log.info("Removing the temp incr aof file %s: its base failed, and both begin anew", name)
            return self.aof.begin_rewrite(rdb=rdb)
        aof = self._target = self._make()
        if not self._wanted:
            return aof.begin_base(rdb=rdb)
        path = aof.open_anew(rdb=rdb)
        self._attach(aof)
        return path

    def poll(self) -> None:
        """See whether the child is done, whether a rewrite is due, and whether the second is over."""
        if self.child is not None and self.child.poll():
            self._rewritten(self.child)
        if self.child is None and self._engine.extras["persistence"].idle() and self._is_due():
            self.scheduled = False
            with contextlib.suppress(CommandError):
                self.rewrite()
        self.before_flush()

    def _is_due(self) -> bool:
        """Whether a rewrite was asked for, or the log has grown enough (auto-aof-rewrite-*), or has no base yet."""
        if self.scheduled:
            return True
        aof = self.aof
        if aof is None:
            return False
        config = self._engine.config
        percentage = config.integer("auto-aof-rewrite-percentage")
        if aof.detached:
            return not self._is_limited()
        if (
            not aof.wants_rewrite(percentage, config.integer("auto-aof-rewrite-min-size"))
            or self._is_limited()
        ):
            return False
        log.info("Starting automatic rewriting of AOF on %d%% growth", aof.growth())
        return True

    def _is_limited(self) -> bool:
        """Whether too many rewrites have failed in a row for another to begin by itself. Each time the pause is twice as long."""
        if self.failures < FAILURES_IN_A_ROW:
            self._pause = self._not_before = 0.0
            return False
        if self._not_before:
            limited = time.monotonic() < self._not_before
            if not limited:
                self._not_before = 0.0
            return limited
        self._pause = min(self._pause * 2 or SHORTEST_PAUSE, LONGEST_PAUSE)
        self._not_before = time.monotonic() + self._pause
        log.warning(
            "%d AOF rewrites failed in a row, which triggered the limit: the next one is tried in %.0f s",
            self.failures,
            self._pause,
        )
        return True

    def _give_up(self) -> None:
        """A rewrite has failed: what was there before is still what counts."""
        if self._target is not None:
            self._target.abort_rewrite()
            self._target = None
        self.last_rewrite_ok = False
        tell_modules(self._engine, "save failed", "aof")
        self.failures += 1

    def _rewritten(self, child: Child) -> None:
        self.child = None
        self.last_rewrite_seconds = int(time.time() - child.started)
        self.last_copied_bytes = child.copied_bytes
        target = self._target
        assert target is not None
        if child.was_killed:
            target.abort_rewrite()
            self._remove_temporary()
            tell_modules(self._engine, "save failed", "aof")
            log.info("Background AOF rewrite was given up")
            return
        problem = child.error or self._put_in_place(target)
        if problem:
            self._give_up()
            self._remove_temporary()
            log.warning("Background AOF rewrite failed: %s", problem)
            return
        self._target = None
        self.last_rewrite_ok = True
        self.failures = 0
        self.rewrites += 1
        tell_modules(self._engine, "saved", "aof")
        log.info("Background AOF rewrite finished successfully")

    def _put_in_place(self, target: AppendOnlyFile) -> str:
        """Let the new base count; what went wrong, or nothing."""
        started = self._engine.stopwatch()
        try:
            target.finish_rewrite(self.rewrite_path)
        except (OSError, AOFError) as error:
            return str(error)
        self._tell(self._engine.stopwatch() - started, "aof-rename")
        return ""

    def _remove_temporary(self) -> None:
        with contextlib.suppress(OSError):
            Path(self.rewrite_path).unlink()

    def stop_child(self) -> None:
        """Give up a rewrite; the files before it are still complete."""
        if self.child is not None:
            log.info("Killing running AOF rewrite child: %d", self.child.pid)
            self.child.kill()
            self._rewritten(self.child)


def _reason(error: OSError | None) -> str:
    return "unknown" if error is None else error.strerror or str(error)


def _exit() -> None:
    logging.shutdown()
    os._exit(1)
