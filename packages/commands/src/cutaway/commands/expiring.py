"""EXPIRE and its family: how long a key has to live.

Redis keeps one thing, the moment of a key's end in milliseconds since the epoch, and so do we; the other forms are
arithmetic on it. What is propagated is always that moment: a relative time would mean something else whenever the log is
replayed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.generic import generic
from cutaway.commands.key_specs import RO, RW
from cutaway.resp import Reply

EXPIRE_SYNTAX: Final = "[NX | XX | GT | LT]"


class ExpireCondition:
    """NX, XX, GT and LT: when a new expiry may take the place of what is there."""

    __slots__ = ("gt", "lt", "nx", "xx")

    def __init__(self, words: Sequence[bytes]) -> None:
        chosen = set()
        for word in words:
            option = word.upper()
            if option not in (b"NX", b"XX", b"GT", b"LT"):
                raise errors.CommandError(f"ERR Unsupported option {errors.printable(word)}")
            chosen.add(option)
        self.nx: Final = b"NX" in chosen
        self.xx: Final = b"XX" in chosen
        self.gt: Final = b"GT" in chosen
        self.lt: Final = b"LT" in chosen
        if self.nx and (self.xx or self.gt or self.lt):
            raise errors.CommandError("ERR NX and XX, GT or LT options at the same time are not compatible")
        if self.gt and self.lt:
            raise errors.CommandError("ERR GT and LT options at the same time are not compatible")

    def allows(self, present: int, moment: int) -> bool:
        """Whether `moment` may replace `present` (0 for none, which counts as infinitely far)."""
        if (self.nx and present) or (self.xx and not present):
            return False
        if self.gt and (not present or moment <= present):
            return False
        return not (self.lt and present and moment >= present)


def expiry_moment(text: bytes, unit: int, base: int, name: str) -> int:
    """The moment, in milliseconds, that `text` units after `base` is. May be past; raises where it leaves 64 bits."""
    amount = arguments.integer(text)
    if not arguments.INT64_MIN <= amount * unit <= arguments.INT64_MAX:
        raise errors.invalid_expire(name)
    moment = amount * unit + base
    if moment > arguments.INT64_MAX:
        raise errors.invalid_expire(name)
    return moment


def _expire(
    client: Client, key: bytes, amount: bytes, words: Sequence[bytes], name: str, unit: int, *, relative: bool
) -> Reply:
    condition = ExpireCondition(words) if words else None
    db = client.db
    now = db.keyspace.now
    moment = expiry_moment(amount, unit, now if relative else 0, name)
    entry = db.lookup_write(key)
    if entry is None or (condition is not None and not condition.allows(entry.expire_at, moment)):
        return 0
    if moment <= now and db.keyspace.may_expire:
        db.delete(key)
        client.engine.effect(b"DEL", key)
    else:
        db.expire(key, entry, max(moment, 1))
        db.changed(key, "expire")
        client.engine.effect(b"PEXPIREAT", key, b"%d" % moment)
    return 1


@generic.command("EXPIRE", arity=-3, flags="write fast", keys=RW(1), syntax=f"key seconds {EXPIRE_SYNTAX}")
def expire(client: Client, key: bytes, seconds: bytes, *words: bytes) -> Reply:
    """Lets a key end so many seconds from now. O(1)."""
    return _expire(client, key, seconds, words, "expire", 1000, relative=True)


@generic.command("PEXPIRE", arity=-3, flags="write fast", keys=RW(1), syntax=f"key milliseconds {EXPIRE_SYNTAX}",
                 since="2.6.0")  # fmt: skip
def pexpire(client: Client, key: bytes, milliseconds: bytes, *words: bytes) -> Reply:
    """Lets a key end so many milliseconds from now. O(1)."""
    return _expire(client, key, milliseconds, words, "pexpire", 1, relative=True)


@generic.command("EXPIREAT", arity=-3, flags="write fast", keys=RW(1), syntax=f"key unix-time-seconds {EXPIRE_SYNTAX}",
                 since="1.2.0")  # fmt: skip
def expireat(client: Client, key: bytes, moment: bytes, *words: bytes) -> Reply:
    """Lets a key end at a moment, in seconds since the epoch. O(1)."""
    return _expire(client, key, moment, words, "expireat", 1000, relative=False)


@generic.command("PEXPIREAT", arity=-3, flags="write fast", keys=RW(1),
                 syntax=f"key unix-time-milliseconds {EXPIRE_SYNTAX}", since="2.6.0")  # fmt: skip
def pexpireat(client: Client, key: bytes, moment: bytes, *words: bytes) -> Reply:
    """Lets a key end at a moment, in milliseconds since the epoch. O(1)."""
    return _expire(client, key, moment, words, "pexpireat", 1, relative=False)


def _remaining(client: Client, key: bytes, unit: int, *, relative: bool) -> Reply:
    entry = client.db.glance(key)
    if entry is None:
        return -2
    if not entry.expire_at:
        return -1
    amount = max(entry.expire_at - client.db.keyspace.now, 0) if relative else entry.expire_at
    return (amount + unit // 2) // unit


@generic.command(
    "TTL", arity=2, flags="readonly fast", keys=RO(1), syntax="key", tips=["nondeterministic_output"]
)
def ttl(client: Client, key: bytes) -> Reply:
    """Returns how many seconds a key has left; -1 without an expiry, -2 without the key. O(1)."""
    return _remaining(client, key, 1000, relative=True)


@generic.command("PTTL", arity=2, flags="readonly fast", keys=RO(1), syntax="key", since="2.6.0",
                 tips=["nondeterministic_output"])  # fmt: skip
def pttl(client: Client, key: bytes) -> Reply:
    """Returns how many milliseconds a key has left; -1 without an expiry, -2 without the key. O(1)."""
    return _remaining(client, key, 1, relative=True)


@generic.command("EXPIRETIME", arity=2, flags="readonly fast", keys=RO(1), syntax="key", since="7.0.0")
def expiretime(client: Client, key: bytes) -> Reply:
    """Returns the moment of a key's end in seconds since the epoch; -1 without one, -2 without the key. O(1)."""
    return _remaining(client, key, 1000, relative=False)


@generic.command("PEXPIRETIME", arity=2, flags="readonly fast", keys=RO(1), syntax="key", since="7.0.0")
def pexpiretime(client: Client, key: bytes) -> Reply:
    """Returns the moment of a key's end in milliseconds since the epoch; -1 without one, -2 without the key. O(1)."""
    return _remaining(client, key, 1, relative=False)


@generic.command("PERSIST", arity=2, flags="write fast", keys=RW(1), syntax="key", since="2.2.0")
def persist(client: Client, key: bytes) -> Reply:
    """Takes a key's expiry away. O(1)."""
    entry = client.db.lookup_write(key)
    if entry is None or not entry.expire_at:
        return 0
    client.db.persist(key, entry)
    client.db.changed(key, "persist")
    return 1
