"""The contract of a sorted set's order: pairs kept sorted, and found by rank or score, in O(log n).

The model is a sorted list of (score, member). A real server can be asked too: ZADD, then ZRANGE or ZRANK.
"""

from __future__ import annotations

import inspect
from bisect import insort
from math import inf
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from cutaway.learn.lessons import Said, Scene
from cutaway.learn.rules import Suite
from cutaway.learn.steps import steps
from cutaway.resp import encode_request

suite: Final = Suite("datastructures.skiplist")

# Few scores, so that ties are common; members that are prefixes of each other, and an empty one.
scores = st.sampled_from([-inf, -1.0, 0.0, 1.0, 2.0, 3.0, inf])
members = st.sampled_from([b"", b"a", b"aa", b"b", b"c", b"d", b"e", b"\xff"])
contents = st.dictionaries(members, scores, max_size=8)
Pair = tuple[float, bytes]

SIZE: Final = 3000
MOST_STEPS: Final = 600
"""Lines that one search among SIZE pairs may run; with lanes it takes some dozens, on foot thousands."""


def make(part: Any, seed: int = 1) -> Any:
    """The reader's index, with its chance taken from a seed if it asks for any: the same verdict every time."""
    try:
        takes_chance = bool(inspect.signature(part).parameters)
    except (TypeError, ValueError):
        takes_chance = False
    return part(Random(seed)) if takes_chance else part()


def filled(part: Any, content: dict[bytes, float], scene: Scene) -> tuple[Any, list[Pair]]:
    """The reader's index with these pairs, and the model."""
    index, model = make(part), list[Pair]()
    for member, score in content.items():
        insert(index, model, score, member, scene)
    return index, model


def insert(index: Any, model: list[Pair], score: float, member: bytes, scene: Scene) -> None:
    """Insert a pair into both."""
    scene.tell("insert", f"{score!r}, {member!r}")
    index.insert(score, member)
    insort(model, (score, member))


def zadd(model: list[Pair], *question: bytes) -> bytes:
    """The same set in a real server, and a question about it."""
    if not model:
        return b""
    words = [word for score, member in model for word in (repr(score).encode(), member)]
    return encode_request([b"ZADD", b"z", *words]) + encode_request(list(question))


def swapped(pairs: list[Pair]) -> list[tuple[bytes, float]]:
    """Pairs as they come out: member first."""
    return [(member, score) for score, member in pairs]


@suite.rule(
    "Pairs come out by score, and by member where scores are equal",
    "They go in as (score, member) and come out as (member, score). Members are compared byte by byte: b'a' is before b'aa', and "
    "the empty one before both.",
    content=contents,
)
def order(part: Any, content: dict[bytes, float]) -> None:
    with Scene(ask_shows=1) as scene:
        index, model = filled(part, content, scene)
        scene.lesson.ask = zadd(model, b"ZRANGE", b"z", b"0", b"-1", b"WITHSCORES")
        scene.tell("list", "all of it")
        scene.expect(swapped(model), list(index))
        scene.expect(len(model), len(index), "len() is wrong.")


@suite.rule(
    "remove() takes out exactly the pair it was given",
    "The score is part of it: the member alone, with another score, is not there, and the answer is False. Two links must close "
    "over the gap in every lane in which the pair stood.",
    content=contents,
    removed=st.lists(st.tuples(scores, members), max_size=5),
)
def removal(part: Any, content: dict[bytes, float], removed: list[Pair]) -> None:
    with Scene(ask_shows=1) as scene:
        index, model = filled(part, content, scene)
        also = [(content[member], member) for _, member in removed if member in content]
        for score, member in (*removed, *also):
            scene.tell("remove", f"{score!r}, {member!r}")
            expected = (score, member) in model
            if expected:
                model.remove((score, member))
            scene.expect(expected, index.remove(score, member))
            scene.expect(swapped(model), list(index), "What is left is wrong.")
            scene.expect(len(model), len(index), "len() is wrong.")


@suite.rule(
    "rank() counts the pairs before one, by_rank() finds the pair with so many before it",
    "Ranks begin at 0. A pair that is not there has rank None; a rank that there is not, negative ones among them, raises IndexError.",
    content=contents,
    score=scores,
    member=members,
)
def ranks(part: Any, content: dict[bytes, float], score: float, member: bytes) -> None:
    with Scene(ask_shows=1) as scene:
        index, model = filled(part, content, scene)
        for rank, pair in enumerate(model):
            scene.lesson.ask = zadd(model, b"ZRANK", b"z", pair[1])
            scene.tell("rank", f"{pair[0]!r}, {pair[1]!r}")
            scene.expect(rank, index.rank(*pair))
            place = b"%d" % rank
            scene.lesson.ask = zadd(model, b"ZRANGE", b"z", place, place, b"WITHSCORES")
            scene.tell("by_rank", str(rank))
            scene.expect(pair[::-1], index.by_rank(rank))
        scene.lesson.ask = b""
        scene.tell("rank", f"{score!r}, {member!r}")
        there = (score, member) in model
        scene.expect(model.index((score, member)) if there else None, index.rank(score, member))
        for rank in (-1, len(model)):
            scene.tell("by_rank", str(rank))
            try:
                got = index.by_rank(rank)
            except IndexError:
                continue
            scene.fail("There is no such rank: this raises IndexError.", got=got)


