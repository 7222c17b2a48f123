"""The slow log, and its two younger siblings: which commands took long, came in large, or answered at length.

A log like that must never become the problem it reports. So it has a fixed number of entries, the oldest of which goes
when a new one comes; and an entry is small, whatever the command was: no more than 32 arguments, each no longer
than 128 bytes, with a note of what was left out. It is kept in memory and read with SLOWLOG GET or COMMANDLOG GET.

`slow` measures microseconds of execution, without the wait for the network or for other clients; `large-request` and
`large-reply` measure bytes on the wire. The threshold is the caller's: what is added here stays.

Redis: SLOWLOG (`slowlog.c`); Valkey 8.1: COMMANDLOG.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

MAX_ARGUMENTS: Final = 32
MAX_ARGUMENT_BYTES: Final = 128


@dataclass(frozen=True, slots=True)
class Entry:
    """One command that was worth a note."""

    id: int
    """Numbers only grow, also over a reset: who reads regularly can tell what is new."""
    time: int
    """When, in seconds since the epoch."""
    value: int
    """What was measured: microseconds, or bytes."""
    arguments: tuple[bytes, ...]
    """Trimmed."""
    address: str
    client_name: bytes


def trimmed(argv: Sequence[bytes]) -> tuple[bytes, ...]:
    """A request as an entry keeps it: 32 arguments of 128 bytes at the most, and how much is missing. O(1)."""
    count = len(argv)
    kept = argv if count <= MAX_ARGUMENTS else argv[: MAX_ARGUMENTS - 1]
    words = [
        word
        if len(word) <= MAX_ARGUMENT_BYTES
        else b"%b... (%d more bytes)" % (word[:MAX_ARGUMENT_BYTES], len(word) - MAX_ARGUMENT_BYTES)
        for word in kept
    ]
    if count > MAX_ARGUMENTS:
        words.append(b"... (%d more arguments)" % (count - MAX_ARGUMENTS + 1))
    return tuple(words)


class CommandLog:
    """The last commands that exceeded a threshold, the newest first."""

    __slots__ = ("_entries", "_limit", "_next_id")

    def __init__(self, limit: int = 128) -> None:
        self._entries: Final[deque[Entry]] = deque()
        self._limit = limit
        self._next_id = 0

    @property
    def limit(self) -> int:
        """How many entries are kept. A smaller one takes effect with the next entry, as in Redis."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit = limit

    def add(
        self, argv: Sequence[bytes], value: int, *, time: int, address: str = "", client_name: bytes = b""
    ) -> None:
        """Note a command. `argv` must hold no secret any more. O(1)."""
        self._entries.appendleft(Entry(self._next_id, time, value, trimmed(argv), address, client_name))
        self._next_id += 1
        while len(self._entries) > self._limit:
            self._entries.pop()

    def newest(self, count: int) -> list[Entry]:
        """The last `count` entries, the newest first; all for -1. O(count)."""
        return list(self._entries if count < 0 else islice(self._entries, count))

    def clear(self) -> None:
        """Forget all entries; the numbers go on."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def check(self) -> None:
        """Assert what must hold: the numbers fall without a gap, and the newest is the last one given out."""
        numbers = [entry.id for entry in self._entries]
        assert numbers == list(range(self._next_id - 1, self._next_id - 1 - len(numbers), -1))
        assert all(len(entry.arguments) <= MAX_ARGUMENTS for entry in self._entries)
