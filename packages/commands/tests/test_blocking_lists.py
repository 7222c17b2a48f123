"""Waiting for an element: who gets it, in what order, and what the log says of it."""

from __future__ import annotations

import pytest

from cutaway.commands import Engine, FakeClock
from cutaway.commands.blocking_lists import lists
from cutaway.commands.connections import connections
from cutaway.commands.expiring import generic
from cutaway.commands.strings import strings
from cutaway.resp import NO_REPLY, NULL_ARRAY, Encoder


class Scene:
    """An engine with a producer, and consumers whose replies arrive in one inbox, under their names."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.engine = Engine(lists, strings, generic, connections, clock=self.clock)
        self.effects = []
        self.engine.on_propagate = (self.effects.extend,)
        self.inbox = []
        self.clients = {}

    def wait(self, name, request):
        client = self.clients[name] = self.engine.connect(lambda reply: self.inbox.append((name, reply)))
        self.engine.tick()
        return self.engine.execute(client, request.encode().split())

    def do(self, request):
        return self.engine.do(*request.split())

    def arrived(self):
        arrived, self.inbox = self.inbox, []
        return arrived

    def logged(self):
        logged = [b" ".join(argv).decode() for _, argv in self.effects]
        self.effects.clear()
        return logged


@pytest.fixture
def scene():
    return Scene()


def test_the_first_who_waits_is_the_first_who_gets(scene):
    assert scene.wait("first", "BLPOP l 0") is NO_REPLY
    assert scene.wait("second", "BRPOP l 0") is NO_REPLY
    assert scene.do("RPUSH l a") == 1
    assert scene.arrived() == [("first", [b"l", b"a"])]
    assert scene.do("RPUSH l b c") == 2
    assert scene.arrived() == [("second", [b"l", b"c"])]
    assert scene.do("LRANGE l 0 -1") == [b"b"]


def test_one_push_of_several_serves_several(scene):
    for name in "abc":
        scene.wait(name, "BLPOP l 0")
    scene.do("RPUSH l 1 2")
    assert scene.arrived() == [("a", [b"l", b"1"]), ("b", [b"l", b"2"])]
    assert scene.do("EXISTS l") == 0


def test_what_is_logged_is_the_pop_and_not_the_waiting(scene):
    scene.wait("a", "BLPOP l 0")
    assert scene.logged() == []
    scene.do("RPUSH l 1")
    assert scene.logged() == ["RPUSH l 1", "LPOP l"]
    scene.wait("b", "BRPOP l 0")
    scene.do("RPUSH l 1 2")
    assert scene.logged() == ["RPUSH l 1 2", "RPOP l"]
    scene.do("BLMPOP 0 2 x l RIGHT COUNT 5")
    assert scene.logged() == ["RPOP l 1"]
    scene.wait("c", "BLMOVE l to LEFT right 0")
    scene.do("LPUSH l 7")
    assert scene.logged() == ["LPUSH l 7", "LMOVE l to LEFT right"]
    scene.wait("d", "BRPOPLPUSH l to 0")
    scene.do("LPUSH l 8")
    assert scene.logged() == ["LPUSH l 8", "RPOPLPUSH l to"]
    scene.do("LMPOP 1 to LEFT COUNT 9")
    assert scene.logged() == ["LPOP to 2"]


def test_an_element_travels_through_a_chain_of_waiting_clients(scene):
    scene.wait("a", "BRPOPLPUSH one two 0")
    scene.wait("b", "BLMOVE two three RIGHT LEFT 0")
    scene.wait("c", "BLPOP three 0")
    scene.do("LPUSH one x")
    assert scene.arrived() == [("a", b"x"), ("b", b"x"), ("c", [b"three", b"x"])]


def test_a_key_of_another_type_wakes_nobody(scene):
    scene.wait("a", "BLPOP l 0")
    scene.do("SET l v")
    assert scene.arrived() == []
    scene.do("DEL l")
    scene.do("RPUSH l x")
    assert scene.arrived() == [("a", [b"l", b"x"])]


def test_a_destination_of_another_type_ends_the_waiting_with_an_error(scene):
    scene.do("SET to v")
    scene.wait("a", "BLMOVE l to LEFT LEFT 0")
    scene.do("RPUSH l x")
    ((_, reply),) = scene.arrived()
    assert str(reply).startswith("WRONGTYPE")
    assert scene.do("LRANGE l 0 -1") == [b"x"]


def test_a_list_that_is_renamed_onto_the_key_serves_who_waits(scene):
    scene.wait("a", "BLPOP l 0")
    scene.do("RPUSH other x")
    scene.do("RENAME other l")
    assert scene.arrived() == [("a", [b"l", b"x"])]


def test_the_deadline_is_kept_although_the_command_ran_again(scene):
    scene.wait("a", "BLPOP l 1.5")
    scene.wait("b", "BLPOP l 0")
    scene.clock.advance(1000)
    scene.do("SET l v")
    scene.clock.advance(499)
    scene.engine.expire_blocked()
    assert scene.arrived() == []
    scene.clock.advance(1)
    scene.engine.expire_blocked()
    assert scene.arrived() == [("a", NULL_ARRAY)]


@pytest.mark.parametrize(
    "request_", ["BLPOP l 0.01", "BLMOVE l m LEFT LEFT 0.01", "BRPOPLPUSH l m 0.01", "BLMPOP 0.01 1 l LEFT"]
)
def test_waiting_in_vain_ends_as_in_a_real_server(scene, twins, request_):
    scene.wait("a", request_)
    scene.clock.advance(10)
    scene.engine.expire_blocked()
    ((_, reply),) = scene.arrived()
    assert Encoder(twins.protocol).encode(reply) == twins.real.ask_bytes(*request_.encode().split())


def test_a_client_that_is_gone_gets_nothing(scene):
    scene.wait("a", "BLPOP l 0")
    scene.wait("b", "BLPOP l 0")
    scene.clients["a"].close()
    scene.do("RPUSH l x")
    assert scene.arrived() == [("b", [b"l", b"x"])]


def test_however_often_it_runs_it_is_one_call(scene):
    blpop = scene.engine.commands[b"blpop"]
    scene.wait("a", "BLPOP l 0")
    scene.wait("b", "BLPOP l 1")
    assert blpop.calls == 0
    scene.do("RPUSH l x")
    assert blpop.calls == 1
    scene.clock.advance(1000)
    scene.engine.expire_blocked()
    assert blpop.calls == 2


def test_what_expires_before_it_can_be_handed_over_is_not_handed_over(scene):
    scene.wait("a", "BLPOP l 0")
    with scene.engine.unit():
        scene.do("RPUSH l x")
        scene.do("PEXPIRE l 100")
        scene.clock.advance(101)
    assert scene.arrived() == []
    scene.do("RPUSH l y")
    assert scene.arrived() == [("a", [b"l", b"y"])]
