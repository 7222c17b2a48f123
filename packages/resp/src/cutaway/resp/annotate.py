r"""RESP bytes, explained: every byte belongs to a span that says what it is doing there.

The parsers of this package answer "what was said?"; this module answers "how is it written?", for a
notebook, a debugger, or a page that colours a captured conversation. So it differs from them in two ways:
it keeps positions, and it never raises. What is malformed or cut off becomes a span that says so, and holds
the rest of the bytes.

    >>> for span in annotate(b"*1\r\n$4\r\nPING\r\n"):
    ...     print(span.start, span.end, span.label, span.value)
    0 14 array 1
    0 1 type *
    1 2 length 1
    2 4 terminator None
    4 14 bulk string b'PING'
    4 5 type $
    5 6 length 4
    6 8 terminator None
    8 12 payload b'PING'
    12 14 terminator None
"""

from __future__ import annotations

from typing import Final

from cutaway.resp.inline import split_inline
from cutaway.resp.spans import Span

_LINES: Final = {
    "+": "simple string",
    "-": "error",
    ":": "integer",
    ",": "double",
    "#": "boolean",
    "_": "null",
    "(": "big number",
}
_BLOBS: Final = {"$": "bulk string", "=": "verbatim string", "!": "bulk error"}
_AGGREGATES: Final = {"*": "array", "%": "map", "~": "set", ">": "push", "|": "attributes"}
_PAIRED: Final = "%|"
_MAX_DEPTH: Final = 128
_TERMINATOR: Final = b"\r\n"


def annotate(data: bytes) -> list[Span]:
    """Return the spans of a RESP stream, requests or replies, outer before inner, in order of start. O(n)."""
    annotator = _Annotator(data)
    position = 0
    while position < len(data):
        position = annotator.value(position, None, 0)
    return annotator.spans


class _Annotator:
    """A walk over the bytes that leaves spans behind. Methods return where the next value begins."""

    __slots__ = ("data", "spans")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.spans: list[Span] = []

    def value(self, start: int, parent: int | None, depth: int) -> int:
        data = self.data
        kind = chr(data[start])
        if kind not in _LINES and kind not in _BLOBS and kind not in _AGGREGATES:
            if parent is None:
                return self.inline(start)
            return self.rest(start, parent, f"malformed: no type is written {kind!r}")
        newline = data.find(_TERMINATOR, start)
        if newline < 0:
            return self.rest(start, parent, "incomplete")
        if kind in _LINES:
            me = self.open(start, _LINES[kind], data[start + 1 : newline], parent)
            self.header(start, newline, "text", data[start + 1 : newline], me)
            return self.close(me, newline + 2)
        digits = data[start + 1 : newline]
        if digits != b"-1" and not (digits.isdigit() and len(digits) < 20):
            return self.rest(start, parent, "malformed: not a length")
        length = int(digits)
        if kind in _BLOBS:
            return self.blob(start, newline, length, parent)
        if depth == _MAX_DEPTH:
            return self.rest(start, parent, "malformed: nested too deeply")
        return self.aggregate(start, newline, length, parent, depth)

    def blob(self, start: int, newline: int, length: int, parent: int | None) -> int:
        label = _BLOBS[chr(self.data[start])]
        payload = newline + 2
        end = payload + length
        value = self.data[payload:end] if length >= 0 else None
        me = self.open(start, label, value, parent)
        self.header(start, newline, "length", length, me)
        if length < 0:
            return self.close(me, payload)
        if end + 2 > len(self.data):
            return self.close(me, self.rest(payload, me, "incomplete"))
        self.leaf(payload, end, "payload", value, me)
        self.leaf(end, end + 2, "terminator", None, me)
        return self.close(me, end + 2)

    def aggregate(self, start: int, newline: int, length: int, parent: int | None, depth: int) -> int:
        kind = chr(self.data[start])
        me = self.open(start, _AGGREGATES[kind], length if length >= 0 else None, parent)
        self.header(start, newline, "length", length, me)
        position = newline + 2
        for _ in range(2 * length if kind in _PAIRED else length):
            if position >= len(self.data):
                break
            position = self.value(position, me, depth + 1)
        return self.close(me, position)

    def inline(self, start: int) -> int:
        newline = self.data.find(b"\n", start)
        if newline < 0:
            return self.rest(start, None, "incomplete")
        text_end = newline - 1 if self.data[start:newline].endswith(b"\r") else newline
        line = self.data[start:text_end]
        try:
            words = split_inline(line)
        except ValueError:
            return self.rest(start, None, "malformed: unbalanced quotes")
        me = self.open(start, "inline request", words, None)
        self.leaf(start, text_end, "text", line, me)
        self.leaf(text_end, newline + 1, "terminator", None, me)
        return self.close(me, newline + 1)

    def header(self, start: int, newline: int, label: str, value: object, parent: int) -> None:
        self.leaf(start, start + 1, "type", chr(self.data[start]), parent)
        self.leaf(start + 1, newline, label, value, parent)
        self.leaf(newline, newline + 2, "terminator", None, parent)

    def rest(self, start: int, parent: int | None, label: str) -> int:
        self.leaf(start, len(self.data), label, self.data[start:], parent)
        return len(self.data)

    def leaf(self, start: int, end: int, label: str, value: object, parent: int | None) -> None:
        if start < end:
            self.spans.append(Span(start, end, label, value, parent))

    def open(self, start: int, label: str, value: object, parent: int | None) -> int:
        self.spans.append(Span(start, start, label, value, parent))
        return len(self.spans) - 1

    def close(self, index: int, end: int) -> int:
        span = self.spans[index]
        self.spans[index] = Span(span.start, end, span.label, span.value, span.parent)
        return end
