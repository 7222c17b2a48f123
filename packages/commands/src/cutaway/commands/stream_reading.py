"""Following streams: XREAD for one's own account, XREADGROUP as a member of a group, each of which may wait for more.

Both name streams and, for each, the last ID that the reader has seen; what is newer is answered. Special words stand for an ID:

* XREAD: `$` is the last ID there is now, so that only what comes from now on counts; `+` is the ID just before it, so that
  the last entry is given again (unless it was deleted).
* XREADGROUP: `>` asks for entries that nobody in the group has had yet. Any other ID asks for the reader's own history: what it
  was given and has not acknowledged. History never waits; an empty one is an answer too.

A reader that waits is run again from the start when one of its streams was added to (`blocking.py`). `$` must then not mean the new
end, so the request is written anew with the ID that it meant. A member of a group is woken as well when its stream, or its group,
goes away: running again, it finds that out and gets the error.

What is propagated is not the reading but what it did to the group: an XCLAIM for each entry that became pending, and the group's new
position. Looking at one's history changes delivery counts, which are not propagated, as in Redis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.blocking import Block, Wakes, holds
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import RO
from cutaway.commands.keyspaces import Database
from cutaway.commands.stream_ids import format_id, parse_strict
from cutaway.commands.streams import entry_reply, streams
from cutaway.datastructures import Consumer, ConsumerGroup, PendingEntry, Stream
from cutaway.datastructures.stream_nodes import MAX_ID, MIN_ID, Entry, StreamID
from cutaway.datastructures.streams import next_id, previous_id
from cutaway.resp import NULL_ARRAY, PairMap, Reply

A_STREAM: Final = holds(Stream)

GROUP_IN_XREAD: Final = errors.CommandError(
    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
)
NOACK_IN_XREAD: Final = errors.CommandError(
    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
)
NO_GROUP_OPTION: Final = errors.CommandError("ERR Missing GROUP option for XREADGROUP")
NEW_IN_XREAD: Final = errors.CommandError(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
)


def _meaningless(word: str) -> errors.CommandError:
    return errors.CommandError(
        f"ERR The {word} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
        f"specifying a proper ID, or use the > ID to get new messages. The {word} ID would just return an empty result set."
    )


MEANINGLESS: Final = {b"$": _meaningless("$"), b"+": _meaningless("+")}


def no_group(text: str, key: bytes, group: bytes) -> errors.CommandError:
    """The NOGROUP error; `text` has places for key and group."""
    return errors.CommandError(
        "NOGROUP " + text.format(key=errors.printable(key), group=errors.printable(group))
    )


class ReadRequest:
    """The options of XREAD and XREADGROUP."""

    __slots__ = ("count", "deadline", "group", "ids", "ids_at", "keys", "member", "noack")

    def __init__(self) -> None:
        self.deadline: int | None = None
        """Milliseconds since the epoch, 0 to wait for ever, None not to wait."""
        self.count: int | None = None
        self.keys: Sequence[bytes] = ()
        self.ids: Sequence[bytes] = ()
        self.ids_at = 0
        """Where the IDs begin, among the words after the command's name."""
        self.group: bytes | None = None
        self.member = b""
        self.noack = False

    def parse(self, words: Sequence[bytes], now: int, *, of_group: bool) -> None:
        """Read the words after the command's name. Raises what is wrong with them."""
        position = 0
        while position < len(words):
            option = words[position].lower()
            left = len(words) - position - 1
            if option == b"streams" and left:
                self._parse_streams(words, position + 1, of_group=of_group)
                break
            if option == b"count" and left:
                self.count = max(arguments.integer(words[position + 1]), 0) or None
                position += 2
            elif option == b"block" and left:
                self.deadline = _deadline(words[position + 1], now)
                position += 2
            elif option == b"group" and left >= 2:
                if not of_group:
                    raise GROUP_IN_XREAD
                self.group, self.member = words[position + 1], words[position + 2]
                position += 3
            elif option == b"noack":
                if not of_group:
                    raise NOACK_IN_XREAD
                self.noack = True
                position += 1
            else:
                raise errors.SYNTAX
        if not self.keys:
            raise errors.SYNTAX
        if of_group and self.group is None:
            raise NO_GROUP_OPTION

    def _parse_streams(self, words: Sequence[bytes], position: int, *, of_group: bool) -> None:
        named = len(words) - position
        if named % 2:
            name, word = ("xreadgroup", ">") if of_group else ("xread", "$")
            raise errors.CommandError(
                f"ERR Unbalanced '{name}' list of streams: for each stream key an ID or '{word}' must be specified."
            )
        self.ids_at = position + named // 2
        self.keys, self.ids = words[position : self.ids_at], words[self.ids_at :]


