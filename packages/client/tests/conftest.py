"""Real servers to talk to, each on a unix socket of its own, and the two programs that are compared."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from cutaway.client import Address, Client
from cutaway.testing import RealServer
from cutaway.testing.fixtures import real_or_skip

OURS = [sys.executable, "-m", "cutaway.client"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "REDISCLI_AUTH"}


@pytest.fixture(params=["redis", "valkey"])
def server(request: pytest.FixtureRequest) -> RealServer:
    """Each of the two, emptied."""
    found: RealServer = request.getfixturevalue(f"{request.param}_server")
    with Client(Address(path=found.path)) as client:
        client.call("FLUSHALL")
    return found


@pytest.fixture
def redis_cli() -> list[str]:
    """The command of redis-cli."""
    path = shutil.which("redis-cli")
    if path is None:
        pytest.skip("no redis-cli in PATH")
    return [path]


Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def run() -> Run:
    """Run a program, with bytes on its standard input, and give its output and status."""

    def run(
        command: list[str], *arguments: str, stdin: bytes = b"", **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*command, *arguments],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            env={**ENVIRONMENT, **environment},
        )

    return run


@pytest.fixture
def own_server() -> Iterator[RealServer]:
    """A server of this test alone, which it may stop and start."""
    with real_or_skip("any") as server:
        yield server
