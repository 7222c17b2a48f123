"""Lists: sequences of elements, cheap at both ends.

A list is a queue (push at one end, pop at the other) or a stack (both at one end) before it is anything
else, and these commands take constant time however long it is. What needs a place in the middle (LINDEX,
LSET, LINSERT) or a comparison with every element (LREM, LPOS) takes a walk; a walk over a long list goes
from node to node of a quicklist, and only within the right one from element to element.

Two rules hold for all of them. An index may be negative, and then counts from the tail: -1 is the last
element. And a list is never empty: the first push creates the key, the last pop deletes it.

The commands that take from several lists, or wait for an element, are in `blocking_lists.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import RO, RW
from cutaway.commands.tables import CommandTable
from cutaway.datastructures import ListValue
from cutaway.resp import NULL_ARRAY, Raw, Reply

lists: Final = CommandTable("list")

RANK_ZERO: Final = errors.CommandError(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
    "or use negative to start from the end of the list"
)
COUNT_NEGATIVE: Final = errors.CommandError("ERR COUNT can't be negative")
MAXLEN_NEGATIVE: Final = errors.CommandError("ERR MAXLEN can't be negative")


# ---- pushing


def _the_list(client: Client, keys: Sequence[bytes]) -> ListValue | None:
    """The list at the key that all these are; None if they are not one key, or there is no list at it."""
    key = keys[0]
    if keys.count(key) < len(keys):
        return None
    entry = client.db.lookup_write(key)
    return entry.value if entry is not None and type(entry.value) is ListValue else None


def _lpush_many(client: Client, keys: Sequence[bytes], elements: Sequence[bytes]) -> Sequence[Reply]:
    value = _the_list(client, keys)
    return () if value is None else _pushed(client, value.push_left_singly(elements), len(elements))


def _rpush_many(client: Client, keys: Sequence[bytes], elements: Sequence[bytes]) -> Sequence[Reply]:
    value = _the_list(client, keys)
    return () if value is None else _pushed(client, value.push_right_singly(elements), len(elements))


def _pushed(client: Client, length: int, number: int) -> Sequence[Reply]:
    """Note that a list has grown to `length` with as many pushes; the lengths after each."""
    client.db.keyspace.dirty += number
    return range(length - number + 1, length + 1)


@lists.command(
    "LPUSH", arity=-3, flags="write denyoom fast", keys=RW(1, "insert"), syntax="key element [element ...]",
    many=_lpush_many,
    history=[("2.4.0", "Accepts multiple `element` arguments.")],
)  # fmt: skip
def lpush(client: Client, key: bytes, *elements: bytes) -> Reply:
    """Adds elements at the head of a list, one after the other; creates the list if there is none.

    O(n) for n elements.
    """
    db = client.db
    value = db.write(key, ListValue)
    if value is None:
        value = ListValue(client.engine.limits)
        db.add(key, value)
    length = value.push_left(elements)
    db.changed(key, "lpush", len(elements))
    return length


@lists.command(
    "RPUSH", arity=-3, flags="write denyoom fast", keys=RW(1, "insert"), syntax="key element [element ...]",
    many=_rpush_many,
    history=[("2.4.0", "Accepts multiple `element` arguments.")],
)  # fmt: skip
def rpush(client: Client, key: bytes, *elements: bytes) -> Reply:
    """Adds elements at the tail of a list; creates the list if there is none. O(n) for n elements."""
    db = client.db
    value = db.write(key, ListValue)
    if value is None:
        value = ListValue(client.engine.limits)
        db.add(key, value)
    length = value.push_right(elements)
    db.changed(key, "rpush", len(elements))
    return length


@lists.command(
    "LPUSHX", arity=-3, flags="write denyoom fast", keys=RW(1, "insert"),
    syntax="key element [element ...]", since="2.2.0",
    history=[("4.0.0", "Accepts multiple `element` arguments.")],
)  # fmt: skip
def lpushx(client: Client, key: bytes, *elements: bytes) -> Reply:
    """Adds elements at the head of a list, only if the list exists. O(n) for n elements."""
    return lpush(client, key, *elements) if client.db.write(key, ListValue) is not None else 0


@lists.command(
    "RPUSHX", arity=-3, flags="write denyoom fast", keys=RW(1, "insert"),
    syntax="key element [element ...]", since="2.2.0",
    history=[("4.0.0", "Accepts multiple `element` arguments.")],
)  # fmt: skip
def rpushx(client: Client, key: bytes, *elements: bytes) -> Reply:
    """Adds elements at the tail of a list, only if the list exists. O(n) for n elements."""
    return rpush(client, key, *elements) if client.db.write(key, ListValue) is not None else 0


@lists.command(
    "LINSERT", arity=5, flags="write denyoom", keys=RW(1, "insert"),
    syntax="key <BEFORE | AFTER> pivot element", since="2.2.0",
)  # fmt: skip
def linsert(client: Client, key: bytes, where: bytes, pivot: bytes, element: bytes) -> Reply:
    """Inserts an element before or after the first one equal to the pivot.

    O(n) for n elements up to the pivot.
    """
    side = where.lower()
    if side not in {b"before", b"after"}:
        raise errors.SYNTAX
    db = client.db
    value = db.write(key, ListValue)
    if value is None:
        return 0
    if not value.insert(pivot, element, before=side == b"before"):
        return -1
    db.changed(key, "linsert")
    return len(value)


# ---- popping


def _lpop_many(client: Client, keys: Sequence[bytes]) -> Sequence[Reply]:
    value = _the_list(client, keys)
    if value is None or len(value) <= len(keys):  # the last element takes the key with it
        return ()
    client.db.keyspace.dirty += len(keys)
    return value.pop_left_many(len(keys))


def _rpop_many(client: Client, keys: Sequence[bytes]) -> Sequence[Reply]:
    value = _the_list(client, keys)
    if value is None or len(value) <= len(keys):
        return ()
    client.db.keyspace.dirty += len(keys)
    return value.pop_right_many(len(keys))


@lists.command(
    "LPOP", arity=-2, flags="write fast", keys=RW(1, "access delete"), syntax="key [count]", many=_lpop_many,
    history=[("6.2.0", "Added the `count` argument.")],
)  # fmt: skip
def lpop(client: Client, key: bytes, *count: bytes) -> Reply:
    """Removes and returns the first element of a list, or the first so many. O(n) for n elements returned."""
    if count:
        return _pop_counted(client, key, count, "lpop")
    db = client.db
    value = db.write(key, ListValue)
    if value is None:
        return None
    element = value.pop_left()
    db.changed(key, "lpop")
    if not value.body.count:
        db.delete_if_empty(key, value)
    return element


@lists.command(
    "RPOP", arity=-2, flags="write fast", keys=RW(1, "access delete"), syntax="key [count]", many=_rpop_many,
    history=[("6.2.0", "Added the `count` argument.")],
)  # fmt: skip
def rpop(client: Client, key: bytes, *count: bytes) -> Reply:
    """Removes and returns the last element of a list, or the last so many, the very last first.

    O(n) for n elements.
    """
    if count:
        return _pop_counted(client, key, count, "rpop")
    db = client.db
    value = db.write(key, ListValue)
    if value is None:
        return None
    element = value.pop_right()
    db.changed(key, "rpop")
    if not value.body.count:
        db.delete_if_empty(key, value)
    return element


def _pop_counted(client: Client, key: bytes, counts: Sequence[bytes], event: str) -> Reply:
    if len(counts) > 1:
        raise errors.wrong_arity(event)
    count = arguments.positive(counts[0])
    value = client.db.write(key, ListValue)
    if value is None:
        return NULL_ARRAY
    return pop_many(client, key, value, count, event) if count else []


def pop_many(client: Client, key: bytes, value: ListValue, count: int, event: str) -> list[bytes]:
    """Take up to `count` elements from the head ("lpop") or the tail ("rpop") of a list; `count` is not 0.

    O(count).
    """
    popped = value.pop_left_many(count) if event == "lpop" else value.pop_right_many(count)
    client.db.changed(key, event, len(popped))
    client.db.delete_if_empty(key, value)
    return popped


@lists.command("LREM", arity=4, flags="write", keys=RW(1, "delete"), syntax="key count element")
def lrem(client: Client, key: bytes, count: bytes, element: bytes) -> Reply:
    """Removes the first so many elements equal to one (a negative count: the last ones; 0: all).

    O(n) for n elements.
    """
    limit = arguments.integer_between(count, -arguments.INT64_MAX, arguments.INT64_MAX)
    db = client.db
    value = db.write(key, ListValue)
    if value is None:
        return 0
    removed = value.remove(element, limit)
    if removed:
        db.changed(key, "lrem", removed)
        db.delete_if_empty(key, value)
    return removed


@lists.command("LTRIM", arity=4, flags="write", keys=RW(1, "delete"), syntax="key start stop")
def ltrim(client: Client, key: bytes, start: bytes, stop: bytes) -> Reply:
    """Removes all elements outside of a range. O(n) for n elements removed."""
    first, last = arguments.integer(start), arguments.integer(stop)
    db = client.db
    value = db.write(key, ListValue)
    if value is None:
        return "OK"
    length = len(value)
    value.trim(first, last)
    db.changed(key, "ltrim", length - len(value))
    db.delete_if_empty(key, value)
    return "OK"


# ---- reading


@lists.command("LLEN", arity=2, flags="readonly fast", keys=RO(1, ""), syntax="key")
def llen(client: Client, key: bytes) -> Reply:
    """Returns the length of a list, 0 for a missing one. O(1)."""
    value = client.db.read(key, ListValue)
    return 0 if value is None else len(value)


SHORT_BULKS: Final = [b"$%d\r\n" % length for length in range(17)]
"""The headers of bulk strings so short that to put them in byte by byte is faster than to make each."""


def _lrange_to_wire(client: Client, key: bytes, start: bytes, stop: bytes) -> Reply:
    """LRANGE, whose short elements of one length go from the list to the reply without becoming objects in between."""
    first, last = arguments.integer(start), arguments.integer(stop)
    value = client.db.read(key, ListValue)
    if value is None:
        return []
    framed = value.framed(first, last, SHORT_BULKS, b"\r\n")
    if framed is None:
        return value.range(first, last)
    count, bulks = framed
    return Raw(b"*%d\r\n" % count + bulks)


@lists.command("LRANGE", arity=4, flags="readonly", keys=RO(1), syntax="key start stop", wire=_lrange_to_wire)
def lrange(client: Client, key: bytes, start: bytes, stop: bytes) -> Reply:
    """Returns a range of elements, both ends included.

    O(s + n) for n elements that start s away from the nearer end.
    """
    first, last = arguments.integer(start), arguments.integer(stop)
    value = client.db.read(key, ListValue)
    return [] if value is None else value.range(first, last)


@lists.command("LINDEX", arity=3, flags="readonly", keys=RO(1), syntax="key index")
def lindex(client: Client, key: bytes, index: bytes) -> Reply:
    """Returns the element at an index.

    O(n) for n elements to skip, a node at a time; O(1) for the first and the last.
    """
    value = client.db.read(key, ListValue)
    return None if value is None else value.index(arguments.integer(index))


@lists.command("LSET", arity=4, flags="write denyoom", keys=RW(1), syntax="key index element")
def lset(client: Client, key: bytes, index: bytes, element: bytes) -> Reply:
    """Replaces the element at an index.

    O(n) for n elements to skip, a node at a time; O(1) for the first and the last.
    """
    db = client.db
    value = db.write(key, ListValue)
    if value is None:
        raise errors.NO_SUCH_KEY
    try:
        value.set(arguments.integer(index), element)
    except IndexError:
        raise errors.INDEX_OUT_OF_RANGE from None
    db.changed(key, "lset")
    return "OK"


@lists.command(
    "LPOS", arity=-3, flags="readonly", keys=RO(1), since="6.0.6",
    syntax="key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
)  # fmt: skip
def lpos(client: Client, key: bytes, element: bytes, *options: bytes) -> Reply:
    """Returns the index of the first element equal to one, or several such. O(n) for n elements compared."""
    rank, count, maxlen = _lpos_options(options) if options else (1, -1, 0)
    value = client.db.read(key, ListValue)
    if value is None:
        return None if count < 0 else []
    matches = value.positions(element, reverse=rank < 0, limit=maxlen)
    wanted = islice(matches, abs(rank) - 1, None)
    if count < 0:
        return next(wanted, None)
    return list(islice(wanted, count or None))


def _lpos_options(words: Sequence[bytes]) -> tuple[int, int, int]:
    """RANK, COUNT (-1: not given) and MAXLEN (0: no limit)."""
    rank, count, maxlen = 1, -1, 0
    for position in range(0, len(words), 2):
        word = words[position].upper()
        if position + 1 == len(words) or word not in {b"RANK", b"COUNT", b"MAXLEN"}:
            raise errors.SYNTAX
        text = words[position + 1]
        if word == b"RANK":
            rank = arguments.integer_between(text, -arguments.INT64_MAX, arguments.INT64_MAX)
            if not rank:
                raise RANK_ZERO
        elif word == b"COUNT":
            count = arguments.positive(text, COUNT_NEGATIVE)
        else:
            maxlen = arguments.positive(text, MAXLEN_NEGATIVE)
    return rank, count, maxlen
