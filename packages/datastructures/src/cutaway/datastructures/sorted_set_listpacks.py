"""A small sorted set's order in a listpack: member, score, member, score …, in ascending order.

A hundred pairs need no structure. Redis writes them one behind the other into a listpack and reads from end
to end whenever it is asked something, because a walk over two kilobytes costs less than the memory of nodes
and links for millions of small sets. So here everything is O(n), with n bounded by
`zset-max-listpack-entries`, and the trick is only to let C do the reading: a member is found by a search for
its bytes, and an order by decoding the whole run at once and bisecting the result.

A score is stored as an integer where it is one, and as the shortest decimal that reads back as the same float
where it is not (`score_text`). The sign of a zero is lost on the way, as in Redis: -0.0 is an integer and
comes back as 0.0.
"""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Final

from .listpacks import ListPack
from .sorted_set_index import SortedSetIndex

if TYPE_CHECKING:
    from collections.abc import Iterator

# Integral scores up to this size are written as integers (LLONG_MAX / 2, as a float).
INTEGRAL: Final = 2.0**62


def score_text(score: float) -> bytes:
    """Return the text of a score in a listpack: b"3", b"-0.5", b"1.5e+300", b"inf".

    It is the shortest decimal that reads back as the same float, laid out as Redis does: positional, unless
    that takes many zeros, or seven digits and more behind the point of a number outside 0.001 to 10000. NaN
    has none. O(1).
    """
    if -INTEGRAL <= score <= INTEGRAL and score == int(score):
        return b"%d" % int(score)
    if 0.001 <= score < 10000.0 or -10000.0 < score <= -0.001:
        return repr(score).encode()
    if score in (inf, -inf):
        return b"inf" if score > 0 else b"-inf"
    return _laid_out(score)


def _laid_out(score: float) -> bytes:
    sign, digit_tuple, last = Decimal(repr(score)).normalize().as_tuple()
    assert isinstance(last, int)
    digits = "".join(map(str, digit_tuple))
    exponent = last + len(digits) - 1
    minus = "-" if sign else ""
    if last >= 0 and exponent < len(digits) + 7:
        return f"{minus}{digits}{'0' * last}".encode()
    if -7 < last < 0 or (last < 0 and abs(exponent) < 4):
        digits = digits.rjust(1 - last, "0")
        return f"{minus}{digits[:last]}.{digits[last:]}".encode()
    point = "." if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{point}{digits[1:]}e{exponent:+d}".encode()


class ListPackIndex(SortedSetIndex):
    """The order of a small sorted set, and its scores, in one listpack. Methods are O(bytes)."""

    __slots__ = ("pack",)

    def __init__(self, pack: ListPack | None = None) -> None:
        """Take over `pack`, whose entries must be members and scores in order; or begin with an empty one."""
        self.pack: ListPack = ListPack() if pack is None else pack

    def __len__(self) -> int:
        return len(self.pack) >> 1

    def __iter__(self) -> Iterator[tuple[bytes, float]]:
        elements = self.pack.to_list()
        return zip(elements[::2], map(float, elements[1::2]), strict=True)

    def __reversed__(self) -> Iterator[tuple[bytes, float]]:
        return reversed(list(self))

    def score(self, member: bytes) -> float | None:
        """Return the score of `member`, or None."""
        pack = self.pack
        position = pack.find(member, 0, 1)
        return None if position < 0 else float(pack.get_value(pack.next(position)))

    def insert(self, score: float, member: bytes) -> None:
        """Write a pair, whose member is not in the set yet, where it belongs."""
        pack = self.pack
        last = pack.last()
        if last < 0 or float(pack.get_value(last)) < score:
            pack.append(member)
            pack.append(score_text(score))
            return
        position = pack.seek(2 * bisect_left(self._pairs(), (score, member)))
        position = pack.insert_at(position, score_text(score))
        pack.insert_at(position, member)

    def remove(self, score: float, member: bytes) -> bool:
        """Cut out exactly this pair; False if it is not there."""
        pack = self.pack
        position = pack.find(member, 0, 1)
        if position < 0 or float(pack.get_value(pack.next(position))) != score:
            return False
        pack.delete_at(position, 2)
        return True

    def remove_member(self, member: bytes) -> bool:
        """Cut out the pair of `member`, whatever its score; False if there is none."""
        position = self.pack.find(member, 0, 1)
        if position < 0:
            return False
        self.pack.delete_at(position, 2)
        return True

    def rank(self, score: float, member: bytes) -> int | None:
        """Return how many pairs come before this one, or None if it is not there."""
        pairs = self._pairs()
        rank = bisect_left(pairs, (score, member))
        return rank if rank < len(pairs) and pairs[rank] == (score, member) else None

    def by_rank(self, rank: int) -> tuple[bytes, float]:
        """Return the pair at `rank`, 0 <= rank < n; IndexError otherwise."""
        pack = self.pack
        position = pack.seek(2 * rank) if rank >= 0 else -1
        if position < 0:
            raise IndexError(rank)
        return pack.get(position), float(pack.get_value(pack.next(position)))

    def first_at_or_after(self, score: float, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least `score` (more, if `after`); n if none."""
        scores = map(float, self.pack.to_list()[1::2])
        return sum(other < score or (after and other == score) for other in scores)

    def first_member_at_or_after(self, member: bytes, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least this member (more, if `after`)."""
        members = self.pack.to_list()[::2]
        return bisect_left(members, member + b"\0" if after else member)

    def range_by_rank(self, start: int, stop: int, *, reverse: bool = False) -> list[tuple[bytes, float]]:
        """Return the pairs ranked `start` to `stop`, both included, neither negative."""
        size = len(self)
        stop = min(stop, size - 1)
        if start > stop:
            return []
        if reverse:
            start, stop = size - 1 - stop, size - 1 - start
        count = stop - start + 1
        elements = self.pack.to_list(self.pack.seek(2 * start) if start else 0, 2 * count)
        pairs = list(zip(elements[::2], map(float, elements[1::2]), strict=True))
        if reverse:
            pairs.reverse()
        return pairs

    def delete_range_by_rank(self, start: int, stop: int) -> list[tuple[bytes, float]]:
        """Cut out the pairs ranked `start` to `stop`, both included, and return them."""
        deleted = self.range_by_rank(start, stop)
        if deleted:
            self.pack.delete_at(self.pack.seek(2 * start), 2 * len(deleted))
        return deleted

    def pop_first(self) -> tuple[bytes, float]:
        """Cut out the lowest pair and return it; IndexError if there is none."""
        member = self.pack.pop_first()
        return member, float(self.pack.pop_first())

    def pop_last(self) -> tuple[bytes, float]:
        """Cut out the highest pair and return it; IndexError if there is none."""
        score = float(self.pack.pop_last())
        return self.pack.pop_last(), score

    def memory_usage(self) -> int:
        """Return the bytes of the listpack in this process, members and scores included. O(1)."""
        return self.pack.memory_usage()

    def check(self) -> None:
        """Assert that the listpack is sound and holds pairs in ascending order."""
        self.pack.check()
        pairs = self._pairs()
        assert len(self.pack) == 2 * len(pairs), "a member has no score"
        assert all(a < b for a, b in pairwise(pairs)), "out of order"

    def _pairs(self) -> list[tuple[float, bytes]]:
        elements = self.pack.to_list()
        return list(zip(map(float, elements[1::2]), elements[::2], strict=True))
