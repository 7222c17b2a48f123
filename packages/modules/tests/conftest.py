"""An engine with strings and a registry of modules, without a socket."""

from __future__ import annotations

import pytest

from cutaway.commands import Engine, FakeClock
from cutaway.commands.connections import connections
from cutaway.commands.counters import counters
from cutaway.commands.expiring import generic
from cutaway.commands.introspection import introspection
from cutaway.commands.strings import strings
from cutaway.config import Config
from cutaway.modules import Modules, install, module_commands


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(clock: FakeClock) -> Engine:
    config = Config({"enable-module-command": "yes"})
    tables = (strings, counters, generic, connections, introspection, module_commands)
    engine = Engine(*tables, clock=clock, config=config)
    install(engine)
    return engine


@pytest.fixture
def modules(engine: Engine) -> Modules:
    return engine.extras["modules"]


@pytest.fixture
def logged(engine: Engine) -> list[tuple[bytes, ...]]:
    """What goes to the log of commands."""
    effects: list[tuple[bytes, ...]] = []
    engine.on_propagate = (lambda pending: effects.extend(tuple(argv) for _, argv in pending),)
    return effects
