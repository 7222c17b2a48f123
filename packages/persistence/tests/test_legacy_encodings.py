"""Zipmaps and ziplists, built by hand as Redis 2.x to 6.2 built them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.persistence import RDBError, RDBReader
from cutaway.persistence.crc64 import crc64
from cutaway.persistence.legacy_encodings import LegacyEncodingError, decode_ziplist, decode_zipmap
from cutaway.persistence.rdb_format import encode_length

Element = bytes | int


def ziplist(elements: list[Element]) -> bytes:
    """Build a ziplist; an int becomes the integer entry that fits it."""
    entries, previous, tail = b"", 0, 10
    for element in elements:
        tail = 10 + len(entries)
        before = bytes((previous,)) if previous < 254 else b"\xfe" + previous.to_bytes(4, "little")
        entry = before + ziplist_element(element)
        entries += entry
        previous = len(entry)
    total = 10 + len(entries) + 1
    header = (
        total.to_bytes(4, "little")
        + tail.to_bytes(4, "little")
        + min(len(elements), 65535).to_bytes(2, "little")
    )
    return header + entries + b"\xff"


def ziplist_element(element: Element) -> bytes:
    if isinstance(element, bytes):
        size = len(element)
        if size < 64:
            return bytes((size,)) + element
        if size < 16384:
            return (size | 0x4000).to_bytes(2, "big") + element
        return b"\x80" + size.to_bytes(4, "big") + element
    if 0 <= element <= 12:
        return bytes((0xF1 + element,))
    for mark, width in ((0xFE, 1), (0xC0, 2), (0xF0, 3), (0xD0, 4), (0xE0, 8)):
        if -(1 << 8 * width - 1) <= element < 1 << 8 * width - 1:
            return bytes((mark,)) + element.to_bytes(width, "little", signed=True)
    raise AssertionError


def zipmap(pairs: list[tuple[bytes, bytes]], unused: int = 0) -> bytes:
    out = bytes((min(len(pairs), 254),))
    for key, value in pairs:
        out += zipmap_length(key) + key + zipmap_length(value) + bytes((unused,)) + value + b"?" * unused
    return out + b"\xff"


def zipmap_length(text: bytes) -> bytes:
    return bytes((len(text),)) if len(text) < 254 else b"\xfe" + len(text).to_bytes(4, "little")


def rdb_file(version: int, body: bytes) -> bytes:
    data = b"REDIS%04d" % version + body + b"\xff"
    return data + crc64(data).to_bytes(8, "little") if version >= 5 else data


def rdb_string(text: bytes) -> bytes:
    return encode_length(len(text)) + text


def value_of(type_number: int, body: bytes, version: int = 6):
    data = rdb_file(version, b"\xfe\x00" + bytes((type_number,)) + rdb_string(b"k") + body)
    (entry,) = RDBReader(data).entries()
    if not isinstance(entry.value, (int, bytes)):
        entry.value.check()
    return entry.value


integers = (
    st.integers(-(2**63), 2**63 - 1) | st.integers(-20, 20) | st.sampled_from((127, 128, -129, 1 << 23))
)
blobs = st.binary(max_size=80) | st.sampled_from((b"x" * 253, b"x" * 254, b"y" * 16383, b"y" * 16384))
elements_lists = st.lists(integers | blobs, max_size=20)


@given(elements_lists)
def test_a_ziplist_is_taken_apart_into_its_elements(elements):
    expected = [b"%d" % e if isinstance(e, int) else e for e in elements]
    assert decode_ziplist(ziplist(elements)) == expected


@given(st.lists(st.tuples(blobs, blobs), max_size=10), st.integers(0, 9))
def test_a_zipmap_is_taken_apart_into_keys_and_values(pairs, unused):
    assert decode_zipmap(zipmap(pairs, unused)) == [x for pair in pairs for x in pair]


def test_a_zipmap_and_a_ziplist_of_very_many_entries_count_them():
    pairs = [(b"%d" % n, b"v") for n in range(300)]
    assert len(decode_zipmap(zipmap(pairs))) == 600
    assert len(decode_ziplist(ziplist(list(range(65536))))) == 65536


@given(st.data())
def test_damage_is_an_error_or_a_list_and_nothing_else(data):
    blob = bytearray(
        data.draw(
            st.sampled_from(
                (ziplist([1, b"abc", -5000, b"x" * 70]), zipmap([(b"a", b"b"), (b"c", b"d" * 9)], 2))
            )
        )
    )
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= data.draw(st.integers(1, 255))
    for decode in (decode_ziplist, decode_zipmap):
        for damaged in (bytes(blob), bytes(blob[: data.draw(st.integers(0, len(blob)))])):
            try:
                assert all(isinstance(element, bytes) for element in decode(damaged))
            except LegacyEncodingError as error:
                assert 0 <= error.offset <= len(damaged)  # noqa: PT017 - it may also not be raised


def test_values_of_every_old_layout():
    assert dict(value_of(9, rdb_string(zipmap([(b"a", b"1"), (b"b", b"2")])), 2).items()) == {
        b"a": b"1",
        b"b": b"2",
    }
    assert list(value_of(10, rdb_string(ziplist([b"a", 5, -70000])), 4)) == [b"a", b"5", b"-70000"]
    zset = value_of(12, rdb_string(ziplist([b"m", 1, b"n", b"2.5"])))
    assert list(zset.items()) == [(b"m", 1.0), (b"n", 2.5)]
    assert dict(value_of(13, rdb_string(ziplist([b"f", b"v", b"g", 7]))).items()) == {b"f": b"v", b"g": b"7"}
    nodes = encode_length(2) + rdb_string(ziplist([b"a", b"b"])) + rdb_string(ziplist([3]))
    assert list(value_of(14, nodes, 7)) == [b"a", b"b", b"3"]
    scores = encode_length(4) + rdb_string(b"a") + b"\x031.5" + rdb_string(b"b") + b"\xfe"
    scores += rdb_string(b"c") + b"\xff" + rdb_string(b"d") + b"\x02-7"
    assert list(value_of(3, scores, 3).items()) == [
        (b"c", float("-inf")),
        (b"d", -7),
        (b"a", 1.5),
        (b"b", float("inf")),
    ]
    assert list(value_of(1, encode_length(2) + rdb_string(b"a") + b"\xc1\x2c\x01")) == [b"a", b"300"]


def test_expiry_in_seconds_and_in_milliseconds():
    body = b"\xfd" + (1_700_000_000).to_bytes(4, "little") + b"\x00\x01a\x01b"
    body += b"\xfc" + (1_700_000_000_123).to_bytes(8, "little") + b"\x00\x01c\x01d\x00\x01e\x01f"
    entries = list(RDBReader(rdb_file(3, b"\xfe\x00" + body)).entries())
    assert [entry.expire_at for entry in entries] == [1_700_000_000_000, 1_700_000_000_123, None]


@pytest.mark.parametrize(
    ("type_number", "body"),
    [
        (9, rdb_string(zipmap([(b"a", b"1"), (b"a", b"2")]))),
        (12, rdb_string(ziplist([b"m", b"nan"]))),
        (12, rdb_string(ziplist([b"m"]))),
        (13, rdb_string(ziplist([b"f", b"v", b"f", b"w"]))),
        (2, encode_length(2) + rdb_string(b"a") + rdb_string(b"a")),
        (3, encode_length(1) + rdb_string(b"a") + b"\xfd"),
        (11, rdb_string(b"\x02\0\0\0\x02\0\0\0\x05\0\x05\0")),
        (18, encode_length(1) + b"\x03" + rdb_string(b"a")),
    ],
)
def test_values_that_break_an_invariant_of_their_type_are_refused(type_number, body):
    with pytest.raises(RDBError):
        value_of(type_number, body)
