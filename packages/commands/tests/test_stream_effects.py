"""What streams propagate: the same commands as a real server's log, and enough to make the same streams of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.commands import Engine, FakeClock
from cutaway.commands.stream_claims import streams
from cutaway.resp import MapReply, RequestParser

SCRIPT = """
XADD s 1-1 f 1
XADD s 2-* f 1
XADD s NOMKSTREAM MAXLEN 5 3-* f 1
XADD s MAXLEN = 5 4-1 f 1
XADD s MINID 1-1 5-1 f 1
XADD s MAXLEN ~ 1 6-1 f 1
XADD s MINID ~ 3 7-* f 1
XTRIM s MAXLEN ~ 1
XTRIM s MAXLEN 6
XTRIM s MINID = 2-1
XDEL s 9-9
XDEL s 5-1 9-9
XGROUP CREATE s g 0
XGROUP CREATE s h $ ENTRIESREAD 3
XGROUP CREATE t g $ MKSTREAM
XGROUP CREATECONSUMER s g x
XGROUP CREATECONSUMER s g x
XGROUP SETID s h 0
XREADGROUP GROUP g x COUNT 2 STREAMS s >
XREADGROUP GROUP g y COUNT 1 NOACK STREAMS s t > >
XREADGROUP GROUP g x STREAMS s 0
XREADGROUP GROUP g x STREAMS t >
XACK s g 2-0
XACK s g 2-0
XCLAIM s g y 0 3-0 6-1
XCLAIM s g y 0 9-9 FORCE
XCLAIM s g y 0 6-1 FORCE RETRYCOUNT 4 TIME 5
XCLAIM s g y 0 9-9 LASTID 7-0
XAUTOCLAIM s g x 0 0
XDEL s 3-0
XAUTOCLAIM s g x 0 0
XAUTOCLAIM s g x 100000 0
XSETID s 9-9 ENTRIESADDED 20 MAXDELETEDID 1-1
XGROUP DELCONSUMER s g y
XGROUP DELCONSUMER s g y
XGROUP DESTROY s h
XGROUP DESTROY s h
"""
OURS_ALONE = {b"XGROUP CREATECONSUMER t g x"}
"""Real servers' logs do not know of a consumer that was made without being given anything."""


def test_the_log_of_a_real_server_says_the_same(make_twins):
    pair = make_twins(2)
    real = pair.real
    folder = Path(real.ask_bytes(b"CONFIG", b"GET", b"dir").split(b"\r\n")[4].decode())
    effects = []
    pair.engine.on_propagate = (effects.extend,)
    real.ask_bytes(b"CONFIG", b"SET", b"appendonly", b"yes")
    try:
        for _ in range(200):
            if b"aof_rewrite_in_progress:0" in real.ask_bytes(b"INFO", b"persistence"):
                break
            time.sleep(0.02)
        for line in SCRIPT.strip().splitlines():
            pair.both(*line.split())
        real.ask_bytes(b"CONFIG", b"SET", b"appendfsync", b"always")
        logs = sorted(folder.glob("appendonlydir/*.incr.aof"))
        logged = RequestParser().feed(logs[-1].read_bytes())
    finally:
        real.ask_bytes(b"CONFIG", b"SET", b"appendonly", b"no")
    ours = [line for line in map(settled, (argv for _, argv in effects)) if line not in OURS_ALONE]
    theirs = [line for line in map(settled, logged) if not line.startswith(b"SELECT")]
    assert without_units(ours) == without_units(theirs)


def settled(argv):
    """An effect as a line, without the time it shows, and without words that say nothing."""
    words = [word for word in argv if word not in (b"NOMKSTREAM", b"=")]
    if b"TIME" in words and words[words.index(b"TIME") + 1] != b"5":
        words[words.index(b"TIME") + 1] = b"now"
    return b" ".join(words)


def without_units(lines):
    return [line for line in lines if line not in (b"MULTI", b"EXEC")]


