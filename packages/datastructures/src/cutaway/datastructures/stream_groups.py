"""Consumer groups: who has been given which entry of a stream, and has not yet said that it is done.

A group reads a stream once, for all of its consumers together: each entry goes to one of them. The group
keeps the ID it has got to (`last_id`) and, for each entry that was given out and not acknowledged, a record
in its *pending entries list* (PEL): to whom, when, how many times. The same record hangs in the list of the
consumer that has it. So there are two ordered indexes over one set of records, and every operation here
keeps them equal:

                 group.pending      1-0      2-0      3-0         consumers:   alice.pending   1-0  3-0
                                     |        |        |                       bob.pending     2-0
                                  [alice]   [bob]   [alice]                    (the same three records)

An entry's way: delivered (`read_new`), perhaps delivered again to the same consumer (`read_history`) or
taken over by another one after its owner went silent (`claim`, `auto_claim`), at last acknowledged
(`acknowledge`). An entry that was deleted from the stream in between stays pending until someone claims it
and finds it gone.

`entries_read` counts what the group has read since the stream's first entry, so that its *lag* is a
subtraction. A group that was put at an arbitrary ID, or that has tombstones ahead, cannot know it; it then
has INVALID_ENTRIES_READ until an ID comes by whose number is certain (`Stream.distance_from_first`).

The order of a PEL is that of the IDs, whatever order they came in, and ranges of it are asked for; so it is
a radix tree, like the stream itself. The semantics are those of Redis 7.2's `t_stream.c`, but
for when a lag is known: that follows Valkey 9, which is more careful about tombstones and trimmed entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.radix_trees import RadixTree
from cutaway.datastructures.stream_nodes import MAX_ID, MIN_ID, Entry, Fields, StreamID
from cutaway.datastructures.streams import INVALID_ENTRIES_READ, Stream, next_id, pack_id, unpack_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NEVER: Final = -1
"""The `active_time` of a consumer that has not yet got anything."""
_ATTEMPTS_PER_CLAIM: Final = 10
"""XAUTOCLAIM looks at so many pending entries for each one that it may claim."""


class PendingEntry:
    """One delivery that was not acknowledged; shared by the group's list and the consumer's."""

    __slots__ = ("consumer", "delivery_count", "delivery_time")

    def __init__(self, consumer: Consumer, delivery_time: int, delivery_count: int = 1) -> None:
        """Record a delivery to `consumer`; times are milliseconds since the epoch."""
        self.consumer = consumer
        self.delivery_time = delivery_time
        self.delivery_count = delivery_count


class PendingList:
    """Pending entries in the order of their stream IDs. One ID costs O(1): keys have 16 bytes."""

    __slots__ = ("_tree",)

    def __init__(self) -> None:
        """Make an empty list."""
        self._tree: RadixTree[PendingEntry] = RadixTree()

    def __len__(self) -> int:
        """Return the number of pending entries."""
        return len(self._tree)

    def __contains__(self, entry_id: StreamID) -> bool:
        """Tell whether the ID is pending."""
        return pack_id(*entry_id) in self._tree

    def __setitem__(self, entry_id: StreamID, entry: PendingEntry) -> None:
        """Enter a delivery."""
        self._tree.insert(pack_id(*entry_id), entry)

    def __delitem__(self, entry_id: StreamID) -> None:
        """Take a delivery out. Raises KeyError."""
        del self._tree[pack_id(*entry_id)]

    def get(self, entry_id: StreamID) -> PendingEntry | None:
        """Return the record of a delivery, or None."""
        return self._tree.get(pack_id(*entry_id))

    def items(self, start: StreamID = MIN_ID) -> Iterator[tuple[StreamID, PendingEntry]]:
        """Yield (id, record) in order from the first ID >= `start`. Do not add or remove meanwhile. O(m)."""
        for key, entry in self._tree.items(pack_id(*start)):
            yield unpack_id(key), entry

    def first_id(self) -> StreamID | None:
        """Return the smallest ID, or None."""
        found = self._tree.first()
        return None if found is None else unpack_id(found[0])

    def last_id(self) -> StreamID | None:
        """Return the greatest ID, or None."""
        found = self._tree.last()
        return None if found is None else unpack_id(found[0])


class Consumer:
    """A named reader within a group."""

    __slots__ = ("active_time", "name", "pending", "seen_time")

    def __init__(self, name: bytes, seen_time: int, active_time: int = NEVER) -> None:
        """Register a reader. Times are milliseconds since the epoch.

        `seen_time` is its last attempt at anything, `active_time` the last time it got an entry.
        """
        self.name = name
        self.seen_time = seen_time
        self.active_time = active_time
        self.pending = PendingList()


@dataclass(frozen=True, slots=True)
class PendingSummary:
    """What XPENDING without a range tells: how many, from which ID to which, how many for each consumer."""

    count: int
    first_id: StreamID | None
    last_id: StreamID | None
    consumers: list[tuple[bytes, int]]


@dataclass(frozen=True, slots=True)
class PendingDetail:
    """What XPENDING with a range tells of one entry; idle is in milliseconds."""

    entry_id: StreamID
    consumer: bytes
    idle: int
    delivery_count: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim did: the entries that changed hands, those found deleted, where XAUTOCLAIM goes on.

    Each comes with its record in the pending list; a deleted entry's is the one that was taken off.
    """

    claimed: list[tuple[StreamID, PendingEntry, Fields]]
    deleted: list[tuple[StreamID, PendingEntry]]
    cursor: StreamID = MIN_ID


