"""A pipeline is answered as a real server answers it, whatever stands beside what in it.

Plain commands run in stretches, several of one kind at once, and their replies are encoded together; what changes the client (its protocol, whether it hears
replies at all, a transaction) lies in between. So a pipeline is thrown together of both, sent in one piece, and what comes back
compared to the byte. (PUBLISH to oneself is tested elsewhere: Redis 7.0 sends the message before the reply, later ones after it.)
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from cutaway.resp import encode_request
from cutaway.testing import RealServer
from cutaway.testing.fixtures import real_or_skip

PLAIN = """
GET text
GET none
SET text hello
SET text 12
INCR text
INCR list
DECR text
SET other 9223372036854775800
INCR other
APPEND text more
RPUSH list a b c
LPUSH list head
RPUSH list 42
LPOP list
RPOP list
LRANGE list 0 -1
SADD set one two
SISMEMBER set one
SCARD set
HSET hash field value
HGETALL hash
ZADD sorted 1.5 member
ZSCORE sorted member
ZRANGE sorted 0 -1 WITHSCORES
DEL list
EXISTS text list set
TTL text
EXPIRE text 100
TYPE text
GET
SETEX text 0 a
NOSUCH command
PING
PING aloud
ECHO there
SELECT 1
SELECT 0
SORT list ALPHA
""".strip().splitlines()
OTHERS = """
HELLO 2
HELLO 3
CLIENT SETNAME somebody
CLIENT GETNAME
CLIENT TRACKING on
CLIENT TRACKING off
SUBSCRIBE news
UNSUBSCRIBE news
BLPOP list 0.01
OBJECT ENCODING text
CONFIG GET appendonly
EVAL return{KEYS[1],redis.call('GET',KEYS[1])} 1 text
RESET
""".strip().splitlines()
TRANSACTIONS = ["MULTI", "MULTI", "EXEC", "EXEC", "DISCARD", "WATCH text"]
SILENCE = ["CLIENT REPLY OFF", "CLIENT REPLY ON", "CLIENT REPLY SKIP"]
"""Not in a pipeline with transactions: Redis lets it into one, and Valkey does not."""
GREETING = re.compile(rb"(?<=[*%])([0-9]+).{,9}server\r\n.*?modules\r\n\*0\r\n", re.DOTALL)
"""HELLO's reply, which tells the server's name, and how many clients there were before."""


@pytest.fixture(scope="module")
def real() -> Iterator[RealServer]:
    with real_or_skip("redis") as server:
        yield server


def pipeline(chance: random.Random) -> list[list[bytes]]:
    others = OTHERS + chance.choice([TRANSACTIONS, SILENCE, []])
    most = chance.choice([1, 1, 12])  # times that a plain command comes in a row
    lines: list[str] = []
    for _ in range(chance.randrange(2, 80)):
        if chance.random() < 0.8:
            lines += [chance.choice(PLAIN)] * chance.randint(1, most)
        else:
            lines.append(chance.choice(others))
    return [line.encode().split() for line in lines]


@pytest.mark.parametrize("seed", [*range(60), 82])  # in the 83rd a transaction changes the protocol
def test_a_pipeline_in_one_piece_is_answered_as_by_a_real_server(shared_server, real, seed: int) -> None:
    requests = pipeline(random.Random(seed))
    data = b"".join(
        map(encode_request, [[b"FLUSHALL"], *requests, [b"RESET"], [b"CLIENT", b"REPLY", b"ON"], [b"QUIT"]])
    )
    ours, theirs = (GREETING.sub(rb"\1 facts", server.exchange(data)) for server in (shared_server, real))
    assert ours == theirs
