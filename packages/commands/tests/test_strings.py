"""Strings, compared with a real server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.commands import CommandError, Engine, FakeClock
from cutaway.commands.expiring import generic
from cutaway.commands.hashes import hashes
from cutaway.commands.sets import sets
from cutaway.commands.sorted_sets import sorted_sets
from cutaway.commands.strings import strings

NUMBERS = ["0", "1", "-1", "10", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "01",
           "+1", " 1", "", "x", "1.5", "3.0e3", "inf", "-inf", "nan", "1e400", "0x10", "-0"]  # fmt: skip


def test_plain_commands_answer_the_same_bytes(twins):
    twins.script(
        """
        SET k v
        GET k
        GET missing
        SET k 12345
        GET k
        APPEND k 67
        GET k
        STRLEN k
        SETRANGE k 10 abc
        GET k
        GETRANGE k 0 -1
        GETRANGE k -3 -1
        GETRANGE k 5 2
        GETRANGE k -1 -5
        SUBSTR k 0 3
        SETRANGE k -1 x
        SETRANGE none 0 ""
        SETRANGE none 536870912 x
        MSET a 1 b 2
        MSET a 1 b
        MGET a b c k
        MSETNX a 1 c 2
        MSETNX c 1 d 2
        GETSET a new
        GETDEL a
        GETDEL a
        SETNX a 1
        SETNX a 2
        SETEX a 100 v
        SETEX a 0 v
        SETEX a x v
        PSETEX a 9223372036854775807 v
        GETEX a PERSIST
        GETEX a EX 10 PX 10
        GETEX a EX 0
        GETEX missing EX 10
        GETEX a FOO
        DELIFEQ a nope
        DELIFEQ a v
        """
    )


def test_options_of_set(twins):
    twins.script(
        """
        SET k v NX
        SET k w NX
        SET k w XX GET
        SET none w XX
        SET k v NX XX
        SET k v EX 10 PX 10
        SET k v EX
        SET k v EX 0
        SET k v EX -1
        SET k v EX 9223372036854775807
        SET k v PX 10.5
        SET k v EXAT 99999999999
        SET k v KEEPTTL
        SET k v GET
        SET k x IFEQ v
        SET k y IFEQ nope GET
        SET k y IFEQ nope
        SET none y IFEQ v
        SET k v NX GET
        SET k v bogus
        SET k v PXAT 1
        GET k
        """
    )


@pytest.mark.parametrize("command", ["INCRBY", "DECRBY", "INCRBYFLOAT"])
def test_counters_take_and_refuse_the_same_numbers(twins, command):
    for start in NUMBERS:
        for amount in NUMBERS:
            twins.same("SET", "k", start)
            twins.same(command, "k", amount)
            twins.same("GET", "k")
            twins.same(command, "missing", amount)
            twins.same("GETDEL", "missing")


def test_several_keys_with_one_expiry(twins):
    twins.script(
        """
        MSETEX 1 a b NX XX
        MSETEX x a b
        MSETEX 0 a b
        MSETEX -1 a b
        MSETEX 2 a b
        MSETEX 2 a b c
        MSETEX 1 a b c
        MSETEX 2147483648 a b
        MSETEX 2147483647 a b
        MSETEX 1 a b EX
        MSETEX 1 a b EX 0
        MSETEX 1 a b NX EX x
        MSETEX 1 a b EX 10 PX 10
        MSETEX 1 a b EX 10 KEEPTTL
        MSETEX 1 a 1 NX
        MSETEX 1 a b NX EX 0
        MSETEX 2 new b a c NX
        GET new
        MSETEX 1 a 2 XX EX 100
        TTL a
        MSETEX 1 a 3 KEEPTTL
        TTL a
        MSETEX 2 a 4 new c XX
        MSETEX 2 a 4 new c EXAT 99999999999
        EXPIRETIME new
        MSETEX 1 a b GET
        MSETEX 1 a b EXP 10
        MSETEX 1 a b NX NX
        MSETEX 1 a b EXAT 1
        GET a
        MSETEX 2 d 1 d 2
        GET d
        MSETEX 1 a b PX 9223372036854775807
        """
    )


def test_options_of_the_longest_common_subsequence(twins):
    twins.script(
        """
        MSET a ohmytext b mynewtext n 12345 e x
        LCS a b
        LCS a b LEN
        LCS a b IDX
        LCS a b IDX MINMATCHLEN 4
        LCS a b idx minmatchlen 4 withmatchlen
        LCS a b IDX MINMATCHLEN -4 WITHMATCHLEN
        LCS a b LEN WITHMATCHLEN MINMATCHLEN 3
        LCS a b LEN IDX
        LCS a b MINMATCHLEN
        LCS a b MINMATCHLEN x
        LCS a b FOO
        LCS a none
        LCS none none IDX
        LCS n n IDX WITHMATCHLEN
        LCS a e LEN
        SADD s x
        LCS s a
        LCS a s FOO
        APPEND long 0
        SETRANGE long 20000 x
        LCS long long LEN
        """
    )


LETTERS = st.text("abc", max_size=40)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LETTERS, LETTERS, st.sampled_from([[], ["IDX", "WITHMATCHLEN"]]))
def test_of_several_longest_common_subsequences_the_same_is_found(twins, one, other, options):
    twins.same("MSET", "a", one, "b", other)
    twins.same("LCS", "a", "b", *options)


def test_a_long_and_a_short_string_have_their_subsequence_at_once(twins):
    twins.same("SETRANGE", "long", 5_000_000, "needle")
    twins.same("SET", "short", "a nedle")
    twins.same("LCS", "short", "long", "IDX")
    twins.same("LCS", "long", "short", "IDX")


KEYS = st.sampled_from([b"a", b"b"])
VALUES = st.sampled_from([number.encode() for number in NUMBERS]) | st.binary(max_size=60)
OFFSETS = st.sampled_from([b"0", b"1", b"-1", b"3", b"100", b"-100", b"9223372036854775807", b"x"])
REQUESTS = st.one_of(
    st.tuples(st.just(b"SET"), KEYS, VALUES),
    st.tuples(st.sampled_from([b"GET", b"STRLEN", b"INCR", b"DECR", b"GETDEL"]), KEYS),
    st.tuples(
        st.sampled_from([b"APPEND", b"GETSET", b"INCRBY", b"DECRBY", b"SETNX", b"DELIFEQ"]), KEYS, VALUES
    ),
    st.tuples(st.sampled_from([b"GETRANGE"]), KEYS, OFFSETS, OFFSETS),
    st.tuples(st.sampled_from([b"SETRANGE"]), KEYS, st.sampled_from([b"0", b"1", b"5", b"-1"]), VALUES),
    st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=3).map(lambda pairs: (b"MSET", *sum(pairs, ()))),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REQUESTS, max_size=20), st.sampled_from([2, 3]))
def test_random_sequences_answer_the_same_bytes(make_twins, requests, protocol):
    pair = make_twins(protocol)
    for request in requests:
        pair.same(*request)
    pair.real.close()


def test_exp_is_another_word_for_ex():
    engine = Engine(strings, generic, clock=FakeClock())
    assert engine.do("SET", "k", "v", "EXP", "10") == "OK"
    assert engine.do("PTTL", "k") == 10_000
    assert isinstance(engine.do("SET", "k", "v", "EXP", "10", "EX", "10"), CommandError)


@pytest.mark.parametrize(
    "words", [("SRANDMEMBER", "s"), ("HRANDFIELD", "h"), ("ZRANDMEMBER", "z")], ids=lambda words: words[0]
)
def test_a_reply_of_a_thousand_million_draws_is_refused_and_not_begun(words):
    engine = Engine(sets, hashes, sorted_sets)
    for filling in (["SADD", "s", "a"], ["HSET", "h", "a", "1"], ["ZADD", "z", "1", "a"]):
        engine.do(*filling)
    reply = engine.do(*words, "-1000000000")
    assert isinstance(reply, CommandError)
    assert "at most" in reply.message
    assert len(engine.do(*words, "-1000")) == 1000
