"""The exact caches that Redis's sampled eviction approximates, to compare it with.

Both hold at most `capacity` keys, answer in O(1), and pay for exactness what Redis does not: a change of
shared structure at every read, and links (an OrderedDict holds two pointers a key besides the table).

**LRU** evicts what was not used for longest. A doubly linked list in order of use; a read moves its key to
the end. `OrderedDict` is that list, with a table that finds the link of a key.

**LFU** evicts what was used least often, among equals what was not used for longest. A list of keys for each
number of uses, and the lowest such number: a read moves its key from list n to list n + 1, and the lowest
number can only become n + 1 by that, or 1 by a new key. So the victim is found without a heap (Shah, Mitra
and Matani 2010, "An O(1) algorithm for implementing the LFU cache eviction scheme").
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


def _positive(capacity: int) -> int:
    if capacity < 1:
        msg = f"a cache needs a capacity of at least 1, not {capacity}"
        raise ValueError(msg)
    return capacity


class LRUCache(Generic[K, V]):
    """A mapping of the keys used last."""

    __slots__ = ("_items", "capacity")

    def __init__(self, capacity: int) -> None:
        """Make an empty cache for so many keys; ValueError unless there is at least one."""
        self.capacity = _positive(capacity)
        self._items: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        """The number of keys. O(1)."""
        return len(self._items)

    def __contains__(self, key: K) -> bool:
        """Whether `key` is cached; asking is not using. O(1)."""
        return key in self._items

    def get(self, key: K) -> V | None:
        """The value of `key`, which is now the one used last; or None. O(1)."""
        if key not in self._items:
            return None
        self._items.move_to_end(key)
        return self._items[key]

    def put(self, key: K, value: V) -> K | None:
        """Cache a value, which counts as a use of `key`; return the key evicted for it, or None. O(1)."""
        evicted = None
        if key not in self._items and len(self._items) == self.capacity:
            evicted, _ = self._items.popitem(last=False)
        self._items[key] = value
        self._items.move_to_end(key)
        return evicted

    def keys(self) -> list[K]:
        """The keys, the next victim first. O(n)."""
        return list(self._items)

    def check(self) -> None:
        """Assert that there are not too many keys."""
        assert len(self._items) <= self.capacity


class LFUCache(Generic[K, V]):
    """A mapping of the keys used most."""

    __slots__ = ("_by_uses", "_fewest", "_items", "capacity")

    def __init__(self, capacity: int) -> None:
        """Make an empty cache for so many keys; ValueError unless there is at least one."""
        self.capacity = _positive(capacity)
        self._items: dict[K, tuple[V, int]] = {}
        self._by_uses: dict[int, OrderedDict[K, None]] = {}
        self._fewest = 0

    def __len__(self) -> int:
        """The number of keys. O(1)."""
        return len(self._items)

    def __contains__(self, key: K) -> bool:
        """Whether `key` is cached; asking is not using. O(1)."""
        return key in self._items

    def uses(self, key: K) -> int:
        """How often `key` was used since it was cached; 0 if it is not. O(1)."""
        return self._items[key][1] if key in self._items else 0

    def get(self, key: K) -> V | None:
        """The value of `key`, which counts as a use; or None. O(1)."""
        if key not in self._items:
            return None
        value, _ = self._items[key]
        self._use(key, value)
        return value

    def put(self, key: K, value: V) -> K | None:
        """Cache a value, which counts as a use of `key`; return the key evicted for it, or None. O(1)."""
        evicted = None
        if key not in self._items:
            if len(self._items) == self.capacity:
                evicted = next(iter(self._by_uses[self._fewest]))
                self._unlink(evicted, self._fewest)
                del self._items[evicted]
            self._fewest = 0
        self._use(key, value)
        return evicted

    def _use(self, key: K, value: V) -> None:
        """Move `key` to the list of keys used once more."""
        uses = self.uses(key)
        if uses:
            self._unlink(key, uses)
        if uses == self._fewest and uses not in self._by_uses:
            self._fewest = uses + 1
        self._items[key] = (value, uses + 1)
        self._by_uses.setdefault(uses + 1, OrderedDict())[key] = None

    def _unlink(self, key: K, uses: int) -> None:
        """Take `key` out of the list of keys used so often, and drop the list with its last key."""
        peers = self._by_uses[uses]
        del peers[key]
        if not peers:
            del self._by_uses[uses]

    def keys(self) -> list[K]:
        """The keys, the next victim first. O(n log n)."""
        return [key for uses in sorted(self._by_uses) for key in self._by_uses[uses]]

    def check(self) -> None:
        """Assert that every key is in the list of its number of uses, and that the lowest number is right."""
        assert len(self._items) <= self.capacity
        listed = {key: uses for uses, peers in self._by_uses.items() for key in peers}
        assert listed == {key: uses for key, (_, uses) in self._items.items()}
        assert all(self._by_uses.values()), "an empty list"
        assert not self._items or self._fewest == min(self._by_uses)
