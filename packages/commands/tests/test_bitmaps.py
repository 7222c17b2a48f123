"""Bitmaps and bitfields, compared with a real server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.commands.bitfields import Field
from cutaway.commands.bitmaps import count_ones, find_bit

STATEFUL = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
OFFSETS = "0 1 7 8 -1 100 4294967295 4294967296 9223372036854775807 01 x #1".split()  # noqa: SIM905
BOUNDS = "0 1 -1 2 5 9 -3 -20 100 9223372036854775807 -9223372036854775808 x".split()  # noqa: SIM905 - reads better than a column of quotes
AMOUNTS = "0 1 -1 127 128 255 256 -128 -129 9223372036854775807 -9223372036854775808".split()  # noqa: SIM905


def test_single_bits(twins):
    for offset in OFFSETS:
        if offset != "4294967295":
            twins.same("SETBIT", "k", offset, "1")
            twins.same("SETBIT", "k", offset, "0")
        twins.same("GETBIT", "k", offset)
        twins.same("GETBIT", "none", offset)
    for value in ["2", "-1", "x", "", "4294967297"]:
        twins.same("SETBIT", "k", "0", value)
    twins.script(
        """
        SET n 12345
        GETBIT n 2
        GETBIT n 41
        OBJECT ENCODING n
        SETBIT n 2 0
        GET n
        OBJECT ENCODING n
        LPUSH l x
        GETBIT l 0
        SETBIT l 0 1
        SETBIT l x 1
        SETBIT fresh 20 0
        GET fresh
        OBJECT ENCODING fresh
        """
    )


@pytest.mark.parametrize("command", ["BITCOUNT", "BITPOS"])
def test_every_kind_of_bounds(twins, command):
    twins.same("SET", "k", b"\x00\xff\xf0\x01\xff")
    twins.same("SET", "e", "")
    twins.same("SET", "full", b"\xff\xff\xff")
    twins.same("SADD", "s", "x")
    bits = [["0"], ["1"]] if command == "BITPOS" else [[]]
    for key in ["k", "e", "full", "none", "s"]:
        for bit in bits:
            twins.same(command, key, *bit)
            for start in BOUNDS:
                twins.same(command, key, *bit, start)
                for end in BOUNDS:
                    twins.same(command, key, *bit, start, end)
                    twins.same(command, key, *bit, start, end, "bit")
    twins.same(command, "k", *bits[0], "0", "1", "FOO")
    twins.same(command, "none", *bits[0], "0", "x", "FOO")
    twins.same(command, "k", *bits[0], "0", "1", "BYTE", "BIT")
    twins.same(command, "none", "2")
    twins.same(command, "none", "x", "y")


@STATEFUL
@given(
    st.sampled_from(["AND", "or", "XOR", "NOT", "DIFF", "ONE"]),
    st.lists(st.binary(max_size=70) | st.sampled_from([b"", b"123"]), min_size=1, max_size=4),
)
def test_operations_between_strings_of_any_length(twins, operation, values):
    keys = [f"k{number}" for number in range(len(values))]
    for key, value in zip(keys, values, strict=True):
        twins.same("SET", key, value)
    for operands in (keys, [*keys, "missing"], keys[:1], ["missing"]):
        twins.same("SET", "to", "x", "EX", "100")
        twins.same("BITOP", operation, "to", *operands)
        twins.same("GET", "to")
        twins.same("TTL", "to")
        twins.same("OBJECT", "ENCODING", "to")
    twins.same("BITOP", operation, keys[0], *keys)
    twins.same("GET", keys[0])


def test_operations_want_strings(twins):
    twins.script(
        """
        SADD s x
        SET k v
        BITOP AND to k s
        BITOP NOT to s
        BITOP NOT to k k
        BITOP FOO to s
        BITOP AND s none
        EXISTS s
        BITOP AND s k
        TYPE s
        """
    )


TYPES = st.sampled_from(["u1", "i1", "u8", "i8", "i5", "u63", "i64", "u13", "i2"])
BAD_TYPES = st.sampled_from(["u64", "i65", "u0", "x8", "u", "", "I8", "u08", "i-1", "u8\0x"])
PLACES = st.sampled_from(["0", "1", "5", "63", "#0", "#1", "#3", "100", "-1", "#-1", "#", "x"])
GOOD_PLACES = st.sampled_from(["0", "3", "#1", "#2"])
GOOD_AMOUNTS = st.sampled_from(AMOUNTS) | st.integers(-300, 300).map(str)
OVERFLOWS = st.tuples(st.just("OVERFLOW"), st.sampled_from(["WRAP", "sat", "FAIL"]))
GOOD_STEPS = st.one_of(
    st.tuples(st.just("GET"), TYPES, GOOD_PLACES),
    st.tuples(st.sampled_from(["SET", "INCRBY"]), TYPES, GOOD_PLACES, GOOD_AMOUNTS),
    OVERFLOWS,
)
STEPS = st.one_of(
    st.tuples(st.just("GET"), TYPES | BAD_TYPES, PLACES),
    st.tuples(st.sampled_from(["SET", "incrby"]), TYPES, PLACES, GOOD_AMOUNTS | st.just("x")),
    OVERFLOWS,
    st.sampled_from([("GET",), ("SET", "u8", "0"), ("FOO", "u8", "0"), ("OVERFLOW",), ("OVERFLOW", "foo")]),
)


@settings(STATEFUL, max_examples=120)
@given(st.lists(st.lists(GOOD_STEPS, max_size=6) | st.lists(STEPS, max_size=3), max_size=4))
def test_fields_of_any_width_under_every_overflow_rule(twins, calls):
    twins.same("DEL", "k")
    for steps in calls:
        words = [word for step in steps for word in step]
        twins.same("BITFIELD", "k", *words)
        twins.same("BITFIELD_RO", "k", *words)
        twins.same("GET", "k")


def test_fields_want_a_string(twins):
    twins.script(
        """
        SADD s x
        BITFIELD s
        BITFIELD s GET u8 0
        BITFIELD s SET u8 0 1
        BITFIELD_RO s GET u8 0
        BITFIELD none
        BITFIELD none GET u8 0
        BITFIELD_RO none SET u8 0 1
        EXISTS none
        SET n 12345
        BITFIELD n GET u8 0 GET i8 32 INCRBY u8 0 1
        GET n
        BITFIELD k OVERFLOW FAIL SET u8 0 256
        EXISTS k
        BITFIELD k SET u8 134217720 1
        BITFIELD far GET u8 4294967295
        BITFIELD far GET u8 4294967296
        STRLEN k
        """
    )


@given(st.binary(min_size=1, max_size=300), st.data())
def test_counting_and_finding_agree_with_a_string_of_ones_and_zeros(data, draw):
    text = "".join(f"{byte:08b}" for byte in data)
    first = draw.draw(st.integers(0, len(text) - 1))
    last = draw.draw(st.integers(first, len(text) - 1))
    part = text[first : last + 1]
    assert count_ones(data, first, last) == part.count("1")
    for bit in (0, 1):
        place = part.find(str(bit))
        assert find_bit(data, bit, first, last) == (first + place if place >= 0 else -1)


def test_counting_goes_over_the_borders_of_its_portions():
    data = b"\xff" * 200_001
    assert count_ones(data, 3, 8 * 200_001 - 6) == 8 * 200_001 - 8
    assert find_bit(data, 0, 0, 8 * 200_001 - 1) == -1
    assert find_bit(data + b"\xfe", 0, 0, 8 * 200_002 - 1) == 8 * 200_002 - 1


FIELDS = st.builds(Field, st.integers(0, 90), st.integers(1, 64), st.booleans())


@given(st.binary(min_size=20, max_size=20), FIELDS, st.integers())
def test_what_is_written_to_a_field_is_read_back_and_its_neighbours_stay(data, field, value):
    offset, width, _ = field
    buffer = bytearray(data)
    stored = field.fitted(value, b"WRAP")
    assert stored is not None
    assert (stored - value) % (1 << width) == 0
    field.write(buffer, stored)
    assert field.read(buffer) == stored
    before, after = (f"{int.from_bytes(each, 'big'):0160b}" for each in (data, buffer))
    assert before[:offset] == after[:offset]
    assert before[offset + width :] == after[offset + width :]
