"""The stream: a log of entries in the order of their IDs, kept as a radix tree of packed nodes.

An entry is a list of field-value pairs under an ID of two numbers, (milliseconds, sequence), that only
grows. So a stream is written at its tail, read in ranges, and shortened at its head. Its structure serves
just these three:

    radix tree, keyed by the 128-bit big-endian master ID        1526985054069-0       1526985069902-2     ...
                                                                        |                     |
    nodes: up to 100 entries or 4 kB packed in a listpack        [1526985054069-0 ...]  [1526985069902-2 ...]

A range is one descent in the tree to the node where it begins, O(log n), then a walk. An append touches the
last node only. And entries cost about the bytes they are made of: field names once per node, IDs as small
differences (`stream_nodes` has the layout), so that a million entries are ten thousand Python objects and
not four million.

Whole nodes are what makes trimming cheap. `XTRIM ... MAXLEN ~ n` ("approximately") only drops nodes that
can go as a whole; exact trimming goes on and turns entries of the first remaining node into tombstones.

Four numbers outlive the entries: `last_id`, below which no ID may be added; `entries_added`, the count of
all that ever were; `max_deleted_id`, the highest tombstone made by XDEL; and `first_id`. From them a
consumer group derives its *lag* without reading anything (`distance_from_first`), as long as no tombstone
makes the count uncertain.

After Redis's `t_stream.c`, whose replies and bytes these are.
"""

from __future__ import annotations

