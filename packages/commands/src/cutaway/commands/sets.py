"""Sets: different members without order; adding, removing and asking for one takes constant time.

Being without order has two consequences. What comes first is nobody's choice, so the reply of SMEMBERS is a
set to RESP3 clients (and the order of an array means nothing to the others). And a member can be had *at
random*, fairly, without a walk: SPOP and SRANDMEMBER. A random removal cannot be repeated by whoever
replays the log; what is propagated is the removal of those members that fate has chosen.

Intersections, unions and differences are in `set_algebra.py`.
"""

from __future__ import annotations

from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.draws import may_draw
from cutaway.commands.key_specs import RO, RW
from cutaway.commands.scanning import parse_cursor, parse_scan_options
from cutaway.commands.tables import CommandTable
from cutaway.config import matcher
from cutaway.datastructures import SetValue
from cutaway.resp import Reply, SetReply

sets: Final = CommandTable("set")

EFFECT_BATCH: Final = 1024
"""A removal of many members is propagated in commands of no more than so many."""


# ---- members that are named


@sets.command(
    "SADD", arity=-3, flags="write denyoom fast", keys=RW(1, "insert"), syntax="key member [member ...]",
    history=[("2.4.0", "Accepts multiple `member` arguments.")],
)  # fmt: skip
def sadd(client: Client, key: bytes, member: bytes, *more: bytes) -> Reply:
    """Adds members to a set, creates the set if there is none, and returns how many are new.

    O(n) for n members.
    """
    db = client.db
    value = db.write(key, SetValue)
    if value is None:
        value = SetValue(client.engine.limits)
        db.add(key, value)
    elif not more:
        if not value.add(member):
            return 0
        db.changed(key, "sadd")
        return 1
    added = value.update((member, *more))
    if added:
        db.changed(key, "sadd", added)
    return added


@sets.command(
    "SREM", arity=-3, flags="write fast", keys=RW(1, "delete"), syntax="key member [member ...]",
    history=[("2.4.0", "Accepts multiple `member` arguments.")],
)  # fmt: skip
def srem(client: Client, key: bytes, *members: bytes) -> Reply:
    """Removes members from a set and returns how many were in it. O(n) for n members."""
    db = client.db
    value = db.write(key, SetValue)
    if value is None:
        return 0
    removed = sum([value.discard(member) for member in members])
    if removed:
        db.changed(key, "srem", removed)
        db.delete_if_empty(key, value)
    return removed


@sets.command(
    "SMOVE", arity=4, flags="write fast", keys=(RW(1, "access delete"), RW(2, "insert")),
    syntax="source destination member",
)  # fmt: skip
def smove(client: Client, source: bytes, destination: bytes, member: bytes) -> Reply:
    """Moves a member from one set to another. O(1)."""
    db = client.db
    value = db.write(source, SetValue)
    if value is None:
        return 0
    target = db.write(destination, SetValue)
    if value is target:
        return int(member in value)
    if not value.discard(member):
        return 0
    db.changed(source, "srem")
    db.delete_if_empty(source, value)
    if target is None:
        target = SetValue(client.engine.limits)
        db.add(destination, target)
    if target.update((member,)):
        db.changed(destination, "sadd")
    return 1


@sets.command("SISMEMBER", arity=3, flags="readonly fast", keys=RO(1, ""), syntax="key member")
def sismember(client: Client, key: bytes, member: bytes) -> Reply:
    """Says whether a member is in a set. O(1)."""
    value = client.db.read(key, SetValue)
    return 1 if value is not None and member in value else 0


@sets.command(
    "SMISMEMBER", arity=-3, flags="readonly fast", keys=RO(1), syntax="key member [member ...]",
    since="6.2.0",
)  # fmt: skip
def smismember(client: Client, key: bytes, *members: bytes) -> Reply:
    """Says of several members whether they are in a set. O(n) for n members."""
    value = client.db.read(key, SetValue)
    if value is None:
        return [0] * len(members)
    return [1 if member in value else 0 for member in members]


