"""Transactions against a real server: every reply of every connection, byte by byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("protocol", ["2", "3"])
def test_the_queue_runs_at_exec(duo: Any, protocol: str) -> None:
    duo.hello(protocol, "a")
    duo.play("""
        a: MULTI
        a: SET k 1
        a: INCR k
        a: GET absent
        a: HSET h f v
        a: HGETALL h
        b: GET k
        a: EXEC
        b: GET k
        a: EXEC
        a: DISCARD
        a: MULTI
        a: EXEC
        a: MULTI
        a: SET k 9
        a: DISCARD
        a: GET k
    """)


def test_an_error_at_run_time_stops_nothing(duo: Any) -> None:
    duo.play("""
        a: MULTI
        a: SET k v
        a: LPUSH k x
        a: INCR k
        a: SET k w
        a: EXEC
        a: GET k
    """)


def test_an_error_at_queue_time_spoils_it_all(duo: Any) -> None:
    duo.play("""
        a: MULTI
        a: SET k v
        a: NOSUCH x
        a: SET k
        a: CLIENT NOSUCH
        a: SET k w
        a: EXEC
        a: EXISTS k
        a: EXEC x
        a: MULTI
        a: EXEC x
        a: PING
        a: EXEC
        a: MULTI
        a: GET
        a: DISCARD
        a: MULTI
        a: PING
        a: EXEC
    """)


def test_a_command_that_would_wait_gives_up_at_once(duo: Any) -> None:
    duo.play("""
        a: MULTI
        a: BLPOP absent 0
        a: BRPOPLPUSH absent other 0
        a: BZPOPMIN absent 0
        a: XREAD BLOCK 0 STREAMS absent $a
        a: LPUSH l x
        a: BLPOP l 0
        a: EXEC
    """)


def test_waiting_clients_are_served_after_the_whole_transaction(duo: Any) -> None:
    duo.step("b", b"PING")
    duo.ours["b"].send(b"BLPOP", b"l", b"0")
    duo.real["b"].send(b"BLPOP", b"l", b"0")
    duo.play("""
        wait 20
        a: MULTI
        a: RPUSH l x
        a: RPUSH l y
        a: LPOP l
        a: EXEC
        a: EXISTS l
    """)


@pytest.mark.parametrize(
    "change",
    [
        "SET k 2", "SET k 1", "DEL k", "GETDEL k", "APPEND k x", "EXPIRE k 100", "PERSIST k", "RENAME k other",
        "RENAME o k", "COPY o k REPLACE", "COPY k new", "MOVE k 5", "FLUSHALL", "FLUSHDB", "SWAPDB 0 5",
        "SWAPDB 3 5", "GET k", "TOUCH k", "SETNX k 1", "INCRBY k 0", "SET other 1", "EXPIRE k 0", "GETEX k",
        "GETEX k EX 100", "SETRANGE k 0 1", "OBJECT ENCODING k",
    ],
)  # fmt: skip
@pytest.mark.parametrize("by", ["a", "b"])
def test_what_touches_a_watched_key(duo: Any, change: str, by: str) -> None:
    duo.play(f"""
        a: MSET k 1 o 1
        a: WATCH k
        {by}: {change}
        a: MULTI
        a: PING
        a: EXEC
        a: MULTI
        a: PING
        a: EXEC
    """)


@pytest.mark.parametrize(
    "change",
    [
        "SADD s x", "SADD s y", "SREM s absent", "SREM s x", "SPOP s", "SMOVE s s x", "SINTERSTORE s none", "HSET h f 1",
        "HSET h f 2", "HDEL h absent", "HDEL h f", "HEXPIRE h 100 FIELDS 1 f", "HEXPIRE h 0 FIELDS 1 f",
        "HPERSIST h FIELDS 1 f", "HGETDEL h FIELDS 1 absent", "LREM l 1 absent", "LREM l 1 x", "LSET l 0 x",
        "LMOVE l l LEFT RIGHT", "LINSERT l BEFORE absent y", "RPUSHX l x", "LPOP l 0", "BLPOP l 0", "SORT l ALPHA",
        "SORT none STORE l", "SORT l ALPHA STORE l", "ZADD z 1 m", "ZADD z 2 m", "ZADD z NX 3 m", "ZREM z absent",
        "ZINCRBY z 0 m", "ZRANGESTORE z none 0 -1", "ZPOPMIN z", "XADD x * f v", "XTRIM x MAXLEN 9", "XDEL x 9-9",
        "XGROUP CREATE x g 0", "XREADGROUP GROUP h c STREAMS x >", "XSETID x 9-9", "SETBIT b 0 0", "SETBIT b 0 1",
        "BITFIELD b GET u1 0", "BITFIELD b SET u1 0 0", "BITOP NOT b none", "PFADD p a", "PFADD p b", "PFCOUNT p", "PFMERGE p p",
        "GEOADD g 1 1 a", "GEOADD g 2 2 a", "EXPIRE b 100 XX", "RENAMENX b s", "COPY b s", "MOVE b 0", "DEL none",
        "UNLINK b", "MSETNX none 1 s 2", "GETSET b x", "SUBSTR b 0 1", "DUMP b", "LCS b s IDX", "EXPIRE none 0",
    ],
)  # fmt: skip
def test_what_touches_a_structure(duo: Any, change: str) -> None:
    """A write that changes nothing is no touch; a read is none, even when it counts as a write command."""
    duo.play("""
        a: SADD s x
        a: HSET h f 1
        a: RPUSH l x
        a: ZADD z 1 m
        a: XADD x 1-1 f v
        a: XGROUP CREATE x h 0
        a: SET b 0
        a: PFADD p a
        a: GEOADD g 1 1 a
        a: WATCH s h l z x b p g
    """)
    for wire in (duo.ours["a"], duo.real["a"]):
        wire.received = b""
    quietly(duo, change)
    duo.play("""
        a: MULTI
        a: PING
        a: EXEC
    """)


def quietly(duo: Any, request: str) -> None:
    """Let `b` send a request whose reply is not compared: an id or a payload tells the servers apart."""
    duo.play("b: PING")
    argv = [word.encode() for word in request.split()]
    duo.ours["b"].send(*argv)
    duo.real["b"].send(*argv)
    duo.real["b"].send(b"PING", b"done")
    duo.real["b"].read_until(b"done\r\n")
    duo.ours["b"].received = duo.real["b"].received = b""


@pytest.mark.parametrize("change", ["SET k 2", "DEL k", "FLUSHALL", "SWAPDB 0 5", "SADD k x", "GET k"])
def test_what_touches_a_watched_key_that_is_not_there(duo: Any, change: str) -> None:
    duo.play(f"""
        a: WATCH k
        b: {change}
        a: MULTI
        a: PING
        a: EXEC
    """)


@pytest.mark.parametrize(
    "change",
    ["GET k", "DEL k", "FLUSHALL", "FLUSHDB", "SET k 2", "SWAPDB 0 5", "PERSIST k", "RENAME o k", "PING"],
)
@pytest.mark.parametrize("watched_first", [True, False])
def test_expiry_of_a_watched_key(duo: Any, change: str, watched_first: bool) -> None:
    watch = ("a: WATCH k", "wait 150") if watched_first else ("wait 150", "a: WATCH k")
    duo.play(f"""
        a: SET o 1
        a: SET k v PX 100
        {watch[0]}
        {watch[1]}
        b: {change}
        a: MULTI
        a: PING
        a: EXEC
        a: EXISTS k
    """)


def test_stale_keys_and_swapdb(duo: Any) -> None:
    duo.play("""
        b: SELECT 1
        b: SET k v PX 10
        wait 30
        a: WATCH k
        c: SWAPDB 0 1
        a: MULTI
        a: PING
        a: EXEC
        a: SET k w PX 10
        b: SET k x PX 10
        wait 30
        a: WATCH k
        c: SWAPDB 0 1
        a: MULTI
        a: PING
        a: EXEC
        a: WATCH k
        b: SET k live
        c: SWAPDB 0 1
        a: MULTI
        a: PING
        a: EXEC
    """)


def test_unwatch_discard_and_reset_forget(duo: Any) -> None:
    duo.play("""
        a: WATCH k l
        b: SET k 1
        a: UNWATCH
        a: MULTI
        a: PING
        a: EXEC
        a: WATCH k
        b: SET k 2
        a: MULTI
        a: DISCARD
        a: MULTI
        a: PING
        a: EXEC
        a: WATCH k
        a: MULTI
        a: SET k 3
        a: RESET
        b: SET k 4
        a: GET k
        a: EXEC
        a: WATCH k
        b: SET k 5
        a: WATCH other
        a: MULTI
        a: UNWATCH
        a: EXEC
    """)


KEYS = st.sampled_from([b"k", b"l"])
STEPS = st.one_of(
    st.just((b"MULTI",)),
    st.just((b"EXEC",)),
    st.just((b"EXEC",)),
    st.just((b"DISCARD",)),
    st.just((b"UNWATCH",)),
    st.just((b"NOSUCH",)),
    st.just((b"FLUSHDB",)),
    st.just((b"SWAPDB", b"0", b"1")),
    st.tuples(st.just(b"SELECT"), st.sampled_from([b"0", b"1"])),
    st.tuples(st.sampled_from([b"GET", b"DEL", b"INCR", b"LPOP"]), KEYS),
    st.tuples(st.just(b"SET"), KEYS, st.just(b"1")),
    st.tuples(st.just(b"LPUSH"), KEYS, st.just(b"1")),
    st.tuples(st.sampled_from([b"RENAME", b"COPY"]), KEYS, KEYS),
    st.tuples(st.just(b"EXPIRE"), KEYS, st.sampled_from([b"0", b"100"])),
    st.tuples(st.just(b"MOVE"), KEYS, st.just(b"1")),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("aab"), st.one_of(STEPS, st.tuples(st.just(b"WATCH"), KEYS))), max_size=25
    )
)
def test_any_sequence_of_two_clients(make_duo: Callable[[], Any], steps: list[Any]) -> None:
    """WATCH inside MULTI is left out: Valkey 9 spoils the transaction, where we do as Redis (`test_queueing`)."""
    duo = make_duo()
    try:
        opened: set[str] = set()
        for name, argv in steps:
            if name in opened and argv[0] in (b"WATCH", b"MULTI"):
                continue
            if argv[0] == b"MULTI":
                opened.add(name)
            elif argv[0] in (b"EXEC", b"DISCARD"):
                opened.discard(name)
            duo.step(name, *argv)
        duo.settle()
    finally:
        duo.close()
