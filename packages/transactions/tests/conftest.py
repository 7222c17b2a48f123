"""Our engine and a real server, each with several clients, given the same steps: scenarios for `Duo`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cutaway.commands import CommandTable, Engine
from cutaway.testing import RealServer
from cutaway.testing.duos import Duo
from cutaway.testing.twins import all_tables
from cutaway.transactions import install, transactions

TABLES = all_tables(transactions)


@pytest.fixture(scope="session")
def tables() -> list[CommandTable]:
    return TABLES


def make_engine() -> Engine:
    engine = Engine(*TABLES)
    install(engine)
    return engine


@pytest.fixture
def duo(real_server: RealServer) -> Iterator[Duo]:
    with Duo(make_engine(), real_server) as pair:
        yield pair


@pytest.fixture
def make_duo(real_server: RealServer) -> Callable[[], Duo]:
    """For property tests, which need a fresh pair for each example, and close it themselves."""
    return lambda: Duo(make_engine(), real_server)
