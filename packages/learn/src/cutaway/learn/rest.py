"""The rest: what the server asks of a part beyond what an exercise does, written in terms of what the reader writes.

An exercise is about the heart of a layer, and a contract has limbs: rare kinds of replies, statistics for DEBUG, fair random
draws. So that the whole server runs on the reader's part all the same, these classes and functions add the limbs. They are
plain and not fast; nothing in them is needed to understand the heart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from random import Random
from sys import getsizeof
from typing import Any, Final, Generic, TypeVar

from cutaway.commands import Client, Database, Engine, Entry
from cutaway.datastructures.dicts import TableStats
from cutaway.datastructures.sorted_set_index import SortedSetIndex
from cutaway.resp import Attributed, BigNumber, Double, NoReply, Raw, Reply, Several, Verbatim

K = TypeVar("K")
V = TypeVar("V")
MISSING: Final = object()


def encode_rare(reply: Reply, encode: Callable[[Reply], bytes], protocol: int) -> bytes:
    """The bytes of a reply of a rare kind; what it holds is encoded by `encode`. Raises TypeError for what is no reply."""
    if isinstance(reply, Raw):
        return reply.payload
    if isinstance(reply, NoReply):
        return b""
    if isinstance(reply, Several):
        return b"".join(map(encode, reply.items))
    if isinstance(reply, Attributed):
        return encode(reply.reply)  # attributes may be left out: they say nothing that a client needs
    if isinstance(reply, Verbatim):
        text = reply.text
        return (
            encode(text)
            if protocol == 2
            else b"=%d\r\n%b:%b\r\n" % (len(text) + 4, reply.format.encode(), text)
        )
    if isinstance(reply, (BigNumber, Double)):
        digits = reply.digits if isinstance(reply, BigNumber) else reply.text
        mark = b"(" if isinstance(reply, BigNumber) else b","
        return encode(digits) if protocol == 2 else mark + digits + b"\r\n"
    raise TypeError(f"not a reply: {reply!r}")


class TableRest(ABC, Generic[K, V]):
    """What the keyspace asks of its table beyond `get`, `__setitem__`, `pop`, `items`, `clear`, `scan` and `rehash_step`."""

    def __init__(self, items: Iterable[tuple[K, V]] = ()) -> None:
        self.clear()
        for key, value in items:
            self[key] = value

    # ---- the reader's

    @abstractmethod
    def clear(self) -> None:
        """Forget all keys."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def get(self, key: K, default: Any = None) -> Any:
        """The value of `key`, or `default`."""

    @abstractmethod
    def __setitem__(self, key: K, value: V) -> None: ...

    @abstractmethod
    def pop(self, key: K, default: Any = MISSING) -> Any:
        """Remove `key` and return its value; without the key, return `default` or raise KeyError."""

    @abstractmethod
    def items(self) -> Iterator[tuple[K, V]]:
        """The keys with their values."""

    @abstractmethod
    def scan(self, cursor: int, count: int = 10) -> tuple[int, list[tuple[K, V]]]:
        """The next cursor and some items."""

    @abstractmethod
    def rehash_step(self, buckets: int = 1) -> bool:
        """Move up to so many buckets; true while there is more to move."""

    # ---- the rest

    def reserve(self, count: int) -> None:
        """Make room for so many keys at once. This one does not."""

    def __getitem__(self, key: K) -> V:
        value: Any = self.get(key, MISSING)
        if value is MISSING:
            raise KeyError(key)
        return value  # type: ignore[no-any-return]

    def __contains__(self, key: object) -> bool:
        return self.get(key, MISSING) is not MISSING  # type: ignore[arg-type] # whatever it is, it has a hash

    def __delitem__(self, key: K) -> None:
        self.pop(key)

    def setdefault(self, key: K, default: V) -> V:
        """The value of `key`, which becomes `default` if it had none."""
        if key not in self:
            self[key] = default
        return self[key]

    def __iter__(self) -> Iterator[K]:
        for key, _ in self.items():  # noqa: PERF102 - there are no keys() but these
            yield key

    keys = __iter__

    def values(self) -> Iterator[V]:
        """The values, in the order of the keys."""
        for _, value in self.items():  # noqa: PERF102 - nor values()
            yield value

    def dismantle(self) -> Iterator[dict[K, V]]:
        """Take the table apart. This one gives everything at once."""
        everything = dict(self.items())
        self.clear()
        yield everything

    def random_item(self, rng: Random) -> tuple[K, V]:
        """One item; KeyError if there is none. Not quite fair: neighbours in the scan depend on each other."""
        return rng.choice(self.sample(10, rng) or [self._none()])

    def sample(self, n: int, rng: Random) -> list[tuple[K, V]]:
        """Up to n items, from a random place of the scan on."""
        if not len(self):
            return []
        found: list[tuple[K, V]] = []
        cursor = rng.getrandbits(max(len(self).bit_length(), 1))
        while len(found) < n:
            cursor, items = self.scan(cursor, n)
            found += items
            if cursor == 0 and len(found) >= min(n, 1):
                break
        return list(dict(found[:n]).items())

    def random_items(self, n: int, rng: Random) -> list[tuple[K, V]]:
        """Up to n different items."""
        return rng.sample(list(self.items()), min(n, len(self)))

    def copy(self) -> Any:
        """Another table of the same items."""
        return type(self)(self.items())

    @staticmethod
    def _none() -> tuple[K, V]:
        raise KeyError("an empty table")

    # ---- looking inside: of the reader's buckets nothing is known

    @property
    def rehashing(self) -> bool:
        """Whether a rehash is under way, as far as can be told from outside."""
        return False

    @property
    def rehash_index(self) -> int:
        """The slot that the next step moves, or -1."""
        return -1

    def stats(self) -> list[TableStats]:
        """What DEBUG HTSTATS shows."""
        return [TableStats(1, len(self), {len(self): 1})]

    def slots(self) -> list[list[int]]:
        """How many keys each slot holds."""
        return [[len(self)]]

    def memory_usage(self, samples: int = 5) -> int:
        """Bytes taken by the table: a guess."""
        del samples
        return getsizeof(self) + 64 * len(self)

    def check(self) -> None:
        """Assert the invariants: the count is right."""
        assert len(self) == sum(1 for _ in self.items())


