"""Streams: a log of entries that many can read at their own pace.

A stream is appended to and read in ranges; what was written is not changed any more. XADD gives each entry an ID that is greater
than all before it, by default the time, so that the ID is the place in the log, and a reader needs to remember nothing but the
last one it has seen. How entries are stored is told in `cutaway.datastructures.streams`, how IDs are written in `stream_ids`; XREAD
is in `stream_reading`, consumer groups are in `stream_groups`.

An empty stream is not removed, in contrast to an empty list: its last ID, and its groups, still count.

XADD is propagated with the ID that was made up for it, and with the trimming that came of it (`stream_trimming`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import RO, RW
from cutaway.commands.stream_ids import format_id, parse_end, parse_new, parse_start, parse_strict
from cutaway.commands.stream_trimming import Trimming
from cutaway.commands.tables import CommandTable
from cutaway.datastructures import Stream
from cutaway.datastructures.stream_nodes import MAX_ID, MIN_ID, Entry, StreamID
from cutaway.resp import NULL_ARRAY, Reply

streams: Final = CommandTable("stream")

ID_IS_ZERO: Final = errors.CommandError("ERR The ID specified in XADD must be greater than 0-0")
ID_TOO_SMALL: Final = errors.CommandError(
    "ERR The ID specified in XADD is equal or smaller than the target stream top item"
)
NO_MORE_IDS: Final = errors.CommandError(
    "ERR The stream has exhausted the last possible ID, unable to add more items"
)
ENTRIES_ADDED_NEGATIVE: Final = errors.CommandError("ERR entries_added must be positive")
ENTRIES_ADDED_TOO_SMALL: Final = errors.CommandError(
    "ERR The entries_added specified in XSETID is smaller than the target stream length"
)
SETID_BELOW_TOP: Final = errors.CommandError(
    "ERR The ID specified in XSETID is smaller than the target stream top item"
)
SETID_BELOW_DELETED: Final = errors.CommandError(
    "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
)
SETID_BELOW_GIVEN: Final = errors.CommandError(
    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
)
UPDATES: Final = RW(1, notes="UPDATE instead of INSERT because of the optional trimming feature")


def entry_reply(entry: Entry) -> Reply:
    """An entry as it is answered: its ID, and fields and values in turn."""
    entry_id, fields = entry
    return [format_id(entry_id), [text for pair in fields for text in pair]]


# ---- writing


@streams.command(
    "XADD", arity=-5, flags="write denyoom fast", keys=UPDATES, since="5.0.0", tips=("nondeterministic_output",),
    syntax="key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]",
    history=[("6.2.0", "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."),
             ("7.0.0", "Added support for the `<ms>-*` explicit ID form.")],
)  # fmt: skip
def xadd(client: Client, key: bytes, *words: bytes) -> Reply:
    """Appends an entry to a stream, and creates the stream if there is none. O(1), and O(n) for n entries trimmed."""
    trimming: Trimming | None = None
    position = 0
    if words[0] != b"*":
        trimming = Trimming()
        position = trimming.parse(words, of_xadd=True)
    wished = None
    if position < len(words) and words[position] != b"*":
        wished = parse_new(words[position])
    if trimming is not None:
        trimming.check(of_xadd=True)
    fields = words[position + 1 :]
    if not fields or len(fields) % 2:
        raise errors.wrong_arity("xadd")
    if wished == (MIN_ID, True):
        raise ID_IS_ZERO
    db = client.db
    stream = db.write(key, Stream)
    if stream is None:
        if trimming is not None and trimming.nomkstream:
            return None
        stream = Stream(client.engine.limits)
        db.add(key, stream)
    entry_id = _new_id(stream, wished, db.keyspace.now)
    stream.append_flat(entry_id, fields)
    added = format_id(entry_id)
    db.changed(key, "xadd")
    if trimming is None or not trimming.wanted:
        if client.engine.on_propagate and (wished is None or not wished[1]):
            client.engine.effect(b"XADD", key, *words[:position], added, *fields)
        return added
    if trimming.apply(stream):
        db.notify(key, "xtrim")
    client.engine.effect(b"XADD", key, *trimming.effect(stream), added, *fields)
    return added


def _new_id(stream: Stream, wished: tuple[StreamID, bool] | None, now: int) -> StreamID:
    """The ID of the next entry. Raises an error if there is none, or not the one that was wished for."""
    if stream.last_id == MAX_ID:
        raise NO_MORE_IDS
    if wished is None:
        entry_id = stream.generate_id(now)
    elif wished[1]:
        entry_id = wished[0]
    else:
        entry_id = stream.generate_sequence(wished[0][0])
    if entry_id is None or entry_id <= stream.last_id:
        raise ID_TOO_SMALL
    return entry_id


@streams.command(
    "XDEL", arity=-3, flags="write fast", keys=RW(1, "delete"), since="5.0.0", syntax="key id [id ...]"
)
def xdel(client: Client, key: bytes, *ids: bytes) -> Reply:
    """Removes entries from a stream and returns how many there were. O(log n) each, for n entries."""
    stream = client.db.write(key, Stream)
    if stream is None:
        return 0
    deleted = sum(map(stream.delete, [parse_strict(text) for text in ids]))
    if deleted:
        client.db.changed(key, "xdel", deleted)
    return deleted


@streams.command("XTRIM", arity=-4, flags="write", keys=RW(1, "delete"), since="5.0.0", tips=("nondeterministic_output",),
                 syntax="key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]",
                 history=[("6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option.")])  # fmt: skip
def xtrim(client: Client, key: bytes, *words: bytes) -> Reply:
    """Removes the oldest entries of a stream, down to a length or up to an ID. O(n) for n entries removed."""
    trimming = Trimming()
    trimming.parse(words, of_xadd=False)
    trimming.check(of_xadd=False)
    stream = client.db.write(key, Stream)
    if stream is None:
        return 0
    deleted = trimming.apply(stream)
    if deleted:
        client.db.changed(key, "xtrim", deleted)
        client.engine.effect(b"XTRIM", key, *trimming.effect(stream))
    return deleted


@streams.command("XSETID", arity=-3, flags="write denyoom fast", keys=RW(1), since="5.0.0",
                 syntax="key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
                 history=[("7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments.")])  # fmt: skip
def xsetid(client: Client, key: bytes, text: bytes, *words: bytes) -> Reply:
    """Sets the numbers that a stream keeps beside its entries, as a log that is replayed has to. O(1)."""
    last_id = parse_strict(text)
    entries_added: int | None = None
    max_deleted_id = MIN_ID
    for position in range(0, len(words), 2):
        option, value = words[position].lower(), words[position + 1 : position + 2]
        if option == b"entriesadded" and value:
            entries_added = arguments.integer(value[0])
            if entries_added < 0:
                raise ENTRIES_ADDED_NEGATIVE
        elif option == b"maxdeletedid" and value:
            max_deleted_id = parse_strict(value[0])
            if last_id < max_deleted_id:
                raise SETID_BELOW_GIVEN
        else:
            raise errors.SYNTAX
    stream = client.db.write(key, Stream)
    if stream is None:
        raise errors.NO_SUCH_KEY
    if last_id < stream.max_deleted_id:
        raise SETID_BELOW_DELETED
    if stream.length and last_id < stream.last_entry_id():
        raise SETID_BELOW_TOP
    if stream.length and entries_added is not None and entries_added < stream.length:
        raise ENTRIES_ADDED_TOO_SMALL
    stream.set_id(last_id, entries_added, max_deleted_id)
    client.db.keyspace.dirty += 1
    client.db.notify(key, "xsetid")
    return "OK"


# ---- reading


@streams.command("XLEN", arity=2, flags="readonly fast", keys=RO(1, ""), since="5.0.0", syntax="key")
def xlen(client: Client, key: bytes) -> Reply:
    """Returns the number of entries in a stream. O(1)."""
    stream = client.db.read(key, Stream)
    return 0 if stream is None else stream.length


def _count(words: Sequence[bytes]) -> int | None:
    """`[COUNT count]`; None where it is not given, and a negative one is none at all."""
    count = None
    for position in range(0, len(words), 2):
        if words[position].lower() != b"count" or position + 1 == len(words):
            raise errors.SYNTAX
        count = max(arguments.integer(words[position + 1]), 0)
    return count


def _range(
    client: Client, key: bytes, start: StreamID, end: StreamID, words: Sequence[bytes], *, reverse: bool
) -> Reply:
    count = _count(words) if words else None
    stream = client.db.read(key, Stream)
    if stream is None:
        return []
    if count == 0:
        return NULL_ARRAY
    return [entry_reply(entry) for entry in stream.range(start, end, count, reverse=reverse)]


@streams.command("XRANGE", arity=-4, flags="readonly", keys=RO(1), since="5.0.0", syntax="key start end [COUNT count]",
                 history=[("6.2.0", "Added exclusive ranges.")])  # fmt: skip
def xrange(client: Client, key: bytes, start: bytes, end: bytes, *words: bytes) -> Reply:
    """Returns the entries of a stream from one ID to another. O(log n + m) for n entries, m of them returned."""
    return _range(client, key, parse_start(start), parse_end(end), words, reverse=False)


@streams.command("XREVRANGE", arity=-4, flags="readonly", keys=RO(1), since="5.0.0", syntax="key end start [COUNT count]",
                 history=[("6.2.0", "Added exclusive ranges.")])  # fmt: skip
def xrevrange(client: Client, key: bytes, end: bytes, start: bytes, *words: bytes) -> Reply:
    """Returns the entries of a stream from one ID back to another. O(log n + m) for n entries, m of them returned."""
    return _range(client, key, parse_start(start), parse_end(end), words, reverse=True)
