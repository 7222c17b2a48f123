"""Set algebra: what several sets have in common, have together, or have apart.

Each of the three has its way of not doing needless work.

*Intersection* goes through the smallest set only, and asks the others, in order of size, for each of its
members: the first "no" settles the matter. So it costs at most the smallest set's size times the number of
sets, and a set that is missing makes the result empty before anything is looked at. SINTERCARD with LIMIT
stops as soon as it has counted enough.

*Union* cannot avoid to look at every member of every set.

*Difference* (the first set without all the others) has two ways, and takes the one that promises less work:

1. Ask, for each member of the first set, all the other sets, the largest first, until one has it. At most n
   · m questions for n members in the first of m sets.
2. Copy the first set, and remove from it every member of every other set. As many steps as there are
   members in all the sets.

The first way often stops early, and it builds only the result; so its estimate is halved before the two are
compared. (This is how Redis reckons.) A set that is subtracted from itself leaves nothing, without any of
that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import OW, RO
from cutaway.commands.sets import sets as sets  # noqa: PLC0414 - so it is had with all its commands
from cutaway.datastructures import SetValue
from cutaway.datastructures.listpack_entries import parse_integer
from cutaway.resp import Reply, SetReply

NUMKEYS_NOT_POSITIVE: Final = errors.CommandError("ERR numkeys should be greater than 0")
TOO_MANY_KEYS: Final = errors.CommandError("ERR Number of keys can't be greater than number of args")
LIMIT_NEGATIVE: Final = errors.CommandError("ERR LIMIT can't be negative")
UNORDERED: Final = ("nondeterministic_output_order",)

Operands = Sequence[SetValue | None]
"""The sets a command names, in its order; None for a key that does not exist."""


def _operands(client: Client, keys: Sequence[bytes]) -> Operands:
    return [client.db.read(key, SetValue) for key in keys]


# ---- the three operations


def common(operands: Operands) -> Iterator[bytes]:
    """The members that are in every operand, one by one.

    O(n * m), n the smallest one's size, m their number.
    """
    found = [value for value in operands if value is not None]
    if len(found) < len(operands):
        return
    smallest, *others = sorted(found, key=len)
    others = [value for value in others if value is not smallest]
    for member in smallest:
        for other in others:
            if member not in other:
                break
        else:
            yield member


def union(operands: Operands) -> list[bytes]:
    """The members that are in any operand. O(n) for n members in all."""
    members: dict[bytes, None] = {}
    for value in operands:
        if value is not None:
            members.update(dict.fromkeys(value))
    return list(members)


def difference(operands: Operands) -> list[bytes]:
    """The members of the first operand that are in no other one.

    O(n * m) or O(n) for all, whichever is less.
    """
    first = operands[0]
    others = [value for value in operands[1:] if value is not None]
    if first is None or any(value is first for value in others):
        return []
    asking = len(first) * (1 + len(others)) // 2
    removing = len(first) + sum(map(len, others))
    return _by_asking(first, others) if asking <= removing else _by_removing(first, others)


def _by_asking(first: SetValue, others: list[SetValue]) -> list[bytes]:
    others = sorted(others, key=len, reverse=True)
    return [member for member in first if not any(member in other for other in others)]


def _by_removing(first: SetValue, others: list[SetValue]) -> list[bytes]:
    remaining = dict.fromkeys(first)
    for other in others:
        for member in other:
            remaining.pop(member, None)
        if not remaining:
            break
    return list(remaining)


# ---- the commands


def _is_integer(member: bytes) -> bool:
    return parse_integer(member) is not None


def _store(
    client: Client, destination: bytes, members: Sequence[bytes], event: str, *, begins_flat: bool = False
) -> Reply:
    """Put the set of `members` in the destination's place, whatever was there; an empty one deletes it.

    The new set begins as an intset, and turns into what its members need. One that `begins_flat` begins as a listpack, and
    becomes an intset in the end if it can: so does the real server where the smallest operand is no intset. O(n).
    """
    db = client.db
    if not members:
        db.delete(destination)
        return 0
    limits = client.engine.limits
    value = SetValue(limits)
    if begins_flat and not (len(members) <= limits.set_max_intset_entries and all(map(_is_integer, members))):
        value.reserve(len(members), b"")
    for member in members:
        value.add(member)
    db.set(destination, value)
    db.changed(destination, event)
    return len(members)


@sets.command(
    "SINTER", arity=-2, flags="readonly", keys=RO(1, last=-1), syntax="key [key ...]", tips=UNORDERED,
)  # fmt: skip
def sinter(client: Client, *keys: bytes) -> Reply:
    """Returns the members that several sets have in common.

    O(n * m) for m sets, the smallest of which has n members.
    """
    return SetReply(list(common(_operands(client, keys))))


@sets.command(
    "SINTERSTORE", arity=-3, flags="write denyoom", keys=(OW(1), RO(2, last=-1)),
    syntax="destination key [key ...]",
)  # fmt: skip
def sinterstore(client: Client, destination: bytes, *keys: bytes) -> Reply:
    """Stores the members that several sets have in common.

    O(n * m) for m sets, the smallest of which has n members.
    """
    operands = _operands(client, keys)
    members = list(common(operands))
    smallest = min((value for value in operands if value is not None), key=len, default=None)
    begins_flat = smallest is not None and smallest.encoding != "intset"
    return _store(client, destination, members, "sinterstore", begins_flat=begins_flat)


@sets.command(
    "SINTERCARD", arity=-3, flags="readonly movablekeys", keys=RO(1, key_count=0), since="7.0.0",
    syntax="numkeys key [key ...] [LIMIT limit]",
)  # fmt: skip
def sintercard(client: Client, numkeys: bytes, *words: bytes) -> Reply:
    """Counts the members that several sets have in common.

    O(n * m) for m sets, the smallest of which has n members.
    """
    count = arguments.integer_between(numkeys, 1, arguments.INT64_MAX, NUMKEYS_NOT_POSITIVE)
    if count > len(words):
        raise TOO_MANY_KEYS
    limit = _limit(words[count:])
    return sum(1 for _ in islice(common(_operands(client, words[:count])), limit or None))


def _limit(words: Sequence[bytes]) -> int:
    limit = 0
    for position in range(0, len(words), 2):
        if words[position].lower() != b"limit" or position + 1 == len(words):
            raise errors.SYNTAX
        limit = arguments.positive(words[position + 1], LIMIT_NEGATIVE)
    return limit


@sets.command(
    "SUNION", arity=-2, flags="readonly", keys=RO(1, last=-1), syntax="key [key ...]", tips=UNORDERED,
)  # fmt: skip
def sunion(client: Client, *keys: bytes) -> Reply:
    """Returns the members that any of several sets has. O(n) for n members in all of them."""
    return SetReply(union(_operands(client, keys)))


@sets.command(
    "SUNIONSTORE", arity=-3, flags="write denyoom", keys=(OW(1), RO(2, last=-1)),
    syntax="destination key [key ...]",
)  # fmt: skip
def sunionstore(client: Client, destination: bytes, *keys: bytes) -> Reply:
    """Stores the members that any of several sets has. O(n) for n members in all of them."""
    return _store(client, destination, union(_operands(client, keys)), "sunionstore")


@sets.command(
    "SDIFF", arity=-2, flags="readonly", keys=RO(1, last=-1), syntax="key [key ...]", tips=UNORDERED,
)  # fmt: skip
def sdiff(client: Client, *keys: bytes) -> Reply:
    """Returns the members of the first set that no other one has. O(n) for n members in all of them."""
    return SetReply(difference(_operands(client, keys)))


@sets.command(
    "SDIFFSTORE", arity=-3, flags="write denyoom", keys=(OW(1), RO(2, last=-1)),
    syntax="destination key [key ...]",
)  # fmt: skip
def sdiffstore(client: Client, destination: bytes, *keys: bytes) -> Reply:
    """Stores the members of the first set that no other one has. O(n) for n members in all of them."""
    return _store(client, destination, difference(_operands(client, keys)), "sdiffstore")
