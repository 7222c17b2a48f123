"""Strings: the type every other one grew out of.

A string is any run of bytes, up to 512 MB. It is kept in one of three forms, and OBJECT ENCODING names it: as an
`int` when it is a 64-bit number in canonical spelling (counters cost no parsing, and little memory), as immutable
`bytes` ("embstr" up to 44 bytes, which Redis stores inside the object, "raw" above), and as a `bytearray` ("raw") once it
has been grown or written in place, since APPEND and SETRANGE would otherwise copy the whole of it each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_finders import set_keys
from cutaway.commands.key_specs import OW, RM, RO, RW
from cutaway.commands.keyspaces import Entry
from cutaway.commands.options import Options
from cutaway.commands.tables import CommandTable
from cutaway.datastructures.listpack_entries import AFTER_DIGITS
from cutaway.resp import Reply

strings: Final = CommandTable("string")

INT64_MAX: Final = arguments.INT64_MAX

SET_OPTIONS: Final = Options(
    "NX|XX|IFEQ:bytes", "GET", "EX:bytes|EXP:bytes|PX:bytes|EXAT:bytes|PXAT:bytes|KEEPTTL"
)
GETEX_OPTIONS: Final = Options("EX:bytes|PX:bytes|EXAT:bytes|PXAT:bytes|PERSIST")
MSETEX_OPTIONS: Final = Options("NX|XX", "EX:bytes|PX:bytes|EXAT:bytes|PXAT:bytes|KEEPTTL")


def encode_string(value: bytes) -> bytes | int:
    """The form in which a string that came from a client is kept: an int if it is the canonical spelling of one."""
    if 0 < len(value) <= 20 and 48 <= value[-1] <= 57:
        number = arguments.integer_or_none(value)
        if number is not None:
            return number
    return value


def encode_strings(values: Iterable[bytes]) -> list[bytes | int]:
    """What `encode_string` gives for each; one look at the first byte is enough for most."""
    return [value if value >= AFTER_DIGITS else encode_string(value) for value in values]


def as_bytes(value: Any) -> bytes:
    """A string value in any of its encodings, as bytes; raises WRONGTYPE for anything else."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, bytearray):
        return bytes(value)
    raise errors.WRONG_TYPE


def as_buffer(value: Any) -> bytes | bytearray:
    """As `as_bytes`, but what was grown in place comes as it is, not as a copy: to look at, not to keep. O(1)."""
    return value if isinstance(value, bytearray) else as_bytes(value)


def read_buffer(client: Client, key: bytes) -> bytes | bytearray | None:
    """The string at `key`, not copied, or None; raises WRONGTYPE. O(1)."""
    entry = client.db.lookup_read(key)
    return None if entry is None else as_buffer(entry.value)


def expire_moment(client: Client, options: dict[str, Any], full_name: str) -> int:
    """The moment an EX, PX, EXAT or PXAT option asks for, in milliseconds since the epoch; 0 where there is none."""
    for name, unit, relative in (
        ("EX", 1000, True), ("EXP", 1000, True), ("PX", 1, True), ("EXAT", 1000, False), ("PXAT", 1, False)
    ):  # fmt: skip
        if name in options:
            amount = arguments.integer(options[name])
            if amount <= 0 or amount > INT64_MAX // unit:
                raise errors.invalid_expire(full_name)
            moment = amount * unit + (client.engine.keyspace.now if relative else 0)
            if moment > INT64_MAX:
                raise errors.invalid_expire(full_name)
            return moment
    return 0


def check_length(client: Client, length: int) -> None:
    """Refuse a string that would be longer than proto-max-bulk-len."""
    if length > client.engine.max_string_length:
        raise errors.STRING_TOO_LONG


# ---- SET and GET


def _set_many(client: Client, keys: Sequence[bytes], values: Sequence[bytes]) -> Sequence[Reply]:
    return ["OK"] * client.db.set_strings(keys, encode_strings(values))


@strings.command(
    "SET", arity=-3, flags="write denyoom", since="1.0.0", key_finder=set_keys, many=_set_many,
    keys=RW(1, "access update variable_flags", notes="RW and ACCESS due to the optional `GET` argument"),
    syntax="key value [NX | XX | IFEQ comparison-value] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds "
    "| PXAT unix-time-milliseconds | KEEPTTL]",
)  # fmt: skip
def set_(client: Client, key: bytes, value: bytes, *options: bytes) -> Reply:
    """Sets a key to a string, whatever it held before. O(1)."""
    if options:
        return _set_with_options(client, key, value, options)
    db = client.db
    db.set(key, value if value >= AFTER_DIGITS else encode_string(value))
    db.changed(key, "set")
    return "OK"


