"""The value of a key of type zset: members, each with a score, in order of score.

Two questions, two structures. A small set is one listpack that answers both (`ListPackIndex`). A set that
outgrows it is held twice over: a `Dict` from member to score answers *what is the score of this member?* in
O(1), and a sorted index answers everything that has to do with order in O(log n). Members and scores are
shared between the two, so what is paid double is pointers only.

The set turns from one form into the other when a member is added that is too long or one too many (see
`zset_max_listpack_value` and `zset_max_listpack_entries` in `limits`). Like Redis it never turns back: a set
that hovers about the limit would otherwise be rebuilt again and again.

Which index the large form uses is a choice, made by whoever composes a server: see `IndexChoice`. OBJECT
ENCODING says "skiplist" with each of them, which is the name of the encoding that clients know.

Scores are floats, infinities included; callers refuse NaN. All lists come as (member, score).
"""

from __future__ import annotations

from dataclasses import dataclass
from sys import getsizeof
from typing import TYPE_CHECKING, ClassVar, Final

from .dicts import Dict
from .limits import DEFAULT_LIMITS, Limits
from .sorted_containers_index import SortedContainersIndex
from .sorted_set_listpacks import ListPackIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from random import Random

    from .listpacks import ListPack
    from .sorted_set_index import SortedSetIndex

# A float object, and what a bytes object takes besides its bytes.
SCORE_BYTES: Final = getsizeof(0.0)
MEMBER_BYTES: Final = getsizeof(b"")
SAMPLES: Final = 5


@dataclass(slots=True)
class IndexChoice:
    """What large sorted sets keep their order in: shared by a keyspace, chosen where it is composed."""

    factory: Callable[[], SortedSetIndex]


DEFAULT_INDEX: Final = IndexChoice(SortedContainersIndex)