ID = st.tuples(st.integers(0, 6), st.integers(0, 2)).map(lambda pair: f"{pair[0]}-{pair[1]}")
KEY = st.sampled_from("ab")
GROUP = st.sampled_from("gh")
NAME = st.sampled_from("xy")
COUNT = st.integers(0, 4)
COMMAND = st.one_of(
    st.builds("XADD {} {}-* f v".format, KEY, st.integers(1, 6)),
    st.builds("XADD {} * f v".format, KEY),
    st.builds("XADD {} MAXLEN ~ {} * f v".format, KEY, COUNT),
    st.builds("XADD {} MINID ~ {} * f v".format, KEY, ID),
    st.builds("XADD {} MAXLEN {} * f v".format, KEY, COUNT),
    st.builds("XTRIM {} MAXLEN ~ {} LIMIT 4".format, KEY, COUNT),
    st.builds("XDEL {} {} {}".format, KEY, ID, ID),
    st.builds("XGROUP CREATE {} {} 0 MKSTREAM".format, KEY, GROUP),
    st.builds("XGROUP SETID {} {} {} ENTRIESREAD {}".format, KEY, GROUP, ID, COUNT),
    st.builds("XGROUP DESTROY {} {}".format, KEY, GROUP),
    st.builds("XGROUP DELCONSUMER {} {} {}".format, KEY, GROUP, NAME),
    st.builds("XREADGROUP GROUP {} {} COUNT {} STREAMS {} >".format, GROUP, NAME, COUNT, KEY),
    st.builds("XREADGROUP GROUP {} {} COUNT {} NOACK STREAMS {} >".format, GROUP, NAME, COUNT, KEY),
    st.builds("XACK {} {} {}".format, KEY, GROUP, ID),
    st.builds("XCLAIM {} {} {} 0 {} {} FORCE".format, KEY, GROUP, NAME, ID, ID),
    st.builds("XCLAIM {} {} {} 5 {} LASTID {}".format, KEY, GROUP, NAME, ID, ID),
    st.builds("XAUTOCLAIM {} {} {} {} 0 COUNT 2".format, KEY, GROUP, NAME, COUNT),
    st.builds("XSETID {} {}".format, KEY, ID),
)


@settings(max_examples=100, deadline=None)
@given(commands=st.lists(COMMAND, min_size=10, max_size=50))
def test_replaying_the_effects_makes_the_same_streams(commands):
    clock = FakeClock()
    engine, replica = Engine(streams, clock=clock), Engine(streams, clock=clock)
    engine.limits.stream_node_max_entries = 3
    effects = []
    engine.on_propagate = (effects.extend,)
    for command in commands:
        engine.do(*command.split())
        clock.advance(3)
    for _, argv in effects:
        if argv[0] not in (b"MULTI", b"EXEC"):
            reply = replica.do(*argv)
            assert not isinstance(reply, Exception), (argv, reply)
    for key in "ab":
        assert contents(replica, key) == contents(engine, key)


def contents(engine, key):
    """XINFO STREAM FULL, without what depends on how the nodes came to be, and on when a consumer was seen."""
    reply = engine.do("XINFO", "STREAM", key, "FULL", "COUNT", "0")
    return without(reply, {b"radix-tree-keys", b"radix-tree-nodes", b"seen-time", b"active-time"})


def without(reply, names):
    if isinstance(reply, MapReply):
        return {key: without(value, names) for key, value in reply.items if key not in names}
    if isinstance(reply, list):
        return [without(value, names) for value in reply]
    return str(reply) if isinstance(reply, Exception) else reply


@pytest.mark.parametrize(
    "command", ["XGROUP CREATE s h 0", "XACK s g 1-1", "XREADGROUP GROUP g c STREAMS s >"]
)
def test_groups_do_not_touch_the_key(command):
    """WATCH and client-side caches hear of changed values only."""
    engine = Engine(streams)
    for line in (
        "XADD s 1-1 f v",
        "XADD s 2-1 f v",
        "XGROUP CREATE s g 0",
        "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
    ):
        engine.do(*line.split())
    heard = []
    engine.keyspace.listen(lambda _database, key, event, modified: heard.append((key, event, modified)))
    dirty = engine.keyspace.dirty
    engine.do(*command.split())
    assert engine.keyspace.dirty == dirty + 1
    assert not any(modified for _, _, modified in heard)
