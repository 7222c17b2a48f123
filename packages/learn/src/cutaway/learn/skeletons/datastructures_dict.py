"""Exercise datastructures.dict: how does a table grow, and be scanned, while nobody waits?

Python's dict moves all its entries when it is full, and an iteration over it dies when it changes. A server can afford
neither: so write a hash table of your own. A list of slots, its length a power of two, the low bits of `hash(key)` saying which
slot; what hangs in a slot (a list of pairs, a small dict) is up to you.

The contract
  * `get`, `table[key] = value`, `pop`, `len`, `items`, `clear`: a mapping.
  * No write moves more than a few buckets. When the table is too full there are two tables for a while; each write, and each
    `rehash_step(n)`, moves a bucket or n of them from the old one to the new one. `rehash_step` returns whether there is more to move.
  * `scan(cursor, count)` returns (next cursor, items). A scan begins with 0 and is complete when it gets 0 back. A key that is
    present during the whole scan is returned at least once, whatever was added, removed or moved meanwhile; one that never was,
    never. Twice is allowed. The table keeps no note of who is scanning: the cursor, one integer, is all there is.

`TableRest` adds what else the server asks for, in terms of these. You may write the rules in any order, but this one is good:
first a table of fixed size, then one that grows at once, then the scan, then growing step by step.

Check yourself:   python -m cutaway.learn check datastructures.dict
Stuck?            python -m cutaway.learn hint datastructures.dict
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cutaway.learn.rest import MISSING, TableRest


class Table(TableRest[Any, Any]):
    """A mapping that grows step by step, and can be scanned meanwhile."""

    def clear(self) -> None:
        """Forget all keys. Called once by the constructor: make your slots here."""

    def __len__(self) -> int:
        raise NotImplementedError

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of `key`, or `default`."""
        raise NotImplementedError

    def __setitem__(self, key: Any, value: Any) -> None:
        raise NotImplementedError

    def pop(self, key: Any, default: Any = MISSING) -> Any:
        """Remove `key` and return its value; without the key, return `default`, or raise KeyError if that is MISSING."""
        raise NotImplementedError

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Every key with its value."""
        raise NotImplementedError

    def scan(self, cursor: int, count: int = 10) -> tuple[int, list[tuple[Any, Any]]]:
        """The next cursor, and some items: whole buckets until there are `count`."""
        raise NotImplementedError

    def rehash_step(self, buckets: int = 1) -> bool:
        """Move up to so many buckets to the new table; true while there is more to move."""
        return False


def test_what_was_set_is_there() -> None:
    """The first step."""
    table = Table()
    table[b"k"] = 1
    got = table.get(b"k")
    assert got == 1