# ---- the whole set


@sets.command("SCARD", arity=2, flags="readonly fast", keys=RO(1, ""), syntax="key")
def scard(client: Client, key: bytes) -> Reply:
    """Returns the number of members of a set, 0 for a missing one. O(1)."""
    value = client.db.read(key, SetValue)
    return 0 if value is None else len(value)


@sets.command(
    "SMEMBERS", arity=2, flags="readonly", keys=RO(1), syntax="key", tips=["nondeterministic_output_order"],
)  # fmt: skip
def smembers(client: Client, key: bytes) -> Reply:
    """Returns all members of a set. O(n) for n members."""
    value = client.db.read(key, SetValue)
    return SetReply([] if value is None else list(value))


@sets.command(
    "SSCAN", arity=-3, flags="readonly", keys=RO(1), syntax="key cursor [MATCH pattern] [COUNT count]",
    since="2.8.0", tips=["nondeterministic_output"],
)  # fmt: skip
def sscan(client: Client, key: bytes, cursor: bytes, *words: bytes) -> Reply:
    """Returns a part of a set's members, and the cursor for the next.

    O(1) for a call, O(n) for all n members.
    """
    position = parse_cursor(cursor)
    value = client.db.read(key, SetValue)
    if value is None:
        return [b"0", []]
    options = parse_scan_options(words)
    following, members = value.scan(position, options.count)
    if options.pattern is not None:
        members = list(filter(matcher(options.pattern), members))
    return [b"%d" % following, members]


# ---- members by chance


@sets.command(
    "SPOP", arity=-2, flags="write fast", keys=RW(1, "access delete"), syntax="key [count]",
    tips=["nondeterministic_output"], history=[("3.2.0", "Added the `count` argument.")],
)  # fmt: skip
def spop(client: Client, key: bytes, *count: bytes) -> Reply:
    """Removes and returns a random member of a set, or several different ones. O(1), O(n) for n members."""
    if count:
        return _spop_counted(client, key, *count)
    db = client.db
    value = db.write(key, SetValue)
    if value is None:
        return None
    member = value.pop_random(db.keyspace.random)
    db.changed(key, "spop")
    db.delete_if_empty(key, value)
    client.engine.effect(b"SREM", key, member)
    return member


def _spop_counted(client: Client, key: bytes, count: bytes, *more: bytes) -> Reply:
    if more:
        raise errors.SYNTAX
    wanted = arguments.positive(count)
    db = client.db
    value = db.write(key, SetValue)
    if value is None or not wanted:
        return SetReply([])
    popped = value.pop_random_many(wanted, db.keyspace.random)
    db.changed(key, "spop", len(popped))
    if db.delete_if_empty(key, value):
        lazy = client.engine.config.boolean("lazyfree-lazy-server-del")
        client.engine.effect(b"UNLINK" if lazy else b"DEL", key)
    else:
        for start in range(0, len(popped), EFFECT_BATCH):
            client.engine.effect(b"SREM", key, *popped[start : start + EFFECT_BATCH])
    return SetReply(popped)


@sets.command(
    "SRANDMEMBER", arity=-2, flags="readonly", keys=RO(1), syntax="key [count]",
    tips=["nondeterministic_output"], history=[("2.6.0", "Added the optional `count` argument.")],
)  # fmt: skip
def srandmember(client: Client, key: bytes, *count: bytes) -> Reply:
    """Returns a random member of a set, several different ones, or (count < 0) as many draws as you like.

    O(1), O(n) for n members.
    """
    if len(count) > 1:
        raise errors.SYNTAX
    wanted = arguments.integer_between(count[0], -arguments.INT64_MAX, arguments.INT64_MAX) if count else 1
    rng = client.db.keyspace.random
    value = client.db.read(key, SetValue)
    if not count:
        return None if value is None else value.random(rng)
    if value is None or not wanted:
        return []
    if wanted < 0:
        return [value.random(rng) for _ in range(-may_draw(client, wanted))]
    return value.random_distinct(wanted, rng)
