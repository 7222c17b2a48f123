"""The server as the libraries of others meet it. `SERVER=redis-server` runs the same tests on a real one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from cutaway.testing import Peer, PortServer


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server that the module has for itself."""
    program = [os.environ["SERVER"]] if "SERVER" in os.environ else [sys.executable, "-m", "server"]
    with PortServer(program) as server:
        yield server.port
        server.stop()
        assert "this is a bug" not in server.printed()


@pytest.fixture
def url(port: int) -> str:
    """An empty server's address."""
    with Peer(("127.0.0.1", port)) as peer:
        assert peer.ask("FLUSHALL") == "OK"
    return f"redis://127.0.0.1:{port}/0"
