"""The listpack: a list of strings and integers in one run of bytes.

A small collection costs less as a flat run of bytes than as linked objects: no pointers, one allocation, and a
search reads memory in order. The price is that nothing can be jumped to; every walk goes entry by entry. So Redis
holds its small hashes, sets, sorted sets and lists this way, and the nodes of its long lists and streams too.

On the wire, and in an RDB file:

    total bytes (u32 LE) | entries (u16 LE, 65535 = "count them") | entry ... entry | 0xFF

and each entry is an encoding with its data, followed by the length of these two, written so that it can be read
from right to left; that is what makes the list walkable from its tail:

    0xxxxxxx                        integer 0..127                (1 byte)
    110xxxxx xxxxxxxx               integer -4096..4095           (13 bits, big end first)
    0xF1 / 0xF2 / 0xF3 / 0xF4       integer of 16/24/32/64 bits   (little-endian, signed)
    10xxxxxx                        string of up to 63 bytes
    1110xxxx xxxxxxxx               string of up to 4095 bytes
    0xF0 + u32 LE                   any longer string

A string that is a canonical signed 64-bit decimal is always stored as the integer, in the narrowest form that holds
it. So an element has exactly one encoding, and to search for it is to search for bytes: `find` lets `bytearray.find`
run over the whole pack at C speed, and then only has to confirm that the match is an entry and not a piece of a
longer string, by walking the entry sizes up to it.

In memory the entries lie alone in a bytearray; header and terminator are put around them when `bytes(pack)` is asked
for. Two things follow. A push need not rewrite the header. And since a bytearray can give up its first bytes by moving
its start, popping the first entry does not move the others. Positions are offsets into that buffer, valid until
the next change; -1 is "no entry" where a position is returned, and "past the last one" where one is given to insert.

Entries of one size in a row (ids, counters of one width, the members of most benchmarks) have their first bytes at
equal distances. One strided slice shows whether a run is like this; then it is stepped over, or decoded, in one call.

The layout is that of Redis 7 (listpack.c, and antirez's listpack specification).
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HEADER: Final = Struct("<IH")
HEADER_SIZE: Final = 6
END: Final = 0xFF
UNKNOWN_COUNT: Final = 0xFFFF
MAX_BYTES: Final = 1 << 30
"""No pack grows past a gigabyte (LISTPACK_MAX_SAFETY_LIMIT): the header could not say much more."""

_OBJECT_BYTES: Final = 112
"""Process bytes of an empty pack: the object (48) and its bytearray (56), with the allocator's rounding."""

_INT64_DIGITS: Final = 20
_WIDE: Final = 1 << 62
"""Stands in the size table for entries whose size takes more than their first byte to tell."""


def parse_integer(element: bytes) -> int | None:
    """Return the integer that `element` is the canonical decimal of, or None.

    Canonical: no sign but "-", no leading zero, no "-0", within signed 64 bits. O(1).
    """
    digits = element[1:] if element[:1] == b"-" else element
    if len(element) > _INT64_DIGITS or not digits.isdigit():
        return None
    if digits[0] == 0x30:
        return 0 if element == b"0" else None
    value = int(element)
    return value if -(1 << 63) <= value < 1 << 63 else None


def _backlen(size: int) -> bytes:
    """Return `size` in base 128, big end first, each byte but the first marked as a continuation.

    The thresholds are one lower than the digits would allow (16382, not 16383, is the last of two bytes): so writes Redis.
    """
    if size <= 127:
        return bytes((size,))
    if size < 16383:
        return bytes((size >> 7, size & 127 | 128))
    if size < 2097151:
        return bytes((size >> 14, size >> 7 & 127 | 128, size & 127 | 128))
    if size < 268435455:
        return bytes((size >> 21, size >> 14 & 127 | 128, size >> 7 & 127 | 128, size & 127 | 128))
    return bytes((size >> 28, size >> 21 & 127 | 128, size >> 14 & 127 | 128, size >> 7 & 127 | 128, size & 127 | 128))


def _backlen_size(size: int) -> int:
    if size <= 127:
        return 1
    if size < 16383:
        return 2
    if size < 2097151:
        return 3
    return 4 if size < 268435455 else 5


