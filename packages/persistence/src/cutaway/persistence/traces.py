"""What a decoder leaves behind so that its reading of the bytes can be shown: a tree of spans.

A decoder that is given a `Trace` opens a span for each whole and leaves a leaf for each part. The spans come
out in the order in which they begin, and each names its parent by its place in that order.
"""

from __future__ import annotations

from cutaway.resp.spans import Span


class Trace:
    """Gathers spans; those opened must be closed in reverse order."""

    __slots__ = ("_open", "_rows")

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, str, object, int | None]] = []
        self._open: list[int] = []

    def open(self, start: int, label: str) -> None:
        """Begin a whole at `start`."""
        self._open.append(len(self._rows))
        self._rows.append((start, start, label, None, self._parent(skip=1)))

    def close(self, end: int, value: object = None) -> None:
        """End the whole that was opened last."""
        index = self._open.pop()
        start, _, label, _, parent = self._rows[index]
        self._rows[index] = (start, end, label, value, parent)

    def leaf(self, start: int, end: int, label: str, value: object) -> None:
        """Note a part of the whole that is open."""
        self._rows.append((start, end, label, value, self._parent()))

    def spans(self, end: int) -> list[Span]:
        """Return what has been gathered; wholes that are still open reach to `end`, where reading stopped."""
        return [
            Span(start, end if index in self._open else stop, label, value, parent)
            for index, (start, stop, label, value, parent) in enumerate(self._rows)
        ]

    def _parent(self, skip: int = 0) -> int | None:
        """Return the index of the open whole, not counting the last `skip`."""
        return self._open[-1 - skip] if len(self._open) > skip else None
