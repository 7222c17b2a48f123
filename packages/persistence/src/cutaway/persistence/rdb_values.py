"""Values as an RDB file holds them: one decoder for each layout there ever was.

The layouts fall into three families.

*Element by element* (types 1 to 5): a count, then so many strings. This is how a structure of pointers is
written, and the type says nothing about the encoding; the value that is built decides by itself.

*As it stands in memory* (types 9 to 13, 16, 17, 20): one string that is a zipmap, a ziplist, an intset or a
listpack. Reading it is checking it: the structure's own `from_bytes` walks all of it. Layouts that live on
are taken over as they are, the old ones are taken apart and built anew.

*A sequence of such pieces* (lists: 14, 18; streams: 15, 19, 21), with whatever belongs to the whole around
them.

A file comes from outside and may say anything: an element twice in a set, a score that is no number, a
consumer with a pending entry that its group does not know. Each of these is an `RDBError` with the offset of
the value, and never a value that breaks an invariant of its type.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from struct import Struct
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.hash_values import HashValue
from cutaway.datastructures.limits import DEFAULT_LIMITS, Limits
from cutaway.datastructures.list_values import ListValue
from cutaway.datastructures.listpack_entries import parse_integer
from cutaway.datastructures.module_values import ModuleValue
from cutaway.datastructures.quicklists import OpenNode, PlainNode
from cutaway.datastructures.set_values import SetValue
from cutaway.datastructures.sorted_set_values import DEFAULT_INDEX, IndexChoice, SortedSetValue
from cutaway.datastructures.streams import Stream

from . import rdb_format as rdb
from .errors import RDBError
from .legacy_encodings import decode_ziplist, decode_zipmap
from .rdb_modules import read_module_value
from .rdb_packs import read_elements, read_intset, read_listpack
from .rdb_streams import decode_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .rdb_source import Source

Value = int | bytes | bytearray | ListValue | HashValue | SetValue | SortedSetValue | Stream | ModuleValue
"""What a key can hold; the first three are a string."""

LONGEST_INTEGER: Final = 20

_DOUBLE: Final = Struct("<d")


@dataclass(slots=True)
class ValueOptions:
    """What new values are made with: the keyspace's limits, its choice of a sorted index, the types of modules."""

    limits: Limits = field(default_factory=lambda: DEFAULT_LIMITS)
    index: IndexChoice = field(default_factory=lambda: DEFAULT_INDEX)
    module_types: Mapping[str, type[ModuleValue]] = field(default_factory=dict)
    """By name."""
    any_version: bool = False
    """Whether data in the format of versions that nobody here knows is tried: `rdb-version-check relaxed`."""


def decode_value(source: Source, type_number: int, options: ValueOptions, key: bytes = b"") -> Value:
    """Read the value of layout `type_number`. Collections may come out empty. Raises RDBError. O(bytes)."""
    start = source.offset
    if type_number == rdb.TYPE_MODULE_2:
        return read_module_value(source, options.module_types, key)
    decoder = _DECODERS.get(type_number)
    if decoder is None:
        raise RDBError(_unknown(type_number, key), start)
    if source.trace is not None:
        source.open(rdb.TYPE_NAMES[type_number])
    try:
        value = decoder(source, options)
    except (ValueError, AssertionError, LookupError, StopIteration, OverflowError) as error:
        text = f"{rdb.TYPE_NAMES[type_number]} {key!r}: {error}"
        raise RDBError(text, start) from error
    if source.trace is not None:
        source.close()
    return value


def is_empty(value: Value) -> bool:
    """Whether a value is a collection without elements, which no key may hold; a stream or a module's value may be."""
    if isinstance(value, (int, bytes, bytearray, Stream, ModuleValue)):
        return False
    return not len(value)


def _unknown(type_number: int, key: bytes) -> str:
    """Say why there is no decoder for this type."""
    if type_number == rdb.TYPE_MODULE_PRE_GA:
        return f"key {key!r} holds a module value in the format of a release candidate"
    return f"key {key!r} has the unknown type {type_number}"


def as_string_value(text: bytes) -> int | bytes:
    """Return a string as a key holds it: an int if it is the text of a signed 64-bit one."""
    if len(text) > LONGEST_INTEGER:
        return text
    number = parse_integer(text)
    return text if number is None else number


