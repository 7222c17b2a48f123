"""Popping from several sorted sets, and waiting for them."""

from __future__ import annotations

import pytest

from cutaway.commands import Engine, FakeClock
from cutaway.commands.blocking_sorted_sets import blocking_sorted_sets
from cutaway.commands.generic import generic
from cutaway.commands.sorted_sets import sorted_sets
from cutaway.resp import NO_REPLY, NULL_ARRAY


def test_popping_what_is_there(twins):
    twins.script(
        """
        ZADD b 1 x 2 y 3 z
        BZPOPMIN a b 0
        BZPOPMAX a b 0.5
        BZPOPMIN b 0
        ZADD b 1 x 2 y 3 z
        ZMPOP 2 a b MIN
        ZMPOP 2 a b MAX COUNT 5
        ZMPOP 2 a b MIN
        ZADD b 1 x 2 y 3 z
        BZMPOP 0 2 a b MAX
        BZMPOP 1 2 a b MIN COUNT 2
        EXISTS b
        """
    )


def test_what_is_refused(twins):
    twins.script(
        """
        SET s v
        ZADD z 1 a
        BZPOPMIN s 0
        BZPOPMIN s z 0
        BZPOPMIN s x
        BZPOPMIN z -1
        BZPOPMIN z nan
        BZPOPMIN z 1e400
        BZPOPMIN z
        BZPOPMAX z inf
        ZMPOP 0 z MIN
        ZMPOP -1 z MIN
        ZMPOP x z MIN
        ZMPOP 1 z
        ZMPOP 1 z FOO
        ZMPOP 2 z MIN
        ZMPOP 1 z MIN COUNT
        ZMPOP 1 z MIN COUNT 0
        ZMPOP 1 z MIN COUNT x
        ZMPOP 1 z MIN COUNT 1 COUNT 1
        ZMPOP 1 z MIN FOO 1
        ZMPOP 1 z MIN COUNT 0 FOO
        ZMPOP 9223372036854775807 z MIN
        ZMPOP 1 s MIN
        ZMPOP 2 s z MIN
        BZMPOP x 1 z MIN
        BZMPOP -1 1 z MIN
        BZMPOP x 0 z MIN
        BZMPOP 0 1 z FOO
        BZMPOP 0 1 s MIN
        """
    )


@pytest.fixture
def engine():
    return Engine(sorted_sets, blocking_sorted_sets, generic, clock=FakeClock())


def waiting(engine, *argv):
    inbox = []
    client = engine.connect(inbox.append)
    assert engine.execute(client, [word.encode() for word in argv]) is NO_REPLY
    return inbox


def test_who_came_first_is_served_first(engine):
    first = waiting(engine, "BZPOPMIN", "z", "0")
    second = waiting(engine, "BZMPOP", "0", "2", "y", "z", "MAX", "COUNT", "10")
    engine.do("ZADD", "z", "1", "a", "2", "b", "3", "c")
    assert first == [[b"z", b"a", 1.0]]
    assert second == [[b"z", [[b"c", 3.0], [b"b", 2.0]]]]
    assert engine.do("EXISTS", "z") == 0


def test_a_key_of_another_type_wakes_nobody(engine):
    inbox = waiting(engine, "BZPOPMAX", "z", "0")
    engine.do("ZADD", "other", "1", "a")
    engine.do("RENAME", "other", "z")
    assert inbox == [[b"z", b"a", 1.0]]


def test_whoever_waits_too_long_gets_nothing(engine):
    inbox = waiting(engine, "BZMPOP", "0.5", "1", "z", "MIN")
    engine.clock.advance(501)
    engine.expire_blocked()
    assert inbox == [NULL_ARRAY]


def test_a_pop_that_waited_is_propagated_as_a_plain_one(engine):
    sent = []
    engine.on_propagate = (lambda effects: sent.extend(tuple(argv) for _, argv in effects),)
    waiting(engine, "BZPOPMIN", "z", "0")
    waiting(engine, "BZMPOP", "0", "1", "z", "MAX", "COUNT", "10")
    engine.do("ZADD", "z", "1", "a", "2", "b", "3", "c")
    assert sent == [
        (b"ZADD", b"z", b"1", b"a", b"2", b"b", b"3", b"c"),
        (b"ZPOPMIN", b"z"),
        (b"ZPOPMAX", b"z", b"2"),
    ]
