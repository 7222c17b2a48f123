"""When the fields of a hash expire: a table from field to time, and a heap that knows which is next.

The table is the truth. The heap holds (time, field) pairs and is allowed to be out of date: when a field gets
another time, or loses its own, its old pair stays in the heap and is dropped when it comes to the top and is
found to contradict the table. So setting and forgetting cost O(log n) and O(1), and nobody searches a heap.
Once more than half of the heap is such refuse it is built anew, which the writes that made the refuse have
paid for.

A hash without field expiries has none of this: its value holds a reference to nothing.
"""

from __future__ import annotations

import sys
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.dicts import Dict

if TYPE_CHECKING:
    from collections.abc import Iterator

_SMALLEST_REBUILD: Final = 64
"""A heap shorter than this is not worth rebuilding."""


class FieldExpiries:
    """Fields with the time at which each expires, in milliseconds since the epoch."""

    __slots__ = ("_heap", "_times")

    _times: Dict[bytes, int]
    _heap: list[tuple[int, bytes]]

    def __init__(self) -> None:
        """Make a table of no expiries."""
        self._times = Dict()
        self._heap = []

    def __len__(self) -> int:
        """The number of fields that expire. O(1)."""
        return len(self._times)

    def get(self, field: bytes) -> int | None:
        """The time at which `field` expires, or None. O(1)."""
        return self._times.get(field)

    def items(self) -> Iterator[tuple[bytes, int]]:
        """The fields that expire with their times, in no particular order."""
        return self._times.items()

    def set(self, field: bytes, time_ms: int) -> None:
        """Let `field` expire at `time_ms`, whatever was said before. O(log n), amortised."""
        self._times[field] = time_ms
        heappush(self._heap, (time_ms, field))
        if len(self._heap) > max(2 * len(self._times), _SMALLEST_REBUILD):
            self._heap = [(time, field) for field, time in self._times.items()]
            heapify(self._heap)

    def discard(self, field: bytes) -> bool:
        """Let `field` live on; return whether it had a time to expire at. O(1)."""
        return self._times.pop(field, None) is not None

    def next(self) -> int | None:
        """The time at which the first field expires, or None. O(1), or O(log n) for each pair out of date."""
        heap, times = self._heap, self._times
        while heap:
            time, field = heap[0]
            if times.get(field) == time:
                return time
            heappop(heap)
        return None

    def pop_due(self, now_ms: int, limit: int | None = None) -> list[bytes]:
        """Forget and return the fields whose time is before `now_ms`, earliest first, at most `limit`.

        A field lives through the millisecond at which it expires, as keys do in Redis. O(log n) a field.
        """
        due: list[bytes] = []
        while limit is None or len(due) < limit:
            time = self.next()
            if time is None or time >= now_ms:
                break
            _, field = heappop(self._heap)
            self._times.pop(field)
            due.append(field)
        return due

    def copy(self) -> FieldExpiries:
        """The same expiries, independent of these. O(n)."""
        twin = FieldExpiries()
        twin._times = self._times.copy()
        twin._heap = self._heap.copy()
        return twin

    def memory_usage(self) -> int:
        """Bytes of this process, without the fields, which the hash holds too. O(1)."""
        pair = 56 + 32  # a tuple of two, and the time
        return self._times.memory_usage() + sys.getsizeof(self._heap) + len(self._heap) * pair

    def check(self) -> None:
        """Assert that the heap is one, and that no expiry is missing from it. O(n)."""
        self._times.check()
        heap = self._heap
        assert all(heap[(i - 1) // 2] <= heap[i] for i in range(1, len(heap))), "not a heap"
        assert {(time, field) for field, time in self._times.items()} <= set(heap)
