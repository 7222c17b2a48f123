r"""A radix tree: a sorted map from bytes to values that stores each common prefix once.

A trie spells a key out, a node for each byte. Most of those nodes have one child and decide nothing, so a
*radix* tree (Morrison's PATRICIA, 1968) joins each such chain into one edge with a longer label:

    {"foot", "footer", "foo", "bar"}           (root)
                                               /     \
                                        "bar" *       "foo" *
                                                         |
                                                        "t" *
                                                         |
                                                       "er" *          * = a key ends here

Three facts follow, and each has a user. A look-up costs O(k) for a key of k bytes whatever the number of
keys, because no node is visited that does not consume at least one byte. A walk that takes the children in
byte order yields the keys in order, so that "the first key at or after x" is one descent. And keys with
long common prefixes are cheap: identifiers of a stream are 16 bytes each, of which the tree keeps the two
or three that differ.

Two rules keep the shape unique, so that a tree depends on its keys and never on the order they came in:

1. the labels of one node's children start with different bytes, and the children are sorted by that byte;
2. a node that is no key has at least two children (the root excepted). Insertion splits an edge to make
   room for a new branch; removal joins a node with its only child when it no longer has a reason to exist.

Redis's `rax.c` keeps the same tree in packed C nodes: there the label of an edge is a "compressed node" in
front of the branching one, and a node has its children's first bytes in one run. The node here keeps that
run too (`edges`), since searching a few bytes is the one step that happens at every level, and a byte
string searches itself in C.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

V = TypeVar("V")
D = TypeVar("D")

SeekOperator = Literal["^", "$", "=", ">=", ">", "<=", "<"]

_NOTHING: Final[Any] = None
"""What `value` holds in a node where no key ends."""


class RadixNode(Generic[V]):
    """A node and the edge that leads to it: `label` is what the edge spells, never empty but for the root."""

    __slots__ = ("children", "edges", "is_key", "label", "value")

    def __init__(self, label: bytes, value: V, *, is_key: bool) -> None:
        self.label = label
        self.value = value
        self.is_key = is_key
        self.edges = b""
        """The first byte of each child's label, in order."""
        self.children: list[RadixNode[V]] = []

    def attach(self, child: RadixNode[V]) -> None:
        """Put a child whose first byte is new here at its place in byte order. O(children)."""
        first = child.label[:1]
        index = bisect_left(self.edges, first[0])
        self.edges = self.edges[:index] + first + self.edges[index:]
        self.children.insert(index, child)

    def detach(self, index: int) -> None:
        """Drop the child at `index`. O(children)."""
        self.edges = self.edges[:index] + self.edges[index + 1 :]
        del self.children[index]


@dataclass(frozen=True, slots=True)
class RadixSnapshot:
    """A picture of a node and everything below it, safe to keep while the tree changes."""

    label: bytes
    is_key: bool
    value: object
    children: tuple[RadixSnapshot, ...]


