"""Bytes with their meaning beside them: the annotated view, as text, JSON or HTML.

A span says which bytes mean what. `annotate_rdb` lets the one decoder read a file and takes the spans it
leaves; if the file is damaged, they reach to where reading stopped, and the error is the last line. The
renderers know nothing of RDB: they show any list of spans.

    00000009  fa                  auxiliary field …

Text has a line for each span that has no parts; a whole is shown by how far its parts are indented.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cutaway.resp import annotate as annotate_resp

from .errors import RDBError
from .rdb_format import MAGIC_REDIS, MAGIC_VALKEY
from .rdb_reader import RDBReader
from .traces import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cutaway.resp.spans import Span

SHOWN_BYTES: Final = 8
SHOWN_VALUE: Final = 60


@dataclass(slots=True)
class AnnotatedView:
    """Bytes, what they mean, and why the reading stopped early, if it did."""

    data: bytes
    spans: list[Span]
    error: RDBError | None = None


@dataclass(slots=True)
class Row:
    """One span as it is shown."""

    offset: int
    size: int
    depth: int
    label: str
    hex: str
    value: str


def annotate_rdb(data: bytes) -> AnnotatedView:
    """Read an RDB file for its spans. Never raises for what the file holds. O(bytes)."""
    trace = Trace()
    reader = RDBReader(data, trace=trace)
    error = None
    try:
        for _ in reader.events():
            pass
    except RDBError as caught:
        error = caught
    return AnnotatedView(data, trace.spans(reader.source.offset), error)


def annotate_file(data: bytes) -> AnnotatedView:
    """Read a file for its spans: RDB by its magic, maybe with commands behind it; else commands. O(bytes)."""
    if not data.startswith((MAGIC_REDIS, MAGIC_VALKEY)):
        return AnnotatedView(data, annotate_resp(data))
    view = annotate_rdb(data)
    end = max((span.end for span in view.spans), default=0)
    if view.error is None and end < len(data):
        shift = len(view.spans)
        for span in annotate_resp(data[end:]):
            parent = None if span.parent is None else span.parent + shift
            view.spans.append(type(span)(span.start + end, span.end + end, span.label, span.value, parent))
    return view


def rows(view: AnnotatedView) -> Iterator[Row]:
    """Yield the spans as they are shown, in the order of their starts. O(spans)."""
    depths: list[int] = []
    for span in view.spans:
        depth = 0 if span.parent is None else depths[span.parent] + 1
        depths.append(depth)
        piece = view.data[span.start : span.end]
        hexadecimal = piece[:SHOWN_BYTES].hex(" ") + (" …" if len(piece) > SHOWN_BYTES else "")
        yield Row(span.start, span.end - span.start, depth, span.label, hexadecimal, shown(span.value))


def shown(value: object) -> str:
    """Return a value as text of bounded length, bytes as Python writes them."""
    if value is None:
        return ""
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value[: SHOWN_VALUE + 1])
    text = value if isinstance(value, str) else repr(value)
    return text[:SHOWN_VALUE] + " …" if len(text) > SHOWN_VALUE else text


def as_text(view: AnnotatedView) -> Iterator[str]:
    """Yield the view line by line."""
    width = 3 * SHOWN_BYTES + 1
    for row in rows(view):
        yield f"{row.offset:08x}  {row.hex:<{width}}  {'  ' * row.depth}{row.label}  {row.value}".rstrip()
    if view.error is not None:
        yield f"{view.error.offset:08x}  {'':<{width}}  ! {view.error.text}"


def as_json(view: AnnotatedView) -> str:
    """Return the view as a JSON object of `spans` (start, end, label, value, parent) and `error`."""
    spans = [
        {"start": s.start, "end": s.end, "label": s.label, "value": _plain(s.value), "parent": s.parent}
        for s in view.spans
    ]
    error = None if view.error is None else {"offset": view.error.offset, "text": view.error.text}
    return json.dumps({"spans": spans, "error": error})


def _plain(value: object) -> object:
    r"""Return a value that JSON has; bytes as text, those that are none as \\xNN."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "backslashreplace")
    return value if value is None or isinstance(value, (int, str)) else repr(value)


def as_html(view: AnnotatedView) -> str:
    """Return the view as an HTML fragment: a table of class "bytes", the depth of each row as a style."""
    lines = [
        '<table class="bytes">',
        "<thead><tr><th>offset</th><th>bytes</th><th>meaning</th><th>value</th></tr></thead>",
    ]
    for row in rows(view):
        label = f'<td style="padding-left: {1 + row.depth}em">{html.escape(row.label)}</td>'
        cells = f"<td><code>{row.offset:08x}</code></td><td><code>{row.hex}</code></td>"
        lines.append(f"<tr>{cells}{label}<td><code>{html.escape(row.value)}</code></td></tr>")
    if view.error is not None:
        text = html.escape(view.error.text)
        offset = f"<td><code>{view.error.offset:08x}</code></td>"
        lines.append(f'<tr class="error">{offset}<td></td><td colspan="2">{text}</td></tr>')
    lines.append("</table>")
    return "\n".join(lines)
