"""A file layer for tests that knows what a loss of power would leave, and whose disk can be broken from outside.

    python -m server --use persistence.Files=power.py:NotedFiles      the folder for notes is in $NOTES

`kill -9` loses nothing that was handed to the operating system, and so cannot tell a server that calls `fsync` from one that
forgets it. Here each file has a note, named after its inode, of how many of its bytes an fsync has covered. `lose_power` is
called when the server is dead, and cuts off what no fsync had covered: all of it, or all but a random part, since the system may
have written some of it out of its own accord.

The disk is full or broken for as long as there is a file `full` or `broken` among the notes.
"""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

from cutaway.persistence.files import AppendHandle, OSAppendHandle, OSFiles


def _is(state: str) -> bool:
    return Path(os.environ["NOTES"], state).exists()


def _fail(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class NotedHandle(OSAppendHandle):
    """An append handle that notes how much of its file was synced."""

    __slots__ = ("_note", "_size")

    def __init__(self, path: str) -> None:
        super().__init__(path)
        facts = os.fstat(self.fd)
        self._note = os.open(Path(os.environ["NOTES"], str(facts.st_ino)), os.O_RDWR | os.O_CREAT, 0o644)
        self._size = facts.st_size
        self._write_note()

    def _write_note(self) -> None:
        os.pwrite(self._note, self._size.to_bytes(8, "little"), 0)

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if _is("full"):
            data = data[: len(data) // 2]  # what fits
            if not data:
                raise _fail(errno.ENOSPC)
        return super().write(data)

    def fsync(self) -> None:
        if _is("broken"):
            raise _fail(errno.EIO)
        self._size = os.fstat(self.fd).st_size
        self._write_note()

    def close(self) -> None:
        super().close()
        os.close(self._note)


class NotedFiles(OSFiles):
    """The disk, with notes."""

    __slots__ = ()

    def open_append(self, path: str, /) -> AppendHandle:
        return NotedHandle(path)


def lose_power(folder: Path, notes: Path, dice: random.Random) -> int:
    """Cut off what was not synced, or all of that but a random part; how many bytes that was."""
    lost = 0
    for path in folder.rglob("*"):
        note = notes / str(path.stat().st_ino)
        if not path.is_file() or not note.exists():
            continue
        size = path.stat().st_size
        synced = int.from_bytes(note.read_bytes(), "little")
        if synced < size:
            kept = synced if dice.random() < 0.5 else dice.randint(synced, size)
            os.truncate(path, kept)
            lost += size - kept
    return lost
