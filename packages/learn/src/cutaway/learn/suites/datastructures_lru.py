"""The contract of the eviction pool: the best candidates ever met, few of them, and no promise that they still exist.

The model is the house's own pool. Scores in the examples are all different, since nothing is said of ties.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from cutaway.datastructures.eviction_clocks import EvictionPool
from cutaway.learn.lessons import Scene
from cutaway.learn.rules import Suite

suite: Final = Suite("datastructures.lru")

KEYS: Final = 200
ROUNDS: Final = 600
MOST_OLDER: Final = 25
"""How many keys may be older than the one that goes, on average. Exact LRU: 0. Redis's pool: 17. The best of five samples, and
nothing remembered: 33. No idea at all: 90."""

distinct = st.lists(st.integers(0, 999), max_size=24, unique=True)


def key_of(score: int) -> bytes:
    """A key that says its score."""
    return b"idle:%d" % score


def offer(pool: Any, model: EvictionPool, score: int, scene: Scene) -> None:
    """Offer a key to both pools, and compare what they say."""
    scene.tell("offer", f"score {score}, database 0, {key_of(score)!r}")
    expected = model.offer(score, 0, key_of(score))
    got = pool.offer(score, 0, key_of(score))
    scene.expect(expected, got, "offer() says whether it took the key in.")


@suite.rule(
    "take() gives the candidate that can best be done without: the highest score",
    "A score is an idle time, or stands for one: the key that was not wanted for longest goes first. The pool gives it up: a second "
    "take() gives the next one.",
    scores=st.lists(st.integers(0, 999), min_size=1, max_size=10, unique=True),
    examples=60,
)
def best_first(part: Any, scores: list[int]) -> None:
    with Scene() as scene:
        pool, model = part(), EvictionPool()
        for score in scores:
            offer(pool, model, score, scene)
        for _ in scores:
            scene.tell("take", "everything still exists")
            scene.expect(model.take(_always), pool.take(_always))


def _always(_db: int, _key: bytes) -> bool:
    return True


@suite.rule(
    "An empty pool gives None",
    "Then the caller samples again. None says: go and look at more keys.",
)
def empty(part: Any) -> None:
    with Scene() as scene:
        pool = part()
        scene.tell("take", "from an empty pool")
        scene.expect(None, pool.take(_always))
        scene.expect(0, len(pool))


@suite.rule(
    "The pool holds sixteen candidates; a better one displaces the worst",
    "It outlives the call, so a good candidate that was met a minute ago is not forgotten. When it is full, a key that is no better than "
    "the worst is refused, and offer() returns False.",
    scores=st.lists(st.integers(0, 999), min_size=15, max_size=24, unique=True),
)
def sixteen(part: Any, scores: list[int]) -> None:
    with Scene() as scene:
        pool, model = part(), EvictionPool()
        for score in scores:
            offer(pool, model, score, scene)
            scene.expect(len(model), len(pool), "len() is the number of candidates.")
        for _ in range(len(model) + 1):
            scene.tell("take", "everything still exists")
            scene.expect(model.take(_always), pool.take(_always))


@suite.rule(
    "A candidate that no longer exists is a ghost, and is passed over",
    "Nobody tells the pool that a key was deleted. When its turn comes, take() asks `exists(database, key)`, drops the ghosts it meets, and "
    "goes on to the next one.",
    scores=distinct,
    dead=st.sets(st.integers(0, 23)),
)
def ghosts(part: Any, scores: list[int], dead: set[int]) -> None:
    gone = {key_of(scores[place]) for place in dead if place < len(scores)}
    with Scene() as scene:
        pool, model = part(), EvictionPool()
        for score in scores:
            offer(pool, model, score, scene)
        for _ in range(3):
            scene.tell("take", f"gone: {sorted(gone)!r}")
            scene.expect(
                model.take(lambda _, key: key not in gone), pool.take(lambda _, key: key not in gone)
            )
            scene.expect(
                len(model), len(pool), "Ghosts that were met are dropped; those that were not may stay."
            )


@suite.rule(
    "A key of one database is not the key of another, and clear() forgets all",
    "The pool serves all sixteen databases. It is cleared when the policy changes: idle times and access counts do not compare.",
)
def databases(part: Any) -> None:
    with Scene() as scene:
        pool = part()
        for db in (0, 3):
            scene.tell("offer", f"score {db + 1}, database {db}, b'k'")
            pool.offer(db + 1, db, b"k")
        scene.tell("take", "database 3 has been emptied")
        scene.expect((0, b"k"), pool.take(lambda db, _: db == 0))
        pool.offer(1, 0, b"k")
        scene.tell("clear")
        pool.clear()
        scene.expect(None, pool.take(_always))


@suite.rule(
    "With five samples a time, what goes is nearly what exact LRU would choose",
    "This is the point of it all. Two hundred keys; a new one comes, and one must go, after a look at five random ones. Exact LRU would "
    "choose the oldest each time. Whoever takes the best of the five and forgets the others leaves 33 older ones behind; who remembers "
    "them, half as many.",
)
def quality(part: Any) -> None:
    with Scene() as scene:
        pool, rng = part(), Random(12)
        born = {b"key:%d" % n: n for n in range(KEYS)}
        older: list[int] = []
        for now in range(KEYS, KEYS + ROUNDS):
            for key in rng.sample(list(born), 5):
                pool.offer(now - born[key], 0, key)
            chosen = pool.take(lambda _, key: key in born)
            if chosen is None:
                scene.fail("take() found nobody, though five keys that exist had just been offered.")
            birth = born.pop(chosen[1])
            older.append(sum(other < birth for other in born.values()))
            born[b"key:%d" % now] = now
        mean = sum(older[100:]) // len(older[100:])
        scene.tell("evicted", f"{ROUNDS} keys, one at a time, after five samples each")
        if mean > MOST_OLDER:
            scene.lesson.expected = f"{MOST_OLDER} or fewer older keys left behind, on average"
            scene.lesson.got = str(mean)
            scene.fail("What goes is not nearly the oldest.")
