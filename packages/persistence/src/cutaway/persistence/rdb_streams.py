"""A stream in an RDB file: its nodes as they stand in memory, then its numbers, then its consumer groups.

    nodes       count, then for each: 16 bytes of master ID (as a string), the listpack (as a string)
    numbers     length, last ID; from version 2: first ID, greatest deleted ID, entries ever added
    groups      count, then for each: name, last ID; from version 2: entries read
      pending     count, then for each: 16 bytes of ID, delivery time (8 bytes), delivery count
      consumers   count, then for each: name, seen time (8 bytes); from version 3: active time (8 bytes)
        pending     count, then for each: 16 bytes of ID, of those that the group has listed above

An ID outside of nodes and pending lists is two lengths. Version 1 is Redis 5, version 2 Redis 7.0, version 3
Redis 7.2. What an old version does not tell is estimated as Redis does: no entry was ever deleted, a consumer
was active when it was last seen.

Each pending entry stands in the file twice, with its group and with its consumer, since it is one object that
two lists share. A reader has to put the two together again, and must refuse a file in which they do not
match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutaway.datastructures.stream_groups import Consumer, ConsumerGroup, PendingList
from cutaway.datastructures.stream_nodes import UINT64_MAX, StreamID
from cutaway.datastructures.streams import INVALID_ENTRIES_READ, Stream, pack_id, unpack_id

from .rdb_format import encode_length
from .rdb_packs import read_listpack

if TYPE_CHECKING:
    from cutaway.datastructures.limits import Limits

    from .rdb_source import Source
    from .rdb_strings import StringEncoder

ID_BYTES: Final = 16

WITH_FIRST_ID: Final = 2
WITH_ACTIVE_TIME: Final = 3

_INT64_LIMIT: Final = 1 << 63


def decode_stream(source: Source, version: int, limits: Limits) -> Stream:
    """Read a stream. Raises RDBError and ValueError. O(bytes)."""
    stream = Stream(limits)
    for _ in range(source.length("nodes")):
        key = source.string("master ID")
        stream.add_node(key, read_listpack(source))
    length = source.length("length")
    if length != stream.length:
        text = f"the stream says it has {length} entries, its nodes hold {stream.length}"
        raise ValueError(text)
    _decode_numbers(source, stream, version)
    for _ in range(source.length("groups")):
        source.open("group")
        _decode_group(source, stream, version)
        source.close()
    return stream


def _decode_numbers(source: Source, stream: Stream, version: int) -> None:
    """Read what outlives the entries."""
    stream.last_id = _decode_id(source, "last ID")
    stream.entries_added = stream.length
    if version >= WITH_FIRST_ID:
        first_id = _decode_id(source, "first ID")
        stream.max_deleted_id = _decode_id(source, "greatest deleted ID")
        stream.entries_added = source.length("entries added")
        if stream.length and first_id != stream.first_id:
            text = "the first ID is not that of the first entry"
            raise ValueError(text)
    if stream.length and stream.last_id < stream.last_entry_id():
        text = "an entry lies behind the last ID"
        raise ValueError(text)
    if stream.entries_added < stream.length:
        text = "there are more entries than were added"
        raise ValueError(text)


def _decode_id(source: Source, label: str) -> StreamID:
    return source.length(f"{label}, milliseconds"), source.length(f"{label}, sequence")


def _decode_group(source: Source, stream: Stream, version: int) -> None:
    """Read a consumer group and enter it."""
    name = source.string("group name")
    if name in stream.groups:
        text = f"group {name!r} twice"
        raise ValueError(text)
    group = ConsumerGroup(_decode_id(source, "last delivered ID"))
    if version >= WITH_FIRST_ID:
        read = source.length("entries read")
        group.entries_read = read if read < _INT64_LIMIT else read - UINT64_MAX - 1
    else:
        group.entries_read = stream.distance_from_first(group.last_id)
    if group.entries_read < INVALID_ENTRIES_READ:
        text = "a negative number of entries read"
        raise ValueError(text)
    deliveries = _decode_deliveries(source)
    for _ in range(source.length("consumers")):
        source.open("consumer")
        _decode_consumer(source, group, deliveries, version)
        source.close()
    if deliveries:
        text = f"group {name!r}: a pending entry without a consumer"
        raise ValueError(text)
    stream.groups[name] = group


def _decode_deliveries(source: Source) -> dict[StreamID, tuple[int, int]]:
    """Read the group's list of pending entries: ID to delivery time and count."""
    deliveries: dict[StreamID, tuple[int, int]] = {}
    for _ in range(source.length("pending")):
        entry_id = _decode_raw_id(source)
        time = source.fixed(8, "delivered at")
        if entry_id in deliveries:
            text = "an entry is pending twice"
            raise ValueError(text)
        deliveries[entry_id] = time, source.length("delivery count")
    return deliveries


