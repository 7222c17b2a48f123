"""The file layer: the dozen things that persistence asks of a disk.

Everything in this room that touches a file does it through `Files`, so that a test can hand in a disk that is
full after 100 bytes, or whose fsync fails, and a notebook a dictionary. `OSFiles` is the real one.

Three rules make a change on disk safe against losing power, and they are all this layer is for:

- bytes are there once `fsync` of their file has returned, not once `write` has;
- a name is there once its *directory* has been synced;
- `replace` is atomic: a reader finds the old file or the new one, never half of each.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODE: Final = 0o644


class AppendHandle(Protocol):
    """A file that is open for appending."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append as much of `data` as fits and return how many bytes that was. Raises OSError."""
        ...

    def fsync(self) -> None:
        """Return once everything written is on the disk. Raises OSError."""
        ...

    def truncate(self, size: int, /) -> None:
        """Cut the file to `size` bytes. Raises OSError."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class ReadHandle(Protocol):
    """A file that is open for reading."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class Files(Protocol):
    """A disk. All methods raise OSError."""

    def open_append(self, path: str, /) -> AppendHandle:
        """Open a file for appending, and create it if it is not there."""
        ...

    def open_read(self, path: str, /) -> ReadHandle:
        """Open a file for reading."""
        ...

    def size(self, path: str, /) -> int | None:
        """Return the size of a file in bytes, or None if there is none."""
        ...

    def replace(self, source: str, target: str, /) -> None:
        """Rename a file, over the target if there is one, atomically."""
        ...

    def remove(self, path: str, /) -> None:
        """Remove a file."""
        ...

    def make_directory(self, path: str, /) -> None:
        """Create a directory unless it is there."""
        ...

    def sync_directory(self, path: str, /) -> None:
        """Return once the names in a directory are on the disk."""
        ...


class OSAppendHandle:
    """An append handle on a file descriptor."""

    __slots__ = ("fd",)

    def __init__(self, path: str) -> None:
        self.fd: int = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append as much of `data` as fits and return how many bytes that was."""
        return os.write(self.fd, data)

    def fsync(self) -> None:
        """Return once everything written is on the disk."""
        os.fsync(self.fd)

    def truncate(self, size: int, /) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(self.fd, size)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)


class OSFiles:
    """The disk that the operating system has."""

    __slots__ = ()

    def open_append(self, path: str, /) -> AppendHandle:
        """Open a file for appending, and create it if it is not there."""
        return OSAppendHandle(path)

    def open_read(self, path: str, /) -> ReadHandle:
        """Open a file for reading."""
        return Path(path).open("rb", buffering=0)

    def size(self, path: str, /) -> int | None:
        """Return the size of a file in bytes, or None if there is none."""
        try:
            return Path(path).stat().st_size if Path(path).is_file() else None
        except FileNotFoundError:
            return None

    def replace(self, source: str, target: str, /) -> None:
        """Rename a file, over the target if there is one, atomically."""
        Path(source).replace(target)

    def remove(self, path: str, /) -> None:
        """Remove a file."""
        Path(path).unlink()

    def make_directory(self, path: str, /) -> None:
        """Create a directory unless it is there."""
        Path(path).mkdir(exist_ok=True, parents=True)

    def sync_directory(self, path: str, /) -> None:
        """Return once the names in a directory are on the disk."""
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def read_whole(files: Files, path: str) -> bytes:
    """Return a small file's bytes."""
    handle = files.open_read(path)
    try:
        pieces = []
        while piece := handle.read(1 << 16):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        handle.close()


@contextmanager
def new_file(files: Files, path: str) -> Iterator[Callable[[bytes | bytearray], None]]:
    """Give the `write` of a new file; at the end of the block the disk has all of it. Raises OSError: it is gone.

    A file that is there under this name stays with whoever has it open, maybe the child of a server that was killed.
    """
    if files.size(path) is not None:
        files.remove(path)
    handle = files.open_append(path)

    def write(data: bytes | bytearray) -> None:
        rest = memoryview(data)
        while rest:
            count = handle.write(rest)
            if not count:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            rest = rest[count:]

    whole = False
    try:
        yield write
        handle.fsync()
        whole = True
    finally:
        handle.close()
        if not whole:
            with suppress(OSError):
                files.remove(path)


def replace_file(files: Files, temporary: str, path: str) -> None:
    """Put a complete file in its place, atomically, and make the disk have the name too. Raises OSError."""
    files.replace(temporary, path)
    files.sync_directory(path.rpartition("/")[0] or ".")


def replace_whole(files: Files, path: str, data: bytes) -> None:
    """Put a small file in place of the old one, atomically and durably. Raises OSError: the old one stays."""
    directory, _, name = path.rpartition("/")
    temporary = f"{directory}/temp-{name}"
    with new_file(files, temporary) as write:
        write(data)
    replace_file(files, temporary, path)
