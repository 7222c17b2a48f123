"""Real servers that load our files and write theirs; and a disk in memory, which can fail."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from cutaway.resp import Reply
from cutaway.testing import Kind, RealServer, Word
from cutaway.testing.fixtures import or_skip

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")  # what a test may take is no business of the test


class SavingServer(RealServer):
    """A real server and one connection to it: `server("GET", "k")`."""

    def __init__(self, kind: Kind, *options: str, folder: Path | None = None) -> None:
        super().__init__(kind, *options, folder=folder)
        self._peer = self.connect(timeout=20)

    def __call__(self, *words: Word) -> Reply:
        """Send one command and return the reply."""
        return self._peer.ask(*words)

    def save(self) -> bytes:
        """Let the server save, and return the file."""
        assert self("SAVE") == "OK"
        return (self.folder / "dump.rdb").read_bytes()

    def close(self) -> None:
        self._peer.close()
        super().close()


StartServer = Callable[..., SavingServer]


@pytest.fixture
def start() -> Iterator[StartServer]:
    """Return a function that starts "redis" or "valkey", in a new folder or in one that holds files."""
    with ExitStack() as started:

        def start_one(kind: Kind, *options: str, folder: Path | None = None) -> SavingServer:
            return started.enter_context(or_skip(SavingServer, kind, *options, folder=folder))

        yield start_one


class Disk:
    """A disk in memory that can be full, forget what was not synced, and fail at a chosen call."""

    def __init__(self) -> None:
        self.data: dict[str, bytearray] = {}
        self.room = 1 << 40
        self.fail_fsync = False
        self.fail: str = ""
        self.fsyncs = 0

    def _check(self, call: str) -> None:
        if self.fail == call:
            raise OSError(5, f"{call} failed")

    def open_append(self, path: str) -> DiskHandle:
        self._check("open")
        self.data.setdefault(path, bytearray())
        return DiskHandle(self, path)

    def open_read(self, path: str) -> io.BytesIO:
        return io.BytesIO(self.data[path])

    def size(self, path: str) -> int | None:
        return len(self.data[path]) if path in self.data else None

    def replace(self, source: str, target: str) -> None:
        self._check("replace")
        self.data[target] = self.data.pop(source)

    def remove(self, path: str) -> None:
        self._check("remove")
        del self.data[path]

    def make_directory(self, path: str) -> None:
        pass

    def sync_directory(self, path: str) -> None:
        self._check("sync_directory")


class DiskHandle:
    """An open file of a `Disk`: what it writes to stays the same when the file is renamed."""

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk = disk
        self._file = disk.data[path]
        self.closed = False

    def write(self, data: bytes | bytearray) -> int:
        self._disk._check("write")
        count = min(len(data), self._disk.room)
        if data and not count:
            raise OSError(28, "No space left on device")
        self._disk.room -= count
        self._file += data[:count]
        return count

    def fsync(self) -> None:
        if self._disk.fail_fsync:
            raise OSError(5, "Input/output error")
        self._disk.fsyncs += 1

    def truncate(self, size: int) -> None:
        self._disk._check("truncate")
        self._disk.room += len(self._file) - size
        del self._file[size:]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def disk() -> Disk:
    """Return a disk in memory."""
    return Disk()
