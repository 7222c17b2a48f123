"""`Dict`: a hash table that grows without stopping the world and can be scanned while it changes.

Python's own dict is fast, but when it fills up it moves all its entries at once, and with millions of keys
that is a long pause in the middle of somebody's SET. And an iteration over it dies when the dict changes. A
server of many clients can afford neither, so Redis brings its own table, and this is its anatomy in Python.

**Buckets.** A table is a list whose length is a power of two; the low bits of a key's hash say which slot is
its home. A slot is `None` or a small builtin dict. (Redis hangs a linked chain there, about one entry long;
Valkey packs seven entries into a cache line. In CPython one probe of a C dict beats any walk written in
Python, and a dict of a dozen entries costs the same as one of a single entry, so buckets are fuller here.)
The load was chosen by measuring (keys like `key:123456`, CPython 3.11, table and buckets only; one flat
builtin dict takes 37 to 52 bytes a key):

    most keys a bucket     2     4     8    16    32
    bytes a key          105    66    49    42    38      one million keys
    bytes a key          120    76    52    45    42      100 thousand keys
    bytes a key          104    65    47    41    38      one thousand keys

A lookup takes the same time in all of them (within the noise of the machine), but a bucket is also what one
step of the rehash moves and what one step of SCAN returns, so it should not be large. Hence 16: the load
moves between 8 and 16 while a table grows.

**Rehashing, a bucket at a time.** Above 16 keys a bucket a second table of twice the size is allocated, and
below 2 a smaller one. From then on each write first moves one bucket from the old table to the new one, and
a server that has time to spare calls `rehash_step`. A key has exactly one home at any moment: slot
`hash & old_mask` of the old table while that slot has not been moved, else slot `hash & mask` of the new one.
So a lookup probes one bucket, always. Writes finish the move long before the next one is due: n slots are
moved after at most n writes, and the new table has room for 16n more keys.

**The scan cursor** counts backwards in binary: its *highest* bit changes fastest (Pieter Noordhuis's idea,
see `dictScan` in Redis). When a table of 8 slots becomes one of 16, the keys of slot `xyz` go to slots
`0xyz` and `1xyz`, which are neighbours in this order; slots visited before the change are visited slots
after it. The same holds the other way round. So a scan that started in one table may end in another of any
size, and remembers nothing but one integer:

- a key that is present during the whole scan is returned at least once;
- a key that is never present is never returned;
- some keys may be returned twice, if the table shrank meanwhile.

While two tables exist, a step visits the slot of the smaller table and then all the slots of the larger one
into which it expands.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

MAX_LOAD: Final = 16
"""A table grows when it holds more keys than this a slot."""
MIN_LOAD: Final = 2
"""A table shrinks when it holds fewer keys than this a slot."""
SHRUNK_LOAD: Final = 8
"""The most keys a slot in a table that has just been shrunk."""
EMPTY_VISITS: Final = 10
"""Empty slots a rehash step may pass for each bucket that it is to move."""

_MISSING: Final = object()
_NO_BUCKET: Final[dict[Any, Any]] = {}


@dataclass(frozen=True, slots=True)
class TableStats:
    """What DEBUG HTSTATS tells of one table: `histogram[n]` is the number of slots that hold n keys."""

    slots: int
    keys: int
    histogram: dict[int, int]

    @property
    def longest(self) -> int:
        """The number of keys in the fullest bucket."""
        return max(self.histogram, default=0)


@dataclass(frozen=True, slots=True)
class DictSnapshot:
    """A dict as a picture needs it: the keys in each slot of each table, the one being emptied first."""

    tables: list[list[tuple[object, ...]]]
    rehash_index: int
    """The slot of the first table that the next step moves; those before it are empty. -1: there is one table."""


def next_cursor(cursor: int, mask: int) -> int:
    """The slot after `cursor` in reverse-binary order: add one to the highest bit, carry downwards."""
    cursor &= mask
    bit = (mask + 1) >> 1
    while cursor & bit:
        cursor ^= bit
        bit >>= 1
    return cursor | bit


class Dict(Generic[K, V]):
    """A mapping with bounded work per write and a scan that survives every change. Keys must be hashable.

    Every operation on one key is O(1), also in the worst case but for the allocation of a table's list of
    slots (a few milliseconds at ten million keys). Iteration is in no particular order, and the mapping must
    not change meanwhile.
    """

    __slots__ = (
        "_count",
        "_grow_at",
        "_largest",
        "_mask",
        "_moved",
        "_old",
        "_old_mask",
        "_shrink_at",
        "_table",
    )

    def __init__(self, items: Iterable[tuple[K, V]] = ()) -> None:
        """Make a mapping that holds `items`, later ones winning over earlier ones."""
        self.clear()
        for key, value in items:
            self[key] = value

    def clear(self) -> None:
        """Forget all keys, and any rehash under way. O(n) to free them."""
        self._table: list[dict[K, V] | None] = [None]
        self._mask = 0
        self._old: list[dict[K, V] | None] | None = None
        self._old_mask = 0
        self._moved = 0
        """Slots of the old table below this one have been moved."""
        self._count = 0
        self._largest = 1
        """No bucket holds more keys than this."""
        self._grow_at = MAX_LOAD
        self._shrink_at = 0

    def reserve(self, count: int) -> None:
        """Make room for so many keys in one step, if there are none yet: a load need not rehash on its way. O(count)."""
        if not self._count:
            slots = 1 << (max(count - 1, 0) // MAX_LOAD).bit_length()
            self._table, self._mask, self._old = [None] * slots, slots - 1, None
            self._grow_at = slots * MAX_LOAD

    # One key. The table that is not being rehashed is worth a flat path: it is where nearly all lookups go.

    def __len__(self) -> int:
        """The number of keys. O(1)."""
        return self._count

    @overload
    def get(self, key: K) -> V | None: ...
    @overload
    def get(self, key: K, default: V | D) -> V | D: ...
    def get(self, key: K, default: V | D | None = None) -> V | D | None:
        """The value of `key`, or `default`. O(1)."""
        if self._old is not None:
            table, index = self._home(key)
            bucket = table[index]
        else:
            bucket = self._table[hash(key) & self._mask]
        return bucket.get(key, default) if bucket is not None else default

    def get_all(self, keys: Iterable[K]) -> list[V | None]:
        """The values of `keys`, None for each that has none. O(keys)."""
        if self._old is not None:
            return [self.get(key) for key in keys]
        table, mask = self._table, self._mask
        return [(table[hash(key) & mask] or _NO_BUCKET).get(key) for key in keys]

    def __getitem__(self, key: K) -> V:
        """The value of `key`; KeyError if there is none. O(1)."""
        table, index = self._home(key)
        bucket = table[index]
        if bucket is None:
            raise KeyError(key)
        return bucket[key]

    def __contains__(self, key: K) -> bool:
        """Whether `key` has a value. O(1)."""
        if self._old is not None:
            table, index = self._home(key)
            bucket = table[index]
        else:
            bucket = self._table[hash(key) & self._mask]
        return bucket is not None and key in bucket

    def __setitem__(self, key: K, value: V) -> None:
        """Give `key` a value, new or not. O(1); moves one bucket if a rehash is under way."""
        if self._old is not None:
            self.rehash_step(1)
            table, index = self._home(key)
        else:
            table = self._table
            index = hash(key) & self._mask
        bucket = table[index]
        if bucket is None:
            table[index] = {key: value}
        else:
            before = len(bucket)
            bucket[key] = value
            size = len(bucket)
            if size == before:
                return
            if size > self._largest:  # noqa: PLR1730 - a call of max() costs more than the rest of this path
                self._largest = size
        self._count += 1
        if self._count > self._grow_at:
            self._resize()

    def setdefault(self, key: K, default: V) -> V:
        """The value of `key`, which becomes `default` if it had none. O(1)."""
        table, index = self._home(key)
        bucket = table[index]
        if bucket is not None and key in bucket:
            return bucket[key]
        self[key] = default
        return default

    @overload
    def pop(self, key: K) -> V: ...
    @overload
    def pop(self, key: K, default: V | D) -> V | D: ...
    def pop(self, key: K, default: object = _MISSING) -> object:
        """Remove `key` and return its value; without the key, return `default` or raise KeyError. O(1)."""
        if self._old is not None:
            self.rehash_step(1)
            table, index = self._home(key)
        else:
            table = self._table
            index = hash(key) & self._mask
        bucket = table[index]
        if bucket is None or key not in bucket:
            if default is _MISSING:
                raise KeyError(key)
            return default
        value = bucket.pop(key)
        if not bucket:
            table[index] = None
        self._count -= 1
        if self._count < self._shrink_at:
            self._resize()
        return value

    def __delitem__(self, key: K) -> None:
        """Remove `key`; KeyError if there is none. O(1)."""
        self.pop(key)

    def _home(self, key: K) -> tuple[list[dict[K, V] | None], int]:
        """The table and the slot in which `key` is, if it is anywhere."""
        if self._old is not None:
            index = hash(key) & self._old_mask
            if index >= self._moved:
                return self._old, index
        return self._table, hash(key) & self._mask

    # Rehashing.

    @property
    def rehashing(self) -> bool:
        """Whether there are two tables now."""
        return self._old is not None

    def rehash_step(self, buckets: int = 1) -> bool:
        """Move up to so many buckets to the new table; true while there is more to move.

        O(buckets): a run of empty slots ends the step early, as it would otherwise be as long as the table.
        """
        old = self._old
        if old is None:
            return False
        index, end = self._moved, len(old)
        visits = buckets * EMPTY_VISITS
        while index < end and buckets > 0 and visits > 0:
            bucket = old[index]
            if bucket is None:
                visits -= 1
            else:
                old[index] = None
                self._move(bucket)
                buckets -= 1
            index += 1
        self._moved = index
        if index < end:
            return True
        self._old = None
        self._resize()
        return self._old is not None

    def _move(self, bucket: dict[K, V]) -> None:
        """Put what a slot of the old table held into the new table."""
        table, mask = self._table, self._mask
        for key, value in bucket.items():
            index = hash(key) & mask
            target = table[index]
            if target is None:
                table[index] = {key: value}
            else:
                target[key] = value
                self._largest = max(self._largest, len(target))

    def _resize(self) -> None:
        """Begin a rehash if the load asks for it and none is under way."""
        if self._old is not None:
            return
        slots = len(self._table)
        if self._count > self._grow_at:
            slots *= 2
        elif self._count < self._shrink_at:
            slots = 1 << (max(self._count - 1, 0) // SHRUNK_LOAD).bit_length()
        else:
            return
        self._old, self._old_mask, self._moved = self._table, self._mask, 0
        table: list[dict[K, V] | None] = [None] * slots
        self._table, self._mask = table, slots - 1
        self._grow_at = slots * MAX_LOAD
        self._shrink_at = slots * MIN_LOAD if slots > 1 else 0

    # Many keys.

    def _buckets(self) -> Iterator[dict[K, V]]:
        """Every bucket that holds something, the old table's first."""
        for table in (self._old, self._table):
            if table is not None:
                yield from filter(None, table)

    def dismantle(self) -> Iterator[dict[K, V]]:
        """Take the mapping apart: bucket after bucket, each gone from it when it is given. It must not be used meanwhile.

        Freeing a table of millions at once takes long; a server frees it like this, a few buckets at a time.
        """
        tables = [self._table, self._old or []]
        self.clear()
        for table in tables:
            while table:
                bucket = table.pop()
                if bucket is not None:
                    yield bucket

    def __iter__(self) -> Iterator[K]:
        """The keys, in no particular order."""
        for bucket in self._buckets():
            yield from bucket

    def keys(self) -> Iterator[K]:
        """The keys, under the name that the builtin dict gives them."""
        return iter(self)

    def values(self) -> Iterator[V]:
        """The values, in the order of the keys."""
        for bucket in self._buckets():
            yield from bucket.values()

    def items(self) -> Iterator[tuple[K, V]]:
        """The keys with their values."""
        for bucket in self._buckets():
            yield from bucket.items()

    def scan(self, cursor: int, count: int = 10) -> tuple[int, list[tuple[K, V]]]:
        """Some items and the cursor to go on from; a scan begins at 0 and is complete when it gets 0 back.

        Whole buckets until `count` items have come together, so a few more may come; fewer, if ten slots for
        each of them were not enough. O(count). The head of this module says what a full scan guarantees.
        """
        items: list[tuple[K, V]] = []
        for _ in range(max(count, 1) * EMPTY_VISITS):
            cursor = self._scan_step(cursor, items)
            if cursor == 0 or len(items) >= count:
                break
        return cursor, items

    def _scan_step(self, cursor: int, items: list[tuple[K, V]]) -> int:
        """Collect what is in the slot of `cursor`, and in the other table's slots of the same keys."""
        small, mask = self._table, self._mask
        large = self._old
        if large is None:
            bucket = small[cursor & mask]
            if bucket is not None:
                items.extend(bucket.items())
            return next_cursor(cursor, mask)
        large_mask = self._old_mask
        if large_mask < mask:
            small, mask, large, large_mask = large, large_mask, small, mask
        bucket = small[cursor & mask]
        if bucket is not None:
            items.extend(bucket.items())
        while True:
            bucket = large[cursor & large_mask]
            if bucket is not None:
                items.extend(bucket.items())
            cursor = next_cursor(cursor, large_mask)
            if not cursor & (large_mask ^ mask):
                return cursor

    def random_item(self, rng: Random) -> tuple[K, V]:
        """One item, every one with the same probability; KeyError if there is none. O(1) expected.

        Throw a dart at a board of slots times places, as many places a slot as the fullest bucket has keys,
        until it hits a key. Any key of any bucket would favour the keys that share theirs with few others.
        """
        if not self._count:
            msg = "random_item of an empty Dict"
            raise KeyError(msg)
        places = self._largest
        unmoved = len(self._old) - self._moved if self._old is not None else 0
        board = (unmoved + len(self._table)) * places
        random = rng.random
        while True:
            slot, place = divmod(int(random() * board), places)
            bucket = self._slot(slot, unmoved) if unmoved else self._table[slot]
            if bucket is not None and place < len(bucket):
                return list(bucket.items())[place]

    def _slot(self, number: int, unmoved: int) -> dict[K, V] | None:
        """The slot of this number when the unmoved ones of the old table are counted first."""
        if self._old is not None and number < unmoved:
            return self._old[self._moved + number]
        return self._table[number - unmoved]

    def sample(self, n: int, rng: Random) -> list[tuple[K, V]]:
        """Up to n different items for eviction to choose from, at least one if there are any. O(n).

        Neighbours in the table from a random place on: good enough to guess what the keys are like, and much
        cheaper than n fair draws.
        """
        if not self._count:
            return []
        unmoved = len(self._old) - self._moved if self._old is not None else 0
        slots = unmoved + len(self._table)
        start = int(rng.random() * slots)
        items: list[tuple[K, V]] = []
        for number in range(start, start + min(slots, n * EMPTY_VISITS)):
            bucket = self._slot(number % slots, unmoved)
            if bucket is not None:
                items.extend(bucket.items())
                if len(items) >= n:
                    break
        if not items:
            return [self.random_item(rng)]
        size = len(items)
        if size <= n:
            return items
        # Evenly spread over what was met: neighbours in a bucket came in one after the other, and are alike.
        step, first = size // n, int(rng.random() * size)
        return [items[(first + place * step) % size] for place in range(n)]

    def random_items(self, n: int, rng: Random) -> list[tuple[K, V]]:
        """Up to n different items, every set of n as likely as any other. O(n) expected.

        Draws again whatever was drawn before, unless n is a good part of the whole: then a copy is shuffled.
        """
        if n * 3 >= self._count:
            return rng.sample(list(self.items()), min(n, self._count))
        drawn: dict[K, V] = {}
        while len(drawn) < n:
            key, value = self.random_item(rng)
            drawn[key] = value
        return list(drawn.items())

    def copy(self) -> Dict[K, V]:
        """A mapping of the same keys to the same values. O(n)."""
        twin: Dict[K, V] = Dict()
        for name in ("_mask", "_old_mask", "_moved", "_count", "_largest", "_grow_at", "_shrink_at"):
            setattr(twin, name, getattr(self, name))
        twin._table = [bucket and bucket.copy() for bucket in self._table]
        twin._old = None if self._old is None else [bucket and bucket.copy() for bucket in self._old]
        return twin

    # Looking inside.

    def stats(self) -> list[TableStats]:
        """The tables, the one being emptied first. O(n): for DEBUG HTSTATS."""
        found = []
        for table in (self._old, self._table):
            if table is not None:
                histogram: dict[int, int] = {}
                for bucket in table:
                    size = len(bucket) if bucket is not None else 0
                    histogram[size] = histogram.get(size, 0) + 1
                keys = sum(size * slots for size, slots in histogram.items())
                found.append(TableStats(len(table), keys, dict(sorted(histogram.items()))))
        return found

    def slots(self) -> list[list[int]]:
        """How many keys each slot holds, the table that is being emptied first. O(slots): for pictures."""
        tables = [self._table] if self._old is None else [self._old, self._table]
        return [[len(bucket) if bucket is not None else 0 for bucket in table] for table in tables]

    def snapshot(self) -> DictSnapshot:
        """Return all keys by table and slot, for a picture; safe to keep while the dict changes. O(n)."""
        tables = [self._table] if self._old is None else [self._old, self._table]
        return DictSnapshot([[tuple(slot or ()) for slot in table] for table in tables], self.rehash_index)

    @property
    def rehash_index(self) -> int:
        """The slot that the next rehash step moves, or -1 when none is under way (as Redis has it)."""
        return -1 if self._old is None else self._moved

    def memory_usage(self, samples: int = 5) -> int:
        """Bytes taken by the tables, without keys and values, estimated from the size of some buckets."""
        slots = len(self._table) + (0 if self._old is None else len(self._old))
        sizes: list[int] = []
        keys = 0
        for bucket in self._buckets():
            sizes.append(sys.getsizeof(bucket))
            keys += len(bucket)
            if samples and len(sizes) >= samples:
                break
        buckets = sum(sizes) * self._count // keys if keys else 0
        return sys.getsizeof(self) + slots * 8 + buckets

    def check(self) -> None:
        """Assert every invariant. O(n)."""
        assert len(self._table) == self._mask + 1
        assert self._mask & (self._mask + 1) == 0, "a power of two"
        count = self._check_table(self._table, self._mask)
        for index, bucket in enumerate(self._old or ()):
            assert bucket is None or index >= self._moved, "moved, and still there"
        if self._old is not None:
            assert len(self._old) == self._old_mask + 1 != len(self._table)
            for key in (key for bucket in filter(None, self._table) for key in bucket):
                assert hash(key) & self._old_mask < self._moved, "in the new table before its slot was moved"
            count += self._check_table(self._old, self._old_mask)
        else:
            assert self._shrink_at <= count <= self._grow_at, "a rehash is due"
        assert count == self._count

    def _check_table(self, table: list[dict[K, V] | None], mask: int) -> int:
        """Assert that every key of a table is at home, and return their number."""
        count = 0
        for index, bucket in enumerate(table):
            if bucket is not None:
                assert 0 < len(bucket) <= self._largest
                assert all(hash(key) & mask == index for key in bucket)
                count += len(bucket)
        return count
