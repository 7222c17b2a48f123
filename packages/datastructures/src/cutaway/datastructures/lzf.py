"""LZF, the small fast compressor of Redis's lists and RDB files.

A compressed run is a series of instructions, each told by the top three bits of its first byte:

    000LLLLL  literal: the next L + 1 bytes (1..32) are copied as they are
    LLLooooo  oooooooo             match: copy L + 2 bytes (3..8) from `offset` + 1 bytes back in the output
    111ooooo  LLLLLLLL  oooooooo   match: copy L + 9 bytes (9..264)

Offsets are 13 bits, so a match reaches back at most 8192 bytes. A match may run into the bytes it is just
writing: offset 0 with length 100 repeats the last byte a hundred times. That makes run-length coding a case
of copying.

The compressor remembers where it last saw each three bytes and takes the last place as its match: greedy, one
pass, no attempt at the best match. Two compressors may differ in their choice and so in their bytes; any LZF
reader reads both. The format is Marc Lehmann's LibLZF.

The longer it finds nothing the longer are its steps, as in LZ4, up to 16 bytes. What cannot be compressed costs
a third of the time so, and what can be comes out some per cent longer.
"""

from __future__ import annotations

from typing import Final

_MAX_LITERAL: Final = 32
_MAX_OFFSET: Final = 1 << 13
_MAX_MATCH: Final = 264
_MIN_MATCH: Final = 3
_MOST_MISSES: Final = 8 * 15


def compress(data: bytes, max_size: int | None = None) -> bytes | None:
    """Return `data` compressed, or None if that takes more than `max_size` bytes (default: one less).

    O(bytes), and it stops as soon as the output is too long to be of use.
    """
    limit = len(data) - 1 if max_size is None else max_size
    out = bytearray()
    seen: dict[bytes, int] = {}
    literal = pos = misses = 0
    last = len(data) - _MIN_MATCH
    while pos <= last:
        key = data[pos : pos + 3]
        back = seen.get(key, -_MAX_OFFSET - 1)
        seen[key] = pos
        if pos - back > _MAX_OFFSET:
            misses += misses < _MOST_MISSES
            pos += 1 + (misses >> 3)
            continue
        length = _match_length(data, back, pos)
        _put_literals(out, data, literal, pos)
        _put_match(out, pos - back - 1, length)
        if len(out) > limit:
            return None
        pos += length
        literal = pos
        misses = 0
    _put_literals(out, data, literal, len(data))
    return bytes(out) if len(out) <= limit else None


def _match_length(data: bytes, back: int, pos: int) -> int:
    """Return how many bytes from `back` on repeat at `pos`, up to what one instruction can say."""
    longest = min(_MAX_MATCH, len(data) - pos)
    length = _MIN_MATCH
    while length < longest and data[back + length] == data[pos + length]:
        length += 1
    return length


def _put_literals(out: bytearray, data: bytes, start: int, stop: int) -> None:
    for at in range(start, stop, _MAX_LITERAL):
        chunk = data[at : min(at + _MAX_LITERAL, stop)]
        out.append(len(chunk) - 1)
        out += chunk


def _put_match(out: bytearray, offset: int, length: int) -> None:
    length -= 2
    if length < 7:
        out.append(length << 5 | offset >> 8)
    else:
        out.append(0xE0 | offset >> 8)
        out.append(length - 7)
    out.append(offset & 0xFF)


def decompress(data: bytes, size: int) -> bytes:
    """Return the `size` bytes that `data` was compressed from.

    Raises ValueError, with the offset in `data`, if an instruction is cut off, reaches before the start of
    the output or writes past `size`, or if the output is shorter. Never holds more than an instruction beyond that.
    O(size).
    """
    out = bytearray()
    pos, end = 0, len(data)
    while pos < end:
        at, control = pos, data[pos]
        pos += 1
        if control < _MAX_LITERAL:
            out += data[pos : pos + control + 1]
            pos += control + 1
        else:
            length = (control >> 5) + 2
            if length == 9 and pos < end:
                length += data[pos]
                pos += 1
            if pos < end:
                start = len(out) - ((control & 0x1F) << 8 | data[pos]) - 1
                if start < 0:
                    raise _corrupt("match reaches before the start", at)
                piece = out[start : start + length]
                if len(piece) < length:  # it runs into itself
                    piece = (piece * (length // len(piece) + 1))[:length]
                out += piece
            pos += 1
        if pos > end:
            raise _corrupt("instruction is cut off", at)
        if len(out) > size:
            raise _corrupt("output is longer than declared", at)
    if len(out) != size:
        raise _corrupt("output is shorter than declared", end)
    return bytes(out)


def _corrupt(what: str, offset: int) -> ValueError:
    return ValueError(f"lzf: {what} at offset {offset}")
