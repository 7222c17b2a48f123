"""Streams without groups, compared with a real server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.commands import Engine
from cutaway.commands.stream_info import streams
from cutaway.datastructures import Stream

IDS = ["0", "0-0", "0-1", "1", "1-0", "1-1", "1-*", "0-*", "2-1", "3", "3-3", "-", "+", "$", ">", "*", "(1-1", "(1", "(", "(-", "(+",
       "(0-0", "(18446744073709551615-18446744073709551615", "18446744073709551615", "18446744073709551615-18446744073709551615",
       "18446744073709551616", "18446744073709551615-*", "-1", "1--1", "1-", "-1-1", "01-01", "+1-1", " 1-1", "1- 1", "1- -1",
       "1-1-1", "a", "1-a", "", "1\x001", "9223372036854775808-0", "0" * 60 + "1", "0" * 130, "1 -1", "**", "1-**", "1-*-*"]  # fmt: skip


def test_entries_are_added_and_read_with_the_same_bytes(twins):
    twins.script(
        """
        XADD s 1-1 a 1
        XADD s 1-2 a 2 b 3
        XADD s 1-2 a 2
        XADD s 1-* a 3
        XADD s 2 a 4
        XADD s 2-* b 4
        XADD s 1-* b 4
        XADD s 0-0 b 4
        XADD new 0-0 b 4
        EXISTS new
        XADD s 3-1 a
        XADD s 3-1 a b c
        XADD s 3-1
        XADD s NOMKSTREAM 3-1 a b
        XADD none NOMKSTREAM 3-1 a b
        XADD none NOMKSTREAM * a b
        EXISTS none
        XADD s MAXLEN 3 4-1 a b
        XLEN s
        XLEN none
        XRANGE s - +
        XREVRANGE s + -
        XRANGE s 2 3
        XRANGE s (2 + COUNT 1
        XRANGE s (2-0 (3-1
        XREVRANGE s (3-1 (2-0
        XRANGE s - + COUNT 0
        XRANGE s - + COUNT -1
        XRANGE s - + COUNT
        XRANGE s - + COUNT x
        XRANGE s - + FOO 1
        XRANGE s - + COUNT 1 COUNT 2
        XRANGE none - +
        XRANGE none - + COUNT 0
        XRANGE s + -
        XADD s 18446744073709551615-18446744073709551615 a b
        XADD s * a b
        XADD s 5-* a b
        OBJECT ENCODING s
        TYPE s
        """
    )


def test_trimming_options(twins):
    for number in range(1, 251):
        twins.same("XADD", "s", f"{number}-1", "f", number)
    twins.script(
        """
        XTRIM s MAXLEN ~ 1000
        XTRIM s MAXLEN ~ 149
        XLEN s
        XTRIM s MAXLEN ~ 100 LIMIT 50
        XTRIM s MAXLEN = 120
        XTRIM s MAXLEN ~ 10 LIMIT 0
        XLEN s
        XTRIM s MINID ~ 220
        XTRIM s MINID 220
        XTRIM s MINID = 221-5
        XLEN s
        XINFO STREAM s
        XADD s MINID 230 300-1 f 1
        XADD s MINID ~ 300 301-1 f 1
        XADD s MAXLEN ~ 1 LIMIT 3 302-1 f 1
        XADD s MAXLEN = 1 303-1 f 1
        XADD s MAXLEN 0 304-1 f 1
        XLEN s
        XINFO STREAM s
        XTRIM s
        XTRIM s MAXLEN
        XTRIM s MAXLEN x
        XTRIM s MAXLEN -1
        XTRIM s MAXLEN ~
        XTRIM s MAXLEN = ~
        XTRIM s MAXLEN ~ x
        XTRIM s MINID x
        XTRIM s MINID -
        XTRIM s MINID ~ +
        XTRIM s MAXLEN 1 MINID 1
        XTRIM s MAXLEN 1 MAXLEN 1
        XTRIM s MAXLEN 1 LIMIT 1
        XTRIM s MAXLEN = 1 LIMIT 0
        XTRIM s MAXLEN ~ 1 LIMIT -1
        XTRIM s MAXLEN ~ 1 LIMIT x
        XTRIM s MAXLEN ~ 1 LIMIT
        XTRIM s LIMIT 1
        XTRIM s LIMIT 0
        XTRIM s FOO 1
        XTRIM s MAXLEN 1 FOO
        XTRIM none MAXLEN 1
        XADD s LIMIT 1 400-1 f 1
        XADD s LIMIT 0 400-1 f 1
        XADD s MAXLEN 1 LIMIT 1 400-1 f 1
        XADD s MAXLEN 1 MINID 1 400-1 f 1
        XADD s MAXLEN ~ f 1
        XADD s MAXLEN 400-1 f 1
        XADD s nomkstream maxlen = 5 400-1 f 1
        XADD s MAXLEN = 5 LIMIT 1 x f 1
        """
    )


def test_reading_several_streams(twins):
    twins.script(
        """
        XADD a 1-1 f 1
        XADD a 2-1 f 2
        XADD b 1-1 f 1
        SET word v
        XREAD STREAMS a b 0 0
        XREAD COUNT 1 STREAMS a b 0 0
        XREAD COUNT 0 STREAMS a b 0 0
        XREAD COUNT -1 STREAMS a b 1-1 1-1
        XREAD STREAMS a b $ $
        XREAD STREAMS a b + +
        XREAD COUNT 5 STREAMS a none + +
        XREAD STREAMS a none 0 0
        XREAD STREAMS none 0
        XREAD STREAMS a a 0 1
        XREAD BLOCK 0 STREAMS a 0
        XREAD STREAMS a
        XREAD STREAMS a b 0
        XREAD STREAMS
        XREAD COUNT 1
        XREAD COUNT x STREAMS a 0
        XREAD BLOCK x STREAMS a 0
        XREAD BLOCK -1 STREAMS a 0
        XREAD BLOCK 9223372036854775807 STREAMS a $
        XREAD BLOCK 1.5 STREAMS a 0
        XREAD BLOCK
        XREAD FOO STREAMS a 0
        XREAD NOACK STREAMS a 0
        XREAD GROUP g c STREAMS a 0
        XREAD GROUP g STREAMS a
        XREAD STREAMS a >
        XREAD STREAMS a -
        XREAD STREAMS word 0
        XREAD STREAMS a word 0 0
        XREAD STREAMS a word x 0
        XREAD STREAMS a 18446744073709551615-18446744073709551615
        XGROUP CREATE empty g $ MKSTREAM
        XREAD STREAMS empty +
        XREAD STREAMS empty 0
        XDEL a 2-1
        XREAD STREAMS a +
        XREAD STREAMS a $
        """
    )


def test_deleting_and_setting_ids(twins):
    twins.script(
        """
        XADD s 1-1 f 1
        XADD s 2-1 f 1
        XADD s 3-1 f 1
        XDEL s 2-1 2-1 9-9
        XDEL s 1-1 x
        XDEL s -
        XDEL none 1-1
        XDEL none x
        XINFO STREAM s
        XSETID s 2-1
        XSETID s 1-1
        XSETID s 3-1
        XSETID s 9-9 ENTRIESADDED 1
        XSETID s 9-9 ENTRIESADDED -1
        XSETID s 9-9 ENTRIESADDED x
        XSETID s 9-9 ENTRIESADDED
        XSETID s 9-9 ENTRIESADDED 100
        XSETID s 9-9 MAXDELETEDID 10-1
        XSETID s 9-9 MAXDELETEDID 8-1
        XSETID s 9-9 MAXDELETEDID 0-0
        XSETID s 7-9
        XSETID s 9-9 ENTRIESADDED 101 MAXDELETEDID 9-1
        XSETID s 9-9 FOO 1
        XSETID s x
        XSETID s +
        XSETID none 1-1
        XINFO STREAM s
        XADD s 9-* f v
        XDEL s 1-1 3-1 9-10
        XINFO STREAM s
        XSETID s 1-1
        XSETID s 10-1 ENTRIESADDED 0
        XINFO STREAM s
        XINFO STREAM s FULL
        EXISTS s
        """
    )


def test_a_key_of_another_type(twins):
    twins.same("SET", "w", "v")
    twins.script(
        """
        XADD w * f v
        XADD w 0-0 f v
        XADD w MAXLEN x * f v
        XADD w NOMKSTREAM * f v
        XLEN w
        XRANGE w - +
        XRANGE w x +
        XRANGE w - + COUNT 0
        XREVRANGE w + -
        XDEL w 1
        XDEL w x
        XTRIM w MAXLEN 1
        XTRIM w MAXLEN x
        XSETID w 1-1
        XINFO STREAM w
        XINFO STREAM w FOO
        XINFO STREAM none
        XINFO STREAM none FOO
        XINFO GROUPS w
        XINFO CONSUMERS w g
        """
    )


@pytest.mark.parametrize("place", ["XADD s {} f v", "XRANGE s {} +", "XRANGE s - {}", "XREVRANGE s {} -", "XDEL s {}",
                                   "XREAD STREAMS s {}", "XTRIM s MINID {}", "XSETID s {}", "XREVRANGE s + {} COUNT 2"])  # fmt: skip
def test_ids_are_read_as_strictly_as_a_real_server_reads_them(twins, place):
    for text in IDS:
        twins.same("DEL", "s")
        for entry_id in ("0-1", "1-1", "1-2", "2-1"):
            twins.same("XADD", "s", entry_id, "f", "v")
        ours, real = twins.both(*(word.replace("{}", text) for word in place.split(" ")))
        if (place, text) != ("XADD s {} f v", "*"):
            assert ours == real, text
            twins.same("XRANGE", "s", "-", "+")


def test_generated_ids_follow_the_clock():
    now = [5_000]
    engine = Engine(streams, clock=lambda: now[0])
    assert engine.do("XADD", "s", "*", "f", "v") == b"5000-0"
    assert engine.do("XADD", "s", "*", "f", "v") == b"5000-1"
    now[0] = 4_000
    assert engine.do("XADD", "s", "*", "f", "v") == b"5000-2"
    now[0] = 6_000
    assert engine.do("XADD", "s", "MAXLEN", "1", "*", "f", "v") == b"6000-0"
    assert engine.do("XADD", "s", "6000-*", "f", "v") == b"6000-1"


ID = st.tuples(st.integers(0, 6), st.integers(0, 3)).map(lambda pair: f"{pair[0]}-{pair[1]}")
PLACE = st.one_of(ID, ID.map("({}".format), st.integers(0, 6).map(str), st.sampled_from(["-", "+", "$", "x"]))
KEY = st.sampled_from(["a", "b"])
SIZE = st.integers(-1, 12)
FIELDS = st.sampled_from([("f", "v"), ("f", "1"), ("g", "v"), ("f", "v", "g", "w"), ("f",), ("f", "v" * 200)])
TRIM = st.one_of(
    st.just(()),
    st.tuples(st.just("MAXLEN"), st.sampled_from(["~", "="]), SIZE),
    st.tuples(st.just("MAXLEN"), SIZE),
    st.tuples(st.just("MINID"), st.sampled_from(["~", "="]), PLACE),
    st.tuples(st.just("MAXLEN"), st.just("~"), SIZE, st.just("LIMIT"), SIZE),
)
COMMAND = st.one_of(
    st.builds(lambda key, entry_id, fields: ("XADD", key, entry_id, *fields), KEY, ID, FIELDS),
    st.builds(lambda key, trim, ms, fields: ("XADD", key, *trim, f"{ms}-*", *fields), KEY, TRIM, st.integers(0, 6), FIELDS),
    st.builds(lambda key, trim: ("XTRIM", key, *trim), KEY, TRIM),
    st.builds(lambda key, ids: ("XDEL", key, *ids), KEY, st.lists(ID, min_size=1, max_size=3)),
    st.builds(lambda key, start, end: ("XRANGE", key, start, end), KEY, PLACE, PLACE),
    st.builds(lambda key, start, end, count: ("XREVRANGE", key, end, start, "COUNT", count), KEY, PLACE, PLACE, SIZE),
    st.builds(lambda first, second, count: ("XREAD", "COUNT", count, "STREAMS", "a", "b", first, second), PLACE, PLACE, SIZE),
    st.builds(lambda key, entry_id: ("XSETID", key, entry_id), KEY, ID),
    st.builds(lambda key, entry_id, n, gone: ("XSETID", key, entry_id, "ENTRIESADDED", n, "MAXDELETEDID", gone), KEY, ID, SIZE, ID),
    st.builds(lambda key: ("XINFO", "STREAM", key), KEY),
    st.builds(lambda key: ("XINFO", "STREAM", key, "FULL", "COUNT", "3"), KEY),
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(COMMAND, min_size=5, max_size=40), protocol=st.sampled_from([2, 3]))
def test_any_sequence_of_commands_answers_as_a_real_server(make_twins, commands, protocol):
    pair = make_twins(protocol)
    pair.real.ask_bytes(b"CONFIG", b"SET", b"stream-node-max-entries", b"4")
    pair.engine.limits.stream_node_max_entries = 4
    try:
        for command in commands:
            pair.same(*command)
    finally:
        pair.real.ask_bytes(b"CONFIG", b"SET", b"stream-node-max-entries", b"100")
        pair.real.close()
    for entry in pair.client.db.keys.values():
        entry.value.check()


def test_a_range_in_a_long_stream_touches_few_nodes(monkeypatch):
    """XRANGE COUNT 1 costs a descent in the radix tree and one node, however long the stream is: counted in node reads."""
    from cutaway.datastructures import stream_nodes

    reads = [0]
    read = stream_nodes.StreamNode.read

    def counted(self, *arguments):
        reads[0] += 1
        return read(self, *arguments)

    monkeypatch.setattr(stream_nodes.StreamNode, "read", counted)
    for size in (1_000, 10_000):
        engine = Engine(streams)
        stream = Stream(engine.limits)
        for number in range(1, size + 1):
            stream.append_flat((number, 0), (b"f", b"v"))
        engine.keyspace.databases[0].add(b"s", stream)
        for number in (1, size // 2, size):
            reads[0] = 0
            (entry,) = engine.do("XRANGE", "s", number, "+", "COUNT", 1)
            assert entry[0] == b"%d-0" % number
            assert reads[0] == 1
