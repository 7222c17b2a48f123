"""DUMP and RESTORE: a value as a string of bytes, and back.

The bytes are an RDB file's, and RDB belongs to another room: whoever composes the engine puts a codec into
`engine.extras["codec"]`. Without one the two commands say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.hashes import register
from cutaway.commands.key_specs import OW, RO
from cutaway.commands.keyspaces import Entry
from cutaway.commands.tables import CommandTable
from cutaway.datastructures import HashValue
from cutaway.datastructures.eviction_clocks import LRU_CLOCK_MAX, lfu_minutes
from cutaway.resp import Reply

dumping: Final = CommandTable("generic")

NO_CODEC: Final = errors.CommandError("ERR this server was composed without a codec for DUMP payloads")
BUSY_KEY: Final = errors.CommandError("BUSYKEY Target key name already exists.")
INVALID_TTL: Final = errors.CommandError("ERR Invalid TTL value, must be >= 0")
INVALID_IDLE_TIME: Final = errors.CommandError("ERR Invalid IDLETIME value, must be >= 0")
INVALID_FREQUENCY: Final = errors.CommandError("ERR Invalid FREQ value, must be >= 0 and <= 255")


class Codec(Protocol):
    """What turns values into payloads."""

    def dump(self, value: Any) -> bytes:
        """The payload of a value."""

    def restore(self, payload: bytes) -> Any:
        """The value of a payload. Raises CommandError with what RESTORE answers."""


def codec(client: Client) -> Codec:
    """The codec that the engine was given; raises if there is none."""
    found: Codec | None = client.engine.extras.get("codec")
    if found is None:
        raise NO_CODEC
    return found


@dumping.command(
    "DUMP",
    arity=2,
    flags="readonly",
    keys=RO(1),
    syntax="key",
    since="2.6.0",
    tips=["nondeterministic_output"],
)
def dump(client: Client, key: bytes) -> Reply:
    """Returns a value in a form that RESTORE takes, on this server or another. O(size of the value)."""
    entry = client.db.lookup_read(key)
    return None if entry is None else codec(client).dump(entry.value)


@dataclass(slots=True)
class RestoreOptions:
    """What follows the payload."""

    replace: bool = False
    absolute: bool = False
    idle_time: int | None = None
    frequency: int | None = None

    @classmethod
    def parse(cls, words: Sequence[bytes]) -> RestoreOptions:
        """The options in `words`. Raises the syntax error, or a value's own."""
        options = cls()
        position = 0
        while position < len(words):
            word, more = words[position].upper(), position + 1 < len(words)
            if word == b"REPLACE":
                options.replace = True
            elif word == b"ABSTTL":
                options.absolute = True
            elif word == b"IDLETIME" and more and options.frequency is None:
                position += 1
                options.idle_time = arguments.integer(words[position])
                if options.idle_time < 0:
                    raise INVALID_IDLE_TIME
            elif word == b"FREQ" and more and options.idle_time is None:
                position += 1
                options.frequency = arguments.integer(words[position])
                if not 0 <= options.frequency <= 255:
                    raise INVALID_FREQUENCY
            else:
                raise errors.SYNTAX
            position += 1
        return options

    def stamp(self, client: Client, entry: Entry) -> None:
        """Give the entry the access stamp that was asked for, if it means something under the present policy."""
        now = client.engine.keyspace.now
        is_lfu = client.engine.keyspace.access_for is not None
        if is_lfu and self.frequency is not None:
            entry.access = lfu_minutes(now) << 8 | self.frequency
        elif not is_lfu and self.idle_time is not None:
            entry.access = (client.engine.keyspace.lru_clock - self.idle_time) & LRU_CLOCK_MAX


@dumping.command(
    "RESTORE", arity=-4, flags="write denyoom", keys=OW(1), acl="dangerous", since="2.6.0",
    syntax="key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
)  # fmt: skip
def restore(client: Client, key: bytes, ttl: bytes, payload: bytes, *words: bytes) -> Reply:
    """Makes a key of what DUMP gave. O(size of the value)."""
    db, engine = client.db, client.engine
    options = RestoreOptions.parse(words)
    if not options.replace and db.lookup_write(key) is not None:
        raise BUSY_KEY
    expire_at = arguments.integer(ttl)
    if expire_at < 0:
        raise INVALID_TTL
    value = codec(client).restore(payload)
    if expire_at and not options.absolute:
        expire_at += engine.keyspace.now
    old = db.remove(key) if options.replace and db.peek(key) is not None else None
    if old is not None:
        engine.keyspace.release(old.value)
    if expire_at and expire_at <= engine.keyspace.now and engine.keyspace.may_expire:
        if old is not None:
            engine.effect(b"DEL", key)
            db.changed(key, "del")
        return "OK"
    entry = db.add(key, value)
    if isinstance(value, HashValue):
        register(db, key, value)
    if expire_at:
        db.expire(key, entry, expire_at)
    options.stamp(client, entry)
    if expire_at and not options.absolute:
        engine.effect(b"RESTORE", key, b"%d" % expire_at, payload, *words, b"ABSTTL")
    db.changed(key, "restore")
    return "OK"


@dumping.command(
    "RESTORE-ASKING", arity=-4, flags="write denyoom asking", keys=OW(1), acl="dangerous keyspace", since="3.0.0", group="server",
    doc_flags="syscmd", syntax="key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
    history=[("3.0.0", "Added the `REPLACE` modifier."), ("5.0.0", "Added the `ABSTTL` modifier."),
             ("5.0.0", "Added the `IDLETIME` and `FREQ` options.")],
)  # fmt: skip
def restore_asking(client: Client, key: bytes, ttl: bytes, payload: bytes, *words: bytes) -> Reply:
    """Is RESTORE, as the nodes of a cluster say it to each other. O(size of the value)."""
    return restore(client, key, ttl, payload, *words)
