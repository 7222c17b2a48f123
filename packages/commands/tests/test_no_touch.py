"""CLIENT NO-TOUCH: reads that leave no trace, under LRU and under LFU."""

import pytest

from cutaway.commands import Engine, FakeClock
from cutaway.commands.connections import connections
from cutaway.commands.expiring import generic
from cutaway.commands.objects import objects
from cutaway.commands.strings import strings


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def engine(clock):
    return Engine(strings, generic, objects, connections, clock=clock)


def run(engine, client, *words):
    engine.tick()
    return engine.execute(client, [str(word).encode() for word in words])


def test_a_read_leaves_the_idle_time_as_it_was_and_touch_does_not(engine, clock):
    quiet, other = engine.connect(), engine.connect()
    run(engine, other, "SET", "k", "v")
    clock.advance(10_000)
    assert run(engine, quiet, "CLIENT", "NO-TOUCH", "ON") == "OK"
    run(engine, quiet, "GET", "k")
    assert run(engine, other, "OBJECT", "IDLETIME", "k") == 10
    run(engine, quiet, "TOUCH", "k")
    assert run(engine, other, "OBJECT", "IDLETIME", "k") == 0


def test_other_clients_and_writes_touch_as_ever(engine, clock):
    quiet, other = engine.connect(), engine.connect()
    run(engine, quiet, "CLIENT", "NO-TOUCH", "ON")
    run(engine, quiet, "SET", "k", "v")
    assert run(engine, quiet, "OBJECT", "IDLETIME", "k") == 0
    clock.advance(10_000)
    run(engine, quiet, "GET", "k")
    run(engine, other, "GET", "k")
    assert run(engine, quiet, "OBJECT", "IDLETIME", "k") == 0


@pytest.mark.parametrize("end", ["OFF", "RESET", "close"])
def test_when_nobody_wants_it_any_more_nothing_of_it_is_left(engine, clock, end):
    gates, listeners = engine.gates, engine.on_call
    quiet = engine.connect()
    run(engine, quiet, "CLIENT", "NO-TOUCH", "ON")
    run(engine, quiet, "CLIENT", "NO-TOUCH", "ON")
    run(engine, quiet, "GET", "k")
    if end == "OFF":
        run(engine, quiet, "CLIENT", "NO-TOUCH", "OFF")
    elif end == "RESET":
        run(engine, quiet, "RESET")
    else:
        quiet.close()
    assert (engine.gates, engine.on_call) == (gates, listeners)
    assert engine.keyspace.access_for is None
    assert not quiet.on_close


def test_the_function_of_another_policy_is_put_back(engine):
    quiet = engine.connect()
    run(engine, quiet, "SET", "k", "v")

    def counted(access):
        return access + 1

    engine.keyspace.access_for = counted
    run(engine, quiet, "CLIENT", "NO-TOUCH", "ON")
    before = engine.keyspace.databases[0].keys[b"k"].access
    run(engine, quiet, "GET", "k")
    assert engine.keyspace.databases[0].keys[b"k"].access == before
    assert engine.keyspace.access_for is counted
