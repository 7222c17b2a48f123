"""A sorted set's order on the `sortedcontainers` package: a list of short sorted lists.

In C a pointer and a comparison cost a nanosecond each, so a structure is judged by how many it needs. In
CPython each step of a loop costs thirty or more, and each node object a hundred bytes, so what counts is how
few steps are taken in Python and how many are handed to C. Grant Jenks's SortedList is designed for that. It
cuts the sorted sequence into lists of about a thousand, and remembers the last element of each. A search is
two binary searches in C, one over those last elements and one inside a list. An insertion moves half a list
by one place, five hundred pointers, which a `memmove` does in less time than Python takes to follow one link
of a tree. A list that grows past double its load is split, one that shrinks below half of it is merged with
its neighbour.

Ranks come from a second, small tree over the lengths of the lists, built when first asked for and thrown away
when a list is split or merged. That is the weak spot: the first rank after a split costs O(n / load) steps in
C, not O(log n). With 1000 to a list this tree has a thousand leaves for a million pairs, so the weak spot is
small.

Pairs are tuples (score, member), whose comparison in C is exactly the order wanted. Source:
https://grantjenks.com/docs/sortedcontainers/implementation.html
"""

from __future__ import annotations

from bisect import bisect_left
from sys import getsizeof
from typing import TYPE_CHECKING, Any, Final

from sortedcontainers import SortedList  # type: ignore[import-untyped]  # the package ships no types

from .sorted_set_index import SortedSetIndex

if TYPE_CHECKING:
    from collections.abc import Iterator

# A slot in a list and the tuple of two it points to.
BYTES_PER_PAIR: Final = 8 + getsizeof((0.0, b""))


class _AfterAllMembers:
    """Greater than any member: `(score, AFTER_ALL_MEMBERS)` cuts behind all pairs of that score."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


AFTER_ALL_MEMBERS: Final = _AfterAllMembers()


class SortedContainersIndex(SortedSetIndex):
    """The order of a sorted set in a SortedList of (score, member)."""

    __slots__ = ("_pairs",)

    def __init__(self) -> None:
        self._pairs: Any = SortedList()

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[tuple[bytes, float]]:
        for score, member in self._pairs:
            yield member, score

    def __reversed__(self) -> Iterator[tuple[bytes, float]]:
        for score, member in reversed(self._pairs):
            yield member, score

    def insert(self, score: float, member: bytes) -> None:
        """Add a pair whose member is not in the index yet. O(log n) steps, and a `memmove` of half a list."""
        self._pairs.add((score, member))

    def remove(self, score: float, member: bytes) -> bool:
        """Take out exactly this pair; False if it is not there. O(log n) steps, and a `memmove`."""
        try:
            self._pairs.remove((score, member))
        except ValueError:
            return False
        return True

    def rank(self, score: float, member: bytes) -> int | None:
        """Return how many pairs come before this one, or None if it is not there. O(log n)."""
        try:
            rank: int = self._pairs.index((score, member))
        except ValueError:
            return None
        return rank

    def by_rank(self, rank: int) -> tuple[bytes, float]:
        """Return the pair at `rank`, 0 <= rank < n; IndexError otherwise. O(log n)."""
        if rank < 0:
            raise IndexError(rank)
        score, member = self._pairs[rank]
        return member, score

    def first_at_or_after(self, score: float, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least `score` (more, if `after`); n if none. O(log n)."""
        cut: int = self._pairs.bisect_left((score, AFTER_ALL_MEMBERS if after else b""))
        return cut

    def first_member_at_or_after(self, member: bytes, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least this member (more, if `after`).

        O(log n) where all scores are equal, as they should be; else O(log² n), a binary search by rank.
        """
        pairs = self._pairs
        if not pairs:
            return 0
        lowest = pairs[0][0]
        cut: int
        if lowest == pairs[-1][0]:
            cut = pairs.bisect_right((lowest, member)) if after else pairs.bisect_left((lowest, member))
            return cut
        if after:
            # Nothing sorts between a string and itself with a zero byte behind it.
            member += b"\0"
        return bisect_left(pairs, member, key=_member_of)

    def range_by_rank(self, start: int, stop: int, *, reverse: bool = False) -> list[tuple[bytes, float]]:
        """Return the pairs ranked `start` to `stop`, both included, neither negative. O(log n + m)."""
        size = len(self._pairs)
        if stop >= size:
            stop = size - 1
        if start > stop:
            return []
        if reverse:
            start, stop = size - 1 - stop, size - 1 - start
        return [(member, score) for score, member in self._pairs.islice(start, stop + 1, reverse)]

    def delete_range_by_rank(self, start: int, stop: int) -> list[tuple[bytes, float]]:
        """Take out the pairs ranked `start` to `stop`, both included, and return them. O(log n + m)."""
        deleted = self.range_by_rank(start, stop)
        del self._pairs[start : start + len(deleted)]
        return deleted

    def pop_first(self) -> tuple[bytes, float]:
        """Take out the lowest pair and return it; IndexError if there is none."""
        score, member = self._pairs.pop(0)
        return member, score

    def pop_last(self) -> tuple[bytes, float]:
        """Take out the highest pair and return it; IndexError if there is none."""
        score, member = self._pairs.pop()
        return member, score

    def memory_usage(self) -> int:
        """Estimate the bytes of the lists and tuples, without members and scores. O(1)."""
        return getsizeof(self) + getsizeof(self._pairs) + BYTES_PER_PAIR * len(self._pairs)

    def check(self) -> None:
        """Assert the package's own invariants, and that no pair comes twice. O(n)."""
        self._pairs._check()  # noqa: SLF001 - the package's own self-test has this name
        previous = None
        for pair in self._pairs:
            assert previous is None or previous < pair, (previous, pair)
            previous = pair


def _member_of(pair: tuple[float, bytes]) -> bytes:
    return pair[1]
