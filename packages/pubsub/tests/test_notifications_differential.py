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
MORE_STRINGS = """
    a: SET n 1
    a: DECR n
    a: INCRBY n 5
    a: INCRBY n 0
    a: DECRBY n 2
    a: PSETEX k 100000 v
    a: PEXPIRE k 50000
    a: PEXPIRE k 1 GT
    a: EXPIREAT k 99999999999
    a: PEXPIREAT k 99999999999999
    a: PERSIST k
    a: SET k v KEEPTTL
    a: SET k v NX
    a: SET k v GET
    a: DELIFEQ k other
    a: DELIFEQ k v
    a: MSETEX 2 k v m w EX 100
    a: RENAMENX k m
    a: RENAMENX k q
    a: RENAME q q
    a: MOVE q 9
    a: COPY n n2 REPLACE
    a: COPY n n2 DB 3
    a: SETBIT b 7 1
    a: SETBIT b 7 1
    a: BITFIELD b SET u8 0 3 INCRBY u8 0 1
    a: BITFIELD b GET u8 0
    a: BITFIELD c OVERFLOW FAIL INCRBY u2 0 9
    a: BITOP AND d b b
    a: BITOP AND d none none
    a: PFADD p a b
    a: PFADD p a
    a: PFCOUNT p
    a: PFMERGE q p
    a: SWAPDB 0 7
    a: FLUSHDB
    a: OBJECT FREQ none
    a: STRLEN none
    a: EXISTS none
    a: TYPE none
    a: TTL none
    a: GETRANGE none 0 1
    a: SINTERSTORE none2 none
    a: HGET none f
    a: LRANGE none 0 1
    a: ZSCORE none m
    a: SORT none
    a: XLEN none
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
    a: RPUSHX s2 9
    a: RPUSHX none 9
    a: BRPOP s2 0
    a: BLMOVE s2 l LEFT LEFT 0
    a: BRPOPLPUSH l l 0
    a: LMOVE l l LEFT RIGHT
    a: BLMPOP 0 1 l RIGHT COUNT 9
    a: LPOP none
    a: LREM none 0 a
    a: LTRIM none 0 1
    a: LSET none 0 1
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
    a: HSETEX h FVS 2 f 1 g 2
    a: HSETEX h EX 100 FVS 1 f 1
    a: HGETEX h PERSIST FIELDS 1 f
    a: HGETEX h EX 100 FIELDS 2 f none
    a: HGETEX h FIELDS 1 f
    a: HEXPIRE h 100 FIELDS 2 f none
    a: HPEXPIRE h 100000 FIELDS 1 g
    a: HEXPIREAT h 99999999999 FIELDS 1 g
    a: HPEXPIREAT h 99999999999999 FIELDS 1 g
    a: HEXPIRE h 1 LT FIELDS 1 none
    a: HEXPIRE h 1 NX FIELDS 1 g
    a: HPERSIST h FIELDS 2 f g
    a: HPERSIST h FIELDS 1 f
    a: HGETDEL h FIELDS 2 f none
    a: HEXPIRE h 0 FIELDS 1 g
    a: HSETEX h PXAT 1 FVS 1 f v
    a: HGETALL h
    a: HGETDEL none FIELDS 1 f
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
    a: ZADD z 1 a 2 b 3 c 4 d
    a: ZADD z XX 1 none
    a: ZADD z GT CH 5 a
    a: BZPOPMAX z 0
    a: BZMPOP 0 1 z MIN COUNT 1
    a: ZREM z none
    a: ZREMRANGEBYRANK z 9 10
    a: ZUNIONSTORE u 1 none
    a: ZRANGESTORE y none 0 -1
    a: GEOADD g 13 38 p 15 37 c
    a: GEOADD g 13 38 p
    a: GEOSEARCHSTORE q g FROMLONLAT 15 37 BYRADIUS 200 km
    a: GEOSEARCHSTORE q g FROMLONLAT 0 0 BYRADIUS 1 km
    a: GEORADIUS g 15 37 200 km STORE q
    a: GEORADIUSBYMEMBER g p 200 km STORE q
    a: GEORADIUS g 0 0 1 km STORE q
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
    a: XADD s 1-1 f v
    a: XADD s NOMKSTREAM 2-1 f v
    a: XADD none NOMKSTREAM 2-1 f v
    a: XGROUP CREATE s g 0
    a: XREADGROUP GROUP g c STREAMS s >
    a: XCLAIM s g d 0 1-1
    a: XAUTOCLAIM s g e 0 0 JUSTID
    a: XACK s g 1-1
    a: XACK s g 1-1
    a: XGROUP CREATE made h 0 MKSTREAM
    a: XTRIM s MAXLEN 9
    a: XGROUP CREATECONSUMER s g c
    a: XGROUP DELCONSUMER s g none
    a: XGROUP DESTROY s none
"""


