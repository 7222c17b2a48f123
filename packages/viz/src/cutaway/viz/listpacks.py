"""The bytes of a listpack, explained: the spans that `annotated_bytes` draws.

The header says how long the pack is and how many entries it has. An entry is its encoding, its data and a
backlen, with which it can be stepped over from right to left; small integers are encoding and data in one.
The forms are told in `cutaway.datastructures.listpack_entries`.

    >>> from cutaway.datastructures import ListPack
    >>> for span in listpack_spans(bytes(ListPack.from_list([b"hi", b"7"]))):
    ...     print(span.start, span.end, span.label, span.value)
    0 13 listpack 2 entries
    0 4 total bytes 13
    4 6 entries 2
    6 10 string b'hi'
    6 7 length 2
    7 9 data b'hi'
    9 10 backlen 3
    10 12 integer 7
    10 11 encoding and data 7
    11 12 backlen 1
    12 13 end None
"""

from __future__ import annotations

from struct import unpack_from

from cutaway.datastructures.listpack_entries import checked_size, decode_at
from cutaway.resp import Span

HEADER_SIZE = 6
END = 0xFF


def listpack_spans(data: bytes) -> list[Span]:
    """The spans of a listpack's wire form, wholes before their parts. Never raises. O(bytes).

    What is malformed becomes a span that says so and holds the rest of the bytes.
    """
    if len(data) < HEADER_SIZE:
        return [Span(0, len(data), "malformed: shorter than a header", data, None)] if data else []
    total, count = unpack_from("<IH", data)
    spans = [
        Span(0, len(data), "listpack", "1 entry" if count == 1 else f"{count} entries", None),
        Span(0, 4, "total bytes", total, 0),
        Span(4, 6, "entries", count, 0),
    ]
    position = HEADER_SIZE
    while position < len(data):
        if data[position] == END:
            spans.append(Span(position, position + 1, "end", None, 0))
            position += 1
            break
        try:
            size = checked_size(data, position, len(data))
        except (ValueError, IndexError) as error:
            spans.append(Span(position, len(data), f"malformed: {error}", data[position:], 0))
            return spans
        spans += _entry(data, position, size, len(spans))
        position += size
    if position < len(data):
        spans.append(Span(position, len(data), "malformed: bytes behind the end", data[position:], 0))
    return spans


def _entry(data: bytes, start: int, size: int, me: int) -> list[Span]:
    """An entry and its parts; `me` is the index that it will have."""
    element = decode_at(data, start)
    head = _head_size(data[start])
    body = head + (len(element) if isinstance(element, bytes) else _integer_size(data[start]))
    kind = "string" if isinstance(element, bytes) else "integer"
    spans = [Span(start, start + size, kind, element, 0)]
    if isinstance(element, bytes):
        spans.append(Span(start, start + head, "length", len(element), me))
    elif body > head:
        spans.append(Span(start, start + head, "encoding", f"{8 * (body - head)} bits", me))
    else:
        spans.append(Span(start, start + head, "encoding and data", element, me))
    if body > head:
        spans.append(Span(start + head, start + body, "data", element, me))
    spans.append(Span(start + body, start + size, "backlen", body, me))
    return spans


def _head_size(first: int) -> int:
    """Bytes before the data, by the first of them; all of the entry's for an integer of 7 or 13 bits."""
    if first < 0xC0 or first > 0xF0:
        return 1
    return 2 if first < 0xF0 else 5


def _integer_size(first: int) -> int:
    """Bytes of data behind the encoding of an integer."""
    return {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}.get(first, 0)
