"""Unions, intersections and differences of sorted sets.

A plain set may stand wherever a sorted set may: each of its members then has the score 1. Scores are multiplied by their set's
weight (WEIGHTS), and where a member is in several sets, they are brought together by AGGREGATE. Two rules come from C's
doubles: what would be NaN (infinity times 0, infinity minus infinity) counts as 0, and as the order of a sum of doubles
matters for its last bit, sets are taken from the smallest to the largest, as Redis takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import isnan
from operator import itemgetter
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import OW, RO
from cutaway.commands.sorted_set_ranges import Members, store
from cutaway.commands.sorted_sets import sorted_sets
from cutaway.datastructures import SetValue, SortedSetValue
from cutaway.resp import Pairs, Reply

WEIGHT: Final = errors.CommandError("ERR weight value is not a float")
LIMIT: Final = errors.CommandError("ERR LIMIT can't be negative")

Aggregate = Callable[[float, float], float]


def _sum(one: float, other: float) -> float:
    total = one + other
    return 0.0 if isnan(total) else total


def _min(one: float, other: float) -> float:
    return min(one, other)


def _max(one: float, other: float) -> float:
    return max(one, other)


_AGGREGATES: Final[dict[bytes, Aggregate]] = {b"SUM": _sum, b"MIN": _min, b"MAX": _max}


class Source:
    """One of the sets that are combined: a sorted set, a plain set, or a missing key, with its weight."""

    __slots__ = ("value", "weight")

    def __init__(self, client: Client, key: bytes) -> None:
        entry = client.db.lookup_read(key)
        self.value: SortedSetValue | SetValue | None = None if entry is None else entry.value
        if self.value is not None and not isinstance(self.value, (SortedSetValue, SetValue)):
            raise errors.WRONG_TYPE
        self.weight = 1.0

    def __len__(self) -> int:
        return 0 if self.value is None else len(self.value)

    def items(self) -> Iterator[tuple[bytes, float]]:
        """The members with their scores, not weighted."""
        if isinstance(self.value, SortedSetValue):
            return self.value.items()
        return ((member, 1.0) for member in self.value or ())

    def score(self, member: bytes) -> float | None:
        """The member's score, not weighted, or None."""
        if isinstance(self.value, SortedSetValue):
            return self.value.score(member)
        return 1.0 if self.value is not None and member in self.value else None

    def weighted(self, score: float) -> float:
        """The score times the weight; 0 where that is not a number."""
        product = self.weight * score
        return 0.0 if isnan(product) else product


class Combination:
    """The arguments of one of the commands, from numkeys on, and what they combine.

    `options` is what may stand after the keys: "weights" (and AGGREGATE), "withscores", "limit".
    """

    __slots__ = ("aggregate", "limit", "sources", "with_scores")

    def __init__(self, client: Client, name: str, words: Sequence[bytes], *options: str) -> None:
        numkeys = arguments.integer(words[0])
        if numkeys < 1:
            raise errors.CommandError(f"ERR at least 1 input key is needed for '{name}' command")
        if numkeys >= len(words):
            raise errors.SYNTAX
        self.sources: Final = [Source(client, key) for key in words[1 : numkeys + 1]]
        self.aggregate: Aggregate = _sum
        self.with_scores = False
        self.limit = 0
        tail = words[numkeys + 1 :]
        while tail:
            tail = self._parse_option(tail, options)

    def _parse_option(self, tail: Sequence[bytes], options: tuple[str, ...]) -> Sequence[bytes]:
        """Take in the option that `tail` begins with, and give what follows it."""
        word = tail[0].upper()
        count = len(self.sources)
        if word == b"WEIGHTS" and "weights" in options and len(tail) > count:
            for source, text in zip(self.sources, tail[1:], strict=False):
                source.weight = arguments.number(text, WEIGHT)
            return tail[count + 1 :]
        if word == b"AGGREGATE" and "weights" in options and len(tail) > 1:
            chosen = _AGGREGATES.get(tail[1].upper())
            if chosen is None:
                raise errors.SYNTAX
            self.aggregate = chosen
            return tail[2:]
        if word == b"WITHSCORES" and "withscores" in options:
            self.with_scores = True
            return tail[1:]
        if word == b"LIMIT" and "limit" in options and len(tail) > 1:
            self.limit = arguments.integer_between(tail[1], 0, arguments.INT64_MAX, LIMIT)
            return tail[2:]
        raise errors.SYNTAX

    def union(self) -> Members:
        """All members of all sets, in order. O(n)+O(m*log(m)) for n members in all, m in the result."""
        scores: dict[bytes, float] = {}
        for source in sorted(self.sources, key=len):
            for member, score in source.items():
                own = source.weighted(score)
                present = scores.get(member)
                scores[member] = own if present is None else self.aggregate(present, own)
        return in_order(scores.items())

    def intersection(self) -> Members:
        """The members that are in all sets, in order. O(n*k)+O(m*log(m)) for k sets, the smallest of n members."""
        return in_order(self.common())

    def common(self) -> Iterator[tuple[bytes, float]]:
        """The members that are in all sets, in no order, found by going through the smallest."""
        smallest, *others = sorted(self.sources, key=len)
        for member, score in smallest.items():
            total = smallest.weighted(score)
            for other in others:
                found = other.score(member)
                if found is None:
                    break
                total = self.aggregate(total, found * other.weight)
            else:
                yield member, total

    def difference(self) -> Members:
        """The members of the first set that are in none of the others, in order. O(l) for l members in all."""
        first, *others = self.sources
        return in_order(
            (member, score)
            for member, score in first.items()
            if all(other.score(member) is None for other in others)
        )  # fmt: skip

    def reply(self, pairs: Members) -> Reply:
        """Members, with scores if WITHSCORES says so."""
        return Pairs(pairs) if self.with_scores else [member for member, _ in pairs]


