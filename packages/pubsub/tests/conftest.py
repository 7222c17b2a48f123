"""Our engine and a real server, each with several clients, given the same steps: scenarios for `Duo`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cutaway.commands import Engine
from cutaway.pubsub import Tracking, install, pubsub, tracking_commands
from cutaway.testing import RealServer
from cutaway.testing.duos import Duo
from cutaway.testing.twins import all_tables


class ListeningDuo(Duo):
    """A duo whose clients may subscribe and track."""

    def __init__(self, server: RealServer) -> None:
        engine = Engine(*all_tables(pubsub, tracking_commands))
        install(engine)
        self.tracking: Tracking = engine.extras["tracking"]
        super().__init__(engine, server)

    def after_command(self) -> None:
        self.tracking.broadcast()

    def check(self) -> None:
        self.engine.extras["pubsub"].check()
        self.tracking.check()

    def expire_in_the_background(self) -> None:
        """Let both remove what has expired, and tell of it; otherwise they do so at a lookup only."""
        self.tell("DEBUG", "SET-ACTIVE-EXPIRE", 1)
        self.engine.cron()
        self.compare("the background's work")
        self.tell("DEBUG", "SET-ACTIVE-EXPIRE", 0)


@pytest.fixture
def duo(real_server: RealServer) -> Iterator[ListeningDuo]:
    with ListeningDuo(real_server) as pair:
        yield pair


@pytest.fixture
def make_duo(real_server: RealServer) -> Callable[[], ListeningDuo]:
    """For property tests, which need a fresh pair for each example, and close it themselves."""
    return lambda: ListeningDuo(real_server)
