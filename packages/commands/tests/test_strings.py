"""Strings, compared with a real server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NUMBERS = ["0", "1", "-1", "10", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "01", "+1", " 1", "", "x",
           "1.5", "3.0e3", "inf", "-inf", "nan", "1e400", "0x10", "-0"]  # fmt: skip


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


KEYS = st.sampled_from([b"a", b"b"])
VALUES = st.sampled_from([number.encode() for number in NUMBERS]) | st.binary(max_size=60)
OFFSETS = st.sampled_from([b"0", b"1", b"-1", b"3", b"100", b"-100", b"9223372036854775807", b"x"])
REQUESTS = st.one_of(
    st.tuples(st.just(b"SET"), KEYS, VALUES),
    st.tuples(st.sampled_from([b"GET", b"STRLEN", b"INCR", b"DECR", b"GETDEL"]), KEYS),
    st.tuples(st.sampled_from([b"APPEND", b"GETSET", b"INCRBY", b"DECRBY", b"SETNX", b"DELIFEQ"]), KEYS, VALUES),
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
