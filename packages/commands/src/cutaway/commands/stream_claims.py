"""Taking over what another consumer was given and left undone.

A consumer that dies leaves its entries pending for ever. Another one finds them with XPENDING and takes them with XCLAIM, or does
both in one with XAUTOCLAIM, which goes through the pending list with a cursor. The least idle time keeps two rescuers from getting
the same entry: the first claim makes it fresh again. Each claim counts as one more delivery, so that an entry that kills
whoever touches it can be told by its count.

An entry deleted from the stream cannot be processed any more: a claim takes it off the pending list.

XCLAIM is also how all these changes are propagated: with FORCE, the exact TIME and RETRYCOUNT, and LASTID for the position of the group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import RW
from cutaway.commands.stream_groups import group_or_error
from cutaway.commands.stream_ids import format_id, parse_start, parse_strict
from cutaway.commands.stream_reading import (
    find_consumer,
    propagate_claim,
    propagate_consumer,
    propagate_position,
)
from cutaway.commands.streams import entry_reply, streams
from cutaway.datastructures import ConsumerGroup
from cutaway.datastructures.stream_groups import Claimed
from cutaway.datastructures.stream_nodes import MIN_ID, StreamID
from cutaway.resp import Reply

MAX_COUNT: Final = arguments.INT64_MAX // 16
COUNT_NOT_POSITIVE: Final = errors.CommandError("ERR COUNT must be > 0")


def _invalid(what: str) -> errors.CommandError:
    return errors.CommandError(f"ERR Invalid {what}")


XCLAIM_IDLE: Final = _invalid("min-idle-time argument for XCLAIM")
XAUTOCLAIM_IDLE: Final = _invalid("min-idle-time argument for XAUTOCLAIM")
INVALID_OPTION: Final = {word: _invalid(f"{word.decode()} option argument for XCLAIM") for word in
                         (b"IDLE", b"TIME", b"RETRYCOUNT")}  # fmt: skip


def _reply(outcome: Claimed, *, justid: bool) -> list[Reply]:
    """The entries that were claimed."""
    if justid:
        return [format_id(entry_id) for entry_id, _, _ in outcome.claimed]
    return [entry_reply((entry_id, fields)) for entry_id, _, fields in outcome.claimed]


def _propagate(client: Client, key: bytes, name: bytes, group: ConsumerGroup, outcome: Claimed) -> int:
    """Count the changes, and tell them; their number."""
    changes = len(outcome.claimed) + len(outcome.deleted)
    client.db.keyspace.dirty += changes
    if client.engine.on_propagate:
        for entry_id, pending in outcome.deleted:
            propagate_claim(client, key, name, entry_id, group.last_id, pending)
        for entry_id, pending, _ in outcome.claimed:
            propagate_claim(client, key, name, entry_id, group.last_id, pending)
    return changes


# ---- XCLAIM


class _Options:
    """What follows the IDs of an XCLAIM."""

    __slots__ = ("delivery_time", "force", "justid", "last_id", "retry_count")

    def __init__(self, words: Sequence[bytes], now: int) -> None:
        self.delivery_time: int | None = None
        self.retry_count: int | None = None
        self.last_id = MIN_ID
        self.force = self.justid = False
        position = 0
        while position < len(words):
            option = words[position].upper()
            more = position + 1 < len(words)
            if option == b"FORCE":
                self.force = True
            elif option == b"JUSTID":
                self.justid = True
            elif option in INVALID_OPTION and more:
                position += 1
                self._set(option, arguments.integer(words[position], INVALID_OPTION[option]), now)
            elif option == b"LASTID" and more:
                position += 1
                self.last_id = parse_strict(words[position])
            else:
                shown = errors.printable(words[position])
                raise errors.CommandError(f"ERR Unrecognized XCLAIM option '{shown}'")
            position += 1

    def _set(self, option: bytes, value: int, now: int) -> None:
        if option == b"RETRYCOUNT":
            self.retry_count = value if value >= 0 else None
        else:
            self.delivery_time = value if option == b"TIME" else now - value


@streams.command(
    "XCLAIM", arity=-6, flags="write fast", keys=RW(1), since="5.0.0", tips=("nondeterministic_output",),
    syntax="key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] "
           "[FORCE] [JUSTID] [LASTID lastid]",
)  # fmt: skip
def xclaim(client: Client, key: bytes, name: bytes, member: bytes, min_idle: bytes, *words: bytes) -> Reply:
    """Takes over pending entries, as if they had been delivered to the consumer. O(log n) each, for n entries."""
    stream, group = group_or_error(client, key, name)
    idle = max(arguments.integer(min_idle, XCLAIM_IDLE), 0)
    ids = _leading_ids(words)
    now = client.db.keyspace.now
    options = _Options(words[len(ids) :], now)
    moved = options.last_id > group.last_id
    if moved:
        group.last_id = options.last_id
    consumer, is_new = find_consumer(client, key, group, member)
    outcome = group.claim(
        stream, consumer, ids, now, min_idle=idle, delivery_time=options.delivery_time,
        retry_count=options.retry_count, force=options.force, justid=options.justid,
    )  # fmt: skip
    if is_new and not outcome.claimed:
        propagate_consumer(client, key, name, consumer)
    if not _propagate(client, key, name, group, outcome) and moved:
        client.db.keyspace.dirty += 1
        propagate_position(client, key, name, group)
    return _reply(outcome, justid=options.justid)


def _leading_ids(words: Sequence[bytes]) -> list[StreamID]:
    """The IDs before the options: as many words as can be read as one."""
    ids: list[StreamID] = []
    for word in words:
        try:
            ids.append(parse_strict(word))
        except errors.CommandError:
            break
    return ids


# ---- XAUTOCLAIM


@streams.command(
    "XAUTOCLAIM", arity=-6, flags="write fast", keys=RW(1, "delete"), since="6.2.0", tips=("nondeterministic_output",),
    syntax="key group consumer min-idle-time start [COUNT count] [JUSTID]",
    history=[("7.0.0", "Added an element to the reply array, containing deleted entries the command cleared from the PEL")],
)  # fmt: skip
def xautoclaim(
    client: Client, key: bytes, name: bytes, member: bytes, min_idle: bytes, start: bytes, *words: bytes
) -> Reply:
    """Takes over pending entries that are idle, from an ID on, and says where to go on. O(1) for a small COUNT."""
    idle = max(arguments.integer(min_idle, XAUTOCLAIM_IDLE), 0)
    first = parse_start(start)
    count, justid = 100, False
    position = 0
    while position < len(words):
        option = words[position].lower()
        if option == b"count" and position + 1 < len(words):
            position += 1
            count = arguments.integer_between(words[position], 1, MAX_COUNT, COUNT_NOT_POSITIVE)
        elif option == b"justid":
            justid = True
        else:
            raise errors.SYNTAX
        position += 1
    stream, group = group_or_error(client, key, name)
    consumer, is_new = find_consumer(client, key, group, member)
    now = client.db.keyspace.now
    outcome = group.auto_claim(stream, consumer, first, now, min_idle=idle, count=count, justid=justid)
    if is_new and not outcome.claimed:
        propagate_consumer(client, key, name, consumer)
    _propagate(client, key, name, group, outcome)
    deleted = [format_id(entry_id) for entry_id, _ in outcome.deleted]
    return [format_id(outcome.cursor), _reply(outcome, justid=justid), deleted]
