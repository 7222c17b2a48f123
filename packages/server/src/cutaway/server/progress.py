"""How far a child has come, in a piece of memory that it shares with its parent.

The child writes four numbers there, the parent reads them when somebody asks for INFO. Nobody sends anything, so neither waits
for the other, and a parent that looks sees the latest.

Keys are counted in batches. What the child had to copy is asked of the system, which walks all its pages to answer: so
only once a second, and rarer where the answer takes long, at most a hundredth of the time.
"""

from __future__ import annotations

import contextlib
import mmap
import struct
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")
BATCH: Final = 1024
FORM: Final = struct.Struct("=QQQd")
"""Keys, bytes that are copied now, the most there were, and when that was measured (the monotonic clock, in seconds)."""
PAUSE_SECONDS: Final = 1.0
DUTY: Final = 100
"""Measuring takes at most this part of the time."""


class Progress:
    """One child's."""

    __slots__ = ("_memory", "_next_look", "total")

    def __init__(self, total: int = 0) -> None:
        """Made before the fork; `total` is how many keys there are."""
        self._memory: Final = mmap.mmap(-1, FORM.size)
        self._next_look = 0.0
        self.total: Final = total

    def _read(self) -> tuple[int, int, int, float]:
        keys, copied, peak, moment = FORM.unpack_from(self._memory)
        return keys, copied, peak, moment

    # ---- the parent's side

    @property
    def keys(self) -> int:
        """How many keys are written."""
        return self._read()[0]

    @property
    def copied_bytes(self) -> int:
        """What the child has of its own, in bytes."""
        return self._read()[1]

    @property
    def peak_bytes(self) -> int:
        """The most it ever had."""
        return self._read()[2]

    @property
    def age(self) -> int:
        """For how many seconds that has not been measured; 0 before the first time."""
        moment = self._read()[3]
        return int(time.monotonic() - moment) if moment else 0

    # ---- the child's side

    def counted(self, items: Iterable[T]) -> Iterator[T]:
        """The items, counted as keys. O(1) each."""
        number = 0
        for number, item in enumerate(items, 1):
            yield item
            if number % BATCH == 0:
                self._add(BATCH)
        self._add(number % BATCH)

    def _add(self, keys: int) -> None:
        done, copied, peak, moment = self._read()
        started = time.monotonic()
        if started >= self._next_look:
            copied = private_bytes()
            peak = max(peak, copied)
            moment = time.monotonic()
            self._next_look = moment + max(PAUSE_SECONDS, DUTY * (moment - started))
        FORM.pack_into(self._memory, 0, done + keys, copied, peak, moment)


def private_bytes() -> int:
    """How much memory this process has that it shares with nobody: after a fork, what was copied."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * 1024
    return 0