class RadixTree(Generic[V]):
    """A map from bytes to values, ordered by key, that shares common prefixes.

    Look-up, insertion, removal and seek are O(k) for a key of k bytes; a walk is O(1) amortised for each key
    beyond its seek. A walk must not be used on after the tree has changed: seek again.

    >>> tree = RadixTree[int]()
    >>> for number, word in enumerate([b"foo", b"footer", b"bar"]):
    ...     tree[word] = number
    >>> list(tree)
    [b'bar', b'foo', b'footer']
    >>> tree.seek(">", b"foo")
    (b'footer', 1)
    """

    __slots__ = ("_length", "_root")

    def __init__(self) -> None:
        self._root: RadixNode[V] = RadixNode(b"", _NOTHING, is_key=False)
        self._length = 0

    def __len__(self) -> int:
        """Return the number of keys. O(1)."""
        return self._length

    def __bool__(self) -> bool:
        """Tell whether there is any key. O(1)."""
        return self._length != 0

    # --- one key ------------------------------------------------------------------------------------------

    def _find(self, key: bytes) -> RadixNode[V] | None:
        """Return the node where `key` ends, if it is one of ours."""
        node = self._root
        position, end = 0, len(key)
        while position < end:
            index = node.edges.find(key[position])
            if index < 0:
                return None
            node = node.children[index]
            if not key.startswith(node.label, position):
                return None
            position += len(node.label)
        return node if node.is_key else None

    def get(self, key: bytes, default: D = None) -> V | D:  # type: ignore[assignment]
        """Return the value of `key`, or the default. O(k)."""
        node = self._find(key)
        return default if node is None else node.value

    def __getitem__(self, key: bytes) -> V:
        """Return the value of `key`. O(k). Raises KeyError."""
        node = self._find(key)
        if node is None:
            raise KeyError(key)
        return node.value

    def __contains__(self, key: object) -> bool:
        """Tell whether `key` is in the tree. O(k)."""
        return isinstance(key, bytes) and self._find(key) is not None

    def __setitem__(self, key: bytes, value: V) -> None:
        """Store a value, replacing any that was there. O(k)."""
        self.insert(key, value)

    def insert(self, key: bytes, value: V) -> bool:
        """Store a value, replacing any that was there; return whether the key is new. O(k)."""
        node = self._root
        position, end = 0, len(key)
        while position < end:
            index = node.edges.find(key[position])
            if index < 0:
                node.attach(RadixNode(key[position:], value, is_key=True))
                self._length += 1
                return True
            child = node.children[index]
            if not key.startswith(child.label, position):
                child = node.children[index] = _split(child, key, position)
            position += len(child.label)
            node = child
        is_new = not node.is_key
        node.is_key = True
        node.value = value
        self._length += is_new
        return is_new

    def remove(self, key: bytes) -> bool:
        """Take a key away; return whether it was there. O(k)."""
        parent, node, index = self._root, self._root, -1
        position, end = 0, len(key)
        while position < end:
            parent, index = node, node.edges.find(key[position])
            if index < 0:
                return False
            node = node.children[index]
            if not key.startswith(node.label, position):
                return False
            position += len(node.label)
        if not node.is_key:
            return False
        node.is_key = False
        node.value = _NOTHING
        self._length -= 1
        if node is not self._root:
            self._tidy(parent, node, index)
        return True

    def _tidy(self, parent: RadixNode[V], node: RadixNode[V], index: int) -> None:
        """Restore rule 2 around `node`, child number `index` of `parent`, which is no key any more."""
        if len(node.children) == 1:
            _join(node)
        elif not node.children:
            parent.detach(index)
            if len(parent.children) == 1 and not parent.is_key and parent is not self._root:
                _join(parent)

    def __delitem__(self, key: bytes) -> None:
        """Take a key away. O(k). Raises KeyError."""
        if not self.remove(key):
            raise KeyError(key)

    def clear(self) -> None:
        """Forget every key. O(1)."""
        self._root = RadixNode(b"", _NOTHING, is_key=False)
        self._length = 0

    # --- order --------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[bytes]:
        """Yield the keys in order. O(n)."""
        return (pair[0] for pair in self.items())

    def values(self) -> Iterator[V]:
        """Yield the values in the order of their keys. O(n)."""
        return (pair[1] for pair in self.items())

    def items(self, start: bytes | None = None, *, reverse: bool = False) -> Iterator[tuple[bytes, V]]:
        """Yield (key, value) in order from the first key >= `start`, or backwards from the last <= `start`.

        O(k) for the first pair, O(1) amortised for each that follows. Do not change the tree meanwhile.
        """
        return self._descend(start) if reverse else self._ascend(b"" if start is None else start)

    def seek(self, operator: SeekOperator, key: bytes = b"") -> tuple[bytes, V] | None:
        """Return the pair nearest to `key` in the operator's direction, or None. O(k).

        The operators are those of Redis's rax: `^` the first key, `$` the last, `=`, `>=`, `>`, `<=`, `<`.
        """
        match operator:
            case "^":
                return self.first()
            case "$":
                return self.last()
            case "=":
                node = self._find(key)
                return None if node is None else (key, node.value)
        walk = self.items(key, reverse=operator[0] == "<")
        found = next(walk, None)
        if found is not None and found[0] == key and len(operator) == 1:
            found = next(walk, None)
        return found

    def first(self) -> tuple[bytes, V] | None:
        """Return the pair with the smallest key, or None. O(k)."""
        return next(self._ascend(b""), None)

    def last(self) -> tuple[bytes, V] | None:
        """Return the pair with the greatest key, or None. O(k)."""
        if not self._length:
            return None
        node, key = self._root, b""
        while node.children:
            node = node.children[-1]
            key += node.label
        return key, node.value

    def _ascend(self, start: bytes) -> Iterator[tuple[bytes, V]]:
        """Walk forwards. Each level of the stack is a path and the children of its node yet to be visited."""
        stack: list[tuple[bytes, Iterator[RadixNode[V]]]] = []
        node, path, rest = self._root, b"", start
        while rest:
            index = bisect_left(node.edges, rest[0])
            child = node.children[index] if index < len(node.edges) else None
            if child is None or not rest.startswith(child.label):
                # A child on the same first byte differs further on: all of it lies after `start`, or none.
                index += child is not None and child.label < rest
                break
            stack.append((path, iter(node.children[index + 1 :])))
            node = child
            path += node.label
            rest = rest[len(node.label) :]
        else:
            index = 0
            if node.is_key:
                yield path, node.value
        stack.append((path, iter(node.children[index:])))
        while stack:
            path, children = stack[-1]
            for child in children:
                if child.is_key:
                    yield path + child.label, child.value
                if child.children:
                    stack.append((path + child.label, iter(child.children)))
                    break
            else:
                stack.pop()

    def _descend(self, start: bytes | None) -> Iterator[tuple[bytes, V]]:
        """Walk backwards. As forwards, but a node's own key comes after those of its children."""
        stack: list[tuple[RadixNode[V], bytes, Iterator[RadixNode[V]]]] = []
        node, path, rest = self._root, b"", start or b""
        index = len(node.children) if start is None else 0
        while rest:
            index = bisect_left(node.edges, rest[0])
            child = node.children[index] if index < len(node.edges) else None
            if child is None or not rest.startswith(child.label):
                index += child is not None and child.label < rest
                break
            stack.append((node, path, reversed(node.children[:index])))
            node = child
            path += node.label
            rest = rest[len(node.label) :]
            index = 0
        stack.append((node, path, reversed(node.children[:index])))
        while stack:
            node, path, children = stack[-1]
            for child in children:
                if child.children:
                    stack.append((child, path + child.label, reversed(child.children)))
                    break
                yield path + child.label, child.value
            else:
                stack.pop()
                if node.is_key:
                    yield path, node.value

    # --- inspection ---------------------------------------------------------------------------------------

    def node_count(self) -> int:
        """Return the number of nodes, the root included. O(n)."""
        return sum(1 for _ in self._nodes())

    def packed_node_count(self) -> int:
        """Return how many nodes rax.c has for these keys (XINFO STREAM's radix-tree-nodes). O(n).

        Its branching node holds the first byte of each child's label; what is left of a label is a node more.
        Where there is one child only, the node itself holds the label.
        """
        count = 0
        for node in self._nodes():
            count += 1
            if len(node.children) > 1:
                count += sum(len(child.label) > 1 for child in node.children)
        return count

    def _nodes(self) -> Iterator[RadixNode[V]]:
        """Yield all nodes, in no order."""
        pending = [self._root]
        while pending:
            node = pending.pop()
            yield node
            pending += node.children

    def snapshot(self) -> RadixSnapshot:
        """Return an immutable picture of the whole tree, for drawing. O(n)."""
        return _picture(self._root)

    def check(self) -> None:
        """Raise AssertionError where the tree breaks its rules. O(n)."""
        keys = 0
        pending = [self._root]
        while pending:
            node = pending.pop()
            keys += node.is_key
            firsts = bytes(child.label[0] for child in node.children)
            assert firsts == node.edges, f"edges {node.edges!r} do not name the children {firsts!r}"
            assert sorted(set(firsts)) == list(firsts), "children are out of order or share a first byte"
            if node is not self._root:
                assert node.label, "only the root has an empty label"
                assert node.is_key or len(node.children) > 1, f"{node.label!r} serves no purpose"
            pending += node.children
        assert keys == self._length, f"{keys} keys, but a length of {self._length}"


def _split(node: RadixNode[V], key: bytes, position: int) -> RadixNode[V]:
    """Cut the edge to `node` where its label leaves `key[position:]`; return the new node at the cut."""
    label = node.label
    shared = 1
    while shared < len(label) and position + shared < len(key) and label[shared] == key[position + shared]:
        shared += 1
    upper: RadixNode[V] = RadixNode(label[:shared], _NOTHING, is_key=False)
    node.label = label[shared:]
    upper.attach(node)
    return upper


def _join(node: RadixNode[V]) -> None:
    """Make one node of `node` and its only child."""
    child = node.children[0]
    node.label += child.label
    node.is_key, node.value = child.is_key, child.value
    node.edges, node.children = child.edges, child.children


def _picture(node: RadixNode[V]) -> RadixSnapshot:
    """Return the picture of one subtree."""
    return RadixSnapshot(node.label, node.is_key, node.value, tuple(map(_picture, node.children)))
