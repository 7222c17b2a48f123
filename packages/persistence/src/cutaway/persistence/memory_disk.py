"""A disk in memory that can lose its power: the contract `Files` for tests, simulations and notebooks.

A file is there twice, as on a real machine: what the operating system has taken from the process (`written`),
and what the disk has (`kept`). `fsync` makes the second equal to the first; losing the power makes the first
equal to the second. Names are there twice, too: a file whose directory was not synced may be gone, however
well its bytes were.
"""

from __future__ import annotations

from io import BytesIO


class MemoryFile:
    """The bytes of a file, as its readers see them and as a power cut would leave them."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.kept = b""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append; the bytes are with the operating system."""
        self.written += data
        return len(data)

    def fsync(self) -> None:
        """Return once the disk has what was written."""
        self.kept = bytes(self.written)

    def truncate(self, size: int, /) -> None:
        """Cut the file to `size` bytes."""
        del self.written[size:]

    def close(self) -> None:
        """Close the file; that makes nothing last."""


class MemoryDisk:
    """Keeps the contract `Files`, with all paths in one directory."""

    def __init__(self) -> None:
        self.files: dict[str, MemoryFile] = {}
        self.kept_names: dict[str, MemoryFile] = {}

    def lose_power(self) -> None:
        """Forget what has not reached the disk."""
        self.files = dict(self.kept_names)
        for file in self.files.values():
            file.written = bytearray(file.kept)

    def open_append(self, path: str, /) -> MemoryFile:
        """Open a file for appending, and create it if it is not there."""
        return self.files.setdefault(path, MemoryFile())

    def open_read(self, path: str, /) -> BytesIO:
        """Open a file for reading. Raises FileNotFoundError."""
        if path not in self.files:
            raise FileNotFoundError(path)
        return BytesIO(bytes(self.files[path].written))

    def size(self, path: str, /) -> int | None:
        """The size of a file, or None if there is none."""
        return len(self.files[path].written) if path in self.files else None

    def replace(self, source: str, target: str, /) -> None:
        """Rename a file, over the target if there is one."""
        self.files[target] = self.files.pop(source)

    def remove(self, path: str, /) -> None:
        """Remove a file."""
        del self.files[path]

    def make_directory(self, path: str, /) -> None:
        """There is but one directory, and it is there."""

    def sync_directory(self, path: str, /) -> None:  # noqa: ARG002 - there is but one
        """Return once the disk has the names."""
        self.kept_names = dict(self.files)