class ConsumerGroup:
    """The state of one group of consumers over one stream."""

    __slots__ = ("consumers", "entries_read", "last_id", "pending")

    def __init__(self, last_id: StreamID = MIN_ID, entries_read: int = INVALID_ENTRIES_READ) -> None:
        """Make a group that will read what comes after `last_id`."""
        self.last_id = last_id
        self.entries_read = entries_read
        self.pending = PendingList()
        self.consumers: dict[bytes, Consumer] = {}

    # --- consumers ----------------------------------------------------------------------------------------

    def create_consumer(self, name: bytes, now_ms: int) -> Consumer | None:
        """Register a consumer; return it, or None if there is one of that name. O(1)."""
        if name in self.consumers:
            return None
        consumer = self.consumers[name] = Consumer(name, now_ms)
        return consumer

    def see_consumer(self, name: bytes, now_ms: int) -> tuple[Consumer, bool]:
        """Return the consumer of that name, seen now, and whether it is new. O(1)."""
        created = self.create_consumer(name, now_ms)
        consumer = created or self.consumers[name]
        consumer.seen_time = now_ms
        return consumer, created is not None

    def delete_consumer(self, name: bytes) -> int | None:
        """Forget a consumer and what it has pending; return how much that was, or None. O(pending)."""
        consumer = self.consumers.pop(name, None)
        if consumer is None:
            return None
        for pending in consumer.pending.items():
            del self.pending[pending[0]]
        return len(consumer.pending)

    def sorted_consumers(self) -> list[Consumer]:
        """Return the consumers by name, the order XINFO and XPENDING show them in. O(c log c)."""
        return [self.consumers[name] for name in sorted(self.consumers)]

    # --- reading ------------------------------------------------------------------------------------------

    def read_new(
        self,
        stream: Stream,
        consumer: Consumer,
        now_ms: int,
        count: int | None = None,
        *,
        noack: bool = False,
    ) -> list[Entry]:
        """Give the consumer the next entries that nobody in the group has had (XREADGROUP with `>`).

        Unless `noack`, they become pending. O(log n + m).
        """
        start = next_id(self.last_id)
        if start is None:
            return []
        entries = list(stream.range(start, MAX_ID, count))
        for entry_id, _ in entries:
            self._advance(stream, entry_id)
            if not noack:
                self._assign(entry_id, consumer, now_ms)
        if entries and not noack:
            consumer.active_time = now_ms
        return entries

    def _advance(self, stream: Stream, entry_id: StreamID) -> None:
        """Move `last_id` on to an entry just read, and count it if the count can be kept."""
        if (
            self.entries_read != INVALID_ENTRIES_READ
            and self.last_id >= stream.first_id
            and not stream.has_tombstones_after(self.last_id)
        ):
            self.entries_read += 1
        elif stream.entries_added:
            self.entries_read = stream.distance_from_first(entry_id)
        self.last_id = entry_id

    def _assign(self, entry_id: StreamID, consumer: Consumer, now_ms: int) -> None:
        """Enter a first delivery. XGROUP SETID can send an entry out again: then it changes its owner."""
        entry = self.pending.get(entry_id)
        if entry is None:
            entry = self.pending[entry_id] = PendingEntry(consumer, now_ms)
        else:
            del entry.consumer.pending[entry_id]
            entry.consumer = consumer
            entry.delivery_time = now_ms
            entry.delivery_count = 1
        consumer.pending[entry_id] = entry

    def read_history(
        self, stream: Stream, consumer: Consumer, start: StreamID, now_ms: int, count: int | None = None
    ) -> list[tuple[StreamID, Fields | None]]:
        """Give the consumer again what it has pending from `start` on (XREADGROUP with an ID).

        Each is one more delivery, but for entries deleted meanwhile, which come with None. O(log n) each.
        """
        history: list[tuple[StreamID, Fields | None]] = []
        for entry_id, entry in consumer.pending.items(start):
            if len(history) == count:
                break
            fields = stream.get(entry_id)
            if fields is not None:
                entry.delivery_time = now_ms
                entry.delivery_count += 1
            history.append((entry_id, fields))
        return history

    # --- pending entries ----------------------------------------------------------------------------------

    def acknowledge(self, entry_id: StreamID) -> bool:
        """End the delivery of an entry (XACK); return whether it was pending. O(1)."""
        entry = self.pending.get(entry_id)
        if entry is None:
            return False
        del self.pending[entry_id]
        del entry.consumer.pending[entry_id]
        return True

    def add_pending(
        self, entry_id: StreamID, consumer: Consumer, delivery_time: int, delivery_count: int
    ) -> PendingEntry:
        """Enter a delivery as it was written in a file. O(1). Raises ValueError if it is pending already."""
        if entry_id in self.pending:
            message = f"{entry_id[0]}-{entry_id[1]} is pending twice"
            raise ValueError(message)
        entry = PendingEntry(consumer, delivery_time, delivery_count)
        self.pending[entry_id] = consumer.pending[entry_id] = entry
        return entry

    def claim(
        self,
        stream: Stream,
        consumer: Consumer,
        ids: Iterable[StreamID],
        now_ms: int,
        *,
        min_idle: int = 0,
        delivery_time: int | None = None,
        retry_count: int | None = None,
        force: bool = False,
        justid: bool = False,
    ) -> Claimed:
        """Give pending entries to another consumer (XCLAIM). O(log n) for each ID.

        Only those idle for at least `min_idle` milliseconds change hands. It counts as one more delivery,
        unless `justid`, or as `retry_count`; `force` makes an entry pending that was not. IDs no longer in
        the stream are taken off the list.
        """
        outcome = Claimed([], [])
        if delivery_time is None or not 0 <= delivery_time <= now_ms:
            delivery_time = now_ms
        for entry_id in ids:
            entry = self.pending.get(entry_id)
            if entry is None and not force:
                continue
            fields = stream.get(entry_id)
            if fields is None:
                if entry is not None:
                    self.acknowledge(entry_id)
                    outcome.deleted.append((entry_id, entry))
                continue
            if entry is None:
                entry = self.add_pending(entry_id, consumer, now_ms, 1)
            elif now_ms - entry.delivery_time < min_idle:
                continue
            _hand_over(entry_id, entry, consumer, delivery_time, retry_count, justid=justid)
            outcome.claimed.append((entry_id, entry, fields))
            consumer.active_time = now_ms
        return outcome

    def auto_claim(
        self,
        stream: Stream,
        consumer: Consumer,
        start: StreamID,
        now_ms: int,
        *,
        min_idle: int = 0,
        count: int = 100,
        justid: bool = False,
    ) -> Claimed:
        """Claim up to `count` entries from `start` on that are idle long enough (XAUTOCLAIM). O(count log n).

        Looks at no more than ten times `count`; the cursor is the next ID to look at, 0-0 at the end.
        """
        outcome = Claimed([], [])
        claimed, deleted = outcome.claimed, outcome.deleted
        attempts = count * _ATTEMPTS_PER_CLAIM
        cursor = MIN_ID
        for seen, (entry_id, entry) in enumerate(self.pending.items(start)):
            if seen == attempts or len(claimed) + len(deleted) == count:
                cursor = entry_id
                break
            fields = stream.get(entry_id)
            if fields is None:
                deleted.append((entry_id, entry))
            elif now_ms - entry.delivery_time >= min_idle:
                _hand_over(entry_id, entry, consumer, now_ms, None, justid=justid)
                claimed.append((entry_id, entry, fields))
                consumer.active_time = now_ms
        for entry_id, _ in deleted:
            self.acknowledge(entry_id)
        return Claimed(claimed, deleted, cursor)

    # --- what XPENDING and XINFO tell ---------------------------------------------------------------------

    def pending_summary(self) -> PendingSummary:
        """Return how much is pending, from which ID to which, and with whom. O(c log c)."""
        owners = [(consumer.name, len(consumer.pending)) for consumer in self.sorted_consumers()]
        busy = [owner for owner in owners if owner[1]]
        return PendingSummary(len(self.pending), self.pending.first_id(), self.pending.last_id(), busy)

    def pending_range(
        self,
        start: StreamID,
        end: StreamID,
        count: int,
        now_ms: int,
        *,
        consumer: Consumer | None = None,
        min_idle: int = 0,
    ) -> list[PendingDetail]:
        """Return up to `count` pending entries of start <= id <= end that are idle so long. O(looked at)."""
        details: list[PendingDetail] = []
        pending = self.pending if consumer is None else consumer.pending
        for entry_id, entry in pending.items(start):
            if entry_id > end or len(details) >= count:
                break
            idle = now_ms - entry.delivery_time
            if idle >= min_idle:
                details.append(
                    PendingDetail(entry_id, entry.consumer.name, max(idle, 0), entry.delivery_count)
                )
        return details

    def lag(self, stream: Stream) -> int | None:
        """Return how many entries the group has yet to read, or None where that cannot be known. O(1)."""
        if not stream.entries_added:
            return 0
        read = self.entries_read
        if read == INVALID_ENTRIES_READ or stream.has_tombstones_after(self.last_id):
            read = stream.distance_from_first(self.last_id)
        return None if read == INVALID_ENTRIES_READ else stream.entries_added - read

    def copy(self) -> ConsumerGroup:
        """Return an independent group with the same consumers and pending entries. O(pending)."""
        twin = ConsumerGroup(self.last_id, self.entries_read)
        for name, consumer in self.consumers.items():
            twin.consumers[name] = Consumer(name, consumer.seen_time, consumer.active_time)
        for entry_id, entry in self.pending.items():
            owner = twin.consumers[entry.consumer.name]
            twin.add_pending(entry_id, owner, entry.delivery_time, entry.delivery_count)
        return twin

    def memory_usage(self) -> int:
        """Return the approximate bytes held. O(c)."""
        names = sum(len(name) for name in self.consumers)
        return (
            _GROUP_BYTES + names + _CONSUMER_BYTES * len(self.consumers) + _PENDING_BYTES * len(self.pending)
        )

    def check(self) -> None:
        """Raise AssertionError where the lists of group and consumers disagree. O(pending)."""
        held = 0
        for name, consumer in self.consumers.items():
            assert consumer.name == name, "a consumer is registered under another name"
            for entry_id, entry in consumer.pending.items():
                assert entry.consumer is consumer, "a consumer holds another one's entry"
                assert self.pending.get(entry_id) is entry, "a consumer's entry is not the group's"
            held += len(consumer.pending)
        assert held == len(self.pending), f"{len(self.pending)} entries pending, {held} with consumers"


def _hand_over(
    entry_id: StreamID,
    entry: PendingEntry,
    consumer: Consumer,
    time_ms: int,
    retry_count: int | None,
    *,
    justid: bool,
) -> None:
    """Make `consumer` the owner of a pending entry."""
    if entry.consumer is not consumer:
        del entry.consumer.pending[entry_id]
        consumer.pending[entry_id] = entry
        entry.consumer = consumer
    entry.delivery_time = time_ms
    if retry_count is not None:
        entry.delivery_count = retry_count
    elif not justid:
        entry.delivery_count += 1


_GROUP_BYTES: Final = 560
_CONSUMER_BYTES: Final = 490
_PENDING_BYTES: Final = 450
"""A pending entry: its record, and a radix node with label and key in each of the two lists."""
