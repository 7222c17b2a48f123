"""The 24 bits of a key's age: clocks that wrap, a counter that is a logarithm, and the pool of candidates."""

from __future__ import annotations

from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.datastructures.caches import LFUCache, LRUCache
from cutaway.datastructures.eviction_clocks import (
    LFU_INIT_VAL,
    LRU_CLOCK_MAX,
    EvictionPool,
    idle_time,
    lfu_counter,
    lfu_increment,
    lfu_minutes,
    lfu_minutes_elapsed,
    lfu_new,
    lfu_touch,
    lru_clock,
)


@given(st.integers(0, 10**13), st.integers(0, LRU_CLOCK_MAX - 1))
def test_idle_time_is_exact_to_the_second_and_loses_one_tick_when_the_clock_wraps(now: int, ago: int) -> None:
    then, clock = lru_clock(now), lru_clock(now + ago * 1000)
    lost = 1 if clock < then else 0
    assert idle_time(then, clock) == (ago - lost) * 1000


def test_minutes_wrap_at_sixteen_bits() -> None:
    assert lfu_minutes(65536 * 60_000 + 59_999) == 0
    assert lfu_minutes_elapsed(10, 15) == 5
    assert lfu_minutes_elapsed(65535, 3) == 3


def test_a_counter_loses_one_for_each_decay_period_and_never_goes_below_zero() -> None:
    bits = 100 << 8 | 7
    assert [lfu_counter(bits, 100 + m, 1) for m in (0, 1, 6, 7, 8)] == [7, 6, 1, 0, 0]
    assert [lfu_counter(bits, 100 + m, 3) for m in (2, 3, 6)] == [7, 6, 5]
    assert lfu_counter(bits, 60_000, 0) == 7
    assert lfu_counter(lfu_new(9), 9, 1) == LFU_INIT_VAL


def test_a_counter_up_to_its_initial_value_always_counts_and_at_255_never() -> None:
    rng = Random(1)
    assert all(lfu_increment(counter, 10, rng) == counter + 1 for counter in range(LFU_INIT_VAL + 1))
    assert lfu_increment(255, 0, rng) == 255


@pytest.mark.parametrize(
    ("hits", "factor", "low", "high"), [(100, 0, 104, 106), (100, 10, 8, 12), (1000, 1, 44, 54)]
)
def test_the_counter_grows_as_the_manual_tabulates(hits: int, factor: int, low: int, high: int) -> None:
    finals = []
    for seed in range(30):
        rng, bits = Random(seed), lfu_new(0)
        for _ in range(hits):
            bits = lfu_touch(bits, 0, factor, 1, rng)
        finals.append(bits & 255)
    assert low <= mean(finals) <= high


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 16))
def test_the_pool_keeps_the_highest_scores(scores: list[int], size: int) -> None:
    pool = EvictionPool(size)
    for number, score in enumerate(scores):
        pool.offer(score, 0, b"%d" % number)
        pool.check()
    taken = []
    while (candidate := pool.take(lambda _db, _key: True)) is not None:
        taken.append(scores[int(candidate[1])])
    assert taken == sorted(scores, reverse=True)[:size]


def test_the_pool_passes_over_ghosts() -> None:
    pool = EvictionPool()
    for score, key in enumerate((b"old", b"older", b"gone")):
        pool.offer(score, 3, key)
    assert pool.take(lambda db, key: (db, key) != (3, b"gone")) == (3, b"older")
    assert len(pool) == 1
    assert pool.take(lambda _db, _key: False) is None
    pool.offer(1, 0, b"k")
    pool.clear()
    assert len(pool) == 0


def test_sampling_with_the_pool_evicts_nearly_what_exact_lru_would() -> None:
    rng, pool = Random(5), EvictionPool()
    ages = {b"%d" % i: i for i in range(1000)}
    exact: LRUCache[bytes, int] = LRUCache(1000)
    for key in ages:
        exact.put(key, 0)
    victims = []
    for _ in range(500):
        for key in rng.sample(list(ages), 5):
            pool.offer(idle_time(ages[key], 2000), 0, key)
        candidate = pool.take(lambda _db, key: key in ages)
        assert candidate is not None
        del ages[candidate[1]]
        victims.append(candidate[1])
    assert len(set(victims) & set(exact.keys()[:500])) > 400


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=80), st.integers(1, 5))
def test_the_exact_caches_evict_what_their_definition_says(
    uses: list[tuple[bool, int]], capacity: int
) -> None:
    lru: LRUCache[int, int] = LRUCache(capacity)
    lfu: LFUCache[int, int] = LFUCache(capacity)
    last: dict[int, int] = {}
    counts: dict[int, tuple[int, int]] = {}
    for now, (write, key) in enumerate(uses):
        if write:
            victim = min(last, key=lambda k: last[k]) if key not in last and len(last) == capacity else None
            rarest = (
                min(counts, key=lambda k: counts[k])
                if key not in counts and len(counts) == capacity
                else None
            )
            assert lru.put(key, now) == victim
            assert lfu.put(key, now) == rarest
            if victim is not None:
                del last[victim]
            if rarest is not None:
                del counts[rarest]
            last[key] = now
            counts[key] = (counts.get(key, (0, 0))[0] + 1, now)
        else:
            assert (lru.get(key) is not None) == (key in last)
            assert (lfu.get(key) is not None) == (key in counts)
            if key in last:
                last[key] = now
            if key in counts:
                counts[key] = (counts[key][0] + 1, now)
        lru.check()
        lfu.check()
        assert lru.keys() == sorted(last, key=lambda k: last[k])
        assert lfu.keys() == sorted(counts, key=lambda k: counts[k])
        assert len(lru) == len(last)
        assert len(lfu) == len(counts)
        assert (key in lru, key in lfu) == (key in last, key in counts)
        assert lfu.uses(key) == counts.get(key, (0, 0))[0]


def test_a_cache_of_no_capacity_is_refused() -> None:
    for cache in (LRUCache, LFUCache):
        with pytest.raises(ValueError, match="at least 1"):
            cache(0)
