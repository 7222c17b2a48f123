"""`Dict` against the builtin dict, its scan guarantee, its fairness, and the bound on its rehash."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cutaway.datastructures.dicts import MAX_LOAD, Dict, next_cursor

KEYS = st.integers(0, 400).map(lambda n: b"key:%d" % n)


def fill(n: int) -> Dict[bytes, int]:
    return Dict((b"%d" % i, i) for i in range(n))


class DictMachine(RuleBasedStateMachine):
    """Every operation does what the builtin dict does, through growing and shrinking tables."""

    def __init__(self) -> None:
        super().__init__()
        self.real: Dict[bytes, int] = Dict()
        self.model: dict[bytes, int] = {}

    @rule(key=KEYS, value=st.integers())
    def set_one(self, key: bytes, value: int) -> None:
        self.real[key] = self.model[key] = value

    @rule(start=st.integers(0, 300), n=st.integers(1, 100))
    def set_many(self, start: int, n: int) -> None:
        for i in range(start, start + n):
            self.real[b"key:%d" % i] = self.model[b"key:%d" % i] = i

    @rule(key=KEYS)
    def pop_one(self, key: bytes) -> None:
        assert self.real.pop(key, None) == self.model.pop(key, None)

    @rule(n=st.integers(1, 100))
    def pop_many(self, n: int) -> None:
        for key in list(self.real)[:n]:
            assert self.real.pop(key) == self.model.pop(key)

    @rule(key=KEYS, value=st.integers())
    def set_default(self, key: bytes, value: int) -> None:
        assert self.real.setdefault(key, value) == self.model.setdefault(key, value)

    @rule(key=KEYS)
    def look_up(self, key: bytes) -> None:
        assert self.real.get(key) == self.model.get(key)
        assert self.real.get(key, "none") == self.model.get(key, "none")
        keys = [key, b"no key", key, *list(self.model)[:3]]
        assert self.real.get_all(keys) == [*map(self.model.get, keys)]
        assert (key in self.real) == (key in self.model)
        if key in self.model:
            assert self.real[key] == self.model[key]
        else:
            with pytest.raises(KeyError):
                self.real[key]
            with pytest.raises(KeyError):
                del self.real[key]

    @rule(n=st.integers(1, 5))
    def rehash(self, n: int) -> None:
        assert self.real.rehash_step(n) == self.real.rehashing

    @rule()
    def replace_by_copy(self) -> None:
        self.real, original = self.real.copy(), self.real
        original[b"key:0"] = -1
        original.pop(b"key:1", None)

    @rule()
    def clear(self) -> None:
        self.real.clear()
        self.model.clear()

    @precondition(lambda self: self.model)
    @rule(seed=st.integers())
    def draw(self, seed: int) -> None:
        key, value = self.real.random_item(Random(seed))
        assert self.model[key] == value
        sampled = self.real.sample(5, Random(seed))
        assert 1 <= len(sampled) == len(dict(sampled)) <= 5
        assert all(self.model[key] == value for key, value in sampled)

    @invariant()
    def same_content(self) -> None:
        self.real.check()
        assert len(self.real) == len(self.model)
        assert dict(self.real.items()) == self.model
        assert sorted(self.real) == sorted(self.real.keys()) == sorted(self.model)
        assert sorted(self.real.values()) == sorted(self.model.values())


class ScanMachine(RuleBasedStateMachine):
    """A scan returns every key that was there all the time, and none that never was, whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self.real = fill(200)
        self.begin()

    def begin(self) -> None:
        self.cursor = 0
        self.returned: set[bytes] = set()
        self.constant = set(self.real)
        self.ever = set(self.real)

    @rule(count=st.integers(1, 20))
    def step(self, count: int) -> None:
        self.cursor, items = self.real.scan(self.cursor, count)
        self.returned.update(key for key, _ in items)
        assert self.returned <= self.ever
        if self.cursor == 0:
            assert self.constant <= self.returned
            self.begin()

    @rule(start=st.integers(0, 4000), n=st.integers(1, 400))
    def add(self, start: int, n: int) -> None:
        for i in range(start, start + n):
            self.real[b"%d" % i] = i
            self.ever.add(b"%d" % i)

    @rule(start=st.integers(0, 4000), n=st.integers(1, 400))
    def remove(self, start: int, n: int) -> None:
        for i in range(start, start + n):
            self.real.pop(b"%d" % i, None)
            self.constant.discard(b"%d" % i)

    @rule(keep=st.integers(1, 60))
    def remove_most(self, keep: int) -> None:
        for key in list(self.real)[keep:]:
            del self.real[key]
            self.constant.discard(key)

    @rule(n=st.integers(1, 30))
    def rehash(self, n: int) -> None:
        self.real.rehash_step(n)

    def teardown(self) -> None:
        while self.cursor:
            self.step(10)


