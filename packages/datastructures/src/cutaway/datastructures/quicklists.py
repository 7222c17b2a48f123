"""The quicklist: a long list as a chain of listpacks.

A linked list spends two pointers and an allocation on every element; one flat run of bytes moves half of
itself when something is inserted in its middle. The quicklist stands between: a sequence of nodes, each a
listpack of bounded size (`list-max-listpack-size`). Work at an end touches one small node, an index is found
by skipping whole nodes by their counts, and an insertion moves at most a node's bytes.

- The bound is in bytes if negative: -1 to -5 mean 4, 8, 16, 32 and 64 KiB; in entries if positive, and then
  8 KiB still hold, since a node must stay cheap to move.
- An element too long for a node is held alone, unpacked, as a plain node. (Redis took this over 1 GiB only;
  Valkey for all that exceeds a node. `list_packed_threshold` overrides either, as DEBUG
  QUICKLIST-PACKED-THRESHOLD does.)
- An insertion in the middle of a full node splits it, and then its neighbourhood is merged where two nodes
  fit into one. Deletions leave a node smaller, and drop it once it is empty, but do not merge, as in Redis:
  OBJECT ENCODING shows when a single small node is left, so to merge more would be seen.
- With `list-compress-depth` n > 0 every node but the n outermost at each end is compressed with LZF: the ends
  are where a list is busy. To read an inner node is to decompress it, for that once. Plain nodes stay as they
  are.

Nodes stand in a deque: O(1) at the ends even with one element a node, and a step of some ns a node in
between.

The design is that of Matt Stancliff's quicklist.c in Redis 3.2.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cutaway.datastructures import fast_lzf as lzf
from cutaway.datastructures.limits import DEFAULT_LIMITS, Limits
from cutaway.datastructures.listpack_entries import encode_all
from cutaway.datastructures.listpacks import ListPack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_NODE_BYTES: Final = (4096, 8192, 16384, 32768, 65536)
_SAFE_BYTES: Final = 8192
_UNLIMITED: Final = 1 << 62
_ENTRY_OVERHEAD: Final = 8
"""What an entry is taken to add to its element, so that a node need not be built to know whether it fits."""
PACK_OVERHEAD: Final = 7

_MIN_COMPRESS_BYTES: Final = 48
_MIN_COMPRESS_GAIN: Final = 8

_OBJECT_BYTES: Final = 760
"""Process bytes of a quicklist without nodes: the object (88) and its deque with one block (672)."""
_POINTER_BYTES: Final = 8


@cache
def node_limits(max_listpack_size: int) -> tuple[int, int]:
    """Return the most bytes and entries of a node for a `list-max-listpack-size`."""
    if max_listpack_size >= 0:
        return _SAFE_BYTES, max(1, max_listpack_size)
    return _NODE_BYTES[min(-max_listpack_size, len(_NODE_BYTES)) - 1], _UNLIMITED


class PlainNode:
    """A node of one element too long to be packed."""

    __slots__ = ("element",)

    count: Final = 1

    def __init__(self, element: bytes) -> None:
        """Hold `element`."""
        self.element = element


class CompressedNode:
    """A listpack under LZF, with what must be known of it unopened."""

    __slots__ = ("compressed", "count", "nbytes")

    def __init__(self, compressed: bytes, nbytes: int, count: int) -> None:
        """Hold `compressed`, the LZF form of a pack of `count` entries whose wire form has `nbytes` bytes."""
        self.compressed = compressed
        self.nbytes = nbytes
        self.count = count

    def open(self) -> ListPack:
        """Return the pack. O(bytes)."""
        return ListPack.from_bytes(lzf.decompress(self.compressed, self.nbytes))


OpenNode = ListPack | PlainNode
Node = ListPack | PlainNode | CompressedNode


def compress_node(pack: ListPack) -> ListPack | CompressedNode:
    """Return `pack` compressed, or as it is if there is too little to gain. O(bytes)."""
    if pack.nbytes < _MIN_COMPRESS_BYTES:
        return pack
    compressed = lzf.compress(bytes(pack), pack.nbytes - _MIN_COMPRESS_GAIN - 1)
    return pack if compressed is None else CompressedNode(compressed, pack.nbytes, pack.count)


class NodeSnapshot(NamedTuple):
    """A node as a picture needs it, safe to keep while the list changes."""

    kind: Literal["listpack", "plain", "lzf"]
    """How it is held: as a listpack, as one bare element too long for one, or as a listpack compressed."""
    elements: list[bytes]
    nbytes: int
    """Bytes of the node's wire form; of the element, if it is plain."""
    held: int
    """Bytes of it that are in memory: fewer than `nbytes` if it is compressed."""


