"""Fair turns: one client that sends requests by the thousand must not keep the others waiting.

The event loop hands over whatever a socket has, up to a quarter of a megabyte, and then again, as long as it finds as much. With
nothing in the way, a dozen clients that never stop sending would be served for seconds before anybody else has a turn.
So a connection is served in one turn of the loop for a certain time, its share. What it has sent beyond that waits, nothing
more is read from it meanwhile, and it goes on in the next turn, after the others have been looked at.

A turn in which much has been done already is late, and whoever comes with more than one request then has to wait for the next. A
client that sends one request at a time, and waits for the reply, is never made to wait.

The time of one turn is shared among those that have too much to do: alone, a client is served for some milliseconds at a
time, which costs next to nothing against running it all; fifty such clients get a fraction of a millisecond each.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.resp import RequestLimits
    from cutaway.server.connection import Connection

TURN: Final = 8_000_000
"""Nanoseconds, for all clients together that have more to do than their share."""
LEAST: Final = 200_000
NEVER: Final = 2**63
LATE: Final = 20
"""Milliseconds after its first request a turn is late."""
SLICE, SMALL_SLICE = 1024, 128
STRANGERS_SLICE: Final = 16
"""Of who has not logged in, and may be guessing passwords: a guess that fails costs ten times what a command does."""
BITE, SMALL_BITE = 65536, 4096


class Turns:
    """The connections that have more to do than one turn allows."""

    __slots__ = (
        "_is_armed", "_keyspace", "_late_after", "_loop", "_stopwatch", "_waiting", "are_crowded", "bite",
        "share", "slice",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, engine: Engine) -> None:
        self._loop: Final = loop
        self._keyspace: Final = engine.keyspace
        self._stopwatch: Final = engine.stopwatch
        self._is_armed = False
        self._late_after = NEVER
        self._waiting: Final[deque[Connection]] = deque()
        self.are_crowded = False
        """Whether several have too much to do: then nobody begins with much before the next turn."""
        self.share = TURN
        """How long a connection may be served in one turn, in nanoseconds."""
        self.slice = SLICE
        """How many requests it runs between two looks at the clock."""
        self.bite = BITE
        """How many bytes it parses at a time, unless they belong to one large argument."""

    def begin(self) -> None:
        """The first request of a turn has run."""
        self._late_after = self._keyspace.now + LATE

    def end(self) -> None:
        """The replies of a turn are about to be written."""
        self._late_after = NEVER

    def are_too_many(self, requests: list[list[bytes]], limits: RequestLimits) -> bool:
        """Whether these must wait for the next turn: they are many, or the turn is late. O(1)."""
        most = self.slice if limits.authenticated else STRANGERS_SLICE
        return len(requests) > most or self._keyspace.now > self._late_after

    def postpone(self, connection: Connection) -> None:
        """Let `connection` go on in the next turn of the loop, or when its turn comes. O(1)."""
        self._waiting.append(connection)
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_soon(self._next)
        if len(self._waiting) > 1:
            self._crowd(True)

    def _next(self) -> None:
        """Let those who wait go on, first come, first served, until the time of a turn is used up."""
        waiting, stopwatch = self._waiting, self._stopwatch
        self._is_armed = False
        self.share = max(TURN // len(waiting), LEAST)
        self._crowd(len(waiting) > 1)
        end = stopwatch() + TURN
        for _ in range(len(waiting)):
            waiting.popleft().go_on()
            if stopwatch() >= end:
                break
        if not waiting:
            self.share = TURN
            self._crowd(False)
        elif not self._is_armed:
            self._is_armed = True
            self._loop.call_soon(self._next)

    def _crowd(self, are_crowded: bool) -> None:  # noqa: FBT001 - what it is about
        self.are_crowded = are_crowded
        self.slice, self.bite = (SMALL_SLICE, SMALL_BITE) if are_crowded else (SLICE, BITE)