@suite.rule(
    "first_at_or_after() turns a score into a rank",
    "The rank of the first pair with at least this score, or with more if `after`; n if there is none. Two such cuts make a range: "
    "ZRANGEBYSCORE and ZCOUNT need nothing else.",
    content=contents,
    score=scores,
    after=st.booleans(),
)
def cuts(part: Any, content: dict[bytes, float], score: float, after: bool) -> None:  # noqa: FBT001
    with Scene(ask_shows=1) as scene:
        index, model = filled(part, content, scene)
        scene.tell("first_at_or_after", f"{score!r}, after={after}")
        expected = sum(other < score or (after and other == score) for other, _ in model)
        scene.expect(expected, index.first_at_or_after(score, after=after))


@suite.rule(
    "Ranks are still right after hundreds of insertions and removals",
    "This is where spans go wrong: a lane that passes over a new pair has one more to count, one that passes over a removed pair one "
    "less, and the pair's own lanes share what the link before them had. A mistake by one shows only when towers stand in "
    "each other's way.",
    seed=st.integers(0, 10_000),
    examples=12,
)
def long_life(part: Any, seed: int) -> None:
    with Scene() as scene:
        index, model = make(part, seed), list[Pair]()
        scene.tell(
            "insert, remove", f"400 pairs in an order drawn with seed {seed}, every third removed again"
        )
        state = seed
        for n in range(400):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            pair = (float(state % 97), b"%d" % n)
            index.insert(*pair)
            insort(model, pair)
            if n % 3 == 2:
                gone = model.pop(state // 97 % len(model))
                if not index.remove(*gone):
                    scene.fail(
                        f"remove({gone[0]!r}, {gone[1]!r}) did not find a pair that is there.",
                        expected=True,
                        got=False,
                    )
            if n % 20 == 19:
                _compare_ranks(index, model, scene)
        scene.expect(swapped(model), list(index))


def _compare_ranks(index: Any, model: list[Pair], scene: Scene) -> None:
    for rank in range(0, len(model), 7):
        pair = model[rank]
        got = index.rank(*pair)
        if got != rank:
            scene.fail(
                f"rank({pair[0]!r}, {pair[1]!r}) is wrong, with {len(model)} pairs.", expected=rank, got=got
            )
        found = index.by_rank(rank)
        if found != pair[::-1]:
            scene.fail(f"by_rank({rank}) is wrong, with {len(model)} pairs.", expected=pair[::-1], got=found)


@suite.rule(
    "A search among thousands takes dozens of steps, in whatever order they came",
    "That is what the express lanes are for. Walking the ground lane gives the same answers, and a server on which ZRANK takes a "
    "second. And a tree that nobody balances becomes a list when the pairs come in order.",
)
def logarithmic(part: Any) -> None:
    with Scene() as scene:
        index = make(part)
        scene.tell("insert", f"{SIZE} pairs in ascending order")
        model = [(float(n), b"member:%06d" % n) for n in range(SIZE)]
        for pair in model:
            index.insert(*pair)
        for call, argument in (
            ("rank", model[SIZE * 2 // 3]),
            ("by_rank", (SIZE * 2 // 3,)),
            ("first_at_or_after", (SIZE / 2,)),
        ):
            searches = [_steps_of(index, call, argument) for argument in _variations(argument)]
            work = sum(searches) // len(searches)
            if work > MOST_STEPS:
                scene.fail(
                    f"One {call}() among {SIZE} pairs runs more than {MOST_STEPS} lines of Python.",
                    expected=Said("some dozens of lines"),
                    got=Said(f"{work} or more"),
                )


def _variations(argument: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Arguments near this one, so that one lucky or unlucky tower decides nothing."""
    if len(argument) == 2:
        return [(float(n), b"member:%06d" % n) for n in range(int(argument[0]), int(argument[0]) + 100, 20)]
    return [(argument[0] + n,) for n in range(0, 100, 20)]


def _steps_of(index: Any, call: str, argument: tuple[Any, ...]) -> int:
    return steps(lambda: getattr(index, call)(*argument), 4 * MOST_STEPS)
