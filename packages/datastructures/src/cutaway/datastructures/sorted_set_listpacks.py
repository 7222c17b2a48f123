"""A small sorted set's order in a listpack: member, score, member, score …, in ascending order.

A hundred pairs need no structure. Redis writes them one behind the other into a listpack and reads from end
to end whenever it is asked something, because a walk over two kilobytes costs less than the memory of nodes
and links for millions of small sets. Here, too, the listpack is the set, and everything is O(n), with n
bounded by `zset-max-listpack-entries`.

**The view.** What C reads in a microsecond takes Python fifty. So a set that is being worked on keeps a
decoded view beside its listpack: the pairs, the score of each member, and the bytes each pair takes in the
listpack. With it a question costs one lookup or bisection, and a change knows its place in the listpack (the
sum of the sizes before it) and is written through at once: the view never holds anything that the listpack
does not. A view weighs ten times the listpack, which would defeat the purpose if every small set had one; so
only the `VIEWS` sets that were decoded last keep theirs, and a set of very few pairs is read without one.

A score is stored as an integer where it is one, and as the shortest decimal that reads back as the same float
where it is not (`score_text`). The sign of a zero is lost on the way, as in Redis: -0.0 is an integer and
comes back as 0.0.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from decimal import Decimal
from itertools import pairwise
from math import inf
from operator import itemgetter
from sys import getsizeof
from typing import TYPE_CHECKING, Final

from .listpack_entries import SMALL_INTEGERS, encode
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


def _encoded(score: float) -> bytes:
    """Return the listpack entry of a score. O(1)."""
    # An integral float is equal to its integer, and so finds it in the table; -0.0 finds 0.
    return SMALL_INTEGERS.get(score) or encode(score_text(score))  # type: ignore[call-overload]


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


class _View:
    """The decoded listpack: pairs in order, each one's bytes in the pack, and the score of each member."""

    __slots__ = ("pairs", "scores", "sizes")

    def __init__(self, pack: ListPack) -> None:
        elements = pack.to_list()
        self.pairs: list[tuple[float, bytes]] = list(
            zip(map(float, elements[1::2]), elements[::2], strict=True)
        )
        self.scores: dict[bytes, float] = {member: score for score, member in self.pairs}
        self.sizes: list[int] = []
        position = 0
        while position >= 0 and self.pairs:
            following = pack.next(pack.next(position))
            end = pack.nbytes - EMPTY_BYTES if following < 0 else following
            self.sizes.append(end - position)
            position = following


EMPTY_BYTES: Final = ListPack().nbytes
FEW: Final = 8  # entries, of four pairs, that are looked through as fast as they are decoded
VIEWS: Final = 512

# The sets that have a view, the one decoded longest ago first.
_decoded: Final[deque[ListPackIndex]] = deque()


