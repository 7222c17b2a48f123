r"""Bytes on a page, with a caret under the first one that is wrong.

    *1\r\n$4\r\nPING\r\n
                    ^ byte 12: the payload ended here, and the line end is not part of it

A byte is written as Python would write it within b'…'. Long input is cut to what surrounds the caret, and a line is folded
between two bytes, never within the two or four characters of one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

AROUND: Final = 120
"""Bytes shown before the caret, and as many after it, when there are too many to show all."""

_ESCAPES: Final = {0x0D: "\\r", 0x0A: "\\n", 0x09: "\\t", 0x5C: "\\\\"}


class Row(NamedTuple):
    """A line of bytes; `caret` is the column of the mark below it, or None."""

    text: str
    caret: int | None


def spell(byte: int) -> str:
    """One byte as it is written within b'…'."""
    if byte in _ESCAPES:
        return _ESCAPES[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"


def rows(data: bytes, at: int | None, width: int) -> list[Row]:
    """The bytes in lines of up to `width` columns; the caret may stand behind the last byte. O(shown bytes)."""
    start, end = window(len(data), at)
    lines: list[Row] = []
    text, caret = (f"…{start} bytes before… " if start else ""), None
    for offset in range(start, end):
        piece = spell(data[offset])
        if len(text) + len(piece) > width:
            lines.append(Row(text, caret))
            text, caret = "", None
        if offset == at:
            caret = len(text)
        text += piece
        if data[offset] == 0x0A and data[offset - 1 : offset] == b"\r" and len(text) > width * 2 // 3:
            lines.append(Row(text, caret))
            text, caret = "", None
    if at is not None and at >= end:
        caret = len(text)
    if end < len(data):
        text += f" …{len(data) - end} bytes after"
    if text or caret is not None or not lines:
        lines.append(Row(text, caret))
    return lines


def window(size: int, at: int | None) -> tuple[int, int]:
    """Which of `size` bytes to show: all, or those around the caret."""
    if size <= 2 * AROUND:
        return 0, size
    middle = min(at or 0, size)
    start = max(0, middle - AROUND)
    return start, min(size, start + 2 * AROUND)


def first_difference(one: bytes, other: bytes) -> int:
    """The offset of the first byte in which they differ: the length of the shorter one, if that is all there is."""
    size = min(len(one), len(other))
    return next((at for at in range(size) if one[at] != other[at]), size)
