"""Bloom filters: what they promise, and their commands."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.bloom import module
from cutaway.bloom.filters import BloomFilter, Full
from cutaway.commands import CommandError, Engine
from cutaway.commands.expiring import generic
from cutaway.commands.generic import copy as _copy  # noqa: F401 - declares into `generic`
from cutaway.modules import install

ITEMS = st.lists(st.binary(max_size=12), max_size=60)


@given(ITEMS, st.integers(1, 20), st.floats(0.001, 0.5), st.integers(1, 3))
@settings(deadline=None)
def test_no_item_that_was_added_is_ever_denied(items, capacity, error, expansion):
    bloom = BloomFilter(capacity, error, expansion)
    for item in items:
        bloom.add(item)
        bloom.check()
    assert all(item in bloom for item in items)
    assert bloom.count <= len(set(items))


@given(ITEMS)
@settings(deadline=None)
def test_a_filter_comes_back_from_its_tokens(items):
    bloom = BloomFilter(5, 0.1)
    for item in items:
        bloom.add(item)
    again = bloom.copy()
    again.check()
    assert list(again.save()) == list(bloom.save())
    again.add(b"something else entirely")
    assert again.layers[0].table is not bloom.layers[0].table


@pytest.mark.parametrize(("error", "expansion"), [(0.1, 0), (0.01, 0), (0.01, 2), (0.001, 2)])
def test_the_rate_of_false_positives_is_what_was_asked_for(error, expansion):
    rng = random.Random(1)
    capacity = 5_000 if not expansion else 500
    bloom = BloomFilter(capacity, error, expansion)
    members = {rng.randbytes(8) for _ in range(5_000)}
    for member in members:
        bloom.add(member)
    strangers = [rng.randbytes(9) for _ in range(40_000)]
    found = sum(stranger in bloom for stranger in strangers)
    expected = error * len(strangers)
    assert found <= expected + 5 * math.sqrt(expected)
    if not expansion:
        assert found >= expected / 3  # and no more bits than that were spent


def test_a_filter_that_must_not_grow_is_full_at_its_capacity():
    bloom = BloomFilter(3, 0.01, 0)
    items = iter(b"%d" % number for number in range(100))
    while bloom.count < 3:
        bloom.add(next(items))
    stranger = next(item for item in items if item not in bloom)
    with pytest.raises(Full):
        bloom.add(stranger)
    assert stranger not in bloom


@pytest.mark.parametrize(
    "tokens",
    [
        [],
        [2],
        [2, 10, 0.1, 0],
        [2, 10, 2.0, 0, b"x"],
        [2, 10, 0.1, 0, b"short"],
        [2, 10**15, 0.1, 0, b""],
        [-1, 10, 0.1, 0, bytes(6)],
    ],
)
def test_tokens_that_make_no_filter_are_refused_without_allocating(tokens):
    with pytest.raises((ValueError, StopIteration)):
        BloomFilter.load(iter(tokens), 0)


# ---- commands


@pytest.fixture
def engine():
    engine = Engine(generic)
    install(engine).add(module)
    return engine


def error(reply):
    assert isinstance(reply, CommandError), reply
    return reply.message


def test_add_and_exists(engine):
    assert engine.do("BF.ADD", "f", "a") is True
    assert engine.do("BF.ADD", "f", "a") is False
    assert engine.do("BF.EXISTS", "f", "a") is True
    assert engine.do("BF.EXISTS", "f", "b") is False
    assert engine.do("BF.EXISTS", "missing", "a") is False
    assert engine.do("BF.MADD", "f", "a", "b") == [False, True]
    assert engine.do("BF.MEXISTS", "f", "a", "b", "c") == [True, True, False]
    assert engine.do("BF.CARD", "f") == 2
    assert engine.do("BF.CARD", "missing") == 0
    assert engine.do("TYPE", "f") == "cutbloom-"


def test_reserve_and_info(engine):
    assert engine.do("BF.RESERVE", "f", "0.001", "1000", "EXPANSION", "4") == "OK"
    assert error(engine.do("BF.RESERVE", "f", "0.001", "1000")) == "ERR item exists"
    info = engine.do("BF.INFO", "f")
    assert (info["Capacity"], info["Number of filters"], info["Number of items inserted"]) == (1000, 1, 0)
    assert info["Expansion rate"] == 4
    assert engine.do("BF.INFO", "f", "capacity") == [1000]
    assert error(engine.do("BF.INFO", "missing")) == "ERR not found"
    assert error(engine.do("BF.INFO", "f", "colour")).startswith("ERR Invalid information")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["0", "10"], "ERR (0 < error rate range < 1)"), (["1", "10"], "ERR (0 < error rate range < 1)"),
        (["nan", "10"], "ERR (0 < error rate range < 1)"), (["x", "10"], "ERR bad error rate"),
        (["0.1", "0"], "ERR (capacity should be larger than 0)"), (["0.1", "x"], "ERR bad capacity"),
        (["0.1", "10", "EXPANSION", "x"], "ERR bad expansion"), (["0.1", "10", "WHAT"], "ERR Unknown argument received"),
        (["1e-300", "1000000000000"], "ERR insufficient memory to create filter"),
    ],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_refused(engine, words, text):
    assert error(engine.do("BF.RESERVE", "f", *words)) == text
    assert engine.do("EXISTS", "f") == 0


def test_insert_says_what_a_new_filter_is_like(engine):
    assert error(engine.do("BF.INSERT", "f", "NOCREATE", "ITEMS", "a")) == "ERR not found"
    assert engine.do("BF.INSERT", "f", "CAPACITY", "2", "ERROR", "0.01", "NONSCALING", "ITEMS", "a", "b") == [
        True,
        True,
    ]
    replies = engine.do("BF.INSERT", "f", "ITEMS", "c", "d")
    assert error(replies[0]) == "ERR non scaling filter is full"
    assert engine.do("BF.INFO", "f")["Expansion rate"] is None
    assert isinstance(engine.do("BF.INSERT", "f", "CAPACITY", "2"), CommandError)


def test_the_defaults_are_settings(engine):
    engine.config.set([("bf.capacity", "7")])
    engine.do("BF.ADD", "f", "a")
    assert engine.do("BF.INFO", "f")["Capacity"] == 7


def test_a_filter_is_copied_whole(engine):
    engine.do("BF.ADD", "f", "a")
    assert engine.do("COPY", "f", "g") == 1
    engine.do("BF.ADD", "g", "b")
    assert engine.do("BF.EXISTS", "f", "b") is False
    assert engine.do("BF.EXISTS", "g", "a") is True