def _deadline(text: bytes, now: int) -> int:
    """The moment at which the waiting ends, from a number of milliseconds; 0 for never."""
    milliseconds = arguments.integer(text, errors.TIMEOUT_NOT_AN_INTEGER)
    if milliseconds < 0:
        raise errors.TIMEOUT_NEGATIVE
    if not milliseconds:
        return 0
    if now + milliseconds > arguments.INT64_MAX:
        raise errors.TIMEOUT_OUT_OF_RANGE
    return now + milliseconds


# ---- XREAD


@streams.command(
    "XREAD", arity=-4, flags="readonly blocking movablekeys", keys=RO(1, keyword="STREAMS", last=-1, limit=2), since="5.0.0",
    syntax="[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
)  # fmt: skip
def xread(client: Client, *words: bytes) -> Reply | Block:
    """Returns what streams have got since the given IDs, or waits for it. O(log n + m) a stream, m entries returned."""
    request = ReadRequest()
    request.parse(words, client.db.keyspace.now, of_group=False)
    read = client.db.read
    wanted = []
    for key, text in zip(request.keys, request.ids, strict=True):
        stream = read(key, Stream)
        wanted.append((key, stream, _last_seen(stream, text)))
    found: list[tuple[Reply, Reply]] = []
    for key, stream, last_seen in wanted:
        start = next_id(last_seen)
        if stream is not None and stream.length and start is not None:
            entries = [entry_reply(entry) for entry in stream.range(start, MAX_ID, request.count)]
            if entries:
                found.append((key, entries))
    if found:
        return PairMap(found)
    if request.deadline is None:
        return NULL_ARRAY
    ids = (
        format_id(seen) if text == b"$" else text
        for text, (_, _, seen) in zip(request.ids, wanted, strict=True)
    )
    return Block(request.keys, request.deadline, A_STREAM, argv=(b"XREAD", *words[: request.ids_at], *ids))


def _last_seen(stream: Stream | None, text: bytes) -> StreamID:
    """The last ID that an XREAD has seen."""
    if text == b"$":
        return MIN_ID if stream is None else stream.last_id
    if text == b"+":
        return MIN_ID if stream is None else previous_id(stream.last_id) or MIN_ID
    if text == b">":
        raise NEW_IN_XREAD
    return parse_strict(text)


# ---- XREADGROUP


@streams.command(
    "XREADGROUP", arity=-7, flags="write blocking movablekeys", keys=RO(4, keyword="STREAMS", last=-1, limit=2), since="5.0.0",
    syntax="GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]",
)  # fmt: skip
def xreadgroup(client: Client, *words: bytes) -> Reply | Block:
    """Returns entries for a member of a group, new ones or its own again, or waits. O(log n + m) a stream, m returned."""
    request = ReadRequest()
    request.parse(words, client.db.keyspace.now, of_group=True)
    assert request.group is not None
    wanted = [
        _resolve(client.db, request.group, key, text)
        for key, text in zip(request.keys, request.ids, strict=True)
    ]
    found: list[tuple[Reply, Reply]] = []
    for key, (stream, group, start) in zip(request.keys, wanted, strict=True):
        member = _Member(client, key, stream, group, request)
        if start is not None:
            found.append((key, member.read_history(start)))
        else:
            entries = member.read_new()
            if entries:
                found.append((key, entries))
    if found:
        return PairMap(found)
    if request.deadline is None:
        return NULL_ARRAY
    return Block(
        request.keys,
        request.deadline,
        _news_for(request.group),
        argv=(b"XREADGROUP", *words),
        ends_without_key=True,
    )


def _resolve(
    db: Database, name: bytes, key: bytes, text: bytes
) -> tuple[Stream, ConsumerGroup, StreamID | None]:
    """A stream, its group of that name, and where the history asked for begins; None for new entries."""
    stream = db.read(key, Stream)
    group = None if stream is None else stream.groups.get(name)
    if stream is None or group is None:
        raise no_group(
            "No such key '{key}' or consumer group '{group}' in XREADGROUP with GROUP option", key, name
        )
    if text == b">":
        return stream, group, None
    if text in MEANINGLESS:
        raise MEANINGLESS[text]
    return stream, group, next_id(parse_strict(text))


