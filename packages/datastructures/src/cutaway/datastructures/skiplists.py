"""A skip list: a sorted linked list with express lanes, drawn by lot.

**Theory.** In a sorted linked list a search passes every node. Lay a second list over it that stops only at
some of the nodes, and a search can ride that lane until the next stop would be too far, step down, and finish
on foot. Lay a third over the second, and so on. If a fraction P of the nodes of each lane also stand in the
lane above, n nodes need about log(n) base 1/P lanes, and a search makes about 1/P steps in each: O(log n). A
balanced tree gets its shape by rules and rotations. William Pugh's idea is to let each new node draw its
height by lot, one more lane with probability P each time. No insertion order can spoil that, since the order
of the data has no influence on the heights; only very bad luck could, and it gets exponentially unlikely with
n.

With P = 1/4 a node stands in 1 / (1 - P) = 1.33 lanes on average and a search makes about as many steps as
with P = 1/2 (two lanes' worth of half the steps): less memory for the same time. 32 lanes are enough for
4**32 nodes.

**What differs from the paper**, most of it as in Redis:

- The key is a pair, score and then member, so that equal scores are allowed.
- The ground lane has links backward as well, for ranges in descending order.
- Every express link carries its *span*, the number of steps on the ground it saves. A search adds up the
  spans it rides and so knows the rank of where it arrives; and a search for a rank rides as long as the sum
  stays below it. A link without a target has a span too, to the last node, so insertion and deletion need no
  special case for it.
- The ground lane's links are two plain fields, and only nodes that stand in an express lane (one in four)
  have lists of links and spans. In C the tower is an array at the end of the node; in Python this is what
  keeps a node small.
- The source of chance is an argument: with a seeded `random.Random`, a list can be drawn twice alike.

Source: William Pugh, "Skip Lists: A Probabilistic Alternative to Balanced Trees", Communications of the ACM
33 (6), 1990; with ranks from his "A Skip List Cookbook", 1990, section 3.4.
"""

from __future__ import annotations

from random import Random
from sys import getsizeof
from typing import TYPE_CHECKING, Final, NamedTuple

from .sorted_set_index import SortedSetIndex

if TYPE_CHECKING:
    from collections.abc import Iterator

P: Final = 0.25
MAX_HEIGHT: Final = 32


class SkipListNode:
    """A pair and its links: `lanes[i]` is the next stop of express lane i, `spans[i]` steps ahead."""

    __slots__ = ("lanes", "member", "next", "previous", "score", "spans")

    def __init__(self, score: float, member: bytes) -> None:
        self.score: float = score
        self.member: bytes = member
        self.next: SkipListNode | None = None
        self.previous: SkipListNode | None = None
        self.lanes: list[SkipListNode | None] = NO_LANES
        self.spans: list[int] = NO_SPANS


# Shared by all nodes that stand on the ground only, three of four; never changed.
NO_LANES: Final[list[SkipListNode | None]] = []
NO_SPANS: Final[list[int]] = []


class Tower(NamedTuple):
    """A node as a picture needs it: `spans` from the ground up, one for each lane the node stands in."""

    member: bytes
    score: float
    spans: list[int]


class Step(NamedTuple):
    """A stop of a search: the lane (0 is the ground), member and rank there (None and -1: the head)."""

    lane: int
    member: bytes | None
    rank: int