def _set_with_options(client: Client, key: bytes, value: bytes, tail: Sequence[bytes]) -> Reply:
    options = SET_OPTIONS.parse(tail)
    expire_at = expire_moment(client, options, "set")
    db = client.db
    entry = db.lookup_write(key)
    previous: Reply = None
    if entry is not None and ("GET" in options or "IFEQ" in options):
        previous = as_bytes(entry.value)
    matches = "IFEQ" not in options or (entry is not None and previous == options["IFEQ"])
    if not matches or ("NX" in options and entry is not None) or ("XX" in options and entry is None):
        return previous if "GET" in options else None
    if expire_at and expire_at <= client.engine.keyspace.now and db.keyspace.may_expire:
        return _set_in_the_past(client, key, value, previous if "GET" in options else "OK")
    db.set(key, encode_string(value), expire_at, keep_ttl="KEEPTTL" in options)
    db.changed(key, "set")
    if expire_at:
        db.notify(key, "expire")
        client.engine.effect(b"SET", key, value, b"PXAT", b"%d" % expire_at)
    elif "KEEPTTL" in options:
        client.engine.effect(b"SET", key, value, b"KEEPTTL")
    else:
        client.engine.effect(b"SET", key, value)
    return previous if "GET" in options else "OK"


def _set_in_the_past(client: Client, key: bytes, value: bytes, reply: Reply) -> Reply:
    """SET with a moment that is over: the key is set, and gone at the next look."""
    client.db.set(key, encode_string(value), 1)
    client.db.changed(key, "set")
    client.db.notify(key, "expire")
    client.engine.effect(b"DEL", key)
    return reply


@strings.command("SETNX", arity=3, flags="write denyoom fast", keys=OW(1, "insert"), syntax="key value")
def setnx(client: Client, key: bytes, value: bytes) -> Reply:
    """Sets a key to a string, only if the key does not exist. O(1)."""
    if client.db.lookup_write(key) is not None:
        return 0
    client.db.set(key, encode_string(value))
    client.db.changed(key, "set")
    return 1


def _set_expiring(client: Client, key: bytes, amount: bytes, value: bytes, option: str, name: str) -> Reply:
    expire_at = expire_moment(client, {option: amount}, name)
    client.db.set(key, encode_string(value), expire_at)
    client.db.changed(key, "set")
    client.db.notify(key, "expire")
    client.engine.effect(b"SET", key, value, b"PXAT", b"%d" % expire_at)
    return "OK"


@strings.command(
    "SETEX", arity=4, flags="write denyoom", keys=OW(1), syntax="key seconds value", since="2.0.0"
)
def setex(client: Client, key: bytes, seconds: bytes, value: bytes) -> Reply:
    """Sets a key to a string that expires after so many seconds. O(1)."""
    return _set_expiring(client, key, seconds, value, "EX", "setex")


@strings.command(
    "PSETEX", arity=4, flags="write denyoom", keys=OW(1), syntax="key milliseconds value", since="2.6.0"
)
def psetex(client: Client, key: bytes, milliseconds: bytes, value: bytes) -> Reply:
    """Sets a key to a string that expires after so many milliseconds. O(1)."""
    return _set_expiring(client, key, milliseconds, value, "PX", "psetex")


def _get_many(client: Client, keys: Sequence[bytes]) -> Sequence[Reply]:
    return client.db.read_strings(keys)


@strings.command("GET", arity=2, flags="readonly fast", keys=RO(1), syntax="key", many=_get_many)
def get(client: Client, key: bytes) -> Reply:
    """Returns the string value of a key. O(1)."""
    entry = client.db.lookup_read(key)
    if entry is None:
        return None
    value = entry.value
    if type(value) is bytes:
        return value
    return as_bytes(value)


@strings.command(
    "GETSET", arity=3, flags="write denyoom fast", keys=RW(1, "access update"), syntax="key value"
)
def getset(client: Client, key: bytes, value: bytes) -> Reply:
    """Sets a key to a string and returns the string it held before. O(1)."""
    previous = client.db.read_string(key)
    client.db.set(key, encode_string(value))
    client.db.changed(key, "set")
    client.engine.effect(b"SET", key, value)
    return previous


@strings.command(
    "GETDEL", arity=2, flags="write fast", keys=RW(1, "access delete"), syntax="key", since="6.2.0"
)
def getdel(client: Client, key: bytes) -> Reply:
    """Returns the string value of a key and deletes the key. O(1)."""
    value = client.db.read_string(key)
    if value is not None:
        client.db.delete(key)
        client.engine.effect(b"DEL", key)
    return value