class SortedSetValue:
    """A sorted set of n members; m is the number of pairs a call returns, costs are the large form's.

    With `pack` it takes over a listpack of members and scores in order, as found in an RDB file. If that has
    more members than `limits` allow, the set is large from the start.
    """

    __slots__ = ("_choice", "_index", "_limits", "_scores", "_small")

    type_name: ClassVar[str] = "zset"

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        index: IndexChoice = DEFAULT_INDEX,
        pack: ListPack | None = None,
    ) -> None:
        self._limits = limits
        self._choice = index
        # As long as the set is small, `_index` is `_small`; then `_small` is empty and `_scores` there.
        self._small = ListPackIndex(pack)
        self._index: SortedSetIndex = self._small
        self._scores: Dict[bytes, float] | None = None
        if pack is not None and len(self._small) > limits.zset_max_listpack_entries:
            self._become_large(self._small)

    @classmethod
    def from_pairs(
        cls,
        pairs: Iterable[tuple[bytes, float]],
        limits: Limits = DEFAULT_LIMITS,
        index: IndexChoice = DEFAULT_INDEX,
    ) -> SortedSetValue:
        """Return a set of `pairs`, in any order; a member's last score counts. O(n log n)."""
        value = cls(limits, index)
        given = list(pairs)
        value.expect(len(given), max((len(member) for member, _ in given), default=0))
        for member, score in given:
            value.add(member, score)
        return value

    @property
    def encoding(self) -> str:
        """Return "listpack" or "skiplist", the names OBJECT ENCODING has for the two forms."""
        return "listpack" if self._scores is None else "skiplist"

    @property
    def pack(self) -> ListPack | None:
        """Return the listpack of a small set, as an RDB file holds it; None for a large one."""
        return self._small.pack if self._scores is None else None

    @property
    def table(self) -> Dict[bytes, float] | None:
        """Return the hash table from member to score; None for a small set."""
        return self._scores

    @property
    def index(self) -> SortedSetIndex:
        """Return the structure that holds the order now, to look at."""
        return self._index

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, member: bytes) -> bool:
        return self.score(member) is not None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the members in order; the set must not change meanwhile."""
        for member, _ in self._index:
            yield member

    def items(self) -> Iterator[tuple[bytes, float]]:
        """Yield all pairs in ascending order; the set must not change meanwhile."""
        return iter(self._index)

    def reverse_items(self) -> Iterator[tuple[bytes, float]]:
        """Yield all pairs in descending order; the set must not change meanwhile."""
        return reversed(self._index)

    def score(self, member: bytes) -> float | None:
        """Return the score of `member`, or None. O(1)."""
        scores = self._scores
        return self._small.score(member) if scores is None else scores.get(member)

    def add(self, member: bytes, score: float) -> bool:
        """Give `member` this score; return True if the member is new. The score is not NaN. O(log n)."""
        return self.exchange(member, score) is None

    def exchange(self, member: bytes, score: float) -> float | None:
        """Give `member` this score, and return the one it had; None if it is new. O(log n)."""
        scores = self._scores
        old = self._small.score(member) if scores is None else scores.get(member)
        if old == score:
            return old
        if old is None:
            if scores is None and not self._has_room_for(member):
                scores = self._become_large(self._small)
        elif scores is None:
            self._small.remove_member(member)
        else:
            self._index.remove(old, member)
        self._index.insert(score, member)
        if scores is not None:
            scores[member] = score
        return old

    def expect(self, count: int, length: int = 0) -> None:
        """Prepare for `count` members at once of up to `length` bytes: large at once if they are too many.

        As ZADD it counts arguments, not members that will turn out to be new.
        """
        limits = self._limits
        if self._scores is None and (
            count > limits.zset_max_listpack_entries or length > limits.zset_max_listpack_value
        ):
            self._become_large(self._small)

    def remove(self, member: bytes) -> bool:
        """Take `member` out; return whether it was in. O(log n)."""
        if self._scores is None:
            return self._small.remove_member(member)
        score = self._scores.pop(member, None)
        if score is None:
            return False
        self._index.remove(score, member)
        return True

    def rank(self, member: bytes, *, reverse: bool = False) -> int | None:
        """Return the member's rank from 0 (from the highest, if `reverse`), or None. O(log n)."""
        score = self.score(member)
        if score is None:
            return None
        rank = self._index.rank(score, member)
        return len(self._index) - 1 - rank if reverse and rank is not None else rank

    def range_by_rank(self, start: int, stop: int, *, reverse: bool = False) -> list[tuple[bytes, float]]:
        """Return the pairs ranked `start` to `stop`, both included, neither negative. O(log n + m)."""
        return self._index.range_by_rank(start, stop, reverse=reverse)

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
        """Return the pairs with a score in the interval, then LIMIT (count < 0: all). O(log n + m)."""
        first, end = self._index.score_cuts(min, max, min_open=min_open, max_open=max_open)
        return self._index.between(first, end, reverse=reverse, offset=offset, count=count)

    def count_by_score(
        self, min: float, max: float, *, min_open: bool = False, max_open: bool = False
    ) -> int:
        """Return how many members have a score in the interval. O(log n)."""
        return self._index.count_by_score(min, max, min_open=min_open, max_open=max_open)

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
        """Return the pairs with a member in the interval, all scores being equal. O(log n + m).

        None is unbounded on its side: "-" as `min`, "+" as `max`. The other way round nothing can be in the
        interval, and callers need not ask.
        """
        first, end = self._index.lex_cuts(min, max, min_open=min_open, max_open=max_open)
        return self._index.between(first, end, reverse=reverse, offset=offset, count=count)

    def count_by_lex(
        self, min: bytes | None, max: bytes | None, *, min_open: bool = False, max_open: bool = False
    ) -> int:
        """Return how many members are in the interval, as `range_by_lex` understands it. O(log n)."""
        return self._index.count_by_lex(min, max, min_open=min_open, max_open=max_open)

    def remove_range_by_rank(self, start: int, stop: int) -> list[tuple[bytes, float]]:
        """Take out the pairs ranked `start` to `stop`, both included, and return them. O(m log n)."""
        removed = self._index.delete_range_by_rank(start, stop)
        if self._scores is not None:
            for member, _ in removed:
                del self._scores[member]
        return removed

    def remove_range_by_score(
        self, min: float, max: float, *, min_open: bool = False, max_open: bool = False
    ) -> list[tuple[bytes, float]]:
        """Take out the pairs with a score in the interval, and return them. O(m log n)."""
        first, end = self._index.score_cuts(min, max, min_open=min_open, max_open=max_open)
        return self.remove_range_by_rank(first, end - 1)

    def remove_range_by_lex(
        self, min: bytes | None, max: bytes | None, *, min_open: bool = False, max_open: bool = False
    ) -> list[tuple[bytes, float]]:
        """Take out the pairs with a member in the interval, and return them. O(m log n)."""
        first, end = self._index.lex_cuts(min, max, min_open=min_open, max_open=max_open)
        return self.remove_range_by_rank(first, end - 1)

    def pop_min(self, n: int = 1) -> list[tuple[bytes, float]]:
        """Take out up to `n` lowest pairs and return them, ascending. O(m log n)."""
        return self._pop(n, self._index.pop_first)

    def pop_max(self, n: int = 1) -> list[tuple[bytes, float]]:
        """Take out up to `n` highest pairs and return them, descending. O(m log n)."""
        return self._pop(n, self._index.pop_last)

    def scan(self, cursor: int, count: int = 10) -> tuple[int, list[tuple[bytes, float]]]:
        """Return (next cursor, pairs): a part of the set, all of it if followed from 0 back to 0.

        What stays in the set all the while is returned at least once. A small set comes whole. O(count).
        """
        if self._scores is None:
            return 0, list(self._index)
        return self._scores.scan(cursor, count)

    def random_items(self, count: int, rng: Random) -> list[tuple[bytes, float]]:
        """Return pairs drawn by lot, every member being equally likely: what ZRANDMEMBER calls `count`.

        A positive count gives distinct members, at most n of them; a negative one exactly -count, with
        repetitions. O(m log n): ranks are drawn, and looked up.
        """
        size = len(self._index)
        if not size:
            return []
        if count >= size:
            return list(self._index)
        ranks = rng.sample(range(size), count) if count >= 0 else [rng.randrange(size) for _ in range(-count)]
        if self._scores is None and len(ranks) > 1:
            pairs = list(self._index)
            return [pairs[rank] for rank in ranks]
        return [self._index.by_rank(rank) for rank in ranks]

    def copy(self) -> SortedSetValue:
        """Return another set with the same members, scores and encoding. O(n log n); small: O(bytes)."""
        other = SortedSetValue(self._limits, self._choice)
        if self._scores is None:
            other._index = other._small = ListPackIndex(self._small.pack.copy())
        else:
            other._become_large(self._index)
        return other

    def dismantle(self) -> Iterator[object]:
        """Take the value apart, a bounded piece with each step; it must not be used any more. For freeing large ones."""
        if self._scores is not None:
            yield from self._scores.dismantle()
            while len(self._index):
                yield self._index.pop_last()

    def memory_usage(self, samples: int = SAMPLES) -> int:
        """Estimate the process bytes, members judged by `samples` of them (0: by all). O(samples)."""
        total = getsizeof(self) + self._index.memory_usage()
        size = len(self._index)
        if self._scores is None or not size:
            return total
        looked_at = size if samples == 0 else min(samples, size)
        lengths = [len(member) for member, _ in self._index.range_by_rank(0, looked_at - 1)]
        mean = sum(lengths) // looked_at
        return total + self._scores.memory_usage() + size * (SCORE_BYTES + MEMBER_BYTES + mean)

    def check(self) -> None:
        """Assert that the index is sound, and that index and Dict hold the same. For tests. O(n)."""
        self._index.check()
        if self._scores is None:
            assert self._index is self._small, "small, but not a listpack"
            return
        self._scores.check()
        assert self._index is not self._small, "large, but a listpack"
        assert not len(self._small), "large, and yet in a listpack"
        assert dict(self._index) == dict(self._scores.items()), "index and Dict differ"

    def _has_room_for(self, member: bytes) -> bool:
        """Whether a small set stays one with this new member."""
        limits = self._limits
        return (
            len(self._small) < limits.zset_max_listpack_entries
            and len(member) <= limits.zset_max_listpack_value
        )

    def _become_large(self, pairs: Iterable[tuple[bytes, float]]) -> Dict[bytes, float]:
        scores: Dict[bytes, float] = Dict()
        index = self._choice.factory()
        for member, score in pairs:
            scores[member] = score
            index.insert(score, member)
        self._scores = scores
        self._index = index
        self._small = ListPackIndex()
        return scores

    def _pop(self, n: int, pop: Callable[[], tuple[bytes, float]]) -> list[tuple[bytes, float]]:
        size = len(self._index)
        popped = [pop()] if n == 1 and size else [pop() for _ in range(min(n, size))]
        if self._scores is not None:
            for member, _ in popped:
                del self._scores[member]
        return popped
