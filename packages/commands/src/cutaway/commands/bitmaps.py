"""Bitmaps: strings seen as rows of bits.

There is no bitmap type. Bit 0 is the highest bit of a string's first byte, bit 8 that of its second, and
beyond its end a string goes on with zeros, as far as 512 MB reach: that is 2 ** 32 bits.

Python has no pointer to walk through memory with, but it has integers of any length, and what can be said
of a whole string at once is fast: BITOP takes strings as integers, the first byte lowest, so that shorter
ones end in zeros by themselves; BITCOUNT asks an integer for its ones, 64 kB at a time; BITPOS lets a
regular expression skip the bytes that cannot hold the bit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_, or_, xor
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import OW, RO, RW
from cutaway.commands.strings import as_buffer, grow, read_buffer
from cutaway.commands.tables import CommandTable
from cutaway.resp import Reply

bitmaps: Final = CommandTable("bitmap")

Buffer = bytes | bytearray

COUNT_AT_ONCE: Final = 1 << 16
BIT_NOT_0_OR_1: Final = errors.CommandError("ERR The bit argument must be 1 or 0.")
NOT_OF_SEVERAL: Final = errors.CommandError("ERR BITOP NOT must be called with a single source key.")

_WITHOUT: Final = (re.compile(rb"\xff*"), re.compile(rb"\x00*"))
"""For a bit, 0 or 1, the bytes that do not have it."""
_INVERTED: Final = bytes(range(255, -1, -1))
_OPERATIONS: Final[dict[bytes, Callable[[int, int], int]]] = {b"AND": and_, b"OR": or_, b"XOR": xor}


# ---- on bytes


def count_ones(data: Buffer, first: int, last: int) -> int:
    """How many of the bits from `first` to `last`, both included and within `data`, are 1. O(n)."""
    start, stop = first >> 3, last >> 3
    ones = sum(
        int.from_bytes(data[at : min(at + COUNT_AT_ONCE, stop + 1)], "big").bit_count()
        for at in range(start, stop + 1, COUNT_AT_ONCE)
    )
    before, after = data[start] >> 8 - (first & 7), data[stop] & (1 << 7 - (last & 7)) - 1
    return ones - before.bit_count() - after.bit_count()


def find_bit(data: Buffer, bit: int, first: int, last: int) -> int:
    """The first place from `first` to `last`, both included and in `data`, that has `bit`, or -1. O(n)."""
    at, stop = first >> 3, last >> 3
    flip = 0 if bit else 0xFF
    ones = (data[at] ^ flip) & 0xFF >> (first & 7)
    if not ones:
        skipped = _WITHOUT[bit].match(data, at + 1, stop + 1)
        assert skipped is not None
        at = skipped.end()
        if at > stop:
            return -1
        ones = data[at] ^ flip
    place = 8 * at + 8 - ones.bit_length()
    return place if place <= last else -1


# ---- single bits


def bit_offset(client: Client, text: bytes, scale: int = 1) -> int:
    """An offset in bits, times `scale`, that lies in the longest string there may be."""
    offset = arguments.integer(text, errors.BIT_OFFSET) * scale
    if offset < 0 or offset >> 3 >= client.engine.max_string_length:
        raise errors.BIT_OFFSET
    return offset


def writable(client: Client, key: bytes, last_bit: int) -> tuple[bytearray, bool]:
    """The string at `key`, long enough for `last_bit`, and whether it was not before. O(1) amortised."""
    entry = client.db.lookup_write(key)
    buffer = grow(client.db.add(key, b"") if entry is None else entry)
    missing = (last_bit >> 3) + 1 - len(buffer)
    if missing > 0:
        buffer.extend(bytes(missing))
    return buffer, missing > 0


@bitmaps.command("SETBIT", arity=4, flags="write denyoom", keys=RW(1, "access update"), since="2.2.0",
                 syntax="key offset value")  # fmt: skip
def setbit(client: Client, key: bytes, offset: bytes, value: bytes) -> Reply:
    """Sets a bit of the string at a key and returns what it was. O(1)."""
    place = bit_offset(client, offset)
    bit = arguments.integer_between(value, 0, 1, errors.BIT_VALUE)
    buffer, is_longer = writable(client, key, place)
    mask = 0x80 >> (place & 7)
    byte = buffer[place >> 3]
    previous = 1 if byte & mask else 0
    if is_longer or previous != bit:
        buffer[place >> 3] = byte | mask if bit else byte & ~mask
        client.db.changed(key, "setbit")
    return previous


@bitmaps.command("GETBIT", arity=3, flags="readonly fast", keys=RO(1), since="2.2.0", syntax="key offset")
def getbit(client: Client, key: bytes, offset: bytes) -> Reply:
    """Returns a bit of the string at a key; beyond its end all are 0. O(1)."""
    place = bit_offset(client, offset)
    data = read_buffer(client, key)
    if data is None or place >> 3 >= len(data):
        return 0
    return data[place >> 3] >> 7 - (place & 7) & 1


# ---- ranges of bits


class Bounds:
    """The `[start [end [BYTE | BIT]]]` of BITCOUNT and BITPOS."""

    __slots__ = ("end", "has_end", "in_bits", "start")

    def __init__(self, words: Sequence[bytes]) -> None:
        if len(words) > 3:
            raise errors.SYNTAX
        self.start: Final = arguments.integer(words[0]) if words else 0
        unit = words[2].upper() if len(words) > 2 else b"BYTE"
        if unit not in (b"BIT", b"BYTE"):
            raise errors.SYNTAX
        self.in_bits: Final = unit == b"BIT"
        self.has_end: Final = len(words) > 1
        self.end: Final = arguments.integer(words[1]) if self.has_end else -1

    def within(self, length: int) -> tuple[int, int] | None:
        """The first and the last bit that are meant in a string of `length` bytes; None if there is none."""
        size = length * 8 if self.in_bits else length
        start = max(self.start + size, 0) if self.start < 0 else self.start
        end = max(self.end + size, 0) if self.end < 0 else self.end
        end = min(end, size - 1)
        if start > end:
            return None
        return (start, end) if self.in_bits else (8 * start, 8 * end + 7)


@bitmaps.command(
    "BITCOUNT", arity=-2, flags="readonly", keys=RO(1), since="2.6.0",
    syntax="key [start [end [BYTE | BIT]]]",
    history=[
        ("7.0.0", "Added the `BYTE|BIT` option."),
        ("8.0.0", "`end` made optional; when called without argument the command reports the last BYTE."),
    ],
)  # fmt: skip
def bitcount(client: Client, key: bytes, *words: bytes) -> Reply:
    """Counts the bits that are 1 in a string, or in part of it. O(n)."""
    bounds = Bounds(words)
    data = read_buffer(client, key)
    if data is None or bounds.end < bounds.start < 0:
        return 0
    bits = bounds.within(len(data))
    return 0 if bits is None else count_ones(data, *bits)


@bitmaps.command(
    "BITPOS", arity=-3, flags="readonly", keys=RO(1), since="2.8.7",
    syntax="key bit [start [end [BYTE | BIT]]]",
    history=[("7.0.0", "Added the `BYTE|BIT` option.")],
)  # fmt: skip
def bitpos(client: Client, key: bytes, bit: bytes, *words: bytes) -> Reply:
    """Finds the first bit of a string, or of part of it, that is 1 or 0, as asked. O(n).

    Where no end is given the string goes on with zeros, and a 0 is always found.
    """
    wanted = arguments.integer(bit)
    if wanted not in (0, 1):
        raise BIT_NOT_0_OR_1
    bounds = Bounds(words)
    data = read_buffer(client, key)
    if data is None:
        return -1 if wanted else 0
    bits = bounds.within(len(data))
    if bits is None:
        return -1
    place = find_bit(data, wanted, *bits)
    return len(data) * 8 if place < 0 and not wanted and not bounds.has_end else place


# ---- between strings


@bitmaps.command("BITOP", arity=-4, flags="write denyoom", keys=(OW(2), RO(3, last=-1)), since="2.6.0",
                 syntax="<AND | OR | XOR | NOT> destkey key [key ...]")  # fmt: skip
def bitop(client: Client, operation: bytes, destkey: bytes, *keys: bytes) -> Reply:
    """Combines strings bit by bit and stores the result; shorter ones count as filled up with zeros. O(n)."""
    name = operation.upper()
    if name != b"NOT" and name not in _OPERATIONS:
        raise errors.SYNTAX
    if name == b"NOT" and len(keys) > 1:
        raise NOT_OF_SEVERAL
    entries = [client.db.lookup_read(key) for key in keys]
    sources = [b"" if entry is None else as_buffer(entry.value) for entry in entries]
    size = max(map(len, sources))
    if not size:
        client.db.delete(destkey)
        return 0
    if name == b"NOT":
        result = bytearray(sources[0].translate(_INVERTED))
    else:
        numbers = (int.from_bytes(source, "little") for source in sources)
        result = bytearray(reduce(_OPERATIONS[name], numbers).to_bytes(size, "little"))
    client.db.set(destkey, result)
    client.db.changed(destkey, "set")
    return size