def _decode_consumer(
    source: Source, group: ConsumerGroup, deliveries: dict[StreamID, tuple[int, int]], version: int
) -> None:
    """Read a consumer and take its pending entries out of `deliveries`."""
    name = source.string("consumer name")
    consumer = group.create_consumer(name, source.fixed(8, "seen at"))
    if consumer is None:
        text = f"consumer {name!r} twice"
        raise ValueError(text)
    consumer.active_time = source.fixed(8, "active at") if version >= WITH_ACTIVE_TIME else consumer.seen_time
    for _ in range(source.length("pending")):
        entry_id = _decode_raw_id(source)
        delivery = deliveries.pop(entry_id, None)
        if delivery is None:
            text = (
                f"consumer {name!r} has a pending entry that the group does not know, or that another one has"
            )
            raise ValueError(text)
        group.add_pending(entry_id, consumer, *delivery)


def _decode_raw_id(source: Source) -> StreamID:
    start = source.offset
    entry_id: StreamID = unpack_id(source.take(ID_BYTES))
    if source.trace is not None:
        source.trace.leaf(start, source.offset, "ID", f"{entry_id[0]}-{entry_id[1]}")
    return entry_id


def encode_stream(out: bytearray, stream: Stream, version: int, strings: StringEncoder) -> None:
    """Append a stream in the layout of `version`, 2 or 3. O(bytes)."""
    out += encode_length(stream.node_count)
    for key, pack in stream.nodes():
        strings.encode_into(out, key)
        strings.encode_into(out, bytes(pack))
    out += encode_length(stream.length)
    for entry_id in (stream.last_id, stream.first_id, stream.max_deleted_id):
        _encode_id(out, entry_id)
    out += encode_length(stream.entries_added)
    out += encode_length(len(stream.groups))
    for name in sorted(stream.groups):
        strings.encode_into(out, name)
        _encode_group(out, stream.groups[name], version, strings)


def _encode_id(out: bytearray, entry_id: StreamID) -> None:
    out += encode_length(entry_id[0])
    out += encode_length(entry_id[1])


def _encode_group(out: bytearray, group: ConsumerGroup, version: int, strings: StringEncoder) -> None:
    _encode_id(out, group.last_id)
    out += encode_length(group.entries_read & UINT64_MAX)
    out += encode_length(len(group.pending))
    for entry_id, entry in group.pending.items():
        out += pack_id(*entry_id)
        out += entry.delivery_time.to_bytes(8, "little", signed=True)
        out += encode_length(entry.delivery_count)
    out += encode_length(len(group.consumers))
    for consumer in group.sorted_consumers():
        _encode_consumer(out, consumer, version, strings)


def _encode_consumer(out: bytearray, consumer: Consumer, version: int, strings: StringEncoder) -> None:
    strings.encode_into(out, consumer.name)
    out += consumer.seen_time.to_bytes(8, "little", signed=True)
    if version >= WITH_ACTIVE_TIME:
        out += consumer.active_time.to_bytes(8, "little", signed=True)
    pending: PendingList = consumer.pending
    out += encode_length(len(pending))
    for entry_id, _ in pending.items():  # noqa: PERF102 - it is no dict
        out += pack_id(*entry_id)