@strings.command(
    "GETEX", arity=-2, flags="write fast", keys=RW(1, "access update", notes="RW and UPDATE because it changes the TTL"),
    since="6.2.0",
    syntax="key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
)  # fmt: skip
def getex(client: Client, key: bytes, *tail: bytes) -> Reply:
    """Returns the string value of a key and sets or removes its expiry. O(1)."""
    options = GETEX_OPTIONS.parse(tail)
    expire_at = expire_moment(client, options, "getex")
    db = client.db
    entry = db.lookup_read(key)
    if entry is None:
        return None
    value = as_bytes(entry.value)
    if expire_at and expire_at <= db.keyspace.now and db.keyspace.may_expire:
        db.delete(key)
        client.engine.effect(b"DEL", key)
    elif expire_at:
        db.expire(key, entry, expire_at)
        db.changed(key, "expire")
        client.engine.effect(b"PEXPIREAT", key, b"%d" % expire_at)
    elif "PERSIST" in options and entry.expire_at:
        db.persist(key, entry)
        db.changed(key, "persist")
        client.engine.effect(b"PERSIST", key)
    return value


@strings.command(
    "DELIFEQ", arity=3, flags="write fast", keys=RM(1, "delete"), syntax="key value", since="9.0.0"
)
def delifeq(client: Client, key: bytes, value: bytes) -> Reply:
    """Deletes a key, only if it holds the given string. O(1)."""
    entry = client.db.lookup_write(key)
    if entry is None or as_bytes(entry.value) != value:
        return 0
    client.db.delete(key)
    client.engine.effect(b"DEL", key)
    return 1


# ---- several keys


@strings.command("MGET", arity=-2, flags="readonly fast", keys=RO(1, last=-1), syntax="key [key ...]",
                 tips=["request_policy:multi_shard"])  # fmt: skip
def mget(client: Client, *keys: bytes) -> Reply:
    """Returns the string values of several keys, nil for each that holds none. O(n) for n keys."""
    keyspace = client.db.keyspace
    replies: list[Reply] = [*client.db.read_strings(keys)] if keyspace.is_unobserved else []
    for key in keys[len(replies) :]:
        entry = client.db.lookup_read(key)
        value = None if entry is None else entry.value
        replies.append(as_bytes(value) if isinstance(value, (bytes, int, bytearray)) else None)
    return replies


def _pairs(words: Sequence[bytes], name: str) -> list[tuple[bytes, bytes]]:
    if len(words) % 2:
        raise errors.wrong_arity(name)
    return list(zip(words[::2], words[1::2], strict=True))


@strings.command("MSET", arity=-3, flags="write denyoom", keys=OW(1, last=-1, step=2), since="1.0.1",
                 tips=["request_policy:multi_shard", "response_policy:all_succeeded"],
                 syntax="key value [key value ...]")  # fmt: skip
def mset(client: Client, *words: bytes) -> Reply:
    """Sets several keys to their strings, all at once. O(n) for n keys."""
    if len(words) % 2:
        raise errors.wrong_arity("mset")
    db = client.db
    keys, values = words[::2], encode_strings(words[1::2])
    done = db.set_strings(keys, values) if db.keyspace.is_unobserved else 0
    for key, value in zip(keys[done:], values[done:], strict=True):
        db.set(key, value)
        db.changed(key, "set")
    return "OK"


@strings.command("MSETNX", arity=-3, flags="write denyoom", keys=OW(1, "insert", last=-1, step=2), since="1.0.1",
                 syntax="key value [key value ...]")  # fmt: skip
def msetnx(client: Client, *words: bytes) -> Reply:
    """Sets several keys to their strings, only if none of them exists. O(n) for n keys."""
    pairs = _pairs(words, "msetnx")
    if any(client.db.lookup_write(key) is not None for key, _ in pairs):
        return 0
    for key, value in pairs:
        client.db.set(key, encode_string(value))
        client.db.changed(key, "set")
    return 1


INVALID_KEY_COUNT: Final = errors.CommandError("ERR invalid numkeys value or out of range")


