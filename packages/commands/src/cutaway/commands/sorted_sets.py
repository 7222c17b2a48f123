"""Sorted sets: members with scores, in order of score.

One structure answers both how much a member has and where it stands: see `SortedSetValue`. This module has what concerns
single members, and the two ends. Ranges are in `sorted_set_ranges.py`, unions and intersections in
`sorted_set_algebra.py`, and what waits for a member in `blocking_sorted_sets.py`.

A score is a double. Infinities are scores, NaN is none: as an argument it is no number, and a sum that would give it (an
infinity and its opposite) is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.draws import may_draw
from cutaway.commands.key_specs import RO, RW
from cutaway.commands.scanning import parse_cursor, parse_scan_options
from cutaway.commands.tables import CommandTable
from cutaway.config import matcher
from cutaway.datastructures import SortedSetValue
from cutaway.resp import NULL_ARRAY, Pairs, Reply
from cutaway.resp.doubles import format_double

sorted_sets: Final = CommandTable("sorted-set")

NX_AND_XX: Final = errors.CommandError("ERR XX and NX options at the same time are not compatible")
GT_LT_AND_NX: Final = errors.CommandError("ERR GT, LT, and/or NX options at the same time are not compatible")
ONE_INCREMENT: Final = errors.CommandError("ERR INCR option supports a single increment-element pair")


# ---- adding


@dataclass(slots=True)
class AddOptions:
    """What stands before the scores of a ZADD."""

    nx: bool = False
    xx: bool = False
    gt: bool = False
    lt: bool = False
    ch: bool = False
    incr: bool = False

    def refuses(self, old: float | None, score: float) -> bool:
        """Whether a member that has the score `old` (None: there is no such member) must not get `score`."""
        if old is None:
            return self.xx
        return self.nx or (self.gt and score <= old) or (self.lt and score >= old)


_ADD_OPTIONS: Final = {b"NX": "nx", b"XX": "xx", b"GT": "gt", b"LT": "lt", b"CH": "ch", b"INCR": "incr"}


@sorted_sets.command(
    "ZADD", arity=-4, flags="write denyoom fast", keys=RW(1), since="1.2.0",
    syntax="key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
    history=[("2.4.0", "Accepts multiple elements."), ("3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."),
             ("6.2.0", "Added the `GT` and `LT` options.")],
)  # fmt: skip
def zadd(client: Client, key: bytes, score: bytes, member: bytes, *more: bytes) -> Reply:
    """Adds members to a sorted set, or gives them other scores. O(log(n)) for each member."""
    number = arguments.number_or_none(score)
    if more or number is None:
        return _add_with_options(client, key, (score, member, *more), AddOptions())
    db = client.db
    value = db.write(key, SortedSetValue)
    if value is None:
        value = SortedSetValue(client.engine.limits)
        db.add(key, value)
    old = value.exchange(member, number)
    if old is None:
        db.changed(key, "zadd")
        return 1
    if old != number:
        db.changed(key, "zadd")
    return 0


@sorted_sets.command("ZINCRBY", arity=4, flags="write denyoom fast", keys=RW(1, "access update"), since="1.2.0",
                     syntax="key increment member")  # fmt: skip
def zincrby(client: Client, key: bytes, increment: bytes, member: bytes) -> Reply:
    """Adds to the score of a member; a missing member counts as 0. O(log(n))."""
    return _add_with_options(client, key, (increment, member), AddOptions(incr=True))


def _add_with_options(client: Client, key: bytes, words: Sequence[bytes], options: AddOptions) -> Reply:
    first = 0
    while first < len(words) and (name := _ADD_OPTIONS.get(words[first].upper())) is not None:
        setattr(options, name, True)
        first += 1
    texts, members = words[first::2], words[first + 1 :: 2]
    if not texts or len(texts) != len(members):
        raise errors.SYNTAX
    if options.nx and options.xx:
        raise NX_AND_XX
    if (options.nx and (options.gt or options.lt)) or (options.gt and options.lt):
        raise GT_LT_AND_NX
    if options.incr and len(texts) > 1:
        raise ONE_INCREMENT
    scores = [arguments.number(text) for text in texts]
    value = client.db.write(key, SortedSetValue)
    if value is None:
        if options.xx:
            return None if options.incr else 0
        value = SortedSetValue(client.engine.limits)
        client.db.add(key, value)
    value.expect(len(members), max(map(len, members)))
    if options.incr:
        return _increment(client, key, value, members[0], scores[0], options)
    return _add_all(client, key, value, list(zip(members, scores, strict=True)), options)


def _add_all(
    client: Client, key: bytes, value: SortedSetValue, pairs: list[tuple[bytes, float]], options: AddOptions
) -> int:
    added = updated = 0
    conditional = options.nx or options.xx or options.gt or options.lt
    for member, score in pairs:
        if conditional and options.refuses(value.score(member), score):
            continue
        old = value.exchange(member, score)
        if old is None:
            added += 1
        elif old != score:
            updated += 1
    if added or updated:
        client.db.changed(key, "zadd", added + updated)
    return added + updated if options.ch else added


def _increment(
    client: Client, key: bytes, value: SortedSetValue, member: bytes, amount: float, options: AddOptions
) -> float | None:
    old = value.score(member)
    if old is not None and options.nx:
        return None
    score = amount if old is None else old + amount
    if isnan(score):
        raise errors.SCORE_NAN
    if options.refuses(old, score):
        return None
    if old != score:
        value.exchange(member, score)
        client.db.changed(key, "zincr")
    return score


# ---- removing


@sorted_sets.command("ZREM", arity=-3, flags="write fast", keys=RW(1, "delete"), since="1.2.0",
                     syntax="key member [member ...]", history=[("2.4.0", "Accepts multiple elements.")])  # fmt: skip
def zrem(client: Client, key: bytes, *members: bytes) -> Reply:
    """Removes members of a sorted set, and returns how many there were. O(m*log(n)) for m members."""
    value = client.db.write(key, SortedSetValue)
    if value is None:
        return 0
    removed = 0
    for member in members:
        removed += value.remove(member)
    if removed:
        client.db.changed(key, "zrem", removed)
        client.db.delete_if_empty(key, value)
    return removed


def pop_count(text: bytes) -> int:
    """The count of ZPOPMIN and ZPOPMAX: an integer of zero or more."""
    count = arguments.integer(text, errors.NOT_POSITIVE)
    if count < 0:
        raise errors.NOT_POSITIVE
    return count


def pop(
    client: Client, key: bytes, value: SortedSetValue, count: int, *, highest: bool
) -> list[tuple[bytes, float]]:
    """Take out up to `count` (at least one) of the lowest or highest pairs of a set that is not empty, and say so."""
    db = client.db
    pairs = value.pop_max(count) if highest else value.pop_min(count)
    db.changed(key, "zpopmax" if highest else "zpopmin", len(pairs))
    db.delete_if_empty(key, value)
    return pairs


def _pop_end(client: Client, key: bytes, words: Sequence[bytes], *, highest: bool) -> Reply:
    if not words:
        value = client.db.write(key, SortedSetValue)
        return [] if value is None else pop(client, key, value, 1, highest=highest)[0]
    if len(words) > 1:
        raise errors.SYNTAX
    count = pop_count(words[0])
    value = client.db.write(key, SortedSetValue)
    return Pairs([] if value is None or not count else pop(client, key, value, count, highest=highest))


@sorted_sets.command("ZPOPMIN", arity=-2, flags="write fast", keys=RW(1, "access delete"), since="5.0.0",
                     syntax="key [count]")  # fmt: skip
def zpopmin(client: Client, key: bytes, *words: bytes) -> Reply:
    """Removes the members with the lowest scores and returns them. O(log(n)*m) for m members."""
    return _pop_end(client, key, words, highest=False)


@sorted_sets.command("ZPOPMAX", arity=-2, flags="write fast", keys=RW(1, "access delete"), since="5.0.0",
                     syntax="key [count]")  # fmt: skip
def zpopmax(client: Client, key: bytes, *words: bytes) -> Reply:
    """Removes the members with the highest scores and returns them. O(log(n)*m) for m members."""
    return _pop_end(client, key, words, highest=True)


# ---- asking


@sorted_sets.command("ZCARD", arity=2, flags="readonly fast", keys=RO(1, ""), since="1.2.0", syntax="key")
def zcard(client: Client, key: bytes) -> Reply:
    """Returns the number of members of a sorted set. O(1)."""
    value = client.db.read(key, SortedSetValue)
    return 0 if value is None else len(value)


@sorted_sets.command("ZSCORE", arity=3, flags="readonly fast", keys=RO(1), since="1.2.0", syntax="key member")
def zscore(client: Client, key: bytes, member: bytes) -> Reply:
    """Returns the score of a member. O(1)."""
    value = client.db.read(key, SortedSetValue)
    return None if value is None else value.score(member)


@sorted_sets.command("ZMSCORE", arity=-3, flags="readonly fast", keys=RO(1), since="6.2.0",
                     syntax="key member [member ...]")  # fmt: skip
def zmscore(client: Client, key: bytes, *members: bytes) -> Reply:
    """Returns the scores of members, nil for each that there is not. O(n) for n members."""
    value = client.db.read(key, SortedSetValue)
    return [None] * len(members) if value is None else [value.score(member) for member in members]


def _rank(
    client: Client, key: bytes, member: bytes, words: tuple[bytes, ...], name: str, *, reverse: bool
) -> Reply:
    if len(words) > 1:
        raise errors.wrong_arity(name)
    if words and words[0].lower() != b"withscore":
        raise errors.SYNTAX
    value = client.db.read(key, SortedSetValue)
    rank = None if value is None else value.rank(member, reverse=reverse)
    if not words:
        return rank
    return NULL_ARRAY if value is None or rank is None else [rank, value.score(member)]


@sorted_sets.command("ZRANK", arity=-3, flags="readonly fast", keys=RO(1), since="2.0.0", syntax="key member [WITHSCORE]",
                     history=[("7.2.0", "Added the optional `WITHSCORE` argument.")])  # fmt: skip
def zrank(client: Client, key: bytes, member: bytes, *words: bytes) -> Reply:
    """Returns the place of a member, counted from 0 at the lowest score. O(log(n))."""
    return _rank(client, key, member, words, "zrank", reverse=False)


@sorted_sets.command("ZREVRANK", arity=-3, flags="readonly fast", keys=RO(1), since="2.0.0",
                     syntax="key member [WITHSCORE]",
                     history=[("7.2.0", "Added the optional `WITHSCORE` argument.")])  # fmt: skip
def zrevrank(client: Client, key: bytes, member: bytes, *words: bytes) -> Reply:
    """Returns the place of a member, counted from 0 at the highest score. O(log(n))."""
    return _rank(client, key, member, words, "zrevrank", reverse=True)


@sorted_sets.command("ZRANDMEMBER", arity=-2, flags="readonly", keys=RO(1), since="6.2.0",
                     syntax="key [count [WITHSCORES]]", tips=["nondeterministic_output"])  # fmt: skip
def zrandmember(client: Client, key: bytes, *words: bytes) -> Reply:
    """Returns members drawn by lot: distinct ones, or with a negative count some perhaps twice. O(n) for n returned."""
    rng = client.engine.keyspace.random
    if not words:
        value = client.db.read(key, SortedSetValue)
        return None if value is None else value.random_items(1, rng)[0][0]
    count, with_scores = arguments.random_count(words, b"withscores")
    value = client.db.read(key, SortedSetValue)
    pairs = [] if value is None else value.random_items(may_draw(client, count), rng)
    return Pairs(pairs) if with_scores else [member for member, _ in pairs]


@sorted_sets.command("ZSCAN", arity=-3, flags="readonly", keys=RO(1), since="2.8.0", tips=["nondeterministic_output"],
                     syntax="key cursor [MATCH pattern] [COUNT count] [NOSCORES]",
                     history=[("8.0.0", "Added noscores option.")])  # fmt: skip
def zscan(client: Client, key: bytes, cursor: bytes, *words: bytes) -> Reply:
    """Returns a part of a sorted set, and the cursor with which to ask for the next. O(1) for a call, O(n) for all n members."""
    position = parse_cursor(cursor)
    value = client.db.read(key, SortedSetValue)
    if value is None:
        return [b"0", []]
    options = parse_scan_options(words, novalues=b"noscores")
    following, pairs = value.scan(position, options.count)
    if options.pattern is not None:
        matches = matcher(options.pattern)
        pairs = [pair for pair in pairs if matches(pair[0])]
    found: list[Reply] = []
    for member, score in pairs:
        found.append(member)
        if options.values:
            found.append(format_double(score) if value.encoding == "listpack" else b"%.17g" % score)
    return [b"%d" % following, found]
