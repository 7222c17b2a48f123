"""Popping from the first of several sorted sets that has members, waiting for one if none has.

What is propagated is a plain pop from the set that was chosen, with the number of members that it really gave: whoever
replays the log must neither wait nor choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.blocking import Block, holds
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import RW
from cutaway.commands.sorted_sets import pop
from cutaway.commands.tables import CommandTable
from cutaway.datastructures import SortedSetValue
from cutaway.resp import NULL_ARRAY, Reply

blocking_sorted_sets: Final = CommandTable("sorted-set")

NUMKEYS: Final = errors.CommandError("ERR numkeys should be greater than 0")
COUNT: Final = errors.CommandError("ERR count should be greater than 0")

_HAS_MEMBERS: Final = holds(SortedSetValue)


def _first_set(client: Client, keys: Sequence[bytes]) -> tuple[bytes, SortedSetValue] | None:
    """The first key that exists; it must hold a sorted set."""
    for key in keys:
        value = client.db.write(key, SortedSetValue)
        if value is not None:
            return key, value
    return None


def _pop_one(client: Client, words: Sequence[bytes], name: bytes, *, highest: bool) -> Reply | Block:
    keys = words[:-1]
    deadline = arguments.timeout_deadline(words[-1], client.engine.keyspace.now)
    found = _first_set(client, keys)
    if found is None:
        return Block(keys, deadline, _HAS_MEMBERS)
    key, value = found
    ((member, score),) = pop(client, key, value, 1, highest=highest)
    client.engine.effect(name, key)
    return [key, member, score]


@blocking_sorted_sets.command("BZPOPMIN", arity=-3, flags="write blocking fast", keys=RW(1, "access delete", last=-2), since="5.0.0",
                     syntax="key [key ...] timeout",
                     history=[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")])  # fmt: skip
def bzpopmin(client: Client, *words: bytes) -> Reply | Block:
    """Removes the member with the lowest score from the first of several sorted sets that has one, or waits for it. O(log(n))."""
    return _pop_one(client, words, b"ZPOPMIN", highest=False)


@blocking_sorted_sets.command("BZPOPMAX", arity=-3, flags="write blocking fast", keys=RW(1, "access delete", last=-2), since="5.0.0",
                     syntax="key [key ...] timeout",
                     history=[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")])  # fmt: skip
def bzpopmax(client: Client, *words: bytes) -> Reply | Block:
    """Removes the member with the highest score from the first of several sorted sets that has one, or waits for it. O(log(n))."""
    return _pop_one(client, words, b"ZPOPMAX", highest=True)


class PopRequest:
    """The arguments that ZMPOP and BZMPOP share: `numkeys key [key ...] <MIN | MAX> [COUNT count]`."""

    __slots__ = ("count", "highest", "keys")

    def __init__(self, words: Sequence[bytes]) -> None:
        numkeys = arguments.integer_between(words[0], 1, arguments.INT64_MAX, NUMKEYS)
        if numkeys + 1 >= len(words):
            raise errors.SYNTAX
        self.keys: Final = words[1 : numkeys + 1]
        end = words[numkeys + 1].upper()
        if end not in (b"MIN", b"MAX"):
            raise errors.SYNTAX
        self.highest: Final = end == b"MAX"
        tail = words[numkeys + 2 :]
        self.count = 1
        if tail:
            if len(tail) < 2 or tail[0].upper() != b"COUNT":
                raise errors.SYNTAX
            self.count = arguments.integer_between(tail[1], 1, arguments.INT64_MAX, COUNT)
            if len(tail) > 2:
                raise errors.SYNTAX

    def pop(self, client: Client) -> Reply:
        """The key and the pairs that its set gave up, or None if no key has a set. O(k)+O(m*log(n)) for k keys, m members."""
        found = _first_set(client, self.keys)
        if found is None:
            return None
        key, value = found
        pairs = pop(client, key, value, self.count, highest=self.highest)
        client.engine.effect(b"ZPOPMAX" if self.highest else b"ZPOPMIN", key, b"%d" % len(pairs))
        return [key, [[member, score] for member, score in pairs]]


@blocking_sorted_sets.command("ZMPOP", arity=-4, flags="write movablekeys", keys=RW(1, "access delete", key_count=0), since="7.0.0",
                     syntax="numkeys key [key ...] <MIN | MAX> [COUNT count]")  # fmt: skip
def zmpop(client: Client, *words: bytes) -> Reply:
    """Removes the lowest or highest members of the first of several sorted sets that has some. O(k)+O(m*log(n)) for k keys, m members."""
    reply = PopRequest(words).pop(client)
    return NULL_ARRAY if reply is None else reply


@blocking_sorted_sets.command("BZMPOP", arity=-5, flags="write blocking movablekeys", keys=RW(2, "access delete", key_count=0),
                     since="7.0.0", syntax="timeout numkeys key [key ...] <MIN | MAX> [COUNT count]")  # fmt: skip
def bzmpop(client: Client, timeout: bytes, *words: bytes) -> Reply | Block:
    """Removes members of the first of several sorted sets that has some, or waits for it. O(k)+O(m*log(n)) for k keys, m members."""
    request = PopRequest(words)
    deadline = arguments.timeout_deadline(timeout, client.engine.keyspace.now)
    reply = request.pop(client)
    return Block(request.keys, deadline, _HAS_MEMBERS) if reply is None else reply
