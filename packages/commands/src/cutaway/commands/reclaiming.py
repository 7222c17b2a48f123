"""Giving memory back without keeping anybody waiting.

Dropping the last reference to a set of a million members frees a million members, there and then, and everybody waits for it.
Redis hands such values to a thread. Python's threads would take turns with the loop instead of running beside it, so here a
large value is *taken apart*: each structure offers `dismantle()`, an iterator that gives away one bounded piece with every step,
and the server lets the `Reclaimer` work for a fraction of a millisecond at a time, between two turns of the loop.

DEL, UNLINK, FLUSHALL, an overwritten value, an expired key: all of them come through here, so that none of them stalls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from cutaway.commands.clocks import Stopwatch
from cutaway.commands.keyspaces import Entry

LARGE: Final = 64
"""Values of more elements than this are worth the trouble (LAZYFREE_THRESHOLD in Redis)."""
STEPS_BETWEEN_LOOKS: Final = 32


class Reclaimer:
    """A queue of values that nobody can reach any more, freed bit by bit."""

    __slots__ = ("_queue", "_stopwatch", "on_work", "reclaimed")

    def __init__(self, stopwatch: Stopwatch) -> None:
        self._stopwatch: Final = stopwatch
        self._queue: Final[deque[Iterator[Any]]] = deque()
        self.reclaimed = 0
        """How many large values were freed since the start, or since CONFIG RESETSTAT (INFO's lazyfreed_objects)."""
        self.on_work: Any = None
        """Called when there is something to do and there was nothing before."""

    def __len__(self) -> int:
        return len(self._queue)

    def release(self, value: Any) -> None:
        """Take over a value that was dropped. Small ones are simply forgotten. O(1)."""
        dismantle = getattr(value, "dismantle", None)
        if dismantle is None or len(value) <= LARGE:
            return
        self._queue.append(dismantle())
        if self.on_work is not None and len(self._queue) == 1:
            self.on_work()

    def step(self, nanoseconds: int) -> bool:
        """Work for about so long; True while there is more to do."""
        end = self._stopwatch() + nanoseconds
        queue = self._queue
        while queue:
            parts = queue[0]
            for _ in range(STEPS_BETWEEN_LOOKS):
                part = next(parts, None)
                if part is None:
                    queue.popleft()
                    self.reclaimed += 1
                    break
                if type(part) is dict:
                    self._release_entries(part)
            if self._stopwatch() >= end:
                break
        return bool(queue)

    def _release_entries(self, bucket: dict[Any, Any]) -> None:
        """A bucket of a keyspace holds entries, and their values may be large themselves."""
        for entry in bucket.values():
            if type(entry) is not Entry:
                return
            if type(entry.value) is not bytes and type(entry.value) is not int:
                self.release(entry.value)