SCENARIOS = (STRINGS, MORE_STRINGS, LISTS, SETS, HASHES, SORTED_SETS, STREAMS)
UNSEEN = {"pfdebug", "restore", "restore-asking", "cluster|flushslot"}
"""One that only a developer sends, two that need a codec of another room, and one that has nothing to do outside a cluster."""


def test_every_write_command_has_its_scenario(duo: Any) -> None:
    requests = "\n".join(SCENARIOS)
    for command in duo.engine.commands.values():
        for each in (command, *command.subcommands.values()):
            if "write" in each.flags and not each.subcommands and each.full_name not in UNSEEN:
                words = each.full_name.upper().replace("|", " ")
                assert f"a: {words} " in requests or f"a: {words}\n" in requests, words


@pytest.mark.parametrize(
    "steps", [LISTS, SETS, HASHES, SORTED_SETS, STREAMS], ids=["list", "set", "hash", "zset", "stream"]
)
@pytest.mark.parametrize("classes", ["KEAnm", "Eg"])
def test_events_of_structures(duo: Any, steps: str, classes: str) -> None:
    duo.config("notify-keyspace-events", classes)
    duo.play(f"{SUBSCRIBE}\n{steps}")


@pytest.mark.parametrize("classes", ["KEA", "KEAnm"])
def test_events_of_more_strings_and_keys(duo: Any, classes: str) -> None:
    duo.config("notify-keyspace-events", classes)
    duo.play(f"{SUBSCRIBE}\n{MORE_STRINGS}")


@pytest.mark.parametrize("classes", ["KEA", "KEAnm", "K$", "Eg", "Ex", "Kgn", "Em", "KE", "A", "Ed", ""])
def test_events_of_strings_and_keys(duo: Any, classes: str) -> None:
    duo.config("notify-keyspace-events", classes)
    duo.play(f"{SUBSCRIBE}\n{STRINGS}")


def test_keys_and_fields_that_expire_in_the_background(duo: Any) -> None:
    duo.config("notify-keyspace-events", "KEA")
    duo.play(f"""
        {SUBSCRIBE}
        a: HSET h f 1 g 2
        a: SET k v
    """)
    for request in ("HPEXPIRE h 10 FIELDS 1 f", "HPEXPIRE h 10 FIELDS 1 g", "PEXPIRE k 10"):
        duo.play(f"""
            a: {request}
            wait 30
        """)
        duo.expire_in_the_background()
        duo.settle()


def test_an_expiry_in_the_past_is_a_deletion(duo: Any) -> None:
    """As Redis has it. Valkey 9 calls it `expired`, so there is nothing to compare."""
    duo.engine.config.set([("notify-keyspace-events", "Eg")])
    inbox: list[Any] = []
    listener, client = duo.engine.connect(inbox.append), duo.engine.connect()
    duo.engine.execute(listener, [b"PSUBSCRIBE", b"__keyevent*"])
    for request in ("SET k v", "EXPIRE k 0", "SET k v", "PEXPIREAT k 1", "SET k v", "GETEX k EXAT 1"):
        duo.engine.execute(client, request.encode().split())
    assert [push.items[2:] for push in inbox] == [[b"__keyevent@0__:del", b"k"]] * 3


MISSES = """
    EXISTS TYPE TTL PTTL EXPIRETIME PEXPIRETIME TOUCH STRLEN GETDEL GETEX BITCOUNT HGETALL HLEN HKEYS HRANDFIELD LLEN
    SMEMBERS SCARD SRANDMEMBER SINTER ZCARD ZRANDMEMBER GEOHASH XLEN SORT SORT_RO PFCOUNT DEL PERSIST LPOP SPOP ZPOPMIN
"""


def test_which_commands_tell_of_a_miss(duo: Any) -> None:
    duo.config("notify-keyspace-events", "Km")
    requests = "\n".join(f"a: {command} none" for command in MISSES.split())
    duo.play(f"{SUBSCRIBE}\n{requests}")


def test_which_forms_with_options_tell_of_a_miss(duo: Any) -> None:
    duo.config("notify-keyspace-events", "Km")
    duo.play(f"""
        {SUBSCRIBE}
        a: HGETEX none FIELDS 1 f
        a: HTTL none FIELDS 1 f
        a: GETBIT none 1
        a: LCS none other
        a: SMISMEMBER none a
        a: ZRANK none m
        a: ZDIFF 2 none other
        a: GEODIST none a b
        a: XRANGE none - +
        a: COPY none other
        a: OBJECT ENCODING none
        a: SET none v XX
        a: INCR n
        a: BITFIELD b GET u8 0
        a: BITFIELD_RO none GET u8 0
    """)


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
