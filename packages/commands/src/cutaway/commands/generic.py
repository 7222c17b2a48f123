"""Commands that take a key of any type: delete, rename, copy, count, look around."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import OW, RM, RO, RW
from cutaway.commands.keyspaces import Database, type_name
from cutaway.commands.tables import CommandTable
from cutaway.config import matcher
from cutaway.resp import Reply

generic: Final = CommandTable("generic")


def copy_value(value: Any) -> Any:
    """A value that can be changed without changing `value`. O(n)."""
    if isinstance(value, (int, bytes)):
        return value
    if isinstance(value, bytearray):
        return bytearray(value)
    return value.copy()


def _delete(client: Client, keys: Sequence[bytes]) -> Reply:
    db = client.db
    return sum(db.delete(key) for key in keys)


@generic.command("DEL", arity=-2, flags="write", keys=RM(1, last=-1), syntax="key [key ...]",
                 tips=["request_policy:multi_shard", "response_policy:agg_sum"])  # fmt: skip
def del_(client: Client, *keys: bytes) -> Reply:
    """Deletes keys and says how many there were. O(n) for n keys."""
    return _delete(client, keys)


@generic.command("UNLINK", arity=-2, flags="write fast", keys=RM(1, last=-1), syntax="key [key ...]", since="4.0.0",
                 tips=["request_policy:multi_shard", "response_policy:agg_sum"])  # fmt: skip
def unlink(client: Client, *keys: bytes) -> Reply:
    """Deletes keys; the memory of big values is reclaimed afterwards, a bit at a time. O(1) for each key."""
    return _delete(client, keys)


@generic.command("EXISTS", arity=-2, flags="readonly fast", keys=RO(1, "", last=-1), syntax="key [key ...]",
                 tips=["request_policy:multi_shard", "response_policy:agg_sum"])  # fmt: skip
def exists(client: Client, *keys: bytes) -> Reply:
    """Counts how many of the keys exist; one named twice counts twice. O(n) for n keys."""
    glance = client.db.glance
    return sum(glance(key) is not None for key in keys)


@generic.command("TOUCH", arity=-2, flags="readonly fast", keys=RO(1, "", last=-1), syntax="key [key ...]",
                 since="3.2.1", tips=["request_policy:multi_shard", "response_policy:agg_sum"])  # fmt: skip
def touch(client: Client, *keys: bytes) -> Reply:
    """Makes keys look used just now, and counts those that exist. O(n) for n keys."""
    lookup = client.db.lookup_read
    return sum(lookup(key) is not None for key in keys)


@generic.command("TYPE", arity=2, flags="readonly fast", keys=RO(1, ""), syntax="key")
def type_(client: Client, key: bytes) -> Reply:
    """Names the type of a key's value, or none. O(1)."""
    entry = client.db.glance(key)
    return "none" if entry is None else type_name(entry.value)


@generic.command("KEYS", arity=2, flags="readonly", syntax="pattern",
                 tips=["request_policy:all_shards", "nondeterministic_output_order"], acl="dangerous")  # fmt: skip
def keys_(client: Client, pattern: bytes) -> Reply:
    """Lists the keys that match a pattern. O(n) for n keys in the database."""
    if pattern == b"*":
        return list(client.db.live_keys())
    matches = matcher(pattern)
    return [key for key in client.db.live_keys() if matches(key)]


@generic.command("RANDOMKEY", arity=1, flags="readonly",
                 tips=["request_policy:all_shards", "response_policy:special", "nondeterministic_output"])  # fmt: skip
def randomkey(client: Client) -> Reply:
    """Returns a random key, nil if the database is empty. O(1)."""
    db = client.db
    for _ in range(100 if not db.keyspace.may_expire else len(db.keys)):
        if not len(db.keys):
            return None
        key, _ = db.keys.random_item(db.keyspace.random)
        if db.peek(key) is not None:
            return key
    return next(iter(db.live_keys()), None)


# ---- moving


def _rename(client: Client, key: bytes, new_key: bytes, *, may_replace: bool) -> bool:
    db = client.db
    entry = db.lookup_write(key)
    if entry is None:
        raise errors.NO_SUCH_KEY
    if key == new_key:
        return may_replace
    if db.lookup_write(new_key) is not None:
        if not may_replace:
            return False
        old = db.remove(new_key)
        if old is not None:
            db.keyspace.release(old.value)
    _put(db, key, db, new_key)
    db.changed(key, "rename_from")
    db.keyspace.dirty -= 1
    db.changed(new_key, "rename_to")
    return True


def _put(source: Database, key: bytes, target: Database, new_key: bytes) -> None:
    """Let the entry at `key` move to `new_key`, its expiry with it."""
    has_volatile_fields = key in source.volatile_fields
    entry = source.remove(key)
    assert entry is not None
    target.keys[new_key] = entry
    if entry.expire_at:
        target.expires[new_key] = entry
    if has_volatile_fields:
        target.volatile_fields[new_key] = entry
    if target.keyspace.on_change:
        target.notify(new_key, "new")


@generic.command("RENAME", arity=3, flags="write", keys=(RW(1, "access delete"), OW(2)), syntax="key newkey")
def rename(client: Client, key: bytes, new_key: bytes) -> Reply:
    """Gives a key another name, replacing what had it. O(1)."""
    _rename(client, key, new_key, may_replace=True)
    return "OK"


