"""Hashes, compared with a real server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.commands import Engine
from cutaway.commands.hashes import hashes

NUMBERS = ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "01", "+1", "x", "1.5", "3.0e3",
           "inf", "-inf", "nan", "-0", "0.1", "1e-5"]  # fmt: skip


def test_plain_commands_answer_the_same_bytes(twins):
    twins.script(
        """
        HSET h a 1 b 2 c 3
        HSET h a 2 d 4
        HSET h a
        HSET h a 1 b
        HSET h
        HMSET h e 5 f 6
        HMSET h e 5 f
        HMSET h e
        HSETNX h a new
        HSETNX h g 7
        HSETNX other g 7
        HGET h a
        HGET h nope
        HGET none a
        HMGET h a nope b
        HMGET none a b
        HGETALL h
        HGETALL none
        HKEYS h
        HKEYS none
        HVALS h
        HVALS none
        HLEN h
        HLEN none
        HSTRLEN h a
        HSTRLEN h nope
        HSTRLEN none a
        HEXISTS h a
        HEXISTS h nope
        HEXISTS none a
        HDEL h a nope b
        HDEL none a
        HSCAN h 0
        HSCAN h 0 NOVALUES
        HSCAN h 0 MATCH [cd] COUNT 100
        HSCAN h 0 MATCH [cd] NOVALUES COUNT 1
        HSCAN h 0 FOO
        HSCAN h 0 NOSCORES
        HSCAN h 0 COUNT 0
        HSCAN h x
        HSCAN none 0 FOO
        HSCAN none x
        HDEL h c d e f g
        EXISTS h
        HSET h "" ""
        HGETALL h
        """
    )


def test_every_command_refuses_other_types(twins):
    twins.script(
        """
        SET s v
        HSET s a 1
        HSET s a
        HMSET s a 1
        HSETNX s a 1
        HGET s a
        HMGET s a
        HGETALL s
        HKEYS s
        HVALS s
        HLEN s
        HSTRLEN s a
        HEXISTS s a
        HDEL s a
        HINCRBY s a 1
        HINCRBY s a x
        HINCRBYFLOAT s a 1
        HINCRBYFLOAT s a x
        HINCRBYFLOAT s a inf
        HRANDFIELD s
        HRANDFIELD s 1
        HRANDFIELD s x
        HSCAN s 0
        HSCAN s 0 FOO
        """
    )


@pytest.mark.parametrize("command", ["HINCRBY", "HINCRBYFLOAT"])
def test_counters_take_and_refuse_the_same_numbers(twins, command):
    for start in NUMBERS:
        for amount in NUMBERS:
            twins.same("HSET", "h", "f", start)
            twins.same(command, "h", "f", amount)
            twins.same("HGETALL", "h")
            twins.same(command, "missing", "f", amount)
            twins.same("DEL", "missing")


def test_random_fields_refuse_the_same_arguments(twins):
    twins.script(
        """
        HSET h a 1
        HRANDFIELD h
        HRANDFIELD none
        HRANDFIELD h 1
        HRANDFIELD h 5
        HRANDFIELD h 0
        HRANDFIELD h -3
        HRANDFIELD h 5 WITHVALUES
        HRANDFIELD h -3 withvalues
        HRANDFIELD none 5
        HRANDFIELD none -5 WITHVALUES
        HRANDFIELD h x
        HRANDFIELD h 1 FOO
        HRANDFIELD h 1 WITHVALUES FOO
        HRANDFIELD h 9223372036854775807 FOO
        HRANDFIELD h -9223372036854775808
        HRANDFIELD h 5000000000000000000 WITHVALUES
        HRANDFIELD h -5000000000000000000 WITHVALUES
        """
    )


def test_the_form_changes_where_the_real_one_does(twins):
    for number in range(520):
        twins.same("HSET", "many", f"f{number}", "v")
        if number in (511, 512):
            twins.same("OBJECT", "ENCODING", "many")
    twins.script(
        f"""
        HSET long f {"x" * 64}
        OBJECT ENCODING long
        HSET long f {"x" * 65}
        OBJECT ENCODING long
        HSET field {"x" * 65} 1
        OBJECT ENCODING field
        HDEL field {"x" * 65}
        HINCRBYFLOAT float f 0.1
        OBJECT ENCODING float
        """
    )
    twins.same("HSET", "at-once", *(word for number in range(513) for word in (f"f{number % 4}", "v")))
    twins.same("OBJECT", "ENCODING", "at-once")
    twins.same_sorted("HGETALL", "many")
    twins.same_sorted("HSCAN", "many", "0", "COUNT", "10000")


def test_random_fields_are_fields_of_the_hash():
    engine = Engine(hashes)
    for number in range(1000):
        engine.do("HSET", "h", f"f{number}", number)
    distinct = engine.do("HRANDFIELD", "h", 300)
    assert len(set(distinct)) == 300
    assert all(engine.do("HEXISTS", "h", field) for field in distinct)
    assert len(engine.do("HRANDFIELD", "h", -2000)) == 2000
    assert all(b"f" + value == field for field, value in engine.do("HRANDFIELD", "h", 50, "WITHVALUES").items)


def test_a_float_sum_is_propagated_as_what_it_came_to():
    engine = Engine(hashes)
    sent: list[tuple[bytes, ...]] = []
    engine.on_propagate = (lambda effects: sent.extend(tuple(argv) for _, argv in effects),)
    engine.do("HSET", "h", "f", "0.1")
    engine.do("HINCRBYFLOAT", "h", "f", "0.2")
    engine.do("HINCRBY", "h", "g", "1")
    assert sent == [
        (b"HSET", b"h", b"f", b"0.1"),
        (b"HSET", b"h", b"f", b"0.3"),
        (b"HINCRBY", b"h", b"g", b"1"),
    ]


KEYS = st.sampled_from([b"a", b"b"])
FIELDS = st.sampled_from([b"f", b"g", b"", b"7", b"-1", b"x" * 65])
VALUES = st.sampled_from([number.encode() for number in NUMBERS]) | st.binary(max_size=70)
REQUESTS = st.one_of(
    st.lists(st.tuples(FIELDS, VALUES), min_size=1, max_size=3).map(
        lambda pairs: (b"HSET", b"a", *sum(pairs, ()))
    ),
    st.tuples(st.sampled_from([b"HSETNX", b"HINCRBY"]), KEYS, FIELDS, VALUES),
    st.tuples(st.sampled_from([b"HGET", b"HSTRLEN", b"HEXISTS", b"HDEL", b"HMGET"]), KEYS, FIELDS),
    st.tuples(st.sampled_from([b"HLEN", b"TYPE", b"DEL"]), KEYS),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REQUESTS, max_size=20), st.sampled_from([2, 3]))
def test_random_sequences_answer_the_same_bytes(make_twins, requests, protocol):
    pair = make_twins(protocol)
    for request in requests:
        pair.same(*request)
    for key in (b"a", b"b"):
        pair.same_sorted("HGETALL", key)
    pair.real.close()
