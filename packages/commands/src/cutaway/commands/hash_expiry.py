"""Fields of hashes that expire, as Valkey 9 has them.

A field may have an expiry of its own, in milliseconds since the epoch, which the hash keeps beside its data. HEXPIRE and its
forms set it, HTTL and its forms tell it, HPERSIST takes it away; HSETEX, HGETEX and HGETDEL are SETEX, GETEX and GETDEL
for fields. A field set again by HSET lives for ever; HINCRBY keeps its time.

A database lists its hashes with such fields (`volatile_fields`): `register` keeps that list true, and every command here that
changed an expiry ends with it. The fields whose time is over vanish when the hash is next looked at (`hashes.read_hash`) or when the
background cycle comes by. With the last field goes the key.

The commands name their fields after the word FIELDS and a count. Where it stands at a fixed place, any other word
there is a syntax error; where options come first, they are what precedes the first FIELDS. A moment that is over is no error:
the field is deleted at once, and what is propagated is the deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.expiring import EXPIRE_SYNTAX, ExpireCondition
from cutaway.commands.hashes import create_hash, read_hash, register, write_hash
from cutaway.commands.key_specs import RO, RW
from cutaway.commands.options import Options
from cutaway.commands.tables import CommandTable
from cutaway.datastructures import HashValue
from cutaway.resp import Reply

hash_expiry: Final = CommandTable("hash")

NUMFIELDS: Final = errors.CommandError(
    "ERR numfields should be greater than 0 and match the provided number of fields"
)

NO_FIELD: Final = -2
NO_EXPIRY: Final = -1
NOT_MET: Final = 0
DONE: Final = 1
DELETED: Final = 2
"""What HEXPIRE, HPERSIST and HTTL answer for a field."""

SETEX_OPTIONS: Final = Options("NX|XX", "FNX|FXX", "EX:bytes|PX:bytes|EXAT:bytes|PXAT:bytes|KEEPTTL")
GETEX_OPTIONS: Final = Options("EX:bytes|PX:bytes|EXAT:bytes|PXAT:bytes|PERSIST")
FIELDS_SYNTAX: Final = "FIELDS numfields field [field ...]"
MOMENT_SYNTAX: Final = "EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds"


# ---- arguments


def _split(words: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """The options before FIELDS, and what comes after it; a missing FIELDS is a wrong number of fields."""
    for place, word in enumerate(words[:-1]):
        if word.upper() == b"FIELDS":
            return words[:place], words[place + 1 :]
    raise NUMFIELDS


def _fields(
    counted: Sequence[bytes], *, width: int = 1, error: errors.CommandError = NUMFIELDS
) -> Sequence[bytes]:
    """What stands after FIELDS, without its count, which must be right; `width` is 2 for fields with values."""
    if not counted:
        raise error
    count = arguments.integer(counted[0])
    if count < 1 or count * width != len(counted) - 1:
        raise error
    return counted[1:]


def _fields_only(words: Sequence[bytes], error: errors.CommandError = NUMFIELDS) -> Sequence[bytes]:
    """As `_fields`, where the first word must be FIELDS itself."""
    if words[0].upper() != b"FIELDS":
        raise errors.SYNTAX
    return _fields(words[1:], error=error)


def _moment(text: bytes, unit: int, base: int, name: str) -> int:
    """The moment `text` units after `base`, in milliseconds; it may be over, but not negative or beyond 64 bits."""
    amount = arguments.integer(text)
    if amount < 0 or amount * unit + base > arguments.INT64_MAX:
        raise errors.invalid_expire(name)
    return amount * unit + base


def _option_moment(client: Client, options: dict[str, Any], name: str) -> int | None:
    """The moment that EX, PX, EXAT or PXAT asks for; None where there is none."""
    now = client.engine.keyspace.now
    for option, unit, base in (("EX", 1000, now), ("PX", 1, now), ("EXAT", 1000, 0), ("PXAT", 1, 0)):
        if option in options:
            return _moment(options[option], unit, base, name)
    return None


# ---- what several commands do


def _is_over(client: Client, moment: int | None) -> bool:
    """Whether a field that gets this moment is to be deleted instead."""
    keyspace = client.engine.keyspace
    return moment is not None and moment <= keyspace.now and keyspace.may_expire


def _after_deletion(client: Client, key: bytes, value: HashValue, event: str, count: int) -> None:
    """Say that so many fields are gone, and that the key is if they were the last."""
    db = client.db
    register(db, key, value)
    db.changed(key, event, count)
    db.delete_if_empty(key, value)


def _take_out(value: HashValue, fields: Sequence[bytes]) -> list[bytes | None]:
    """Delete fields and give their values: None for one that is not there, or comes a second time."""
    values = []
    for field in fields:
        values.append(value.get(field))
        value.delete(field)
    return values


def _effect(client: Client, name: bytes, key: bytes, *middle: bytes, fields: Sequence[bytes]) -> None:
    client.engine.effect(name, key, *middle, b"FIELDS", b"%d" % len(fields), *fields)


def _expire_present(
    client: Client, key: bytes, value: HashValue, fields: Sequence[bytes], moment: int
) -> None:
    """Give these fields, which are there, a moment in the future (in the past where nothing may expire)."""
    for field in fields:
        value.set_expiry(field, moment)
    register(client.db, key, value)
    client.db.changed(key, "hexpire", len(fields))
    _effect(client, b"HPEXPIREAT", key, b"%d" % moment, fields=fields)


# ---- HEXPIRE


def _expire(
    client: Client, key: bytes, amount: bytes, words: Sequence[bytes], name: str, unit: int, base: int
) -> Reply:
    options, counted = _split(words)
    condition = ExpireCondition(options)
    fields = _fields(counted)
    moment = _moment(amount, unit, base, name)
    value = write_hash(client, key)
    if value is None:
        return [NO_FIELD] * len(fields)
    done = DELETED if _is_over(client, moment) else DONE
    replies: list[Reply] = []
    chosen: dict[bytes, None] = {}
    for field in fields:
        if field not in value or (field in chosen and done == DELETED):
            replies.append(NO_FIELD)
        elif condition.allows(moment if field in chosen else value.expire_at(field) or 0, moment):
            replies.append(done)
            chosen[field] = None
        else:
            replies.append(NOT_MET)
    if chosen and done == DELETED:
        _take_out(value, list(chosen))
        _after_deletion(client, key, value, "hexpired", len(chosen))
        client.engine.effect(b"HDEL", key, *chosen)
    elif chosen:
        _expire_present(client, key, value, list(chosen), moment)
    return replies


@hash_expiry.command("HEXPIRE", arity=-6, flags="write fast", keys=RW(1), since="9.0.0",
                     syntax=f"key seconds {EXPIRE_SYNTAX} {FIELDS_SYNTAX}")  # fmt: skip
def hexpire(client: Client, key: bytes, seconds: bytes, *words: bytes) -> Reply:
    """Lets fields of a hash end so many seconds from now. O(n) for n fields."""
    return _expire(client, key, seconds, words, "hexpire", 1000, client.engine.keyspace.now)


@hash_expiry.command("HPEXPIRE", arity=-6, flags="write fast", keys=RW(1), since="9.0.0",
                     syntax=f"key milliseconds {EXPIRE_SYNTAX} {FIELDS_SYNTAX}")  # fmt: skip
def hpexpire(client: Client, key: bytes, milliseconds: bytes, *words: bytes) -> Reply:
    """Lets fields of a hash end so many milliseconds from now. O(n) for n fields."""
    return _expire(client, key, milliseconds, words, "hpexpire", 1, client.engine.keyspace.now)


@hash_expiry.command("HEXPIREAT", arity=-6, flags="write fast", keys=RW(1), since="9.0.0",
                     syntax=f"key unix-time-seconds {EXPIRE_SYNTAX} {FIELDS_SYNTAX}")  # fmt: skip
def hexpireat(client: Client, key: bytes, moment: bytes, *words: bytes) -> Reply:
    """Lets fields of a hash end at a moment, in seconds since the epoch. O(n) for n fields."""
    return _expire(client, key, moment, words, "hexpireat", 1000, 0)


@hash_expiry.command("HPEXPIREAT", arity=-6, flags="write fast", keys=RW(1), since="9.0.0",
                     syntax=f"key unix-time-milliseconds {EXPIRE_SYNTAX} {FIELDS_SYNTAX}")  # fmt: skip
def hpexpireat(client: Client, key: bytes, moment: bytes, *words: bytes) -> Reply:
    """Lets fields of a hash end at a moment, in milliseconds since the epoch. O(n) for n fields."""
    return _expire(client, key, moment, words, "hpexpireat", 1, 0)


@hash_expiry.command(
    "HPERSIST", arity=-5, flags="write fast", keys=RW(1), since="9.0.0", syntax=f"key {FIELDS_SYNTAX}"
)
def hpersist(client: Client, key: bytes, *words: bytes) -> Reply:
    """Takes the expiry of fields of a hash away. O(n) for n fields."""
    fields = _fields_only(words)
    value = write_hash(client, key)
    if value is None:
        return [NO_FIELD] * len(fields)
    replies: list[Reply] = []
    for field in fields:
        if field not in value:
            replies.append(NO_FIELD)
        elif value.expire_at(field) is None:
            replies.append(NO_EXPIRY)
        else:
            value.set_expiry(field, None)
            replies.append(DONE)
    persisted = replies.count(DONE)
    if persisted:
        register(client.db, key, value)
        client.db.changed(key, "hpersist", persisted)
    return replies


# ---- HTTL


def _remaining(client: Client, key: bytes, words: Sequence[bytes], unit: int, *, relative: bool) -> Reply:
    fields = _fields_only(words, errors.SYNTAX)
    value = read_hash(client, key)
    base = client.engine.keyspace.now if relative else 0
    replies: list[Reply] = []
    for field in fields:
        if value is None or field not in value:
            replies.append(NO_FIELD)
        elif (moment := value.expire_at(field)) is None:
            replies.append(NO_EXPIRY)
        else:
            replies.append((max(moment - base, 0) + unit // 2) // unit)
    return replies


@hash_expiry.command(
    "HTTL", arity=-5, flags="readonly fast", keys=RO(1), since="9.0.0", syntax=f"key {FIELDS_SYNTAX}"
)
def httl(client: Client, key: bytes, *words: bytes) -> Reply:
    """Returns how many seconds fields have left; -1 without an expiry, -2 without the field. O(n) for n fields."""
    return _remaining(client, key, words, 1000, relative=True)


@hash_expiry.command(
    "HPTTL", arity=-5, flags="readonly fast", keys=RO(1), since="9.0.0", syntax=f"key {FIELDS_SYNTAX}"
)
def hpttl(client: Client, key: bytes, *words: bytes) -> Reply:
    """Returns how many milliseconds fields have left; -1 without an expiry, -2 without the field. O(n) for n fields."""
    return _remaining(client, key, words, 1, relative=True)


@hash_expiry.command("HEXPIRETIME", arity=-5, flags="readonly fast", keys=RO(1), since="9.0.0",
                     syntax=f"key {FIELDS_SYNTAX}")  # fmt: skip
def hexpiretime(client: Client, key: bytes, *words: bytes) -> Reply:
    """Returns the moments at which fields end, in seconds since the epoch; -1 and -2 as HTTL. O(n) for n fields."""
    return _remaining(client, key, words, 1000, relative=False)


@hash_expiry.command("HPEXPIRETIME", arity=-5, flags="readonly fast", keys=RO(1), since="9.0.0",
                     syntax=f"key {FIELDS_SYNTAX}")  # fmt: skip
def hpexpiretime(client: Client, key: bytes, *words: bytes) -> Reply:
    """Returns the moments at which fields end, in milliseconds since the epoch; -1 and -2 as HTTL. O(n) for n fields."""
    return _remaining(client, key, words, 1, relative=False)


# ---- HSETEX, HGETEX, HGETDEL


def _key_condition_met(value: HashValue | None, options: dict[str, Any]) -> bool:
    """Whether NX (there is no such key) or XX (there is) let HSETEX go on."""
    return not ("NX" in options and value is not None) and not ("XX" in options and value is None)


def _field_condition_met(value: HashValue | None, options: dict[str, Any], fields: Iterable[bytes]) -> bool:
    """Whether FNX (none of the fields is there) or FXX (all of them are) let HSETEX go on."""
    if "FNX" in options:
        return value is None or not any(field in value for field in fields)
    return "FXX" not in options or (value is not None and all(field in value for field in fields))


@hash_expiry.command("HSETEX", arity=-6, flags="write denyoom fast", keys=RW(1, "insert"), since="9.0.0",
                     syntax=f"key [NX | XX] [FNX | FXX] [{MOMENT_SYNTAX} | KEEPTTL] "
                     "FIELDS numfields field value [field value ...]")  # fmt: skip
def hsetex(client: Client, key: bytes, *words: bytes) -> Reply:
    """Sets fields of a hash that expire, all of them or none. O(n) for n fields."""
    before, counted = _split(words)
    options = SETEX_OPTIONS.parse(before)
    flat = _fields(counted, width=2)
    given = list(zip(flat[::2], flat[1::2], strict=True))
    pairs = dict(given)
    value = write_hash(client, key)
    if not _key_condition_met(value, options):
        return 0
    moment = _option_moment(client, options, "hsetex")
    if not _field_condition_met(value, options, pairs):
        return 0
    present = [] if value is None else [field for field in pairs if field in value]
    if value is None:
        value = create_hash(client, key)
    value.update(given, keep_expiry="KEEPTTL" in options)
    if moment is not None and not _is_over(client, moment):
        for field in pairs:
            value.set_expiry(field, moment)
    register(client.db, key, value)
    client.db.changed(key, "hset", len(pairs))
    if moment is not None:
        client.db.notify(key, "hexpire")
    if moment is None:
        return 1
    if not _is_over(client, moment):
        kept = [name.encode() for name in ("NX", "XX", "FNX", "FXX") if name in options]
        client.engine.effect(b"HSETEX", key, *kept, b"PXAT", b"%d" % moment, b"FIELDS", *counted)
        return 1
    _take_out(value, list(pairs))
    _after_deletion(client, key, value, "hexpired", len(pairs))
    if present:
        client.engine.effect(b"HDEL", key, *present)
    return 1


@hash_expiry.command("HGETEX", arity=-5, flags="write fast", keys=RW(1, "access update"), since="9.0.0",
                     syntax=f"key [{MOMENT_SYNTAX} | PERSIST] {FIELDS_SYNTAX}")  # fmt: skip
def hgetex(client: Client, key: bytes, *words: bytes) -> Reply:
    """Returns the values of fields of a hash, and sets or removes their expiry. O(n) for n fields."""
    before, counted = _split(words)
    options = GETEX_OPTIONS.parse(before)
    fields = _fields(counted)
    value = write_hash(client, key)
    moment = _option_moment(client, options, "hgetex")
    if value is None:
        client.db.glance(key)  # a miss, as for any command that reads
        return [None] * len(fields)
    values = [value.get(field) for field in fields]
    present = [field for field in dict.fromkeys(fields) if field in value]
    if "PERSIST" in options:
        present = [field for field in present if value.expire_at(field) is not None]
    if not present or not options:
        return values
    if moment is None:
        for field in present:
            value.set_expiry(field, None)
        register(client.db, key, value)
        client.db.changed(key, "hpersist", len(present))
        _effect(client, b"HPERSIST", key, fields=present)
    elif _is_over(client, moment):
        values = _take_out(value, fields)
        _after_deletion(client, key, value, "hexpired", len(present))
        client.engine.effect(b"HDEL", key, *present)
    else:
        _expire_present(client, key, value, present, moment)
    return values


@hash_expiry.command("HGETDEL", arity=-5, flags="write fast", keys=RW(1, "access delete"), since="9.1.0",
                     syntax=f"key {FIELDS_SYNTAX}")  # fmt: skip
def hgetdel(client: Client, key: bytes, *words: bytes) -> Reply:
    """Returns the values of fields of a hash and deletes them. O(n) for n fields."""
    fields = _fields_only(words)
    value = write_hash(client, key)
    if value is None:
        return [None] * len(fields)
    values = _take_out(value, fields)
    deleted = len(fields) - values.count(None)
    if deleted:
        _after_deletion(client, key, value, "hdel", deleted)
    return values
