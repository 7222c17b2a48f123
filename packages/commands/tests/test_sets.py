"""Sets and set algebra, compared with a real server; chance by its properties."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.commands import Engine
from cutaway.commands.set_algebra import common, difference, sets, union
from cutaway.datastructures import SetValue
from cutaway.resp import SetReply


def test_members_that_are_named(twins):
    twins.script(
        """
        SADD s a b c a
        SADD s b d
        SADD s
        SREM s a x
        SREM none a
        SREM s
        SISMEMBER s b
        SISMEMBER s a
        SISMEMBER none a
        SMISMEMBER s a b c
        SMISMEMBER none a b
        SMISMEMBER s
        SCARD s
        SCARD none
        SMEMBERS none
        SADD one x
        SMEMBERS one
        SMOVE one two x
        SMOVE one two x
        EXISTS one
        SMOVE two two x
        SMOVE two two y
        SMOVE two s y
        SADD two b
        SMOVE two s b
        SMEMBERS two
        SREM s b c d
        EXISTS s
        """
    )


def test_errors_come_in_the_real_order(twins):
    twins.script(
        """
        SET k v
        SADD one a
        SADD k a
        SREM k a
        SISMEMBER k a
        SMISMEMBER k a
        SCARD k
        SMEMBERS k
        SPOP k
        SPOP k 0
        SPOP k -1
        SPOP k x
        SPOP one 0
        SPOP one -1
        SPOP one x
        SPOP one 1 2
        SPOP none
        SPOP none 1
        SPOP none -1
        SRANDMEMBER k
        SRANDMEMBER k 0
        SRANDMEMBER k x
        SRANDMEMBER one 0
        SRANDMEMBER one x
        SRANDMEMBER one 1 2
        SRANDMEMBER one -3
        SRANDMEMBER one 1
        SRANDMEMBER one 5
        SRANDMEMBER one
        SRANDMEMBER none
        SRANDMEMBER none 3
        SRANDMEMBER one -9223372036854775808
        SRANDMEMBER one 9223372036854775807
        SMOVE k one a
        SMOVE one k a
        SMOVE none k a
        SMOVE one k missing
        SINTER k one
        SINTER none k
        SINTER one k
        SUNION one k
        SDIFF one k
        SDIFF none k
        SINTERSTORE to one k
        SUNIONSTORE to one k
        SDIFFSTORE to k one
        SINTERCARD 2 none k
        SINTERCARD 2 one
        SINTERCARD 0 one
        SINTERCARD -1 one
        SINTERCARD x one
        SINTERCARD 1 one LIMIT
        SINTERCARD 1 one LIMIT -1
        SINTERCARD 1 one LIMIT x
        SINTERCARD 1 one BOGUS 1
        SINTERCARD 1 one LIMIT 1 LIMIT 0
        SINTERCARD 1 one limit 0
        SSCAN k 0
        SSCAN k x
        SSCAN none 0 BOGUS
        SSCAN one x
        SSCAN one 0 BOGUS
        SSCAN one 0 COUNT 0
        SSCAN one 0 COUNT x
        SSCAN one 0 MATCH
        SSCAN one 0 TYPE set
        SSCAN one 0 MATCH a COUNT 1
        SSCAN one 0 MATCH b
        SSCAN one 5
        SPOP one
        SPOP one
        SINTER
        """
    )


def test_algebra(twins):
    for key, members in {"a": "1 2 3 x", "b": "2 3 4 y", "c": "3 z", "i": "1 2 3"}.items():
        twins.same("SADD", key, *members.split())
    for command in ("SINTER", "SUNION", "SDIFF"):
        for keys in (
            "a",
            "a b",
            "a b c",
            "a a",
            "a none",
            "none a",
            "none",
            "c a b none",
            "i i",
            "a b a",
            "b i",
        ):
            twins.same_sorted(command, *keys.split())
            twins.same(f"{command}STORE", "to", *keys.split())
            twins.same_sorted("SMEMBERS", "to")
            twins.same("OBJECT", "ENCODING", "to")
            if command == "SINTER":
                for limit in (0, 1, 2):
                    twins.same("SINTERCARD", len(keys.split()), *keys.split(), "LIMIT", limit)
    twins.same("SUNIONSTORE", "a", "a", "b")
    twins.same_sorted("SMEMBERS", "a")
    twins.same("SET", "text", "v", "EX", "100")
    twins.same("SUNIONSTORE", "text", "a", "b")
    twins.same("TTL", "text")
    twins.same("SET", "text", "v")
    twins.same("SINTERSTORE", "text", "a", "none")
    twins.same("EXISTS", "text")


def test_encodings_turn_where_the_real_ones_do(twins):
    for count in (1, 127, 128, 129, 511, 512, 513):
        for kind in ("{}", "m{}"):
            members = [kind.format(number) for number in range(count)]
            for at_once in (True, False):
                twins.same("DEL", "s")
                for part in [members] if at_once else [[member] for member in members]:
                    twins.same("SADD", "s", *part)
                twins.same("OBJECT", "ENCODING", "s")
            for store in ("SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"):
                twins.same(store, "to", "s")
                twins.same("OBJECT", "ENCODING", "to")
    twins.same("DEL", "s")
    twins.same("SADD", "s", 1, 2)
    twins.same("SADD", "s", "x" * 65)
    twins.same("OBJECT", "ENCODING", "s")
    twins.same("SMOVE", "s", "fresh", "x" * 65)
    twins.same("OBJECT", "ENCODING", "fresh")
    twins.same("SMOVE", "s", "fresh", "1")
    twins.same("SMOVE", "s", "whole", "2")
    twins.same("OBJECT", "ENCODING", "whole")


def logged_by(engine):
    seen = []
    engine.on_propagate = (seen.extend,)
    return seen


def fill(engine, kind, count=10):
    engine.do("SADD", "s", *(kind.format(number) for number in range(count)))
    return {kind.format(number).encode() for number in range(count)}


@pytest.fixture
def engine():
    return Engine(sets, rng=random.Random(7))


KINDS = ["{}", "m{}", "m{:070}"]  # an intset, a listpack, a hashtable


@pytest.mark.parametrize("kind", KINDS)
def test_a_random_pop_is_logged_as_the_removal_it_was(engine, kind):
    members = fill(engine, kind)
    log = logged_by(engine)
    member = engine.do("SPOP", "s")
    assert log == [(0, (b"SREM", b"s", member))]
    log.clear()
    popped = engine.do("SPOP", "s", 4)
    assert isinstance(popped, SetReply)
    assert log == [(0, (b"SREM", b"s", *popped.items))]
    log.clear()
    rest = engine.do("SPOP", "s", 99)
    assert log == [(0, (b"UNLINK", b"s"))]
    assert {member, *popped.items, *rest.items} == members
    assert len(members) == 1 + len(popped.items) + len(rest.items)
    assert engine.do("SCARD", "s") == 0


def test_a_set_popped_whole_is_logged_as_deleted_the_way_the_setting_says(engine):
    engine.config.set([("lazyfree-lazy-server-del", "no")])
    fill(engine, "{}")
    log = logged_by(engine)
    engine.do("SPOP", "s", 10)
    assert log == [(0, (b"DEL", b"s"))]


def test_a_pop_of_many_is_logged_in_pieces(engine):
    fill(engine, "{}", 5000)
    log = logged_by(engine)
    popped = engine.do("SPOP", "s", 3000)
    assert log[0][1] == (b"MULTI",)
    removals = [argv for _, argv in log if argv[0] == b"SREM"]
    assert [len(argv) - 2 for argv in removals] == [1024, 1024, 952]
    assert [member for argv in removals for member in argv[2:]] == popped.items


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "request_", [("SRANDMEMBER", "s"), ("SRANDMEMBER", "s", -5), ("SRANDMEMBER", "s", 3)]
)
def test_every_member_is_as_likely_as_any_other(engine, kind, request_):
    fill(engine, kind)
    seen = Counter()
    draws = 0
    while draws < 10_000:
        reply = engine.do(*request_)
        drawn = reply if isinstance(reply, list) else [reply]
        if request_[-1] == 3:
            assert len(set(drawn)) == 3
        seen.update(drawn)
        draws += len(drawn)
    assert all(abs(count - 1000) < 200 for count in seen.values())  # more than six standard deviations
    assert len(seen) == 10


def set_of(members):
    return SetValue.from_members([b"%d" % member for member in members])


def test_an_intersection_asks_no_more_than_its_smallest_set_makes_necessary():
    class Counting(SetValue):
        __slots__ = ()
        asked = 0

        def __contains__(self, member):
            Counting.asked += 1
            return super().__contains__(member)

    large = Counting.from_members([b"%d" % number for number in range(1000)])
    larger = Counting.from_members([b"%d" % number for number in range(2000)])
    small = set_of(range(995, 1005))
    assert sorted(common([larger, small, large])) == [b"995", b"996", b"997", b"998", b"999"]
    assert Counting.asked == 10 + 5


def test_a_difference_goes_the_way_that_promises_less_work():
    few, many = set_of(range(5)), set_of(range(3, 1000))
    assert sorted(difference([few, many, None])) == [b"0", b"1", b"2"]
    assert len(difference([many, few, few, few, few])) == 995
    assert difference([many, many]) == []
    assert difference([None, many]) == []


@given(st.lists(st.none() | st.sets(st.integers(0, 30)), min_size=1, max_size=5))
@settings(max_examples=100)
def test_algebra_is_that_of_sets(operands):
    values = [None if members is None else set_of(members) for members in operands]
    plain = [members or set() for members in operands]
    assert sorted(union(values)) == sorted(b"%d" % member for member in set().union(*plain))
    assert sorted(common(values)) == sorted(b"%d" % member for member in plain[0].intersection(*plain[1:]))
    assert sorted(difference(values)) == sorted(b"%d" % member for member in plain[0].difference(*plain[1:]))


KEYS = st.sampled_from([b"a", b"b", b"c"])
MEMBERS = st.sampled_from(
    [b"1", b"2", b"-3", b"x", b"", b"01", b"9223372036854775807", b"9223372036854775808", b"y" * 65]
)
SOME_KEYS = st.lists(KEYS, max_size=4).map(tuple)
REQUESTS = st.one_of(
    st.tuples(st.sampled_from([b"SADD", b"SREM", b"SMISMEMBER"]), KEYS, st.lists(MEMBERS, max_size=6)),
    st.tuples(st.just(b"SISMEMBER"), KEYS, MEMBERS.map(lambda member: [member])),
    st.tuples(st.just(b"SMOVE"), KEYS, st.tuples(KEYS, MEMBERS)),
    st.tuples(st.sampled_from([b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE"]), KEYS, SOME_KEYS),
    st.tuples(st.sampled_from([b"SINTER", b"SUNION", b"SDIFF"]), KEYS, SOME_KEYS),
    st.tuples(st.just(b"SINTERCARD"), st.sampled_from([b"1", b"2", b"0", b"x"]), SOME_KEYS),
    st.tuples(st.sampled_from([b"SCARD", b"SMEMBERS"]), KEYS, st.just(())),
    st.tuples(st.just(b"SPOP"), KEYS, st.just((b"100",))),
    st.tuples(st.just(b"SRANDMEMBER"), KEYS, st.just((b"100",))),
)
ENCODED = {b"SADD", b"SMOVE", b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE"}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REQUESTS, max_size=25), st.sampled_from([2, 3]))
def test_random_sequences_answer_the_same_members(make_twins, requests, protocol):
    pair = make_twins(protocol)
    for name, key, rest in requests:
        pair.same_sorted(name, key, *rest)
        if name in ENCODED:
            pair.same(b"OBJECT", b"ENCODING", key)
    pair.real.close()
