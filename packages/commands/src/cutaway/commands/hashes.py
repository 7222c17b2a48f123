"""Hashes: fields with values, an object's worth of data under one key.

A small hash is a listpack, a larger one a hash table; `HashValue` sees to that, and to the fields that have an expiry of
their own. What is left for the commands is to agree with the clock: a field whose time is over is there until
somebody takes it out. So every command gets its hash through `read_hash` or `write_hash`, which take out what is over first
(lazy expiry, as for keys), and none of them ever meets an expired field. The cost of that is one truth test as long as no
hash in the database has such fields: those that have are listed in `Database.volatile_fields`.

The commands that set and read the expiries are in `hash_expiry.py`.
"""

from __future__ import annotations

from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.draws import may_draw
from cutaway.commands.key_specs import RO, RW
from cutaway.commands.keyspaces import Database
from cutaway.commands.long_doubles import add_long_doubles, parse_long_double
from cutaway.commands.scanning import parse_cursor, parse_scan_options
from cutaway.commands.tables import CommandTable
from cutaway.config import matcher
from cutaway.datastructures import HashValue
from cutaway.resp import MapReply, Pairs, Reply

hashes: Final = CommandTable("hash")

NOT_AN_INTEGER: Final = errors.CommandError("ERR hash value is not an integer")
NOT_A_FLOAT: Final = errors.CommandError("ERR hash value is not a float")
NAN_OR_INFINITE: Final = errors.CommandError("ERR value is NaN or Infinity")


# ---- getting at a hash


def read_hash(client: Client, key: bytes) -> HashValue | None:
    """The hash at `key` without its expired fields, or None; raises WRONGTYPE. For commands that read."""
    db = client.db
    value = db.read(key, HashValue)
    if db.volatile_fields and value is not None and key in db.volatile_fields:
        return without_expired(db, key, value)
    return value


def write_hash(client: Client, key: bytes) -> HashValue | None:
    """As `read_hash`, for commands that will change the hash in place."""
    db = client.db
    value = db.write(key, HashValue)
    if db.volatile_fields and value is not None and key in db.volatile_fields:
        return without_expired(db, key, value)
    return value


def without_expired(db: Database, key: bytes, value: HashValue) -> HashValue | None:
    """The hash once the fields are out whose time is over; None if it had no others. O(fields gone).

    Where nothing may be removed by time (on a replica), but must not be seen either, what is given is a copy.
    """
    keyspace = db.keyspace
    due = value.next_expiry
    if due is None or due >= keyspace.now:
        return value
    if keyspace.may_expire:
        db.expire_fields(key, db.volatile_fields[key])
    elif keyspace.hides_expired:
        value = value.copy()
        value.pop_expired(keyspace.now)
    return value if len(value) else None


def create_hash(client: Client, key: bytes) -> HashValue:
    """A new empty hash at `key`, which does not exist."""
    value = HashValue(client.engine.limits)
    client.db.add(key, value)
    return value


def register(db: Database, key: bytes, value: HashValue) -> None:
    """List the hash among those with fields that expire, or strike it off, after a change of expiries. O(1)."""
    if value.has_expiries:
        db.volatile_fields[key] = db.keys[key]
    elif db.volatile_fields:
        db.volatile_fields.pop(key, None)


# ---- setting


