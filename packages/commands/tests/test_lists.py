"""Lists, compared with a real server byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.resp import Encoder

INTEGERS = [
    b"0", b"1", b"-1", b"2", b"-2", b"3", b"100", b"-100", b"9223372036854775807",
    b"-9223372036854775808", b"9223372036854775808", b"+1", b"01", b" 1", b"", b"-0", b"1.0", b"x",
]  # fmt: skip
LONG = b"e" * 3000


def test_pushing_and_popping(twins):
    twins.script(
        """
        LPUSHX l a
        RPUSHX l a
        LPUSH l a b c
        RPUSH l d 12 -7
        LPUSHX l x y
        RPUSHX l z ""
        LLEN l
        LLEN none
        LRANGE l 0 -1
        LPOP l
        RPOP l
        LPOP l 2
        RPOP l 2
        RPOP l 0
        LPOP none
        RPOP none
        LPOP none 0
        RPOP none 3
        LPOP l 1 2
        LPOP l -1
        LPOP l x
        LPOP none x
        RPOP l 9223372036854775808
        LPOP l 9223372036854775807
        EXISTS l
        LPUSH l
        LPUSH
        LPOP
        """
    )


def test_errors_come_in_the_real_order_on_a_key_of_another_type(twins):
    twins.script(
        """
        SET s v
        LPUSH s a
        RPUSH s a
        LPUSHX s a
        RPUSHX s a
        LPOP s
        RPOP s 0
        LPOP s x
        LLEN s
        LINDEX s 0
        LINDEX s x
        LSET s x v
        LSET s 0 v
        LINSERT s BEFORE a b
        LINSERT s NEAR a b
        LREM s 0 a
        LREM s x a
        LTRIM s 0 1
        LTRIM s 0 x
        LRANGE s 0 x
        LRANGE s 0 1
        LPOS s a
        LPOS s a RANK 0
        RPOPLPUSH s l
        LMOVE s l LEFT LEFT
        LMOVE s l LEFT DOWN
        RPUSH l a
        RPOPLPUSH l s
        LMOVE l s LEFT RIGHT
        BLMOVE l s LEFT RIGHT 0
        BRPOPLPUSH l s 0
        BLPOP s l 0
        LMPOP 2 s l LEFT
        BLMPOP 0 2 s l LEFT
        LRANGE l 0 -1
        """
    )


def test_options_of_lpos(twins):
    twins.script(
        """
        RPUSH l a b c 1 2 3 c c
        LPOS l c
        LPOS l x
        LPOS l c RANK 2
        LPOS l c RANK -1
        LPOS l c RANK -4
        LPOS l c COUNT 0
        LPOS l c COUNT 2
        LPOS l c COUNT 2 RANK -1
        LPOS l c COUNT 0 RANK 2
        LPOS l c COUNT 0 MAXLEN 3
        LPOS l c COUNT 0 MAXLEN 2
        LPOS l c COUNT 0 MAXLEN 2 RANK -1
        LPOS l c COUNT 0 MAXLEN 3 RANK 9223372036854775807
        LPOS l c COUNT 9223372036854775807 RANK 1
        LPOS l c RANK -9223372036854775808
        LPOS l c RANK 0
        LPOS l c RANK x
        LPOS l c COUNT -1
        LPOS l c COUNT x
        LPOS l c MAXLEN -1
        LPOS l c MAXLEN
        LPOS l c BOGUS 1
        LPOS l c rank 1 RANK 2 count 1
        LPOS none c
        LPOS none c COUNT 1
        LPOS none c BOGUS
        LPOS l 1
        LPOS l 01
        """
    )


def test_moving_between_lists(twins):
    twins.script(
        """
        RPUSH a 1 2 3
        RPOPLPUSH a b
        RPOPLPUSH a a
        LRANGE a 0 -1
        LMOVE a b LEFT RIGHT
        LMOVE a b right left
        LMOVE a b RIGHT LEFT
        EXISTS a
        LRANGE b 0 -1
        LMOVE b b LEFT RIGHT
        LRANGE b 0 -1
        LMOVE none b LEFT RIGHT
        RPOPLPUSH none b
        LMOVE none b UP LEFT
        LMOVE none b LEFT UP
        BLMOVE b a LEFT LEFT 0
        BRPOPLPUSH b a 0
        BLMOVE b a UP LEFT 0
        BLMOVE b a LEFT LEFT x
        BLMOVE b a LEFT LEFT -1
        BRPOPLPUSH b a x
        BRPOPLPUSH b a -1
        BRPOPLPUSH b a inf
        BRPOPLPUSH b a nan
        BRPOPLPUSH b a 9223372036854775807
        LRANGE a 0 -1
        LRANGE b 0 -1
        """
    )


def test_popping_from_the_first_of_several(twins):
    twins.script(
        """
        RPUSH b 1 2 3 4 5 6 7
        LMPOP 2 a b LEFT
        LMPOP 2 a b RIGHT COUNT 2
        LMPOP 1 a LEFT
        LMPOP 0 a LEFT
        LMPOP -1 a LEFT
        LMPOP x a LEFT
        LMPOP 2 a LEFT
        LMPOP 3 a LEFT
        LMPOP 1 b UP
        LMPOP 1 b LEFT COUNT 0
        LMPOP 1 b LEFT COUNT -1
        LMPOP 1 b LEFT COUNT x
        LMPOP 1 b LEFT COUNT
        LMPOP 1 b LEFT BOGUS 1
        LMPOP 1 b LEFT COUNT 1 COUNT 1
        LMPOP 1 b LEFT COUNT 1 BOGUS
        BLMPOP 0 2 a b LEFT
        BLMPOP 0 1 b RIGHT COUNT 2
        BLMPOP x 1 b RIGHT
        BLMPOP -1 1 b RIGHT
        BLMPOP x 0 b RIGHT
        BLPOP a b 0
        RPUSH b 1 2 3 4
        BRPOP a b 0
        BRPOP b b 0
        BLPOP b x
        BLPOP b -1
        BLPOP b -0
        LMPOP 1 b LEFT COUNT 9223372036854775807
        """
    )


@pytest.mark.parametrize(
    "request_",
    ["BLPOP a 0", "BRPOP a b 0", "BLMOVE a b LEFT LEFT 0", "BRPOPLPUSH a b 0", "BLMPOP 0 1 a LEFT"],
)
def test_inside_a_transaction_nobody_waits(twins, request_):
    argv = request_.encode().split()
    twins.client.deny_blocking = True
    ours = Encoder(twins.protocol).encode(twins.engine.execute(twins.client, argv))
    twins.real.ask_bytes(b"MULTI")
    twins.real.ask_bytes(*argv)
    assert b"*1\r\n" + ours == twins.real.ask_bytes(b"EXEC")


@pytest.mark.parametrize("number", INTEGERS)
def test_indexes_and_counts_of_every_kind(twins, number):
    for length in range(4):
        twins.same("DEL", "l")
        if length:
            twins.same("RPUSH", "l", *range(length))
        twins.same("LINDEX", "l", number)
        for other in (b"0", b"1", b"-1", b"-2", b"5"):
            twins.same("LRANGE", "l", number, other)
            twins.same("LRANGE", "l", other, number)
        if (
            abs(int(number) if number.strip(b"-").isdigit() else 0) < 2**31
        ):  # beyond, Valkey cuts off the upper half
            twins.same("LSET", "l", number, "v")
        twins.same("LREM", "l", number, "v")
        twins.same("LRANGE", "l", 0, -1)
        twins.same("LTRIM", "l", number, -1)
        twins.same("LTRIM", "l", 0, number)
        twins.same("LRANGE", "l", 0, -1)


def test_a_list_turns_into_a_quicklist_and_back_where_the_real_one_does(twins):
    for size in (1, 100, 4000, 8100, 8192):
        for command in ("RPUSH", "LPUSH"):
            twins.same("DEL", "l")
            for _ in range(4):
                twins.same(command, "l", "x" * size)
                twins.same("OBJECT", "ENCODING", "l")
            for pop in ("RPOP", "LPOP", "RPOP"):
                twins.same(pop, "l")
                twins.same("OBJECT", "ENCODING", "l")
    twins.same("DEL", "l")
    twins.same("RPUSH", "l", *range(2000))
    twins.same("OBJECT", "ENCODING", "l")
    twins.same("LTRIM", "l", 0, 500)
    twins.same("OBJECT", "ENCODING", "l")
    twins.same("LSET", "l", 5, "y" * 9000)
    twins.same("OBJECT", "ENCODING", "l")
    twins.same("LSET", "l", 5, "y")
    twins.same("OBJECT", "ENCODING", "l")
    twins.same("LINSERT", "l", "BEFORE", "7", "z" * 9000)
    twins.same("LRANGE", "l", 0, -1)
    twins.same("LREM", "l", 0, "z" * 9000)
    twins.same("OBJECT", "ENCODING", "l")
    twins.same("DEL", "l")
    twins.same("RPUSH", "l", "a")
    twins.same("LINSERT", "l", "AFTER", "none", "z" * 9000)
    twins.same("OBJECT", "ENCODING", "l")
    twins.same("DEL", "l")
    twins.same("RPUSH", "l", "a")
    twins.same("LSET", "l", 7, "z" * 9000)
    twins.same("OBJECT", "ENCODING", "l")


KEYS = st.sampled_from([b"a", b"b"])
ELEMENTS = st.sampled_from([b"1", b"2", b"-3", b"x", b"", b"01", LONG]) | st.binary(max_size=70)
NUMBERS = st.sampled_from(INTEGERS)
SIDES = st.sampled_from([b"LEFT", b"right", b"UP"])
REQUESTS = st.one_of(
    st.builds(lambda name, key, elements: (name, key, *elements),
              st.sampled_from([b"LPUSH", b"RPUSH", b"LPUSHX", b"RPUSHX"]), KEYS,
              st.lists(ELEMENTS, max_size=6)),
    st.tuples(st.sampled_from([b"LPOP", b"RPOP", b"LLEN"]), KEYS),
    st.tuples(st.sampled_from([b"LPOP", b"RPOP", b"LINDEX"]), KEYS, NUMBERS),
    st.tuples(st.sampled_from([b"LRANGE", b"LTRIM"]), KEYS, NUMBERS, NUMBERS),
    st.tuples(st.just(b"LREM"), KEYS, NUMBERS, ELEMENTS),
    st.tuples(st.just(b"LSET"), KEYS, NUMBERS.filter(lambda number: len(number) < 10), ELEMENTS),
    st.tuples(st.just(b"LINSERT"), KEYS, st.sampled_from([b"BEFORE", b"after"]), ELEMENTS, ELEMENTS),
    st.tuples(st.just(b"LPOS"), KEYS, ELEMENTS, st.sampled_from([b"RANK", b"COUNT", b"MAXLEN"]), NUMBERS,
              st.sampled_from([b"RANK", b"COUNT", b"MAXLEN"]), NUMBERS),
    st.tuples(st.just(b"LMOVE"), KEYS, KEYS, SIDES, SIDES),
    st.tuples(st.just(b"RPOPLPUSH"), KEYS, KEYS),
    st.tuples(st.just(b"LMPOP"), st.just(b"2"), KEYS, KEYS, SIDES, st.just(b"COUNT"), NUMBERS),
    st.tuples(st.just(b"OBJECT"), st.just(b"ENCODING"), KEYS),
)  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REQUESTS, max_size=25), st.sampled_from([2, 3]))
def test_random_sequences_answer_the_same_bytes(make_twins, requests, protocol):
    pair = make_twins(protocol)
    for request in requests:
        pair.same(*request)
        pair.same(b"LRANGE", b"a", b"0", b"-1")
    pair.real.close()
