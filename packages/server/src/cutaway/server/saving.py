"""Snapshots: SAVE, BGSAVE, and the save points that trigger one.

A snapshot is the whole data set at one moment, in one RDB file. BGSAVE lets a child write it (`children.py`); SAVE writes it here
and keeps everybody waiting. Both write to a temporary file first and rename it when the disk has all of it, so that whatever
happens there is one complete file: the new one or the one before.

A save point, `save 300 1`, says: when at least 1 change was made, and 300 seconds have gone by since the last snapshot, make one.

If a snapshot fails, nobody may notice until the data is needed. So by default (`stop-writes-on-bgsave-error`) the server refuses
writes from then on, with an error that says why, until one succeeds again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands import Client, Command, CommandError
from cutaway.persistence import Files, replace_file
from cutaway.server.children import Child
from cutaway.server.extensions import tell_modules
from cutaway.server.snapshots import key_count, write_rdb_file

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.resp import Reply

RETRY_SECONDS: Final = 5
"""After a failure the next try by a save point waits so long."""

log: Final = logging.getLogger("cutaway.saving")


class Saver:
    """Makes snapshots of an engine's data set."""

    __slots__ = (
        "_engine", "_files", "child", "last_attempt", "last_changes", "last_copied_bytes", "last_ok",
        "last_save", "last_seconds", "saved_dirty", "saves", "scheduled", "temporary",
    )  # fmt: skip

    def __init__(self, engine: Engine, files: Files) -> None:
        self._engine: Final = engine
        self._files: Final = files
        self.child: Child | None = None
        self.scheduled = False
        self.last_save = int(time.time())
        """When the last snapshot succeeded, in seconds since the epoch (LASTSAVE)."""
        self.last_attempt = 0.0
        self.last_ok = True
        self.last_seconds = -1
        self.last_copied_bytes = 0
        self.last_changes = 0
        self.saved_dirty = 0
        self.saves = 0
        self.temporary = ""

    @property
    def changes(self) -> int:
        """Changes since the last snapshot."""
        return self._engine.keyspace.dirty - self.saved_dirty

    def forget_changes(self) -> None:
        """What is in memory is what is on disk: it has just been loaded."""
        self.saved_dirty = self._engine.keyspace.dirty

    def path(self) -> str:
        """Where the snapshot goes."""
        return str(Path(self._engine.config.text("dir")) / self._engine.config.text("dbfilename"))

    def _temporary(self, pid: int) -> str:
        """Where the process `pid` writes a snapshot until it is complete."""
        return str(Path(self._engine.config.text("dir")) / f"temp-{pid}.rdb")

    def remove_temporary(self) -> None:
        """Remove a snapshot that was not completed."""
        with contextlib.suppress(OSError):
            Path(self.temporary).unlink()

    def save(self) -> None:
        """Make a snapshot now, while everybody waits. Raises CommandError where that fails.

        Whoever asked for it hears of that, so it is no reason to refuse writes, as a failure in the background is.
        """
        started = time.monotonic()
        temporary = self.temporary = self._temporary(os.getpid())
        changes = self._engine.keyspace.dirty
        tell_modules(self._engine, "saving", "rdb")
        try:
            write_rdb_file(self._engine, self._files, temporary)
            replace_file(self._files, temporary, self.path())
        except OSError as error:
            self.remove_temporary()
            tell_modules(self._engine, "save failed", "rdb")
            log.warning("Could not save to %s: %s", self.path(), error.strerror)
            raise CommandError("ERR") from error
        self._succeeded(changes)
        log.info("DB saved on disk: %s, %.2f seconds", self.path(), time.monotonic() - started)

    def save_in_background(self) -> None:
        """Let a child make a snapshot. Raises CommandError where it cannot be started."""
        self.last_attempt = time.time()
        self.last_changes = self._engine.keyspace.dirty
        engine, files, path = self._engine, self._files, self.path()
        tell_modules(engine, "saving", "rdb")
        try:
            self.child = Child(
                "rdb",
                lambda progress: write_rdb_file(
                    engine, files, self._temporary(os.getpid()), progress=progress
                ),
                lambda: replace_file(files, self._temporary(os.getpid()), path),
                keys=key_count(engine),
            )
        except OSError as error:
            self.last_ok = False
            tell_modules(engine, "save failed", "rdb")
            log.warning("Can't save in background: fork: %s", error.strerror)
            raise CommandError(f"ERR Can't save in background: fork: {error.strerror}") from error
        engine.extras["on_child"](self.child.pid)
        self.temporary = self._temporary(self.child.pid)
        log.info("Background saving started by pid %d", self.child.pid)

    def _succeeded(self, changes: int) -> None:
        self.saved_dirty = changes
        self.last_save = int(time.time())
        self.last_ok = True
        self.saves += 1
        tell_modules(self._engine, "saved", "rdb")

    def poll(self) -> None:
        """See whether the child is done, and whether a save point is due."""
        if self.child is not None and self.child.poll():
            self._ended(self.child)
        if self.child is None and self._engine.extras["persistence"].idle():
            self._consider()

    def _ended(self, child: Child) -> None:
        self.child = None
        self.last_seconds = int(time.time() - child.started)
        self.last_copied_bytes = child.copied_bytes
        if not child.error:
            self._succeeded(self.last_changes)
            log.info(
                "Background saving terminated with success; %.1f MB were copied on write",
                child.copied_bytes / 2**20,
            )
            return
        tell_modules(self._engine, "save failed", "rdb")
        self.remove_temporary()
        if not child.was_killed:
            self.last_ok = False
            log.warning("Background saving failed: %s", child.error)

    def _consider(self) -> None:
        if self.scheduled:
            self.scheduled = False
            with contextlib.suppress(CommandError):
                self.save_in_background()
            return
        points: Any = self._engine.config["save"]
        now = time.time()
        if not points or (not self.last_ok and now - self.last_attempt < RETRY_SECONDS):
            return
        for seconds, changes in points:
            if self.changes >= changes and now - self.last_save > seconds:
                log.info("%d changes in %d seconds. Saving...", changes, seconds)
                with contextlib.suppress(CommandError):
                    self.save_in_background()
                return

    def stop_child(self) -> None:
        """End a snapshot that is being made; the file of the one before stays."""
        if self.child is not None:
            self.child.kill()
            self._ended(self.child)

    def flushed(self) -> None:
        """Everything was deleted on purpose (FLUSHALL): no older snapshot may bring it back, if there are to be any."""
        self.stop_child()
        if self._engine.config["save"] and not self._engine.extras["persistence"].loader.active:
            with contextlib.suppress(CommandError):
                self.save()

    def gate(self, client: Client, command: Command, _argv: Sequence[bytes]) -> Reply:
        """Refuse writes after a snapshot that failed."""
        if self.last_ok or not (command.is_write or "write" in client.queued_flags or command.name == "ping"):
            return None
        if not self._engine.config.boolean("stop-writes-on-bgsave-error") or not self._engine.config["save"]:
            return None
        return CommandError(
            "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. "
            "Commands that may modify the data set are disabled, because this instance is configured to report errors "
            "during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs "
            "for details about the RDB error."
        )
