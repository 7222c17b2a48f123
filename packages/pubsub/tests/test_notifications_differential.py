"""Keyspace notifications against a real server: which events, of which class, in which order."""

from __future__ import annotations

from typing import Any

import pytest

SUBSCRIBE = "e: PSUBSCRIBE __key*@*__:*"
STRINGS = """
    a: SET k v
    a: SET k v EX 100
    a: GETEX k PERSIST
    a: GETEX k EX 10
    a: APPEND k x
    a: SETRANGE k 1 y
    a: INCR n
    a: INCRBYFLOAT n 0.5
    a: MSET k 1 m 2
    a: MSETNX k 1 q 2
    a: SETNX k 1
    a: GETSET k 2
    a: GETDEL k
    a: GETDEL k
    a: SETEX k 100 v
    a: EXPIRE k 50
    a: PERSIST k
    a: GET absent
    a: MGET absent k
    a: RENAME m k
    a: COPY k c
    a: MOVE c 1
    a: DEL k n absent
    a: UNLINK k
    a: SET k v PX 20
    wait 50
    a: GET k
    a: FLUSHALL
    a: SET k 1
    a: SELECT 3
    a: SET k 1
"""
LISTS = """
    a: RPUSH l a b c a
    a: LPUSH l z
    a: LPUSHX l y
    a: LINSERT l BEFORE a x
    a: LSET l 0 q
    a: LREM l 1 a
    a: LTRIM l 0 2
    a: LPOP l
    a: RPOP l
    a: LMOVE l m LEFT RIGHT
    a: RPOPLPUSH m n
    a: LMPOP 1 n LEFT
    a: RPUSH s 3 1 2
    a: SORT s STORE t
    a: SORT absent STORE t
    a: BLPOP s 0
    a: RENAME s s2
"""
SETS = """
    a: SADD s 1 2 3
    a: SADD s 1
    a: SREM s 1
    a: SADD p 1
    a: SPOP p
    a: SMOVE s d 2
    a: SMOVE s d 3
    a: SADD s a b
    a: SINTERSTORE x s s
    a: SUNIONSTORE x s d
    a: SDIFFSTORE x s d
    a: SDIFFSTORE x s s
    a: SREM s a b
"""
HASHES = """
    a: HSET h f 1 g 2
    a: HSETNX h i 1
    a: HINCRBY h f 5
    a: HINCRBYFLOAT h f 0.5
    a: HDEL h f absent
    a: HMSET h q 1
    a: HDEL h g i q
"""
SORTED_SETS = """
    a: ZADD z 1 a 2 b 3 c 4 d 5 e 6 f
    a: ZADD z 1 a
    a: ZADD z INCR 1 a
    a: ZINCRBY z 1 a
    a: ZREM z a
    a: ZPOPMIN z
    a: ZPOPMAX z
    a: ZRANGESTORE y z 0 -1
    a: ZUNIONSTORE u 2 z y
    a: ZINTERSTORE u 2 z y
    a: ZDIFFSTORE u 2 z y
    a: ZREMRANGEBYRANK y 0 0
    a: ZREMRANGEBYSCORE y 0 4
    a: ZREMRANGEBYLEX y - +
    a: ZMPOP 1 z MIN COUNT 9
    a: ZADD u 1 a
    a: BZPOPMIN u 0
"""
STREAMS = """
    a: XADD s 1-1 f v
    a: XADD s 2-1 f v
    a: XADD s MAXLEN 2 3-1 f v
    a: XGROUP CREATE s g 0
    a: XGROUP CREATECONSUMER s g c
    a: XREADGROUP GROUP g d COUNT 1 STREAMS s >
    a: XGROUP DELCONSUMER s g c
    a: XGROUP SETID s g 0
    a: XGROUP DESTROY s g
    a: XTRIM s MAXLEN 1
    a: XSETID s 9-9
    a: XDEL s 3-1
    a: DEL s
"""


@pytest.mark.parametrize(
    "steps", [LISTS, SETS, HASHES, SORTED_SETS, STREAMS], ids=["list", "set", "hash", "zset", "stream"]
)
@pytest.mark.parametrize("classes", ["KEAnm", "Eg"])
def test_events_of_structures(duo: Any, steps: str, classes: str) -> None:
    duo.config("notify-keyspace-events", classes)
    duo.play(f"{SUBSCRIBE}\n{steps}")


@pytest.mark.parametrize("classes", ["KEA", "KEAnm", "K$", "Eg", "Ex", "Kgn", "Em", "KE", "A", "Ed", ""])
def test_events_of_strings_and_keys(duo: Any, classes: str) -> None:
    duo.config("notify-keyspace-events", classes)
    duo.play(f"{SUBSCRIBE}\n{STRINGS}")


def test_both_channels_in_order(duo: Any) -> None:
    duo.config("notify-keyspace-events", "KEA")
    duo.play("""
        a: SUBSCRIBE __keyevent@0__:set __keyspace@0__:k
        b: SET k v
        b: SET other v
        b: DEL k
    """)


def test_the_keyspace_has_no_listener_unless_something_is_asked_for(duo: Any) -> None:
    keyspace = duo.engine.keyspace
    for value, listens in (("", False), ("A", False), ("KE", False), ("K$", True), ("", False)):
        duo.config("notify-keyspace-events", value)
        assert bool(keyspace.on_change) is listens
