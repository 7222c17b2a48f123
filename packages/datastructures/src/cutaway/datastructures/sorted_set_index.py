"""The contract of a sorted set's order: pairs kept sorted, and found by rank, score or member.

A sorted set answers two kinds of question. *What is the score of this member?* is a hash table's. *Who is
tenth? Who has between 3 and 5 points? How many are ahead of me?* needs an order, and this module says what
that order must be able to do. Three bodies keep the contract, each a different answer to the same difficulty,
and a fourth keeps it for sets small enough not to have the difficulty:

======================= ================================================ =====================
`SkipList`              linked list with random express lanes            what Redis uses
`AVLTree`               binary tree, rebalanced at every step            the textbook's answer
`SortedContainersIndex` list of short sorted lists                       the one that suits CPython
`ListPackIndex`         one run of bytes, read from end to end           small sets
======================= ================================================ =====================

**The order.** Pairs ascend by score, and pairs of equal score ascend by member, byte by byte. So no two pairs
are equal as long as no member comes twice, and who inserts sees to that (a sorted set asks its hash table
first). Scores are floats, infinities included. NaN compares with nothing and would break any order, so
callers refuse it.

**Order statistics.** A rank is the number of pairs before a pair, counted from 0. A plain sorted structure
finds a pair in O(log n) but would have to count to tell its rank. Each body here therefore carries counts
along its links: spans in the skip list, subtree sizes in the tree, list lengths in the list of lists. A
search adds up what it jumps over, and the rank falls out of the search for nothing.

**Everything is a rank.** That is why the contract is short at heart. A bound on the score or on the member is
turned into the rank where it would cut the order. Then a count is a difference of two cuts, a range is the
pairs between two cuts, a page (`offset`, `count`) moves the cuts, and reversing it counts them from the other
end. A body supplies the two cuts (`first_at_or_after`, `first_member_at_or_after`) and `range_by_rank`; the
rest is written once, below.

Pairs go in as `(score, member)`, the order they are compared in, and come out as `(member, score)`, the order
of the Redis manual.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class SortedSetIndex(Protocol):
    """Pairs of (score, member), sorted; n is their number and m that of the pairs a call returns."""

    __slots__ = ()

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of pairs. O(1)."""

    @abstractmethod
    def __iter__(self) -> Iterator[tuple[bytes, float]]:
        """Yield (member, score) in ascending order; the index must not change meanwhile."""

    @abstractmethod
    def __reversed__(self) -> Iterator[tuple[bytes, float]]:
        """Yield (member, score) in descending order; the index must not change meanwhile."""

    @abstractmethod
    def insert(self, score: float, member: bytes) -> None:
        """Add a pair whose member is not in the index yet, and whose score is not NaN. O(log n)."""

    @abstractmethod
    def remove(self, score: float, member: bytes) -> bool:
        """Take out exactly this pair; False if it is not there. O(log n)."""

    @abstractmethod
    def rank(self, score: float, member: bytes) -> int | None:
        """Return how many pairs come before this one, or None if it is not there. O(log n)."""

    @abstractmethod
    def by_rank(self, rank: int) -> tuple[bytes, float]:
        """Return the pair at `rank`, 0 <= rank < n; IndexError otherwise. O(log n)."""

    @abstractmethod
    def first_at_or_after(self, score: float, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least `score` (more, if `after`); n if none. O(log n)."""

    @abstractmethod
    def first_member_at_or_after(self, member: bytes, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least this member (more, if `after`). O(log n).

        It looks at members only, so the answer means something only where members ascend along the whole
        order: when all scores are equal, as ZRANGEBYLEX demands.
        """

    @abstractmethod
    def range_by_rank(self, start: int, stop: int, *, reverse: bool = False) -> list[tuple[bytes, float]]:
        """Return the pairs ranked `start` to `stop`, both included, neither negative. O(log n + m).

        With `reverse`, ranks count from the highest pair and the pairs descend. What lies past the end is
        cut off.
        """

    @abstractmethod
    def delete_range_by_rank(self, start: int, stop: int) -> list[tuple[bytes, float]]:
        """Take out the pairs ranked `start` to `stop`, both included, and return them. O(m log n)."""

    @abstractmethod
    def pop_first(self) -> tuple[bytes, float]:
        """Take out the lowest pair and return it; IndexError if there is none. O(log n)."""

    @abstractmethod
    def pop_last(self) -> tuple[bytes, float]:
        """Take out the highest pair and return it; IndexError if there is none. O(log n)."""

    @abstractmethod
    def memory_usage(self) -> int:
        """Estimate the bytes of the structure in this process, without members and scores. O(1)."""

    @abstractmethod
    def check(self) -> None:
        """Assert every invariant of the structure; for tests. O(n)."""

    def score_cuts(
        self, min: float, max: float, *, min_open: bool = False, max_open: bool = False
    ) -> tuple[int, int]:
        """Return (first, end): pairs with a score in the interval have first <= rank < end. O(log n)."""
        first = self.first_at_or_after(min, after=min_open)
        end = self.first_at_or_after(max, after=not max_open)
        return (first, end) if first < end else (first, first)

    def lex_cuts(
        self, min: bytes | None, max: bytes | None, *, min_open: bool = False, max_open: bool = False
    ) -> tuple[int, int]:
        """Return (first, end) as `score_cuts` does, for members; None is "-" or "+". O(log n)."""
        first = 0 if min is None else self.first_member_at_or_after(min, after=min_open)
        end = len(self) if max is None else self.first_member_at_or_after(max, after=not max_open)
        return (first, end) if first < end else (first, first)

    def between(
        self, first: int, end: int, *, reverse: bool = False, offset: int = 0, count: int = -1
    ) -> list[tuple[bytes, float]]:
        """Return the pairs with first <= rank < end, paged: skip `offset`, then at most `count` (< 0: all).

        O(log n + m), however large the offset. With `reverse` they descend, and `offset` skips the highest.
        """
        size = end - first - offset
        if 0 <= count < size:
            size = count
        if size <= 0 or offset < 0:
            return []
        start = (len(self) - end if reverse else first) + offset
        return self.range_by_rank(start, start + size - 1, reverse=reverse)

    def range_by_score(
        self,
        min: float,
        max: float,
        *,
        min_open: bool = False,
        max_open: bool = False,
        reverse: bool = False,
        offset: int = 0,
        count: int = -1,
    ) -> list[tuple[bytes, float]]:
        """Return the pairs with a score in the interval, paged as `between` does. O(log n + m)."""
        first, end = self.score_cuts(min, max, min_open=min_open, max_open=max_open)
        return self.between(first, end, reverse=reverse, offset=offset, count=count)

    def count_by_score(
        self, min: float, max: float, *, min_open: bool = False, max_open: bool = False
    ) -> int:
        """Return how many pairs have a score in the interval. O(log n)."""
        first, end = self.score_cuts(min, max, min_open=min_open, max_open=max_open)
        return end - first

    def range_by_lex(
        self,
        min: bytes | None,
        max: bytes | None,
        *,
        min_open: bool = False,
        max_open: bool = False,
        reverse: bool = False,
        offset: int = 0,
        count: int = -1,
    ) -> list[tuple[bytes, float]]:
        """Return the pairs with a member in the interval, paged as `between` does. O(log n + m)."""
        first, end = self.lex_cuts(min, max, min_open=min_open, max_open=max_open)
        return self.between(first, end, reverse=reverse, offset=offset, count=count)

    def count_by_lex(
        self, min: bytes | None, max: bytes | None, *, min_open: bool = False, max_open: bool = False
    ) -> int:
        """Return how many pairs have a member in the interval. O(log n)."""
        first, end = self.lex_cuts(min, max, min_open=min_open, max_open=max_open)
        return end - first
