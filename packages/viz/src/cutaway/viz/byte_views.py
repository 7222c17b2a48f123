"""Bytes with their meaning written under them: one picture for RESP, listpacks, RDB files and the log.

Whoever knows a format gives a list of spans (`cutaway.resp.Span`): a range of bytes, what it is, what it
says, and the span that it is a part of. `cutaway.resp.annotate` does so for RESP and so for the append-only
file, `listpack_spans` for listpacks, `annotate_rdb` of `cutaway.persistence.views` for RDB. The
picture knows no format. A span with parts is a frame around them; one without is a box with its bytes, and
under it its label and, if the bytes do not show it, its value.

Every byte is drawn exactly once. Where a frame has bytes that none of its parts explains, a box without a
label holds them, so a hole in an explanation is seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from cutaway.resp import Span, annotate
from cutaway.viz.palette import GREY, HUES
from cutaway.viz.pictures import Picture
from cutaway.viz.svg import Markup, join, spell, tag

_ROLES: Final = {
    "type": 1, "opcode": 1, "encoding": 1, "encoding and data": 1, "magic": 1,
    "length": 2, "entries": 2, "total bytes": 2, "backlen": 4, "payload": 3, "data": 3, "text": 3,
    "terminator": GREY, "end": GREY,
}  # fmt: skip
"""Colours that labels always have; any other keeps the one that it gets at its first turn."""
_LONGEST: Final = 24
_SHOWN_HEX: Final = 8


class _View:
    """The spans as a tree, and the colours that labels have been given."""

    def __init__(self, data: bytes, spans: Sequence[Span]) -> None:
        self.data = data
        self.spans = spans
        self.parts: dict[int | None, list[int]] = defaultdict(list)
        for index, span in enumerate(spans):
            self.parts[span.parent].append(index)
        self.hues = dict(_ROLES)

    def tiles(self, parent: int | None, start: int, end: int) -> Iterator[int | Span]:
        """The parts of a span in order, by index, and spans without a label for the holes between them."""
        for index in self.parts[parent]:
            span = self.spans[index]
            if start < span.start:
                yield Span(start, span.start, "", None, parent)
            yield index
            start = max(start, span.end)
        if start < end:
            yield Span(start, end, "", None, parent)

    def draw(self, tile: int | Span) -> Markup:
        """One span with all its parts."""
        span = self.spans[tile] if isinstance(tile, int) else tile
        if not isinstance(tile, int) or tile not in self.parts:
            return self.box(span)
        label = tag("div", _name(span, inside=False), "cv-label")
        parts = join(self.draw(part) for part in self.tiles(tile, span.start, span.end))
        return tag("div", join([label, tag("div", parts, "cv-row")]), "cv-frame", title=_place(span))

    def box(self, span: Span) -> Markup:
        """Bytes, and what they are."""
        number = self.hues.setdefault(span.label, len(self.hues) % HUES + 1) if span.label else GREY
        piece = self.data[span.start : span.end]
        words = "" if span.label == "terminator" else _name(span, inside=_is_text(piece))
        parts = [tag("div", _written(piece), "cv-bytes cv-mono"), tag("div", words or "\u200b", "cv-label")]
        return tag("div", join(parts), f"cv-cell cv-h{number}", title=f"{span.label or '?'}, {_place(span)}")

    def lines(self, parent: int | None, start: int, end: int, depth: int = 0) -> Iterator[str]:
        """The tree as text, a line for each span, wholes above their parts."""
        for tile in self.tiles(parent, start, end):
            span = self.spans[tile] if isinstance(tile, int) else tile
            whole = isinstance(tile, int) and tile in self.parts
            shown = "" if whole else _written(self.data[span.start : span.end])
            words = f"{'  ' * depth}{span.label or '?'}"
            if span.value is not None:
                words += f"  {_value(span)}"
            yield f"{span.start:6}  {shown:<{_LONGEST + 2}}  {words}"
            if isinstance(tile, int) and whole:
                yield from self.lines(tile, span.start, span.end, depth + 1)


def annotated_bytes(data: bytes, spans: Sequence[Span] | None = None, *, title: str = "") -> Picture:
    """Show bytes as what they mean: a frame for each whole, a box for each part. O(spans + bytes).

    `spans` come in the order of their starts, wholes before their parts; without them the bytes are taken
    for RESP.
    """
    view = _View(data, annotate(data) if spans is None else spans)
    values = join(view.draw(tile) for tile in view.tiles(None, 0, len(data)))
    row = tag("div", values, "cv-row cv-spaced")
    body = tag(
        "div", row, "cv-scroll cv-tall", tabindex=0, role="group", aria_label=title or "annotated bytes"
    )
    return Picture(body, "\n".join(view.lines(None, 0, len(data))), title)


def _is_text(piece: bytes) -> bool:
    """Whether bytes are better read as letters than as numbers: three of four are printable ASCII or line ends."""
    seen = piece[:_LONGEST]
    plain = sum(0x20 <= byte < 0x7F or byte in b"\r\n" for byte in seen)
    return 4 * plain >= 3 * len(seen)


def _written(piece: bytes) -> str:
    """Bytes as letters, or as pairs of hexadecimal digits; the middle of many is left out."""
    if _is_text(piece):
        return spell(piece, _LONGEST)
    return piece[:_SHOWN_HEX].hex(" ") + (" …" if len(piece) > _SHOWN_HEX else "")


def _value(span: Span) -> str:
    """What a span says, in a line of bounded length."""
    if isinstance(span.value, (bytes, bytearray)):
        return f'"{spell(bytes(span.value), _LONGEST)}"'
    words = span.value[: 3 * _LONGEST] if isinstance(span.value, str) else str(span.value)
    return words if len(words) <= 2 * _LONGEST else f"{words[: 2 * _LONGEST]} …"


def _name(span: Span, *, inside: bool) -> str:
    """A span's label, with its value unless that can be read `inside` the box or says nothing new."""
    if inside or span.value is None or not span.label:
        return span.label
    return f"{span.label}: {_value(span)}"


def _place(span: Span) -> str:
    """Which bytes these are, in words."""
    size = span.end - span.start
    return f"{'1 byte' if size == 1 else f'{size} bytes'} at {span.start}"
