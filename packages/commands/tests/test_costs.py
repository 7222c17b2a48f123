"""What a command costs grows as its documentation says: counted in lines of Python run, on a small value and on one 16 times as long."""

from __future__ import annotations

from random import Random

import pytest

from cutaway.commands import Client, Engine
from cutaway.commands.hashes import hashes
from cutaway.commands.lists import lists
from cutaway.commands.scanning import generic
from cutaway.commands.sets import sets
from cutaway.commands.sorted_set_algebra import sorted_sets
from cutaway.commands.stream_info import streams
from cutaway.commands.strings import strings
from cutaway.resp import Reply, ReplyError
from cutaway.testing import lines_of

pytestmark = pytest.mark.xdist_group("costs")  # one worker builds the large values

SMALL, LARGE = 1_000, 16_000
SAMPLES = 8


def filled(size: int) -> tuple[Engine, Client]:
    """An engine with a value of each kind that has `size` elements."""
    engine = Engine(generic, hashes, lists, sets, sorted_sets, streams, strings, rng=Random(1))
    client = engine.connect()
    names = [b"element:%06d" % number for number in range(size)]
    scores = [b"%d" % number for number in range(size)]
    engine.execute(client, [b"RPUSH", b"list", *names])
    engine.execute(client, [b"SADD", b"set", *names])
    engine.execute(
        client, [b"ZADD", b"zset", *(word for pair in zip(scores, names, strict=True) for word in pair)]
    )
    engine.execute(client, [b"HSET", b"hash", *(word for name in names for word in (name, b"x"))])
    for number in range(1, size + 1):
        engine.execute(client, [b"XADD", b"stream", b"%d-0" % number, b"field", b"value"])
        engine.execute(client, [b"SET", b"key:%d" % number, b"x"])
    return engine, client


@pytest.fixture(scope="module")
def small() -> tuple[Engine, Client]:
    return filled(SMALL)


@pytest.fixture(scope="module")
def large() -> tuple[Engine, Client]:
    return filled(LARGE)


def cost(house: tuple[Engine, Client], size: int, request: str) -> float:
    """The lines that a request takes on the average, at places all over the value; the first time does not count."""
    engine, client = house
    costs: list[int] = []
    for sample in range(SAMPLES + 1):
        place = (size - 20) * sample // SAMPLES + 1
        text = request.format(place=place, end=place + 9, name=f"element:{place:06d}", new=f"new:{sample}")
        argv = [word.encode() for word in text.split()]
        replies: list[Reply] = []
        costs.append(lines_of(lambda: replies.append(engine.execute(client, argv))))  # noqa: B023 - run at once
        assert not isinstance(replies[0], ReplyError), (text, replies)
    return sum(costs[1:]) / SAMPLES


@pytest.mark.parametrize(
    "request_",
    [
        "LINDEX list {place}", "LRANGE list {place} {end}", "LSET list {place} x", "LPUSH list x", "RPOP list",
        "ZRANK zset {name}", "ZREVRANK zset {name}", "ZRANGE zset {place} {end}", "ZREVRANGE zset {place} {end}",
        "ZRANGEBYSCORE zset {place} {end}", "ZRANGEBYSCORE zset 0 inf LIMIT 100 5", "ZCOUNT zset {place} inf", "ZADD zset {place}.5 {new}",
        "ZREM zset {name}", "ZPOPMIN zset", "ZRANDMEMBER zset",
        "XRANGE stream {place} + COUNT 10", "XREVRANGE stream {place} - COUNT 10", "XREAD COUNT 10 STREAMS stream {place}",
        "XADD stream * field value", "XDEL stream {place}-0", "XLEN stream",
        "SCAN {place}", "SSCAN set {place}", "HSCAN hash {place}", "ZSCAN zset {place}", "RANDOMKEY",
        "SPOP set", "SPOP set 5", "SRANDMEMBER set 5", "HRANDFIELD hash 5", "SADD set {new}", "HSET hash {new} x", "HGET hash {name}",
    ],
)  # fmt: skip
def test_cost_does_not_grow_with_the_size(
    small: tuple[Engine, Client], large: tuple[Engine, Client], request_: str
) -> None:
    few, many = cost(small, SMALL, request_), cost(large, LARGE, request_)
    # Four doublings lie between the two: a logarithm adds a few steps to the many that every command takes.
    assert many < 1.6 * few + 60, (few, many)


@pytest.mark.parametrize("request_", ["LREM list 0 none", "KEYS none*", "XRANGE stream - +"])
def test_cost_that_is_linear_shows_as_such(
    small: tuple[Engine, Client], large: tuple[Engine, Client], request_: str
) -> None:
    few, many = cost(small, SMALL, request_), cost(large, LARGE, request_)
    assert many > 4 * few, (few, many)
