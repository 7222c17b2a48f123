"""Consumer groups: a stream shared out among many readers, each entry to one of them.

What a group is made of is told in `cutaway.datastructures.stream_groups`; here are the commands that set one up (XGROUP), say that an
entry is done (XACK) and look at what is not (XPENDING). Reading for a group is in `stream_reading`, taking over what another one
left undone in `stream_claims`.

A group is not part of what the stream holds. Commands that change only groups count as writes and have their events, but they
do not touch the key: WATCH and client-side caches hear nothing of them, as in Redis.
"""

from __future__ import annotations

from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.helping import help_lines
from cutaway.commands.key_specs import RO, RW
from cutaway.commands.stream_ids import format_id, parse_end, parse_id, parse_start, parse_strict
from cutaway.commands.stream_reading import no_group
from cutaway.commands.streams import streams
from cutaway.datastructures import ConsumerGroup, Stream
from cutaway.datastructures.stream_nodes import MIN_ID
from cutaway.datastructures.streams import INVALID_ENTRIES_READ
from cutaway.resp import NULL_ARRAY, Reply

NO_STREAM: Final = errors.CommandError(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option "
    "to create an empty stream automatically."
)
GROUP_EXISTS: Final = errors.CommandError("BUSYGROUP Consumer Group name already exists")
ENTRIES_READ_NEGATIVE: Final = errors.CommandError("ERR value for ENTRIESREAD must be positive or -1")
NO_SUCH_GROUP: Final = "No such consumer group '{group}' for key name '{key}'"
NO_SUCH_KEY_OR_GROUP: Final = "No such key '{key}' or consumer group '{group}'"


def _bad_form(subcommand: bytes) -> errors.CommandError:
    shown = errors.printable(subcommand, 128)
    return errors.CommandError(
        f"ERR unknown subcommand or wrong number of arguments for '{shown}'. Try XGROUP HELP."
    )


def _group_of(client: Client, key: bytes, name: bytes) -> ConsumerGroup:
    """A group that an XGROUP subcommand is about."""
    stream = client.db.write(key, Stream)
    if stream is None:
        raise NO_STREAM
    group = stream.groups.get(name)
    if group is None:
        raise no_group(NO_SUCH_GROUP, key, name)
    return group


def group_or_error(client: Client, key: bytes, name: bytes) -> tuple[Stream, ConsumerGroup]:
    """A stream and one of its groups, for the commands about pending entries."""
    stream = client.db.read(key, Stream)
    group = None if stream is None else stream.groups.get(name)
    if stream is None or group is None:
        raise no_group(NO_SUCH_KEY_OR_GROUP, key, name)
    return stream, group


# ---- XGROUP

streams.container("XGROUP", arity=-2, since="5.0.0", acl="-stream")


class _Options:
    """`[MKSTREAM] [ENTRIESREAD entries-read]`."""

    __slots__ = ("entries_read", "mkstream")

    def __init__(self, subcommand: bytes, words: tuple[bytes, ...]) -> None:
        self.mkstream = False
        self.entries_read = INVALID_ENTRIES_READ
        position = 0
        while position < len(words):
            option = words[position].lower()
            if option == b"mkstream" and subcommand.lower() == b"create":
                self.mkstream = True
                position += 1
            elif option == b"entriesread" and position + 1 < len(words):
                self.entries_read = arguments.integer(words[position + 1])
                if self.entries_read < 0 and self.entries_read != INVALID_ENTRIES_READ:
                    raise ENTRIES_READ_NEGATIVE
                position += 2
            else:
                raise _bad_form(subcommand)


@streams.command("XGROUP CREATE", arity=-5, flags="write denyoom", keys=RW(2, "insert"), since="5.0.0", skip=1,
                 syntax="key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]",
                 history=[("7.0.0", "Added the `entries_read` named argument.")])  # fmt: skip
def xgroup_create(
    client: Client, subcommand: bytes, key: bytes, name: bytes, text: bytes, *words: bytes
) -> Reply:
    """Creates a consumer group that reads what comes after an ID. O(1)."""
    options = _Options(subcommand, words)
    db = client.db
    stream = db.write(key, Stream)
    if stream is None and not options.mkstream:
        raise NO_STREAM
    if len(words) > 3:
        raise _bad_form(subcommand)
    if text == b"$":
        last_id = MIN_ID if stream is None else stream.last_id
    else:
        last_id = parse_strict(text)
    group = ConsumerGroup(last_id, options.entries_read)
    if stream is None:
        stream = Stream(client.engine.limits)
        stream.groups[name] = group
        db.add(key, stream)
        db.changed(key, "xgroup-create")
        return "OK"
    if name in stream.groups:
        raise GROUP_EXISTS
    stream.groups[name] = group
    db.keyspace.dirty += 1
    db.notify(key, "xgroup-create")
    return "OK"


@streams.command("XGROUP SETID", arity=-5, flags="write", keys=RW(2), since="5.0.0", skip=1,
                 syntax="key group <id | $> [ENTRIESREAD entries-read]",
                 history=[("7.0.0", "Added the optional `entries_read` argument.")])  # fmt: skip