from itertools import islice
from struct import Struct
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.limits import DEFAULT_LIMITS, Limits
from cutaway.datastructures.radix_trees import RadixTree
from cutaway.datastructures.stream_nodes import (
    MAX_ID,
    MIN_ID,
    UINT64_MAX,
    Entry,
    Fields,
    StreamID,
    StreamNode,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cutaway.datastructures.listpacks import ListPack
    from cutaway.datastructures.stream_groups import ConsumerGroup

MAX_NODE_BYTES: Final = 1 << 30
"""No node grows beyond this, nor may the fields and values of an entry (`STREAM_LISTPACK_MAX_SIZE`)."""
INVALID_ENTRIES_READ: Final = -1
"""What stands for "unknown" where entries are counted."""

_KEY: Final = Struct(">QQ")
pack_id = _KEY.pack
unpack_id = _KEY.unpack


def next_id(entry_id: StreamID) -> StreamID | None:
    """Return the ID that follows directly, or None after the greatest one. O(1)."""
    ms, seq = entry_id
    if seq < UINT64_MAX:
        return ms, seq + 1
    return (ms + 1, 0) if ms < UINT64_MAX else None


def previous_id(entry_id: StreamID) -> StreamID | None:
    """Return the ID that precedes directly, or None before 0-0. O(1)."""
    ms, seq = entry_id
    if seq:
        return ms, seq - 1
    return (ms - 1, UINT64_MAX) if ms else None


class Stream:
    """A log of (id, field-value pairs), appended in the order of IDs.

    n is the number of entries, m the number of those returned; a node's entries count as O(1).
    """

    __slots__ = (
        "_tail",
        "_tree",
        "entries_added",
        "first_id",
        "groups",
        "last_id",
        "length",
        "limits",
        "max_deleted_id",
    )

    type_name: Final = "stream"

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Make an empty stream, whose nodes are bounded by `limits`."""
        self.limits = limits
        self.length = 0
        self.first_id = MIN_ID
        self.last_id = MIN_ID
        self.max_deleted_id = MIN_ID
        self.entries_added = 0
        self.groups: dict[bytes, ConsumerGroup] = {}
        self._tree: RadixTree[StreamNode] = RadixTree()
        self._tail: StreamNode | None = None

    @property
    def encoding(self) -> str:
        """The name OBJECT ENCODING gives: a stream has only one."""
        return "stream"

    def __len__(self) -> int:
        """Return the number of entries, tombstones not counted. O(1)."""
        return self.length

    # --- IDs ----------------------------------------------------------------------------------------------

    def generate_id(self, now_ms: int) -> StreamID | None:
        """Return the ID that `*` stands for: the time, or the last ID's successor if time went backwards.

        None if the last ID is the greatest there is. O(1).
        """
        return (now_ms, 0) if now_ms > self.last_id[0] else next_id(self.last_id)

    def generate_sequence(self, ms: int) -> StreamID | None:
        """Return the ID that `ms-*` stands for, or None if every sequence of that millisecond is used. O(1).

        A time before the last ID's gives `ms-0`, which `append` will refuse.
        """
        if ms != self.last_id[0]:
            return ms, 0
        return (ms, self.last_id[1] + 1) if self.last_id[1] < UINT64_MAX else None

    def set_id(
        self, last_id: StreamID, entries_added: int | None = None, max_deleted_id: StreamID | None = None
    ) -> None:
        """Overwrite the numbers that outlive the entries (XSETID). O(1).

        Raises ValueError if `last_id` is smaller than an ID in the stream or the greatest deleted one, or if
        fewer entries would have been added than there are.
        """
        if max_deleted_id is not None and last_id < max_deleted_id:
            message = "last ID is smaller than the given max deleted ID"
            raise ValueError(message)
        if last_id < self.max_deleted_id or (self.length and last_id < self.last_entry_id()):
            message = "last ID is smaller than an ID that was used"
            raise ValueError(message)
        if entries_added is not None and entries_added < self.length:
            message = "fewer entries added than there are"
            raise ValueError(message)
        self.last_id = last_id
        if entries_added is not None:
            self.entries_added = entries_added
        if max_deleted_id is not None and max_deleted_id != MIN_ID:
            self.max_deleted_id = max_deleted_id

    # --- writing ------------------------------------------------------------------------------------------

    def append(self, entry_id: StreamID, fields: Fields) -> None:
        """Add an entry at the tail. O(1) amortised, for the bytes of the entry.

        Raises ValueError if the ID is not greater than `last_id` or the entry is larger than a node can be.
        """
        self.append_flat(entry_id, [text for pair in fields for text in pair])

    def append_flat(self, entry_id: StreamID, texts: Sequence[bytes]) -> None:
        """As `append`, with fields and values in turn, the way a command gets them."""
        if entry_id <= self.last_id:
            message = "the ID is equal to or smaller than the last one"
            raise ValueError(message)
        names, values = list(texts[::2]), texts[1::2]
        node = self._room_for(entry_id, names, sum(map(len, texts)))
        node.append(entry_id, names, values)
        self.length += 1
        self.entries_added += 1
        self.last_id = entry_id
        if self.length == 1:
            self.first_id = entry_id

    def _room_for(self, entry_id: StreamID, names: list[bytes], size: int) -> StreamNode:
        """Return the last node if `size` bytes of data may still go there, else a new one."""
        if size > MAX_NODE_BYTES:
            message = "the entry is too large"
            raise ValueError(message)
        node, limits = self._tail, self.limits
        if node is not None:
            max_bytes = limits.stream_node_max_bytes or MAX_NODE_BYTES
            max_entries = limits.stream_node_max_entries
            is_small = node.pack.nbytes + size < min(max_bytes, MAX_NODE_BYTES)
            if is_small and not 0 < max_entries <= node.live + node.deleted:
                return node
        node = self._tail = StreamNode.opened_by(entry_id, names)
        self._tree.insert(pack_id(*entry_id), node)
        return node

    def delete(self, entry_id: StreamID) -> bool:
        """Make a tombstone of an entry (XDEL); return whether it was there. O(log n)."""
        node = self._node_of(entry_id)
        position = -1 if node is None else node.find(entry_id)
        if node is None or position < 0:
            return False
        if node.live == 1:
            self._drop(node)
        else:
            node.delete(position)
        self.length -= 1
        self.max_deleted_id = max(self.max_deleted_id, entry_id)
        if self.length == 0 or entry_id == self.first_id:
            self._find_first()
        return True

    def trim_by_length(self, maxlen: int, *, approx: bool = False, limit: int = 0) -> int:
        """Drop the oldest entries until `maxlen` are left; return how many went. O(nodes dropped).

        With `approx` only whole nodes go, while at least `maxlen` entries stay; a `limit` that is not zero
        stops before more than so many entries would go.
        """
        dropped = 0
        while self.length > maxlen and (found := self._tree.first()) is not None:
            node = found[1]
            if limit and dropped + node.live > limit:
                break
            if self.length - node.live >= maxlen:
                dropped += node.live
                self._forget(node)
                continue
            if not approx:
                surplus = self.length - maxlen
                for _ in range(surplus):
                    self._bury_first(node)
                dropped += surplus
            break
        return self._trimmed(dropped)

    def trim_by_id(self, minid: StreamID, *, approx: bool = False, limit: int = 0) -> int:
        """Drop the entries whose IDs are smaller than `minid`; return how many went. O(nodes dropped).

        `approx` and `limit` as for `trim_by_length`.
        """
        dropped = 0
        while (found := self._tree.first()) is not None:
            node = found[1]
            if limit and dropped + node.live > limit:
                break
            if node.last_id() < minid:
                dropped += node.live
                self._forget(node)
                continue
            if not approx:
                while (first := node.first_live()) is not None and first[1] < minid:
                    self._bury_first(node)
                    dropped += 1
            break
        return self._trimmed(dropped)

    def _bury_first(self, node: StreamNode) -> None:
        """Make a tombstone of the node's first live entry."""
        first = node.first_live()
        if first is not None:
            node.delete(first[0])
            self.length -= 1

    def _forget(self, node: StreamNode) -> None:
        """Drop a node with the entries that still live in it."""
        self.length -= node.live
        self._drop(node)

    def _drop(self, node: StreamNode) -> None:
        """Take a node out of the tree."""
        self._tree.remove(pack_id(*node.master))
        if node is self._tail:
            last = self._tree.last()
            self._tail = None if last is None else last[1]

    def _trimmed(self, dropped: int) -> int:
        """Set the first ID right after a trim that dropped so many entries; return that number."""
        if dropped or not self.length:
            self._find_first()
        return dropped

    def _find_first(self) -> None:
        """Set `first_id` to the first live entry, or to 0-0."""
        self.first_id = MIN_ID
        for node in self._tree.values():
            found = node.first_live()
            if found is not None:
                self.first_id = found[1]
                return

    # --- reading ------------------------------------------------------------------------------------------

    def _node_of(self, entry_id: StreamID) -> StreamNode | None:
        """Return the node whose range the ID falls in."""
        tail = self._tail
        if tail is not None and tail.master <= entry_id:
            return tail
        found = self._tree.seek("<=", pack_id(*entry_id))
        return None if found is None else found[1]

    def get(self, entry_id: StreamID) -> Fields | None:
        """Return the field-value pairs of an entry, or None. O(log n)."""
        node = self._node_of(entry_id)
        found = [] if node is None else node.read(entry_id, entry_id, 1)
        return found[0][1] if found else None

    def __contains__(self, entry_id: object) -> bool:
        """Tell whether an entry with this ID lives. O(log n)."""
        return isinstance(entry_id, tuple) and self.get(entry_id) is not None

    def __iter__(self) -> Iterator[Entry]:
        """Yield every entry in order. O(n)."""
        return self.range()

    def range(
        self,
        start: StreamID = MIN_ID,
        end: StreamID = MAX_ID,
        count: int | None = None,
        *,
        reverse: bool = False,
    ) -> Iterator[Entry]:
        """Yield up to `count` entries with start <= id <= end, each (id, field-value pairs). O(log n + m).

        With `reverse`, from the end down to the start. Do not change the stream meanwhile.
        """
        if start > end or count == 0:
            return
        for node in self._nodes_from(end if reverse else start, reverse=reverse):
            if node.master > end:
                return
            found = node.read_back(start, end, count) if reverse else node.read(start, end, count)
            yield from found
            if count is not None:
                count -= len(found)
                if not count:
                    return
            if reverse and node.master <= start:
                return

    def _nodes_from(self, entry_id: StreamID, *, reverse: bool) -> Iterator[StreamNode]:
        """Yield the nodes from the one whose range `entry_id` falls in on, or back."""
        node = self._node_of(entry_id)
        if node is None:
            yield from () if reverse else self._tree.values()
            return
        yield node
        if reverse or node is not self._tail:
            walk = self._tree.items(pack_id(*node.master), reverse=reverse)
            next(walk)
            for _, other in walk:
                yield other

    def last_entry_id(self) -> StreamID:
        """Return the ID of the last live entry, or 0-0. O(log n)."""
        return next((entry_id for entry_id, _ in self.range(count=1, reverse=True)), MIN_ID)

    def edge_id(self) -> StreamID:
        """Return the ID of the first entry, be it a tombstone; the greatest ID if there is none. O(log n).

        It is what an approximate MINID trim is replicated as.
        """
        for node in self._tree.values():
            for _, _, entry_id, _ in node.entries(node.start(), 1):
                return entry_id
        return MAX_ID

    # --- what a consumer group asks -----------------------------------------------------------------------

    def has_tombstones_after(self, start: StreamID) -> bool:
        """Tell whether an entry from `start` on may have been deleted by hand. O(1)."""
        newest = self.max_deleted_id
        return self.length > 0 and newest != MIN_ID and start <= newest

    def distance_from_first(self, entry_id: StreamID) -> int:
        """Return how many entries were ever added up to this ID, or INVALID_ENTRIES_READ if unknown. O(1).

        Known are: any ID when nothing was ever added or nothing is left; the last ID; and, when no tombstone
        lies behind the first entry, the first ID and everything before it. An ID before a tombstone is unknown.
        """
        if not self.entries_added:
            return 0
        if not self.length and entry_id <= self.last_id:
            return self.entries_added
        if MIN_ID != entry_id < self.max_deleted_id or entry_id > self.last_id:
            return INVALID_ENTRIES_READ
        if entry_id == self.last_id:
            return self.entries_added
        if self.max_deleted_id >= self.first_id or entry_id > self.first_id:
            return INVALID_ENTRIES_READ
        return self.entries_added - self.length + (entry_id == self.first_id)

    # --- whole nodes, for RDB files and inspection --------------------------------------------------------

    def nodes(self) -> Iterator[tuple[bytes, ListPack]]:
        """Yield (master ID as 16 bytes, listpack) of each node, as an RDB file holds them. O(nodes)."""
        for key, node in self._tree.items():
            yield key, node.pack

    def add_node(self, key: bytes, pack: ListPack) -> None:
        """Add a node behind all others, read from an RDB file; `length` and `first_id` follow it. O(bytes).

        Raises ValueError if the key is not greater than the last one or the pack is no node of a stream.
        """
        if len(key) != _KEY.size:
            message = "the key of a stream node is not 16 bytes long"
            raise ValueError(message)
        master: StreamID = unpack_id(key)
        if self._tail is not None and master <= self._tail.last_id():
            message = "stream nodes are out of order"
            raise ValueError(message)
        node = StreamNode.from_pack(master, pack)
        if not node.live + node.deleted:
            message = "empty stream node"
            raise ValueError(message)
        self._tree.insert(key, node)
        self._tail = node
        self.length += node.live
        if self.first_id == MIN_ID:
            self._find_first()

    @property
    def node_count(self) -> int:
        """Number of packed nodes (XINFO's radix-tree-keys). O(1)."""
        return len(self._tree)

    @property
    def tree(self) -> RadixTree[StreamNode]:
        """The radix tree itself, to look at."""
        return self._tree

    def dismantle(self) -> Iterator[object]:
        """Take the value apart, a bounded piece with each step; it must not be used any more. For freeing large ones."""
        while (last := self._tree.last()) is not None:
            yield self._tree.remove(last[0])

    def memory_usage(self, samples: int = 5) -> int:
        """Return the approximate bytes held, groups included; `samples` nodes (0: all) speak for the others.

        The last node is seldom full, and speaks for itself only. O(samples + consumers).
        """
        count = len(self._tree)
        total = (
            _STREAM_BYTES + _NODE_BYTES * count + sum(group.memory_usage() for group in self.groups.values())
        )
        last = self._tree.last()
        if last is None:
            return total
        looked_at = min(count - 1, samples or count)
        sampled = sum(node.memory_usage() for node in islice(self._tree.values(), looked_at))
        return total + last[1].memory_usage() + (sampled * (count - 1) // looked_at if looked_at else 0)

    def copy(self) -> Stream:
        """Return an independent stream with the same entries and groups. O(bytes)."""
        twin = Stream(self.limits)
        for key, node in self._tree.items():
            twin._tail = node.copy()
            twin._tree.insert(key, twin._tail)
        twin.length = self.length
        twin.first_id = self.first_id
        twin.last_id = self.last_id
        twin.max_deleted_id = self.max_deleted_id
        twin.entries_added = self.entries_added
        twin.groups = {name: group.copy() for name, group in self.groups.items()}
        return twin

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold. O(n)."""
        self._tree.check()
        last_id: StreamID | None = None
        for key, node in self._tree.items():
            assert unpack_id(key) == node.master, "a node is filed under a foreign key"
            assert last_id is None or last_id < node.master, "nodes overlap"
            node.check()
            last_id = node.last_id()
        last = self._tree.last()
        assert self._tail is (None if last is None else last[1]), "the tail is not the last node"
        assert self.length == sum(node.live for node in self._tree.values()), "the length is wrong"
        assert self.first_id == next((entry_id for entry_id, _ in self), MIN_ID), "the first ID is wrong"
        assert last_id is None or last_id <= self.last_id, "an entry lies behind the last ID"
        assert self.entries_added >= self.length, "there are more entries than were added"
        for group in self.groups.values():
            group.check()


_STREAM_BYTES: Final = 400
"""Python's cost of an empty stream: object, dict of groups, tree and root."""
_NODE_BYTES: Final = 480
"""Python's cost of a node beside its pack: the node, its list of names, its radix node, label and key."""