def _set_fields(client: Client, key: bytes, words: tuple[bytes, ...]) -> int:
    value = write_hash(client, key) or create_hash(client, key)
    created = value.update(list(zip(words[::2], words[1::2], strict=True)))
    register(client.db, key, value)
    client.db.changed(key, "hset", len(words) // 2)
    return created


@hashes.command("HSET", arity=-4, flags="write denyoom fast", keys=RW(1), syntax="key field value [field value ...]",
                since="2.0.0", history=[("4.0.0", "Accepts multiple `field` and `value` arguments.")])  # fmt: skip
def hset(client: Client, key: bytes, field: bytes, value: bytes, *more: bytes) -> Reply:
    """Sets fields of a hash, and returns how many are new. O(1) for a field, O(n) for n fields."""
    db = client.db
    if more or db.volatile_fields:
        if len(more) % 2:
            raise errors.wrong_arity("hset")
        return _set_fields(client, key, (field, value, *more))
    hash_ = db.write(key, HashValue)
    if hash_ is None:
        hash_ = HashValue(client.engine.limits)
        db.add(key, hash_)
    created = hash_.set(field, value)
    db.changed(key, "hset")
    return 1 if created else 0


@hashes.command("HMSET", arity=-4, flags="write denyoom fast", keys=RW(1), syntax="key field value [field value ...]",
                since="2.0.0")  # fmt: skip
def hmset(client: Client, key: bytes, *words: bytes) -> Reply:
    """Sets fields of a hash; the old form of HSET. O(n) for n fields."""
    if len(words) % 2:
        raise errors.wrong_arity("hmset")
    _set_fields(client, key, words)
    return "OK"


@hashes.command("HSETNX", arity=4, flags="write denyoom fast", keys=RW(1, "insert"), syntax="key field value",
                since="2.0.0")  # fmt: skip
def hsetnx(client: Client, key: bytes, field: bytes, value: bytes) -> Reply:
    """Sets a field of a hash, only if there is no such field. O(1)."""
    hash_ = write_hash(client, key)
    if hash_ is None:
        hash_ = create_hash(client, key)
    elif field in hash_:
        return 0
    hash_.set(field, value)
    client.db.changed(key, "hset")
    return 1


# ---- getting


@hashes.command("HGET", arity=3, flags="readonly fast", keys=RO(1), syntax="key field", since="2.0.0")
def hget(client: Client, key: bytes, field: bytes) -> Reply:
    """Returns the value of a field of a hash. O(1)."""
    value = read_hash(client, key)
    return None if value is None else value.get(field)


@hashes.command(
    "HMGET", arity=-3, flags="readonly fast", keys=RO(1), syntax="key field [field ...]", since="2.0.0"
)
def hmget(client: Client, key: bytes, *fields: bytes) -> Reply:
    """Returns the values of fields of a hash, nil for each that it does not have. O(n) for n fields."""
    value = read_hash(client, key)
    return [None] * len(fields) if value is None else [value.get(field) for field in fields]


@hashes.command("HGETALL", arity=2, flags="readonly", keys=RO(1), syntax="key", since="2.0.0",
                tips=["nondeterministic_output_order"])  # fmt: skip
def hgetall(client: Client, key: bytes) -> Reply:
    """Returns all fields of a hash with their values. O(n) for n fields."""
    value = read_hash(client, key)
    return MapReply([] if value is None else list(value.items()))


@hashes.command("HKEYS", arity=2, flags="readonly", keys=RO(1), syntax="key", since="2.0.0",
                tips=["nondeterministic_output_order"])  # fmt: skip
def hkeys(client: Client, key: bytes) -> Reply:
    """Returns all fields of a hash. O(n) for n fields."""
    value = read_hash(client, key)
    return [] if value is None else list(value.fields())


@hashes.command("HVALS", arity=2, flags="readonly", keys=RO(1), syntax="key", since="2.0.0",
                tips=["nondeterministic_output_order"])  # fmt: skip
def hvals(client: Client, key: bytes) -> Reply:
    """Returns all values of a hash. O(n) for n fields."""
    value = read_hash(client, key)
    return [] if value is None else list(value.values())


@hashes.command("HLEN", arity=2, flags="readonly fast", keys=RO(1, ""), syntax="key", since="2.0.0")
def hlen(client: Client, key: bytes) -> Reply:
    """Returns the number of fields of a hash. O(1)."""
    value = read_hash(client, key)
    return 0 if value is None else len(value)


@hashes.command("HSTRLEN", arity=3, flags="readonly fast", keys=RO(1, ""), syntax="key field", since="3.2.0")
def hstrlen(client: Client, key: bytes, field: bytes) -> Reply:
    """Returns the length in bytes of the value of a field. O(1)."""
    value = read_hash(client, key)
    return 0 if value is None else value.length_of(field)


@hashes.command("HEXISTS", arity=3, flags="readonly fast", keys=RO(1, ""), syntax="key field", since="2.0.0")
def hexists(client: Client, key: bytes, field: bytes) -> Reply:
    """Tells whether a hash has a field. O(1)."""
    value = read_hash(client, key)
    return int(value is not None and field in value)


@hashes.command("HRANDFIELD", arity=-2, flags="readonly", keys=RO(1), syntax="key [count [WITHVALUES]]", since="6.2.0",
                tips=["nondeterministic_output"])  # fmt: skip
def hrandfield(client: Client, key: bytes, *words: bytes) -> Reply:
    """Returns fields of a hash drawn by lot: distinct ones, or with a negative count some perhaps twice. O(n) for n returned."""
    if not words:
        value = read_hash(client, key)
        if value is None:
            return None
        return value.random_fields(1, client.engine.keyspace.random)[0][0]
    count, with_values = arguments.random_count(words, b"withvalues")
    value = read_hash(client, key)
    items = (
        [] if value is None else value.random_fields(may_draw(client, count), client.engine.keyspace.random)
    )
    return Pairs(items) if with_values else [field for field, _ in items]


@hashes.command("HSCAN", arity=-3, flags="readonly", keys=RO(1), since="2.8.0",
                syntax="key cursor [MATCH pattern] [COUNT count] [NOVALUES]", tips=["nondeterministic_output"])  # fmt: skip
def hscan(client: Client, key: bytes, cursor: bytes, *words: bytes) -> Reply:
    """Returns a part of a hash, and the cursor with which to ask for the next. O(1) for a call, O(n) for all n fields."""
    position = parse_cursor(cursor)
    value = read_hash(client, key)
    if value is None:
        return [b"0", []]
    options = parse_scan_options(words, novalues=b"novalues")
    following, items = value.scan(position, options.count)
    if options.pattern is not None:
        matches = matcher(options.pattern)
        items = [item for item in items if matches(item[0])]
    found: list[Reply] = (
        [word for item in items for word in item] if options.values else [field for field, _ in items]
    )
    return [b"%d" % following, found]


# ---- deleting and counting


@hashes.command("HDEL", arity=-3, flags="write fast", keys=RW(1, "delete"), syntax="key field [field ...]", since="2.0.0",
                history=[("2.4.0", "Accepts multiple `field` arguments.")])  # fmt: skip
def hdel(client: Client, key: bytes, *fields: bytes) -> Reply:
    """Deletes fields of a hash, and returns how many there were. O(n) for n fields."""
    value = write_hash(client, key)
    if value is None:
        return 0
    deleted = 0
    for field in fields:
        deleted += value.delete(field)
    if deleted:
        db = client.db
        register(db, key, value)
        db.changed(key, "hdel", deleted)
        db.delete_if_empty(key, value)
    return deleted


def _store_sum(client: Client, key: bytes, value: HashValue, field: bytes, result: bytes, event: str) -> None:
    """Set a field that keeps its expiry, and propagate it so that it keeps it, with the digits that were found here."""
    value.set(field, result, keep_expiry=True)
    client.db.changed(key, event)
    moment = value.expire_at(field)
    if moment is not None:
        client.engine.effect(b"HSETEX", key, b"PXAT", b"%d" % moment, b"FIELDS", b"1", field, result)
    elif event == "hincrbyfloat":
        client.engine.effect(b"HSET", key, field, result)


@hashes.command("HINCRBY", arity=4, flags="write denyoom fast", keys=RW(1, "access update"),
                syntax="key field increment", since="2.0.0")  # fmt: skip
def hincrby(client: Client, key: bytes, field: bytes, increment: bytes) -> Reply:
    """Adds an integer to the integer in a field; a missing field counts as 0. O(1)."""
    amount = arguments.integer(increment)
    value = write_hash(client, key)
    current = None if value is None else value.get(field)
    result = amount if current is None else arguments.integer(current, NOT_AN_INTEGER) + amount
    if not arguments.INT64_MIN <= result <= arguments.INT64_MAX:
        raise errors.OVERFLOW
    if value is None:
        value = create_hash(client, key)
    _store_sum(client, key, value, field, b"%d" % result, "hincrby")
    return result


@hashes.command("HINCRBYFLOAT", arity=4, flags="write denyoom fast", keys=RW(1, "access update"),
                syntax="key field increment", since="2.6.0")  # fmt: skip
def hincrbyfloat(client: Client, key: bytes, field: bytes, increment: bytes) -> Reply:
    """Adds a number to the number in a field; a missing field counts as 0. O(1)."""
    if parse_long_double(increment) is None:
        raise NAN_OR_INFINITE
    value = write_hash(client, key)
    current = None if value is None else value.get(field)
    result = add_long_doubles(b"0" if current is None else current, increment, NOT_A_FLOAT)
    if value is None:
        value = create_hash(client, key)
    _store_sum(client, key, value, field, result, "hincrbyfloat")
    return result
