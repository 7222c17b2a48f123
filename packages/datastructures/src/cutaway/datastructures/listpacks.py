"""The listpack: a list of strings and integers in one run of bytes.

A small collection costs less as a flat run of bytes than as linked objects: no pointers, one allocation, and
a search reads memory in order. The price is that nothing can be jumped to; every walk goes entry by entry. So
Redis holds its small hashes, sets, sorted sets and lists this way, and the nodes of its long lists and
streams too.

On the wire, and in an RDB file:

    total bytes (u32 LE) | entries (u16 LE, 65535 = "count them") | entry ... entry | 0xFF

The forms of an entry are told in `listpack_entries`. An element has exactly one, so to search for it is to
search for bytes: `find` lets `bytearray.find` run over the whole pack at C speed, and then only has to
confirm that the match is an entry and not a piece of a longer string, by walking the entry sizes up to it.

In memory the entries lie alone in a bytearray; header and terminator are put around them when `bytes(pack)`
is asked for. Two things follow. A push need not rewrite the header. And since a bytearray can give up its
first bytes by moving its start, popping the first entry does not move the others. Positions are offsets into
that buffer, valid until the next change; -1 is "no entry" where a position is returned, and "past the last
one" where one is given to insert.

Entries of one size in a row (ids, counters of one width, the members of most benchmarks) have their first
bytes at equal distances. One strided slice shows whether a run is like this; then it is stepped over at once,
and decoded a hundred entries a call.

The layout is that of Redis 7 (listpack.c, and antirez's listpack specification).
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.listpack_entries import (
    AFTER_DIGITS,
    SHORT_ENTRIES,
    SHORT_STRING,
    SIZES,
    SMALL,
    WIDE,
    checked_size,
    corrupt,
    decode_at,
    encode,
    encode_all,
    size_at,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

BACKWARDS: Final = 16
"""How many entries from the tail `seek` walks one by one."""
HEADER: Final = Struct("<IH")
HEADER_SIZE: Final = 6
END: Final = 0xFF
NINE: Final = 0x39
_END: Final = b"\xff"
UNKNOWN_COUNT: Final = 0xFFFF

_OBJECT_BYTES: Final = 112
"""Process bytes of an empty pack: the object (48) and its bytearray (56), with the allocator's rounding."""

_BLOCK: Final = 100
"""The most entries of a run that are decoded by one call."""


