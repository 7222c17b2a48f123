from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.datastructures.hash_values import HashValue
from cutaway.datastructures.list_values import ListValue
from cutaway.datastructures.set_values import SetValue
from cutaway.datastructures.sorted_set_values import SortedSetValue
from cutaway.datastructures.stream_groups import ConsumerGroup
from cutaway.datastructures.streams import Stream
from cutaway.persistence import (
    Aux,
    DatabaseDump,
    Entry,
    Library,
    RDBError,
    RDBReader,
    Value,
    ValueOptions,
    dump,
    required_version,
    restore,
    write_rdb,
)
from cutaway.persistence.crc64 import crc64
from cutaway.persistence.errors import DumpError
from cutaway.persistence.rdb_source import WINDOW, Source
from cutaway.persistence.rdb_strings import StringEncoder

texts = (
    st.binary(max_size=100)
    | st.integers(-(2**70), 2**70).map(lambda n: b"%d" % n)
    | st.sampled_from(
        (b"", b"-", b"-0", b"00", b"+1", b"2147483648", b"-2147483649", b"\xff" * 21, b"a" * 20_000)
    )
)


def list_of(elements):
    value = ListValue()
    value.push_right(elements)
    return value


def hash_of(fields, expiries=()):
    value = HashValue()
    for name, content in fields.items():
        value.set(name, content)
    for name, time in zip(fields, expiries, strict=False):
        value.set_expiry(name, time)
    return value


