"""Lists as queues between clients: moving an element from one to another, and waiting for one to arrive.

A consumer that polls LPOP either asks too often or comes too late. BLPOP waits instead: its client is
parked until a producer pushes, and the element goes from hand to hand (how, is told in `blocking.py`). The
command simply runs again from the start once one of its lists has been changed, so that each handler here
reads like its twin that does not wait, with one line more: where there is nothing, return a `Block`.

An element that is popped and then lost, because the consumer died over it, is gone. LMOVE exists for that:
it pops from one list and pushes to another in one step, so that the element is at each moment in one of the
two.

Waiting leaves no trace in the log: what is propagated is the pop that took place in the end, LPOP for
BLPOP.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.blocking import Block, holds
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import RW
from cutaway.commands.lists import lists as lists  # noqa: PLC0414 - so it is had with all its commands
from cutaway.commands.lists import pop_many
from cutaway.datastructures import ListValue
from cutaway.resp import NULL_ARRAY, Reply

A_LIST: Final = holds(ListValue)
NUMKEYS_NOT_POSITIVE: Final = errors.CommandError("ERR numkeys should be greater than 0")
COUNT_NOT_POSITIVE: Final = errors.CommandError("ERR count should be greater than 0")
SOURCE_AND_DESTINATION: Final = (RW(1, "access delete"), RW(2, "insert"))

EVENTS: Final = {b"left": "lpop", b"right": "rpop"}


def _event(side: bytes) -> str:
    """The event of a pop at LEFT or RIGHT."""
    event = EVENTS.get(side.lower())
    if event is None:
        raise errors.SYNTAX
    return event


# ---- from the first of several lists that has something


def _pop_first(client: Client, keys: Sequence[bytes], event: str) -> Reply:
    """The first list among `keys`, and one element of it; None if there is no list."""
    for key in keys:
        value = client.db.write(key, ListValue)
        if value is not None:
            element = pop_many(client, key, value, 1, event)[0]
            client.engine.effect(event.upper().encode(), key)
            return [key, element]
    return None


@lists.command(
    "BLPOP", arity=-3, flags="write blocking", keys=RW(1, "access delete", last=-2), since="2.0.0",
    syntax="key [key ...] timeout",
    history=[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
)  # fmt: skip
def blpop(client: Client, *words: bytes) -> Reply:
    """Removes and returns the first element of the first list that has one, or waits for it.

    O(n) for n keys.
    """
    *keys, timeout = words
    deadline = arguments.timeout_deadline(timeout, client.db.keyspace.now)
    return _pop_first(client, keys, "lpop") or Block(keys, deadline, A_LIST)


@lists.command(
    "BRPOP", arity=-3, flags="write blocking", keys=RW(1, "access delete", last=-2), since="2.0.0",
    syntax="key [key ...] timeout",
    history=[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
)  # fmt: skip
def brpop(client: Client, *words: bytes) -> Reply:
    """Removes and returns the last element of the first list that has one, or waits for it.

    O(n) for n keys.
    """
    *keys, timeout = words
    deadline = arguments.timeout_deadline(timeout, client.db.keyspace.now)
    return _pop_first(client, keys, "rpop") or Block(keys, deadline, A_LIST)


def _parse_mpop(words: Sequence[bytes]) -> tuple[Sequence[bytes], str, int]:
    """`numkeys key [key ...] <LEFT | RIGHT> [COUNT count]`: the keys, the pop's event, the count."""
    numkeys = arguments.integer_between(words[0], 1, arguments.INT64_MAX, NUMKEYS_NOT_POSITIVE)
    keys, tail = words[1 : 1 + numkeys], words[1 + numkeys :]
    if not tail:
        raise errors.SYNTAX
    event = _event(tail[0])
    if len(tail) == 1:
        return keys, event, 1
    if len(tail) == 2 or tail[1].lower() != b"count":
        raise errors.SYNTAX
    count = arguments.integer_between(tail[2], 1, arguments.INT64_MAX, COUNT_NOT_POSITIVE)
    if len(tail) > 3:
        raise errors.SYNTAX
    return keys, event, count


def _pop_some(client: Client, keys: Sequence[bytes], event: str, count: int) -> Reply:
    """The first list among `keys`, and up to `count` elements of it; None if there is no list."""
    for key in keys:
        value = client.db.write(key, ListValue)
        if value is not None:
            popped = pop_many(client, key, value, count, event)
            client.engine.effect(event.upper().encode(), key, b"%d" % len(popped))
            return [key, popped]
    return None


