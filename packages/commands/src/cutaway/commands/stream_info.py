"""XINFO: what there is to know about a stream, its groups, and their consumers.

`entries-read` and `lag` are null where they cannot be known without counting (`ConsumerGroup.lag`). The numbers about the radix tree
are those of the structure that really holds the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.helping import help_lines
from cutaway.commands.key_specs import RO
from cutaway.commands.stream_groups import NO_SUCH_GROUP
from cutaway.commands.stream_ids import format_id
from cutaway.commands.stream_reading import no_group
from cutaway.commands.streams import entry_reply, streams
from cutaway.datastructures import Consumer, ConsumerGroup, Stream
from cutaway.datastructures.stream_groups import NEVER, PendingList
from cutaway.datastructures.streams import INVALID_ENTRIES_READ
from cutaway.resp import MapReply, Reply

DEFAULT_COUNT: Final = 10

streams.container("XINFO", arity=-2, since="5.0.0", acl="-stream")


def _stream(client: Client, key: bytes) -> Stream:
    stream = client.db.read(key, Stream)
    if stream is None:
        raise errors.NO_SUCH_KEY
    return stream


@streams.command(
    "XINFO STREAM", arity=-3, flags="readonly", keys=RO(2), since="5.0.0", skip=1, syntax="key [FULL [COUNT count]]",
    history=[("6.0.0", "Added the `FULL` modifier."),
             ("7.0.0", "Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and "  # noqa: ISC004
                       "`lag` fields"),
             ("7.2.0", "Added the `active-time` field, and changed the meaning of `seen-time`.")],
)  # fmt: skip
def xinfo_stream(client: Client, subcommand: bytes, key: bytes, *words: bytes) -> Reply:
    """Returns what there is to know about a stream, or all of it with its groups. O(1), O(n) for n entries shown."""
    stream = _stream(client, key)
    if not words:
        return MapReply([*_numbers(stream), *_ends(stream)])
    if (
        len(words) not in (1, 3)
        or words[0].lower() != b"full"
        or (len(words) == 3 and words[1].lower() != b"count")
    ):
        shown = errors.printable(subcommand, 128)
        raise errors.CommandError(
            f"ERR unknown subcommand or wrong number of arguments for '{shown}'. Try XINFO HELP."
        )
    count = arguments.integer(words[2]) if len(words) == 3 else DEFAULT_COUNT
    if count < 0:
        count = DEFAULT_COUNT
    limit = count or None
    return MapReply(
        [
            *_numbers(stream),
            (b"entries", [entry_reply(entry) for entry in stream.range(count=limit)]),
            (
                b"groups",
                [_full_group(stream, name, stream.groups[name], limit) for name in sorted(stream.groups)],
            ),
        ]
    )


def _numbers(stream: Stream) -> list[tuple[bytes, Reply]]:
    return [
        (b"length", stream.length),
        (b"radix-tree-keys", stream.node_count),
        (b"radix-tree-nodes", stream.tree.packed_node_count()),
        (b"last-generated-id", format_id(stream.last_id)),
        (b"max-deleted-entry-id", format_id(stream.max_deleted_id)),
        (b"entries-added", stream.entries_added),
        (b"recorded-first-entry-id", format_id(stream.first_id)),
    ]


def _ends(stream: Stream) -> list[tuple[bytes, Reply]]:
    first = next(stream.range(count=1), None)
    last = next(stream.range(count=1, reverse=True), None)
    return [
        (b"groups", len(stream.groups)),
        (b"first-entry", None if first is None else entry_reply(first)),
        (b"last-entry", None if last is None else entry_reply(last)),
    ]


def _progress(stream: Stream, group: ConsumerGroup) -> list[tuple[bytes, Reply]]:
    return [
        (b"last-delivered-id", format_id(group.last_id)),
        (b"entries-read", None if group.entries_read == INVALID_ENTRIES_READ else group.entries_read),
        (b"lag", group.lag(stream)),
    ]


def _full_group(stream: Stream, name: bytes, group: ConsumerGroup, limit: int | None) -> Reply:
    pending: Sequence[Reply] = [
        [format_id(entry_id), entry.consumer.name, entry.delivery_time, entry.delivery_count]
        for entry_id, entry in islice(group.pending.items(), limit)
    ]
    return MapReply(
        [
            (b"name", name),
            *_progress(stream, group),
            (b"pel-count", len(group.pending)),
            (b"pending", pending),
            (b"consumers", [_full_consumer(consumer, limit) for consumer in group.sorted_consumers()]),
        ]
    )


def _full_consumer(consumer: Consumer, limit: int | None) -> Reply:
    return MapReply(
        [
            (b"name", consumer.name),
            (b"seen-time", consumer.seen_time),
            (b"active-time", consumer.active_time),
            (b"pel-count", len(consumer.pending)),
            (b"pending", _own_pending(consumer.pending, limit)),
        ]
    )


def _own_pending(pending: PendingList, limit: int | None) -> Reply:
    return [
        [format_id(entry_id), entry.delivery_time, entry.delivery_count]
        for entry_id, entry in islice(pending.items(), limit)
    ]


@streams.command("XINFO GROUPS", arity=3, flags="readonly", keys=RO(2), since="5.0.0", syntax="key",
                 history=[("7.0.0", "Added the `entries-read` and `lag` fields")])  # fmt: skip
def xinfo_groups(client: Client, key: bytes) -> Reply:
    """Returns the groups of a stream, and how far they have got. O(n) for n groups."""
    stream = _stream(client, key)
    return [
        MapReply(
            [
                (b"name", name),
                (b"consumers", len(group.consumers)),
                (b"pending", len(group.pending)),
                *_progress(stream, group),
            ]
        )
        for name, group in sorted(stream.groups.items())
    ]


@streams.command("XINFO CONSUMERS", arity=4, flags="readonly", keys=RO(2), since="5.0.0", tips=("nondeterministic_output",),
                 syntax="key group",
                 history=[("7.2.0", "Added the `inactive` field, and changed the meaning of `idle`.")])  # fmt: skip
def xinfo_consumers(client: Client, key: bytes, name: bytes) -> Reply:
    """Returns the consumers of a group, and how long they have been silent. O(n) for n consumers."""
    group = _stream(client, key).groups.get(name)
    if group is None:
        raise no_group(NO_SUCH_GROUP, key, name)
    now = client.db.keyspace.now
    return [
        MapReply(
            [
                (b"name", consumer.name),
                (b"pending", len(consumer.pending)),
                (b"idle", max(now - consumer.seen_time, 0)),
                (b"inactive", NEVER if consumer.active_time == NEVER else now - consumer.active_time),
            ]
        )
        for consumer in group.sorted_consumers()
    ]


@streams.command("XINFO HELP", arity=2, flags="loading stale", since="5.0.0")
def xinfo_help(client: Client) -> Reply:
    """Says what XINFO can do. O(1)."""
    return help_lines(client, "xinfo")
