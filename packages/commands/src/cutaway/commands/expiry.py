"""The active side of expiry: finding keys that are over and that nobody asks for.

Lazy expiry (in `keyspaces.py`) hides a key the moment its time has come, but memory comes back only when somebody looks.
So a cycle runs in the background, as in Redis: look at a few keys of those that have an expiry, remove the ones that
are over, and go on while a good part of the sample (more than a tenth) was; stop when the time slice is used up. The
share of expired keys in memory thus stays small with a bounded effort, and no index ordered by time is needed.

Which few? Not random ones: what is over becomes rarer with each that is found, and a small sample is soon enough poor by bad
luck, long before a tenth is true. A cursor walks through the table instead, as SCAN does. The order of a hash table is as good
as random, and what lies ahead of the cursor has not been swept yet, so the yield falls only when a round is complete.

`active-expire-effort` (1 to 10) makes the slice longer, the sample larger, and the share smaller that is worth going on for.

Hash fields that expire are found in the same way, but by their hashes, each of which knows the first moment that concerns it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from cutaway.commands.clocks import Stopwatch

if TYPE_CHECKING:
    from cutaway.commands.keyspaces import Database, Entry, Keyspace

SAMPLE: Final = 20
ACCEPTABLE_STALE: Final = 10
"""Per cent; with each step of effort one less is accepted."""
SLICE_NANOSECONDS: Final = 2_500_000


class ActiveExpiry:
    """Removes expired keys and hash fields, a sample at a time."""

    __slots__ = (
        "_cursors",
        "_keyspace",
        "_next_database",
        "_stopwatch",
        "_walks",
        "effort",
        "enabled",
        "nanoseconds",
        "stale_share",
        "time_limit_reached",
    )

    def __init__(self, keyspace: Keyspace, stopwatch: Stopwatch) -> None:
        self._keyspace: Final = keyspace
        self._stopwatch: Final = stopwatch
        self._next_database = 0
        self._cursors: Final[dict[int, int]] = {}
        """Where the walk through each database goes on."""
        self._walks: Final[dict[int, Iterator[bytes]]] = {}
        """The same for the hashes with fields that expire: a list of them is made once a round, not once a cycle."""
        self.enabled = True
        """DEBUG SET-ACTIVE-EXPIRE."""
        self.effort = 1
        self.stale_share = 0.0
        """An estimate of the share of keys with an expiry that are over but not yet removed (INFO)."""
        self.time_limit_reached = 0
        self.nanoseconds = 0
        """How long all cycles took together, since the start or since the counts were forgotten."""

    def forget_counts(self) -> None:
        """Count from zero (CONFIG RESETSTAT)."""
        self.stale_share = 0.0
        self.time_limit_reached = self.nanoseconds = 0

    def cycle(self) -> int:
        """Remove what a few samples find, within one time slice; the number of keys removed."""
        if not self.enabled or not self._keyspace.may_expire:
            return 0
        started = self._stopwatch()
        end = started + SLICE_NANOSECONDS * (1 + (self.effort - 1) // 2)
        removed = 0
        databases = self._keyspace.databases
        for offset in range(len(databases)):
            index = (self._next_database + offset) % len(databases)
            removed += self._sweep(databases[index], end)
            if self._stopwatch() > end:
                self._next_database = index + 1
                self.time_limit_reached += 1
                break
        self.nanoseconds += self._stopwatch() - started
        return removed

    def _sweep(self, database: Database, end: int) -> int:
        removed = 0
        while database.expires:
            sampled, expired = self._sample(database)
            removed += expired
            if sampled:
                self.stale_share = self.stale_share * 0.95 + expired / sampled * 0.05
            if self._is_enough(sampled, expired) or self._stopwatch() > end:
                break
        if database.volatile_fields:
            self._sweep_fields(database, end)
        return removed

    def _is_enough(self, sampled: int, expired: int) -> bool:
        return 100 * expired <= sampled * (ACCEPTABLE_STALE - (self.effort - 1))

    @property
    def _sample_size(self) -> int:
        return SAMPLE + SAMPLE // 4 * (self.effort - 1)

    def _sample(self, database: Database) -> tuple[int, int]:
        now = self._keyspace.now
        sample = self._next_keys(database, self._sample_size)
        total = expired = 0
        for key, entry in sample.items():
            if entry.expire_at <= now:
                database.expire_now(key)
                expired += 1
            else:
                total += entry.expire_at - now
        if len(sample) > expired:
            average = total // (len(sample) - expired)
            database.average_ttl = (
                average if not database.average_ttl else (database.average_ttl * 49 + average) // 50
            )
        return len(sample), expired

    def _next_keys(self, database: Database, count: int) -> dict[bytes, Entry]:
        """The next keys on the walk through those with an expiry: `count` or a few more; all of them, if they are fewer."""
        cursor = self._cursors.get(database.index, 0)
        cursor, items = database.expires.scan(cursor, count)
        if not cursor and len(items) < count:  # a round is complete: go on with the next
            cursor, more = database.expires.scan(cursor, count - len(items))
            items += more
        self._cursors[database.index] = cursor
        return dict(items)

    def _sweep_fields(self, database: Database, end: int) -> None:
        now = self._keyspace.now
        is_enough = False
        while not is_enough and self._stopwatch() <= end:
            sampled = expired = 0
            for key in islice(self._walk_of_hashes(database), self._sample_size):
                sampled += 1
                entry = database.volatile_fields.get(key)
                due = None if entry is None else entry.value.next_expiry
                if entry is not None and due is not None and due <= now:
                    database.expire_fields(key, entry)
                    expired += 1
            is_enough = self._is_enough(sampled, expired)

    def _walk_of_hashes(self, database: Database) -> Iterator[bytes]:
        """The keys of hashes with fields that expire, from where the last sample ended to the end of the round."""
        walk = self._walks.get(database.index, iter(()))
        first = next(walk, None)
        if first is None:
            walk = self._walks[database.index] = iter(list(database.volatile_fields))
            return walk
        return chain((first,), walk)