class ListPack:
    """A list of byte strings in one buffer, byte for byte what Redis writes.

    Positions are offsets of entries in `entries` (these alone, without header and terminator).
    """

    __slots__ = ("count", "entries")

    count: int
    entries: bytearray

    def __init__(self) -> None:
        """Make an empty pack."""
        self.entries = bytearray()
        self.count = 0

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

        Raises ValueError, with the offset in `data`, if a length is wrong or points outside, if a backlen
        does not match its entry, or if the count or the terminator is wrong. An entry that is sound but not
        in its narrowest form (nobody writes such) is re-encoded, so that searching stays exact. O(bytes).
        """
        return cls.read(data)[0]

    @classmethod
    def read(cls, data: bytes | bytearray | memoryview) -> tuple[ListPack, list[bytes]]:
        """As `from_bytes`, with the elements: for those who want to look at them, at no second walk. O(bytes)."""
        data = bytes(data)
        elements, canonical = _validate(data)
        pack = cls()
        if canonical:
            pack.entries = bytearray(memoryview(data)[HEADER_SIZE:-1])
            pack.count = len(elements)
        else:
            pack.extend(elements)
        return pack, elements

    def __bytes__(self) -> bytes:
        """Return the wire form: header, entries, terminator. O(bytes)."""
        count = min(self.count, UNKNOWN_COUNT)
        return b"".join((HEADER.pack(self.nbytes, count), self.entries, _END))

    def copy(self) -> ListPack:
        """Return a pack of the same entries. O(bytes)."""
        pack = ListPack()
        pack.entries = self.entries[:]
        pack.count = self.count
        return pack

    @property
    def nbytes(self) -> int:
        """Bytes of the wire form, the number that Redis's limits speak of. O(1)."""
        return len(self.entries) + 7

    def memory_usage(self) -> int:
        """Return the bytes of process memory held, roughly. O(1)."""
        return _OBJECT_BYTES + self.entries.__alloc__()

    def __len__(self) -> int:
        """Return the number of entries. O(1)."""
        return self.count

    def __eq__(self, other: object) -> bool:
        """Whether `other` is a pack of the same entries in the same order."""
        return isinstance(other, ListPack) and self.entries == other.entries

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        """Show the elements."""
        return f"ListPack({self.to_list()!r})"

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the elements as bytes; the pack must not change meanwhile."""
        data = self.entries
        pos, end = 0, len(data)
        while pos < end:
            yield _element_at(data, pos)
            pos += size_at(data, pos)

    def __reversed__(self) -> Iterator[bytes]:
        """Iterate over the elements from the tail; the pack must not change meanwhile."""
        pos = self.last()
        while pos >= 0:
            yield self.get(pos)
            pos = self.prev(pos)

    # Changing

    def append(self, element: bytes) -> None:
        """Add `element` at the tail. O(length), amortised."""
        size = len(element)
        if size < 64 and element >= AFTER_DIGITS:  # what `encode` would come to, without the call
            self.entries += SHORT_ENTRIES[size] % element
        else:
            self.entries += encode(element)
        self.count += 1

    def prepend(self, element: bytes) -> None:
        """Add `element` at the head. O(bytes), as one memmove."""
        size = len(element)
        if size < 64 and element >= AFTER_DIGITS:  # what `encode` would come to, without the call
            self.entries[0:0] = SHORT_ENTRIES[size] % element
        else:
            self.entries[0:0] = encode(element)
        self.count += 1

    def extend(self, elements: Iterable[bytes]) -> None:
        """Add all `elements` at the tail. O(bytes added)."""
        elements = [*elements]
        self.entries += encode_all(elements)
        self.count += len(elements)

    def pop_first(self) -> bytes:
        """Remove and return the first element; IndexError if there is none. O(length), amortised."""
        data = self.entries
        length = data[0] ^ 0x80
        if length < 64:
            (element,) = SHORT_STRING[length](data, 1)
            del data[: length + 2]
        else:
            element = self.get(0)
            del data[: size_at(data, 0)]
        self.count -= 1
        return element

    def pop_last(self) -> bytes:
        """Remove and return the last element; IndexError if there is none. O(length)."""
        data = self.entries
        backlen = data[-1]
        pos = -1 - backlen if backlen < 0x80 else self.last()  # counted from the tail: that does here, too
        length = data[pos] ^ 0x80
        element = SHORT_STRING[length](data, pos + 1)[0] if length < 64 else self.get(pos)
        del data[pos:]
        self.count -= 1
        return element

    def insert_at(self, pos: int, element: bytes) -> int:
        """Insert `element` before the entry at `pos` (-1: at the tail); return its own position. O(bytes)."""
        if pos < 0:
            pos = len(self.entries)
        self.entries[pos:pos] = encode(element)
        self.count += 1
        return pos

    def replace_at(self, pos: int, element: bytes) -> int:
        """Put `element` in place of the entry at `pos`; return its position, `pos`. O(bytes)."""
        data = self.entries
        size = len(element)
        if size < 64 and element >= AFTER_DIGITS:  # what `encode` would come to, without the call
            entry: bytes | bytearray = SHORT_ENTRIES[size] % element
        else:
            entry = encode(element)
        data[pos : pos + size_at(data, pos)] = entry
        return pos

    def splice(self, pos: int, size: int, entries: bytes, change: int) -> None:
        """Put encoded `entries` in place of the `size` bytes at `pos`, which makes `change` entries more.

        For a caller that knows the sizes of what it has put in: one move of the bytes behind, where entry by
        entry there would be several. O(bytes).
        """
        self.entries[pos : pos + size] = entries
        self.count += change

    def delete_at(self, pos: int, count: int = 1) -> int:
        """Delete up to `count` entries from `pos` on; return the position that follows, or -1. O(bytes)."""
        data = self.entries
        stop, end = pos, len(data)
        while count > 0 and stop < end:
            stop += size_at(data, stop)
            self.count -= 1
            count -= 1
        del data[pos:stop]
        return pos if pos < len(data) else -1

    def drop_first(self, number: int) -> None:
        """Delete the first `number` entries, of which there must be as many. O(number), over a run in C."""
        del self.entries[: _skip(self.entries, 0, number)]
        self.count -= number

    def drop_last(self, number: int) -> None:
        """Delete the last `number` entries, at least one, of which there must be as many. O(number), over a run in C."""
        del self.entries[self.seek(-number) :]
        self.count -= number

    def remove(self, element: bytes, limit: int, *, from_tail: bool = False) -> int:
        """Delete up to `limit` entries equal to `element`; return how many were. O(bytes * deleted)."""
        found: list[int] = []
        pos = self.find(element) if self.entries else -1
        while pos >= 0 and (from_tail or len(found) < limit):
            found.append(pos)
            pos = self.next(pos)
            if pos >= 0:
                pos = self.find(element, pos)
        for pos in reversed(found[-limit:] if from_tail else found):
            self.delete_at(pos)
        return min(len(found), limit)

    def split(self, index: int) -> ListPack:
        """Cut off the entries from `index` (0 < index < len) on and return them as a pack. O(bytes)."""
        tail = ListPack()
        pos = self.seek(index)
        tail.entries = self.entries[pos:]
        tail.count = self.count - index
        del self.entries[pos:]
        self.count = index
        return tail

    def join(self, other: ListPack) -> None:
        """Add the entries of `other` at the tail. O(bytes of `other`)."""
        self.entries += other.entries
        self.count += other.count

    def clear(self) -> None:
        """Delete every entry."""
        self.entries = bytearray()
        self.count = 0

    # Walking

    def first(self) -> int:
        """Return the position of the first entry, or -1. O(1)."""
        return 0 if self.entries else -1

    def last(self) -> int:
        """Return the position of the last entry, or -1. O(1)."""
        return self.prev(len(self.entries))

    def next(self, pos: int) -> int:
        """Return the position of the entry after the one at `pos`, or -1. O(1)."""
        pos += size_at(self.entries, pos)
        return pos if pos < len(self.entries) else -1

    def skip(self, pos: int, count: int) -> int:
        """Return the position `count` entries after the one at `pos`, which must have as many after or at it.

        Past the last entry this is the offset where the next one would go. O(count).
        """
        return _skip(self.entries, pos, count)

    def prev(self, pos: int) -> int:
        """Return the position of the entry before the one at `pos`, or -1. O(1)."""
        if pos <= 0:
            return -1
        data = self.entries
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

        O(distance); over a run of entries of one size, in C. What lies nearer to the tail is looked for from there if
        the way is such a run, or short.
        """
        count = self.count
        if index < 0:
            index += count
        if not 0 <= index < count:
            return -1
        back = count - index
        if index < back:
            return _skip(self.entries, 0, index)
        pos = _skip_back(self.entries, back)
        if pos >= 0:
            return pos
        if back > BACKWARDS:
            return _skip(self.entries, 0, index)
        pos = len(self.entries)
        while back:
            pos = self.prev(pos)
            back -= 1
        return pos

    def get(self, pos: int) -> bytes:
        """Return the element at `pos` as bytes. O(length)."""
        return _element_at(self.entries, pos)

    def get_value(self, pos: int) -> bytes | int:
        """Return the element at `pos`, as an int where it is stored as one. O(length)."""
        return decode_at(self.entries, pos)

    def find(self, element: bytes, start_pos: int = 0, skip: int = 0) -> int:
        """Return the position of `element` from `start_pos` on, or -1.

        With `skip`, only every (skip + 1)-th entry from `start_pos` is compared: skip=1 looks at the fields
        of a field-value list. O(bytes) in C when absent, and O(entries before it) when present.
        """
        data = self.entries
        size = len(element)
        if size < 64 and element >= AFTER_DIGITS:  # what `encode` would come to, without the call
            entry: bytes | bytearray = SHORT_ENTRIES[size] % element
        else:
            entry = encode(element)
        pos = data.find(entry, start_pos)
        return pos if pos <= start_pos else _confirmed(data, entry, start_pos, pos, skip + 1)

    def find_value(self, field: bytes) -> int:
        """Return the position of the value of `field`, in a pack of fields and values by turns; or -1.

        O(bytes) in C without the field, and O(entries before it) with it.
        """
        data = self.entries
        size = len(field)
        if size < 64 and field >= AFTER_DIGITS:  # what `encode` would come to, without the call
            entry: bytes | bytearray = SHORT_ENTRIES[size] % field
        else:
            entry = encode(field)
        pos = data.find(entry)
        if pos > 0:
            pos = _confirmed(data, entry, 0, pos, 2)
        return pos if pos < 0 else pos + len(entry)

    def positions(self, element: bytes) -> list[int]:
        """Return the indices of all entries equal to `element`. O(bytes) in C if there is none, else O(n)."""
        if self.find(element) < 0:
            return []
        return [index for index, other in enumerate(self.to_list()) if other == element]

    def to_list(self, start_pos: int = 0, count: int | None = None) -> list[bytes]:
        """Return up to `count` elements (None: all) from `start_pos` on: the fast way to read. O(bytes)."""
        data = self.entries
        pos, end = start_pos, len(data)
        if pos >= end:
            return []
        wanted = self.count if count is None else count
        size = SIZES[data[pos]]
        even = min(wanted, (end - pos) // size)
        if not _is_run(data, pos, even):
            return _read(data, pos, wanted)
        elements = _read_run(data, pos, even)
        pos += even * size
        if even < wanted and pos < end:
            elements += _read(data, pos, wanted - even)
        return elements

    def framed(
        self, pos: int, count: int, before: Sequence[bytes], after: bytes
    ) -> tuple[int, bytearray] | None:
        """Return the length of the `count` elements from `pos` on, and all of them in a row, each between `before[length]` and `after`.

        None if they are not strings of one length, or `before` goes no further than that. No element is made: the frames
        are laid out, and then all first bytes are put in by one call of C, all second ones, and so on. O(bytes).
        """
        data = self.entries
        first = data[pos]
        length = first - 0x80
        if not 0 < length < min(len(before), 0x40) or not _is_run(data, pos, count):
            return None
        frame = b"%b%b%b" % (before[length], bytes(length), after)
        row = bytearray(frame) * count
        size, place, end = SIZES[first], len(before[length]), pos + count * SIZES[first]
        for at in range(length):
            row[place + at :: len(frame)] = data[pos + 1 + at : end : size]
        return length, row

    def check(self) -> None:
        """Assert the invariants: the wire form validates, is canonical, and counts its entries right."""
        elements, canonical = _validate(bytes(self))
        assert canonical, "an entry is not in its narrowest form"
        assert len(elements) == self.count, "the count is wrong"


def _is_run(data: bytearray | bytes, pos: int, count: int) -> bool:
    """Whether the `count` entries from `pos` on begin with the same byte, and so follow each other evenly.

    The first entry's size places the second, whose first byte is then known to be equal, and so on. O(count),
    in C.
    """
    first = data[pos]
    size = SIZES[first]
    if size == WIDE or (count > 1 and data[pos + size] != first):  # mostly it shows at once
        return False
    return data[pos : pos + count * size : size].count(first) == count


def _read_run(data: bytearray, pos: int, count: int) -> list[bytes]:
    """Return the `count` elements from `pos` on, of which `_is_run` is true. O(count), in C for strings."""
    first = data[pos]
    size = SIZES[first]
    if first < 0x80:
        return [SMALL[first]] * count
    if 0xC0 <= first < 0xE0:
        return [_element_at(data, at) for at in range(pos, pos + count * size, size)]
    contents: list[bytes] = []
    while count > 0:
        block = min(count, _BLOCK)
        contents += _reader(size - 2, block)(data, pos)
        pos += block * size
        count -= block
    if first < 0xC0:
        return contents
    return [b"%d" % int.from_bytes(content, "little", signed=True) for content in contents]


@lru_cache(maxsize=256)
def _reader(length: int, count: int) -> Callable[[bytearray, int], tuple[bytes, ...]]:
    """Return a reader of `count` entries in a row, each of one byte, `length` bytes of content and one byte."""
    return Struct(f"x{length}sx" * count).unpack_from


def _read(data: bytearray, pos: int, count: int) -> list[bytes]:
    """Return up to `count` elements from `pos` on, one by one. O(bytes from `pos` on)."""
    elements: list[bytes] = []
    append = elements.append
    entries = b"".join((data[pos:], _END))  # bytes, so that a slice is bytes too
    pos = 0
    for _ in range(count):
        first = entries[pos]
        if first < 0x80:
            append(SMALL[first])
            pos += 2
        elif first < 0xC0:
            stop = pos + first - 0x7F
            append(entries[pos + 1 : stop])
            pos = stop + 1
        elif 0xE0 <= first < 0xF0:
            stop = pos + 2 + ((first & 0x0F) << 8 | entries[pos + 1])
            append(entries[pos + 2 : stop])
            pos = stop + (1 if stop - pos < 128 else 2)
        elif 0xF0 < first < END:
            stop = pos + SIZES[first] - 1
            append(b"%d" % int.from_bytes(entries[pos + 1 : stop], "little", signed=True))
            pos = stop + 1
        elif first != END:
            value = decode_at(entries, pos)
            append(value if isinstance(value, bytes) else b"%d" % value)
            size = SIZES[first]
            pos += size if size < WIDE else size_at(entries, pos)
        else:
            break
    return elements


def _skip(data: bytearray, pos: int, count: int) -> int:
    """Return the position `count` entries after `pos`; the caller knows that there are as many."""
    if count > 2 and _is_run(data, pos, count):
        return pos + count * SIZES[data[pos]]
    for _ in range(count):
        size = SIZES[data[pos]]
        pos += size if size < WIDE else size_at(data, pos)
    return pos


def _skip_back(data: bytearray, count: int) -> int:
    """Return the position of the last `count` entries if these are of one short size, else -1. O(count), in C.

    The last one's backlen places the one before, whose backlen is then known to be equal, and so on.
    """
    backlen = data[-1]
    size = backlen + 1
    pos = len(data) - count * size
    return pos if backlen < 0x80 and pos >= 0 and data[pos + backlen :: size].count(backlen) == count else -1


def _confirmed(data: bytearray, entry: bytes | bytearray, pos: int, candidate: int, step: int) -> int:
    """Return the first position at or after `candidate` where `entry` is one of the entries compared; or -1.

    Those are the one at `pos` and every `step`-th after it. At `candidate` are the first bytes after `pos` that
    look like `entry`; they may be a piece of another one.
    """
    while candidate >= 0:
        pos = _walk(data, pos, candidate, step)
        if pos == candidate:
            return pos
        candidate = data.find(entry, pos)
    return -1


def _walk(data: bytearray, pos: int, target: int, step: int) -> int:
    """Go on from `pos` by `step` entries at a time; return the first position at or after `target`."""
    sizes = SIZES
    if step == 1:
        while pos < target:
            size = sizes[data[pos]]
            pos += size if size < WIDE else size_at(data, pos)
        return pos
    end = len(data)
    if step == 2:
        try:
            return _walk_pairs(data, pos, target)
        except IndexError:
            return end  # the last entry has no partner
    while pos < target:
        for _ in range(step):
            if pos < end:
                size = sizes[data[pos]]
                pos += size if size < WIDE else size_at(data, pos)
    return pos


def _walk_pairs(data: bytearray, pos: int, target: int) -> int:
    """As `_walk` by two entries at a time; pairs all alike are passed at once. IndexError if the last has no partner."""
    sizes = SIZES
    first = data[pos]
    size = sizes[first]
    if size < WIDE:
        second = data[pos + size]
        stride = size + sizes[second]
        count = (target - pos) // stride
        if (
            count > 2
            and data[pos:target:stride].count(first) == count
            and data[pos + size : target : stride].count(second) == count
            and pos + count * stride == target
        ):
            return target
    while pos < target:
        size = sizes[data[pos]]
        pos += size if size < WIDE else size_at(data, pos)
        size = sizes[data[pos]]
        pos += size if size < WIDE else size_at(data, pos)
    return pos


def _element_at(data: bytearray | bytes, pos: int) -> bytes:
    value = decode_at(data, pos)
    return value if isinstance(value, bytes) else b"%d" % value


def _validate(data: bytes) -> tuple[list[bytes], bool]:
    """Return the elements of the wire form and if all entries are canonical; ValueError with the offset."""
    if len(data) < HEADER_SIZE + 1:
        raise corrupt("shorter than its header", len(data))
    total, declared = HEADER.unpack_from(data)
    if total != len(data):
        raise corrupt("total length is wrong", 0)
    end = total - 1
    if data[end] != END:
        raise corrupt("terminator is missing", end)
    elements: list[bytes] = []
    append = elements.append
    pos, canonical = HEADER_SIZE, True
    while pos < end:
        first = data[pos]
        if 0x80 < first < 0xC0 and data[pos + 1] > NINE:  # short, and no number: most entries are
            stop = pos + first - 0x7F
            if stop < end and data[stop] == first - 0x7F:
                append(data[pos + 1 : stop])
                pos = stop + 1
                continue
        size = checked_size(data, pos, end)
        element = _element_at(data, pos)
        if canonical:
            canonical = encode(element) == data[pos : pos + size]
        append(element)
        pos += size
    if declared not in (len(elements), UNKNOWN_COUNT):
        raise corrupt("count of entries is wrong", 4)
    return elements, canonical
