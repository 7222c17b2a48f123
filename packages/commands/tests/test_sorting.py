"""SORT, compared with a real server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WEIGHTS = [
    b"12", b" 12", b"12 ", b"0x20", b"", b" ", b"inf", b"-INF", b"infinity", b"infinit", b"nan", b"1e400",
    b"1e-400", b"1e-310", b"5\0abc", b"\0abc", b".", b"+5", b"--5", b"5.", b".5", b"1e", b"1e5", b"1_0",
    b"01", b"-0", b"0e5", b"9223372036854775807", b"1.7976931348623159e308", b"0" * 400 + b"1",
]  # fmt: skip


def test_options_and_errors(twins):
    twins.script(
        """
        RPUSH l 10 9 -1 2.5 1e2 2
        SORT l
        SORT l DESC
        SORT l ASC DESC
        SORT l ALPHA
        SORT l ALPHA DESC
        SORT l LIMIT 1 2
        SORT l LIMIT -1 2
        SORT l LIMIT 1 -1
        SORT l LIMIT 1 -5
        SORT l LIMIT 0 0
        SORT l LIMIT 99 1
        SORT l LIMIT 0 9223372036854775807
        SORT l LIMIT 9223372036854775807 9223372036854775807
        SORT l LIMIT 0
        SORT l LIMIT x 1
        SORT l LIMIT 0 x
        SORT l LIMIT 0 1 LIMIT 1 1
        SORT l BOGUS
        SORT l BY
        SORT l GET
        SORT l STORE
        SORT l asc alpha limit 0 2
        SORT_RO l
        SORT_RO l DESC LIMIT 0 2
        SORT_RO l STORE to
        SORT
        SORT none
        SORT none GET # STORE to
        SORT none BOGUS
        SET text v
        SORT text
        SORT text BOGUS
        SORT text LIMIT x 1
        HSET h f v
        SORT h
        RPUSH words a B c ""
        SORT words
        SORT words LIMIT 0 0
        SORT words ALPHA
        SORT words STORE to
        EXISTS to
        """
    )


def test_patterns(twins):
    twins.script(
        """
        RPUSH l 1 2 3 4
        MSET w_1 40 w_2 30 w_3 20 o_1 one o_3 three
        SORT l BY w_*
        SORT l BY w_* DESC
        SORT l BY w_* GET o_*
        SORT l BY w_* GET # GET o_* GET w_*
        SORT l BY o_* ALPHA
        SORT l BY o_*
        SORT l GET fixed
        SORT l GET *
        SORT l GET ##
        SORT l BY nosort
        SORT l BY nosort DESC
        SORT l BY nosort LIMIT 1 2
        SORT l BY nosort DESC LIMIT 1 2
        SORT l BY nosort DESC LIMIT 9 2
        SORT l BY nosort LIMIT 0 0
        SORT l BY nosort GET o_*
        SORT l BY # DESC
        HSET h_1 age 9 name x
        HSET h_2 age 8
        SET h_3 text
        SORT l BY h_*->age
        SORT l BY h_*->age GET h_*->name
        SORT l BY h_*->age GET h_*
        SORT l GET h_*->
        SORT l GET h_*->->
        SORT l GET *->x*
        SORT l GET h->*->age
        SORT l BY w_* GET # STORE to
        LRANGE to 0 -1
        SORT l BY w_* GET o_* STORE to
        LRANGE to 0 -1
        SORT l BY w_* LIMIT 0 0 STORE to
        EXISTS to
        SORT l STORE l
        LRANGE l 0 -1
        SET text v EX 100
        SORT l STORE text
        TTL text
        OBJECT ENCODING text
        """
    )


def test_sets_have_no_order_but_what_is_stored_of_them_has(twins):
    twins.same("SADD", "s", "3", "1", "2", "20", "100")
    twins.same("SORT", "s")
    twins.same("SORT", "s", "DESC", "LIMIT", 1, 2)
    twins.same_sorted("SORT", "s", "BY", "nosort")
    twins.same("SORT", "s", "BY", "nosort", "STORE", "to")
    twins.same("LRANGE", "to", 0, -1)
    twins.same("SORT", "s", "BY", "nosort", "DESC", "LIMIT", 1, 3, "STORE", "to")
    twins.same("LRANGE", "to", 0, -1)


def test_equal_weights_are_ordered_by_element(twins):
    twins.same("SADD", "s", "b", "a", "d", "c")
    twins.same("SORT", "s", "BY", "none_*")
    twins.same("SORT", "s", "BY", "none_*", "DESC")
    twins.same("RPUSH", "l", "9007199254740993", "9007199254740992", "01", "1", "1.0")
    twins.same("SORT", "l")


@pytest.mark.parametrize("weight", WEIGHTS)
def test_what_is_a_number(twins, weight):
    twins.same("RPUSH", "l", 1, 2, 3)
    twins.same("MSET", "w_1", weight, "w_2", "6", "w_3", "-6")
    twins.same("SORT", "l", "BY", "w_*")
    twins.same("SORT", "l", "BY", "w_*", "ALPHA", "DESC")
    twins.same("RPUSH", "m", weight, "6", "-6")
    twins.same("SORT", "m")
    twins.same("SORT", "m", "ALPHA", "STORE", "to")
    twins.same("LRANGE", "to", 0, -1)


def test_the_stored_list_has_the_real_encoding(twins):
    for count in (1, 100, 1500, 2500, 3000):
        twins.same("DEL", "l")
        twins.same("RPUSH", "l", *range(count))
        twins.same("SORT", "l", "STORE", "to")
        twins.same("OBJECT", "ENCODING", "to")


def test_sorted_sets_keep_their_order_where_nothing_is_sorted(twins):
    twins.same("ZADD", "z", 1, "a", 5, "b", 2, "c", 10, "d", 3, "e")
    for order in ("ASC", "DESC"):
        twins.same("SORT", "z", "ALPHA", order)
        twins.same("SORT", "z", "BY", "nosort", order)
        twins.same("SORT", "z", "BY", "nosort", order, "STORE", "to")
        twins.same("LRANGE", "to", 0, -1)
        for limit in ((0, 1), (1, 2), (3, 9), (9, 1), (0, 0), (-5, 2), (2, -1)):
            twins.same("SORT", "z", "BY", "nosort", order, "LIMIT", *limit)
            twins.same("SORT_RO", "z", "BY", "w_*", order, "LIMIT", *limit)
    twins.same("SORT", "z")


def test_a_field_that_has_expired_is_not_found(twins):
    twins.same("RPUSH", "l", 1, 2)
    twins.same("HSET", "h_1", "f", "20", "g", "x")
    twins.same("HSET", "h_2", "f", "10")
    twins.same("SORT", "l", "BY", "h_*->f")
    twins.engine.execute(twins.client, [b"HPEXPIREAT", b"h_2", b"1", b"FIELDS", b"1", b"f"])
    twins.real.ask_bytes(b"HDEL", b"h_2", b"f")
    twins.same("SORT", "l", "BY", "h_*->f", "GET", "h_*->f")


def test_the_keys_that_can_be_known(twins):
    twins.script(
        """
        COMMAND GETKEYS SORT a
        COMMAND GETKEYS SORT a STORE b BY store_* store c
        COMMAND GETKEYS SORT a GET store STORE b
        COMMAND GETKEYS SORT a BY STORE LIMIT store store
        COMMAND GETKEYS SORT a STORE
        COMMAND GETKEYSANDFLAGS SORT a STORE b
        COMMAND GETKEYS SORT_RO a STORE b
        """
    )


ELEMENTS = st.sampled_from([b"1", b"2", b"10", b"-1", b"1.5", b"a", b"b"])
FILLS = st.one_of(
    st.tuples(st.sampled_from([b"RPUSH", b"SADD"]), st.lists(ELEMENTS, min_size=1, max_size=8)),
    st.tuples(
        st.just(b"ZADD"),
        st.lists(st.tuples(st.sampled_from([b"1", b"2", b"-inf"]), ELEMENTS), min_size=1, max_size=8).map(
            lambda pairs: [word for pair in pairs for word in pair]
        ),
    ),
)
OPTIONS = st.lists(
    st.sampled_from([
        (b"ASC",), (b"DESC",), (b"ALPHA",), (b"LIMIT", b"1", b"2"), (b"LIMIT", b"0", b"-1"),
        (b"GET", b"#"), (b"GET", b"w_*"), (b"BY", b"w_*"), (b"BY", b"h_*->f"), (b"STORE", b"to"),
    ]),
    max_size=5,
)  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    FILLS,
    OPTIONS,
    st.lists(st.tuples(ELEMENTS, st.sampled_from([b"1", b"2", b"x", b""])), max_size=4),
    st.sampled_from([2, 3]),
)
def test_random_options_answer_the_same_bytes(make_twins, fill, options, weights, protocol):
    words = [word for option in options for word in option]
    if b"ALPHA" in words and b"BY" in words:
        words.remove(b"ALPHA")  # what Redis does with equal strings is up to its sorting algorithm
    pair = make_twins(protocol)
    for number, (element, weight) in enumerate(weights):
        pair.same("SET", b"w_" + element, weight)
        pair.same("HSET", b"h_" + element, "f", number)
    pair.same(fill[0], "k", *fill[1])
    pair.same("SORT", "k", *words)
    pair.same("LRANGE", "to", 0, -1)
    pair.real.close()
