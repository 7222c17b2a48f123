"""What listeners hear of lists and sets: the real server's keyspace events, in its order."""

from __future__ import annotations

import pytest

CHANNEL = b"__keyevent@0__:"
INTERNAL = {"new", "keymiss", ""}
SCRIPTS = {
    "pushing": "RPUSH l a b|LPUSH l c|RPUSHX l d|LPUSHX none d|LINSERT l BEFORE a x|LINSERT l BEFORE none x"
    "|LSET l 0 y",
    "popping": "RPUSH l 1 2 3 4 5 6 7|LPOP l|RPOP l|LPOP l 0|LPOP l 2|RPOP l 9|LPOP none",
    "trimming": "RPUSH l 1 2 3 1|LTRIM l 0 -1|LTRIM l 1 2|LREM l 0 9|LREM l 0 2|LREM l 0 3|RPUSH l 1"
    "|LTRIM l 5 1",
    "moving": "RPUSH l 1 2|LMOVE l m LEFT RIGHT|RPOPLPUSH l l|RPOPLPUSH l m|LMOVE l m LEFT LEFT"
    "|BLMOVE m m LEFT RIGHT 0",
    "popping from several": "RPUSH l 1 2 3 4|LMPOP 2 x l LEFT|BLMPOP 0 1 l RIGHT COUNT 2|BLPOP l 0|RPUSH l 1"
    "|BRPOP x l 0",
    "naming members": "SADD s a b|SADD s a|SREM s x|SREM s a x|SREM s b|SADD s a|SMOVE s t a|SADD s a"
    "|SMOVE s t a|SMOVE t t a",
    "drawing members": "SADD s a b c d e f|SPOP s|SPOP s 2|SPOP s 0|SPOP s 9|SPOP s|SPOP s 1|SADD s a|SPOP s",
    "storing": "SADD a 1 2|SADD b 2 3|SINTERSTORE to a b|SUNIONSTORE to a b|SDIFFSTORE to a a"
    "|SDIFFSTORE to a a|SET to v|SINTERSTORE to a none|SUNIONSTORE to a b",
    "sorting": "RPUSH l 2 1|SORT l STORE to|SORT none STORE to|SORT none STORE to|SET to v|SORT l STORE to"
    "|SORT l",
}


def heard_until(last, listener):
    """The events that a subscriber hears up to the one called `last`, as pairs of event and key."""
    while (message := listener.read())[2] != CHANNEL + last:
        yield message[2].removeprefix(CHANNEL).decode(), message[3]


@pytest.fixture
def heard(make_twins, real_server):
    """The events that a script brings about: of our engine, and of the real server."""

    def hear(script):
        pair, listener = make_twins(2), real_server.connect()
        listener.ask("PSUBSCRIBE", CHANNEL + b"*")
        pair.real.ask_bytes(b"CONFIG", b"SET", b"notify-keyspace-events", b"AE")
        ours = []
        pair.engine.keyspace.listen(lambda _db, key, event, _modified: ours.append((event, key)))
        for request in script.split("|"):
            pair.both(*request.split())
        pair.real.ask_bytes(b"PUBLISH", CHANNEL + b"that is all", b"")
        real = list(heard_until(b"that is all", listener))
        pair.real.ask_bytes(b"CONFIG", b"SET", b"notify-keyspace-events", b"")
        listener.close()
        return [event for event in ours if event[0] not in INTERNAL], real

    return hear


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_events_come_as_from_a_real_server(heard, script):
    ours, real = heard(script)
    assert ours == real
    assert ours