def encode_integer(value: int) -> bytes:
    """Return the entry (encoding, data, backlen) of a signed 64-bit integer, in its narrowest form."""
    if 0 <= value <= 127:
        return bytes((value, 1))
    if -4096 <= value <= 4095:
        value &= 0x1FFF
        return bytes((0xC0 | value >> 8, value & 0xFF, 2))
    for marker, width in ((0xF1, 2), (0xF2, 3), (0xF3, 4)):
        half = 1 << (8 * width - 1)
        if -half <= value < half:
            return bytes((marker, *value.to_bytes(width, "little", signed=True), width + 1))
    return bytes((0xF4, *value.to_bytes(8, "little", signed=True), 9))


_SMALL: Final = tuple(b"%d" % value for value in range(128))
_SMALL_ENTRIES: Final = {b"%d" % value: encode_integer(value) for value in range(-128, 1024)}
_SHORT_HEADS: Final = tuple(bytes((0x80 | size,)) for size in range(64))
_BACKLENS: Final = tuple(bytes((size + 1,)) for size in range(64))


def encode(element: bytes) -> bytes:
    """Return the entry (encoding, data, backlen) of `element`. O(length)."""
    size = len(element)
    if 0 < size <= _INT64_DIGITS and element[0] < 0x3A:
        entry = _SMALL_ENTRIES.get(element)
        if entry is not None:
            return entry
        value = parse_integer(element)
        if value is not None:
            return encode_integer(value)
    if size < 64:
        return _SHORT_HEADS[size] + element + _BACKLENS[size]
    if size < 4096:
        head = bytes((0xE0 | size >> 8, size & 0xFF))
    else:
        head = b"\xf0" + size.to_bytes(4, "little")
    return b"".join((head, element, _backlen(len(head) + size)))


def _entry_sizes() -> tuple[int, ...]:
    """Whole size of an entry by its first byte; _WIDE where more bytes must be read."""
    sizes = [2] * 128 + [size + 2 for size in range(64)] + [3] * 32 + [_WIDE] * 32
    for marker, width in ((0xF1, 2), (0xF2, 3), (0xF3, 4), (0xF4, 8)):
        sizes[marker] = width + 2
    return tuple(sizes)


_SIZES: Final = _entry_sizes()
_INTEGER_WIDTHS: Final = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}
_SHORT_STRING: Final[tuple[Callable[[bytearray | bytes, int], tuple[bytes]], ...]] = tuple(
    Struct(f"{size}s").unpack_from for size in range(64)
)
"""Readers of a short string by its length: half the time of slicing a bytearray and making bytes of the slice."""
_SHORT_RUN: Final = tuple(Struct(f"x{size}sx").iter_unpack for size in range(64))


def _size_at(data: bytearray | bytes, pos: int) -> int:
    """Return the whole size (encoding, data, backlen) of the entry at `pos`. O(1)."""
    first = data[pos]
    size = _SIZES[first]
    if size < _WIDE:
        return size
    if first < 0xF0:
        size = 2 + ((first & 0x0F) << 8 | data[pos + 1])
    else:
        size = 5 + int.from_bytes(data[pos + 1 : pos + 5], "little")
    return size + _backlen_size(size)


def _decode_at(data: bytearray | bytes, pos: int) -> bytes | int:
    """Return the element at `pos`: an int where it is stored as one. O(length)."""
    first = data[pos]
    if first < 0x80:
        return first
    if first < 0xC0:
        return _SHORT_STRING[first & 0x3F](data, pos + 1)[0]
    if first < 0xE0:
        value = (first & 0x1F) << 8 | data[pos + 1]
        return value - 0x2000 if value & 0x1000 else value
    if first < 0xF0:
        size = (first & 0x0F) << 8 | data[pos + 1]
        return bytes(data[pos + 2 : pos + 2 + size])
    if first == 0xF0:
        size = int.from_bytes(data[pos + 1 : pos + 5], "little")
        return bytes(memoryview(data)[pos + 5 : pos + 5 + size])
    width = _INTEGER_WIDTHS[first]
    return int.from_bytes(data[pos + 1 : pos + 1 + width], "little", signed=True)


