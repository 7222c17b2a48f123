"""Knowing how much memory the data takes, at a price that a write can pay.

`maxmemory` needs one number before every command: how much is in use? Three ways to have it were weighed.

* *Ask the system* for the process's resident memory. That is true, but it does not come back when keys go: the allocator
  keeps what it was given. A server that evicted until it did would evict everything.
* *Ask the allocator.* CPython's counts blocks, not bytes, and only the small ones.
* *Count oneself.* Each entry notes its size (`sizes.py`), and the keyspace keeps the sum. Removing a key takes off just
  what it had put on, so the sum never drifts, whatever the estimates are worth.

It is the third. The ledger listens to the one call by which every change is announced (`Database.changed`), sizes the key anew,
and books the difference. That costs a write some hundreds of nanoseconds, and therefore only happens while there is a
limit. Large collections cost more to size; they are noted as stale, and sized when the clock has moved on, so once
for all the commands of a batch. A ledger that is opened while there are keys already sizes these a slice at a time; meanwhile the ones that are not
counted yet are taken to be like those that are. A closed one has nothing to go by, and answers from a sample.

What is not in the number: the interpreter and the program, some 40 megabytes. A limit of 100 megabytes is one for the data
and for what clients have in flight, as it is in Redis, whose own program is merely smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cutaway.commands.clocks import Stopwatch
from cutaway.commands.keyspaces import Database, Entry, Keyspace
from cutaway.commands.sizes import bytes_size, entry_size

UNIT: Final = 16
"""Bytes in the unit that `size` is kept in. What an allocator hands out is a multiple of it, and up to 256 of them, four
kilobytes, CPython keeps as integers that all share."""
SAMPLE: Final = 400
"""As many keys of a database are looked at where nothing was counted."""
STEP: Final = 50
"""Keys sized between two looks at the stopwatch."""
LARGE: Final = 4096 // UNIT
"""A collection of this size and more is not sized again with each change."""
_STRING_BYTES: Final = entry_size(b"", Entry(b"", 0)) - bytes_size(0) - bytes_size(0)


class Ledger:
    """The sizes of all keys and their sum, kept while it is open."""

    __slots__ = ("_cursors", "_keyspace", "_stopwatch", "is_open", "on_work", "settled_at", "stale")

    def __init__(self, keyspace: Keyspace, stopwatch: Stopwatch) -> None:
        self._keyspace: Final = keyspace
        self._stopwatch: Final = stopwatch
        self._cursors: Final[dict[Database, int]] = {}
        """Where the first sizing of each database goes on; empty when all are through."""
        self.is_open = False
        self.stale: Final[set[tuple[Database, bytes]]] = set()
        """The keys of large collections that were changed since they were sized."""
        self.settled_at = 0
        self.on_work: Callable[[], None] | None = None
        """Called when there are keys to be sized."""

    # ---- on and off

    def open(self) -> None:
        """Begin to count. O(1); what is there already is sized by `step`."""
        if self.is_open:
            return
        self.is_open = True
        self._keyspace.listen(self.changed)
        self._begin()

    def close(self) -> None:
        """Stop counting. The sizes stay where they are, and are made good if the ledger is opened again."""
        self.is_open = False
        self._keyspace.unlisten(self.changed)
        self._cursors.clear()
        self.stale.clear()

    def _begin(self) -> None:
        self._cursors.update((database, 0) for database in self._keyspace.databases if len(database))
        if self._cursors and self.on_work is not None:
            self.on_work()

    def changed(self, database: Database, key: bytes, _event: str, modified: bool) -> None:  # noqa: FBT001
        """A key was changed: book its new size. The keyspace's listener. O(1)."""
        if not modified:
            return
        entry = database.keys.get(key)
        if entry is None:
            return  # its size went with it
        value = entry.value
        if type(value) is bytes and not entry.expire_at:
            # The same as below, for the commonest of all keys without the calls.
            size = (_STRING_BYTES + (len(key) + 48 & -16) + (len(value) + 48 & -16)) // UNIT
        elif entry.size < LARGE or type(value) is bytes or type(value) is bytearray:
            size = (entry_size(key, entry) + UNIT - 1) // UNIT
        else:
            self.stale.add((database, key))
            return
        if size != entry.size:
            database.resize(entry, size)

    def settle(self) -> None:
        """Size the stale keys. O(stale keys)."""
        self.settled_at = self._keyspace.now
        stale = list(self.stale)
        self.stale.clear()
        for database, key in stale:
            entry = database.keys.get(key)
            if entry is not None:
                database.resize(entry, (entry_size(key, entry) + UNIT - 1) // UNIT)

    def step(self, nanoseconds: int) -> bool:
        """Size keys that were there before the ledger was opened, for about so long; True while there are more."""
        end = self._stopwatch() + nanoseconds
        while self._cursors:
            database, cursor = next(iter(self._cursors.items()))
            cursor, items = database.keys.scan(cursor, STEP)
            for key, entry in items:
                database.resize(entry, (entry_size(key, entry) + UNIT - 1) // UNIT)
            if cursor:
                self._cursors[database] = cursor
            else:
                del self._cursors[database]
            if self._stopwatch() >= end:
                break
        return bool(self._cursors)

    def look_for_uncounted(self) -> None:
        """Keys may have come in without a word, from a snapshot that was loaded: size these, too. O(databases)."""
        if self.is_open and not self._cursors and self.uncounted:
            self._begin()

    # ---- the number

    @property
    def uncounted(self) -> int:
        """How many keys have no size yet. O(databases)."""
        return sum(len(database) - database.counted for database in self._keyspace.databases)

    def uncounted_bytes(self) -> int:
        """An estimate for the keys that have no size yet, by those that have, or by a sample. O(databases + sample)."""
        total = 0
        for database in self._keyspace.databases:
            missing = len(database) - database.counted
            if missing and database.counted > SAMPLE:
                total += database.size * UNIT * missing // database.counted
            elif missing:
                total += sampled_bytes(database) * missing // len(database)
        return total

    def total(self) -> int:
        """What all keys take, in bytes: exact to the estimates if the ledger is open, or else from samples."""
        if self.is_open:
            self.settle()
            return self._keyspace.size * UNIT + self.uncounted_bytes()
        return sum(sampled_bytes(database) for database in self._keyspace.databases if len(database))


def sampled_bytes(database: Database, samples: int = SAMPLE) -> int:
    """What a database's keys take, in bytes, judged by the first `samples` of them in the order of their hashes.

    That order is random, but the same each time: a number that stands still while nothing changes.
    """
    if not len(database):
        return 0
    _, items = database.keys.scan(0, samples)
    total = sum(entry_size(key, entry) for key, entry in items)
    return total * len(database) // len(items) if items else 0