def xgroup_setid(
    client: Client, subcommand: bytes, key: bytes, name: bytes, text: bytes, *words: bytes
) -> Reply:
    """Lets a group go on after another ID than the last one it has read. O(1)."""
    options = _Options(subcommand, words)
    group = _group_of(client, key, name)
    if len(words) > 2:
        raise _bad_form(subcommand)
    if text == b"$":
        stream = client.db.write(key, Stream)
        assert stream is not None
        group.last_id = stream.last_id
    else:
        group.last_id = parse_id(text)
    group.entries_read = options.entries_read
    client.db.keyspace.dirty += 1
    client.db.notify(key, "xgroup-setid")
    return "OK"


@streams.command(
    "XGROUP DESTROY", arity=4, flags="write", keys=RW(2, "delete"), since="5.0.0", syntax="key group"
)
def xgroup_destroy(client: Client, key: bytes, name: bytes) -> Reply:
    """Removes a group, and wakes those who wait for it. O(n) for n entries that it has pending."""
    db = client.db
    stream = db.write(key, Stream)
    if stream is None:
        raise NO_STREAM
    if stream.groups.pop(name, None) is None:
        return 0
    db.keyspace.dirty += 1
    db.notify(key, "xgroup-destroy")
    client.engine.blocking.signal(db, key)
    return 1


@streams.command("XGROUP CREATECONSUMER", arity=5, flags="write denyoom", keys=RW(2, "insert"), since="6.2.0",
                 syntax="key group consumer")  # fmt: skip
def xgroup_createconsumer(client: Client, key: bytes, name: bytes, consumer: bytes) -> Reply:
    """Adds a consumer to a group, unless there is one of that name. O(1)."""
    if _group_of(client, key, name).create_consumer(consumer, client.db.keyspace.now) is None:
        return 0
    client.db.keyspace.dirty += 1
    client.db.notify(key, "xgroup-createconsumer")
    return 1


@streams.command("XGROUP DELCONSUMER", arity=5, flags="write", keys=RW(2, "delete"), since="5.0.0",
                 syntax="key group consumer")  # fmt: skip
def xgroup_delconsumer(client: Client, key: bytes, name: bytes, consumer: bytes) -> Reply:
    """Removes a consumer and what it has pending, and returns how much that was. O(n) for n entries pending."""
    pending = _group_of(client, key, name).delete_consumer(consumer)
    if pending is None:
        return 0
    client.db.keyspace.dirty += 1
    client.db.notify(key, "xgroup-delconsumer")
    return pending


@streams.command("XGROUP HELP", arity=2, flags="loading stale", since="5.0.0")
def xgroup_help(client: Client) -> Reply:
    """Says what XGROUP can do. O(1)."""
    return help_lines(client, "xgroup")


# ---- entries that are pending


@streams.command(
    "XACK", arity=-4, flags="write fast", keys=RW(1), since="5.0.0", syntax="key group id [id ...]"
)
def xack(client: Client, key: bytes, name: bytes, *ids: bytes) -> Reply:
    """Says that entries are done with, and returns how many of them were pending. O(1) each."""
    stream = client.db.read(key, Stream)
    group = None if stream is None else stream.groups.get(name)
    if group is None:
        return 0
    acknowledged = sum(map(group.acknowledge, [parse_strict(text) for text in ids]))
    client.db.keyspace.dirty += acknowledged
    return acknowledged


@streams.command("XPENDING", arity=-3, flags="readonly", keys=RO(1), since="5.0.0", tips=("nondeterministic_output",),
                 syntax="key group [[IDLE min-idle-time] start end count [consumer]]",
                 history=[("6.2.0", "Added the `IDLE` option and exclusive range intervals.")])  # fmt: skip
def xpending(client: Client, key: bytes, name: bytes, *words: bytes) -> Reply:
    """Returns what a group was given and has not acknowledged: a summary, or entries. O(n) for n entries looked at."""
    if not words:
        return _pending_summary(group_or_error(client, key, name)[1])
    if not 3 <= len(words) <= 6:
        raise errors.SYNTAX
    min_idle = 0
    if words[0].lower() == b"idle":
        min_idle = arguments.integer(words[1])
        if len(words) < 5:
            raise errors.SYNTAX
        words = words[2:]
    count = max(arguments.integer(words[2]), 0)
    start, end = parse_start(words[0]), parse_end(words[1])
    group = group_or_error(client, key, name)[1]
    consumer = group.consumers.get(words[3]) if len(words) > 3 else None
    if consumer is None and len(words) > 3:
        return []
    now = client.db.keyspace.now
    found = group.pending_range(start, end, count, now, consumer=consumer, min_idle=min_idle)
    return [[format_id(each.entry_id), each.consumer, each.idle, each.delivery_count] for each in found]


def _pending_summary(group: ConsumerGroup) -> Reply:
    summary = group.pending_summary()
    if summary.first_id is None or summary.last_id is None:
        return [0, None, None, NULL_ARRAY]
    owners = [[owner, b"%d" % count] for owner, count in summary.consumers]
    return [summary.count, format_id(summary.first_id), format_id(summary.last_id), owners]
