"""The server as its users have it: a process of its own, talked to over a socket."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import cutaway.testing
from cutaway.testing import Peer, RealServer, ServerProcess
from cutaway.testing.fixtures import real_or_skip


class Running(ServerProcess):
    """One process of our server, with its files and its log in a folder."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.port = cutaway.testing.free_port()
        file = [each for each in arguments[:1] if not each.startswith("-")]
        options = ["--port", str(self.port), "--dir", str(folder), *arguments[len(file) :]]
        super().__init__(
            [sys.executable, "-m", "server", *file, *options],
            ("127.0.0.1", self.port),
            log=folder / f"log-{self.port}",
            environment={"NO_COLOR": "1"},
        )

    def is_ready(self) -> bool:
        """Whether the log says so: nothing is asked, so nothing is counted."""
        return "Ready to accept connections" in self.printed()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """`start("--appendonly", "yes")` starts a server in this test's folder; all are ended after the test."""
    with ExitStack() as started:
        yield lambda *arguments: started.enter_context(Running(tmp_path, *arguments))


@pytest.fixture(scope="session")
def make_running() -> type[Running]:
    """For fixtures that start servers of their own."""
    return Running


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the defaults, for tests that leave it as it was."""
    with Running(tmp_path_factory.mktemp("shared"), "--save", "") as server:
        yield server


@pytest.fixture
def peer(shared_server: Running) -> Iterator[Peer]:
    with shared_server.connect() as client:
        client.ask("FLUSHALL")
        yield client


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    return cutaway.testing.free_port()


# ---- the real servers on this machine, to compare with


@pytest.fixture(scope="module", params=["redis", "valkey"])
def real(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    """Redis, and then Valkey, with an append-only file."""
    with real_or_skip(request.param, "--appendonly", "yes") as server:
        yield server


@pytest.fixture(scope="module")
def valkey(valkey_server: RealServer) -> Iterator[Peer]:
    """A client of a Valkey."""
    with valkey_server.connect() as peer:
        yield peer
