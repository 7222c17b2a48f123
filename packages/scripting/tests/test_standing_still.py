"""What a script sees does not depend on when it looks, nor on the order in which a set happens to lie."""

from __future__ import annotations

import itertools

import pytest

from cutaway.commands import Engine
from cutaway.commands.server_commands import server_commands
from cutaway.commands.set_algebra import sets
from cutaway.commands.sorting import sorting
from cutaway.scripting import install, scripting

pytest.importorskip("lupa")


@pytest.fixture
def engine() -> Engine:
    engine = Engine(server_commands, sets, sorting, scripting)
    install(engine)
    return engine


def test_a_set_that_is_not_sorted_comes_in_the_order_of_its_bytes(engine):
    members = [b"b", b"a", b"azz", b"aa", b"c"]
    engine.do("SADD", "s", *members)
    assert engine.do("EVAL", "return redis.call('sort', KEYS[1], 'by', '_')", "1", "s") == sorted(members)


def test_time_stands_still(engine):
    moments = itertools.count(1_700_000_000_000_000)
    engine.extras["microseconds"] = lambda: next(moments)
    first, second = engine.do("EVAL", "return {redis.call('time'), redis.call('time')}", "0")
    assert first == second
    assert engine.do("TIME") != engine.do("TIME")
