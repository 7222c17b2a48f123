"""A solution of datastructures.dict: buckets are small dicts, the old table is emptied from its first slot on.

While two tables exist, a key's home is the old table if its slot there has not been moved yet, else the new one. The scan
cursor counts with its highest bit changing fastest, so that the slots into which one slot splits are its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cutaway.learn.rest import MISSING, TableRest

Slots = list[dict[Any, Any] | None]
FULL = 4
"""Keys a slot, on average, above which the table doubles."""


class Table(TableRest[Any, Any]):
    """A mapping that grows step by step, and can be scanned meanwhile."""

    def clear(self) -> None:
        """Forget all keys."""
        self._new: Slots = [None] * 4
        self._old: Slots = []
        self._moved = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def _home(self, key: Any) -> tuple[Slots, int]:
        """The table and the slot in which the key is, if it is anywhere."""
        if self._old:
            slot = hash(key) & len(self._old) - 1
            if slot >= self._moved:
                return self._old, slot
        return self._new, hash(key) & len(self._new) - 1

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of `key`, or `default`."""
        table, slot = self._home(key)
        return (table[slot] or {}).get(key, default)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.rehash_step(2)
        table, slot = self._home(key)
        bucket = table[slot]
        if bucket is None:
            bucket = table[slot] = {}
        self._count += key not in bucket
        bucket[key] = value
        self._resize()

    def pop(self, key: Any, default: Any = MISSING) -> Any:
        """Remove `key` and return its value; without the key, return `default`, or raise KeyError if that is MISSING."""
        self.rehash_step(2)
        table, slot = self._home(key)
        bucket = table[slot]
        if bucket is None or key not in bucket:
            if default is MISSING:
                raise KeyError(key)
            return default
        self._count -= 1
        value = bucket.pop(key)
        self._resize()
        return value

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Every key with its value."""
        for table in (self._old, self._new):
            for bucket in table:
                if bucket:
                    yield from bucket.items()

    def _resize(self) -> None:
        """Begin to move to a table of another size, if the load asks for it and no move is under way."""
        size = len(self._new)
        if self._old:
            return
        if self._count > size * FULL:
            size *= 2
        elif size > 4 and self._count < size // 2:
            size //= 2
        else:
            return
        self._old, self._moved = self._new, 0
        self._new = [None] * size

    def rehash_step(self, buckets: int = 1) -> bool:
        """Move up to so many buckets to the new table; true while there is more to move."""
        if not self._old:
            return False
        for _ in range(buckets):
            bucket, self._old[self._moved] = self._old[self._moved], None
            self._moved += 1
            for key, value in (bucket or {}).items():
                slot = hash(key) & len(self._new) - 1
                target = self._new[slot]
                if target is None:
                    target = self._new[slot] = {}
                target[key] = value
            if self._moved == len(self._old):
                self._old = []
                return False
        return True

    def scan(self, cursor: int, count: int = 10) -> tuple[int, list[tuple[Any, Any]]]:
        """The next cursor, and some items: whole buckets until there are `count`."""
        found: list[tuple[Any, Any]] = []
        for _ in range(count * 10):
            cursor = self._scan_slot(cursor, found)
            if cursor == 0 or len(found) >= count:
                break
        return cursor, found

    def _scan_slot(self, cursor: int, found: list[tuple[Any, Any]]) -> int:
        """Collect a slot of the smaller table and all slots of the larger one that hold keys of the same low bits."""
        tables = sorted(filter(None, (self._old, self._new)), key=len)
        small, large = tables[0], tables[-1]
        if small is not large:
            found += (small[cursor & len(small) - 1] or {}).items()
        while True:
            found += (large[cursor & len(large) - 1] or {}).items()
            cursor = following(cursor, len(large))
            if not cursor & (len(large) - 1) & ~(len(small) - 1):
                return cursor


def following(cursor: int, size: int) -> int:
    """Add one to the highest bit of a table's slot number, and carry downwards."""
    cursor &= size - 1
    bit = size >> 1
    while cursor & bit:
        cursor ^= bit
        bit >>= 1
    return cursor | bit