def stream_of(entries, groups=()):
    stream = Stream()
    for n, (name, content) in enumerate(entries):
        stream.append((n // 3 + 1, n), [(name, content)])
    for name in groups:
        group = stream.groups.setdefault(name, ConsumerGroup())
        consumer = group.create_consumer(b"c" + name, 1000)
        group.create_consumer(b"idle", 5)
        group.read_new(stream, consumer, 2000, 3)
    return stream


scores = st.floats(allow_nan=False)
values = st.one_of(
    texts,
    st.lists(texts, min_size=1, max_size=30).map(list_of),
    st.sets(texts, min_size=1, max_size=30).map(SetValue.from_members),
    st.sets(st.integers(-(2**63), 2**63 - 1), min_size=1).map(
        lambda s: SetValue.from_members(b"%d" % n for n in s)
    ),
    st.dictionaries(texts, scores, min_size=1, max_size=30).map(
        lambda d: SortedSetValue.from_pairs(d.items())
    ),
    st.builds(hash_of, st.dictionaries(texts, texts, min_size=1), st.just(())),
    st.builds(
        hash_of, st.dictionaries(texts, texts, min_size=1), st.lists(st.integers(0, 2**60), max_size=3)
    ),
    st.builds(
        stream_of, st.lists(st.tuples(texts, texts), max_size=20), st.sets(st.binary(max_size=9), max_size=3)
    ),
)


def shape(value: Value) -> object:
    """Return everything that can be said about a value, for comparison."""
    if isinstance(value, (int, bytes, bytearray)):
        return b"%d" % value if isinstance(value, int) else bytes(value)
    value.check()
    if isinstance(value, ListValue):
        return list(value)
    if isinstance(value, SetValue):
        return set(value)
    if isinstance(value, HashValue):
        return dict(value.items()), dict(value.expiries())
    if isinstance(value, SortedSetValue):
        return list(value.items())
    groups = {
        name: (
            group.last_id,
            group.entries_read,
            {i: (e.consumer.name, e.delivery_time, e.delivery_count) for i, e in group.pending.items()},
            {c.name: c.seen_time for c in group.consumers.values()},
        )
        for name, group in value.groups.items()
    }
    numbers = (value.length, value.last_id, value.first_id, value.max_deleted_id, value.entries_added)
    return list(value), numbers, groups


@given(
    st.dictionaries(st.binary(max_size=70), values, max_size=8),
    st.booleans(),
    st.sampled_from((None, 11, 80)),
)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_again(keyspace, compression, version):
    items = [
        (key, value, n * 1000 if n % 2 else None, n or None)
        for n, (key, value) in enumerate(keyspace.items())
    ]
    version = max(version or 0, required_version(keyspace.values()))
    out = io.BytesIO()
    size = write_rdb(
        out.write,
        [DatabaseDump(0, 0, 0, ()), DatabaseDump(3, len(items), 1, items)],
        aux={b"ctime": b"1", b"x": b"y"},
        libraries=[b"#!lua name=l"],
        version=version,
        compression=compression,
    )
    assert size == len(out.getvalue())
    for source in (out.getvalue(), Trickle(out.getvalue())):
        events = list(RDBReader(source).events())
        entries = [event for event in events if isinstance(event, Entry)]
        assert [(e.db, e.key, shape(e.value), e.expire_at, e.idle) for e in entries] == [
            (3, key, shape(value), expire_at, hint) for key, value, expire_at, hint in items
        ]
        assert [e for e in events if isinstance(e, Aux)] == [(b"ctime", b"1"), (b"x", b"y")]
        assert [e for e in events if isinstance(e, Library)] == [(b"#!lua name=l",)]


class Trickle:
    """A source that gives few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)
        self._next = 0

    def read(self, size: int, /) -> bytes:
        self._next = self._next % 7 + 1
        return self._data.read(min(size, self._next))


@given(texts, st.booleans())
def test_every_string_comes_back_whichever_way_it_is_stored(text, compression):
    source = Source(StringEncoder(compression=compression).encode(text))
    assert source.string("text") == text
    assert not source.need(1)


@given(values)
@settings(max_examples=60, deadline=None)
def test_dump_and_restore_are_inverse(value):
    assert shape(restore(dump(value))) == shape(value)


SMALL = [
    42,
    b"hello",
    b"ab" * 40,
    list_of([b"a", b"1000", b"c" * 70]),
    list_of([b"x" * 9000]),
    SetValue.from_members([b"1", b"2", b"70000"]),
    SetValue.from_members([b"a", b"b"]),
    SortedSetValue.from_pairs([(b"a", 1), (b"b", 2.5)]),
    SortedSetValue.from_pairs([(b"a" * 65, 1.0), (b"b", 2.5)]),
    hash_of({b"a": b"1", b"b": b"2"}),
    hash_of({b"a": b"1", b"b": b"2"}, [99]),
    hash_of({b"a": b"1" * 65, b"b": b"2"}),
    stream_of([(b"f", b"v")] * 3, [b"g"]),
]


def footed(body: bytes, version: int = 80) -> bytes:
    """Give a damaged body a footer that is right."""
    body += version.to_bytes(2, "little")
    return body + crc64(body).to_bytes(8, "little")


def check_restore(payload: bytes) -> None:
    """RESTORE either refuses in Redis's words, or makes a value whose invariants hold."""
    try:
        value = restore(payload)
    except DumpError as error:
        refusals = ("DUMP payload version or checksum are wrong", "Bad data format")
        assert str(error) in refusals  # noqa: PT017 - it may also not be raised
    else:
        shape(value)


@pytest.mark.parametrize("value", SMALL, ids=lambda value: type(value).__name__)
def test_every_flip_and_every_cut_of_a_payload_is_refused_or_gives_a_valid_value(value):
    payload = dump(value)
    assert shape(restore(payload)) == shape(value)
    body = payload[:-10]
    for at in range(len(payload)):
        with pytest.raises(DumpError):
            restore(payload[:at])
    step = max(1, len(body) // 150)
    for at in range(0, len(body), step):
        check_restore(footed(body[:at]))
        for flip in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            check_restore(footed(body[:at] + bytes((body[at] ^ flip,)) + body[at + 1 :]))


def test_every_flip_and_every_cut_of_a_file_is_refused_or_read_to_the_end():
    items = [(b"k%d" % n, value, 5000, None) for n, value in enumerate(SMALL[:4] + SMALL[5:8] + SMALL[9:11])]
    out = bytearray()
    write_rdb(
        out.extend, [DatabaseDump(0, len(items), 0, items)], version=80, aux={b"a": b"b"}, checksum=False
    )
    data = bytes(out)
    for at in range(len(data)):
        with pytest.raises(RDBError) as caught:
            list(RDBReader(data[:at]).events())
        assert 0 <= caught.value.offset <= at
        for flip in (1, 32, 128, 255):
            damaged = data[:at] + bytes((data[at] ^ flip,)) + data[at + 1 :]
            try:
                for entry in RDBReader(damaged).entries():
                    shape(entry.value)
            except RDBError as error:
                assert 0 <= error.offset <= len(data)  # noqa: PT017 - as above


def test_a_wrong_checksum_is_noticed_and_none_is_accepted():
    out = bytearray()
    write_rdb(out.extend, [DatabaseDump(0, 1, 0, [(b"k", b"hello", None, None)])])
    out[-12] ^= 1
    with pytest.raises(RDBError, match="checksum"):
        list(RDBReader(bytes(out)).events())
    assert [e.value for e in RDBReader(bytes(out), checksum=False).entries()] != [b"hello"]
    out[-8:] = bytes(8)
    assert len(list(RDBReader(bytes(out)).entries())) == 1


HUGE = (b"\x80\xff\xff\xff\xff", b"\x81" + b"\xff" * 8, b"\x81\x00\x00\x7f" + b"\xff" * 5)


@pytest.mark.parametrize("length", HUGE)
@pytest.mark.parametrize(
    "type_number", [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]
)
def test_a_huge_claim_costs_no_more_than_the_input_holds(type_number, length):
    for body in (
        length,
        length + b"\x01a" * 50,
        b"\x01\x02" + length,
        b"\xc3" + length * 2,
        b"\xc3\x05" + length,
    ):
        data = b"VALKEY080\xfe\x00" + bytes((type_number,)) + b"\x01k" + body
        reader = RDBReader(data)
        with pytest.raises(RDBError):
            list(reader.events())
        assert len(reader.source.data) <= len(data)


def test_lzf_cannot_be_made_to_grow_beyond_its_ratio():
    bomb = b"\xc3\x03" + b"\x80" + (1 << 30).to_bytes(4, "big") + b"\x00a\x20"
    with pytest.raises(RDBError, match="cannot stand for"):
        Source(bomb).string("bomb")


def test_long_strings_cross_the_window():
    text = bytes(range(256)) * (WINDOW // 64)
    out = bytearray()
    items = [(b"k", text, None, None), (b"l", b"x", None, None)]
    write_rdb(out.extend, [DatabaseDump(0, 2, 0, items)], compression=False)
    assert [entry.value for entry in RDBReader(io.BytesIO(out)).entries()] == [text, b"x"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b"\x07\x01k" + b"\x81" + (int.from_bytes(b"\x00" * 8, "big")).to_bytes(8, "big"),
            "module type 'AAAAAAAAA'",
        ),
        (b"\x06\x01k", "release candidate"),
        (b"\xf6", "release candidate"),
        (b"\x63\x01k", "b'k' has the unknown type 99"),
        (b"\x17\x01k", "b'k' has the unknown type 23"),
    ],
)
def test_what_is_not_known_is_named_with_its_offset(body, words):
    with pytest.raises(RDBError, match=words) as caught:
        list(RDBReader(b"REDIS0010" + body).events())
    assert caught.value.offset >= 9


@pytest.mark.parametrize(
    "header", [b"REDIS0012", b"REDIS0079", b"VALKEY081", b"REDIS0000", b"REDISabcd", b"HELLO0010"]
)
def test_versions_of_another_world_are_refused(header):
    with pytest.raises(RDBError):
        list(RDBReader(header + b"\xff" + bytes(8)).events())


@pytest.mark.parametrize("header", [b"REDIS0012", b"REDIS0079", b"VALKEY081", b"VALKEY999"])
def test_if_it_is_wanted_versions_of_another_world_are_tried(header):
    options = ValueOptions(any_version=True)
    known, unknown = header + b"\0\1k\1v\xff" + bytes(8), header + b"\x63\1k\1v\xff" + bytes(8)
    assert [entry.key for entry in RDBReader(known, options).entries()] == [b"k"]
    with pytest.raises(RDBError, match="unknown type 99"):
        list(RDBReader(unknown, options).events())


@pytest.mark.parametrize("header", [b"REDIS0000", b"REDIS0080", b"VALKEY011", b"VALKEY079"])
def test_a_magic_word_and_a_version_that_do_not_fit_are_refused_always(header):
    for options in (ValueOptions(), ValueOptions(any_version=True)):
        with pytest.raises(RDBError, match="version"):
            list(RDBReader(header + b"\xff" + bytes(8), options).events())


@pytest.mark.parametrize("version", [0, 11, 12, 79, 80, 81, 999])
def test_payloads_of_unknown_versions_are_tried_if_it_is_wanted(version):
    payload = footed(b"\0\1v", version)
    if version in (11, 80):
        assert restore(payload) == b"v"
    else:
        with pytest.raises(DumpError):
            restore(payload)
    if version:
        assert restore(payload, ValueOptions(any_version=True)) == b"v"


def test_collections_without_elements_are_skipped_and_counted():
    reader = RDBReader(b"REDIS0004\x01\x01k\x00\x00\x01s\x01v\xff")
    assert [entry.key for entry in reader.entries()] == [b"s"]
    assert reader.empty_keys == 1
