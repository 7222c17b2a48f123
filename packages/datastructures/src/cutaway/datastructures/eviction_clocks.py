"""Which key was not wanted for longest, told from 24 bits a key.

An exact LRU cache (see `caches`) links all its keys into a list and relinks one at every read. Redis keeps no
list. Each key carries 24 bits that a read overwrites; when memory runs out, a few keys are sampled, and the
best of them go into a small pool of candidates that outlives the call. With five samples a time the keys
evicted are nearly those that exact LRU would choose, at no cost to reads.

What the 24 bits mean depends on the policy:

    LRU                                          LFU
    +------------------------------------+       +--------------------------+-----------+
    | seconds, modulo 2^24 (194 days)    |       | minutes, modulo 2^16     | counter   |
    +------------------------------------+       +--------------------------+-----------+
                    24 bits                                16 bits             8 bits

**LRU.** The idle time is the clock less the key's, in milliseconds. If the clock is behind the key's it has
wrapped, once at the most as far as anybody can tell.

**LFU.** Eight bits count to a third of a million reads, since the counter grows by chance (Morris 1978,
"Counting large numbers of events in small registers"): a read raises counter c with probability
1 / ((c - 5) * factor + 1), where factor is `lfu-log-factor`, 10 unless told otherwise. Redis calls the
counter logarithmic; it follows the square root of the reads. And it must forget, or what was popular
yesterday stays for ever: one is taken off for every `lfu-decay-time` minutes since the counter was last
looked at. New keys begin at 5, so that they are not the first to go.

The formulas are those of evict.c in Redis 7.2, and so is the wrapped clock losing one tick.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

LRU_CLOCK_MAX: Final = (1 << 24) - 1
LRU_CLOCK_RESOLUTION: Final = 1000
"""Milliseconds in one tick of the LRU clock."""
LFU_INIT_VAL: Final = 5
LFU_COUNTER_MAX: Final = 255
LFU_MINUTES_MAX: Final = (1 << 16) - 1
EVICTION_POOL_SIZE: Final = 16


def lru_clock(now_ms: int) -> int:
    """The LRU clock at `now_ms` (milliseconds since the epoch): 24 bits of seconds."""
    return now_ms // LRU_CLOCK_RESOLUTION & LRU_CLOCK_MAX


def idle_time(accessed: int, clock: int) -> int:
    """Milliseconds for which a key last read at LRU clock `accessed` has been idle at `clock`."""
    ticks = clock - accessed if clock >= accessed else clock + (LRU_CLOCK_MAX - accessed)
    return ticks * LRU_CLOCK_RESOLUTION


def lfu_minutes(now_ms: int) -> int:
    """The LFU clock at `now_ms` (milliseconds since the epoch): 16 bits of minutes."""
    return now_ms // 60_000 & LFU_MINUTES_MAX


def lfu_minutes_elapsed(since: int, minutes: int) -> int:
    """Minutes from LFU clock `since` to `minutes`, which may have wrapped once."""
    return minutes - since if minutes >= since else minutes + (LFU_MINUTES_MAX - since)


def lfu_new(minutes: int) -> int:
    """The 24 bits of a new key at LFU clock `minutes`."""
    return minutes << 8 | LFU_INIT_VAL


def lfu_counter(bits: int, minutes: int, decay_time: int) -> int:
    """The counter in a key's 24 bits, decayed as of LFU clock `minutes`: what OBJECT FREQ replies.

    One is taken off for each `decay_time` minutes; a decay time of 0 means that nothing is forgotten.
    """
    counter = bits & LFU_COUNTER_MAX
    if not decay_time:
        return counter
    return max(counter - lfu_minutes_elapsed(bits >> 8, minutes) // decay_time, 0)


def lfu_increment(counter: int, log_factor: int, rng: Random) -> int:
    """The counter after one more read: itself, or by chance one more; never above 255."""
    if counter >= LFU_COUNTER_MAX:
        return LFU_COUNTER_MAX
    above = max(counter - LFU_INIT_VAL, 0)
    return counter + 1 if rng.random() * (above * log_factor + 1) < 1 else counter


def lfu_touch(bits: int, minutes: int, log_factor: int, decay_time: int, rng: Random) -> int:
    """A key's 24 bits after a read at LFU clock `minutes`: decayed, then counted up by chance."""
    return minutes << 8 | lfu_increment(lfu_counter(bits, minutes, decay_time), log_factor, rng)


class EvictionPool:
    """The best candidates for eviction met so far, at most 16, the best one last.

    A score says how dispensable a key is: the idle time (LRU), 255 less the counter (LFU), or minus the time
    of expiry (TTL). The pool does not hear of keys that are deleted or read meanwhile; such an entry is a
    ghost, and is recognised when its turn comes.
    """

    __slots__ = ("_keys", "_scores", "size")

    def __init__(self, size: int = EVICTION_POOL_SIZE) -> None:
        """Make an empty pool for so many candidates."""
        self.size = size
        self._scores: list[int] = []
        self._keys: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        """The number of candidates, ghosts included."""
        return len(self._scores)

    def offer(self, score: int, db: int, key: bytes) -> bool:
        """Take a sampled key in if there is room or it beats the worst candidate; return whether it did."""
        index = bisect_left(self._scores, score)
        if len(self._scores) >= self.size:
            if index == 0:
                return False
            del self._scores[0], self._keys[0]
            index -= 1
        self._scores.insert(index, score)
        self._keys.insert(index, (db, key))
        return True

    def take(self, exists: Callable[[int, bytes], bool]) -> tuple[int, bytes] | None:
        """Remove and return the best candidate that still `exists`; drop the ghosts met on the way.

        None means that the pool is empty, and more keys must be sampled.
        """
        while self._keys:
            self._scores.pop()
            db, key = self._keys.pop()
            if exists(db, key):
                return db, key
        return None

    def clear(self) -> None:
        """Forget every candidate, as when the policy changes and scores no longer compare."""
        self._scores.clear()
        self._keys.clear()

    def check(self) -> None:
        """Assert the invariants: in order, and not too many."""
        assert len(self._scores) == len(self._keys) <= self.size
        assert self._scores == sorted(self._scores)
