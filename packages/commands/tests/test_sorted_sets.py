"""Sorted sets: adding, removing, asking. Compared with a real server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.commands import Engine
from cutaway.commands.sorted_sets import sorted_sets

SCORES = ["0", "1", "-1", "2.5", "-0", "+1", "01", "1e3", ".5", "5.", "inf", "-inf", "+INF", "infinity", "nan", "x", "1e400", "-1e400",
          "1e-400", "4.9e-324", "0.1", "1e20", "1e300", "123456789012345678", "1_0", "1 ", "--1", "9007199254740993"]  # fmt: skip


def test_the_options_of_zadd(twins):
    twins.script(
        """
        ZADD z 1 a 2 b 3 c
        ZADD z 1 a 2.5 b 4 d
        ZADD z CH 1 a 3 b 4 e
        ZADD z NX 9 a 9 f
        ZADD z XX 9 a 9 g
        ZADD z XX CH 10 a 9 g
        ZADD z NX CH 10 a 9 g
        ZADD z GT CH 5 a 11 b 1 h
        ZADD z LT CH 5 a 12 b 1 h
        ZADD z GT XX CH 5 a 12 b 1 i
        ZADD z LT XX CH 5 a 12 b 1 i
        ZADD z INCR 2 a
        ZADD z INCR 2 new
        ZADD z NX INCR 2 a
        ZADD z XX INCR 2 a
        ZADD z XX INCR 2 none
        ZADD z GT INCR -2 a
        ZADD z LT INCR -2 a
        ZADD z LT INCR 2 a
        ZADD z GT INCR 0 a
        ZADD none XX 1 a
        ZADD none XX INCR 1 a
        ZADD none XX CH 1 a
        ZADD z NX XX 1 a
        ZADD z GT LT 1 a
        ZADD z GT NX 1 a
        ZADD z LT NX 1 a
        ZADD z INCR 1 a 2 b
        ZADD z INCR CH 1 a
        ZADD z 1
        ZADD z 1 a 2
        ZADD z NX 1
        ZADD z NX CH
        ZADD z NX NX 1 a
        ZADD z FOO 1 a
        ZADD z a 1
        ZADD z 1 a x b
        ZADD z NX XX x a
        ZADD z 1 nx
        ZADD z 1 "" 2 1
        ZADD z 1 a 2 a 3 a
        ZRANGE z 0 -1 WITHSCORES
        ZADD z inf a
        ZADD z INCR -inf a
        ZINCRBY z -inf a
        ZINCRBY z 1.5 b
        ZINCRBY z 0 b
        ZINCRBY z x b
        ZINCRBY z nan b
        ZINCRBY z NX b
        ZINCRBY none 3 b
        ZINCRBY z 1
        SET s v
        ZADD s 1 a
        ZADD s x a
        ZADD s 1
        ZADD s XX 1 a
        ZINCRBY s 1 a
        """
    )


def test_scores_are_taken_and_printed_alike(twins):
    for score in SCORES:
        twins.same("ZADD", "z", score, f"m{score}")
        twins.same("ZSCORE", "z", f"m{score}")
        twins.same("ZINCRBY", "z", score, "sum")
        twins.same("ZADD", "z", "1", "sum")
    twins.same("ZRANGE", "z", "0", "-1", "WITHSCORES")
    twins.same("ZSCAN", "z", "0")


def test_removing_and_asking(twins):
    twins.script(
        """
        ZADD z 1 a 2 b 3 c 4 d 5 e
        ZREM z a nope
        ZREM none a
        ZREM z
        ZCARD z
        ZCARD none
        ZSCORE z b
        ZSCORE z nope
        ZSCORE none b
        ZMSCORE z b nope c
        ZMSCORE none b c
        ZMSCORE z
        ZRANK z b
        ZRANK z e WITHSCORE
        ZRANK z nope
        ZRANK z nope WITHSCORE
        ZRANK none b
        ZRANK none b WITHSCORE
        ZRANK z b FOO
        ZRANK z b WITHSCORE FOO
        ZRANK none b FOO
        ZREVRANK z b
        ZREVRANK z b withscore
        ZREVRANK z nope
        ZREVRANK z b FOO BAR
        ZPOPMIN z
        ZPOPMAX z
        ZPOPMIN z 0
        ZPOPMIN z -1
        ZPOPMIN z x
        ZPOPMIN z 1.5
        ZPOPMIN z 1 2
        ZPOPMIN none
        ZPOPMIN none 2
        ZPOPMAX none 0
        ZPOPMAX none x
        ZPOPMAX z 1
        ZPOPMIN z 10
        EXISTS z
        SET s v
        ZREM s a
        ZCARD s
        ZSCORE s a
        ZMSCORE s a
        ZRANK s a
        ZRANK s a WITHSCORE
        ZPOPMIN s
        ZPOPMIN s 0
        ZPOPMIN s x
        ZSCAN s 0
        ZRANDMEMBER s
        ZRANDMEMBER s 1
        ZRANDMEMBER s x
        ZADD z 1 a
        ZREM z a
        EXISTS z
        """
    )


def test_scanning_and_drawing(twins):
    twins.script(
        """
        ZADD z 1 a
        ZRANDMEMBER z
        ZRANDMEMBER z 3
        ZRANDMEMBER z -3
        ZRANDMEMBER z 3 WITHSCORES
        ZRANDMEMBER z -3 WITHSCORES
        ZRANDMEMBER z 0
        ZRANDMEMBER none
        ZRANDMEMBER none 1 WITHSCORES
        ZRANDMEMBER z 1 FOO
        ZRANDMEMBER z 1 WITHSCORES FOO
        ZRANDMEMBER z x FOO
        ZRANDMEMBER z -9223372036854775808
        ZRANDMEMBER z -9223372036854775807 WITHSCORES
        ZADD z 0.1 b 1e20 c inf d -1.5 e
        ZSCAN z 0
        ZSCAN z 0 MATCH [ab] COUNT 5
        ZSCAN z 0 NOSCORES
        ZSCAN z 0 NOVALUES
        ZSCAN z 0 FOO
        ZSCAN z x
        ZSCAN none 0 FOO
        """
    )
    for number in range(130):
        twins.same("ZADD", "big", f"{number}.1", f"m{number}")
    twins.same("OBJECT", "ENCODING", "big")
    twins.same_sorted("ZSCAN", "big", "0", "COUNT", "10000")


def test_the_form_changes_where_the_real_one_does(twins):
    for number in range(130):
        twins.same("ZADD", "many", number, f"m{number}")
        if number in (127, 128):
            twins.same("OBJECT", "ENCODING", "many")
    twins.same("ZADD", "at-once", *(word for number in range(129) for word in (number, f"m{number % 3}")))
    twins.same("OBJECT", "ENCODING", "at-once")
    for length in (64, 65):
        twins.same("ZADD", f"first{length}", "1", "x" * length)
        twins.same("OBJECT", "ENCODING", f"first{length}")
        twins.same("ZADD", f"second{length}", "1", "a", "1", "x" * length)
        twins.same("OBJECT", "ENCODING", f"second{length}")
    twins.same("ZRANGE", "many", "0", "-1", "WITHSCORES")


def test_random_members_are_members_of_the_set():
    engine = Engine(sorted_sets)
    for number in range(1000):
        engine.do("ZADD", "z", number, f"m{number}")
    distinct = engine.do("ZRANDMEMBER", "z", 300)
    assert len(set(distinct)) == 300
    assert None not in engine.do("ZMSCORE", "z", *distinct)
    assert len(engine.do("ZRANDMEMBER", "z", -2000)) == 2000
    assert all(
        member == b"m%d" % score for member, score in engine.do("ZRANDMEMBER", "z", 50, "WITHSCORES").items
    )


@pytest.mark.parametrize("size", [5, 200])
def test_an_unchanged_score_is_no_change(size):
    engine = Engine(sorted_sets)
    for number in range(size):
        engine.do("ZADD", "z", number, f"m{number}")
    dirty = engine.keyspace.dirty
    engine.do("ZADD", "z", 1, "m1")
    engine.do("ZINCRBY", "z", 0, "m1")
    engine.do("ZADD", "z", "GT", 0, "m1")
    assert engine.keyspace.dirty == dirty
    engine.do("ZADD", "z", 7, "m1")
    assert engine.keyspace.dirty == dirty + 1


KEYS = st.sampled_from([b"a", b"b"])
MEMBERS = st.sampled_from([b"m", b"n", b"o", b"", b"7", b"x" * 65])
TEXTS = st.sampled_from([score.encode() for score in SCORES])
FLAGS = st.lists(st.sampled_from([b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR"]), max_size=2)
REQUESTS = st.one_of(
    st.tuples(KEYS, FLAGS, st.lists(st.tuples(TEXTS, MEMBERS), min_size=1, max_size=3)).map(
        lambda parts: (b"ZADD", parts[0], *parts[1], *sum(parts[2], ()))
    ),
    st.tuples(st.just(b"ZINCRBY"), KEYS, TEXTS, MEMBERS),
    st.tuples(st.sampled_from([b"ZSCORE", b"ZRANK", b"ZREVRANK", b"ZREM", b"ZMSCORE"]), KEYS, MEMBERS),
    st.tuples(st.sampled_from([b"ZPOPMIN", b"ZPOPMAX"]), KEYS, st.sampled_from([b"0", b"1", b"2", b"x"])),
    st.tuples(st.sampled_from([b"ZPOPMIN", b"ZPOPMAX", b"ZCARD"]), KEYS),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REQUESTS, max_size=20), st.sampled_from([2, 3]))
def test_random_sequences_answer_the_same_bytes(make_twins, requests, protocol):
    pair = make_twins(protocol)
    for request in requests:
        pair.same(*request)
    for key in (b"a", b"b"):
        pair.same("ZRANGE", key, "0", "-1", "WITHSCORES")
    pair.real.close()