TestDict = DictMachine.TestCase
TestDict.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestScan = ScanMachine.TestCase
TestScan.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


@given(st.integers(0, 10), st.integers(0, 5000))
def test_cursor_visits_every_slot_once_and_returns_to_zero(bits: int, start: int) -> None:
    mask = (1 << bits) - 1
    first = cursor = start & mask
    seen = []
    while True:
        seen.append(cursor)
        cursor = next_cursor(cursor, mask)
        if cursor == first:
            break
    assert sorted(seen) == list(range(mask + 1))


def test_scan_without_changes_returns_every_key_exactly_once() -> None:
    table = fill(5000)
    while table.rehash_step(1000):
        pass
    cursor, seen = table.scan(0, 10)
    while cursor:
        cursor, items = table.scan(cursor, 10)
        seen += items
    assert Counter(key for key, _ in seen) == Counter(list(table))


def test_scan_returns_about_as_many_items_as_asked_for() -> None:
    _, items = fill(5000).scan(0, 100)
    assert 100 <= len(items) <= 100 + 4 * MAX_LOAD


def test_a_write_moves_one_bucket_and_a_rehash_ends_before_the_next_is_due() -> None:
    table: Dict[bytes, int] = Dict()
    for i in range(20_000):
        before = table.rehash_index
        table[b"%d" % i] = i
        assert table.rehash_index <= max(before, 0) + 11
    for i in range(20_000):
        del table[b"%d" % i]
        assert sum(stats.slots for stats in table.stats()) < 10 * max(len(table), 500)
    while table.rehash_step(100):
        pass
    assert [stats.slots for stats in table.stats()] == [1]


def test_reads_move_nothing() -> None:
    table = fill(MAX_LOAD + 1)
    assert table.rehashing
    assert b"1" in table
    assert table.get(b"2") == table[b"2"] == 2
    assert table.rehash_index == 0


@pytest.mark.parametrize("n", [1, 10, 40, MAX_LOAD * 8 + 3])
def test_random_item_is_fair(n: int) -> None:
    table, rng, draws = fill(n), Random(7), 200 * n
    hits = Counter(table.random_item(rng)[0] for _ in range(draws))
    expected = draws / n
    chi_square = sum((hits[key] - expected) ** 2 / expected for key in table)
    # The statistic has mean n - 1 and variance 2(n - 1): five standard deviations and some slack for small n.
    assert chi_square < n + 5 * (2 * n) ** 0.5


def test_random_item_of_nothing_is_an_error_and_a_sample_of_nothing_is_empty() -> None:
    with pytest.raises(KeyError):
        Dict().random_item(Random(1))
    assert Dict().sample(5, Random(1)) == []


def test_stats_count_every_key_and_slot() -> None:
    table = fill(MAX_LOAD * 4 + 1)
    old, new = table.stats()
    assert (old.slots, new.slots) == (4, 8)
    assert old.keys + new.keys == len(table)
    assert sum(new.histogram.values()) == new.slots
    assert old.longest <= old.keys


def test_memory_usage_grows_with_the_keys() -> None:
    sizes = [fill(n).memory_usage() for n in (0, 10, 1000, 10_000)]
    assert sizes == sorted(set(sizes))
    assert 30 < sizes[-1] / 10_000 < 100
