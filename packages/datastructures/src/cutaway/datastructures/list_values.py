"""The value of a list key: a listpack while it is small, a quicklist when it has grown.

A short list is one listpack, nothing more. Once a push, an insertion or a replacement would bring it over
`list-max-listpack-size`, counting the new elements' own bytes, the pack becomes the first node of a
quicklist. The way back has a threshold of its own: only when a deletion leaves a single node of at most half
the limit. A list that swings around one bound would otherwise be converted by every command.

(Redis 7.0 had quicklists only; the small form came with 7.2. This follows 7.2 and Valkey.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutaway.datastructures.limits import DEFAULT_LIMITS, Limits
from cutaway.datastructures.listpacks import ListPack
from cutaway.datastructures.quicklists import PACK_OVERHEAD, OpenNode, QuickList, node_limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_OBJECT_BYTES: Final = 56


class ListValue:
    """A list of byte strings, in the encoding that its size calls for.

    Indices may be negative, then they count from the tail. `body` is the structure that holds
    the elements at present; a change of the list may put another one in its place.
    """

    __slots__ = ("_limits", "body")

    type_name: Final = "list"
    body: ListPack | QuickList
    _limits: Limits

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Make an empty list, which looks into `limits` whenever it grows or shrinks."""
        self.body = ListPack()
        self._limits = limits

    @classmethod
    def from_nodes(cls, nodes: Iterable[OpenNode], limits: Limits = DEFAULT_LIMITS) -> ListValue:
        """Return a list of `nodes` (of an RDB file, say), which it takes over; empty ones are left out."""
        value = cls(limits)
        body = QuickList(limits, [node for node in nodes if node.count])
        if body.count:
            value.body = body
            value._shrink(share=1)
        return value

    def nodes(self) -> Iterator[OpenNode]:
        """Iterate over the nodes, listpacks and plain ones, in order: what an RDB file holds."""
        body = self.body
        return iter((body,)) if isinstance(body, ListPack) else body.open_nodes()

    @property
    def quicklist(self) -> QuickList | None:
        """Return the quicklist that holds the list; None while it is a single listpack."""
        return self.body if isinstance(self.body, QuickList) else None

    def copy(self) -> ListValue:
        """Return a list of the same elements in the same encoding. O(bytes)."""
        value = ListValue(self._limits)
        value.body = self.body.copy()
        return value

    @property
    def encoding(self) -> str:
        """The structure that holds the data: "listpack" or "quicklist"."""
        return "listpack" if isinstance(self.body, ListPack) else "quicklist"

    def dismantle(self) -> Iterator[object]:
        """Take the value apart, a bounded piece with each step; it must not be used any more. For freeing large ones."""
        if isinstance(self.body, QuickList):
            nodes = self.body.nodes
            while nodes:
                yield nodes.pop()

    def memory_usage(self, samples: int = 5) -> int:
        """Return the bytes of process memory held, judged by so many inner nodes (0: by all). O(samples)."""
        body = self.body
        return _OBJECT_BYTES + (
            body.memory_usage() if isinstance(body, ListPack) else body.memory_usage(samples)
        )

    def __len__(self) -> int:
        """Return the number of elements. O(1)."""
        return self.body.count

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the elements; the list must not change meanwhile."""
        return iter(self.body)

    def reverse_iter(self) -> Iterator[bytes]:
        """Iterate over the elements from the tail; the list must not change meanwhile."""
        return reversed(self.body)

    # The ends

    def push_left(self, elements: Sequence[bytes]) -> int:
        """Add `elements` at the head, one after the other, so that the last comes first; return the length. O(elements)."""
        body = self.body
        if type(body) is ListPack:
            body = self._grow(body, elements)
        for element in elements:
            body.prepend(element)
        return body.count

    def push_left_singly(self, elements: Sequence[bytes]) -> int:
        """Add `elements` as so many calls of `push_left` do, which need not know of more than one. O(elements)."""
        body = self.body
        if isinstance(body, QuickList):
            body.prepend_all(elements)
        else:
            for element in elements:
                self.push_left((element,))
        return self.body.count

    def push_right(self, elements: Sequence[bytes]) -> int:
        """Add `elements` at the tail; return the length. O(elements)."""
        body = self.body
        if type(body) is ListPack:
            body = self._grow(body, elements)
        for element in elements:
            body.append(element)
        return body.count

    def push_right_singly(self, elements: Sequence[bytes]) -> int:
        """Add `elements` as so many calls of `push_right` do, which need not know of more than one. O(elements)."""
        body = self.body
        if isinstance(body, QuickList):
            body.append_all(elements)
        else:
            for element in elements:
                self.push_right((element,))
        return self.body.count

    def pop_left(self) -> bytes:
        """Remove and return the first element; IndexError if there is none. O(1)."""
        body = self.body
        element = body.pop_first()
        if type(body) is QuickList and len(body.nodes) == 1:
            self._shrink()
        return element

    def pop_right(self) -> bytes:
        """Remove and return the last element; IndexError if there is none. O(1)."""
        body = self.body
        element = body.pop_last()
        if type(body) is QuickList and len(body.nodes) == 1:
            self._shrink()
        return element

    def rotate(self, *, from_head: bool, to_head: bool) -> bytes:
        """Move an element from one end to an end; return it. The list is not empty, nor does it shrink. O(1)."""
        body = self.body
        element = body.pop_first() if from_head else body.pop_last()
        if to_head:
            self.push_left((element,))
        else:
            self.push_right((element,))
        self._shrink()
        return element

    def pop_left_many(self, number: int) -> list[bytes]:
        """Remove and return up to `number` elements from the head, in that order. O(number)."""
        number = min(number, len(self))
        elements = self.range(0, number - 1) if number else []
        self._drop_left(number)
        return elements

    def pop_right_many(self, number: int) -> list[bytes]:
        """Remove and return up to `number` elements from the tail, the last one first. O(number)."""
        size = len(self)
        number = min(number, size)
        elements = self.range(size - number, size - 1)
        self._drop_right(number)
        elements.reverse()
        return elements

    def trim(self, start: int, stop: int) -> None:
        """Keep only the elements from `start` to `stop` inclusive. Whole nodes are dropped unread. O(nodes dropped)."""
        size = len(self)
        start, stop = self._from_head(start, stop)
        if start > stop:
            self._drop_left(size)
            return
        self._drop_left(start)
        self._drop_right(size - 1 - stop)

    def _from_head(self, start: int, stop: int) -> tuple[int, int]:
        """Return a range with both ends counted from the head, and neither outside; of an empty one start > stop."""
        length = self.body.count
        if start < 0:
            start = max(start + length, 0)
        if stop < 0:
            stop += length
        elif stop >= length:
            stop = length - 1
        return start, stop

    # By index

    def index(self, index: int) -> bytes | None:
        """Return the element at `index`, None outside. O(nodes skipped)."""
        body = self.body
        if isinstance(body, ListPack):
            pos = body.seek(index)
            return None if pos < 0 else body.get(pos)
        if index < 0:
            index += body.count
        return body.index(index) if 0 <= index < body.count else None

    def set(self, index: int, element: bytes) -> None:
        """Put `element` at `index`; IndexError outside. O(nodes skipped).

        As in Redis, room is made for the element before the index is looked at: one that is outside leaves
        a quicklist behind if the element is large.
        """
        body = self.body
        if isinstance(body, ListPack):
            body = self._grow(body, (element,))
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            msg = "list index out of range"
            raise IndexError(msg)
        if isinstance(body, ListPack):
            body.replace_at(body.seek(index), element)
        else:
            body.replace(index, element)
            self._shrink()

    def range(self, start: int, stop: int) -> list[bytes]:
        """Return the elements from `start` to `stop` inclusive, as far as there are any. O(nodes + count)."""
        body = self.body
        start, stop = self._from_head(start, stop)
        if start > stop:
            return []
        count = stop - start + 1
        if isinstance(body, ListPack):
            return body.to_list(body.seek(start), count)
        return body.range(start, count)

    def framed(
        self, start: int, stop: int, before: Sequence[bytes], after: bytes
    ) -> tuple[int, bytearray] | None:
        """Return how many elements there are from `start` to `stop`, and all in a row, each between `before[length]` and `after`.

        None if there are none, or they are not strings of one length, or `before` goes no further than that: ask for the
        `range` then. O(nodes + bytes), and no element is made.
        """
        body = self.body
        start, stop = self._from_head(start, stop)
        count = stop - start + 1
        if count <= 0:
            return None
        if isinstance(body, ListPack):
            found = body.framed(body.seek(start), count, before, after)
            return None if found is None else (count, found[1])
        row = body.framed(start, count, before, after)
        return None if row is None else (count, row)

    # By element

    def insert(self, pivot: bytes, element: bytes, *, before: bool) -> bool:
        """Insert `element` next to the first `pivot`; return whether there was one. O(n), the search in C."""
        body = self.body
        if isinstance(body, ListPack):
            body = self._grow(body, (element,))
        if isinstance(body, ListPack):
            pos = body.find(pivot)
            if pos < 0:
                return False
            body.insert_at(pos if before else body.next(pos), element)
            return True
        index = next(body.positions(pivot), -1)
        if index < 0:
            return False
        body.insert(index, element, before=before)
        return True

    def remove(self, element: bytes, count: int) -> int:
        """Delete the first `count` elements equal to `element`; return how many were. O(n).

        A negative `count` means the last ones, 0 all (COUNT of LREM).
        """
        body = self.body
        if isinstance(body, ListPack):
            return body.remove(element, abs(count) or body.count, from_tail=count < 0)
        removed = body.remove(element, count)
        if removed:
            self._shrink()
        return removed

    def positions(self, element: bytes, *, reverse: bool = False, limit: int = 0) -> Iterator[int]:
        """Iterate over the indices of the elements equal to `element`, from the head or from the tail.

        At most `limit` elements are compared (0: all), which is MAXLEN of LPOS. Lazy: whoever wants the first
        one pays for no more than the nodes up to it.
        """
        body = self.body
        if isinstance(body, ListPack):
            body = QuickList(self._limits, (body,) if body.count else ())
        return body.positions(element, reverse=reverse, limit=limit)

    def check(self) -> None:
        """Assert the invariants of the body."""
        self.body.check()

    # Conversions

    def _grow(self, pack: ListPack, elements: Sequence[bytes]) -> ListPack | QuickList:
        """Return the body that can take `elements` too: `pack`, or a quicklist made of it on overflow."""
        max_bytes, max_entries = node_limits(self._limits.list_max_listpack_size)
        added = len(elements[0]) if len(elements) == 1 else sum(map(len, elements))
        if (
            len(pack.entries) + added + PACK_OVERHEAD <= max_bytes
            and pack.count + len(elements) <= max_entries
        ):
            return pack
        self.body = QuickList(self._limits, (pack,) if pack.count else ())
        return self.body

    def _shrink(self, share: int = 2) -> None:
        """Go back to a listpack if the quicklist is one pack of at most 1/`share` of the limit."""
        body = self.body
        if isinstance(body, ListPack):
            return
        if not body.nodes:
            self.body = ListPack()
            return
        node = body.nodes[0]
        if len(body.nodes) > 1 or not isinstance(node, ListPack):
            return
        size = self._limits.list_max_listpack_size
        max_bytes, max_entries = node_limits(size)
        if (node.nbytes <= max_bytes // share or size >= 0) and node.count <= max_entries // share:
            self.body = node

    def _drop_left(self, number: int) -> None:
        body = self.body
        if number <= 0:
            return
        if isinstance(body, ListPack):
            body.drop_first(number)
        else:
            body.drop_first(number)
            self._shrink()

    def _drop_right(self, number: int) -> None:
        body = self.body
        if number <= 0:
            return
        if isinstance(body, ListPack):
            body.drop_last(number)
        else:
            body.drop_last(number)
            self._shrink()
