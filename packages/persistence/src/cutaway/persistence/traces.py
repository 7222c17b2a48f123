"""What a decoder leaves behind so that its reading of the bytes can be shown: a tree of spans.

A decoder that is given a `Trace` opens a span for each whole and leaves a leaf for each part. The spans come out in
the order in which they begin, and each names its parent by its place in that order.
"""

from __future__ import annotations

from typing import Final

from cutaway.resp.spans import Span

ROOT: Final = -1


class Trace:
    """Gathers spans. Spans opened must be closed in reverse order."""

    __slots__ = ("_open", "spans")

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._open: list[int] = []

    @property
    def depth(self) -> int:
        """How many spans are open."""
        return len(self._open)
