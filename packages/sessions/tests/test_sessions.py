"""SESSION.*, without a socket."""

from __future__ import annotations

import uuid

import pytest

from cutaway.commands import CommandError, Engine, FakeClock
from cutaway.commands.expiring import generic
from cutaway.commands.scanning import scan as _scan  # noqa: F401 - declares into `generic`
from cutaway.commands.strings import strings
from cutaway.custom import module as custom
from cutaway.modules import ModuleError, ServerEvent, install
from cutaway.sessions import module


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def engine(clock):
    engine = Engine(generic, strings, clock=clock)
    modules = install(engine)
    modules.add(custom)
    modules.add(module)
    return engine


def created(reply: str) -> str:
    text, _, identity = reply.rpartition(" ")
    assert text == "Session created:"
    return identity


def test_without_the_module_it_builds_on_it_is_refused():
    with pytest.raises(
        ModuleError, match="the module 'sessions' needs the module 'custom', which is not loaded"
    ):
        install(Engine(generic)).add(module)


def test_a_session_from_its_creation_to_its_end(engine):
    identity = created(engine.do("SESSION.CREATE", "user:1"))
    assert uuid.UUID(identity).version == 4
    assert engine.do("CUSTOM.GET", "user:1") == identity.encode()
    assert engine.do("SESSION.LIST") == [identity.encode()]
    assert engine.do("SESSION.ADD_DATA", identity, "theme", "dark") == "OK"
    assert engine.do("SESSION.GET_DATA", identity, "theme") == b"dark"
    assert engine.do("SESSION.GET_DATA", identity, "nothing") is None
    session = engine.do("SESSION.GET", identity)
    assert session[b"user_key"] == b"user:1"
    assert session[b"data"] == {b"theme": b"dark"}
    assert engine.do("SESSION.DELETE", identity) == 1
    assert engine.do("SESSION.DELETE", identity) == 0
    assert engine.do("CUSTOM.GET", "user:1") is None
    assert engine.do("SESSION.LIST") == []


def test_what_is_asked_of_no_session_is_an_error(engine):
    for words in (["SESSION.GET", "x"], ["SESSION.ADD_DATA", "x", "k", "v"], ["SESSION.GET_DATA", "x", "k"]):
        reply = engine.do(*words)
        assert isinstance(reply, CommandError)
        assert reply.message == "ERR no such session"


def test_a_user_has_one_session_the_newest(engine):
    first = created(engine.do("SESSION.CREATE", "user:1"))
    second = created(engine.do("SESSION.CREATE", "user:1"))
    assert engine.do("SESSION.LIST") == [second.encode()]
    assert isinstance(engine.do("SESSION.GET", first), CommandError)
    assert engine.do("CUSTOM.GET", "user:1") == second.encode()


@pytest.mark.parametrize("end", ["expiry", "del", "flush"])
def test_a_session_may_end_by_itself_and_its_user_is_then_without(engine, clock, end):
    identity = created(engine.do("SESSION.CREATE", "user:1", "EX", "5"))
    if end == "expiry":
        clock.advance(5001)
        engine.cron()
    elif end == "del":
        assert engine.do("DEL", f"session:{identity}") == 1
    else:
        engine.keyspace.flush(engine.keyspace.databases)
    assert engine.do("SESSION.LIST") == []
    assert engine.do("CUSTOM.GET", "user:1") is None


def test_the_log_makes_the_same_session_again(engine, clock):
    effects = []
    engine.on_propagate = (lambda pending: effects.extend(list(argv) for _, argv in pending),)
    identity = created(engine.do("SESSION.CREATE", "user:1", "EX", "5"))
    engine.do("SESSION.ADD_DATA", identity, "a", "1")
    other = created(engine.do("SESSION.CREATE", "user:2"))
    engine.do("SESSION.DELETE", other)
    replica = Engine(generic, strings, clock=clock)
    modules = install(replica)
    modules.add(custom)
    modules.add(module)
    for argv in effects:
        assert not isinstance(replica.do(*argv), CommandError), argv
    assert replica.do("SESSION.LIST") == [identity.encode()]
    assert replica.do("SESSION.GET", identity) == engine.do("SESSION.GET", identity)
    assert replica.do("CUSTOM.GET", "user:1") == identity.encode()


def test_after_a_restart_the_sessions_are_known_again(engine):
    identity = created(engine.do("SESSION.CREATE", "user:1"))
    modules = engine.extras["modules"]
    modules.loaded["sessions"].state.clear()
    modules.fire(ServerEvent("loaded"))
    assert engine.do("SESSION.LIST") == [identity.encode()]


@pytest.mark.parametrize(
    "options", [["EX"], ["EX", "0"], ["EX", "x"], ["EX", "9" * 30], ["XX", "1"], ["PXAT", "-1"]]
)
def test_options_that_make_no_sense_are_refused_and_leave_nothing(engine, options):
    assert isinstance(engine.do("SESSION.CREATE", "user:1", *options), CommandError)
    assert engine.do("SESSION.LIST") == []


def test_sessions_are_the_same_from_every_database(engine):
    client = engine.connect()
    client.db = engine.keyspace.databases[3]
    reply = engine.execute(client, [b"SESSION.CREATE", b"user:1"])
    identity = created(reply)
    assert engine.do("SESSION.LIST") == [identity.encode()]
    assert engine.execute(client, [b"SESSION.DELETE", identity.encode()]) == 1
