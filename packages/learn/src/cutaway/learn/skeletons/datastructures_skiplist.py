"""Exercise datastructures.skiplist: how does a list know everybody's rank?

A sorted set asks "who is tenth?" and "how many are ahead of me?" as often as "what is my score?". Keep pairs (score, member) in
order so that all three take O(log n). The structure Redis uses is the skip list: a sorted linked list, with express lanes
above it that stop at ever fewer nodes; which nodes, is drawn by lot. Each link of a lane knows its span, how many pairs it
passes over, and so a search that adds up spans arrives with the rank in its hand.

Nobody looks inside: a balanced tree that counts its subtrees, or a list of short lists, keeps this contract as well.

The contract
  * `insert(score, member)`: the member is not there yet, the score is not NaN. `remove(score, member)`: exactly this pair; False if it
    is not there. `len()`.
  * Iteration gives (member, score), ascending by score, then by member, byte by byte.
  * `rank(score, member)`: how many pairs come before it; None if it is not there.
  * `by_rank(rank)`: the pair (member, score) with so many before it; IndexError if there is none, and for negative ranks.
  * `first_at_or_after(score, after=False)`: the rank of the first pair with at least this score (more, if `after`); n if none.

  * `Ranks(rng)`: chance comes as an argument, so that the same seed draws the same towers.

`RanksRest` makes ranges, pops and the rest of these.

Check yourself:   python -m cutaway.learn check datastructures.skiplist
Stuck?            python -m cutaway.learn hint datastructures.skiplist
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from cutaway.learn.rest import RanksRest


class Ranks(RanksRest):
    """The order of a sorted set."""

    def __init__(self, rng: Random | None = None) -> None:
        self._rng = rng or Random()

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[tuple[bytes, float]]:
        raise NotImplementedError

    def insert(self, score: float, member: bytes) -> None:
        """Add a pair whose member is not there yet."""
        raise NotImplementedError

    def remove(self, score: float, member: bytes) -> bool:
        """Take out exactly this pair; False if it is not there."""
        raise NotImplementedError

    def rank(self, score: float, member: bytes) -> int | None:
        """How many pairs come before this one; None if it is not there."""
        raise NotImplementedError

    def by_rank(self, rank: int) -> tuple[bytes, float]:
        """The pair with so many before it; IndexError if there is none."""
        raise NotImplementedError

    def first_at_or_after(self, score: float, *, after: bool = False) -> int:
        """The rank of the first pair with at least this score (more, if `after`); n if there is none."""
        raise NotImplementedError


def test_two_pairs_come_in_order() -> None:
    """The first step."""
    index = Ranks()
    index.insert(2.0, b"two")
    index.insert(1.0, b"one")
    got = list(index)
    assert got == [(b"one", 1.0), (b"two", 2.0)]
