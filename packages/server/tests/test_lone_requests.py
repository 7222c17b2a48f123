"""Lone requests run together at the end of the turn: nobody can tell that from running each as it comes."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cutaway.resp import RequestParser, encode_request
from cutaway.server.parts import default_parts

sys.path.insert(0, str(Path(__file__).parent))
from houses import House

CLIENTS = 4

WORDS = (
        b"GET k", b"get k", b"SET k 1", b"SET k word", b"INCR k", b"INCR k k", b"LPUSH k a", b"LPUSH list a b", b"LPOP list",
        b"LRANGE list 0 -1", b"DEL k list", b"MGET k list none", b"SET k v PX 5000000", b"TTL none", b"SELECT 1", b"SELECT 0",
        b"SWAPDB 0 1", b"FLUSHALL", b"PING", b"ECHO hello", b"NOSUCH k", b"SADD set a b", b"SMEMBERS set", b"HSET hash f v",
        b"HGETALL hash", b"ZADD z 1.5 m", b"ZRANGE z 0 -1 WITHSCORES", b"SETRANGE large 70000 x", b"GET large",
)  # fmt: skip
words = st.sampled_from(WORDS)
others = st.sampled_from(
    [
        b"BLPOP list 0", b"MULTI", b"EXEC", b"DISCARD", b"WATCH k", b"SUBSCRIBE news", b"UNSUBSCRIBE", b"PUBLISH news item",
        b"HELLO 3", b"HELLO 2", b"CLIENT TRACKING ON", b"CLIENT TRACKING OFF", b"CLIENT REPLY OFF", b"CLIENT REPLY ON",
        b"CLIENT REPLY SKIP", b"CLIENT KILL ID 2", b"CONFIG SET notify-keyspace-events KEA", b"PSUBSCRIBE *", b"PUNSUBSCRIBE",
        b"CONFIG SET notify-keyspace-events ''", b"CONFIG SET maxmemory 100000000", b"CONFIG SET maxmemory 1", b"CONFIG SET maxmemory 0",
        b"CONFIG SET slowlog-log-slower-than 0", b"CONFIG SET commandlog-request-larger-than 1", b"COMMANDLOG LEN large-request",
        b"CONFIG SET commandlog-reply-larger-than 100", b"COMMANDLOG LEN large-reply", b"SLOWLOG LEN", b"MONITOR", b"RESET", b"QUIT",
        b"CLIENT PAUSE 100000 WRITE", b"CLIENT PAUSE 100000 ALL", b"CLIENT UNPAUSE", b"EVAL return(redis.call('INCR','k')) 0",
        b"ACL SETUSER default -incr", b"ACL SETUSER default +incr", b"CLIENT INFO",
    ]
)  # fmt: skip


def request(line: bytes) -> bytes:
    return encode_request(line.replace(b"''", b"").split(b" "))


KINDS = ["lone"] * 25 + ["other"] * 4 + ["several", "inline", "broken", "cut"]


@st.composite
def arrivals(draw: st.DrawFn) -> bytes:
    """What comes from a client in one piece."""
    kind = draw(st.sampled_from(KINDS))
    if kind == "several":
        return b"".join(map(request, draw(st.lists(words | others, min_size=2, max_size=4))))
    if kind == "inline":
        return b"PING\r\n"
    if kind == "broken":
        return b"*1\r\n!\r\n"
    data = request(draw(others if kind == "other" else words))
    return data[: draw(st.integers(1, len(data)))] if kind == "cut" else data


@st.composite
def turns(draw: st.DrawFn) -> list[tuple[int, bytes]]:
    """What comes in one turn of the loop, mostly one piece from each of some clients; the empty piece is the end of a connection."""
    clients = draw(
        st.lists(
            st.integers(0, CLIENTS - 1),
            max_size=2 * CLIENTS,
            unique=draw(st.sampled_from([True, True, True, False])),
        )
    )
    return [(client, b"" if draw(st.integers(0, 60)) == 60 else draw(arrivals())) for client in clients]


def after(happened: list, house: House) -> tuple:
    """What the clients were told, what is in the keyspace, and what was counted, once this has happened."""
    both = [house.connect() for _ in range(CLIENTS)]
    gone = set()
    house.server.engine.do(
        "CONFIG", "SET", "slowlog-log-slower-than", 10**9
    )  # what is slow is the machine's affair
    for line in WORDS:  # spelled for the first time they are no lone requests yet
        both[0][0].data_received(request(line))
    for connection, _ in both:
        connection.data_received(request(b"FLUSHALL"))
    house.turn()
    for turn in [*happened, [], []]:
        for number, data in turn:
            connection, wire = both[number]
            if number in gone:
                continue
            if not data or wire.is_closed:
                gone.add(number)
                connection.connection_lost(None)
            elif wire.is_read:
                connection.data_received(data)
        house.turn()
    engine = house.server.engine
    written = [re.sub(rb"\+\d+\.\d{6}|age=\d+|idle=\d+|oll=\d+", b"", wire.written) for _, wire in both]
    engine.do("CLIENT", "UNPAUSE")
    calls = {name: (command.calls, command.rejected_calls) for name, command in engine.commands.items()}
    connections = [(one.bytes_in, one.bytes_out, one.client.total_commands) for one, _ in both]
    counted = house.server.reads, engine.errors_by_code, calls, connections
    data = {
        (db.index, key): engine.do("DUMP", key) for db in engine.keyspace.databases for key in sorted(db.keys)
    }
    return written, data, counted


def in_turns(*lines: str) -> list[list[tuple[int, bytes]]]:
    """Client 0 sends a line in each turn, and client 1 changes a key in the same turn, after it."""
    return [[(0, request(line.encode())), (1, request(b"INCR k"))] for line in lines]


@settings(max_examples=200, deadline=None)
@example(in_turns("HELLO 3", "CLIENT TRACKING ON", "GET k", "SET k 1", "GET k"))
@example(in_turns("HELLO 3", "CONFIG SET notify-keyspace-events KEA", "PSUBSCRIBE *", "SET k 1", "INCR k"))
@example(in_turns("HELLO 3", "MONITOR", "PING", "SET k 1"))
@example(in_turns("CONFIG SET commandlog-request-larger-than 1", "GET k", "COMMANDLOG LEN large-request"))
@example(
    in_turns(
        "CONFIG SET commandlog-reply-larger-than 70000",
        "SETRANGE large 70000 x",
        "GET large",
        "COMMANDLOG LEN large-reply",
    )
)
@example(
    in_turns(
        "CONFIG SET commandlog-reply-larger-than 10",
        "SETRANGE large 7 x",
        "ECHO hello-hello",
        "COMMANDLOG LEN large-reply",
    )
)
@example(in_turns("CLIENT PAUSE 100000 ALL", "GET k", "GET k", "CLIENT UNPAUSE", "GET k"))
@example(
    [
        [(0, request(b"CLIENT PAUSE 100000 ALL"))],
        [(1, request(b"GET k")), (1, request(b"PING"))],
        [(0, request(b"CLIENT UNPAUSE"))],
        [],
    ]
)
@given(happened=st.lists(turns(), min_size=3, max_size=12))
def test_nobody_can_tell_when_they_run(happened: list):
    """The readable parser knows no lone requests, so with it each runs as it comes."""
    outcomes = []
    for parts in (default_parts(), replace(default_parts(), request_parser=RequestParser)):
        house = House(parts)
        outcomes.append(after(happened, house))
        house.close()
    assert outcomes[0] == outcomes[1]


def test_no_reply_leaves_before_the_log_is_written():
    house = House()
    (first, told), (second, _) = house.connect(), house.connect()
    for connection in (first, second):
        for line in (b"INCR k", b"PING"):
            connection.data_received(request(line))
            house.turn()
    before, seen = told.written, []
    house.server.before_flush = (
        lambda: seen.append((told.written == before, house.server.engine.do("GET", "k"))),
    )
    first.data_received(request(b"INCR k"))
    house.turn()
    assert seen == [(True, b"3")]
    assert told.written == before + b":3\r\n"
    before = told.written
    first.data_received(request(b"INCR k"))
    second.data_received(request(b"DEBUG SLEEP 0"))  # not plain: the other one goes first
    assert told.written == before
    house.turn()
    assert seen[1:] == [(True, b"4")]
    assert told.written == before + b":4\r\n"
    house.close()


def test_while_one_keeps_the_loop_the_others_still_wait(monkeypatch):
    """A script that lasts lets other clients be heard (`busy.py`): who came before them goes before them."""
    house = House()
    pairs = [house.connect() for _ in range(3)]
    for line in (b"PING", b"INCR k"):
        for connection, _ in pairs:
            connection.data_received(request(line))
            house.turn()
    seen = []

    def keep(*_arguments):
        house.server.lone.settle()
        seen.append(house.server.engine.do("GET", "k"))
        return b"kept"

    monkeypatch.setattr(house.server.engine.commands[b"ping"], "handler", keep)
    for (connection, wire), data in zip(
        pairs, (request(b"INCR k"), request(b"PING") + b"PI", request(b"INCR k")), strict=True
    ):
        wire.written = b""
        connection.data_received(data)
    house.turn()
    assert seen == [b"5"]
    assert [wire.written for _, wire in pairs] == [b":4\r\n", b"$4\r\nkept\r\n", b":5\r\n"]
    house.close()


def test_after_a_slow_one_the_others_have_a_moment_of_their_own(monkeypatch):
    house = House()
    engine = house.server.engine
    pairs = [house.connect() for _ in range(3)]
    for line in (b"SET k v PX 1000", b"GET k"):
        for connection, _ in pairs:
            connection.data_received(request(line))
            house.turn()
    start = engine.clock()
    sleep = engine.commands[b"ping"]

    def slow(*_arguments):
        clock.append(start + 2000)
        return b"slept"

    clock, ticks = [start], iter(range(0, 10**12, 10**9))
    monkeypatch.setattr(type(engine), "clock", property(lambda _: lambda: clock[-1]), raising=False)
    monkeypatch.setattr(type(engine), "stopwatch", property(lambda _: lambda: next(ticks)), raising=False)
    monkeypatch.setattr(sleep, "handler", slow)
    told = [wire.written for _, wire in pairs]
    for (connection, _), line in zip(pairs, (b"GET k", b"PING", b"GET k"), strict=True):
        connection.data_received(request(line))
    house.turn()
    answers = [wire.written[len(said) :] for (_, wire), said in zip(pairs, told, strict=True)]
    assert answers == [b"$1\r\nv\r\n", b"$5\r\nslept\r\n", b"$-1\r\n"]
    house.close()
