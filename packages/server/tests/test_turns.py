"""Fair turns: however much a client sends, it gets the same replies in the same order, and the others have their turn."""

from __future__ import annotations

import contextlib
import gc
import itertools
import socket
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.resp import encode_request
from cutaway.server import turns

sys.path.insert(0, str(Path(__file__).parent))
from houses import House


@pytest.fixture
def house() -> Iterator[House]:
    with contextlib.closing(House()) as built:
        yield built


REQUESTS = st.lists(
    st.one_of(
        st.tuples(st.just(b"ECHO"), st.binary(max_size=40)),
        st.tuples(st.just(b"ECHO"), st.integers(100, 9000).map(lambda size: b"x" * size)),
        st.tuples(st.just(b"INCR"), st.just(b"n")),
        st.tuples(st.just(b"LPUSH"), st.just(b"list"), st.just(b"item")),
        st.tuples(st.just(b"NOSUCH")),
    ),
    min_size=1,
    max_size=60,
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % len(data) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(ends)]


@settings(max_examples=60, deadline=None)
@given(
    requests=REQUESTS,
    places=st.lists(st.integers(0, 2**20), max_size=6),
    small=st.tuples(st.integers(1, 8), st.integers(1, 300)),
    crowded=st.booleans(),
    broken=st.booleans(),
)
def test_however_it_is_cut_and_shared_out_the_replies_are_the_same(requests, places, small, crowded, broken):
    stream = b"".join(encode_request(list(words)) for words in requests) + (b"*1\r\n!\r\n" if broken else b"")
    answers = []
    for is_shared_out in (False, True):
        with contextlib.closing(House()) as house, pytest.MonkeyPatch.context() as patch:
            sharing = house.server.turns
            if is_shared_out:
                for name, value in (
                    ("SLICE", small[0]),
                    ("SMALL_SLICE", 1),
                    ("BITE", small[1]),
                    ("SMALL_BITE", 7),
                ):
                    patch.setattr(turns, name, value)
                for name in ("TURN", "LEAST"):
                    patch.setattr(turns, name, 0)
            sharing._crowd(is_shared_out and crowded)
            sharing.share = turns.TURN
            connection, wire = house.connect()
            answers.append(
                house.deliver(connection, wire, cut(stream, places) if is_shared_out else [stream])
            )
            assert wire.is_closed is broken
            connection.connection_lost(None)
    assert answers[1] == answers[0]
    assert answers[0].count(b"\r\n") >= len(requests)


def test_one_who_sends_thousands_waits_for_one_who_sends_little(house, monkeypatch):
    monkeypatch.setattr(turns, "TURN", 0)
    monkeypatch.setattr(turns, "LEAST", 0)
    monkeypatch.setattr(turns, "SLICE", 100)
    house.server.turns._crowd(False)
    (greedy, much), (modest, little) = house.connect(), house.connect()
    greedy.data_received(b"PING\r\n" * 2000)
    assert not much.is_read
    modest.data_received(b"PING\r\n")
    house.turn()
    assert little.written == b"+PONG\r\n"
    assert much.written.count(b"PONG") < 2000
    for _ in range(100):
        house.turn()
    assert much.written.count(b"PONG") == 2000
    assert much.is_read
    assert not house.server.turns.are_crowded


def test_a_turn_ends_though_many_have_much_to_do(house, monkeypatch):
    monkeypatch.setattr(turns, "TURN", 0)
    both = [house.connect() for _ in range(5)]
    for connection, _ in both:
        connection.data_received(b"PING\r\n" * 20_000)
    house.turn()
    busy = [wire for _, wire in both if wire.written]
    assert len(busy) < len(both)
    for connection, _ in both:
        connection.connection_lost(None)
    house.turn()


def test_a_client_that_waits_in_the_middle_keeps_the_rest_for_later(house):
    (waiting, told), (other, _) = house.connect(), house.connect()
    waiting.data_received(b"BLPOP awaited 0\r\n" + b"PING\r\n" * 5000)
    house.turn()
    assert told.written == b""
    other.data_received(b"LPUSH awaited here\r\n")
    for _ in range(100):
        house.turn()
    assert told.written.startswith(b"*2\r\n$7\r\nawaited\r\n$4\r\nhere\r\n+PONG\r\n")
    assert told.written.count(b"PONG") == 5000


def test_after_the_end_is_announced_nothing_runs(house):
    """As a real server: what comes behind QUIT is dropped, also when it comes by itself in the same turn."""
    (leaving, told), (other, answer) = house.connect(), house.connect()
    leaving.data_received(encode_request([b"SET", b"k", b"before"]))
    house.turn()
    leaving.data_received(encode_request([b"QUIT"]))
    for data in (encode_request([b"SET", b"k", b"late"]), b"SET k late\r\n", b"SET k late\r\n" * 2):
        leaving.data_received(data)
    house.turn()
    assert told.written == b"+OK\r\n" * 2
    assert told.is_closed
    other.data_received(encode_request([b"GET", b"k"]))
    house.turn()
    assert answer.written == b"$6\r\nbefore\r\n"


# ---- over a socket


@pytest.mark.parametrize("number", [10, 5000, 40_000])
def test_who_sends_much_and_hangs_up_half_way_still_gets_all_replies(shared_server, number):
    with socket.create_connection(("127.0.0.1", shared_server.port), 30) as link:

        def send() -> None:
            link.sendall(b"PING\r\n" * number)
            link.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        received = b""
        while data := link.recv(1 << 20):
            received += data
        sender.join()
    assert received == b"+PONG\r\n" * number


def test_who_cannot_be_understood_leaves_nothing_behind(house):
    """What refers to each other in a circle would stay: see `collector`."""
    gc.disable()
    try:
        connection, wire = house.connect()
        alive = weakref.ref(connection)
        connection.data_received(b"PING\r\n*1\r\n!\r\n")
        house.turn()
        assert wire.written.startswith(b"+PONG\r\n-ERR Protocol error")
        connection.connection_lost(None)
        house.turn()
        del connection, wire
        assert alive() is None
    finally:
        gc.enable()
