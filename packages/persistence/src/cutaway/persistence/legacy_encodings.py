"""The flat encodings that Redis has left behind: the zipmap and the ziplist.

No server writes them today, but the files are still there. A reader takes them apart into plain elements and
lets the value that is built from these choose its own encoding.

**Ziplist** (Redis 2.0 to 6.2; lists, hashes, sorted sets):

    total bytes (u32 LE) | offset of the last entry (u32 LE) | entries (u16 LE, 65535 = "count them") | entry
    ... | FF

    entry:  length of the entry before, so that it can be walked backwards: one byte, or FE and four (u32 LE)
            encoding and length:
                00xxxxxx                    string, 6 bits of length
                01xxxxxx xxxxxxxx           string, 14 bits, big-endian
                10000000 + 4 bytes          string, 32 bits, big-endian
                11000000, 11010000, 11100000    integer of 2, 4, 8 bytes, little-endian
                11110000, 11111110          integer of 3 bytes, of 1 byte
                1111xxxx                    the integer xxxx - 1, from 0 to 12
            data

The first field is the ziplist's undoing. When an entry grows past 253 bytes, the field in the next entry
grows by four bytes, which may push that entry past 253, and so on down the list: the cascading update that
the listpack, which stores an entry's *own* length at its end, was invented to be rid of.

**Zipmap** (Redis 2.0 to 2.4; hashes):

    entries (one byte, 254 or more: "count them") | length, key, length, free, value, unused ... | FF

    length: one byte, or FE and four bytes (u32 LE); `free` is one byte that counts the unused ones after the
    value
"""

from __future__ import annotations

from typing import Final

END: Final = 0xFF
LONG_LENGTH: Final = 0xFE

ZIPLIST_HEADER: Final = 10
UNKNOWN_COUNT: Final = 0xFFFF
ZIPLIST_INTEGERS: Final = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}
ZIPLIST_STRING_32BIT: Final = 0x80
ZIPLIST_IMMEDIATE: Final = range(0xF1, 0xFE)

ZIPMAP_COUNT_LIMIT: Final = 254


class LegacyEncodingError(ValueError):
    """A zipmap or ziplist that contradicts itself; `offset` counts from the start of the blob."""

    def __init__(self, text: str, offset: int) -> None:
        super().__init__(f"{text} (at byte {offset} of the blob)")
        self.offset = offset


def decode_ziplist(blob: bytes) -> list[bytes]:
    """Return the elements of a ziplist, integers as their decimal text. Raises LegacyEncodingError. O(n)."""
    total, tail, count = _ziplist_header(blob)
    elements: list[bytes] = []
    pos = ZIPLIST_HEADER
    previous = 0
    previous_pos = pos
    end = total - 1
    while pos < end:
        start = pos
        length_before, pos = _length_before(blob, pos, end)
        if length_before != previous:
            msg = "ziplist entry does not know the length of the one before"
            raise LegacyEncodingError(msg, start)
        element, pos = _ziplist_element(blob, pos, end)
        elements.append(element)
        previous = pos - start
        previous_pos = start
    if count not in (len(elements), UNKNOWN_COUNT) or tail != previous_pos:
        msg = "ziplist header does not match its entries"
        raise LegacyEncodingError(msg, 4)
    return elements


def _ziplist_header(blob: bytes) -> tuple[int, int, int]:
    """Return total bytes, offset of the last entry and count, as the header claims them."""
    total = int.from_bytes(blob[:4], "little")
    if len(blob) <= ZIPLIST_HEADER or total != len(blob):
        msg = "ziplist length does not match its blob"
        raise LegacyEncodingError(msg, 0)
    if blob[-1] != END:
        msg = "ziplist has no end mark"
        raise LegacyEncodingError(msg, len(blob) - 1)
    return total, int.from_bytes(blob[4:8], "little"), int.from_bytes(blob[8:10], "little")


def _length_before(blob: bytes, pos: int, end: int) -> tuple[int, int]:
    """Return the length of the entry before the one at `pos`, and where that one's encoding begins."""
    if blob[pos] < LONG_LENGTH:
        return blob[pos], pos + 1
    if blob[pos] == END or pos + 5 > end:
        msg = "ziplist entry is cut off"
        raise LegacyEncodingError(msg, pos)
    return int.from_bytes(blob[pos + 1 : pos + 5], "little"), pos + 5


def _ziplist_element(blob: bytes, pos: int, end: int) -> tuple[bytes, int]:
    """Return the element whose encoding begins at `pos`, and where the next entry begins."""
    first = blob[pos]
    if first in ZIPLIST_IMMEDIATE:
        return b"%d" % (first - 0xF1), pos + 1
    size = ZIPLIST_INTEGERS.get(first, 0)
    if size:
        start = pos + 1
    elif first >> 6 == 0:
        start, size = pos + 1, first
    elif first >> 6 == 1:
        start, size = pos + 2, int.from_bytes(blob[pos : pos + 2], "big") & 0x3FFF
    elif first == ZIPLIST_STRING_32BIT:
        start, size = pos + 5, int.from_bytes(blob[pos + 1 : pos + 5], "big")
    else:
        msg = "unknown ziplist encoding"
        raise LegacyEncodingError(msg, pos)
    if start + size > end:
        msg = "ziplist entry is longer than its ziplist"
        raise LegacyEncodingError(msg, pos)
    data = blob[start : start + size]
    if first >= min(ZIPLIST_INTEGERS):
        data = b"%d" % int.from_bytes(data, "little", signed=True)
    return data, start + size


def decode_zipmap(blob: bytes) -> list[bytes]:
    """Return key, value, key, value … of a zipmap. Raises LegacyEncodingError. O(n)."""
    if len(blob) < 2 or blob[-1] != END:
        msg = "zipmap has no end mark"
        raise LegacyEncodingError(msg, max(len(blob) - 1, 0))
    elements: list[bytes] = []
    pos = 1
    end = len(blob) - 1
    while pos < end:
        key_length, pos = _zipmap_length(blob, pos, end)
        key, pos = _zipmap_data(blob, pos, key_length, end)
        value_length, pos = _zipmap_length(blob, pos, end)
        if pos >= end:
            msg = "zipmap entry is cut off"
            raise LegacyEncodingError(msg, pos)
        unused = blob[pos]
        value, pos = _zipmap_data(blob, pos + 1, value_length, end)
        if pos + unused > end:
            msg = "zipmap entry is longer than its zipmap"
            raise LegacyEncodingError(msg, pos)
        pos += unused
        elements += (key, value)
    if blob[0] < ZIPMAP_COUNT_LIMIT and blob[0] * 2 != len(elements):
        msg = "zipmap count does not match its entries"
        raise LegacyEncodingError(msg, 0)
    return elements


def _zipmap_length(blob: bytes, pos: int, end: int) -> tuple[int, int]:
    """Return the length at `pos` and where the data after it begins."""
    if pos < end and blob[pos] < LONG_LENGTH:
        return blob[pos], pos + 1
    if pos + 5 > end or blob[pos] == END:
        msg = "zipmap length is cut off"
        raise LegacyEncodingError(msg, pos)
    return int.from_bytes(blob[pos + 1 : pos + 5], "little"), pos + 5


def _zipmap_data(blob: bytes, pos: int, length: int, end: int) -> tuple[bytes, int]:
    """Return `length` bytes from `pos`, and where they end."""
    if pos + length > end:
        msg = "zipmap entry is longer than its zipmap"
        raise LegacyEncodingError(msg, pos)
    return blob[pos : pos + length], pos + length
