"""One entry of a listpack: how an element becomes bytes, and back.

An entry is an encoding with its data, followed by the length of these two, written so that it can be read
from right to left; that backlen is what makes a listpack walkable from its tail:

    0xxxxxxx                        integer 0..127                (1 byte)
    110xxxxx xxxxxxxx               integer -4096..4095           (13 bits, big end first)
    0xF1 / 0xF2 / 0xF3 / 0xF4       integer of 16/24/32/64 bits   (little-endian, signed)
    10xxxxxx                        string of up to 63 bytes
    1110xxxx xxxxxxxx               string of up to 4095 bytes
    0xF0 + u32 LE                   any longer string

A string that is a canonical signed 64-bit decimal is always stored as the integer, in the narrowest form that
holds it; so an element has exactly one entry, and equal elements are equal bytes.

Nearly always the first byte alone tells the size of the whole entry, so one table look-up is one step of a
walk.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INT64_DIGITS: Final = 20
WIDE: Final = 1 << 62
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

    From two bytes on the bounds are one lower than the digits allow: to Redis, 16382 is the last of two.
    Newer Valkeys write 16383 in two as well, so that is read, too (`_TIGHT_BACKLENS`).
    """
    if size <= 127:
        return bytes((size,))
    if size < 16383:
        return bytes((size >> 7, size & 127 | 128))
    if size < 2097151:
        return bytes((size >> 14, size >> 7 & 127 | 128, size & 127 | 128))
    if size < 268435455:
        return bytes((size >> 21, size >> 14 & 127 | 128, size >> 7 & 127 | 128, size & 127 | 128))
    rest = (size >> 21 & 127 | 128, size >> 14 & 127 | 128, size >> 7 & 127 | 128, size & 127 | 128)
    return bytes((size >> 28, *rest))


_TIGHT_BACKLENS: Final = {16383: b"\x7f\xff", 2097151: b"\x7f\xff\xff", 268435455: b"\x7f\xff\xff\xff"}


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


SMALL: Final = tuple(b"%d" % value for value in range(128))
SMALL_INTEGERS: Final = {value: encode_integer(value) for value in range(-128, 1024)}
_SMALL_ENTRIES: Final = {b"%d" % value: entry for value, entry in SMALL_INTEGERS.items()}
AFTER_DIGITS: Final = b":"
"""No integer begins with this byte or a higher one, so whatever sorts here or behind is a string."""


def _short_entry(size: int) -> bytes:
    """Return the entry of a string of `size` bytes, 63 at most, with %b in place of the string."""
    backlen = bytes((size + 1,)).replace(b"%", b"%%")
    return b"%c%%b%b" % (0x80 | size, backlen)


_SHORT_ENTRIES: Final = tuple(map(_short_entry, range(64)))
SHORT_ENTRIES: Final[tuple[Any, ...]] = tuple(map(bytearray, _SHORT_ENTRIES))
"""Entries of short strings, by length, to be filled in by `%`. This gives bytearrays (though typeshed says bytes), which
a bytearray takes into its midst as they are; whatever else is put there it copies first."""


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
        return _SHORT_ENTRIES[size] % element
    if size < 4096:
        head = bytes((0xE0 | size >> 8, size & 0xFF))
    else:
        head = b"\xf0" + size.to_bytes(4, "little")
    return b"".join((head, element, _backlen(len(head) + size)))


def encode_all(elements: Sequence[bytes]) -> bytes:
    """Return the entries of `elements`, one behind the other. O(bytes), in C for short strings of one length."""
    sizes = set(map(len, elements))
    if len(sizes) == 1 and min(elements) >= AFTER_DIGITS:
        (size,) = sizes
        if size < 64:
            return _SHORT_ENTRIES[size] * len(elements) % tuple(elements)
    return b"".join(map(encode, elements))


def _entry_sizes() -> tuple[int, ...]:
    """Whole size of an entry by its first byte; WIDE where more bytes must be read."""
    sizes = [2] * 128 + [size + 2 for size in range(64)] + [3] * 32 + [WIDE] * 32
    for marker, width in ((0xF1, 2), (0xF2, 3), (0xF3, 4), (0xF4, 8)):
        sizes[marker] = width + 2
    return tuple(sizes)


SIZES: Final = _entry_sizes()
_INTEGER_WIDTHS: Final = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}
SHORT_STRING: Final[tuple[Callable[[bytearray | bytes, int], tuple[bytes]], ...]] = tuple(
    Struct(f"{size}s").unpack_from for size in range(64)
)
"""Readers of a short string by its length: half the time of slicing a bytearray and taking bytes of it.

That length is `first ^ 0x80`, where `first` is the first byte of the entry; for any other entry this is 64 or more.
"""


def size_at(data: bytearray | bytes, pos: int) -> int:
    """Return the whole size (encoding, data, backlen) of the entry at `pos`. O(1)."""
    first = data[pos]
    size = SIZES[first]
    if size < WIDE:
        return size
    if first < 0xF0:
        size = 2 + ((first & 0x0F) << 8 | data[pos + 1])
    else:
        size = 5 + int.from_bytes(data[pos + 1 : pos + 5], "little")
    return size + _backlen_size(size)


def decode_at(data: bytearray | bytes, pos: int) -> bytes | int:
    """Return the element at `pos`: an int where it is stored as one. O(length)."""
    first = data[pos]
    if first < 0x80:
        return first
    if first < 0xC0:
        return SHORT_STRING[first ^ 0x80](data, pos + 1)[0]
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


def checked_size(data: bytes, pos: int, end: int) -> int:
    """Return the size of the entry at `pos`; ValueError unless it ends by `end` with the right backlen."""
    first = data[pos]
    head = 1 if first < 0xE0 else 2 if first < 0xF0 else 5
    if first > 0xF4:
        raise corrupt("unknown encoding", pos)
    if first <= 0xF0 and pos + head > end:
        raise corrupt("entry is cut off", pos)
    size = size_at(data, pos)
    # The backlen takes the last bytes of the entry, and says how many bytes there are before it.
    body = size - next(width for width in range(1, 6) if _backlen_size(size - width) == width)
    tight = _TIGHT_BACKLENS.get(body)
    if tight is not None and pos + size - 1 <= end and data[pos + body : pos + size - 1] == tight:
        return size - 1
    if pos + size > end:
        raise corrupt("entry is longer than the pack", pos)
    if data[pos + body : pos + size] != _backlen(body):
        raise corrupt("backlen does not match its entry", pos)
    return size


def corrupt(what: str, offset: int) -> ValueError:
    """Return the error for bytes that are no listpack."""
    return ValueError(f"listpack: {what} at offset {offset}")
