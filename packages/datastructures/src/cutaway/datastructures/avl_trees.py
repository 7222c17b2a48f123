r"""An AVL tree that knows the size of each of its subtrees.

**Theory.** In a binary search tree everything left of a node comes before it and everything right of it after
it; a search walks one path down, so its cost is the height. Adelson-Velsky and Landis gave the first rule
that keeps the height small whatever is inserted: *the subtrees of any node differ in height by at most one*.
A tree of height h then has at least F(h + 2) - 1 nodes, F being Fibonacci's numbers, since the sparsest one
is a node over the sparsest of height h - 1 and h - 2. Turned round, n nodes are at most 1.44 log2(n) high,
against log2(n) for a perfect tree: 28 levels for a million, where 20 are the least.

An insertion or deletion changes heights along one path by one. On the way back up, wherever the rule is
broken, a *rotation* lifts the higher child into its parent's place; the order from left to right stays as it
was:

          x               y
         / \             / \
        a   y    --->    x   c        if y leans to the left, y is rotated to the right first
           / \         / \
          b   c        a   b

An insertion needs one such repair at most, a deletion up to one at each level.

**Ranks.** Each node also counts the nodes of its subtree. Going right at a node means that its whole left
subtree and the node itself come before: adding these sizes up on the way down gives the rank, and comparing
them with a rank finds the node that has it. Rotations recompute two sizes and nothing else.

Insertion and deletion recurse as deep as the tree is high, which the rule bounds; searches are loops.

Source: G. M. Adelson-Velsky and E. M. Landis, "An algorithm for the organization of information", Soviet
Mathematics Doklady 3, 1962; the sizes as in Cormen et al., "Introduction to Algorithms", chapter 14,
order-statistic trees.
"""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING, NamedTuple

from .sorted_set_index import SortedSetIndex

if TYPE_CHECKING:
    from collections.abc import Iterator


class AVLNode:
    """A pair, its two subtrees, and the height (a leaf's is 1) and size of the tree it is the root of."""

    __slots__ = ("height", "left", "member", "right", "score", "size")

    def __init__(self, score: float, member: bytes) -> None:
        self.score: float = score
        self.member: bytes = member
        self.left: AVLNode | None = None
        self.right: AVLNode | None = None
        self.height: int = 1
        self.size: int = 1


class AVLSnapshot(NamedTuple):
    """A node and its subtrees as a picture needs them, safe to keep while the tree changes."""

    member: bytes
    score: float
    height: int
    size: int
    left: AVLSnapshot | None
    right: AVLSnapshot | None


