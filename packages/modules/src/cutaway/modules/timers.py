"""Timers: functions that are called later, once.

A module's timers lie in a heap by deadline. When one becomes the first, the host is told, so that a server can set its
own clock to it; without a server `Engine.cron` looks at them, ten times a second.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cutaway.modules.contexts import Context


class Timer:
    """A function that is to be called later, once."""

    __slots__ = ("deadline", "function", "is_cancelled")

    def __init__(self, deadline: int, function: Callable[[Context], None]) -> None:
        self.deadline: Final = deadline
        """Milliseconds since the epoch."""
        self.function: Final = function
        self.is_cancelled = False

    def cancel(self) -> None:
        """Do not call it."""
        self.is_cancelled = True


class Timers:
    """The timers of one module."""

    __slots__ = ("_heap", "_tickets")

    def __init__(self) -> None:
        self._heap: Final[list[tuple[int, int, Timer]]] = []
        self._tickets = 0

    def add(self, timer: Timer) -> None:
        """One more. O(log n)."""
        self._tickets += 1  # of two with one deadline the older goes first
        heapq.heappush(self._heap, (timer.deadline, self._tickets, timer))

    def next_deadline(self) -> int | None:
        """When `take` will have something to give; None if there are no timers. Amortised O(log n)."""
        heap = self._heap
        while heap and heap[0][2].is_cancelled:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def take(self, now: int) -> list[Timer]:
        """Remove those that are due, and give them in order. O(k log n).

        What they start themselves is not among them: a timer that starts itself anew with no delay cannot keep the server.
        """
        due: list[Timer] = []
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            due.append(heapq.heappop(self._heap)[2])
        return due

    def clear(self) -> None:
        """Forget all."""
        self._heap.clear()