def _is_run(data: bytearray | bytes, pos: int, count: int) -> bool:
    """Whether the `count` entries from `pos` on all begin with the same byte, and so (of that size) follow evenly.

    The first entry's size places the second, whose first byte is then known to be equal, and so on. O(count), in C.
    """
    first = data[pos]
    size = _SIZES[first]
    return size < _WIDE and data[pos : pos + count * size : size].count(first) == count


class ListPack:
    """A list of byte strings in one buffer, byte for byte what Redis writes.

    Positions are offsets of entries in `_data` (the entries alone, without header and terminator).
    """

    __slots__ = ("_count", "_data")

    _count: int
    _data: bytearray

    def __init__(self) -> None:
        """Make an empty pack."""
        self._data = bytearray()
        self._count = 0

    # Building and unbuilding

    @classmethod
    def from_list(cls, elements: Iterable[bytes]) -> ListPack:
        """Return a pack of `elements`. O(bytes)."""
        pack = cls()
        pack.extend(elements)
        return pack

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> ListPack:
        """Return the pack that `data` is the wire form of, every entry validated.

        Raises ValueError, with the offset in `data`, if a length is wrong or points outside, if a backlen does not
        match its entry, or if the count or the terminator is wrong. An entry that is sound but not in its narrowest
        form (nobody writes such) is re-encoded, so that searching stays exact. O(bytes).
        """
        data = bytes(data)
        count, canonical = _validate(data)
        pack = cls()
        pack._data = bytearray(memoryview(data)[HEADER_SIZE:-1])
        pack._count = count
        return pack if canonical else cls.from_list(pack)

    def __bytes__(self) -> bytes:
        """Return the wire form: header, entries, terminator. O(bytes)."""
        count = min(self._count, UNKNOWN_COUNT)
        return b"".join((HEADER.pack(self.nbytes, count), self._data, b"\xff"))

    def copy(self) -> ListPack:
        """Return a pack of the same entries. O(bytes)."""
        pack = ListPack()
        pack._data = self._data[:]
        pack._count = self._count
        return pack

    @property
    def nbytes(self) -> int:
        """Bytes of the wire form, the number that Redis's limits speak of. O(1)."""
        return len(self._data) + 7

    def memory_usage(self) -> int:
        """Return the bytes of process memory held, roughly. O(1)."""
        return _OBJECT_BYTES + self._data.__alloc__()

    def __len__(self) -> int:
        """Return the number of entries. O(1)."""
        return self._count

    def __eq__(self, other: object) -> bool:
        """Whether `other` is a pack of the same entries in the same order."""
        return isinstance(other, ListPack) and self._data == other._data

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        """Show the elements."""
        return f"ListPack({self.to_list()!r})"

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the elements as bytes; the pack must not change meanwhile."""
        data = self._data
        pos, end = 0, len(data)
        while pos < end:
            value = _decode_at(data, pos)
            yield value if isinstance(value, bytes) else b"%d" % value
            pos += _size_at(data, pos)

    def __reversed__(self) -> Iterator[bytes]:
        """Iterate over the elements from the tail; the pack must not change meanwhile."""
        pos = self.last()
        while pos >= 0:
            yield self.get(pos)
            pos = self.prev(pos)

    # Changing

    def append(self, element: bytes) -> None:
        """Add `element` at the tail. O(length), amortised."""
        self._data += encode(element)
        self._count += 1

    def prepend(self, element: bytes) -> None:
        """Add `element` at the head. O(bytes), as one memmove."""
        self._data[0:0] = encode(element)
        self._count += 1

    def extend(self, elements: Iterable[bytes]) -> None:
        """Add all `elements` at the tail. O(bytes added)."""
        entries = [encode(element) for element in elements]
        self._data += b"".join(entries)
        self._count += len(entries)

    def pop_first(self) -> bytes:
        """Remove and return the first element; IndexError if there is none. O(length), amortised."""
        data = self._data
        if not data:
            msg = "pop from an empty listpack"
            raise IndexError(msg)
        first = data[0]
        if 0x80 <= first < 0xC0:
            element = _SHORT_STRING[first & 0x3F](data, 1)[0]
            del data[: first - 0x7E]
        else:
            element = self.get(0)
            del data[: _size_at(data, 0)]
        self._count -= 1
        return element

    def pop_last(self) -> bytes:
        """Remove and return the last element; IndexError if there is none. O(length)."""
        data = self._data
        if not data:
            msg = "pop from an empty listpack"
            raise IndexError(msg)
        pos = self.prev(len(data))
        element = self.get(pos)
        del data[pos:]
        self._count -= 1
        return element

    def insert_at(self, pos: int, element: bytes) -> int:
        """Insert `element` before the entry at `pos` (-1: at the tail); return its own position. O(bytes)."""
        if pos < 0:
            pos = len(self._data)
        self._data[pos:pos] = encode(element)
        self._count += 1
        return pos

    def replace_at(self, pos: int, element: bytes) -> int:
        """Put `element` in place of the entry at `pos`; return its position, `pos`. O(bytes)."""
        data = self._data
        data[pos : pos + _size_at(data, pos)] = encode(element)
        return pos

    def delete_at(self, pos: int, count: int = 1) -> int:
        """Delete up to `count` entries from `pos` on; return the position of what follows, or -1. O(bytes)."""
        data = self._data
        stop, end = pos, len(data)
        while count > 0 and stop < end:
            stop += _size_at(data, stop)
            self._count -= 1
            count -= 1
        del data[pos:stop]
        return pos if pos < len(data) else -1

    def clear(self) -> None:
        """Delete every entry."""
        self._data = bytearray()
        self._count = 0

    # Walking

    def first(self) -> int:
        """Return the position of the first entry, or -1. O(1)."""
        return 0 if self._data else -1

    def last(self) -> int:
        """Return the position of the last entry, or -1. O(1)."""
        return self.prev(len(self._data))

    def next(self, pos: int) -> int:
        """Return the position of the entry after the one at `pos`, or -1. O(1)."""
        pos += _size_at(self._data, pos)
        return pos if pos < len(self._data) else -1

    def prev(self, pos: int) -> int:
        """Return the position of the entry before the one at `pos`, or -1. O(1)."""
        if pos <= 0:
            return -1
        data = self._data
        size = data[pos - 1]
        if size < 0x80:
            return pos - 1 - size
        at, size, shift = pos - 1, size & 0x7F, 7
        while True:  # a byte without the mark is the leading one
            at -= 1
            size |= (data[at] & 0x7F) << shift
            shift += 7
            if data[at] < 0x80:
                return at - size

    def seek(self, index: int) -> int:
        """Return the position of the entry at `index` (negative: from the tail), or -1.

        O(distance from the nearer end); over a run of entries of one size, in C.
        """
        count = self._count
        if index < 0:
            index += count
        if not 0 <= index < count:
            return -1
        if index <= count // 2:
            return _skip(self._data, 0, index)
        back = count - index
        pos = len(self._data)
        while back:
            pos = self.prev(pos)
            back -= 1
        return pos

    def get(self, pos: int) -> bytes:
        """Return the element at `pos` as bytes. O(length)."""
        value = _decode_at(self._data, pos)
        return value if isinstance(value, bytes) else b"%d" % value

    def get_value(self, pos: int) -> bytes | int:
        """Return the element at `pos`, as an int where it is stored as one. O(length)."""
        return _decode_at(self._data, pos)

    def find(self, element: bytes, start_pos: int = 0, skip: int = 0) -> int:
        """Return the position of `element` from `start_pos` on, or -1.

        With `skip`, only every (skip + 1)-th entry from `start_pos` is compared: skip=1 looks at the fields of a
        field-value list. O(bytes) in C when absent, and O(entries before it) when present.
        """
        data = self._data
        entry = encode(element)
        pos = start_pos
        candidate = data.find(entry, pos)
        while candidate >= 0:
            pos = _walk(data, pos, candidate, skip + 1)
            if pos == candidate:
                return pos
            candidate = data.find(entry, pos)
        return -1

    def to_list(self, start_pos: int = 0, count: int | None = None) -> list[bytes]:
        """Return up to `count` elements (None: all) from `start_pos` on, as bytes. O(bytes), the fast way to read."""
        data = bytes(memoryview(self._data)[start_pos:])
        wanted = self._count if count is None else count
        elements: list[bytes] = []
        append = elements.append
        pos, end = 0, len(data)
        if end and 0x80 <= (first := data[0]) < 0xC0:
            size = first - 0x7E
            even = min(wanted, end // size)
            if _is_run(data, 0, even):
                elements += [element for (element,) in _SHORT_RUN[first & 0x3F](data[: even * size])]
                pos = even * size
                wanted -= even
        while pos < end and wanted > 0:
            first = data[pos]
            if first < 0x80:
                append(_SMALL[first])
                pos += 2
            elif first < 0xC0:
                stop = pos + first - 0x7F
                append(data[pos + 1 : stop])
                pos = stop + 1
            else:
                value = _decode_at(data, pos)
                append(value if isinstance(value, bytes) else b"%d" % value)
                pos += _size_at(data, pos)
            wanted -= 1
        return elements

    def check(self) -> None:
        """Assert the invariants: the wire form validates, is canonical, and counts its entries right."""
        count, canonical = _validate(bytes(self))
        assert canonical, "an entry is not in its narrowest form"
        assert count == self._count, "the count is wrong"


def _skip(data: bytearray, pos: int, count: int) -> int:
    """Return the position `count` entries after `pos`; the caller knows that there are as many."""
    if count > 2 and _is_run(data, pos, count):
        return pos + count * _SIZES[data[pos]]
    for _ in range(count):
        size = _SIZES[data[pos]]
        pos += size if size < _WIDE else _size_at(data, pos)
    return pos


def _walk(data: bytearray, pos: int, target: int, step: int) -> int:
    """Go on from `pos` by `step` entries at a time; return the first position at or after `target`."""
    sizes = _SIZES
    if step == 1:
        while pos < target:
            size = sizes[data[pos]]
            pos += size if size < _WIDE else _size_at(data, pos)
        return pos
    end = len(data)
    while pos < target:
        for _ in range(step):
            if pos < end:
                size = sizes[data[pos]]
                pos += size if size < _WIDE else _size_at(data, pos)
    return pos


def _validate(data: bytes) -> tuple[int, bool]:
    """Return how many entries the wire form `data` has and whether all are canonical; ValueError with the offset."""
    if len(data) < HEADER_SIZE + 1:
        raise _corrupt("shorter than its header", len(data))
    total, declared = HEADER.unpack_from(data)
    if total != len(data):
        raise _corrupt("total length is wrong", 0)
    end = total - 1
    if data[end] != END:
        raise _corrupt("terminator is missing", end)
    pos, count, canonical = HEADER_SIZE, 0, True
    while pos < end:
        size = _checked_size(data, pos, end)
        if canonical:
            value = _decode_at(data, pos)
            element = value if isinstance(value, bytes) else b"%d" % value
            canonical = encode(element) == data[pos : pos + size]
        pos += size
        count += 1
    if declared not in (count, UNKNOWN_COUNT):
        raise _corrupt("count of entries is wrong", 4)
    return count, canonical


def _checked_size(data: bytes, pos: int, end: int) -> int:
    """Return the size of the entry at `pos` once it is sure to lie before `end` and to have the right backlen."""
    first = data[pos]
    head = 1 if first < 0xE0 else 2 if first < 0xF0 else 5
    if first > 0xF4:
        raise _corrupt("unknown encoding", pos)
    if first <= 0xF0 and pos + head > end:
        raise _corrupt("entry is cut off", pos)
    size = _size_at(data, pos)
    if pos + size > end:
        raise _corrupt("entry is longer than the pack", pos)
    # The backlen takes the last bytes of the entry, and says how many bytes there are before it.
    for width in range(1, 6):
        if data[pos + size - width : pos + size] == _backlen(size - width):
            return size
    raise _corrupt("backlen does not match its entry", pos)


def _corrupt(what: str, offset: int) -> ValueError:
    return ValueError(f"listpack: {what} at offset {offset}")