class QuickList:
    """A list of byte strings that is cheap at both ends and compact in between.

    Indices count from 0 and are not negative here. The node limits are those in force when the list is made.
    """

    __slots__ = ("_depth", "_limits", "_max_bytes", "_max_entries", "_room", "count", "nodes")

    count: int
    nodes: deque[Node]
    _limits: Limits
    _max_bytes: int
    _max_entries: int
    _room: int
    """Bytes that a pack's entries and a new element may come to, where that is the only limit; -1 where it is not."""
    _depth: int

    def __init__(self, limits: Limits = DEFAULT_LIMITS, nodes: Iterable[OpenNode] = ()) -> None:
        """Make a list of `nodes`, which it takes over; none of them may be empty."""
        self.nodes = deque(nodes)
        self.count = sum(node.count for node in self.nodes)
        self._limits = limits
        self._max_bytes, self._max_entries = node_limits(limits.list_max_listpack_size)
        self._room = -1
        if self._max_entries == _UNLIMITED:
            self._room = self._max_bytes - _ENTRY_OVERHEAD - PACK_OVERHEAD
        self._depth = limits.list_compress_depth
        self._settle(range(len(self.nodes)))

    def copy(self) -> QuickList:
        """Return a list of the same elements, node for node. O(bytes)."""
        return QuickList(self._limits, [_copy(_opened(node)) for node in self.nodes])

    def __len__(self) -> int:
        """Return the number of elements. O(1)."""
        return self.count

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the elements, decoding a node at a time; the list must not change meanwhile."""
        return chain.from_iterable(_elements(node) for node in self.nodes)

    def __reversed__(self) -> Iterator[bytes]:
        """Iterate over the elements from the tail; the list must not change meanwhile."""
        return chain.from_iterable(reversed(_elements(node)) for node in reversed(self.nodes))

    def open_nodes(self) -> Iterator[OpenNode]:
        """Iterate over the nodes, compressed ones opened: what an RDB file holds."""
        return map(_opened, self.nodes)

    def snapshot(self) -> list[NodeSnapshot]:
        """Return the nodes in order, for a picture. O(bytes)."""
        return list(map(_picture, self.nodes))

    def memory_usage(self, samples: int = 5) -> int:
        """Return the bytes of process memory held, judged by the ends and some inner nodes (0: by all). O(samples).

        The ends are often half empty, and so they speak for themselves only.
        """
        nodes = self.nodes
        size = _OBJECT_BYTES + _POINTER_BYTES * len(nodes)
        inner = len(nodes) - 2
        if samples == 0 or inner <= samples:
            return size + sum(map(_memory, nodes))
        looked_at = sum(map(_memory, islice(nodes, 1, samples + 1)))
        return size + _memory(nodes[0]) + _memory(nodes[-1]) + looked_at * inner // samples

    # The ends

    def append(self, element: bytes) -> None:
        """Add `element` at the tail. O(length), amortised."""
        nodes = self.nodes
        node = nodes[-1] if nodes else None
        if type(node) is ListPack and (  # `_fits` decides; what nearly always holds needs no call
            (len(node.entries) + len(element) <= self._room and not self._limits.list_packed_threshold)
            or self._fits(node, len(element))
        ):
            node.append(element)
        else:
            nodes.append(self._new_node(element))
            self._settle()
        self.count += 1

    def prepend(self, element: bytes) -> None:
        """Add `element` at the head. O(bytes of a node), as one memmove."""
        nodes = self.nodes
        node = nodes[0] if nodes else None
        if type(node) is ListPack and (  # `_fits` decides; what nearly always holds needs no call
            (len(node.entries) + len(element) <= self._room and not self._limits.list_packed_threshold)
            or self._fits(node, len(element))
        ):
            node.prepend(element)
        else:
            nodes.appendleft(self._new_node(element))
            self._settle()
        self.count += 1

    def append_all(self, elements: Sequence[bytes]) -> None:
        """Do `append` with each of `elements`. O(bytes), in one piece where the last node has room for all."""
        node = self.nodes[-1] if self.nodes else None
        entries = encode_all(elements)
        if type(node) is ListPack and self._has_room(node, len(entries)):
            node.splice(len(node.entries), 0, entries, len(elements))
            self.count += len(elements)
        else:
            for element in elements:
                self.append(element)

    def prepend_all(self, elements: Sequence[bytes]) -> None:
        """Do `prepend` with each of `elements`. O(bytes), in one piece where the first node has room for all."""
        node = self.nodes[0] if self.nodes else None
        entries = encode_all(elements[::-1])
        if type(node) is ListPack and self._has_room(node, len(entries)):
            node.splice(0, 0, entries, len(elements))
            self.count += len(elements)
        else:
            for element in elements:
                self.prepend(element)

    def _has_room(self, node: ListPack, size: int) -> bool:
        """Whether `node` can take entries of `size` bytes together, each of which it could then take alone."""
        return len(node.entries) + size <= self._room and not self._limits.list_packed_threshold

    def pop_first(self) -> bytes:
        """Remove and return the first element; IndexError if there is none. O(length)."""
        node = self.nodes[0]
        self.count -= 1
        if type(node) is ListPack and node.count > 1:
            return node.pop_first()
        (element,) = _elements(node)
        self.nodes.popleft()
        self._settle()
        return element

    def pop_last(self) -> bytes:
        """Remove and return the last element; IndexError if there is none. O(length)."""
        node = self.nodes[-1]
        self.count -= 1
        if type(node) is ListPack and node.count > 1:
            return node.pop_last()
        (element,) = _elements(node)
        self.nodes.pop()
        self._settle()
        return element

    def drop_first(self, number: int) -> None:
        """Delete the first `number` elements, whole nodes at once. O(nodes dropped)."""
        nodes = self.nodes
        self.count -= number
        while number and nodes[0].count <= number:
            number -= nodes.popleft().count
        if number:
            self._pack(0).drop_first(number)
        self._settle()

    def drop_last(self, number: int) -> None:
        """Delete the last `number` elements, whole nodes at once. O(nodes dropped)."""
        nodes = self.nodes
        self.count -= number
        while number and nodes[-1].count <= number:
            number -= nodes.pop().count
        if number:
            self._pack(len(nodes) - 1).drop_last(number)
        self._settle()

    # By index

    def index(self, index: int) -> bytes:
        """Return the element at `index`; IndexError outside. O(nodes skipped), and a walk in one node."""
        at, offset = self._locate(index)
        return _elements(self.nodes[at], offset, 1)[0]

    def range(self, start: int, count: int) -> list[bytes]:
        """Return up to `count` elements from `start` on; IndexError if it is outside. O(nodes + count)."""
        found: list[bytes] = []
        for node, offset, number in self._stretches(start, count):
            found += _elements(node, offset, number)
        return found

    def framed(self, start: int, count: int, before: Sequence[bytes], after: bytes) -> bytearray | None:
        """As `ListPack.framed`, over several nodes, without the length. IndexError if `start` is outside. O(nodes + bytes)."""
        row, length = bytearray(), 0
        for node, offset, number in self._stretches(start, count):
            if type(node) is not ListPack:
                return None
            found = node.framed(node.seek(offset) if offset else 0, number, before, after)
            if found is None or (row and found[0] != length):
                return None
            length, piece = found
            if row:
                row += piece
            else:
                row = piece
        return row

    def _stretches(self, start: int, count: int) -> Iterator[tuple[Node, int, int]]:
        """Yield the nodes that hold up to `count` elements from `start` on, and from where on how many each holds of these."""
        at, offset = self._locate(start)
        node = self.nodes[at]
        number = min(count, node.count - offset)
        yield node, offset, number
        if number < count:  # mostly it is not, and then there is no way to walk to node `at`
            for node in islice(self.nodes, at + 1, None):
                count -= number
                number = min(count, node.count)
                if not number:
                    return
                yield node, 0, number

    def replace(self, index: int, element: bytes) -> None:
        """Replace the one at `index` by `element`; IndexError outside. O(nodes skipped + a node's bytes)."""
        at, offset = self._locate(index)
        node = self._open(at)
        if type(node) is ListPack and not self._is_large(len(element)):
            node.replace_at(node.seek(offset), element)
            self._settle((at,))
            return
        if isinstance(node, ListPack):
            self._set_apart(at, offset, element)
        elif self._is_large(len(element)):
            node.element = element
        elif at + 1 < len(self.nodes) and self._fits(self.nodes[at + 1], len(element)):
            self._pack(at + 1).prepend(element)
            del self.nodes[at]
        else:
            self.nodes[at] = ListPack.from_list((element,))
        self._settle(range(at - 2, at + 4))

    def insert(self, index: int, element: bytes, *, before: bool) -> None:
        """Insert `element` before or after the one at `index`; IndexError outside.

        O(nodes skipped + a node's bytes).
        """
        at, offset = self._locate(index)
        self._insert_in(at, offset if before else offset + 1, element, before=before)

    # By element

    def positions(self, element: bytes, *, reverse: bool = False, limit: int = 0) -> Iterator[int]:
        """Iterate over the indices of the elements equal to `element`, in the order of the walk.

        `limit` is the number of elements to compare, 0 for all (MAXLEN of LPOS). A node without a match costs
        one search of its bytes in C.
        """
        if not reverse:
            end = min(limit, self.count) if limit else self.count
            base = 0
            for node in self.nodes:
                if base >= end:
                    return
                yield from (base + index for index in _positions(node, element) if base + index < end)
                base += node.count
            return
        start = max(0, self.count - limit) if limit else 0
        base = self.count
        for node in reversed(self.nodes):
            if base <= start:
                return
            base -= node.count
            found = reversed(_positions(node, element))
            yield from (base + index for index in found if base + index >= start)

    def remove(self, element: bytes, count: int) -> int:
        """Delete the first `count` elements equal to `element`; return how many were. O(n).

        A negative `count` means the last ones, 0 all (COUNT of LREM).
        """
        wanted = abs(count) or self.count
        removed = 0
        order = range(len(self.nodes))
        for at in order if count >= 0 else reversed(order):
            if removed == wanted:
                break
            if _positions(self.nodes[at], element):
                removed += self._remove_in(at, element, wanted - removed, from_tail=count < 0)
        if removed:
            self.count -= removed
            self.nodes = deque(node for node in self.nodes if node.count)
            self._settle(range(len(self.nodes)))
        return removed

    def check(self) -> None:
        """Assert the invariants: counts add up, nodes are valid, not empty, and compressed if inner."""
        assert self.count == sum(node.count for node in self.nodes), "the count is wrong"
        for at, node in enumerate(self.nodes):
            assert node.count, "a node is empty"
            opened = _opened(node)
            if isinstance(opened, ListPack):
                opened.check()
                assert opened.count == node.count, "the node's count is wrong"
            if isinstance(node, CompressedNode):
                assert self._is_inner(at), "an outer node is compressed"
            elif isinstance(node, ListPack) and self._is_inner(at):
                assert compress_node(node) is node, "an inner node is not compressed"

    # Nodes

    def _locate(self, index: int) -> tuple[int, int]:
        """Return which node holds `index` and at which offset, skipping from the nearer end."""
        if not 0 <= index < self.count:
            msg = "list index out of range"
            raise IndexError(msg)
        if index <= self.count // 2:
            for at, node in enumerate(self.nodes):
                if index < node.count:
                    return at, index
                index -= node.count
        back = self.count - index
        at = len(self.nodes)
        for node in reversed(self.nodes):
            at -= 1
            if back <= node.count:
                return at, node.count - back
            back -= node.count
        msg = "node counts do not add up"
        raise AssertionError(msg)

    def _open(self, at: int) -> OpenNode:
        """Return the node `at`, decompressed in place; `_settle` has to follow the change."""
        node = self.nodes[at]
        if isinstance(node, CompressedNode):
            self.nodes[at] = node = node.open()
        return node

    def _pack(self, at: int) -> ListPack:
        node = self._open(at)
        assert isinstance(node, ListPack)
        return node

    def _is_large(self, size: int) -> bool:
        return size >= (self._limits.list_packed_threshold or self._max_bytes + 1)

    def _fits(self, node: Node, size: int) -> bool:
        """Whether an element of `size` bytes may join `node`."""
        return (
            not isinstance(node, PlainNode)
            and node.nbytes + size + _ENTRY_OVERHEAD <= self._max_bytes
            and node.count < self._max_entries
            and not self._is_large(size)
        )

    def _new_node(self, element: bytes) -> OpenNode:
        return PlainNode(element) if self._is_large(len(element)) else ListPack.from_list((element,))

    def _insert_in(self, at: int, offset: int, element: bytes, *, before: bool) -> None:
        """Insert `element` at `offset` of node `at`, or next to it if the node is full."""
        nodes, size = self.nodes, len(element)
        node = self._open(at)
        self.count += 1
        if isinstance(node, ListPack) and self._fits(node, size):
            node.insert_at(node.seek(offset), element)
        elif offset == 0 and at > 0 and self._fits(nodes[at - 1], size):
            self._pack(at - 1).append(element)
        elif offset == node.count and at + 1 < len(nodes) and self._fits(nodes[at + 1], size):
            self._pack(at + 1).prepend(element)
        elif offset in (0, node.count):
            nodes.insert(at + bool(offset), self._new_node(element))
        else:
            self._split_for(at, offset, element, before=before)
        self._settle(range(at - 2, at + 4))

    def _split_for(self, at: int, offset: int, element: bytes, *, before: bool) -> None:
        """Part the full pack `at` at `offset`; put `element` between, on its pivot's side or alone."""
        left = self._pack(at)
        right = left.split(offset)
        self.nodes.insert(at + 1, right)
        if self._is_large(len(element)):
            self.nodes.insert(at + 1, PlainNode(element))
        elif before:
            left.append(element)
            self._merge_around(at)
            return
        else:
            right.prepend(element)
        self._merge_around(at + 1)

    def _set_apart(self, at: int, offset: int, element: bytes) -> None:
        """Put a plain node of `element` in place of the entry at `offset` of the pack `at`."""
        nodes = self.nodes
        left = self._pack(at)
        right = left.split(offset)
        right.delete_at(0)
        if right.count:
            nodes.insert(at + 1, right)
        nodes.insert(at + 1, PlainNode(element))
        if left.count:
            at += 1
        else:
            del nodes[at]
        self._merge_around(at)

    def _remove_in(self, at: int, element: bytes, limit: int, *, from_tail: bool) -> int:
        """Delete up to `limit` entries of node `at`, which may be left empty."""
        node = self._open(at)
        if isinstance(node, ListPack):
            return node.remove(element, limit, from_tail=from_tail)
        self.nodes[at] = ListPack()
        return 1

    def _merge_around(self, at: int) -> None:
        """Merge what fits together among node `at` and its two neighbours on either side."""
        self._merge(at + 1)
        at -= self._merge(at - 2)
        at -= self._merge(at - 1)
        self._merge(at)

    def _merge(self, at: int) -> bool:
        """Merge node `at` with the next if both are packs that fit together; return whether so."""
        if not 0 <= at < len(self.nodes) - 1:
            return False
        left, right = self.nodes[at], self.nodes[at + 1]
        if isinstance(left, PlainNode) or isinstance(right, PlainNode):
            return False
        if left.nbytes + right.nbytes - PACK_OVERHEAD > self._max_bytes:
            return False
        if left.count + right.count > self._max_entries:
            return False
        self._pack(at).join(self._pack(at + 1))
        del self.nodes[at + 1]
        return True

    def _is_inner(self, at: int) -> bool:
        return 0 < self._depth <= at < len(self.nodes) - self._depth

    def _settle(self, changed: Iterable[int] = ()) -> None:
        """Compress or open the nodes `changed` and those near the two bounds, as their place demands."""
        depth = self._depth
        if not depth:
            return
        size = len(self.nodes)
        for at in {*changed, *range(depth + 1), *range(size - depth - 1, size)}:
            if 0 <= at < size:
                node = self.nodes[at]
                if isinstance(node, CompressedNode) and not self._is_inner(at):
                    self.nodes[at] = node.open()
                elif isinstance(node, ListPack) and self._is_inner(at):
                    self.nodes[at] = compress_node(node)


def _opened(node: Node) -> OpenNode:
    return node.open() if isinstance(node, CompressedNode) else node


def _picture(node: Node) -> NodeSnapshot:
    elements = _elements(node)
    if isinstance(node, ListPack):
        return NodeSnapshot("listpack", elements, node.nbytes, node.nbytes)
    if isinstance(node, CompressedNode):
        return NodeSnapshot("lzf", elements, node.nbytes, len(node.compressed))
    return NodeSnapshot("plain", elements, len(node.element), len(node.element))


def _copy(node: OpenNode) -> OpenNode:
    return node.copy() if isinstance(node, ListPack) else PlainNode(node.element)


def _elements(node: Node, offset: int = 0, count: int | None = None) -> list[bytes]:
    """Return up to `count` elements of `node` from `offset` on, by the pack's fast decoder."""
    if isinstance(node, CompressedNode):
        node = node.open()
    if isinstance(node, PlainNode):
        return [node.element]
    return node.to_list(node.seek(offset) if offset else 0, count)


def _positions(node: Node, element: bytes) -> list[int]:
    opened = _opened(node)
    if isinstance(opened, PlainNode):
        return [0] if opened.element == element else []
    return opened.positions(element)


def _memory(node: Node) -> int:
    if isinstance(node, ListPack):
        return node.memory_usage()
    if isinstance(node, CompressedNode):
        return 56 + 33 + len(node.compressed)
    return 40 + 33 + len(node.element)
