"""The active side of expiry: what a cycle removes, and when it stops."""

from __future__ import annotations

from random import Random

from cutaway.commands import Engine, FakeClock
from cutaway.commands.hash_expiry import hash_expiry
from cutaway.commands.hashes import hashes
from cutaway.commands.strings import strings
from cutaway.datastructures import Dict


class CountingDict(Dict):
    """A table that counts how often it was scanned, and what was seen."""

    __slots__ = ("scans", "seen")

    def __init__(self) -> None:
        super().__init__()
        self.scans = self.seen = 0

    def scan(self, cursor, count=10):
        self.scans += 1
        cursor, items = super().scan(cursor, count)
        self.seen += len(items)
        return cursor, items


def engine_with_keys(count: int, *, over: int) -> Engine:
    """An engine whose stopwatch stands still, with so many keys, of which the first `over` are over."""
    clock = FakeClock()
    engine = Engine(strings, clock=clock, stopwatch=lambda: 0, rng=Random(1), make_dict=CountingDict)
    for number in range(count):
        engine.do("SET", f"key:{number}", "v", "PX", 10 if number < over else 10_000_000)
    clock.advance(1000)
    engine.tick()
    return engine


def test_a_few_cycles_that_have_time_find_all_of_many_expired_keys():
    engine = engine_with_keys(10_000, over=5_000)
    # One is enough nine times out of ten; in the tenth a sample without expired keys ends it early.
    removed = sum(engine.active_expiry.cycle() for _ in range(6))
    assert removed == 5_000
    assert len(engine.keyspace.databases[0]) == 5_000


def test_a_cycle_that_finds_little_stops_after_a_sample():
    engine = engine_with_keys(10_000, over=0)
    before = engine.keyspace.databases[0].expires.scans
    engine.active_expiry.cycle()
    assert engine.keyspace.databases[0].expires.scans == before + 1


def test_few_expired_keys_are_found_within_a_round_of_cycles():
    engine = engine_with_keys(2_000, over=10)
    removed = sum(engine.active_expiry.cycle() for _ in range(100))
    assert removed == 10


def test_the_walk_goes_on_when_the_keys_have_changed_under_it():
    engine = engine_with_keys(1_000, over=0)
    engine.active_expiry.cycle()
    engine.keyspace.flush(engine.keyspace.databases)
    engine.do("SET", "only", "v", "PX", 5)
    engine.clock.advance(10)
    engine.tick()
    assert engine.active_expiry.cycle() == 1


def test_fields_that_are_over_are_found_though_few_hashes_have_any():
    clock = FakeClock()
    engine = Engine(hashes, hash_expiry, clock=clock, stopwatch=lambda: 0)
    for number in range(500):
        engine.do("HSET", f"h:{number}", "soon", 1, "later", 2)
        engine.do("HPEXPIRE", f"h:{number}", 10 if number % 50 == 0 else 10_000_000, "FIELDS", 1, "soon")
    clock.advance(1000)
    engine.tick()
    for _ in range(60):
        engine.active_expiry.cycle()
    assert engine.keyspace.expired_fields == 10
    assert len(engine.keyspace.databases[0].volatile_fields) == 490


def test_more_effort_looks_at_more():
    looked = []
    for effort in (1, 10):
        engine = engine_with_keys(20_000, over=0)
        engine.active_expiry.effort = effort
        engine.active_expiry.cycle()
        looked.append(engine.keyspace.databases[0].expires.seen)
    assert looked[1] > 2 * looked[0]


def test_more_effort_is_content_with_less():
    removed = []
    for effort in (1, 10):
        engine = engine_with_keys(20_000, over=1_000)
        engine.active_expiry.effort = effort
        # One in twenty is over: a sample without any ends a cycle of much effort early, but not ten in a row.
        removed.append(sum(engine.active_expiry.cycle() for _ in range(10)))
    assert removed[1] > removed[0]
