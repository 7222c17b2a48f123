"""What is printed is what redis-cli prints, to the byte: the same lines are given to both."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from cutaway.testing import RealServer

OURS = [sys.executable, "-m", "cutaway.client"]
RULER = b"---------- the next line ----------"

WRITES = rb"""
SET greeting "hello \"world\"\r\n\x00\xff\t\a\b\\ \xc3\xa9"
SET empty ""
SET number 41
RPUSH list a b "c d" "" e f g h i j k
SADD set member
SADD numbers 3 1 2
HSET hash field value "a b" "\n"
ZADD zset 1 one 2.5 two 1e30 big -inf low
XADD stream 1-1 a b c d
XADD stream 2-1 e f
XGROUP CREATE stream group 0
GEOADD sicily 13.361389 38.115556 Palermo
PFADD hll a b c
"""
READS = rb"""
PING
PING "quoted \"text\""
ECHO ""
GET greeting
GET missing
GET empty
GET list
INCR number
STRLEN greeting
MGET greeting missing number
LRANGE list 0 -1
LRANGE list 0 0
LRANGE missing 0 -1
LPOP missing
LPOP missing 2
SMEMBERS set
SMEMBERS numbers
SMEMBERS missing
SMISMEMBER numbers 1 9
HGETALL hash
HGETALL missing
HMGET hash field missing
HSET single f v
HRANDFIELD single -2 WITHVALUES
ZRANGE zset 0 -1 WITHSCORES
ZSCORE zset two
ZMSCORE zset two missing
ZADD zset INCR 1.5 two
ZPOPMIN zset
ZRANGEBYSCORE zset 5 1
XRANGE stream - +
XREAD COUNT 2 STREAMS stream 0
XREADGROUP GROUP group alice STREAMS stream >
XPENDING stream group
XINFO STREAM stream
XINFO GROUPS stream
GEOPOS sicily Palermo missing
GEODIST sicily Palermo missing
PFCOUNT hll
TYPE list
EXISTS list set missing
TTL list
OBJECT ENCODING number
OBJECT HELP
CONFIG GET maxmemory*
CONFIG GET nothing*
COMMAND INFO get nosuchcommand
COMMAND DOCS get
COMMAND COUNT
COMMAND GETKEYS MSET a b c d
EVAL "return {1, {2, {3, 'x', {}}}, false, 'y', {ok='fine'}}" 0
EVAL "return {{{{'deep'}}}, {'a', {'b'}}, 10}" 0
EVAL "return redis.error_reply('MY error\ttext')" 0
EVAL "return {1, redis.error_reply('inside'), 2}" 0
EVAL "redis.setresp(3); return {double=3.5}" 0
EVAL "redis.setresp(3); return redis.call('HGETALL', 'hash')" 0
EVAL "redis.setresp(3); return {map={a=1}}" 0
EVAL "redis.setresp(3); return {set={x=true}}" 0
EVAL "redis.setresp(3); return {true, false, redis.call('ZSCORE', 'zset', 'two')}" 0
DEBUG PROTOCOL string
DEBUG PROTOCOL integer
DEBUG PROTOCOL double
DEBUG PROTOCOL null
DEBUG PROTOCOL array
DEBUG PROTOCOL set
DEBUG PROTOCOL map
DEBUG PROTOCOL verbatim
DEBUG PROTOCOL true
DEBUG PROTOCOL false
FOO bar "b\naz"
SET
SET a b WHAT
WRONGTYPE
SLOWLOG HELP
ACL WHOAMI
ACL CAT
ACL GETUSER default
LOLWUT VERSION 1
CLIENT GETNAME
CLIENT NO-EVICT on
MEMORY HELP
LATENCY LATEST
LATENCY HISTORY command
SCAN 0 COUNT 100 TYPE list
SELECT 1
SELECT 99
DBSIZE
SELECT 0
MULTI
SET a 1
LPUSH a 1
SMEMBERS numbers
HGETALL hash
EXEC
MULTI
NOSUCH
EXEC
MULTI
DISCARD
EXEC
WATCH a
UNWATCH
SUBSTR greeting 0 2
SORT numbers DESC
COPY list list2
LCS greeting number IDX
LMPOP 1 list LEFT COUNT 2
ZMPOP 1 zset MIN
2 INCR number
0 INCR number
"unbalanced
FUNCTION LIST
"""
READ_LINES = [line for line in READS.splitlines() if line]


def script() -> bytes:
    """All lines, with a ruler after each, so that a difference can be placed."""
    lines = [b"FLUSHALL", *WRITES.splitlines(), *READ_LINES]
    return b"".join(line + b'\nECHO "' + RULER + b'"\n' for line in lines if line)


Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.mark.parametrize(
    ("name", "format_", "protocol"),
    [
        ("redis", "--no-raw", "-2"), ("redis", "--no-raw", "-3"), ("valkey", "--no-raw", "-2"), ("valkey", "--no-raw", "-3"),
        ("redis", "--raw", "-2"), ("valkey", "--raw", "-3"),
        ("redis", "--csv", "-2"), ("valkey", "--csv", "-3"),
        ("redis", "--json", "-2"), ("valkey", "--json", "-3"), ("redis", "--quoted-json", "-3"),
    ],
)  # fmt: skip
def test_every_reply_is_printed_as_redis_cli_prints_it(
    request: pytest.FixtureRequest, redis_cli: list[str], run: Run, name: str, format_: str, protocol: str
) -> None:
    server = request.getfixturevalue(f"{name}_server")
    arguments = ["-s", server.path, protocol, format_]
    theirs = run(redis_cli, *arguments, stdin=script()).stdout.split(RULER)
    ours = run(OURS, *arguments, stdin=script()).stdout.split(RULER)
    lines = script().splitlines()[::2]
    assert len(theirs) > len(READ_LINES)
    for line, expected, found in zip(lines, theirs, ours, strict=False):
        assert found == expected, line
    assert len(ours) == len(theirs)


@pytest.mark.parametrize("words", [["-d", ", ", "-D", ";"], ["-D", ""]])
def test_the_delimiters_of_raw_format(
    redis_server: RealServer, redis_cli: list[str], run: Run, words: list[str]
) -> None:
    arguments = ["-s", redis_server.path, "--raw", *words]
    run(redis_cli, "-s", redis_server.path, stdin=WRITES)
    for command in (["LRANGE", "list", "0", "-1"], ["GET", "greeting"], ["NOSUCH"]):
        expected = run(redis_cli, *arguments, *command)
        assert run(OURS, *arguments, *command).stdout == expected.stdout
