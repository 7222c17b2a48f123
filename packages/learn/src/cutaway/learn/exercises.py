"""The catalogue: every exercise, what it asks for, and where the reader's answer goes in the running server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cutaway.learn.rules import Suite  # Hypothesis takes its time to be imported: not before it is needed


class NoSuchExerciseError(LookupError):
    """There is no exercise of that name; the text lists those there are."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """One layer to write. `part` and `attribute` are what `--use part=file:attribute` takes."""

    name: str
    question: str
    attribute: str
    """The class or function that the reader writes."""
    part: str
    """What `--use` of the server calls the place it goes to."""
    try_it: tuple[str, ...]
    """Commands worth typing into redis-cli when the server runs on it."""
    options: str = ""
    """What else that server should be started with."""

    @property
    def module(self) -> str:
        """The name of the reader's file, without `.py`."""
        return self.name.replace(".", "_").replace("-", "_")

    @property
    def suite(self) -> Suite:
        """The rules that the part has to keep."""
        suite: Suite = import_module(f"cutaway.learn.suites.{self.module}").suite
        return suite

    @property
    def skeleton(self) -> str:
        """What the reader starts from: the contract, and a test that fails."""
        return _text("skeletons", f"{self.module}.py")

    @property
    def solution(self) -> str:
        """One way to write it."""
        return _text("solutions", f"{self.module}.py")

    @property
    def hints(self) -> list[str]:
        """The rungs of the ladder, from a nudge to nearly all of it."""
        return [hint.strip() for hint in _text("hints", f"{self.module}.txt").split("\n---\n")]


def _text(folder: str, name: str) -> str:
    return files("cutaway.learn").joinpath(folder, name).read_text(encoding="utf-8")


EXERCISES: Final = (
    Exercise(
        "resp.parser", "Where does a request end?", "Parser", "resp.RequestParser",
        ("SET greeting hello", "GET greeting"),
    ),
    Exercise(
        "resp.encoder", "How does a value become bytes, in two protocols?", "Encoder", "resp.Encoder",
        ("HSET h field 1", "HGETALL h", "HELLO 3", "HGETALL h"),
    ),
    Exercise(
        "datastructures.dict", "How does a table grow, and be scanned, while nobody waits?", "Table", "datastructures.Dict",
        ("DEBUG POPULATE 1000", "SCAN 0 COUNT 20", "DBSIZE"), "--enable-debug-command yes",
    ),
    Exercise(
        "datastructures.skiplist", "How does a list know everybody's rank?", "Ranks", "datastructures.SortedSetIndex",
        ("CONFIG SET zset-max-listpack-entries 0", "ZADD z 1 one 2 two 3 three", "ZRANK z three", "ZRANGE z 0 1"),
    ),
    Exercise(
        "datastructures.lru", "Which key was not wanted for longest, when nobody kept a list?", "Pool", "datastructures.EvictionPool",
        ("CONFIG SET maxmemory-policy allkeys-lru", "DEBUG POPULATE 1000", "CONFIG SET maxmemory 40kb", "SET one more", "DBSIZE"), "--enable-debug-command yes",
    ),
    Exercise(
        "persistence.rdb-string", "Five ways to write a string into a snapshot: how do you read them?", "read_string", "persistence.read_string",
        ("SET n 12345", "DEBUG RELOAD", "GET n"), "--enable-debug-command yes",
    ),
    Exercise(
        "persistence.aof-replay", "The power went while a command was being written. What counts?", "replay", "persistence.replay",
        ("SET k v", "DEBUG LOADAOF", "GET k"), "--appendonly yes --enable-debug-command yes",
    ),
    Exercise(
        "pubsub.matching", "Who listens to news.*?", "matches", "pubsub.matches",
        ("PSUBSCRIBE news.*", "(in a second redis-cli)  PUBLISH news.weather rain"),
    ),
    Exercise(
        "transactions.watch", "Has anybody touched what I have just read?", "Watches", "transactions.Watches",
        ("WATCH stock", "MULTI", "DECR stock", "(in a second redis-cli)  SET stock 0", "EXEC"),
    ),
)  # fmt: skip


def find(name: str) -> Exercise:
    """The exercise of this name, or the only one whose name it is a part of. Raises NoSuchExerciseError."""
    named = [each for each in EXERCISES if name in (each.name, each.module)]
    if not named:
        named = [each for each in EXERCISES if name in each.name]
    if len(named) == 1:
        return named[0]
    raise NoSuchExerciseError(
        f"There is no exercise {name!r}. There are: {listed(each.name for each in EXERCISES)}."
    )


def listed(names: Iterable[str]) -> str:
    """Names with commas between them."""
    return ", ".join(names)
