"""Random members are drawn fairly, whatever the encoding, and a HyperLogLog errs as its theory says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

import pytest

from cutaway.commands import Client, Engine
from cutaway.commands.hashes import hashes
from cutaway.commands.hyperloglog_commands import hyperloglog
from cutaway.commands.objects import objects
from cutaway.commands.scanning import generic
from cutaway.commands.set_algebra import sets
from cutaway.commands.sorted_set_algebra import sorted_sets
from cutaway.commands.strings import strings
from cutaway.config import Config
from cutaway.resp import SetReply

MEMBERS = 40
DRAWS = 4_000
CHI_SQUARE = 86.0
"""A fair draw of 40 members exceeds this once in a hundred thousand times (39 degrees of freedom)."""
SMALL: dict[str, str] = {}
LARGE = {"set-max-intset-entries": "1", "set-max-listpack-entries": "1", "hash-max-listpack-entries": "1",
         "zset-max-listpack-entries": "1"}  # fmt: skip


class House:
    """An engine with a set, a hash and a sorted set of the same members, and a key for each of them."""

    def __init__(self, limits: dict[str, str], *, numbers: bool) -> None:
        self.engine = Engine(generic, hashes, hyperloglog, objects, sets, sorted_sets, strings,
                             rng=Random(7), config=Config(limits))  # fmt: skip
        self.client: Client = self.engine.connect()
        self.members = [b"%d" % n if numbers else b"member:%d" % n for n in range(MEMBERS)]
        self("SADD", "set", *self.members)
        self("HSET", "hash", *(word for member in self.members for word in (member, b"x")))
        self("ZADD", "zset", *(word for n, member in enumerate(self.members) for word in (b"%d" % n, member)))

    def __call__(self, *words: str | bytes) -> object:
        reply = self.engine.execute(
            self.client, [word if isinstance(word, bytes) else word.encode() for word in words]
        )
        assert not isinstance(reply, Exception), words
        return reply


def assert_fair(drawn: Iterable[object], members: list[bytes]) -> None:
    """Insist that no member was drawn too often or too seldom."""
    counts = Counter(drawn)
    assert set(counts) <= set(members)
    expected = sum(counts.values()) / len(members)
    chi_square = sum((counts[member] - expected) ** 2 / expected for member in members)
    assert chi_square < CHI_SQUARE, chi_square


@pytest.fixture(params=["intset", "listpack", "hashtable"])
def house(request: pytest.FixtureRequest) -> House:
    made = House(LARGE if request.param == "hashtable" else SMALL, numbers=request.param == "intset")
    assert (
        made("OBJECT", "ENCODING", "set") == request.param.encode()
        if b"object" in made.engine.commands
        else True
    )
    return made


@pytest.mark.parametrize("request_", ["SRANDMEMBER set", "HRANDFIELD hash", "ZRANDMEMBER zset"])
def test_one_random_member(house: House, request_: str) -> None:
    assert_fair((house(*request_.split()) for _ in range(DRAWS)), house.members)


@pytest.mark.parametrize("request_", ["SRANDMEMBER set", "HRANDFIELD hash", "ZRANDMEMBER zset"])
@pytest.mark.parametrize("count", [3, 15, 37, -7])
def test_several_random_members(house: House, request_: str, count: int) -> None:
    batches = [house(*request_.split(), str(count)) for _ in range(DRAWS // abs(count))]
    assert all(isinstance(batch, (list, set)) and len(batch) == abs(count) for batch in batches)
    if count > 0:
        assert all(len(set(batch)) == count for batch in batches)  # type: ignore[call-overload]
    assert_fair((member for batch in batches for member in batch), house.members)  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", [1, 5, 30])
def test_popped_members(house: House, count: int) -> None:
    drawn: list[object] = []
    for _ in range(DRAWS // (4 * count)):
        house("COPY", "set", "copy", "REPLACE")
        popped = house("SPOP", "copy", *([] if count == 1 else [str(count)]))
        drawn += popped.items if isinstance(popped, SetReply) else [popped]
    assert_fair(drawn, house.members)


def test_random_keys() -> None:
    house = House(SMALL, numbers=False)
    house("FLUSHALL")
    for member in house.members:
        house("SET", member, "x")
    assert_fair((house("RANDOMKEY") for _ in range(DRAWS)), house.members)


@pytest.mark.parametrize("cardinality", [300, 3_000])
def test_the_standard_error_of_a_hyperloglog_is_that_of_the_paper(cardinality: int) -> None:
    """1.04 / sqrt(16384) = 0.81 %; fewer elements than registers are told more exactly."""
    house = House(SMALL, numbers=False)
    trials = 20
    squares = 0.0
    for trial in range(trials):
        house("DEL", "hll")
        house("PFADD", "hll", *(b"%d:%d" % (trial, number) for number in range(cardinality)))
        counted = house("PFCOUNT", "hll")
        assert isinstance(counted, int)
        squares += (counted / cardinality - 1) ** 2
    standard_error = (squares / trials) ** 0.5
    assert standard_error < 0.0081 * 1.4
    assert standard_error > 0, "nobody counts hashes without an error"