@strings.command(
    "MSETEX", arity=-4, flags="write denyoom movablekeys", since="9.1.0",
    keys=OW(1, key_count=0, step=2),
    tips=["request_policy:multi_shard", "response_policy:all_succeeded"],
    syntax="numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | EXAT unix-time-seconds "
    "| PXAT unix-time-milliseconds | KEEPTTL]",
)  # fmt: skip
def msetex(client: Client, count: bytes, *words: bytes) -> Reply:
    """Sets several keys to their strings with one expiry, only if all or none of them exist, as asked. O(n) for n keys."""
    end = 2 * arguments.integer_between(count, 1, 2**31 - 1, INVALID_KEY_COUNT)
    if end > len(words):
        raise errors.SYNTAX
    options = MSETEX_OPTIONS.parse(words[end:])
    expire_at = expire_moment(client, options, "msetex")
    pairs = _pairs(words[:end], "msetex")
    db = client.db
    if "NX" in options or "XX" in options:
        wanted = "XX" in options
        if any((db.lookup_write(key) is not None) != wanted for key, _ in pairs):
            return 0
    if expire_at and expire_at <= db.keyspace.now and db.keyspace.may_expire:
        for key, value in pairs:
            _set_in_the_past(client, key, value, "OK")
        return 1
    for key, value in pairs:
        db.set(key, encode_string(value), expire_at, keep_ttl="KEEPTTL" in options)
        db.changed(key, "set")
        if expire_at:
            db.notify(key, "expire")
    if expire_at:
        client.engine.effect(b"MSETEX", count, *words[:end], b"PXAT", b"%d" % expire_at)
    return 1


# ---- parts of a string


@strings.command("STRLEN", arity=2, flags="readonly fast", keys=RO(1, ""), syntax="key", since="2.2.0")
def strlen(client: Client, key: bytes) -> Reply:
    """Returns the length of the string at a key, 0 for a missing one. O(1)."""
    value = read_buffer(client, key)
    return 0 if value is None else len(value)


def grow(entry: Entry) -> bytearray:
    """The entry's string as a bytearray that can be written in place; converts it the first time. O(n) then, O(1) later."""
    value = entry.value
    if type(value) is not bytearray:
        value = entry.value = bytearray(as_bytes(value))
    return value


@strings.command(
    "APPEND", arity=3, flags="write denyoom fast", keys=RW(1, "insert"), syntax="key value", since="2.0.0"
)
def append(client: Client, key: bytes, value: bytes) -> Reply:
    """Appends to the string at a key, or creates it. O(1) amortised."""
    db = client.db
    entry = db.lookup_write(key)
    if entry is None:
        db.add(key, encode_string(value))
        length = len(value)
    else:
        buffer = grow(entry)
        check_length(client, len(buffer) + len(value))
        buffer += value
        length = len(buffer)
    db.changed(key, "append")
    return length


@strings.command(
    "SETRANGE", arity=4, flags="write denyoom", keys=RW(1), syntax="key offset value", since="2.2.0"
)
def setrange(client: Client, key: bytes, offset: bytes, value: bytes) -> Reply:
    """Overwrites part of the string at a key, filling a gap with zero bytes. O(1) for small values, O(n) for n bytes."""
    start = arguments.integer(offset)
    if start < 0:
        raise errors.OFFSET_OUT_OF_RANGE
    db = client.db
    entry = db.lookup_write(key)
    if entry is not None and not isinstance(entry.value, (bytes, int, bytearray)):
        raise errors.WRONG_TYPE
    if not value:
        return 0 if entry is None else len(as_bytes(entry.value))
    check_length(client, start + len(value))
    buffer = grow(db.add(key, b"") if entry is None else entry)
    if len(buffer) < start:
        buffer.extend(bytes(start - len(buffer)))
    buffer[start : start + len(value)] = value
    db.changed(key, "setrange")
    return len(buffer)


def _getrange(client: Client, key: bytes, start: bytes, end: bytes) -> Reply:
    first, last = arguments.integer(start), arguments.integer(end)
    value = read_buffer(client, key)
    if value is None:
        return b""
    length = len(value)
    if first < 0 and last < 0 and first > last:
        return b""
    first = max(first + length, 0) if first < 0 else first
    last = max(last + length, 0) if last < 0 else last
    return bytes(value[first : last + 1])


@strings.command("GETRANGE", arity=4, flags="readonly", keys=RO(1), syntax="key start end", since="2.4.0")
def getrange(client: Client, key: bytes, start: bytes, end: bytes) -> Reply:
    """Returns the part of a string between two offsets, both included; negative ones count from its end. O(n)."""
    return _getrange(client, key, start, end)


@strings.command("SUBSTR", arity=4, flags="readonly", keys=RO(1), syntax="key start end")
def substr(client: Client, key: bytes, start: bytes, end: bytes) -> Reply:
    """Returns the part of a string between two offsets; the old name of GETRANGE. O(n)."""
    return _getrange(client, key, start, end)