@lists.command(
    "LMPOP", arity=-4, flags="write movablekeys", keys=RW(1, "access delete", key_count=0), since="7.0.0",
    syntax="numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
)  # fmt: skip
def lmpop(client: Client, *words: bytes) -> Reply:
    """Removes and returns elements of the first list that has any. O(n + m) for n keys and m elements."""
    keys, event, count = _parse_mpop(words)
    return _pop_some(client, keys, event, count) or NULL_ARRAY


@lists.command(
    "BLMPOP", arity=-5, flags="write blocking movablekeys", keys=RW(2, "access delete", key_count=0),
    since="7.0.0", syntax="timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
)  # fmt: skip
def blmpop(client: Client, timeout: bytes, *words: bytes) -> Reply:
    """Removes and returns elements of the first list that has any, or waits for one.

    O(n + m) for n keys, m elements.
    """
    keys, event, count = _parse_mpop(words)
    deadline = arguments.timeout_deadline(timeout, client.db.keyspace.now)
    return _pop_some(client, keys, event, count) or Block(keys, deadline, A_LIST)


# ---- from one list to another


def _move(client: Client, source: bytes, destination: bytes, event: str, to_event: str) -> bytes | None:
    """Pop from one list and push to another, which may be the same; None if there is nothing to pop."""
    db = client.db
    value = db.write(source, ListValue)
    if value is None:
        return None
    target = db.write(destination, ListValue)
    if target is value:
        element = value.rotate(from_head=event == "lpop", to_head=to_event == "lpop")
    else:
        element = value.pop_left() if event == "lpop" else value.pop_right()
        if target is None:
            target = ListValue(client.engine.limits)
            db.add(destination, target)
        if to_event == "lpop":
            target.push_left((element,))
        else:
            target.push_right((element,))
    db.changed(destination, "lpush" if to_event == "lpop" else "rpush", 0)
    db.changed(source, event)
    db.delete_if_empty(source, value)
    return element


@lists.command(
    "LMOVE", arity=5, flags="write denyoom", keys=SOURCE_AND_DESTINATION, since="6.2.0",
    syntax="source destination <LEFT | RIGHT> <LEFT | RIGHT>",
)  # fmt: skip
def lmove(client: Client, source: bytes, destination: bytes, where_from: bytes, where_to: bytes) -> Reply:
    """Moves an element from one end of a list to one end of another, and returns it. O(1)."""
    return _move(client, source, destination, _event(where_from), _event(where_to))


@lists.command(
    "RPOPLPUSH", arity=3, flags="write denyoom", keys=SOURCE_AND_DESTINATION, since="1.2.0",
    syntax="source destination",
)  # fmt: skip
def rpoplpush(client: Client, source: bytes, destination: bytes) -> Reply:
    """Moves the last element of a list to the head of another, and returns it. O(1)."""
    return _move(client, source, destination, "rpop", "lpop")


@lists.command(
    "BLMOVE", arity=6, flags="write denyoom blocking", keys=SOURCE_AND_DESTINATION, since="6.2.0",
    syntax="source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout",
)  # fmt: skip
def blmove(
    client: Client, source: bytes, destination: bytes, where_from: bytes, where_to: bytes, timeout: bytes
) -> Reply:
    """Moves an element from one end of a list to one end of another, or waits for one, and returns it.

    O(1).
    """
    event, to_event = _event(where_from), _event(where_to)
    deadline = arguments.timeout_deadline(timeout, client.db.keyspace.now)
    element = _move(client, source, destination, event, to_event)
    if element is None:
        return _wait_to_move(client, source, deadline)
    client.engine.effect(b"LMOVE", source, destination, where_from, where_to)
    return element


@lists.command(
    "BRPOPLPUSH", arity=4, flags="write denyoom blocking", keys=SOURCE_AND_DESTINATION, since="2.2.0",
    syntax="source destination timeout",
    history=[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
)  # fmt: skip
def brpoplpush(client: Client, source: bytes, destination: bytes, timeout: bytes) -> Reply:
    """Moves the last element of a list to the head of another, or waits for one, and returns it. O(1)."""
    deadline = arguments.timeout_deadline(timeout, client.db.keyspace.now)
    element = _move(client, source, destination, "rpop", "lpop")
    if element is None:
        return _wait_to_move(client, source, deadline)
    client.engine.effect(b"RPOPLPUSH", source, destination)
    return element


def _wait_to_move(client: Client, source: bytes, deadline: int) -> Reply:
    """Redis has two ways to say "nothing": a null to who may not wait, a null array to who waited in vain."""
    return None if client.deny_blocking else Block((source,), deadline, A_LIST)
