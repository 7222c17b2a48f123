"""Strings on their way into an RDB file: as an integer, compressed, or as they are.

A string of up to 11 bytes that is the canonical text of a 32-bit integer becomes two, three or five bytes. A
string of more than 20 bytes is offered to LZF, and stored compressed if that saves at least four. Everything
else is a length and the bytes.
"""

from __future__ import annotations

from typing import Final

from cutaway.datastructures import fast_lzf as lzf

from .rdb_format import ENC_INT8, ENC_INT16, ENC_INT32, ENC_LZF, LEN_ENCODED, encode_length

SHORTEST_COMPRESSED: Final = 21
LEAST_SAVING: Final = 4
LONGEST_INTEGER: Final = 11

_MARK_INT8: Final = bytes((LEN_ENCODED << 6 | ENC_INT8,))
_MARK_INT16: Final = bytes((LEN_ENCODED << 6 | ENC_INT16,))
_MARK_INT32: Final = bytes((LEN_ENCODED << 6 | ENC_INT32,))
_MARK_LZF: Final = bytes((LEN_ENCODED << 6 | ENC_LZF,))

_SHORT_LENGTHS: Final = tuple(encode_length(length) for length in range(SHORTEST_COMPRESSED))


def encode_integer(value: int) -> bytes:
    """Return an integer as a string value is stored: one of three widths, or decimal text. O(1)."""
    if -0x80 <= value < 0x80:
        return _MARK_INT8 + value.to_bytes(1, "little", signed=True)
    if -0x8000 <= value < 0x8000:
        return _MARK_INT16 + value.to_bytes(2, "little", signed=True)
    if -0x80000000 <= value < 0x80000000:
        return _MARK_INT32 + value.to_bytes(4, "little", signed=True)
    text = b"%d" % value
    return encode_length(len(text)) + text


def _as_integer(text: bytes) -> bytes | None:
    """Return the integer encoding of a string that is the canonical text of a 32-bit integer, or None."""
    if not (text.isdigit() or (text[:1] == b"-" and text[1:].isdigit())):
        return None
    value = int(text)
    if b"%d" % value != text or not -0x80000000 <= value < 0x80000000:
        return None
    return encode_integer(value)


class StringEncoder:
    """Encodes strings, with LZF or without: the directive `rdbcompression`."""

    __slots__ = ("compression",)

    def __init__(self, *, compression: bool = True) -> None:
        self.compression = compression

    def encode(self, text: bytes | bytearray) -> bytes:
        """Return a string in its shortest form. O(bytes)."""
        size = len(text)
        if size < SHORTEST_COMPRESSED:
            if size <= LONGEST_INTEGER and size and text[-1] <= 0x39:
                encoded = _as_integer(bytes(text))
                if encoded is not None:
                    return encoded
            return _SHORT_LENGTHS[size] + text
        if self.compression:
            packed = lzf.compress(bytes(text), size - LEAST_SAVING)
            if packed is not None:
                return b"".join((_MARK_LZF, encode_length(len(packed)), encode_length(size), packed))
        return encode_length(size) + text

    def encode_into(self, out: bytearray, text: bytes | bytearray) -> None:
        """Append a string in its shortest form. O(bytes)."""
        out += self.encode(text)
