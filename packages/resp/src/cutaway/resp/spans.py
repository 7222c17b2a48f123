"""Spans: which bytes mean what.

A view that explains bytes (a RESP stream, a listpack, an RDB file) is a list of spans in the order of their
starts, each naming a range and what it says. A span that is part of another names it by its index, so the
list is a tree too: every child lies inside its parent.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` (exclusive), what they are, and the index of the span they are part of."""

    start: int
    end: int
    label: str
    value: object
    parent: int | None
