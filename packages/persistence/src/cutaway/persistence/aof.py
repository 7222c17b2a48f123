"""The append-only file: every write, as the command that did it, in the order in which it happened.

Durability is a question of three buffers. `feed` puts a command into this process's buffer, which costs
nothing and survives nothing. `flush` hands it to the operating system, which survives the death of the
process. `fsync` makes the disk have it, which survives the loss of power, and costs milliseconds. Redis calls
`flush` once before it sends the replies of a turn of its event loop, and leaves to the user when to call
`fsync`:

    always      in every flush: no reply leaves before its write is on the disk
    everysec    once a second, in a thread of the server's: at most about a second is lost
    no          when the operating system sees fit

The server takes a job from `begin_fsync`, runs it where it likes, and hands it to `end_fsync`; this room has
no threads and no clock.

**A write can fail in the middle.** If the disk is full, half a command may be in the file. The half is cut
off at once, so that the file always ends where a command ends; the buffer is kept, `flush` says False, and
the next flush tries again. Meanwhile the server must accept no more writes, and under `always` it must not
carry on at all: it cannot take back what other clients have already seen.

**Rewriting.** The file grows with the number of writes, the data does not. `begin_rewrite` turns to a new
incremental file; somebody writes the present state into a new base; `finish_rewrite` puts the base into the
manifest with one atomic rename and removes what it made superfluous. A crash at any point leaves one complete
set of files: the old base with both increments, or the new base with the second.

**Beginning in the middle.** Where logging is switched on while there is data already, `open_anew` begins a rewrite whose
increment belongs to no base yet: whatever an earlier log left in the directory misses what has happened since. The manifest
does not mention it until the base is there. A rewrite without a log (`BGREWRITEAOF` with `appendonly no`) is the same
without an increment: `begin_base`.

Each incremental file begins in database none: the first command in it is preceded by a SELECT, so that files
can be read by themselves. With `timestamps`, a comment `#TS:<seconds>` precedes the first command of each
second; a reader that is asked to can stop at a point in time.
"""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cutaway.resp import encode_request

from .aof_directory import load_manifest
from .aof_manifest import AOFFile, Manifest
from .files import AppendHandle, Files, replace_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ALWAYS: Final = "always"
EVERYSEC: Final = "everysec"
NO: Final = "no"

NO_DATABASE: Final = -1
NEVER: Final = -1


class FsyncJob:
    """An fsync that a thread may run while the file is written on."""

    __slots__ = ("error", "handle", "written")

    def __init__(self, handle: AppendHandle, written: int) -> None:
        self.handle = handle
        self.written = written
        self.error: OSError | None = None

    def run(self) -> None:
        """Do it; whether it worked is in `error`."""
        try:
            self.handle.fsync()
        except OSError as error:
            self.error = error


