"""Who may do what is what a real server says: for every kind of key, channel and database, in one selector and in several."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.acl.checks import Request, fixed_keys
from cutaway.commands import Command

if TYPE_CHECKING:
    from conftest import UserTwins

REQUESTS = """
GET a | GET b | SET a 1 | SET b 1 GET | SET r 1 GET | SET w 1 NX GET | SETEX w 1 1 | MSET a 1 b 2 | MSETNX r 1 w 2 | MGET a b | MGET r w | DEL a r | DEL w
UNLINK b | EXISTS a b | TYPE r | TYPE w | TTL r | EXPIRE w 1 | RENAME a b | RENAME r w | RENAMENX w r | COPY a b | COPY r w | COPY w r | COPY a b DB 1
MOVE a 1 | MOVE a x | MOVE b 99 | INCR a | APPEND w x | GETSET r 1 | GETDEL w | GETEX r | STRLEN r | STRLEN w | GETRANGE w 0 1 | SETRANGE w 0 x
LPUSH w x | LPOP w | LPOP rw | LMOVE r w LEFT LEFT | LMOVE rw w LEFT LEFT | RPOPLPUSH rw w | LRANGE r 0 1 | LLEN w | LINSERT w BEFORE a b | BLPOP a b 1
BLPOP rw x 1 | BLMOVE rw w LEFT LEFT 1 | LMPOP 2 a b LEFT | LMPOP 2 rw rw LEFT | LMPOP x a LEFT | LMPOP 9 a LEFT | BLMPOP 1 2 a b LEFT | BLMPOP 1 1 rw LEFT
SADD w x | SMEMBERS r | SMEMBERS w | SMOVE rw w x | SMOVE r w x | SINTER r a | SINTERSTORE w r a | SUNIONSTORE r w | SINTERCARD 2 r w | SINTERCARD 1 r
SPOP rw | SPOP w | SDIFFSTORE w r r | SDIFF a b r
ZADD w 1 x | ZADD w INCR 1 x | ZRANGE r 0 1 | ZRANGESTORE w r 0 1 | ZRANGESTORE r w 0 1 | ZUNIONSTORE w 2 r a | ZUNIONSTORE w 2 r w | ZUNIONSTORE w x r
ZINTER 2 r a | ZINTER 2 r w | ZDIFFSTORE w 1 r | ZMPOP 1 rw MIN | ZMPOP 1 w MIN | BZMPOP 1 1 rw MIN | BZPOPMIN rw 1 | BZPOPMIN w r 1 | ZINTERCARD 1 r
HSET w f v | HGET r f | HGETDEL rw FIELDS 1 f | HLEN w | HRANDFIELD r
XADD w * f v | XREAD STREAMS r 0 | XREAD COUNT 1 STREAMS r w 0 0 | XREAD STREAMS r | XREADGROUP GROUP g c STREAMS rw > | XREADGROUP GROUP g c STREAMS r >
XREADGROUP GROUP STREAMS c STREAMS w > | XGROUP CREATE w g $ | XGROUP DESTROY r g | XINFO STREAM r | XINFO STREAM w | XGROUP HELP | XINFO HELP | XACK w g 0-1
SORT r | SORT r STORE w | SORT r STORE r | SORT a BY b* GET b* STORE w STORE b | SORT r STORE STORE w | SORT_RO r | SORT_RO w
BITFIELD r GET u8 0 | BITFIELD w SET u8 0 1 | BITFIELD rw SET u8 0 1 | BITFIELD r | BITFIELD_RO r | BITOP AND w r | BITOP AND r w | SETBIT rw 0 1 | BITCOUNT r
GEOADD w 1 1 x | GEORADIUS r 1 1 1 km | GEORADIUS r 1 1 1 km STORE w | GEORADIUS r 1 1 1 km STORE r | GEORADIUSBYMEMBER r x 1 km STOREDIST w
GEOSEARCHSTORE w r FROMMEMBER x BYRADIUS 1 km | PFADD w x | PFCOUNT r | PFMERGE w r
OBJECT ENCODING r | OBJECT ENCODING w | OBJECT HELP | DUMP r | RESTORE w 0 x | TOUCH r | RANDOMKEY | KEYS * | SCAN 0 | DBSIZE | FLUSHALL | FLUSHDB | SWAPDB 0 1
SWAPDB 1 2 | SWAPDB x y | SELECT 0 | SELECT 1 | SELECT x | SELECT -1 | SELECT 99 | PING | ECHO x | AUTH x y | HELLO | RESET | QUIT | CLIENT ID
CLIENT KILL ID 1 | CLIENT LIST | CONFIG GET x | CONFIG SET x y | DEBUG OBJECT x | COMMAND | COMMAND GETKEYS get x | LOLWUT | TIME | ACL WHOAMI | ACL LIST
"""
LINES = [line.split() for row in REQUESTS.strip().splitlines() for line in row.split("|")]
USERS = [
    "+@all allkeys allchannels",
    "+@all ~a ~b* %R~r %W~w ~rw",
    "+@all %R~* %W~w",
    "+@all %R~r* %W~r* %W~w",
    "+@all",
    "+@read +@write ~*",
    "+@all -@write -@dangerous ~* db=0",
    "+@all ~* db=1",
    "+@all ~* resetdbs",
    "+@all ~* db=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "+get ~a (+set +get ~b db=1) (+@all %R~r)",
    "+@all -get -config ~* (+get ~b) (+config|get)",
    "+select|1 +config|get +client|id +xgroup|create %RW~w +swapdb +move +copy ~a db=0",
    "-@all +@keyspace +@connection ~[ab] ~r? db=0 (+@all ~r db=0) (+@all ~w)",
    "+@string -@fast +@list ~* +brpop",
]


@pytest.mark.parametrize("rules", USERS)
def test_dry_runs(twins: UserTwins, rules: str) -> None:
    twins.same(
        "ACL",
        "SETUSER",
        "u",
        "reset",
        *rules.split(" (", maxsplit=1)[0].split(),
        *(f"({part}" for part in rules.split(" (")[1:]),
    )
    for line in LINES:
        twins.same("ACL", "DRYRUN", "u", *line)


def test_keys_at_fixed_places_are_those_that_the_specs_find(twins: UserTwins) -> None:
    """What is looked up once for a command is what looking at each request would find."""
    fixed = 0
    for line in LINES:
        argv = [word.encode() for word in line]
        command = twins.engine.lookup(argv)
        if isinstance(command, Command) and command.min_argc <= len(argv) <= command.max_argc:
            keys = fixed_keys(command)
            fixed += keys is not None
            assert keys is None or keys == Request(command, argv, 0, 16).keys, line
    assert fixed > 80


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_dry_runs_of_random_users(twins: UserTwins, seed: int) -> None:
    """Users of rules thrown together, each asked about a few requests."""
    dice = random.Random(seed)
    rules = [
        "+@all", "+@read", "+@write", "-@write", "+@keyspace", "+@list", "-@fast", "+get", "+set", "-get", "+sort", "+copy", "+select|1",
        "~*", "~a", "~b", "%R~r", "%W~w", "%R~*", "%W~*", "~rw", "%W~r", "db=0", "db=1", "alldbs", "resetkeys", "resetdbs",
    ]  # fmt: skip
    words = dice.choices(rules, k=dice.randrange(6))
    selectors = [f"({' '.join(dice.choices(rules, k=dice.randrange(5)))})" for _ in range(dice.randrange(3))]
    twins.same("ACL", "SETUSER", "u", "reset", *words, *selectors)
    for line in dice.choices(LINES, k=30):
        twins.same("ACL", "DRYRUN", "u", *line)


CHANNELS = """
SUBSCRIBE a | SUBSCRIBE a b | SUBSCRIBE ab | PSUBSCRIBE a* | PSUBSCRIBE a | PSUBSCRIBE ab* | SSUBSCRIBE a b | UNSUBSCRIBE z | PUNSUBSCRIBE z | SUNSUBSCRIBE z
PUBLISH a x | PUBLISH z x | PUBLISH ab z | SPUBLISH z x | SPUBLISH a x
"""


@pytest.mark.parametrize(
    "rules",
    [
        "+@all &a",
        "+@all &a*",
        "+@all &a* &*",
        "+@all resetchannels",
        "+@pubsub &a",
        "+@all &ab (+psubscribe &a*)",
    ],
)
def test_channels(twins: UserTwins, rules: str) -> None:
    pytest.importorskip("cutaway.pubsub")
    words = rules.split(" (", maxsplit=1)
    twins.same("ACL", "SETUSER", "u", "reset", *words[0].split(), *(f"({part}" for part in words[1:]))
    for row in CHANNELS.strip().splitlines():
        for line in row.split("|"):
            twins.same("ACL", "DRYRUN", "u", *line.split())


def test_commands_are_refused_in_the_real_words(twins: UserTwins) -> None:
    twins.same(
        "ACL", "SETUSER", "u", "on", ">p", "~a", "%R~r", "+@all", "-incr", "-config|set", "db=0,1", "&a"
    )
    pair = twins.connect()
    twins.same("AUTH", "u", "p", by=pair)
    for line in ("GET a", "GET b", "GET r", "SET r 1", "INCR a", "CONFIG GET maxmemory", "CONFIG SET maxmemory 0", "SELECT 2", "SELECT 1",
                 "SET a 1", "GET b", "ACL WHOAMI", "SORT a", "SORT a BY nosort", "SORT a BY b* GET c*", "SORT a GET #", "SORT_RO a GET b", "KEYS *"):  # fmt: skip
        twins.same(*line.split(), by=pair)
    twins.same("ACL", "SETUSER", "u", "%R~*")
    for line in ("SORT a BY b* GET c*", "SORT a GET #", "SORT_RO a GET b*", "SORT a BY b* STORE c"):
        twins.same(*line.split(), by=pair)
    twins.same("ACL", "SETUSER", "u", "resetkeys", "~a", "(+sort ~*)")
    twins.same("SORT", "a", "BY", "b*", by=pair)


def entries(reply: bytes) -> list[bytes]:
    """ACL LOG without what differs between two servers: the client, and the times."""
    words = reply.split(b"\r\n")
    names = (b"client-info", b"age-seconds", b"timestamp-created", b"timestamp-last-updated")
    skipped = {place + step for place, word in enumerate(words) if word in names for step in (1, 2)}
    return [word for place, word in enumerate(words) if place not in skipped]


def test_refusals_are_noted(twins: UserTwins) -> None:
    twins.same("ACL", "LOG", "RESET")
    first = int(twins.real.ask_bytes(b"INFO").partition(b"acl_access_denied_auth:")[2].partition(b"\r\n")[0])
    twins.same("ACL", "SETUSER", "u", "on", ">p", "~a", "+get", "+select", "db=0")
    pair = twins.connect()
    twins.same("AUTH", "u", "wrong", by=pair)
    twins.same("AUTH", "u", "wrong", by=pair)
    twins.same("AUTH", "nobody", "wrong", by=pair)
    twins.same("HELLO", "3", "AUTH", "nobody", "wrong", by=pair)
    twins.same("AUTH", "u", "p", by=pair)
    for line in ("GET b", "SET a 1", "GET c", "GET b", "SELECT 1", "SELECT 1"):
        twins.same(*line.split(), by=pair)
    for words in (("ACL", "LOG"), ("ACL", "LOG", "2"), ("ACL", "LOG", "0")):
        argv = [word.encode() for word in words]
        ours, real = entries(twins.ours.ask_bytes(*argv)), entries(twins.real.ask_bytes(*argv))
        numbers = {place + 1 for place, word in enumerate(real) if word == b"entry-id"}
        assert [w for at, w in enumerate(ours) if at not in numbers] == [
            w for at, w in enumerate(real) if at not in numbers
        ]
    assert twins.access.denials.counts.total() == 10
    now = int(twins.real.ask_bytes(b"INFO").partition(b"acl_access_denied_auth:")[2].partition(b"\r\n")[0])
    assert now - first == 4
    twins.same("CONFIG", "SET", "acllog-max-len", "2")
    twins.same("GET", "x", by=pair)
    assert len(twins.access.denials.entries) == 2
    twins.same("CONFIG", "SET", "acllog-max-len", "128")
    twins.same("ACL", "LOG", "RESET")
    twins.same("ACL", "LOG")