class SkipList(SortedSetIndex):
    """The order of a sorted set in a skip list whose heights are drawn from `rng`, or from a source of its own."""

    __slots__ = ("_head", "_last", "_length", "_rng")

    def __init__(self, rng: Random | None = None) -> None:
        self._rng: Random = Random() if rng is None else rng
        self._head = SkipListNode(0.0, b"")
        self._head.lanes = []
        self._head.spans = []
        self._last: SkipListNode | None = None
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[bytes, float]]:
        node = self._head.next
        while node is not None:
            yield node.member, node.score
            node = node.next

    def __reversed__(self) -> Iterator[tuple[bytes, float]]:
        node = self._last
        while node is not None:
            yield node.member, node.score
            node = node.previous

    def insert(self, score: float, member: bytes) -> None:
        """Add a pair whose member is not in the list yet. O(log n) expected."""
        node = SkipListNode(score, member)
        turns, ranks, before = self._search(score, member)
        self._link_on_ground(node, before)
        self._length += 1
        height = self._draw_height()
        if height > 1:
            self._link_in_lanes(node, height - 1, turns, ranks)
        for lane in range(height - 1, len(turns)):
            # A link that passes over the new node.
            turns[lane].spans[lane] += 1

    def remove(self, score: float, member: bytes) -> bool:
        """Unlink exactly this pair; False if it is not there. O(log n) expected."""
        turns, _, before = self._search(score, member)
        node = before.next
        if node is None or node.score != score or node.member != member:
            return False
        self._unlink(node, turns)
        return True

    def rank(self, score: float, member: bytes) -> int | None:
        """Return how many pairs come before this one, or None if it is not there. O(log n) expected."""
        _, ranks, before = self._search(score, member)
        node = before.next
        if node is None or node.score != score or node.member != member:
            return None
        return ranks[-1]

    def by_rank(self, rank: int) -> tuple[bytes, float]:
        """Return the pair at `rank`, 0 <= rank < n; IndexError otherwise. O(log n) expected."""
        node = self._node_at(rank)
        return node.member, node.score

    def first_at_or_after(self, score: float, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least `score` (more, if `after`); n if none. O(log n)."""
        node = self._head
        rank = 0
        for lane in range(len(node.lanes) - 1, -1, -1):
            ahead = node.lanes[lane]
            while ahead is not None and (ahead.score < score or (after and ahead.score == score)):
                rank += node.spans[lane]
                node = ahead
                ahead = node.lanes[lane]
        ahead = node.next
        while ahead is not None and (ahead.score < score or (after and ahead.score == score)):
            rank += 1
            ahead = ahead.next
        return rank

    def first_member_at_or_after(self, member: bytes, *, after: bool = False) -> int:
        """Return the rank of the first pair with at least this member (more, if `after`). O(log n)."""
        node = self._head
        rank = 0
        for lane in range(len(node.lanes) - 1, -1, -1):
            ahead = node.lanes[lane]
            while ahead is not None and (ahead.member < member or (after and ahead.member == member)):
                rank += node.spans[lane]
                node = ahead
                ahead = node.lanes[lane]
        ahead = node.next
        while ahead is not None and (ahead.member < member or (after and ahead.member == member)):
            rank += 1
            ahead = ahead.next
        return rank

    def range_by_rank(self, start: int, stop: int, *, reverse: bool = False) -> list[tuple[bytes, float]]:
        """Return the pairs ranked `start` to `stop`, both included. O(log n + m) expected."""
        size = min(stop, self._length - 1) - start + 1
        pairs: list[tuple[bytes, float]] = []
        if size <= 0:
            return pairs
        node: SkipListNode | None = self._node_at(self._length - 1 - start if reverse else start)
        while node is not None and len(pairs) < size:
            pairs.append((node.member, node.score))
            node = node.previous if reverse else node.next
        return pairs

    def delete_range_by_rank(self, start: int, stop: int) -> list[tuple[bytes, float]]:
        """Unlink the pairs ranked `start` to `stop`, both included. O(log n + m) expected."""
        deleted: list[tuple[bytes, float]] = []
        size = min(stop, self._length - 1) - start + 1
        if size <= 0:
            return deleted
        turns, node = self._turns_before(start)
        while node is not None and len(deleted) < size:
            following = node.next
            deleted.append((node.member, node.score))
            # Whatever links over the first of them links over the next one once that is gone: the turns stay.
            self._unlink(node, turns)
            node = following
        return deleted

    def pop_first(self) -> tuple[bytes, float]:
        """Unlink the lowest pair and return it; IndexError if there is none. O(lanes), no search."""
        node = self._head.next
        if node is None:
            raise IndexError(0)
        self._unlink(node, [self._head] * len(self._head.lanes))
        return node.member, node.score

    def pop_last(self) -> tuple[bytes, float]:
        """Unlink the highest pair and return it; IndexError if there is none. O(log n) expected."""
        node = self._last
        if node is None:
            raise IndexError(0)
        self.remove(node.score, node.member)
        return node.member, node.score

    def snapshot(self) -> list[Tower]:
        """Return all towers in order, for a picture; the first is the head's, without a member. O(n)."""
        towers = [Tower(b"", 0.0, [1 if self._length else 0, *self._head.spans])]
        node = self._head.next
        while node is not None:
            towers.append(Tower(node.member, node.score, [0 if node.next is None else 1, *node.spans]))
            node = node.next
        return towers

    def search_path(self, score: float, member: bytes) -> list[Step]:
        """Return every stop of a search, from the head's highest lane to the last node before the pair."""
        node = self._head
        rank = -1
        lane = len(node.lanes)
        path = [Step(lane, None, rank)]
        while True:
            ahead = node.lanes[lane - 1] if lane else node.next
            if ahead is not None and (ahead.score, ahead.member) < (score, member):
                rank += node.spans[lane - 1] if lane else 1
                node = ahead
            elif lane:
                lane -= 1
            else:
                return path
            path.append(Step(lane, None if node is self._head else node.member, rank))

    def memory_usage(self) -> int:
        """Estimate the bytes of nodes and towers, of which a quarter of the nodes has one. O(1)."""
        # A tower is two lists of 1 / (1 - P) slots on average.
        tower_bytes = 2 * (getsizeof(NO_LANES) + 8 / (1 - P))
        return getsizeof(self) + int(self._length * (getsizeof(self._head) + P * tower_bytes))

    def check(self) -> None:
        """Assert the order, the links both ways, and that every lane's spans are right. O(n)."""
        ranks: dict[int, int] = {id(self._head): 0}
        previous = None
        node = self._head.next
        rank = 0
        while node is not None:
            rank += 1
            ranks[id(node)] = rank
            assert node.previous is previous, "a backward link leads elsewhere"
            if previous is not None:
                assert (previous.score, previous.member) < (node.score, node.member), "out of order"
            assert len(node.lanes) == len(node.spans) < MAX_HEIGHT, "a tower is too high"
            previous, node = node, node.next
        assert self._last is previous, "the last node is another"
        assert self._length == rank, "the length is wrong"
        for lane in range(len(self._head.lanes)):
            self._check_lane(lane, ranks)
        assert not NO_LANES, "the shared empty tower has been built on"
        assert not self._head.lanes or self._head.lanes[-1] is not None, "the highest lane is empty"

    def _check_lane(self, lane: int, ranks: dict[int, int]) -> None:
        node = self._head
        while True:
            ahead = node.lanes[lane]
            end = self._length if ahead is None else ranks[id(ahead)]
            assert node.spans[lane] == end - ranks[id(node)], f"a span in lane {lane} is wrong"
            if ahead is None:
                return
            node = ahead

    def _draw_height(self) -> int:
        height = 1
        while height < MAX_HEIGHT and self._rng.random() < P:
            height += 1
        return height

    def _search(self, score: float, member: bytes) -> tuple[list[SkipListNode], list[int], SkipListNode]:
        """Return the last nodes before the pair: one for each lane, their ranks, and the one on the ground.

        Ranks count from the head, which is 0, and the last of them is that of the node on the ground.
        """
        node = self._head
        rank = 0
        height = len(node.lanes)
        turns = [node] * height
        ranks = [0] * (height + 1)
        for lane in range(height - 1, -1, -1):
            ahead = node.lanes[lane]
            while ahead is not None and (
                ahead.score < score or (ahead.score == score and ahead.member < member)
            ):
                rank += node.spans[lane]
                node = ahead
                ahead = node.lanes[lane]
            turns[lane] = node
            ranks[lane] = rank
        ahead = node.next
        while ahead is not None and (ahead.score < score or (ahead.score == score and ahead.member < member)):
            rank += 1
            node = ahead
            ahead = node.next
        ranks[height] = rank
        return turns, ranks, node

    def _turns_before(self, rank: int) -> tuple[list[SkipListNode], SkipListNode | None]:
        """Return the last node before `rank` in each lane, and the node at `rank`."""
        node = self._head
        left = rank
        turns = [node] * len(node.lanes)
        for lane in range(len(node.lanes) - 1, -1, -1):
            ahead = node.lanes[lane]
            while ahead is not None and node.spans[lane] <= left:
                left -= node.spans[lane]
                node = ahead
                ahead = node.lanes[lane]
            turns[lane] = node
        following = node.next
        while following is not None and left:
            left -= 1
            following = following.next
        return turns, following

    def _node_at(self, rank: int) -> SkipListNode:
        node = self._turns_before(rank)[1] if rank >= 0 else None
        if node is None:
            raise IndexError(rank)
        return node

    def _link_on_ground(self, node: SkipListNode, before: SkipListNode) -> None:
        following = before.next
        node.next = following
        node.previous = None if before is self._head else before
        before.next = node
        if following is None:
            self._last = node
        else:
            following.previous = node

    def _link_in_lanes(
        self, node: SkipListNode, lanes: int, turns: list[SkipListNode], ranks: list[int]
    ) -> None:
        rank = ranks[-1]
        node.lanes = [None] * lanes
        node.spans = [0] * lanes
        while len(turns) < lanes:
            # A lane that no node stood in: its one link leads from the head past everything before this node.
            self._head.lanes.append(None)
            self._head.spans.append(self._length - 1)
            turns.append(self._head)
            ranks.insert(-1, 0)
        for lane in range(lanes):
            turn = turns[lane]
            steps = rank - ranks[lane]
            node.lanes[lane] = turn.lanes[lane]
            node.spans[lane] = turn.spans[lane] - steps
            turn.lanes[lane] = node
            turn.spans[lane] = steps + 1

    def _unlink(self, node: SkipListNode, turns: list[SkipListNode]) -> None:
        for lane, turn in enumerate(turns):
            if turn.lanes[lane] is node:
                turn.lanes[lane] = node.lanes[lane]
                turn.spans[lane] += node.spans[lane] - 1
            else:
                turn.spans[lane] -= 1
        before = self._head if node.previous is None else node.previous
        before.next = node.next
        if node.next is None:
            self._last = node.previous
        else:
            node.next.previous = node.previous
        self._length -= 1
        lanes = self._head.lanes
        while lanes and lanes[-1] is None:
            lanes.pop()
            self._head.spans.pop()
            turns.pop()
