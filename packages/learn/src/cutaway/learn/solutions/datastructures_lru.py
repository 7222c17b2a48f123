"""A solution of datastructures.lru: a list kept in order, the best candidate last."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable

SIZE = 16


class Pool:
    """The best candidates for eviction that were ever met."""

    def __init__(self) -> None:
        self._candidates: list[tuple[int, int, bytes]] = []

    def __len__(self) -> int:
        return len(self._candidates)

    def offer(self, score: int, db: int, key: bytes) -> bool:
        """Take a sampled key in, if there is room or it is better than the worst; say whether it was."""
        if len(self._candidates) == SIZE:
            if score <= self._candidates[0][0]:
                return False
            del self._candidates[0]
        insort(self._candidates, (score, db, key))
        return True

    def take(self, exists: Callable[[int, bytes], bool]) -> tuple[int, bytes] | None:
        """Remove and return the best candidate that still exists; drop the ghosts before it."""
        while self._candidates:
            _, db, key = self._candidates.pop()
            if exists(db, key):
                return db, key
        return None

    def clear(self) -> None:
        """Forget every candidate."""
        self._candidates.clear()
