"""Mistakes that people make, each in an otherwise right solution, and the rule that catches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cutaway.learn import check
from cutaway.learn.solutions import (
    datastructures_dict,
    datastructures_lru,
    datastructures_skiplist,
    persistence_aof_replay,
    persistence_rdb_string,
    pubsub_matching,
    resp_encoder,
    resp_parser,
    transactions_watch,
)

from .mistakes import SearchesForLineEnds

Take = Callable[[int], bytes]


class ForgetsBetweenReads(resp_parser.Parser):
    def feed(self, data: bytes) -> list[list[bytes]]:
        self._buffer = b""
        return super().feed(data)


class GivesBytearrays(resp_parser.Parser):
    def feed(self, data: bytes) -> list[Any]:
        return [[bytearray(word) for word in request] for request in super().feed(data)]


class ReservesRoom(resp_parser.Parser):
    def feed(self, data: bytes) -> list[list[bytes]]:
        self.room = bytearray(8 << 20) if b"$536870912" in data else bytearray()
        return super().feed(data)


class CountsElementsOfMaps(resp_encoder.Encoder):
    def several(self, mark: str, items: Any, count: int | None = None) -> bytes:
        return super().several(mark, items, None if count is None else len(items))


class TrueIsOne(resp_encoder.Encoder):
    def encode(self, reply: Any) -> bytes:
        return super().encode(int(reply) if isinstance(reply, bool) else reply)


class ScansUpwards(datastructures_dict.Table):
    def _scan_slot(self, cursor: int, found: list[tuple[Any, Any]]) -> int:
        for table in (self._old, self._new):
            if table:
                found += (table[cursor & len(table) - 1] or {}).items()
        return cursor + 1 if cursor + 1 < len(self._new) else 0


class MovesAllAtOnce(datastructures_dict.Table):
    def _resize(self) -> None:
        super()._resize()
        while self.rehash_step(1000):
            pass


class ForgetsSpans(datastructures_skiplist.Ranks):
    def insert(self, score: float, member: bytes) -> None:
        turns, _ = self._search(lambda node: (node.score, node.member) < (score, member))
        before = [turn.span[lane] for lane, turn in enumerate(turns)]
        super().insert(score, member)
        for lane, turn in enumerate(turns):
            ahead = turn.next[lane]
            if ahead is None or ahead.member != member:
                turn.span[lane] = before[lane]


class Walks(datastructures_skiplist.Ranks):
    def by_rank(self, rank: int) -> tuple[bytes, float]:
        for place, pair in enumerate(self):
            if place == rank:
                return pair
        raise IndexError(rank)


class ForgetsTheOthers(datastructures_lru.Pool):
    def take(self, exists: Callable[[int, bytes], bool]) -> tuple[int, bytes] | None:
        taken = super().take(exists)
        self.takes = getattr(self, "takes", 0) + 1
        if self.takes > 50:
            self.clear()
        return taken


def unsigned(take: Take) -> bytes:
    text = persistence_rdb_string.read_string(take)
    return b"%d" % (int(text) + 256) if text == b"-1" else text


def reads_ahead(take: Take) -> bytes:
    text = persistence_rdb_string.read_string(take)
    if text == b"hello":
        take(1)
    return text


def counts_the_tail(data: bytes) -> tuple[list[list[bytes]], int]:
    return persistence_aof_replay.replay(data)[0], len(data)


def forgives_damage(data: bytes) -> tuple[list[list[bytes]], int]:
    try:
        return persistence_aof_replay.replay(data)
    except ValueError:
        return [], 0


def drops_backslashes(pattern: bytes, text: bytes) -> bool:
    return pubsub_matching.matches(pattern.replace(b"\\", b""), text)


def tries_everything(pattern: bytes, text: bytes) -> bool:
    if set(pattern) & set(b"[?\\") or not text:
        return pubsub_matching.matches(pattern, text)
    return _tries(pattern, text)


def _tries(pattern: bytes, text: bytes) -> bool:
    if not pattern:
        return not text
    if pattern[:1] == b"*":
        return any(_tries(pattern[1:], text[size:]) for size in range(len(text) + 1))
    return bool(text) and pattern[:1] == text[:1] and _tries(pattern[1:], text[1:])


class IgnoresTime(transactions_watch.Watches):
    def is_over(self, place: Any) -> bool:
        return False


class TouchedByRemains(transactions_watch.Watches):
    def changed(self, place: Any) -> None:
        self._touched.update(client for client, places in self._places.items() if place in places)


MISTAKES = [
    ("resp.parser", SearchesForLineEnds, "A payload is as long"),
    ("resp.parser", ForgetsBetweenReads, "may be cut at any byte"),
    ("resp.parser", GivesBytearrays, "comes out as the list"),
    ("resp.parser", ReservesRoom, "a promise"),
    ("resp.encoder", CountsElementsOfMaps, "types for maps"),
    ("resp.encoder", TrueIsOne, "one null, and types for booleans"),
    ("datastructures.dict", ScansUpwards, "there all the time"),
    ("datastructures.dict", MovesAllAtOnce, "bounded amount of work"),
    ("datastructures.skiplist", ForgetsSpans, "rank() counts"),
    ("datastructures.skiplist", Walks, "dozens of steps"),
    ("datastructures.lru", ForgetsTheOthers, "nearly what exact LRU"),
    ("persistence.rdb-string", unsigned, "no length, but an encoding"),
    ("persistence.rdb-string", reads_ahead, "below 64"),
    ("persistence.aof-replay", counts_the_tail, "may end within a command"),
    ("persistence.aof-replay", forgives_damage, "is damage"),
    ("pubsub.matching", drops_backslashes, "backslash takes the meaning"),
    ("pubsub.matching", tries_everything, "No pattern is slow"),
    ("transactions.watch", IgnoresTime, "runs out after WATCH"),
    ("transactions.watch", TouchedByRemains, "over before WATCH"),
]


@pytest.mark.parametrize(
    ("name", "part", "rule"), MISTAKES, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_mistake_is_caught_by_the_rule_that_explains_it(name: str, part: Any, rule: str) -> None:
    verdict = check(name, part, ask=False, effort=0.3)
    assert not verdict, "the mistake went unnoticed"
    assert rule in verdict.broken
    assert verdict.lesson is not None
    assert verdict.lesson.told or verdict.lesson.marked
