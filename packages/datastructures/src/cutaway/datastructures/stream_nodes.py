"""One node of a stream: a run of entries in a listpack, written relative to a master entry.

A stream is mostly repetition: identifiers that grow by a little, and the same few field names over and
over. A node takes both out. Its listpack opens with a *master entry*, which holds the field names of the
entry that opened the node, and the node's key in the stream's radix tree is that entry's ID, the *master
ID*:

    count | deleted | num-fields | field-1 ... field-N | 0

Each entry after it, the first included, states its ID as the difference from the master ID, and leaves out
its field names where they are the master's (flag SAMEFIELDS):

    flags | ms-delta | seq-delta | value-1 ... value-N | lp-count
    flags | ms-delta | seq-delta | num-fields | field-1 | value-1 ... field-N | value-N | lp-count

The closing `lp-count` says how many listpack elements precede it in the entry, so that a reader can step
backwards; the 0 that closes the master entry stops it. An ID whose sequence is less than the master's has a
negative seq-delta, and milliseconds that are far beyond the master's have a negative ms-delta: the
subtractions wrap at 64 bits, and so must the additions.

Nothing is cut out of a node. A deleted entry gets the flag DELETED and stays as a *tombstone*; the header
moves it from `count` to `deleted`. A node goes away as a whole, when nothing in it is alive.

Beside the pack, a node here remembers what it would otherwise have to parse again at every command: the two
counts, the master's field names, and positions. `head` is the first entry that may be alive, so that
trimming one entry for each one added does not walk the tombstones. `_places` are the positions of all
entries, four bytes each: a node that is read from its middle makes the list once, an append keeps it up, and
from then on an ID is found by bisection, with only two integers decoded at each step. A node that is only
appended to, or read from end to end, never has one. Both are only shortcuts: `check` compares everything with
the bytes.

The bytes are those of Redis's `t_stream.c`, and of an RDB file of type "stream listpacks".
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.listpack_entries import decode_at, size_at
from cutaway.datastructures.listpacks import ListPack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

StreamID = tuple[int, int]
"""(milliseconds, sequence), each an unsigned 64-bit number."""
Fields = list[tuple[bytes, bytes]]
Entry = tuple[StreamID, Fields]

UINT64_MAX: Final = (1 << 64) - 1
INT64_MAX: Final = (1 << 63) - 1
MIN_ID: Final[StreamID] = (0, 0)
MAX_ID: Final[StreamID] = (UINT64_MAX, UINT64_MAX)

DELETED: Final = 1
SAME_FIELDS: Final = 2
_FLAGS_SAME: Final = (b"2", b"3")
_FLAGS_DELETED: Final = (b"1", b"3")

_MASTER_HEAD: Final = 3
"""Elements of the master entry before the field names; a zero follows them."""
_ONE_BYTE: Final = 128
"""Integers below are their own encoding in a listpack, so that a count can be written over the one before."""
_SMALLEST: Final = 4
"""No entry has fewer elements."""
_FLAGS_SIZE: Final = 2
"""Bytes of an entry's flags in the pack, the first of which is their value."""
_STEPWISE: Final = 8
"""Up to so many of the last entries are read one by one, backwards; beyond, all are decoded at once."""


def _difference(number: int, master: int) -> bytes:
    """Return `number - master` as an entry states it: signed, modulo 2**64."""
    delta = number - master
    if not -INT64_MAX - 1 <= delta <= INT64_MAX:
        delta += UINT64_MAX + 1 if delta < 0 else -UINT64_MAX - 1
    return b"%d" % delta


