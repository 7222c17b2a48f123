"""`maxmemory`: what is counted, what is evicted, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.commands import CommandError, Engine
from cutaway.commands.accounting import UNIT, sampled_bytes
from cutaway.commands.blocking_lists import lists
from cutaway.commands.clocks import FakeClock
from cutaway.commands.configuration import configuration
from cutaway.commands.connections import connections
from cutaway.commands.counters import counters
from cutaway.commands.errors import OUT_OF_MEMORY
from cutaway.commands.eviction import Evictor, State
from cutaway.commands.expiring import generic
from cutaway.commands.hashes import hashes
from cutaway.commands.objects import objects
from cutaway.commands.set_algebra import sets
from cutaway.commands.sizes import entry_size
from cutaway.commands.sorted_set_algebra import sorted_sets
from cutaway.commands.strings import strings
from cutaway.config import Config
from cutaway.datastructures.eviction_clocks import lfu_minutes

TABLES = (
    strings, counters, lists, sets, hashes, sorted_sets, generic, objects, connections, configuration,
)  # fmt: skip
POLICIES = [
    "allkeys-lru", "allkeys-lfu", "allkeys-random",
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
]  # fmt: skip


class Ticks:
    """A stopwatch that goes on by so many nanoseconds each time it is looked at."""

    def __init__(self) -> None:
        self.now, self.step = 0, 0

    def __call__(self) -> int:
        self.now += self.step
        return self.now


class House:
    """An engine with its evictor, a clock that stands still, and what both have told."""

    def __init__(self, **settings: str) -> None:
        self.clock = FakeClock()
        self.ticks = Ticks()
        self.engine = Engine(*TABLES, clock=self.clock, stopwatch=self.ticks, rng=Random(7), config=Config())
        self.events: list[tuple[int, bytes, str]] = []
        self.log: list[tuple[bytes, ...]] = []
        self.engine.on_propagate = (lambda effects: self.log.extend(tuple(argv) for _, argv in effects),)
        self.engine.keyspace.listen(lambda db, key, event, _: self.events.append((db.index, key, event)))
        self.evictor = Evictor(self.engine)
        self.set(**settings)

    def set(self, **settings: str) -> None:
        self.engine.config.set([(name.replace("_", "-"), value) for name, value in settings.items()])

    def limit(self, extra: int = 0) -> None:
        """Grant what is in use now, and some more."""
        self.set(maxmemory=str(self.evictor.used_memory() + extra))

    def do(self, *words: bytes | str | int) -> object:
        return self.engine.do(*words)

    def names(self) -> set[bytes]:
        return set(self.engine.keyspace.databases[0].keys)

    def check(self) -> None:
        """The books are right: every sum is the sum of its parts."""
        keyspace = self.engine.keyspace
        for database in keyspace.databases:
            entries = list(database.keys.values())
            assert database.size == sum(entry.size for entry in entries)
            assert database.counted == sum(entry.size > 0 for entry in entries)
        assert keyspace.size == sum(database.size for database in keyspace.databases)


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.check()


# ---- counting


def test_without_a_limit_there_is_no_gate_and_no_listener() -> None:
    engine = Engine(*TABLES)
    Evictor(engine)
    assert engine.gates == ()
    assert engine.keyspace.on_change == ()
    engine.config.set([("maxmemory", "1gb")])
    assert len(engine.gates) == len(engine.keyspace.on_change) == 1
    engine.config.set([("maxmemory", "0")])
    assert engine.gates == engine.keyspace.on_change == ()


WRITES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["SET", "APPEND", "GETSET"]), st.sampled_from("abc"), st.text("xy", max_size=90)),
        st.tuples(st.sampled_from(["SADD", "SREM", "LPUSH"]), st.sampled_from("abc"), st.text("xy", max_size=3)),
        st.tuples(st.just("HSET"), st.sampled_from("abc"), st.text("xy", max_size=3), st.text("v", max_size=90)),
        st.tuples(st.just("ZADD"), st.sampled_from("abc"), st.integers(0, 9), st.text("xy", max_size=3)),
        st.tuples(st.sampled_from(["DEL", "UNLINK", "PERSIST", "LPOP", "INCR"]), st.sampled_from("abc")),
        st.tuples(st.sampled_from(["PEXPIRE", "SPOP"]), st.sampled_from("abc"), st.integers(1, 9)),
        st.tuples(st.sampled_from(["RENAME", "COPY"]), st.sampled_from("abc"), st.sampled_from("abc")),
        st.tuples(st.sampled_from(["SWAPDB", "MOVE"]), st.sampled_from("01a"), st.just(1)),
        st.tuples(st.just("SELECT"), st.sampled_from("01")),
        st.tuples(st.sampled_from(["FLUSHDB", "FLUSHALL"])),
        st.tuples(st.just("CONFIG"), st.just("SET"), st.just("maxmemory"), st.sampled_from(["0", "1gb"])),
        st.tuples(st.just("wait"), st.integers(1, 9)),
    ),
    max_size=40,
)  # fmt: skip


@given(WRITES)
@settings(max_examples=150, deadline=None)
def test_the_books_are_right_after_any_commands(writes: list[tuple[object, ...]]) -> None:
    house = House(maxmemory="1gb")
    for name, *words in writes:
        if name == "wait":
            house.clock.advance(int(str(words[0])))
            house.engine.cron()
        else:
            house.do(str(name), *map(str, words))
        house.check()
    house.set(maxmemory="1gb")
    house.engine.cron()
    house.evictor.ledger.settle()
    house.check()
    for database in house.engine.keyspace.databases:
        for key, entry in database.keys.items():
            assert entry.size == -(-entry_size(key, entry) // UNIT), key


def test_keys_that_were_there_before_the_limit_are_estimated_at_once_and_sized_bit_by_bit(
    house: House,
) -> None:
    for number in range(3000):
        house.do("SET", f"key:{number}", "x" * (number % 200))
    exact = sum(entry_size(key, entry) for key, entry in house.engine.keyspace.databases[0].keys.items())
    assert house.evictor.used_memory() == pytest.approx(exact, rel=0.2)
    house.ticks.step = 10**9  # whoever looks at the stopwatch finds that time is over
    house.set(maxmemory="1gb")
    assert 0 < house.engine.keyspace.databases[0].counted < 3000
    assert house.evictor.used_memory() == pytest.approx(exact, rel=0.2)
    steps = 0
    while house.evictor.step():
        steps += 1
        house.check()
    assert steps > 10
    assert house.evictor.ledger.uncounted == 0
    assert house.evictor.used_memory() == pytest.approx(exact, rel=0.05)


def test_a_sample_stands_still_while_nothing_changes(house: House) -> None:
    for number in range(2000):
        house.do("SET", number, "x" * (number % 700))
    database = house.engine.keyspace.databases[0]
    assert len({sampled_bytes(database) for _ in range(5)}) == 1


def test_a_large_collection_is_sized_once_for_each_moment(house: House) -> None:
    house.set(maxmemory="1gb")
    house.do("RPUSH", "list", *[f"element:{number}" for number in range(1000)])
    before = house.engine.keyspace.size
    for _ in range(100):
        house.do("RPUSH", "list", "x" * 100)
    assert house.engine.keyspace.size == before
    house.clock.advance(1)
    house.do("PING")
    assert house.engine.keyspace.size * UNIT >= before * UNIT + 100 * 100


# ---- evicting


@pytest.mark.parametrize("policy", POLICIES)
def test_the_limit_is_kept_under_each_policy(house: House, policy: str) -> None:
    house.set(maxmemory_policy=policy)
    for number in range(50):
        house.do("SET", f"old:{number}", "x" * 50, "EX", 1000)
    house.limit()
    for number in range(200):
        assert house.do("SET", f"new:{number}", "x" * 50, "EX", 1000) == "OK"
    assert house.evictor.used_memory() <= house.evictor.limit + 400
    assert house.engine.keyspace.evicted_keys == pytest.approx(200, abs=10)
    assert len(house.names()) == pytest.approx(50, abs=10)


@pytest.mark.parametrize("policy", [policy for policy in POLICIES if policy.startswith("volatile")])
def test_volatile_policies_spare_keys_without_an_expiry(house: House, policy: str) -> None:
    house.set(maxmemory_policy=policy)
    for number in range(20):
        house.do("SET", f"kept:{number}", "x")
        house.do("SET", f"lent:{number}", "x", "EX", 1000)
    house.limit()
    kept = {key for key in house.names() if key.startswith(b"kept")}
    answers = [house.do("SET", f"more:{number}", "x") for number in range(60)]
    assert kept <= house.names()
    assert not [key for key in house.names() if key.startswith(b"lent")]
    assert answers[0] == "OK"
    assert answers[-1] is OUT_OF_MEMORY


def test_lru_evicts_what_was_not_used_for_longest(house: House) -> None:
    house.set(maxmemory_policy="allkeys-lru", maxmemory_samples="64")
    for number in range(40):
        house.do("SET", f"key:{number}", "x")
        house.clock.advance(1000)
    for number in range(0, 40, 2):
        house.do("GET", f"key:{number}")
    house.limit()
    for number in range(20):
        house.do("SET", f"new:{number}", "x")
    assert {f"key:{number}".encode() for number in range(0, 40, 2)} <= house.names()


def test_lfu_evicts_what_was_used_least(house: House) -> None:
    house.set(maxmemory_policy="allkeys-lfu", maxmemory_samples="64", lfu_log_factor="0")
    for number in range(40):
        house.do("SET", f"key:{number}", "x")
    for _ in range(10):
        for number in range(0, 40, 2):
            house.do("GET", f"key:{number}")
    house.limit()
    for number in range(20):
        house.do("SET", f"new:{number}", "x")
    assert {f"key:{number}".encode() for number in range(0, 40, 2)} <= house.names()


def test_ttl_evicts_what_expires_first(house: House) -> None:
    house.set(maxmemory_policy="volatile-ttl", maxmemory_samples="64")
    for number in range(20):
        house.do("SET", f"key:{number}", "x", "EX", 1000 + number)
    house.limit()
    for number in range(10):
        house.do("SET", f"new:{number}", "x", "EX", 9000)
    gone = {number for number in range(20) if f"key:{number}".encode() not in house.names()}
    assert gone
    assert gone == set(range(len(gone)))


def test_an_evicted_key_is_an_event_a_counter_and_an_unlink_in_the_log(house: House) -> None:
    house.set(maxmemory_policy="allkeys-random")
    house.do("SET", "key", "x")
    house.events.clear()
    house.log.clear()
    house.set(maxmemory="1")
    house.do("GET", "other")
    assert (0, b"key", "evicted") in house.events
    assert house.log == [(b"UNLINK", b"key")]
    house.set(maxmemory="0", lazyfree_lazy_eviction="no")
    house.do("SET", "key", "x")
    house.log.clear()
    house.set(maxmemory="1")
    house.do("PING")
    assert house.log == [(b"DEL", b"key")]
    assert house.engine.keyspace.evicted_keys == 2
    house.do("CONFIG", "RESETSTAT")
    assert house.engine.keyspace.evicted_keys == 0


def test_eviction_stops_when_its_time_is_up_and_goes_on_between_commands(house: House) -> None:
    house.set(maxmemory_policy="allkeys-lru")
    for number in range(500):
        house.do("SET", number, "x")
    wanted: list[bool] = []
    house.evictor.on_work = lambda: wanted.append(True)
    house.limit()
    house.ticks.step = 10**9
    house.set(maxmemory=str(house.evictor.limit // 2))
    wanted.clear()
    assert house.do("SET", "one more", "x") == "OK"
    assert len(house.names()) == 500 - 16 + 1
    assert wanted
    while house.evictor.step():
        pass
    assert house.evictor.make_room() is State.OK
    assert len(house.names()) == pytest.approx(250, abs=20)
    assert house.evictor.exceeded_nanoseconds > 0


@pytest.mark.parametrize(
    ("tenacity", "microseconds"), [(0, 0), (1, 50), (10, 500), (11, 575), (50, 133_931), (99, 126_241_300)]
)
def test_tenacity_is_a_line_up_to_ten_and_a_curve_from_there(
    house: House, tenacity: int, microseconds: int
) -> None:
    house.set(maxmemory_eviction_tenacity=str(tenacity))
    assert house.evictor.time_limit() // 1000 == pytest.approx(microseconds, rel=1e-3)


def test_at_tenacity_100_nothing_stops_it(house: House) -> None:
    house.set(maxmemory_eviction_tenacity="100")
    assert house.evictor.time_limit() > 10**18


# ---- refusing


def test_with_noeviction_only_commands_that_need_memory_are_refused(house: House) -> None:
    house.do("SET", "key", "x")
    house.do("RPUSH", "list", "a")
    house.set(maxmemory="1")
    assert house.do("SET", "key", "y") is OUT_OF_MEMORY
    assert house.do("GET", "key") == b"x"
    assert house.do("LPOP", "list") == b"a"
    assert house.do("DEL", "key") == 1
    assert house.engine.commands[b"set"].rejected_calls == 1
    assert house.engine.errors_by_code["OOM"] == 1
    house.set(maxmemory="0")
    assert house.do("SET", "key", "y") == "OK"


def test_the_log_says_that_writes_are_refused_once_a_minute(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.do("SET", "key", "x")
    house.set(maxmemory="1")
    for _ in range(3):
        house.do("SET", "key", "y")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    house.clock.advance(60_000)
    house.do("SET", "key", "y")
    assert len(caplog.records) == 2


def test_lfu_counts_uses_and_forgets_by_the_minute(house: House) -> None:
    house.set(maxmemory_policy="allkeys-lfu", lfu_log_factor="0")
    house.do("SET", "key", "x")
    assert house.do("OBJECT", "FREQ", "key") == 5
    for _ in range(10):
        house.do("GET", "key")
    assert house.do("OBJECT", "FREQ", "key") == 15
    house.clock.advance(3 * 60_000)
    house.engine.cron()
    assert house.do("OBJECT", "FREQ", "key") == 12
    house.do("GET", "key")
    assert house.do("OBJECT", "FREQ", "key") == 13
    entry = house.engine.keyspace.databases[0].peek(b"key")
    assert entry is not None
    assert entry.access == lfu_minutes(house.clock.now) << 8 | 13
    for _ in range(300):
        house.do("GET", "key")
    assert house.do("OBJECT", "FREQ", "key") == 255
    assert isinstance(house.do("OBJECT", "IDLETIME", "key"), CommandError)


def test_idle_time_counts_seconds(house: House) -> None:
    house.do("SET", "key", "x")
    house.clock.advance(61_000)
    assert house.do("OBJECT", "IDLETIME", "key") == 61
