"""A solution of datastructures.skiplist: towers of links, each link with the number of pairs it passes over.

All lanes are alike here, the ground lane is lane 0 with spans of 1. The head stands in every lane and holds no pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from cutaway.learn.rest import RanksRest

LANES = 16


class Node:
    """A pair, and for each lane it stands in the next stop and how many steps of the ground lane lead there."""

    def __init__(self, score: float, member: bytes, height: int) -> None:
        self.score = score
        self.member = member
        self.next: list[Node | None] = [None] * height
        self.span = [0] * height


class Ranks(RanksRest):
    """The order of a sorted set."""

    def __init__(self, rng: Random | None = None) -> None:
        self._rng = rng or Random()
        self._head = Node(0.0, b"", LANES)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[bytes, float]]:
        node = self._head.next[0]
        while node is not None:
            yield node.member, node.score
            node = node.next[0]

    def _search(self, before: Callable[[Node], bool]) -> tuple[list[Node], list[int]]:
        """In each lane the last node that is `before` what is looked for, and how many pairs lead up to it."""
        node, steps = self._head, 0
        turns, ranks = [node] * LANES, [0] * LANES
        for lane in range(LANES - 1, -1, -1):
            ahead = node.next[lane]
            while ahead is not None and before(ahead):
                steps += node.span[lane]
                node = ahead
                ahead = node.next[lane]
            turns[lane], ranks[lane] = node, steps
        return turns, ranks

    def insert(self, score: float, member: bytes) -> None:
        """Add a pair whose member is not there yet."""
        turns, ranks = self._search(lambda node: (node.score, node.member) < (score, member))
        height = 1
        while height < LANES and self._rng.random() < 0.25:
            height += 1
        node = Node(score, member, height)
        for lane in range(LANES):
            turn = turns[lane]
            if lane >= height:
                turn.span[lane] += 1  # this link passes over the new node
                continue
            steps = ranks[0] - ranks[lane]  # from the turn to the node before the new one
            node.next[lane], turn.next[lane] = turn.next[lane], node
            node.span[lane] = turn.span[lane] - steps
            turn.span[lane] = steps + 1
        self._length += 1

    def remove(self, score: float, member: bytes) -> bool:
        """Take out exactly this pair; False if it is not there."""
        turns, _ = self._search(lambda node: (node.score, node.member) < (score, member))
        node = turns[0].next[0]
        if node is None or (node.score, node.member) != (score, member):
            return False
        for lane, turn in enumerate(turns):
            if turn.next[lane] is node:
                turn.next[lane] = node.next[lane]
                turn.span[lane] += node.span[lane] - 1
            else:
                turn.span[lane] -= 1
        self._length -= 1
        return True

    def rank(self, score: float, member: bytes) -> int | None:
        """How many pairs come before this one; None if it is not there."""
        turns, ranks = self._search(lambda node: (node.score, node.member) < (score, member))
        node = turns[0].next[0]
        return ranks[0] if node is not None and (node.score, node.member) == (score, member) else None

    def by_rank(self, rank: int) -> tuple[bytes, float]:
        """The pair with so many before it; IndexError if there is none."""
        if not 0 <= rank < self._length:
            raise IndexError(rank)
        node, left = self._head, rank + 1
        for lane in range(LANES - 1, -1, -1):
            ahead = node.next[lane]
            while ahead is not None and node.span[lane] <= left:
                left -= node.span[lane]
                node = ahead
                ahead = node.next[lane]
        return node.member, node.score

    def first_at_or_after(self, score: float, *, after: bool = False) -> int:
        """The rank of the first pair with at least this score (more, if `after`); n if there is none."""
        _, ranks = self._search(lambda node: node.score < score or (after and node.score == score))
        return ranks[0]