@generic.command("RENAMENX", arity=3, flags="write fast", keys=(RW(1, "access delete"), OW(2, "insert")),
                 syntax="key newkey")  # fmt: skip
def renamenx(client: Client, key: bytes, new_key: bytes) -> Reply:
    """Gives a key another name, only if that is free. O(1)."""
    return int(_rename(client, key, new_key, may_replace=False))


def _database(
    client: Client, index: bytes, error: errors.CommandError = errors.DB_INDEX_OUT_OF_RANGE
) -> Database:
    number = arguments.small_integer(index)
    databases = client.engine.keyspace.databases
    if not 0 <= number < len(databases):
        raise error
    return databases[number]


@generic.command("MOVE", arity=3, flags="write fast", keys=RW(1, "access update"), syntax="key db")
def move(client: Client, key: bytes, index: bytes) -> Reply:
    """Moves a key to another database, if it does not exist there. O(1)."""
    source, target = client.db, _database(client, index)
    if source is target:
        raise errors.SAME_OBJECT
    if source.lookup_write(key) is None or target.lookup_write(key) is not None:
        return 0
    _put(source, key, target, key)
    source.changed(key, "move_from")
    source.keyspace.dirty -= 1
    target.changed(key, "move_to")
    return 1


@generic.command("COPY", arity=-3, flags="write denyoom", keys=(RO(1), OW(2)), since="6.2.0",
                 syntax="source destination [DB destination-db] [REPLACE]")  # fmt: skip
def copy(client: Client, source: bytes, destination: bytes, *tail: bytes) -> Reply:
    """Copies a key's value and expiry to another key. O(n) for a value of n elements."""
    target, replace = client.db, False
    position = 0
    while position < len(tail):
        word = tail[position].lower()
        if word == b"replace":
            replace = True
        elif word == b"db" and position + 1 < len(tail):
            position += 1
            target = _database(client, tail[position])
        else:
            raise errors.SYNTAX
        position += 1
    if target is client.db and source == destination:
        raise errors.SAME_OBJECT
    entry = client.db.lookup_read(source)
    if entry is None:
        return 0
    if target.lookup_write(destination) is not None:
        if not replace:
            return 0
        target.delete(destination, "overwritten")
        target.keyspace.dirty -= 1
    twin = target.add(destination, copy_value(entry.value))
    if entry.expire_at:
        target.expire(destination, twin, entry.expire_at)
    if source in client.db.volatile_fields:
        target.volatile_fields[destination] = twin
    target.changed(destination, "copy_to")
    return 1


# ---- whole databases


@generic.command("DBSIZE", arity=1, flags="readonly fast", tips=["request_policy:all_shards", "response_policy:agg_sum"],
                 group="server", acl="keyspace")  # fmt: skip
def dbsize(client: Client) -> Reply:
    """Counts the keys of the current database. O(1)."""
    return len(client.db)


def _check_flush_mode(mode: Sequence[bytes]) -> None:
    if len(mode) > 1 or (mode and mode[0].lower() not in (b"sync", b"async")):
        raise errors.SYNTAX


@generic.command("FLUSHDB", arity=-1, flags="write", syntax="[ASYNC | SYNC]", group="server", acl="keyspace dangerous",
                 tips=["request_policy:all_shards", "response_policy:all_succeeded"])  # fmt: skip
def flushdb(client: Client, *mode: bytes) -> Reply:
    """Deletes all keys of the current database. O(n) for n keys, the reply waits for none of it."""
    _check_flush_mode(mode)
    client.engine.keyspace.flush([client.db])
    client.engine.keyspace.dirty += 1
    client.engine.effect(b"FLUSHDB")
    return "OK"


@generic.command("FLUSHALL", arity=-1, flags="write", syntax="[ASYNC | SYNC]", group="server", acl="keyspace dangerous",
                 tips=["request_policy:all_shards", "response_policy:all_succeeded"])  # fmt: skip
def flushall(client: Client, *mode: bytes) -> Reply:
    """Deletes all keys of all databases. O(n) for n keys, the reply waits for none of it."""
    _check_flush_mode(mode)
    client.engine.keyspace.flush(client.engine.keyspace.databases)
    client.engine.keyspace.dirty += 1
    for action in client.engine.extras.get("on_flushall", ()):
        action()  # a snapshot that is made here has this change too
    client.engine.effect(b"FLUSHALL")
    return "OK"


@generic.command("SWAPDB", arity=3, flags="write fast", syntax="index1 index2", since="4.0.0", group="server",
                 acl="keyspace dangerous")  # fmt: skip
def swapdb(client: Client, first: bytes, second: bytes) -> Reply:
    """Exchanges the contents of two databases. O(1), and O(n) for n clients that watch or wait."""
    numbers = []
    for word, ordinal in ((first, "first"), (second, "second")):
        number = arguments.integer_or_none(word)
        if number is None:
            raise errors.CommandError(f"ERR invalid {ordinal} DB index")
        numbers.append(number)
    keyspace = client.engine.keyspace
    if not all(0 <= number < len(keyspace.databases) for number in numbers):
        raise errors.DB_INDEX_OUT_OF_RANGE
    keyspace.swap(*numbers)
    for index in numbers:
        client.engine.blocking.recheck(index)
    keyspace.dirty += 1
    return "OK"