def in_order(pairs: Iterable[tuple[bytes, float]]) -> Members:
    """The pairs as a sorted set has them: by score, then by member. O(m*log(m))."""
    found = sorted(pairs)
    found.sort(key=itemgetter(1))
    return found


COMBINE: Final = "[WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]"


@sorted_sets.command("ZUNION", arity=-3, flags="readonly movablekeys", keys=RO(1, key_count=0), since="6.2.0",
                     syntax=f"numkeys key [key ...] {COMBINE} [WITHSCORES]")  # fmt: skip
def zunion(client: Client, *words: bytes) -> Reply:
    """Returns the union of sorted sets. O(n)+O(m*log(m)) for n members in all sets, m in the union."""
    asked = Combination(client, "zunion", words, "weights", "withscores")
    return asked.reply(asked.union())


@sorted_sets.command("ZINTER", arity=-3, flags="readonly movablekeys", keys=RO(1, key_count=0), since="6.2.0",
                     syntax=f"numkeys key [key ...] {COMBINE} [WITHSCORES]")  # fmt: skip
def zinter(client: Client, *words: bytes) -> Reply:
    """Returns the intersection of sorted sets. O(n*k)+O(m*log(m)) for k sets, the smallest of n members, m in the result."""
    asked = Combination(client, "zinter", words, "weights", "withscores")
    return asked.reply(asked.intersection())


@sorted_sets.command("ZDIFF", arity=-3, flags="readonly movablekeys", keys=RO(1, key_count=0), since="6.2.0",
                     syntax="numkeys key [key ...] [WITHSCORES]")  # fmt: skip
def zdiff(client: Client, *words: bytes) -> Reply:
    """Returns the members of a sorted set that are in none of the others. O(l + m*log(m)) for l members in all sets, m in the result."""
    asked = Combination(client, "zdiff", words, "withscores")
    return asked.reply(asked.difference())


@sorted_sets.command("ZINTERCARD", arity=-3, flags="readonly movablekeys", keys=RO(1, key_count=0), since="7.0.0",
                     syntax="numkeys key [key ...] [LIMIT limit]")  # fmt: skip
def zintercard(client: Client, *words: bytes) -> Reply:
    """Returns how many members the intersection of sorted sets has. O(n*k) for k sets, the smallest of n members."""
    asked = Combination(client, "zintercard", words, "limit")
    return sum(1 for _ in islice(asked.common(), asked.limit or None))


@sorted_sets.command("ZUNIONSTORE", arity=-4, flags="write denyoom movablekeys", keys=(OW(1), RO(2, key_count=0)),
                     since="2.0.0", syntax=f"destination numkeys key [key ...] {COMBINE}")  # fmt: skip
def zunionstore(client: Client, destination: bytes, *words: bytes) -> Reply:
    """Stores the union of sorted sets. O(n)+O(m*log(m)) for n members in all sets, m in the union."""
    return store(
        client, destination, Combination(client, "zunionstore", words, "weights").union(), "zunionstore"
    )


@sorted_sets.command("ZINTERSTORE", arity=-4, flags="write denyoom movablekeys", keys=(OW(1), RO(2, key_count=0)),
                     since="2.0.0", syntax=f"destination numkeys key [key ...] {COMBINE}")  # fmt: skip
def zinterstore(client: Client, destination: bytes, *words: bytes) -> Reply:
    """Stores the intersection of sorted sets. O(n*k)+O(m*log(m)) for k sets, the smallest of n members, m in the result."""
    return store(
        client,
        destination,
        Combination(client, "zinterstore", words, "weights").intersection(),
        "zinterstore",
    )


@sorted_sets.command("ZDIFFSTORE", arity=-4, flags="write denyoom movablekeys", keys=(OW(1), RO(2, key_count=0)),
                     since="6.2.0", syntax="destination numkeys key [key ...]")  # fmt: skip
def zdiffstore(client: Client, destination: bytes, *words: bytes) -> Reply:
    """Stores the members of a sorted set that are in none of the others. O(l + m*log(m)) for l members in all sets, m in the result."""
    return store(client, destination, Combination(client, "zdiffstore", words).difference(), "zdiffstore")