class StreamNode:
    """A listpack of stream entries and what is known about it. Positions are those of the listpack."""

    __slots__ = ("_places", "deleted", "fields", "head", "live", "master", "pack")

    def __init__(self, master: StreamID, pack: ListPack) -> None:
        """Take over a pack that has its master entry."""
        self.master = master
        self.pack = pack
        header = pack.to_list(0, _MASTER_HEAD)
        self.live = int(header[0])
        self.deleted = int(header[1])
        width = int(header[2])
        names = pack.skip(0, _MASTER_HEAD)
        self.fields = pack.to_list(names, width)
        self.head = pack.skip(names, width + 1)
        self._places: array[int] | None = None

    @classmethod
    def opened_by(cls, master: StreamID, names: Sequence[bytes]) -> StreamNode:
        """Return a node without entries for one that `master` and these field names will open."""
        return cls(master, ListPack.from_list((b"0", b"0", b"%d" % len(names), *names, b"0")))

    @classmethod
    def from_pack(cls, master: StreamID, pack: ListPack) -> StreamNode:
        """Return a node around a pack from elsewhere (an RDB file). Raises ValueError if it is no node."""
        try:
            node = cls(master, pack)
            node.check()
        except (AssertionError, IndexError, ValueError) as error:
            message = f"stream node {master[0]}-{master[1]}: {error}"
            raise ValueError(message) from error
        return node

    def memory_usage(self) -> int:
        """Return the bytes of the pack and of the entries' positions, where they are known. O(1)."""
        places = self._places
        return self.pack.memory_usage() + (0 if places is None else 80 + places.itemsize * len(places))

    def copy(self) -> StreamNode:
        """Return a node of the same entries. O(bytes)."""
        return StreamNode(self.master, self.pack.copy())

    # --- writing ------------------------------------------------------------------------------------------

    def append(self, entry_id: StreamID, names: list[bytes], values: Sequence[bytes]) -> None:
        """Write an entry at the tail; its ID must be greater than all there are. O(bytes of the entry)."""
        pack = self.pack
        self.live += 1
        if self.live < _ONE_BYTE:
            pack.entries[0] = self.live
        else:
            size = pack.nbytes
            pack.replace_at(0, b"%d" % self.live)
            self._moved(pack.nbytes - size)
        ms = _difference(entry_id[0], self.master[0])
        seq = _difference(entry_id[1], self.master[1])
        if self._places is not None:
            self._places.append(len(pack.entries))
        count = len(names)
        if names == self.fields:
            pack.extend((b"2", ms, seq, *values, b"%d" % (count + 3)))
        else:
            pairs = [element for pair in zip(names, values, strict=True) for element in pair]
            pack.extend((b"0", ms, seq, b"%d" % count, *pairs, b"%d" % (2 * count + 4)))

    def delete(self, position: int) -> None:
        """Make a tombstone of the live entry at `position`. O(1) but for the step to the next live entry."""
        pack = self.pack
        pack.entries[position] |= DELETED
        if position == self.head:
            self.head = self._after(position)
        self.live -= 1
        self.deleted += 1
        size = pack.nbytes
        pack.replace_at(0, b"%d" % self.live)
        pack.replace_at(pack.next(0), b"%d" % self.deleted)
        self._moved(pack.nbytes - size)

    def _moved(self, shift: int) -> None:
        """Correct the remembered positions when the header has become longer or shorter."""
        if shift:
            self.head += shift
            self._places = None

    def start(self) -> int:
        """Return the position of the first entry, be it a tombstone. O(master fields)."""
        return self.pack.skip(0, _MASTER_HEAD + len(self.fields) + 1)

    # --- reading ------------------------------------------------------------------------------------------

    def entries(
        self, position: int, wanted: int | None = None
    ) -> Iterator[tuple[int, bool, StreamID, Fields]]:
        """Yield (elements since `position`, deleted, id, fields) of each entry, tombstones included.

        `wanted` is a guess at how many will be consumed: only so many are decoded at first. O(bytes decoded).
        """
        pack, names = self.pack, self.fields
        master_ms, master_seq = self.master
        chunk = None if wanted is None else wanted * (len(names) + 4)
        elements = pack.to_list(position, chunk)
        base = index = 0
        while True:
            size = self._size(elements, index)
            if not size:
                if chunk is None or len(elements) < chunk:
                    return
                position = pack.skip(position, index)
                elements, chunk = pack.to_list(position), None
                base, index = base + index, 0
                continue
            flags = elements[index]
            entry_id = (
                (master_ms + int(elements[index + 1])) & UINT64_MAX,
                (master_seq + int(elements[index + 2])) & UINT64_MAX,
            )
            last = index + size - 1
            if flags in _FLAGS_SAME:
                fields = list(zip(names, elements[index + 3 : last], strict=True))
            else:
                fields = list(
                    zip(elements[index + 4 : last : 2], elements[index + 5 : last : 2], strict=True)
                )
            yield base + index, flags in _FLAGS_DELETED, entry_id, fields
            index += size

    def _size(self, elements: list[bytes], index: int) -> int:
        """Return how many elements the entry at `index` has; 0 if they are not all there."""
        room = len(elements) - index
        if room < _SMALLEST:
            return 0
        size = self._stated_size(elements, index)
        return size if size <= room else 0

    def _stated_size(self, elements: list[bytes], index: int) -> int:
        """Return how many elements the entry at `index` says it has, given its first four."""
        return len(self.fields) + 4 if elements[index] in _FLAGS_SAME else 2 * int(elements[index + 3]) + 5

    def _after(self, position: int) -> int:
        """Return the position behind the entry at `position`."""
        pack = self.pack
        data = pack.entries
        if data[position] & SAME_FIELDS:
            return pack.skip(position, len(self.fields) + _SMALLEST)
        position = pack.skip(position, _SMALLEST - 1)
        return pack.skip(position, 2 * int(decode_at(data, position)) + 2)

    def _found_places(self) -> array[int]:
        """Return the positions of all entries. O(entries) the first time, then O(1)."""
        places = self._places
        if places is None:
            places = array("I")
            position, end = self.start(), len(self.pack.entries)
            while position < end:
                places.append(position)
                position = self._after(position)
            self._places = places
        return places

    def _id_at(self, position: int) -> StreamID:
        """Return the ID of the entry at `position`. O(1)."""
        data = self.pack.entries
        position += _FLAGS_SIZE
        ms, seq = decode_at(data, position), decode_at(data, position + size_at(data, position))
        return (self.master[0] + int(ms)) & UINT64_MAX, (self.master[1] + int(seq)) & UINT64_MAX

    def read(self, start: StreamID, end: StreamID, count: int | None = None) -> list[Entry]:
        """Return up to `count` live entries with start <= id <= end, in order.

        O(log entries + m), and once in a node's life O(entries) if `start` lies in its midst.
        """
        if start <= self.master:
            return self._collect(self.head, start, end, count, count)
        if start == end:
            position = self.find(start)
            return self._collect(position, start, end, 1, 1) if position >= 0 else []
        places = self._found_places()
        index = bisect_left(places, start, key=self._id_at)
        if index == len(places):
            return []
        return self._collect(max(self.head, places[index]), start, end, count, count)

    def _collect(
        self, position: int, start: StreamID, end: StreamID, count: int | None, wanted: int | None
    ) -> list[Entry]:
        """Return up to `count` live entries from `position` on, and decode about `wanted` at first."""
        found: list[Entry] = []
        for _, deleted, entry_id, fields in self.entries(position, wanted):
            if entry_id > end:
                break
            if not deleted and entry_id >= start:
                found.append((entry_id, fields))
                if len(found) == count:
                    break
        return found

    def read_back(self, start: StreamID, end: StreamID, count: int | None = None) -> list[Entry]:
        """Return up to `count` live entries with start <= id <= end, the last first. O(log entries + m)."""
        if count is None or count > _STEPWISE:
            found = self.read(start, end) if count is None else self._read_last(start, end, count)
            found.reverse()
            return found[:count]
        found = []
        for position in self._positions_back(end):
            _, deleted, entry_id, fields = next(self.entries(position, 1))
            if entry_id < start or len(found) == count:
                break
            if not deleted and entry_id <= end:
                found.append((entry_id, fields))
        return found

    def _read_last(self, start: StreamID, end: StreamID, count: int) -> list[Entry]:
        """Return, in order, live entries up to `end`: the last `count` or more, but none before `start`."""
        places = self._found_places()
        stop = bisect_right(places, end, key=self._id_at)
        first = max(0, stop - count - self.deleted)
        if first == stop:
            return []
        return self._collect(places[first], start, end, None, stop - first + 1)

    def _positions_back(self, end: StreamID = MAX_ID) -> Iterator[int]:
        """Yield the positions of the entries, tombstones included, from the last one up to `end` to the first."""
        if end != MAX_ID:
            places = self._found_places()
            yield from reversed(places[: bisect_right(places, end, key=self._id_at)])
            return
        pack = self.pack
        position = pack.last()
        while size := int(pack.get(position)):
            for _ in range(size):
                position = pack.prev(position)
            yield position
            position = pack.prev(position)

    def find(self, entry_id: StreamID) -> int:
        """Return the position of the live entry with this ID, or -1. O(log entries), see `read`."""
        places = self._found_places()
        index = bisect_left(places, entry_id, key=self._id_at)
        if index == len(places) or self._id_at(places[index]) != entry_id:
            return -1
        position = places[index]
        return -1 if self.pack.entries[position] & DELETED else position

    def first_live(self) -> tuple[int, StreamID] | None:
        """Return (position, id) of the first live entry, and advance `head` to it. O(tombstones before)."""
        data = self.pack.entries
        position, end = self.head, len(data)
        while position < end:
            if not data[position] & DELETED:
                self.head = position
                return position, self._id_at(position)
            position = self._after(position)
        return None

    def last_id(self) -> StreamID:
        """Return the ID of the last entry, be it a tombstone. O(1). Raises StopIteration if there is none."""
        return self._id_at(next(self._positions_back()))

    # --- inspection ---------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise AssertionError where bytes and memory disagree, or the bytes are no stream node. O(bytes)."""
        elements = self.pack.to_list()
        width = len(self.fields)
        assert elements[:2] == [b"%d" % self.live, b"%d" % self.deleted], "the counts are wrong"
        assert elements[2] == b"%d" % width, "the number of master fields is wrong"
        index = _MASTER_HEAD + width
        assert elements[index] == b"0", "the master entry is not closed"
        index += 1
        counts = [0, 0]
        last_id: StreamID | None = None
        offset = size = 0
        start = self.start()
        for offset, deleted, entry_id, _ in self.entries(start):
            size = self._size(elements, index + offset)
            assert elements[index + offset] in (b"0", b"1", b"2", b"3"), "unknown flags"
            assert elements[index + offset + size - 1] == b"%d" % (size - 1), "an lp-count is wrong"
            assert last_id is None or last_id < entry_id, "entries are out of order"
            assert last_id is not None or entry_id >= self.master, "an entry precedes the master ID"
            last_id = entry_id
            counts[deleted] += 1
        assert counts == [self.live, self.deleted], (
            f"found {counts}, not {self.live} and {self.deleted} entries"
        )
        assert index + offset + size == len(elements), "elements follow the last entry"
        assert all(
            gone for offset, gone, _, _ in self.entries(start) if self.pack.skip(start, offset) < self.head
        ), "a live entry lies before the head"
        if self._places is not None:
            positions = [self.pack.skip(start, offset) for offset, _, _, _ in self.entries(start)]
            assert list(self._places) == positions, "the positions are wrong"