def _news_for(name: bytes) -> Wakes:
    """A condition for waking a member of a group: there is something new, or nothing to wait for any more."""

    def condition(database: Database, key: bytes) -> bool:
        entry = database.peek(key)
        if entry is None or type(entry.value) is not Stream:
            return True
        group = entry.value.groups.get(name)
        return group is None or entry.value.last_id > group.last_id

    return condition


class _Member:
    """A consumer that reads one stream by its group; made if it is not known yet."""

    __slots__ = ("client", "consumer", "group", "is_new", "key", "request", "stream")

    def __init__(
        self, client: Client, key: bytes, stream: Stream, group: ConsumerGroup, request: ReadRequest
    ) -> None:
        self.client = client
        self.key = key
        self.stream = stream
        self.group = group
        self.request = request
        self.consumer, self.is_new = find_consumer(client, key, group, request.member)

    def read_new(self) -> Reply:
        """What nobody in the group has had."""
        client, group, request = self.client, self.group, self.request
        now = client.db.keyspace.now
        entries = group.read_new(self.stream, self.consumer, now, request.count, noack=request.noack)
        if client.engine.on_propagate:
            self._propagate(entries)
        if entries:
            client.db.keyspace.dirty += 1
        return [entry_reply(entry) for entry in entries]

    def read_history(self, start: StreamID) -> Reply:
        """What the member has pending; a null instead of the fields where an entry was deleted meanwhile."""
        now = self.client.db.keyspace.now
        self._propagate(())
        history = self.group.read_history(self.stream, self.consumer, start, now, self.request.count)
        return [
            [format_id(entry_id), NULL_ARRAY] if fields is None else entry_reply((entry_id, fields))
            for entry_id, fields in history
        ]

    def _propagate(self, entries: Sequence[Entry]) -> None:
        """Say what the group has become; a claim makes the consumer by itself."""
        client, key, group, name = self.client, self.key, self.group, self.request.group
        assert name is not None
        noack = self.request.noack
        if self.is_new and (noack or not entries):
            propagate_consumer(client, key, name, self.consumer)
        if not entries:
            return
        if not noack:
            for entry_id, _ in entries:
                pending = group.pending.get(entry_id)
                assert pending is not None
                propagate_claim(client, key, name, entry_id, entry_id, pending)
        propagate_position(client, key, name, group)


# ---- what all commands of groups share


def find_consumer(client: Client, key: bytes, group: ConsumerGroup, name: bytes) -> tuple[Consumer, bool]:
    """The group's consumer of that name, seen now, and whether it had to be made."""
    db = client.db
    consumer, is_new = group.see_consumer(name, db.keyspace.now)
    if is_new:
        db.keyspace.dirty += 1
        db.notify(key, "xgroup-createconsumer")
    return consumer, is_new


def propagate_consumer(client: Client, key: bytes, group: bytes, consumer: Consumer) -> None:
    """A consumer was made. (Redis says so only for NOACK, and its log forgets others that have nothing pending.)"""  # noqa: D400
    client.engine.effect(b"XGROUP", b"CREATECONSUMER", key, group, consumer.name)


def propagate_position(client: Client, key: bytes, name: bytes, group: ConsumerGroup) -> None:
    """The group has read on."""
    read = b"%d" % group.entries_read
    client.engine.effect(b"XGROUP", b"SETID", key, name, format_id(group.last_id), b"ENTRIESREAD", read)


def propagate_claim(
    client: Client, key: bytes, name: bytes, entry_id: StreamID, last_id: StreamID, pending: PendingEntry
) -> None:
    """An entry is pending with a consumer, or is not any more since it was deleted: the same claim tells both."""
    client.engine.effect(
        b"XCLAIM", key, name, pending.consumer.name, b"0", format_id(entry_id),
        b"TIME", b"%d" % pending.delivery_time, b"RETRYCOUNT", b"%d" % pending.delivery_count,
        b"FORCE", b"JUSTID", b"LASTID", format_id(last_id),
    )  # fmt: skip
