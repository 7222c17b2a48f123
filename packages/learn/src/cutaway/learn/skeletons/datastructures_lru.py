"""Exercise datastructures.lru: which key was not wanted for longest, when nobody kept a list?

An exact LRU cache relinks a list at every read. Redis keeps no list: each key has a stamp of its last use, and when memory runs out
a few random keys are looked at. The trick is what happens to those that were looked at and not evicted: the best of them stay in a
small pool, which outlives the call. So a very old key that was met once is not forgotten, and the guess gets nearly as good as the list.

Write the pool.

The contract
  * `offer(score, db, key)`: a sampled key; the higher its score, the better it can be done without. Returns whether it was taken in: if there
    are sixteen already, only a key that is better than the worst of them is, and the worst goes.
  * `take(exists)`: remove the best candidate for which `exists(db, key)` is true, and return (db, key). Those before it that do not exist
    any more are dropped. None if nobody is left.
  * `clear()` forgets all; `len()` counts the candidates.

Check yourself:   python -m cutaway.learn check datastructures.lru
Stuck?            python -m cutaway.learn hint datastructures.lru
"""

from __future__ import annotations

from collections.abc import Callable


class Pool:
    """The best candidates for eviction that were ever met."""

    def __len__(self) -> int:
        raise NotImplementedError

    def offer(self, score: int, db: int, key: bytes) -> bool:
        """Take a sampled key in, if there is room or it is better than the worst; say whether it was."""
        raise NotImplementedError

    def take(self, exists: Callable[[int, bytes], bool]) -> tuple[int, bytes] | None:
        """Remove and return the best candidate that still exists; drop the ghosts before it."""
        raise NotImplementedError

    def clear(self) -> None:
        """Forget every candidate."""
        raise NotImplementedError


def test_the_oldest_goes_first() -> None:
    """The first step."""
    pool = Pool()
    pool.offer(10, 0, b"young")
    pool.offer(99, 0, b"old")
    got = pool.take(lambda _db, _key: True)
    assert got == (0, b"old")
