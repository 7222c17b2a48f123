"""Ranges of sorted sets: by rank, by score, by member.

ZRANGE can do it all; the commands before it (ZRANGEBYSCORE, ZREVRANGE, ...) are ZRANGE with some of its options fixed. So
there is one `RangeQuery`, which is parsed from either form and then asked of a set. Its three kinds:

* by rank: two integers, negative ones counted from the end;
* by score: two numbers, each with "(" before it if it is itself to be left out;
* by member ("lex"), which means something only where all scores are equal: "[abc" or "(abc", "-" for the least and "+"
  for the greatest possible member.

With REV, the order is turned round, and by score and by member the greater bound is given first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import OW, RO, RW
from cutaway.commands.sorted_sets import sorted_sets
from cutaway.datastructures import SortedSetValue
from cutaway.resp import Pairs, Reply

LIMIT_BY_RANK: Final = errors.CommandError(
    "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
)
SCORES_BY_LEX: Final = errors.CommandError(
    "ERR syntax error, WITHSCORES not supported in combination with BYLEX"
)

Members = list[tuple[bytes, float]]


# ---- bounds


class ScoreBounds:
    """An interval of scores: "1.5", "(1.5", "-inf"."""

    __slots__ = ("max", "max_open", "min", "min_open")

    def __init__(self, low: bytes, high: bytes) -> None:
        self.min, self.min_open = self._parse(low)
        self.max, self.max_open = self._parse(high)

    @staticmethod
    def _parse(text: bytes) -> tuple[float, bool]:
        is_open = text[:1] == b"("
        digits = (text[1:] if is_open else text).partition(b"\0")[0]
        score = (
            arguments.strtod(digits) if digits else 0.0
        )  # to C the empty string, and one that starts with NUL, is 0
        if score is None:
            raise errors.MIN_OR_MAX_NOT_A_FLOAT
        return score, is_open

    def select(self, value: SortedSetValue, offset: int, count: int, *, reverse: bool) -> Members:
        """The pairs within, at most `count` after the first `offset` of them. O(log(n)+m) for m returned."""
        return value.range_by_score(
            self.min,
            self.max,
            min_open=self.min_open,
            max_open=self.max_open,
            reverse=reverse,
            offset=offset,
            count=count,
        )

    def count(self, value: SortedSetValue) -> int:
        """How many pairs are within. O(log(n))."""
        return value.count_by_score(self.min, self.max, min_open=self.min_open, max_open=self.max_open)

    def remove(self, value: SortedSetValue) -> int:
        """Take out the pairs within. O(m*log(n)) for m of them."""
        return len(
            value.remove_range_by_score(self.min, self.max, min_open=self.min_open, max_open=self.max_open)
        )


class LexBounds:
    """An interval of members: "[abc", "(abc", "-", "+"."""

    __slots__ = ("is_empty", "max", "max_open", "min", "min_open")

    def __init__(self, low: bytes, high: bytes) -> None:
        self.min, self.min_open = self._parse(low)
        self.max, self.max_open = self._parse(high)
        self.is_empty = low[:1] == b"+" or high[:1] == b"-"
        """Nothing is beyond the greatest member, nor before the least; not even these two are members."""

    @staticmethod
    def _parse(text: bytes) -> tuple[bytes | None, bool]:
        kind = text[:1]
        if kind in (b"[", b"("):
            return text[1:], kind == b"("
        if kind in (b"-", b"+") and text[1:2] in (b"", b"\0"):
            return None, False
        raise errors.MIN_OR_MAX_NOT_A_LEX_RANGE

    def select(self, value: SortedSetValue, offset: int, count: int, *, reverse: bool) -> Members:
        """The pairs within, at most `count` after the first `offset` of them. O(log(n)+m) for m returned."""
        if self.is_empty:
            return []
        return value.range_by_lex(
            self.min,
            self.max,
            min_open=self.min_open,
            max_open=self.max_open,
            reverse=reverse,
            offset=offset,
            count=count,
        )

    def count(self, value: SortedSetValue) -> int:
        """How many pairs are within. O(log(n))."""
        if self.is_empty:
            return 0
        return value.count_by_lex(self.min, self.max, min_open=self.min_open, max_open=self.max_open)

    def remove(self, value: SortedSetValue) -> int:
        """Take out the pairs within. O(m*log(n)) for m of them."""
        if self.is_empty:
            return 0
        return len(
            value.remove_range_by_lex(self.min, self.max, min_open=self.min_open, max_open=self.max_open)
        )


class RankBounds:
    """An interval of ranks, both included; negative ones count from the end."""

    __slots__ = ("start", "stop")

    def __init__(self, start: bytes, stop: bytes) -> None:
        self.start = arguments.integer(start)
        self.stop = arguments.integer(stop)

    def _ranks(self, size: int) -> tuple[int, int]:
        start = max(self.start + size, 0) if self.start < 0 else self.start
        stop = self.stop + size if self.stop < 0 else self.stop
        return start, min(stop, size - 1)

    def select(self, value: SortedSetValue, _offset: int, _count: int, *, reverse: bool) -> Members:
        """The pairs within. O(log(n)+m) for m returned."""
        start, stop = self._ranks(len(value))
        return value.range_by_rank(start, stop, reverse=reverse) if start <= stop else []

    def remove(self, value: SortedSetValue) -> int:
        """Take out the pairs within. O(m*log(n)) for m of them."""
        start, stop = self._ranks(len(value))
        return len(value.remove_range_by_rank(start, stop)) if start <= stop else 0


Bounds = ScoreBounds | LexBounds | RankBounds


# ---- ZRANGE and those before it


class RangeQuery:
    """What one of the range commands asks for.

    `kind` ("rank", "score", "lex") and `reverse` are what the command's name has fixed already, None what its options
    may still choose.
    """

    __slots__ = ("bounds", "count", "kind", "offset", "reverse", "with_scores")

    def __init__(
        self,
        low: bytes,
        high: bytes,
        words: Sequence[bytes],
        *,
        kind: str | None,
        reverse: bool | None,
        store: bool = False,
    ) -> None:
        self.offset = 0
        self.count = -1
        self.with_scores = False
        self.kind = kind
        self.reverse = reverse
        if words:
            self._parse_options(words, store=store)
        by = self.kind or "rank"
        if by == "rank" and self.count != -1:
            raise LIMIT_BY_RANK
        if by == "lex" and self.with_scores:
            raise SCORES_BY_LEX
        if self.reverse and by != "rank":
            low, high = high, low
        self.bounds: Final[Bounds] = _BOUNDS[by](low, high)

    def _parse_options(self, words: Sequence[bytes], *, store: bool) -> None:
        may_choose_kind, may_choose_direction = self.kind is None, self.reverse is None
        position = 0
        while position < len(words):
            word = words[position].lower()
            if word == b"withscores" and not store:
                self.with_scores = True
            elif word == b"limit" and position + 2 < len(words):
                self.offset = arguments.integer(words[position + 1])
                self.count = arguments.integer(words[position + 2])
                position += 2
            elif word == b"rev" and may_choose_direction:
                self.reverse = True
                may_choose_direction = False
            elif word in (b"byscore", b"bylex") and may_choose_kind:
                self.kind = word[2:].decode()
                may_choose_kind = False
            else:
                raise errors.SYNTAX
            position += 1

    def select(self, value: SortedSetValue | None) -> Members:
        """The answer, in order; a missing set (None) is an empty one."""
        if value is None:
            return []
        return self.bounds.select(value, self.offset, self.count, reverse=bool(self.reverse))


_BOUNDS: Final[dict[str, type[Bounds]]] = {"rank": RankBounds, "score": ScoreBounds, "lex": LexBounds}


def _range(client: Client, key: bytes, query: RangeQuery) -> Reply:
    pairs = query.select(client.db.read(key, SortedSetValue))
    return Pairs(pairs) if query.with_scores else [member for member, _ in pairs]


@sorted_sets.command("ZRANGE", arity=-4, flags="readonly", keys=RO(1), since="1.2.0",
                     syntax="key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
                     history=[("6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options.")])  # fmt: skip
def zrange(client: Client, key: bytes, start: bytes, stop: bytes, *words: bytes) -> Reply:
    """Returns a range of a sorted set, by rank, score or member. O(log(n)+m) for m members returned."""
    return _range(client, key, RangeQuery(start, stop, words, kind=None, reverse=None))


@sorted_sets.command("ZREVRANGE", arity=-4, flags="readonly", keys=RO(1), since="1.2.0",
                     syntax="key start stop [WITHSCORES]")  # fmt: skip
def zrevrange(client: Client, key: bytes, start: bytes, stop: bytes, *words: bytes) -> Reply:
    """Returns a range of ranks, the highest score first. O(log(n)+m) for m members returned."""
    return _range(client, key, RangeQuery(start, stop, words, kind="rank", reverse=True))


@sorted_sets.command("ZRANGEBYSCORE", arity=-4, flags="readonly", keys=RO(1), since="1.0.5",
                     syntax="key min max [WITHSCORES] [LIMIT offset count]",
                     history=[("2.0.0", "Added the `WITHSCORES` modifier.")])  # fmt: skip
def zrangebyscore(client: Client, key: bytes, low: bytes, high: bytes, *words: bytes) -> Reply:
    """Returns the members with scores in a range. O(log(n)+m) for m members returned."""
    return _range(client, key, RangeQuery(low, high, words, kind="score", reverse=False))


@sorted_sets.command("ZREVRANGEBYSCORE", arity=-4, flags="readonly", keys=RO(1), since="2.2.0",
                     syntax="key max min [WITHSCORES] [LIMIT offset count]",
                     history=[("2.1.6", "`min` and `max` can be exclusive.")])  # fmt: skip
def zrevrangebyscore(client: Client, key: bytes, high: bytes, low: bytes, *words: bytes) -> Reply:
    """Returns the members with scores in a range, the highest first. O(log(n)+m) for m members returned."""
    return _range(client, key, RangeQuery(high, low, words, kind="score", reverse=True))


@sorted_sets.command("ZRANGEBYLEX", arity=-4, flags="readonly", keys=RO(1), since="2.8.9",
                     syntax="key min max [LIMIT offset count]")  # fmt: skip
def zrangebylex(client: Client, key: bytes, low: bytes, high: bytes, *words: bytes) -> Reply:
    """Returns the members in a lexicographical range, of a set whose scores are all equal. O(log(n)+m) for m members returned."""
    return _range(client, key, RangeQuery(low, high, words, kind="lex", reverse=False))


@sorted_sets.command("ZREVRANGEBYLEX", arity=-4, flags="readonly", keys=RO(1), since="2.8.9",
                     syntax="key max min [LIMIT offset count]")  # fmt: skip
def zrevrangebylex(client: Client, key: bytes, high: bytes, low: bytes, *words: bytes) -> Reply:
    """Returns the members in a lexicographical range, the greatest first. O(log(n)+m) for m members returned."""
    return _range(client, key, RangeQuery(high, low, words, kind="lex", reverse=True))


def store(client: Client, destination: bytes, pairs: Members, event: str) -> int:
    """Let `destination` hold just these pairs, whatever it held; with none it is deleted. O(m*log(m)) for m pairs."""
    db = client.db
    if not pairs:
        db.delete(destination)
        return 0
    db.set(destination, SortedSetValue.from_pairs(pairs, client.engine.limits))
    db.changed(destination, event)
    return len(pairs)


@sorted_sets.command("ZRANGESTORE", arity=-5, flags="write denyoom", keys=(OW(1), RO(2)), since="6.2.0",
                     syntax="dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]")  # fmt: skip
def zrangestore(
    client: Client, destination: bytes, source: bytes, low: bytes, high: bytes, *words: bytes
) -> Reply:
    """Stores a range of a sorted set under another key. O(log(n)+m) for m members stored."""
    query = RangeQuery(low, high, words, kind=None, reverse=None, store=True)
    return store(client, destination, query.select(client.db.read(source, SortedSetValue)), "zrangestore")


# ---- counting and removing


@sorted_sets.command(
    "ZCOUNT", arity=4, flags="readonly fast", keys=RO(1), since="2.0.0", syntax="key min max"
)
def zcount(client: Client, key: bytes, low: bytes, high: bytes) -> Reply:
    """Returns how many members have scores in a range. O(log(n))."""
    bounds = ScoreBounds(low, high)
    value = client.db.read(key, SortedSetValue)
    return 0 if value is None else bounds.count(value)


@sorted_sets.command(
    "ZLEXCOUNT", arity=4, flags="readonly fast", keys=RO(1), since="2.8.9", syntax="key min max"
)
def zlexcount(client: Client, key: bytes, low: bytes, high: bytes) -> Reply:
    """Returns how many members are in a lexicographical range. O(log(n))."""
    bounds = LexBounds(low, high)
    value = client.db.read(key, SortedSetValue)
    return 0 if value is None else bounds.count(value)


def _remove_range(client: Client, key: bytes, bounds: Bounds, event: str) -> int:
    value = client.db.write(key, SortedSetValue)
    removed = 0 if value is None else bounds.remove(value)
    if removed:
        client.db.changed(key, event, removed)
        client.db.delete_if_empty(key, value)
    return removed


@sorted_sets.command("ZREMRANGEBYRANK", arity=4, flags="write", keys=RW(1, "delete"), since="2.0.0",
                     syntax="key start stop")  # fmt: skip
def zremrangebyrank(client: Client, key: bytes, start: bytes, stop: bytes) -> Reply:
    """Removes a range of ranks. O(log(n)+m) for m members removed."""
    return _remove_range(client, key, RankBounds(start, stop), "zremrangebyrank")


@sorted_sets.command(
    "ZREMRANGEBYSCORE", arity=4, flags="write", keys=RW(1, "delete"), since="1.2.0", syntax="key min max"
)
def zremrangebyscore(client: Client, key: bytes, low: bytes, high: bytes) -> Reply:
    """Removes the members with scores in a range. O(log(n)+m) for m members removed."""
    return _remove_range(client, key, ScoreBounds(low, high), "zremrangebyscore")


@sorted_sets.command(
    "ZREMRANGEBYLEX", arity=4, flags="write", keys=RW(1, "delete"), since="2.8.9", syntax="key min max"
)
def zremrangebylex(client: Client, key: bytes, low: bytes, high: bytes) -> Reply:
    """Removes the members in a lexicographical range. O(log(n)+m) for m members removed."""
    return _remove_range(client, key, LexBounds(low, high), "zremrangebylex")
