"""Which commands count as a use of a key, as OBJECT IDLETIME tells it."""

from __future__ import annotations

import pytest

from cutaway.commands import Engine, FakeClock
from cutaway.commands.expiring import generic
from cutaway.commands.objects import objects
from cutaway.commands.strings import strings


@pytest.mark.parametrize(
    "request_", ["TTL k", "PTTL k", "EXPIRETIME k", "TYPE k", "EXISTS k", "OBJECT ENCODING k", "RANDOMKEY"]
)
def test_asking_about_a_key_is_no_use_of_it(request_: str) -> None:
    assert idle_time_after(request_) == 30


@pytest.mark.parametrize("request_", ["GET k", "TOUCH k", "STRLEN k", "APPEND k x", "SET k w"])
def test_reading_or_changing_a_value_is(request_: str) -> None:
    assert idle_time_after(request_) == 0


def idle_time_after(request: str) -> object:
    clock = FakeClock()
    engine = Engine(generic, objects, strings, clock=clock)
    client = engine.connect()

    def ask(text: str) -> object:
        engine.tick()
        return engine.execute(client, [word.encode() for word in text.split()])

    ask("SET k v")
    clock.now += 30_000
    assert not isinstance(ask(request), Exception)
    return ask("OBJECT IDLETIME k")