class ListPackIndex(SortedSetIndex):
    """The order of a small sorted set, and its scores, in one listpack. O(n), or O(bytes) once decoded."""

    __slots__ = ("_view", "pack")

    def __init__(self, pack: ListPack | None = None) -> None:
        """Take over `pack`, whose entries must be members and scores in order; or begin with an empty one."""
        self.pack: ListPack = ListPack() if pack is None else pack
        self._view: _View | None = None

    def __len__(self) -> int:
        return self.pack.count >> 1

    def __iter__(self) -> Iterator[tuple[bytes, float]]:
        elements = self.pack.to_list()
        return zip(elements[::2], map(float, elements[1::2]), strict=True)

    def __reversed__(self) -> Iterator[tuple[bytes, float]]:
        return reversed(list(self))

    def score(self, member: bytes) -> float | None:
        """Return the score of `member`, or None."""
        view = self._view
        if view is None:
            pack = self.pack
            if pack.count <= FEW:
                position = pack.find_value(member)
                return None if position < 0 else float(pack.get_value(position))
            view = self._decode()
        return view.scores.get(member)

    def insert(self, score: float, member: bytes) -> None:
        """Write a pair, whose member is not in the set yet, where it belongs."""
        pack = self.pack
        view = self._view
        entries = encode(member) + _encoded(score)
        if view is None:
            last = pack.last()
            if last < 0 or float(pack.get_value(last)) < score:
                pack.splice(len(pack.entries), 0, entries, 2)
                return
            view = self._decode()
        score += 0.0  # which takes the sign off a zero
        pairs, sizes = view.pairs, view.sizes
        pair = (score, member)
        view.scores[member] = score
        if pairs and pair < pairs[-1]:
            rank = bisect_left(pairs, pair)
            pack.splice(sum(sizes[:rank]), 0, entries, 2)
            pairs.insert(rank, pair)
            sizes.insert(rank, len(entries))
        else:
            pack.splice(len(pack.entries), 0, entries, 2)
            pairs.append(pair)
            sizes.append(len(entries))

    def remove(self, score: float, member: bytes) -> bool:
        """Cut out exactly this pair; False if it is not there."""
        return self.score(member) == score and self.remove_member(member)

    def remove_member(self, member: bytes) -> bool:
        """Cut out the pair of `member`, whatever its score; False if there is none."""
        view = self._view
        if view is None and self.pack.count <= FEW:
            position = self.pack.find(member, 0, 1)
            if position >= 0:
                self.pack.delete_at(position, 2)
            return position >= 0
        view = view or self._decode()
        score = view.scores.pop(member, None)
        if score is None:
            return False
        rank = bisect_left(view.pairs, (score, member))
        self.pack.splice(sum(view.sizes[:rank]), view.sizes[rank], b"", -2)
        del view.pairs[rank], view.sizes[rank]
        return True

    def rank(self, score: float, member: bytes) -> int | None:
        """Return how many pairs come before this one, or None if it is not there."""
        pairs = (self._view or self._decode()).pairs
        rank = bisect_left(pairs, (score, member))
        return rank if rank < len(pairs) and pairs[rank] == (score, member) else None

    def by_rank(self, rank: int) -> tuple[bytes, float]:
        """Return the pair at `rank`, 0 <= rank < n; IndexError otherwise."""
        pack = self.pack
        if self._view is not None and 0 <= rank < len(self):
            score, member = self._view.pairs[rank]
            return member, score
        position = pack.seek(2 * rank) if rank >= 0 else -1
        if position < 0:
            raise IndexError(rank)
        return pack.get(position), float(pack.get_value(pack.next(position)))

    def first_at_or_after(self, score: float, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least `score` (more, if `after`); n if none."""
        bisect = bisect_right if after else bisect_left
        return bisect((self._view or self._decode()).pairs, score, key=itemgetter(0))

    def first_member_at_or_after(self, member: bytes, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least this member (more, if `after`)."""
        bisect = bisect_right if after else bisect_left
        return bisect((self._view or self._decode()).pairs, member, key=itemgetter(1))

    def range_by_rank(self, start: int, stop: int, *, reverse: bool = False) -> list[tuple[bytes, float]]:
        """Return the pairs ranked `start` to `stop`, both included, neither negative."""
        size = len(self)
        stop = min(stop, size - 1)
        if start > stop:
            return []
        if reverse:
            start, stop = size - 1 - stop, size - 1 - start
        view = self._view or self._decode()
        pairs = [(member, score) for score, member in view.pairs[start : stop + 1]]
        if reverse:
            pairs.reverse()
        return pairs

    def delete_range_by_rank(self, start: int, stop: int) -> list[tuple[bytes, float]]:
        """Cut out the pairs ranked `start` to `stop`, both included, and return them."""
        deleted = self.range_by_rank(start, stop)
        if deleted:
            self._delete(self._view or self._decode(), start, start + len(deleted))
        return deleted

    def pop_first(self) -> tuple[bytes, float]:
        """Cut out the lowest pair and return it; IndexError if there is none."""
        view = self._view
        if view is None:
            member = self.pack.pop_first()
            return member, float(self.pack.pop_first())
        score, member = view.pairs.pop(0)
        del view.scores[member]
        self.pack.splice(0, view.sizes.pop(0), b"", -2)
        return member, score

    def pop_last(self) -> tuple[bytes, float]:
        """Cut out the highest pair and return it; IndexError if there is none."""
        view = self._view
        if view is None:
            score = float(self.pack.pop_last())
            return self.pack.pop_last(), score
        score, member = view.pairs.pop()
        del view.scores[member]
        size = view.sizes.pop()
        self.pack.splice(len(self.pack.entries) - size, size, b"", -2)
        return member, score

    def memory_usage(self) -> int:
        """Return the bytes of the listpack in this process. O(1).

        A view is not counted: it is a cache, of which there are few, and may be gone the next moment.
        """
        return getsizeof(self) + self.pack.memory_usage()

    def check(self) -> None:
        """Assert that the listpack is sound and in ascending order, and that a view says the same."""
        self.pack.check()
        fresh = _View(self.pack)
        assert len(self.pack) == 2 * len(fresh.pairs), "a member has no score"
        assert all(a < b for a, b in pairwise(fresh.pairs)), "out of order"
        assert sum(fresh.sizes) == self.pack.nbytes - EMPTY_BYTES, "the sizes do not add up"
        view = self._view
        if view is not None:
            assert view.pairs == fresh.pairs, "the view is stale"
            assert (view.sizes, view.scores) == (fresh.sizes, fresh.scores), "the view is stale"
            assert self in _decoded, "a view that nobody will take away"

    def _decode(self) -> _View:
        """Make the view; beyond `VIEWS`, the set decoded longest ago loses its own."""
        if len(_decoded) >= VIEWS:
            _decoded.popleft()._view = None  # noqa: SLF001 - another of this class
        _decoded.append(self)
        self._view = view = _View(self.pack)
        return view

    def _delete(self, view: _View, first: int, end: int) -> None:
        self.pack.delete_at(sum(view.sizes[:first]), 2 * (end - first))
        for _, member in view.pairs[first:end]:
            del view.scores[member]
        del view.pairs[first:end]
        del view.sizes[first:end]
