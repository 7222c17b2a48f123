"""The intset: a sorted set of integers in one run of bytes.

Redis keeps a set whose members are all integers as a sorted array, as narrow as its widest member needs: 16,
32 or 64 bits each. Membership is a binary search; adding moves the tail of the array. A member that does not
fit widens every cell (an upgrade), and since it lies outside the old range it can only go first or last. The
array is never narrowed again: a set that held one large number is likely to see another.

On the wire, all little-endian:

    bytes per cell (u32: 2, 4 or 8) | cells (u32) | cell ... cell, signed, ascending

In memory the cells are an `array.array` of that width, which is the same bytes, searched by `bisect` at C
speed.

The layout is that of Redis (intset.c).
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from itertools import pairwise
from struct import Struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

HEADER: Final = Struct("<II")
_TYPECODES: Final = {2: "h", 4: "i", 8: "q"}
_OBJECT_BYTES: Final = 128
"""Process bytes of an empty set: the object (40) and its array (80), with the allocator's rounding."""


def _width_of(value: int) -> int:
    """Return the bytes a cell needs to hold `value`; OverflowError beyond 64 bits."""
    if -0x8000 <= value < 0x8000:
        return 2
    if -0x80000000 <= value < 0x80000000:
        return 4
    if -(1 << 63) <= value < 1 << 63:
        return 8
    msg = f"{value} does not fit in 64 bits"
    raise OverflowError(msg)


class IntSet:
    """A sorted set of signed 64-bit integers, cell for cell what Redis writes."""

    __slots__ = ("_cells",)

    _cells: array[int]

    def __init__(self, values: Iterable[int] = ()) -> None:
        """Make a set of `values`."""
        self._cells = array("h")
        for value in values:
            self.add(value)

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> IntSet:
        """Return the set that `data` is the wire form of.

        Raises ValueError, with the offset, on a wrong width or length, or cells that do not ascend. O(n).
        """
        data = bytes(data)
        if len(data) < HEADER.size:
            raise _corrupt("shorter than its header", len(data))
        width, count = HEADER.unpack_from(data)
        if width not in _TYPECODES:
            raise _corrupt("unknown cell width", 0)
        if HEADER.size + width * count != len(data):
            raise _corrupt("count of cells is wrong", 4)
        cells = _little_endian(array(_TYPECODES[width], data[HEADER.size :]))
        for index, (low, high) in enumerate(pairwise(cells), 1):
            if low >= high:
                raise _corrupt("cells do not ascend", HEADER.size + width * index)
        found = cls()
        found._cells = cells
        return found

    def __bytes__(self) -> bytes:
        """Return the wire form. O(n)."""
        cells = self._cells
        return HEADER.pack(cells.itemsize, len(cells)) + _little_endian(cells).tobytes()

    def copy(self) -> IntSet:
        """Return a set of the same members. O(n)."""
        other = IntSet()
        other._cells = self._cells[:]
        return other

    @property
    def nbytes(self) -> int:
        """Bytes of the wire form. O(1)."""
        return HEADER.size + self._cells.itemsize * len(self._cells)

    @property
    def width(self) -> int:
        """Bytes per cell: 2, 4 or 8. O(1)."""
        return self._cells.itemsize

    def memory_usage(self) -> int:
        """Return the bytes of process memory held, roughly. O(1)."""
        return _OBJECT_BYTES + self._cells.itemsize * len(self._cells)

    def __len__(self) -> int:
        """Return the number of members. O(1)."""
        return len(self._cells)

    def __iter__(self) -> Iterator[int]:
        """Iterate in ascending order."""
        return iter(self._cells)

    def __getitem__(self, index: int) -> int:
        """Return the member at `index` in ascending order; IndexError outside. O(1)."""
        return self._cells[index]

    def __contains__(self, value: int) -> bool:
        """Whether `value` is a member. O(log n)."""
        cells = self._cells
        index = bisect_left(cells, value)
        return index < len(cells) and cells[index] == value

    def __eq__(self, other: object) -> bool:
        """Whether `other` is a set of the same members."""
        return isinstance(other, IntSet) and self._cells == other._cells

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        """Show the members."""
        return f"IntSet({self._cells.tolist()!r})"

    def add(self, value: int) -> bool:
        """Add `value`; return whether it was new. OverflowError beyond 64 bits. O(n), as one memmove."""
        cells = self._cells
        index = bisect_left(cells, value)
        if index < len(cells) and cells[index] == value:
            return False
        width = _width_of(value)
        if width > cells.itemsize:
            self._cells = cells = array(_TYPECODES[width], cells)
        cells.insert(index, value)
        return True

    def discard(self, value: int) -> bool:
        """Remove `value`; return whether it was a member. O(n), as one memmove."""
        cells = self._cells
        index = bisect_left(cells, value)
        if index == len(cells) or cells[index] != value:
            return False
        del cells[index]
        return True

    def random(self, rng: random.Random) -> int:
        """Return a member, each as likely as the others; IndexError if there is none. O(1)."""
        cells = self._cells
        if not cells:
            msg = "random member of an empty intset"
            raise IndexError(msg)
        return cells[rng.randrange(len(cells))]

    def check(self) -> None:
        """Assert the invariants: a known width, cells strictly ascending."""
        cells = self._cells
        assert _TYPECODES.get(cells.itemsize) == cells.typecode, "unknown cell width"
        assert all(low < high for low, high in pairwise(cells)), "cells do not ascend"


def _little_endian(cells: array[int]) -> array[int]:
    """Return `cells` with the byte order of the wire (or, of cells just read, that of the machine)."""
    if sys.byteorder == "big":
        cells = cells[:]
        cells.byteswap()
    return cells


def _corrupt(what: str, offset: int) -> ValueError:
    return ValueError(f"intset: {what} at offset {offset}")
