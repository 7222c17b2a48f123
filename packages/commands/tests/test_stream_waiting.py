"""Waiting for entries: who is woken, by what, and what they are told."""

from __future__ import annotations

import pytest

from cutaway.commands import Engine, FakeClock
from cutaway.commands.connections import connections
from cutaway.commands.expiring import generic
from cutaway.commands.lists import lists
from cutaway.commands.stream_claims import streams
from cutaway.commands.strings import strings
from cutaway.resp import NO_REPLY, NULL_ARRAY, PairMap

NO_GROUP = "NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"
ENTRY = [b"1-1", [b"f", b"v"]]


class Scene:
    """An engine, a writer, and readers whose replies arrive in one inbox, each with the reader's name."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.engine = Engine(streams, strings, lists, generic, connections, clock=self.clock)
        self.effects = []
        self.engine.on_propagate = (self.effects.extend,)
        self.inbox = []
        self.clients = {}

    def wait(self, name, request):
        client = self.clients[name] = self.engine.connect(lambda reply: self.inbox.append((name, reply)))
        self.engine.tick()
        reply = self.engine.execute(client, request.encode().split())
        assert reply is NO_REPLY, reply
        assert not self.inbox

    def do(self, request):
        return self.engine.do(*request.split())

    def arrived(self):
        arrived, self.inbox = self.inbox, []
        return [(name, plain(reply)) for name, reply in arrived]


def plain(reply):
    if isinstance(reply, PairMap):
        return {key: list(entries) for key, entries in reply.items}
    return getattr(reply, "message", reply)


@pytest.fixture
def scene():
    return Scene()


def test_every_xread_that_waits_gets_the_entry(scene):
    scene.do("XADD s 0-1 f old")
    scene.wait("a", "XREAD BLOCK 0 STREAMS s $")
    scene.wait("b", "XREAD BLOCK 0 STREAMS other s 0 $")
    scene.do("XADD s 1-1 f v")
    assert scene.arrived() == [("a", {b"s": [ENTRY]}), ("b", {b"s": [ENTRY]})]


def test_the_dollar_means_the_end_as_it_was_when_the_waiting_began(scene):
    scene.wait("a", "XREAD BLOCK 0 STREAMS s $")
    scene.do("XGROUP CREATE s g $ MKSTREAM")
    scene.do("XDEL s 0-1")
    assert scene.arrived() == []
    scene.do("XADD s 1-1 f v")
    assert scene.arrived() == [("a", {b"s": [ENTRY]})]


def test_the_plus_waits_for_the_next_entry_of_an_empty_stream(scene):
    scene.wait("a", "XREAD BLOCK 0 STREAMS s +")
    scene.do("XADD s 1-1 f v")
    assert scene.arrived() == [("a", {b"s": [ENTRY]})]


def test_an_id_ahead_of_the_stream_waits_until_it_is_passed(scene):
    scene.wait("a", "XREAD BLOCK 0 STREAMS s 1-0")
    scene.do("XADD s 0-5 f v")
    assert scene.arrived() == []
    scene.do("XADD s 1-1 f v")
    assert scene.arrived() == [("a", {b"s": [ENTRY]})]


def test_a_key_of_another_type_does_not_end_the_waiting_of_xread(scene):
    scene.wait("a", "XREAD BLOCK 0 STREAMS s $")
    scene.do("RPUSH s x")
    scene.do("DEL s")
    assert scene.arrived() == []
    scene.do("XADD s 1-1 f v")
    assert scene.arrived() == [("a", {b"s": [ENTRY]})]


def test_a_deadline_ends_the_waiting_with_a_null(scene):
    scene.wait("a", "XREAD BLOCK 10 STREAMS s $")
    scene.clock.advance(9)
    scene.engine.expire_blocked()
    assert scene.arrived() == []
    scene.clock.advance(1)
    scene.engine.expire_blocked()
    assert scene.arrived() == [("a", NULL_ARRAY)]


def test_an_entry_goes_to_the_first_member_who_waits(scene):
    scene.do("XGROUP CREATE s g $ MKSTREAM")
    scene.wait("a", "XREADGROUP GROUP g alice BLOCK 0 STREAMS s >")
    scene.wait("b", "XREADGROUP GROUP g bob BLOCK 0 STREAMS s >")
    scene.do("XADD s 1-1 f v")
    assert scene.arrived() == [("a", {b"s": [ENTRY]})]
    scene.do("XADD s 1-2 f v")
    assert scene.arrived() == [("b", {b"s": [[b"1-2", [b"f", b"v"]]]})]
    assert scene.do("XPENDING s g")[0] == 2


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ("DEL s", NO_GROUP),
        ("RENAME s t", NO_GROUP),
        ("XGROUP DESTROY s g", NO_GROUP),
        ("FLUSHALL", NO_GROUP),
        ("PEXPIREAT s 1", NO_GROUP),
        ("SET s v", "WRONGTYPE Operation against a key holding the wrong kind of value"),
    ],
)
def test_a_member_is_told_when_its_group_goes_away(scene, request_, told):
    scene.do("XGROUP CREATE s g $ MKSTREAM")
    scene.wait("a", "XREADGROUP GROUP g alice BLOCK 0 STREAMS s >")
    scene.do("XGROUP CREATE s other $")
    scene.do("XGROUP DESTROY s other")
    assert scene.arrived() == []
    scene.do(request_)
    assert scene.arrived() == [("a", told)]


def test_a_member_of_one_stream_is_told_though_another_one_stays(scene):
    scene.do("XGROUP CREATE s g $ MKSTREAM")
    scene.do("XGROUP CREATE t g $ MKSTREAM")
    scene.wait("a", "XREADGROUP GROUP g alice BLOCK 0 STREAMS t s > >")
    scene.do("DEL s")
    assert scene.arrived() == [("a", NO_GROUP)]


def test_history_is_answered_at_once(scene):
    scene.do("XGROUP CREATE s g $ MKSTREAM")
    assert plain(scene.do("XREADGROUP GROUP g alice BLOCK 0 STREAMS s 0")) == {b"s": []}


def test_unblocking_by_hand(scene):
    scene.wait("a", "XREAD BLOCK 0 STREAMS s $")
    assert scene.do(f"CLIENT UNBLOCK {scene.clients['a'].id}") == 1
    assert scene.arrived() == [("a", NULL_ARRAY)]
    scene.wait("b", "XREAD BLOCK 0 STREAMS s $")
    assert scene.do(f"CLIENT UNBLOCK {scene.clients['b'].id} ERROR") == 1
    assert scene.arrived() == [("b", "UNBLOCKED client unblocked via CLIENT UNBLOCK")]


def test_a_member_that_waited_leaves_the_same_trace_as_one_that_did_not(scene):
    scene.do("XGROUP CREATE s g $ MKSTREAM")
    scene.wait("a", "XREADGROUP GROUP g alice BLOCK 0 STREAMS s >")
    scene.effects.clear()
    scene.do("XADD s 1-1 f v")
    now = scene.engine.keyspace.now
    assert [b" ".join(argv).decode() for _, argv in scene.effects] == [
        "XADD s 1-1 f v",
        "MULTI",
        f"XCLAIM s g alice 0 1-1 TIME {now} RETRYCOUNT 1 FORCE JUSTID LASTID 1-1",
        "XGROUP SETID s g 1-1 ENTRIESREAD 1",
        "EXEC",
    ]
