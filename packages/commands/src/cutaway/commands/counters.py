"""Counters: strings that hold a number.

A counter needs no type of its own. A string that is the canonical spelling of a 64-bit integer is kept as
an `int`, so that INCR neither parses nor prints; another string that spells an integer is parsed once, and
is an `int` from then on. Sums that leave 64 bits are refused, not wrapped. What INCRBYFLOAT adds is in
`long_doubles`; its result is a string again, and goes to the log as that string, because another machine's
floating point might give another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import RW
from cutaway.commands.long_doubles import add_long_doubles
from cutaway.commands.strings import as_bytes
from cutaway.commands.tables import CommandTable
from cutaway.resp import Reply

counters: Final = CommandTable("string")


def _increment(client: Client, key: bytes, amount: int) -> Reply:
    db = client.db
    entry = db.lookup_write(key)
    if entry is None:
        result = amount
        db.add(key, result)
    else:
        value = entry.value
        if type(value) is not int:
            value = arguments.integer(as_bytes(value))
        result = value + amount
        if not arguments.INT64_MIN <= result <= arguments.INT64_MAX:
            raise errors.OVERFLOW
        entry.value = result
    db.changed(key, "incrby")
    return result


def _incr_many(client: Client, keys: Sequence[bytes]) -> Sequence[Reply]:
    return client.db.add_to_integers(keys, 1)


def _decr_many(client: Client, keys: Sequence[bytes]) -> Sequence[Reply]:
    return client.db.add_to_integers(keys, -1)


@counters.command(
    "INCR", arity=2, flags="write denyoom fast", keys=RW(1, "access update"), syntax="key", many=_incr_many
)
def incr(client: Client, key: bytes) -> Reply:
    """Adds one to the integer at a key; a missing key counts as 0. O(1)."""
    return _increment(client, key, 1)


@counters.command(
    "DECR", arity=2, flags="write denyoom fast", keys=RW(1, "access update"), syntax="key", many=_decr_many
)
def decr(client: Client, key: bytes) -> Reply:
    """Takes one from the integer at a key; a missing key counts as 0. O(1)."""
    return _increment(client, key, -1)


@counters.command("INCRBY", arity=3, flags="write denyoom fast", keys=RW(1, "access update"),
                  syntax="key increment")  # fmt: skip
def incrby(client: Client, key: bytes, increment: bytes) -> Reply:
    """Adds an integer to the integer at a key; a missing key counts as 0. O(1)."""
    return _increment(client, key, arguments.integer(increment))


@counters.command("DECRBY", arity=3, flags="write denyoom fast", keys=RW(1, "access update"),
                  syntax="key decrement")  # fmt: skip
def decrby(client: Client, key: bytes, decrement: bytes) -> Reply:
    """Takes an integer from the integer at a key; a missing key counts as 0. O(1)."""
    amount = arguments.integer(decrement)
    if amount == arguments.INT64_MIN:
        raise errors.CommandError("ERR decrement would overflow")
    return _increment(client, key, -amount)


@counters.command("INCRBYFLOAT", arity=3, flags="write denyoom fast", keys=RW(1, "access update"),
                  syntax="key increment", since="2.6.0")  # fmt: skip
def incrbyfloat(client: Client, key: bytes, increment: bytes) -> Reply:
    """Adds a number to the number at a key; a missing key counts as 0. O(1)."""
    db = client.db
    entry = db.lookup_write(key)
    current = b"0" if entry is None else as_bytes(entry.value)
    result = add_long_doubles(current, increment)
    if entry is None:
        db.add(key, result)
    else:
        entry.value = result
    db.changed(key, "incrbyfloat")
    client.engine.effect(b"SET", key, result, b"KEEPTTL")
    return result
