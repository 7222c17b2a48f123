r"""The wire, seen: every byte that travels, and what it is there for.

`WireView` is a tap on a connection. It prints each request and each reply one value a line: at which byte it begins, the bytes,
indented as deep as the value is nested, and what they say:

    → request, 31 bytes
         0  *2\r\n               array of 2
         4    $7\r\nHGETALL\r\n  bulk string of 7 bytes
        17    $8\r\ngreeting\r\n bulk string of 8 bytes

The explanation comes from `cutaway.resp.annotate`, which knows nothing of commands: what is shown is the protocol. Long payloads are
cut, and so are long replies; the numbers are always the true ones. What holds a password is shown as stars.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.text import Text

from cutaway.client.formats import quote
from cutaway.client.passwords import is_secret
from cutaway.resp import NO_REPLY, ReplyParser, Span, annotate

MAX_ROWS: Final = 40
MAX_PAYLOAD: Final = 64
_ARROWS: Final = {
    "request": ("→", "bold cyan"),
    "reply": ("←", "bold green"),
    "message": ("←", "bold yellow"),
}
_STYLES: Final = {"type": "bold magenta", "length": "yellow", "terminator": "dim", "payload": "green"}
_PARTS: Final = {"type", "length", "text", "payload", "terminator"}
_SIZED: Final = {"array", "map", "set", "push", "attributes"}
_PAIRED: Final = {"map", "attributes"}
_LINES: Final = {
    "error": "red",
    "integer": "cyan",
    "double": "cyan",
    "big number": "cyan",
    "boolean": "cyan",
    "simple string": "green",
}


@dataclass(slots=True)
class _Row:
    """One value: the index of its span, how deep it lies, and the spans of its own bytes."""

    index: int
    depth: int
    role: str
    leaves: list[Span] = field(default_factory=list)


class WireView:
    """A tap that prints what passes, on standard error."""

    def __init__(self, console: Console | None = None, *, is_on: bool = True) -> None:
        self.is_on = is_on
        self._console: Final = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._received = bytearray()
        self._awaits_reply = False
        self._sent_at = 0.0
        self._delay: float | None = None

    def sent(self, data: bytes) -> None:
        """These bytes are about to go to the server."""
        if not self.is_on:
            return
        self.flush()
        self._print("request", data)
        self._awaits_reply = True
        self._sent_at, self._delay = time.perf_counter(), None

    def received(self, data: bytes) -> None:
        """These bytes came; they are shown by `flush`, when they have been understood."""
        if not self.is_on:
            return
        if self._delay is None:
            self._delay = time.perf_counter() - self._sent_at
        self._received += data

    def flush(self) -> None:
        """Print the complete values among the bytes that came."""
        data = bytes(self._received)
        end = _complete(data)
        if end:
            del self._received[:end]
            self._print("reply" if self._awaits_reply else "message", data[:end])
            self._awaits_reply = False

    def _print(self, kind: str, data: bytes) -> None:
        arrow, style = _ARROWS[kind]
        heading = Text(f"{arrow} {kind}, {_count(len(data), 'byte')}", style)
        if kind == "reply" and self._delay is not None:
            heading.append(f" after {self._delay * 1000:.2f} ms", "dim")
        self._console.print(heading)
        for line in explain(data, is_request=kind == "request"):
            self._console.print(line)


def explain(data: bytes, *, is_request: bool = False) -> list[Text]:
    """Lines that show RESP bytes, one for each value, with a column that says what they are. O(n)."""
    spans = annotate(data)
    rows = _rows(spans)
    secret = _secret_spans(spans) if is_request else frozenset()
    shown = rows if len(rows) <= MAX_ROWS else rows[: MAX_ROWS - 2]
    drawn = [(row, _bytes_of(row, spans, row.index in secret)) for row in shown]
    width = max((text.cell_len for _, text in drawn), default=0) + 2
    lines = []
    for row, text in drawn:
        line = Text(f"{spans[row.index].start:6}  ", "dim")
        line.append_text(text)
        line.append(" " * (width - text.cell_len))
        line.append(_meaning(spans[row.index], row), "italic")
        lines.append(line)
    if len(shown) < len(rows):
        start = spans[rows[len(shown)].index].start
        rest = _count(len(rows) - len(shown), "more value")
        lines.append(Text(f"{start:6}  … {rest}, {_count(len(data) - start, 'byte')}", "dim"))
    return lines


def _complete(data: bytes) -> int:
    """How many of the bytes are complete values: all but a last one that is still on its way."""
    roots = [span for span in annotate(data) if span.parent is None]
    if not roots:
        return 0
    parser = ReplyParser()
    parser.feed(data[roots[-1].start :])
    return len(data) if parser.gets() is not NO_REPLY else roots[-1].start


def _rows(spans: Sequence[Span]) -> list[_Row]:
    """One row for each value. Its bytes are its leaves: all of a scalar, the header of an aggregate."""
    parents = {span.parent for span in spans}
    rows: dict[int, _Row] = {}
    positions: dict[int, int] = {}
    for index, span in enumerate(spans):
        if index in parents:
            role, depth = "", 0
            if span.parent is not None:
                depth = rows[span.parent].depth + 1
                number = positions[span.parent] = positions.get(span.parent, 0) + 1
                if spans[span.parent].label in _PAIRED:
                    role = "key" if number % 2 else "value"
            rows[index] = _Row(index, depth, role)
        elif span.parent is None:
            rows[index] = _Row(index, 0, "", [span])
        else:
            rows[span.parent].leaves.append(span)
    return list(rows.values())


def _bytes_of(row: _Row, spans: Sequence[Span], is_secret_: bool) -> Text:  # noqa: FBT001 - says how to draw
    text = Text("  " * row.depth)
    for leaf in row.leaves:
        text.append_text(_leaf(leaf, spans[row.index].label, is_secret_))
    return text


def _leaf(leaf: Span, owner: str, is_secret_: bool) -> Text:  # noqa: FBT001 - says how to draw
    match leaf.label:
        case "type" | "length":
            return Text(str(leaf.value), _STYLES[leaf.label])
        case "terminator":
            return Text(r"\r\n", _STYLES["terminator"])
        case "payload" | "text":
            assert isinstance(leaf.value, bytes)
            shown = "*" * 8 if is_secret_ else _shorten(leaf.value)
            return Text(shown, _LINES.get(owner, _STYLES["payload"]))
        case _:
            assert isinstance(leaf.value, bytes)
            return Text(_shorten(leaf.value), "bold red")


def _shorten(data: bytes) -> str:
    shown = quote(data[:MAX_PAYLOAD])[1:-1].decode().replace('\\"', '"')
    return shown if len(data) <= MAX_PAYLOAD else shown + "…"


def _meaning(span: Span, row: _Row) -> str:
    """What a value is, in words, and what is wrong with it."""
    if span.value is None:
        text = "null" if span.label == "null" else f"{span.label}: null"
    elif span.label in _SIZED and isinstance(span.value, int):
        text = f"{span.label} of {_count(span.value, 'pair') if span.label in _PAIRED else span.value}"
    elif isinstance(span.value, bytes) and span.label.startswith(("bulk", "verbatim")):
        text = f"{span.label} of {_count(len(span.value), 'byte')}"
    else:
        text = span.label
    faults = [leaf.label for leaf in row.leaves if leaf is not span and leaf.label not in _PARTS]
    return ", ".join([f"{row.role}: {text}" if row.role else text, *faults])


def _secret_spans(spans: Sequence[Span]) -> frozenset[int]:
    """The arguments, all but the command's name, of requests that hold a password."""
    secret: set[int] = set()
    for root, span in enumerate(spans):
        if span.parent is not None:
            continue
        words = [(index, each.value) for index, each in enumerate(spans) if each.parent == root]
        words = [(index, value) for index, value in words if spans[index].label == "bulk string"]
        if is_secret([value for _, value in words if isinstance(value, bytes)]):
            secret.update(index for index, _ in words[1:])
    return frozenset(secret)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