def _string(source: Source, _options: ValueOptions) -> Value:
    value = source.string_or_int("value")
    return as_string_value(value) if isinstance(value, bytes) else value


def _list(source: Source, options: ValueOptions) -> Value:
    value = ListValue(options.limits)
    for _ in range(source.length("elements")):
        value.push_right((source.string("element"),))
    return value


def _set(source: Source, options: ValueOptions) -> Value:
    value = SetValue(options.limits)
    for _ in range(source.length("members")):
        if not value.add(source.string("member")):
            text = "a member twice"
            raise ValueError(text)
    return value


def _hash(source: Source, options: ValueOptions) -> Value:
    value = HashValue(options.limits)
    for _ in range(source.length("fields")):
        name = source.string("field")
        if not value.set(name, source.string("value")):
            text = "a field twice"
            raise ValueError(text)
    return value


def _hash_2(source: Source, options: ValueOptions) -> Value:
    value = HashValue(options.limits)
    for _ in range(source.length("fields")):
        name = source.string("field")
        if not value.set(name, source.string("value")):
            text = "a field twice"
            raise ValueError(text)
        expire_at = source.fixed(8, "expires at")
        if expire_at < rdb.NO_EXPIRY:
            text = "a field's expiry is negative"
            raise ValueError(text)
        if expire_at != rdb.NO_EXPIRY:
            value.set_expiry(name, expire_at)
    return value


def _zset(source: Source, options: ValueOptions) -> Value:
    return _sorted_set(source, options, _text_score)


def _zset_2(source: Source, options: ValueOptions) -> Value:
    return _sorted_set(source, options, _binary_score)


def _sorted_set(source: Source, options: ValueOptions, score_of: Callable[[Source], float]) -> Value:
    value = SortedSetValue(options.limits, options.index)
    count = source.length("members")
    value.expect(count)  # large at once, for a small one would take -0 for 0
    for _ in range(count):
        member = source.string("member")
        score = score_of(source)
        if math.isnan(score):
            text = "a score is not a number"
            raise ValueError(text)
        if not value.add(member, score):
            text = "a member twice"
            raise ValueError(text)
    return value


def _binary_score(source: Source) -> float:
    """Read a score of 8 bytes, IEEE 754, little-endian."""
    start = source.offset
    score: float = _DOUBLE.unpack(source.take(8))[0]
    if source.trace is not None:
        source.trace.leaf(start, source.offset, "score", score)
    return score


def _text_score(source: Source) -> float:
    """Read a score as decimal text behind its length, three lengths standing for what has no digits."""
    start = source.offset
    length = source.byte()
    if length == rdb.SCORE_INFINITY:
        score = math.inf
    elif length == rdb.SCORE_MINUS_INFINITY:
        score = -math.inf
    elif length == rdb.SCORE_NAN:
        score = math.nan
    else:
        score = float(source.take(length))
    if source.trace is not None:
        source.trace.leaf(start, source.offset, "score", score)
    return score


def _hash_of(elements: list[bytes], options: ValueOptions) -> HashValue:
    """Return a hash of field, value, field, value …."""
    value = HashValue(options.limits)
    for name, content in zip(elements[::2], elements[1::2], strict=True):
        if not value.set(name, content):
            text = "a field twice"
            raise ValueError(text)
    return value


def _sorted_set_of(elements: list[bytes], options: ValueOptions) -> SortedSetValue:
    """Return a sorted set of member, score, member, score …."""
    value = SortedSetValue(options.limits, options.index)
    for member, text in zip(elements[::2], elements[1::2], strict=True):
        score = float(text)
        if math.isnan(score) or not value.add(member, score):
            problem = "a score that is not a number, or a member twice"
            raise ValueError(problem)
    return value


def _hash_zipmap(source: Source, options: ValueOptions) -> Value:
    return _hash_of(decode_zipmap(source.string("zipmap")), options)


def _hash_ziplist(source: Source, options: ValueOptions) -> Value:
    return _hash_of(decode_ziplist(source.string("ziplist")), options)