class AVLTree(SortedSetIndex):
    """The order of a sorted set in an AVL tree."""

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: AVLNode | None = None

    def __len__(self) -> int:
        return _size(self._root)

    def __iter__(self) -> Iterator[tuple[bytes, float]]:
        return _ascend(self._root, 0)

    def __reversed__(self) -> Iterator[tuple[bytes, float]]:
        return _descend(self._root, 0)

    @property
    def root(self) -> AVLNode | None:
        """Return the root, to look at and to draw."""
        return self._root

    def snapshot(self) -> AVLSnapshot | None:
        """Return the whole tree for a picture, or None if it is empty. O(n)."""
        return _picture(self._root)

    def insert(self, score: float, member: bytes) -> None:
        """Add a pair whose member is not in the tree yet. O(log n)."""
        self._root = _inserted(self._root, AVLNode(score, member))

    def remove(self, score: float, member: bytes) -> bool:
        """Take out exactly this pair; False if it is not there. O(log n)."""
        size = _size(self._root)
        self._root = _removed(self._root, score, member)
        return _size(self._root) < size

    def rank(self, score: float, member: bytes) -> int | None:
        """Return how many pairs come before this one, or None if it is not there. O(log n)."""
        node = self._root
        rank = 0
        while node is not None:
            if node.score < score or (node.score == score and node.member < member):
                rank += _size(node.left) + 1
                node = node.right
            elif node.score == score and node.member == member:
                return rank + _size(node.left)
            else:
                node = node.left
        return None

    def by_rank(self, rank: int) -> tuple[bytes, float]:
        """Return the pair at `rank`, 0 <= rank < n; IndexError otherwise. O(log n)."""
        node = self._root
        left = rank
        while node is not None and left >= 0:
            before = _size(node.left)
            if left == before:
                return node.member, node.score
            if left < before:
                node = node.left
            else:
                left -= before + 1
                node = node.right
        raise IndexError(rank)

    def first_at_or_after(self, score: float, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least `score` (more, if `after`); n if none. O(log n)."""
        node = self._root
        rank = 0
        while node is not None:
            if node.score < score or (after and node.score == score):
                rank += _size(node.left) + 1
                node = node.right
            else:
                node = node.left
        return rank

    def first_member_at_or_after(self, member: bytes, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least this member (more, if `after`). O(log n)."""
        node = self._root
        rank = 0
        while node is not None:
            if node.member < member or (after and node.member == member):
                rank += _size(node.left) + 1
                node = node.right
            else:
                node = node.left
        return rank

    def range_by_rank(self, start: int, stop: int, *, reverse: bool = False) -> list[tuple[bytes, float]]:
        """Return the pairs ranked `start` to `stop`, both included, neither negative. O(log n + m)."""
        size = min(stop, len(self) - 1) - start + 1
        if size <= 0:
            return []
        pairs = _descend(self._root, start) if reverse else _ascend(self._root, start)
        return [next(pairs) for _ in range(size)]

    def delete_range_by_rank(self, start: int, stop: int) -> list[tuple[bytes, float]]:
        """Take out the pairs ranked `start` to `stop`, both included, and return them. O(m log n)."""
        deleted = self.range_by_rank(start, stop)
        for member, score in deleted:
            self.remove(score, member)
        return deleted

    def pop_first(self) -> tuple[bytes, float]:
        """Take out the lowest pair and return it; IndexError if there is none. O(log n)."""
        if self._root is None:
            raise IndexError(0)
        first, self._root = _without_first(self._root)
        return first.member, first.score

    def pop_last(self) -> tuple[bytes, float]:
        """Take out the highest pair and return it; IndexError if there is none. O(log n)."""
        member, score = self.by_rank(len(self) - 1)
        self.remove(score, member)
        return member, score

    def memory_usage(self) -> int:
        """Return the bytes of the nodes, without members, scores and larger integers. O(1)."""
        node_bytes = 0 if self._root is None else getsizeof(self._root)
        return getsizeof(self) + len(self) * node_bytes

    def check(self) -> None:
        """Assert the order, the balance, and that heights and sizes are right. O(n)."""
        _check(self._root)
        previous = None
        for member, score in self:
            assert previous is None or previous < (score, member), "out of order"
            previous = (score, member)


def _size(node: AVLNode | None) -> int:
    return 0 if node is None else node.size


def _height(node: AVLNode | None) -> int:
    return 0 if node is None else node.height


def _update(node: AVLNode) -> None:
    """Recompute height and size of `node` from its children's."""
    left, right = node.left, node.right
    left_height = 0 if left is None else left.height
    right_height = 0 if right is None else right.height
    node.height = (left_height if left_height > right_height else right_height) + 1  # noqa: FURB136 - hot: no call
    node.size = (0 if left is None else left.size) + (0 if right is None else right.size) + 1


def _rotated_left(node: AVLNode) -> AVLNode:
    """Lift the right child of `node` into its place, and return it."""
    child = node.right
    assert child is not None
    node.right = child.left
    child.left = node
    _update(node)
    _update(child)
    return child


def _rotated_right(node: AVLNode) -> AVLNode:
    """Lift the left child of `node` into its place, and return it."""
    child = node.left
    assert child is not None
    node.left = child.right
    child.right = node
    _update(node)
    _update(child)
    return child


def _balanced(node: AVLNode) -> AVLNode:
    """Return the root in place of `node`, one of whose subtrees has changed: updated, rotated if need be."""
    left, right = node.left, node.right
    lean = _height(left) - _height(right)
    if lean > 1 and left is not None:
        if _height(left.left) < _height(left.right):
            node.left = _rotated_left(left)
        return _rotated_right(node)
    if lean < -1 and right is not None:
        if _height(right.right) < _height(right.left):
            node.right = _rotated_right(right)
        return _rotated_left(node)
    _update(node)
    return node


def _inserted(root: AVLNode | None, node: AVLNode) -> AVLNode:
    """Return the root of the subtree with `node` in it."""
    if root is None:
        return node
    if node.score < root.score or (node.score == root.score and node.member < root.member):
        root.left = _inserted(root.left, node)
    else:
        root.right = _inserted(root.right, node)
    return _balanced(root)


def _removed(root: AVLNode | None, score: float, member: bytes) -> AVLNode | None:
    """Return the root of the subtree without the pair, or the subtree as it was if the pair is not in it."""
    if root is None:
        return None
    if score < root.score or (score == root.score and member < root.member):
        root.left = _removed(root.left, score, member)
    elif score != root.score or member != root.member:
        root.right = _removed(root.right, score, member)
    elif root.right is None:
        return root.left
    else:
        # The next pair in order takes the place: the lowest of the right subtree, which has no left child.
        successor, rest = _without_first(root.right)
        successor.left, successor.right = root.left, rest
        root = successor
    return _balanced(root)


def _without_first(root: AVLNode) -> tuple[AVLNode, AVLNode | None]:
    """Return the lowest node of a subtree, and the root of what is left."""
    if root.left is None:
        return root, root.right
    first, root.left = _without_first(root.left)
    return first, _balanced(root)


def _ascend(node: AVLNode | None, rank: int) -> Iterator[tuple[bytes, float]]:
    """Yield pairs in order from `rank` on. O(log n) for the first, O(1) for each further one on average."""
    waiting: list[AVLNode] = []  # nodes whose turn comes when all that is left of them has been yielded
    while node is not None:
        before = _size(node.left)
        if rank <= before:
            waiting.append(node)
            node = node.left
        else:
            rank -= before + 1
            node = node.right
    while waiting:
        node = waiting.pop()
        yield node.member, node.score
        node = node.right
        while node is not None:
            waiting.append(node)
            node = node.left


def _descend(node: AVLNode | None, rank: int) -> Iterator[tuple[bytes, float]]:
    """Yield pairs in descending order, `rank` counted from the highest; costs as for `_ascend`."""
    waiting: list[AVLNode] = []
    while node is not None:
        before = _size(node.right)
        if rank <= before:
            waiting.append(node)
            node = node.right
        else:
            rank -= before + 1
            node = node.left
    while waiting:
        node = waiting.pop()
        yield node.member, node.score
        node = node.left
        while node is not None:
            waiting.append(node)
            node = node.right


def _check(node: AVLNode | None) -> None:
    if node is None:
        return
    assert abs(_height(node.left) - _height(node.right)) <= 1, "out of balance"
    assert node.height == max(_height(node.left), _height(node.right)) + 1, "a height is wrong"
    assert node.size == _size(node.left) + _size(node.right) + 1, "a size is wrong"
    _check(node.left)
    _check(node.right)


def _picture(node: AVLNode | None) -> AVLSnapshot | None:
    if node is None:
        return None
    left, right = _picture(node.left), _picture(node.right)
    return AVLSnapshot(node.member, node.score, node.height, node.size, left, right)
