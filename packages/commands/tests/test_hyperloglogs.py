"""HyperLogLog commands, compared with a real server: replies, and the strings they leave."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.commands import Engine, FakeClock
from cutaway.commands.hyperloglog_commands import hyperloglog
from cutaway.commands.strings import strings


def test_ordinary_use(twins):
    twins.script(
        """
        PFADD h a b c
        PFADD h a
        PFADD h
        GET h
        PFCOUNT h
        GET h
        PFCOUNT h
        PFADD new
        GET new
        PFADD new
        PFCOUNT new none
        PFCOUNT none
        EXISTS none
        PFADD i c d e
        PFCOUNT h i none
        PFMERGE to h i none
        GET to
        PFCOUNT to
        PFMERGE h i
        GET h
        PFMERGE empty
        GET empty
        PFMERGE h h
        GET h
        OBJECT ENCODING h
        """
    )


def test_the_inside(twins):
    twins.script(
        """
        PFADD h a b c
        PFDEBUG ENCODING h
        PFDEBUG DECODE h
        PFDEBUG getreg h
        PFDEBUG ENCODING h
        PFDEBUG DECODE h
        PFDEBUG todense h
        PFADD i a b c
        PFDEBUG TODENSE i
        PFDEBUG TODENSE i
        PFADD i d
        PFMERGE j i
        PFDEBUG ENCODING j
        PFADD k z
        PFMERGE k j
        PFDEBUG ENCODING k
        PFCOUNT k
        GET k
        PFDEBUG FOO h
        PFDEBUG FOO none
        PFDEBUG ENCODING
        PFSELFTEST x
        """
    )


def test_strings_that_are_none(twins):
    twins.same("SADD", "s", "x")
    twins.same("PFADD", "h", "a")
    twins.same("SET", "sparse", b"HYLL\x01" + bytes(11))
    twins.same("SET", "short", b"HYLL\x01" + bytes(11) + b"\x05")
    twins.same("SET", "long", b"HYLL\x01" + bytes(10) + b"\x80" + b"\x7f\xff\x7f\xff")
    twins.same("SET", "dense", b"HYLL\x00" + bytes(100))
    twins.same("SET", "odd", b"HYLL\x02" + bytes(100))
    twins.same("SET", "number", "123")
    for key in ["s", "sparse", "short", "long", "dense", "odd", "number"]:
        for command in ["PFCOUNT", "PFMERGE"]:
            twins.same(command, key)
            twins.same(command, key, "h")
            twins.same(command, "h", key)
        twins.same("PFDEBUG", "DECODE", key)
        twins.same("PFDEBUG", "GETREG", key)
        twins.same("PFADD", key, "a", "b", "c")
        twins.same("PFADD", key)


ELEMENTS = st.lists(st.integers(0, 10**6).map(str), max_size=200)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ELEMENTS, min_size=2, max_size=3), st.integers(0, 4000))
def test_any_elements_leave_the_same_strings(twins, sets, extra):
    twins.same("DEL", "to", "k0", "k1", "k2")
    keys = [f"k{number}" for number in range(len(sets))]
    for key, elements in zip(keys, sets, strict=True):
        twins.same("PFADD", key, *elements)
        twins.same("GET", key)
    twins.same("PFADD", keys[0], *(f"e{number}" for number in range(extra)))
    twins.same("PFCOUNT", *keys)
    twins.same("PFMERGE", "to", *keys)
    for key in ("to", keys[0]):
        twins.same("PFCOUNT", key)
        twins.same("GET", key)


def test_only_a_stale_estimate_is_a_write_and_never_an_event():
    engine = Engine(strings, hyperloglog, clock=FakeClock())
    events: list[str] = []
    engine.keyspace.listen(lambda _database, _key, event, modified: events.append(f"{event}:{modified}"))
    engine.do("PFADD", "k", "a")
    assert events == ["new:False", "pfadd:True"]
    events.clear()
    assert [engine.do("PFCOUNT", "k"), engine.do("PFCOUNT", "k")] == [1, 1]
    assert events == [":True"]


def test_the_self_test_passes():
    assert Engine(strings, hyperloglog).do("PFSELFTEST") == "OK"