def _hash_listpack(source: Source, options: ValueOptions) -> Value:
    pack, elements = read_elements(source)
    return HashValue.from_pack(pack, options.limits, elements)


def _zset_ziplist(source: Source, options: ValueOptions) -> Value:
    return _sorted_set_of(decode_ziplist(source.string("ziplist")), options)


def _zset_listpack(source: Source, options: ValueOptions) -> Value:
    pack, elements = read_elements(source)
    members = elements[::2]
    scores = [float(text) for text in elements[1::2]]
    limits = options.limits
    in_order = all(a <= b for a, b in pairwise((-math.inf, *scores)))
    longest = max(map(len, members), default=0)
    fits = len(scores) <= limits.zset_max_listpack_entries and longest <= limits.zset_max_listpack_value
    if not (fits and in_order and len(members) == len(scores) == len(set(members))):
        return _sorted_set_of(elements, options)
    return SortedSetValue(options.limits, options.index, pack)


def _set_intset(source: Source, options: ValueOptions) -> Value:
    return SetValue.from_pack(read_intset(source), options.limits)


def _set_listpack(source: Source, options: ValueOptions) -> Value:
    pack, members = read_elements(source)
    return SetValue.from_pack(pack, options.limits, members)


def _list_ziplist(source: Source, options: ValueOptions) -> Value:
    value = ListValue(options.limits)
    value.push_right(decode_ziplist(source.string("ziplist")))
    return value


def _list_quicklist(source: Source, options: ValueOptions) -> Value:
    value = ListValue(options.limits)
    for _ in range(source.length("nodes")):
        value.push_right(decode_ziplist(source.string("ziplist")))
    return value


def _list_quicklist_2(source: Source, options: ValueOptions) -> Value:
    nodes: list[OpenNode] = []
    for _ in range(source.length("nodes")):
        container = source.length("container: 1 plain, 2 packed")
        if container not in (rdb.QUICKLIST_NODE_PLAIN, rdb.QUICKLIST_NODE_PACKED):
            text = f"unknown kind of node: {container}"
            raise ValueError(text)
        if container == rdb.QUICKLIST_NODE_PACKED:
            nodes.append(read_listpack(source))
            continue
        element = source.string("plain node")
        if not element:
            text = "an empty node"
            raise ValueError(text)
        nodes.append(PlainNode(element))
    return ListValue.from_nodes(nodes, options.limits)


def _stream_1(source: Source, options: ValueOptions) -> Value:
    return decode_stream(source, 1, options.limits)


def _stream_2(source: Source, options: ValueOptions) -> Value:
    return decode_stream(source, 2, options.limits)


def _stream_3(source: Source, options: ValueOptions) -> Value:
    return decode_stream(source, 3, options.limits)


_DECODERS: Final[dict[int, Callable[[Source, ValueOptions], Value]]] = {
    rdb.TYPE_STRING: _string,
    rdb.TYPE_LIST: _list,
    rdb.TYPE_SET: _set,
    rdb.TYPE_ZSET: _zset,
    rdb.TYPE_HASH: _hash,
    rdb.TYPE_ZSET_2: _zset_2,
    rdb.TYPE_HASH_ZIPMAP: _hash_zipmap,
    rdb.TYPE_LIST_ZIPLIST: _list_ziplist,
    rdb.TYPE_SET_INTSET: _set_intset,
    rdb.TYPE_ZSET_ZIPLIST: _zset_ziplist,
    rdb.TYPE_HASH_ZIPLIST: _hash_ziplist,
    rdb.TYPE_LIST_QUICKLIST: _list_quicklist,
    rdb.TYPE_STREAM_LISTPACKS: _stream_1,
    rdb.TYPE_HASH_LISTPACK: _hash_listpack,
    rdb.TYPE_ZSET_LISTPACK: _zset_listpack,
    rdb.TYPE_LIST_QUICKLIST_2: _list_quicklist_2,
    rdb.TYPE_STREAM_LISTPACKS_2: _stream_2,
    rdb.TYPE_SET_LISTPACK: _set_listpack,
    rdb.TYPE_STREAM_LISTPACKS_3: _stream_3,
    rdb.TYPE_HASH_2: _hash_2,
}