class RanksRest(SortedSetIndex):
    """What a sorted set asks of its index beyond `insert`, `remove`, `rank`, `by_rank`, `first_at_or_after` and iteration."""

    def __reversed__(self) -> Iterator[tuple[bytes, float]]:
        for rank in range(len(self) - 1, -1, -1):
            yield self.by_rank(rank)

    def first_member_at_or_after(self, member: bytes, *, after: bool = False) -> int:
        """The rank of the first pair with at least this member (more, if `after`), by halving. O(log² n)."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            other = self.by_rank(middle)[0]
            if other < member or (after and other == member):
                low = middle + 1
            else:
                high = middle
        return low

    def range_by_rank(self, start: int, stop: int, *, reverse: bool = False) -> list[tuple[bytes, float]]:
        """The pairs ranked `start` to `stop`, both included."""
        last = len(self) - 1
        ranks = range(start, min(stop, last) + 1)
        return [self.by_rank(last - rank if reverse else rank) for rank in ranks]

    def delete_range_by_rank(self, start: int, stop: int) -> list[tuple[bytes, float]]:
        """Take out the pairs ranked `start` to `stop`, both included, and return them."""
        pairs = self.range_by_rank(start, stop)
        for member, score in pairs:
            self.remove(score, member)
        return pairs

    def pop_first(self) -> tuple[bytes, float]:
        """Take out the lowest pair and return it; IndexError if there is none."""
        member, score = self.by_rank(0)
        self.remove(score, member)
        return member, score

    def pop_last(self) -> tuple[bytes, float]:
        """Take out the highest pair and return it; IndexError if there is none."""
        member, score = self.by_rank(len(self) - 1)
        self.remove(score, member)
        return member, score

    def memory_usage(self) -> int:
        """Bytes of the structure: a guess."""
        return getsizeof(self) + 128 * len(self)

    def check(self) -> None:
        """Assert the order."""
        pairs = [(score, member) for member, score in self]
        assert pairs == sorted(pairs)
        assert len(pairs) == len(self)


class WatchesRest(ABC):
    """How the engine talks to the reader's record of who watches what.

    A key is named by its database and its name: `Place`. The engine calls the reader's four methods; this class listens to the
    keyspace, and tells it of every key that was changed.
    """

    def __init__(self, engine: Engine) -> None:
        self._keyspace = engine.keyspace
        self._keyspace.listen(self._on_change)
        self._keyspace.on_replaced = (*self._keyspace.on_replaced, self._on_replaced)
        self.prepare()

    # ---- the reader's

    @abstractmethod
    def prepare(self) -> None:
        """Make the record, empty."""

    @abstractmethod
    def watch_key(self, client: int, place: Place) -> None:
        """A client watches a key from now on."""

    @abstractmethod
    def forget(self, client: int) -> None:
        """A client watches nothing any more, and nothing counts as touched: UNWATCH, EXEC, DISCARD, the end."""

    @abstractmethod
    def changed(self, place: Place) -> None:
        """A key was written, deleted, or removed because it had expired."""

    @abstractmethod
    def is_touched_for(self, client: int) -> bool:
        """Whether anything that the client watches was changed, or is over by now: EXEC asks."""

    # ---- for the reader to use

    def is_over(self, place: Place) -> bool:
        """Whether the key's time has passed but its remains are still there: nobody has looked at it since."""
        database, key = place
        entry = self._keyspace.databases[database].keys.get(key)
        return entry is not None and 0 < entry.expire_at <= self._keyspace.now

    def exists(self, place: Place) -> bool:
        """Whether anything is stored under the key, be its time over or not."""
        database, key = place
        return key in self._keyspace.databases[database].keys

    # ---- the rest

    def watch(self, client: Client, keys: Iterable[bytes]) -> None:
        """WATCH."""
        for key in keys:
            self.watch_key(client.id, (client.db.index, key))

    def unwatch(self, client: Client) -> None:
        """UNWATCH, and the end of every transaction."""
        self.forget(client.id)

    def is_touched(self, client: Client) -> bool:
        """What EXEC asks."""
        return self.is_touched_for(client.id)

    def is_marked(self, client: Client) -> bool:
        """What MULTI asks, to save itself the queueing; False is never wrong."""
        del client
        return False

    clients = keys = 0

    def _on_change(self, database: Database, key: bytes, _event: str, modified: bool) -> None:  # noqa: FBT001
        if modified:
            self.changed((database.index, key))

    def _on_replaced(self, database: Database, old: Any, new: Any) -> None:
        now = self._keyspace.now
        for key in {*old, *new}:
            if _lives(old.get(key), now) or _lives(new.get(key), now):
                self.changed((database.index, key))


Place = tuple[int, bytes]


def _lives(entry: Entry | None, now: int) -> bool:
    return entry is not None and not 0 < entry.expire_at <= now