class AppendOnlyFile:
    """Writes an append-only directory. Not thread-safe, but for the jobs that `begin_fsync` returns."""

    __slots__ = (
        "_buffer",
        "_database",
        "_detached",
        "_files",
        "_handle",
        "_job",
        "_rewriting",
        "_second",
        "_synced",
        "_written",
        "base_size",
        "directory",
        "fsync_error",
        "fsync_policy",
        "keep_history",
        "manifest",
        "size",
        "timestamps",
        "write_error",
    )

    def __init__(
        self,
        files: Files,
        directory: str,
        filename: str = "appendonly.aof",
        *,
        fsync_policy: str = EVERYSEC,
        timestamps: bool = False,
    ) -> None:
        self.directory = directory
        self.manifest = Manifest(filename)
        self.fsync_policy = fsync_policy
        self.timestamps = timestamps
        self.size = 0
        self.base_size = 0
        self.write_error: OSError | None = None
        self.fsync_error: OSError | None = None
        self._files = files
        self._job: FsyncJob | None = None
        self._handle: AppendHandle | None = None
        self._buffer = bytearray()
        self._database = NO_DATABASE
        self._second = NEVER
        self._written = 0
        self._synced = 0
        self._rewriting: AOFFile | None = None
        self._detached = False
        self.keep_history = False
        """Leave history files where they are: the directive `aof-disable-auto-gc`."""

    # -- opening and closing

    def open(self, write_base: Callable[[str], None], *, rdb: bool = True) -> None:
        """Go on with the directory's last increment, or lay out a new directory. Raises OSError, AOFError.

        `write_base(path)` writes the present state to `path`, and is called only if there is no base yet;
        `rdb` tells in which form it does so. Whatever there is has been replayed, and mended, before.
        """
        self._files.make_directory(self.directory)
        self.manifest = load_manifest(self._files, self.directory, self.manifest.prefix)
        changed = False
        if not self.manifest.files:
            base = self.manifest.next_base(rdb=rdb)
            write_base(self.path(base.name))
            self.manifest.base = base
            changed = True
        if self.manifest.increments:
            self._handle = self._files.open_append(self.path(self.manifest.increments[-1].name))
        else:
            increment = self.manifest.next_increment()
            self._handle = self._open_empty(increment)
            self.manifest.increments.append(increment)
            changed = True
        if changed:
            self._save_manifest(self.manifest)
        self.remove_history()
        self._take_stock()

    def open_anew(self, *, rdb: bool = True) -> str:
        """Begin to log at this moment, whatever the directory holds. Returns a path, as `begin_rewrite` does.

        Until `finish_rewrite`, a restart finds what was there before. Raises OSError, AOFError.
        """
        path = self.begin_base(rdb=rdb)
        increment = self.manifest.next_increment()
        self._handle = self._open_empty(increment)
        self.manifest.increments.append(increment)
        self._detached = True
        return path

    def begin_base(self, *, rdb: bool = True) -> str:
        """Begin a rewrite without a log: the new base will be all there is. Returns and raises as `open_anew`."""
        self._files.make_directory(self.directory)
        self.manifest = load_manifest(self._files, self.directory, self.manifest.prefix)
        self._rewriting = self._unused_base(self.manifest, rdb=rdb)
        return self._temporary(self._rewriting)

    @property
    def detached(self) -> bool:
        """Whether the log has no base yet, so that a restart would not find it."""
        return self._detached

    def close(self) -> None:
        """Flush, fsync and close. Whether that worked is in `error`."""
        if self._handle is not None:
            if self.flush():
                self.fsync()
            self._leave(self._handle)
            self._handle = None
            if self._detached:
                self._remove(self.manifest.increments.pop())

    def _open_empty(self, file: AOFFile) -> AppendHandle:
        """Open a new file; what is there under its name, of a process that died, is not in the manifest and goes."""
        handle = self._files.open_append(self.path(file.name))
        try:
            handle.truncate(0)
        except OSError:
            handle.close()
            raise
        return handle

    def _temporary(self, base: AOFFile) -> str:
        """Return where a base is written until it is complete."""
        return self.path(f"temp-rewriteaof-{base.name}")

    def path(self, name: str) -> str:
        """Return the path of one of the directory's files."""
        return f"{self.directory}/{name}"

    # -- appending

    def feed(self, database: int, argv: Sequence[bytes], second: int = NEVER) -> None:
        """Put a command into the buffer; `second` is its time, seconds since the epoch, for `timestamps`."""
        if self.timestamps and second > self._second:
            self._second = second
            self._buffer += b"#TS:%d\r\n" % second
        if database != self._database:
            self._database = database
            self._buffer += encode_request((b"SELECT", b"%d" % database))
        self._buffer += encode_request(argv)

    @property
    def pending(self) -> int:
        """Bytes that have been fed and not yet written."""
        return len(self._buffer)

    def flush(self, *, fsync: bool = True) -> bool:
        """Write the buffer, and with policy `always` fsync. Returns False if that did not work: see above.

        Without `fsync` no policy asks for one: `no-appendfsync-on-rewrite` while a child is writing.
        """
        if self._handle is None:
            return not self._buffer
        if self._buffer and not self._write(self._handle):
            return False
        if fsync and self.fsync_policy == ALWAYS and self._synced < self._written:
            return self.fsync()
        return True

    def _write(self, handle: AppendHandle) -> bool:
        """Write the buffer in one call; if it does not fit, undo what was written of it."""
        try:
            count = handle.write(self._buffer)
        except OSError as error:
            self.write_error = error
            return False
        if count < len(self._buffer):
            self.write_error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if not self._cut_back(handle):
                self._count(count)
                del self._buffer[:count]
            return False
        self._count(count)
        self._buffer.clear()
        self.write_error = None
        return True

    def _cut_back(self, handle: AppendHandle) -> bool:
        """Take the file back to the end of the last whole flush."""
        try:
            handle.truncate(self._written)
        except OSError as error:
            self.write_error = error
            return False
        return True

    def _count(self, written: int) -> None:
        """Account for bytes that are in the file now."""
        self._written += written
        self.size += written

    @property
    def error(self) -> OSError | None:
        """Why the file does not hold what it should: the last write that failed, or else the last fsync."""
        return self.write_error or self.fsync_error

    # -- making it last

    @property
    def fsync_due(self) -> bool:
        """Whether something has been written that the disk may not have yet."""
        return self._synced < self._written

    @property
    def fsync_running(self) -> bool:
        """Whether a job that `begin_fsync` gave has not come back yet."""
        return self._job is not None

    def begin_fsync(self) -> FsyncJob | None:
        """Return an fsync to be run anywhere and handed to `end_fsync`; None if there is no need of one."""
        if self._handle is None or not self.fsync_due or self._job is not None:
            return None
        self._job = FsyncJob(self._handle, self._written)
        return self._job

    def end_fsync(self, job: FsyncJob) -> bool:
        """Take note of what a job that has run achieved. Returns whether its bytes are on the disk."""
        self._job = None
        self.fsync_error = job.error
        if job.handle is not self._handle:
            job.handle.close()
        elif job.error is None:
            self._synced = max(self._synced, job.written)
        return job.error is None

    def fsync(self) -> bool:
        """Make the disk have everything that was written, and wait for it. Returns False if it would not."""
        if self._handle is None:
            return False
        written = self._written
        try:
            self._handle.fsync()
        except OSError as error:
            self.fsync_error = error
            return False
        self.fsync_error = None
        self._synced = max(self._synced, written)
        return True

    # -- rewriting

    @property
    def rewriting(self) -> bool:
        """Whether a rewrite has begun and not ended."""
        return self._rewriting is not None

    def growth(self) -> int:
        """Return by how many per cent the file has grown since the last rewrite."""
        base = self.base_size or 1
        return self.size * 100 // base - 100

    def wants_rewrite(self, percentage: int, min_size: int) -> bool:
        """Tell whether it is time for one, by auto-aof-rewrite-percentage and auto-aof-rewrite-min-size."""
        return (
            bool(percentage) and not self.rewriting and self.size > min_size and self.growth() >= percentage
        )

    def begin_rewrite(self, *, rdb: bool = True) -> str:
        """Turn to a new incremental file. Returns the path at which to write the new base. Raises OSError.

        The state to write is that of this moment. Nothing has changed if this raises.
        """
        if not self.flush():
            raise self.error or OSError(errno.EIO, "the buffer could not be written")
        manifest = self.manifest.copy()
        if self._detached:  # the increment that has no base is of no use without this one, and begins anew
            handle = self._open_empty(manifest.increments[-1])
        else:
            increment = manifest.next_increment()
            handle = self._open_empty(increment)
            manifest.increments.append(increment)
            try:
                self._save_manifest(manifest)
            except OSError:
                handle.close()
                raise
        self._turn_to(handle)
        self.manifest = manifest
        self._rewriting = self._unused_base(manifest, rdb=rdb)
        return self._temporary(self._rewriting)

    def finish_rewrite(self, temporary: str) -> None:
        """Put the base at `temporary`, complete and synced, in place of all that came before. Raises OSError.

        If it raises, the old files are still what counts, and the rewrite is over.
        """
        base = self._rewriting
        if base is None:
            msg = "no rewrite has begun"
            raise RuntimeError(msg)
        self._rewriting = None
        self._files.replace(temporary, self.path(base.name))
        manifest = self.manifest.copy()
        manifest.rebase(base, keep=0 if self._handle is None else 1)
        self._save_manifest(manifest)
        self.manifest = manifest
        self._detached = False
        self.remove_history()
        self._take_stock()
        self.base_size = self.size

    def _unused_base(self, manifest: Manifest, *, rdb: bool) -> AOFFile:
        """Return a base with a name of its own: one may be there of a rewrite that failed at the very end."""
        base = manifest.next_base(rdb=rdb)
        while self._files.size(self.path(base.name)) is not None:
            base = replace(manifest, base=base).next_base(rdb=rdb)
        return base

    def abort_rewrite(self) -> None:
        """Give a rewrite up. Its incremental file stays in use: it holds commands that are nowhere else."""
        self._rewriting = None

    def _turn_to(self, handle: AppendHandle) -> None:
        """Leave the present increment, as durable as the policy asks, for a new one that is empty."""
        if self._handle is not None:
            if self.fsync_policy != NO and self.fsync_due:
                self.fsync()
            self._leave(self._handle)
        self._handle = handle
        self._written = self._synced = 0
        self._database = NO_DATABASE

    def _leave(self, handle: AppendHandle) -> None:
        """Close a file, or leave that to `end_fsync` if a thread is working on it."""
        if self._job is None or self._job.handle is not handle:
            handle.close()

    def _save_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest on the disk."""
        replace_whole(self._files, self.path(manifest.name), manifest.format())

    def remove_history(self) -> None:
        """Remove the files that are history, and their lines. One that will not go is tried again later."""
        if not self.manifest.history or self.keep_history:
            return
        manifest = self.manifest.copy()
        manifest.history = [file for file in manifest.history if not self._remove(file)]
        try:
            self._save_manifest(manifest)
        except OSError as error:
            self.write_error = error
        else:
            self.manifest = manifest

    def _remove(self, file: AOFFile) -> bool:
        """Remove a file if it is there. Returns whether it is gone."""
        path = self.path(file.name)
        try:
            if self._files.size(path) is not None:
                self._files.remove(path)
        except OSError:
            return False
        return True

    def _take_stock(self) -> None:
        """Take the sizes from the files."""
        sizes = [self._files.size(self.path(file.name)) or 0 for file in self.manifest.files]
        self.size = sum(sizes)
        self.base_size = sizes[0] if self.manifest.base else 0
        self._written = sizes[-1] if self.manifest.increments else 0
        self._synced = min(self._synced, self._written)
