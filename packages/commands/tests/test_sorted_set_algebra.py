"""Unions, intersections and differences of sorted sets, compared with a real server."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def fill(twins):
    twins.script(
        """
        ZADD a 1 x 2 y 3 z
        ZADD b 10 y 20 z 30 w
        ZADD c inf x -inf y 0 z
        ZADD d -inf x inf y 0.1 z 0.2 v
        SADD s x y q
        SET str v
        """
    )


def test_the_commands_that_answer(twins):
    fill(twins)
    twins.script(
        """
        ZUNION 2 a b
        ZUNION 2 a b WITHSCORES
        ZUNION 3 a b c WITHSCORES
        ZUNION 2 c d WITHSCORES
        ZUNION 2 a s WITHSCORES WEIGHTS 2 3
        ZUNION 2 a b WEIGHTS 2 0.5 AGGREGATE MAX WITHSCORES
        ZUNION 2 a b AGGREGATE min WITHSCORES
        ZUNION 2 c d WEIGHTS 0 0 WITHSCORES
        ZUNION 2 c d WEIGHTS inf -inf WITHSCORES
        ZUNION 1 none
        ZUNION 2 a none WITHSCORES
        ZINTER 2 a b
        ZINTER 2 a b WITHSCORES
        ZINTER 3 a b s WITHSCORES
        ZINTER 2 c d WITHSCORES
        ZINTER 2 c d WEIGHTS 0 1 WITHSCORES
        ZINTER 2 c d WEIGHTS 1 0 AGGREGATE MAX WITHSCORES
        ZINTER 2 a a WITHSCORES
        ZINTER 2 a b AGGREGATE MAX WITHSCORES
        ZINTER 2 a none
        ZINTER 1 s WITHSCORES
        ZDIFF 2 a b
        ZDIFF 2 a b WITHSCORES
        ZDIFF 1 a WITHSCORES
        ZDIFF 2 a s WITHSCORES
        ZDIFF 2 s a WITHSCORES
        ZDIFF 2 none a
        ZDIFF 2 a a
        ZINTERCARD 2 a b
        ZINTERCARD 2 a b LIMIT 1
        ZINTERCARD 2 a b LIMIT 0
        ZINTERCARD 2 a b LIMIT 10
        ZINTERCARD 2 a none
        ZINTERCARD 1 s
        """
    )


def test_the_commands_that_store(twins):
    fill(twins)
    twins.script(
        """
        ZUNIONSTORE out 2 a b WEIGHTS 2 3 AGGREGATE SUM
        ZRANGE out 0 -1 WITHSCORES
        ZINTERSTORE out 2 a b AGGREGATE MIN
        ZRANGE out 0 -1 WITHSCORES
        ZDIFFSTORE out 2 a b
        ZRANGE out 0 -1 WITHSCORES
        ZUNIONSTORE a 2 a s
        ZRANGE a 0 -1 WITHSCORES
        ZUNIONSTORE str 1 s
        TYPE str
        OBJECT ENCODING str
        ZINTERSTORE out 2 a none
        EXISTS out
        ZDIFFSTORE out 2 none a
        ZUNIONSTORE s 1 s
        TYPE s
        """
    )


def test_what_is_refused(twins):
    fill(twins)
    for name in (
        "ZUNION",
        "ZINTER",
        "ZDIFF",
        "ZINTERCARD",
        "ZUNIONSTORE out",
        "ZINTERSTORE out",
        "ZDIFFSTORE out",
    ):
        twins.script(
            f"""
            {name}
            {name} 1
            {name} 0 a
            {name} -1 a
            {name} x a
            {name} 3 a b
            {name} 9223372036854775807 a
            {name} 1 str
            {name} 1 str FOO
            {name} 1 a FOO
            {name} 1 a WITHSCORES
            {name} 1 a WITHSCORES WITHSCORES
            {name} 1 a WEIGHTS
            {name} 1 a WEIGHTS x
            {name} 1 a WEIGHTS nan
            {name} 1 a WEIGHTS 2
            {name} 2 a b WEIGHTS 1
            {name} 1 a AGGREGATE
            {name} 1 a AGGREGATE foo
            {name} 1 a AGGREGATE max AGGREGATE min
            {name} 1 a LIMIT
            {name} 1 a LIMIT 1
            {name} 1 a LIMIT -1
            {name} 1 a LIMIT x
            """
        )


SCORES = st.sampled_from(["1", "2", "0.1", "0.2", "0.3", "-1", "inf", "-inf", "1e308", "1e-300"])
MEMBERS = st.sampled_from(["m", "n", "o", "p"])
KEYS = st.sampled_from(["a", "b", "c", "s"])


@st.composite
def combinations(draw):
    sources = draw(st.lists(KEYS, min_size=1, max_size=4))
    words = [draw(st.sampled_from(["ZUNION", "ZINTER", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFF", "ZDIFFSTORE"]))]
    if words[0].endswith("STORE"):
        words.append(draw(KEYS.filter(lambda key: key != "s")))
    words += [str(len(sources)), *sources]
    if "DIFF" not in words[0]:
        if draw(st.booleans()):
            words += ["WEIGHTS", *draw(st.lists(SCORES, min_size=len(sources), max_size=len(sources)))]
        if draw(st.booleans()):
            words += ["AGGREGATE", draw(st.sampled_from(["SUM", "MIN", "MAX"]))]
    if not words[0].endswith("STORE"):
        words.append("WITHSCORES")
    return tuple(words)


REQUESTS = st.one_of(
    st.tuples(st.just("ZADD"), st.sampled_from(["a", "b", "c"]), SCORES, MEMBERS),
    st.tuples(st.just("SADD"), st.just("s"), MEMBERS),
    combinations(),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REQUESTS, max_size=20), st.sampled_from([2, 3]))
def test_random_sequences_answer_the_same_bytes(make_twins, requests, protocol):
    pair = make_twins(protocol)
    for request in requests:
        pair.same(*request)
    pair.real.close()
