"""What clients take up, and what happens when it is too much.

A client that sends faster than it reads, or begins a request and never ends it, makes the server hold bytes for it: in the parser,
in a queue of requests, in the buffers of replies. `maxmemory-clients` limits the sum over all clients. Beyond it clients are
closed, the largest first, until the sum is below. CLIENT NO-EVICT spares one, a monitoring tool for instance.

The sum is kept as Redis keeps it: each connection remembers what it was last counted with, and at the end of a turn of the loop
those that moved bytes in it are counted again. While there is neither `maxmemory-clients` nor `maxmemory`, which the sum is
a part of, nobody counts.

A connection that does nothing takes what `BASE_BYTES` says, measured over a thousand of them. What a room keeps for a client, its
queued commands, watched keys or subscriptions, the room itself knows: its entry in `client.extras` has a method `memory_usage`.
Counting must not cost what it counts: somebody who lets a million requests wait would otherwise keep the server busy with it ten
times a second. So all these figures are running sums, and `Backlogs` looks at each waiting request once.
"""

from __future__ import annotations

import logging
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands.client_lists import describe
from cutaway.commands.eviction import ROOM, Evictor

if TYPE_CHECKING:
    from cutaway.commands import Client, Engine
    from cutaway.resp import RequestParser
    from cutaway.server.connection import Connection
    from cutaway.server.servers import Server

log: Final = logging.getLogger("cutaway.server")

BASE_BYTES: Final = 6 * 1024
WORD_BYTES: Final = 48
"""What a word of a request takes besides its bytes: the object's header, and its place in the list."""
SMALL_BACKLOG: Final = 64
"""So few waiting requests are counted afresh each time."""
RECENT_SECONDS: Final = 8
"""INFO's "recent" largest buffers are those of so many seconds, as in Redis."""


def state_bytes(client: Client) -> int:
    """What is kept for a client: its names, the request that waits, and what the rooms know of. O(rooms)."""
    size = len(client.name) + len(client.library_name) + len(client.library_version)
    if client.blocked is not None:
        size += client.blocked.memory_usage()
    for extra in client.extras.values():
        if hasattr(extra, "memory_usage"):
            size += extra.memory_usage()
    return size


def parser_bytes(parser: RequestParser) -> int:
    """What a request takes that is not complete yet. O(arguments that have come since the last time)."""
    count = getattr(parser, "argument_count", 0)  # a reader's own parser need not count them
    return parser.pending + parser.argument_bytes + WORD_BYTES * count


def _request_bytes(argv: list[bytes]) -> int:
    return sum(map(len, argv)) + WORD_BYTES * len(argv)


class Backlogs:
    """What the requests take that wait in connections, with a note on those in which there are many."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: Final[dict[Connection, tuple[int, int, int]]] = {}
        """How many commands had run when it was counted, how many waited, and their bytes."""

    def measure(self, connection: Connection, waiting: deque[list[bytes]]) -> int:
        """The bytes of `waiting`. While none of them runs, O(those that have come since the last time)."""
        if len(waiting) < SMALL_BACKLOG:
            return sum(map(_request_bytes, waiting))
        run = connection.client.total_commands
        run_then, length, size = self._seen.get(connection, (-1, 0, 0))
        if run == run_then and len(waiting) >= length:
            size += sum(map(_request_bytes, islice(reversed(waiting), len(waiting) - length)))
        elif len(waiting) > length or len(waiting) < length - length // 8:
            size = sum(map(_request_bytes, waiting))
        else:  # some have run: it would take longer to count the others again than to run them
            return size * len(waiting) // length
        self._seen[connection] = (run, len(waiting), size)
        return size

    def forget(self, connection: Connection) -> None:
        """The connection has ended, or nothing waits any more."""
        self._seen.pop(connection, None)


class ClientMemory:
    """The memory of all connections together, and their eviction."""

    __slots__ = (
        "_engine", "_is_helpless", "_limit", "_recent", "_server", "_touched", "backlogs", "evicted", "is_watching", "total",
    )  # fmt: skip

    def __init__(self, engine: Engine, server: Server) -> None:
        self._engine: Final = engine
        self._server: Final = server
        self._touched: Final[set[Connection]] = set()
        self._limit = 0
        self._is_helpless = False
        """There is too much, and all who are left are spared: that was logged."""
        self._recent: Final[deque[tuple[int, int, int]]] = deque(maxlen=RECENT_SECONDS)
        """For each of the last seconds in which something waited, the most that came in and was to go out for one connection."""
        self.backlogs: Final = Backlogs()
        self.is_watching = False
        """Whether anybody needs the sum; connections report to `touch` only then."""
        self.total = 0
        self.evicted = 0
        engine.extras.setdefault("on_resetstat", []).append(self._reset)
        engine.config.subscribe("maxmemory-clients", self._configure)
        engine.config.subscribe("maxmemory", self._configure)
        engine.on_cron = (*engine.on_cron, self._look_at_all)

    def _configure(self, _value: Any) -> None:
        config = self._engine.config
        maxmemory, limit = config.integer("maxmemory"), config.integer("maxmemory-clients")
        self._limit = limit if limit >= 0 else maxmemory * -limit // 100
        self.is_watching = self._limit > 0 or maxmemory > 0
        self._tell(0)
        for connection in self._server.connections:
            connection.memory = 0
            self.touch(connection)

    def _tell(self, total: int) -> None:
        self.total = total
        evictor: Evictor = self._engine.extras[ROOM]
        evictor.unbooked += total - evictor.client_bytes
        evictor.client_bytes = total

    def touch(self, connection: Connection) -> None:
        """Bytes have moved: count this connection again at the end of the turn."""
        if not self._touched:
            self._server.arm()
        self._touched.add(connection)

    def admit(self, connection: Connection, received: int) -> None:
        """So much of a request has come in: it is in memory until it has run, and may be too much before. O(1)."""
        if 0 < self._limit < self.total - connection.memory + BASE_BYTES + received:
            growth = BASE_BYTES + received - connection.memory
            connection.memory += growth
            self._tell(self.total + growth)
            self.evict()

    def forget(self, connection: Connection) -> None:
        """The connection has ended."""
        self._touched.discard(connection)
        self.backlogs.forget(connection)
        if connection.memory:
            self._tell(self.total - connection.memory)
            connection.memory = 0

    def settle(self) -> None:
        """The end of a turn: count the connections that moved bytes, and close some if they take too much."""
        if not self._touched:
            return
        growth = 0
        for connection in self._touched:
            size = connection.memory_usage() if self.is_watching and not connection.is_closing else 0
            growth += size - connection.memory
            connection.memory = size
        self._touched.clear()
        self._tell(self.total + growth)
        if 0 < self._limit < self.total:
            self.evict()
        else:
            self._is_helpless = False

    def evict(self) -> None:
        """Close the largest clients until the rest keeps to the limit. O(n log n), when it is exceeded."""
        may_go = [each for each in self._server.connections if not (each.client.no_evict or each.is_closing)]
        for connection in sorted(may_go, key=_memory, reverse=True):
            if self.total <= self._limit:
                return
            client = connection.client
            log.info("Evicting client: %s", describe(client).decode(errors="replace"))
            self.evicted += 1
            connection.drop()
            client.close()  # at once: whoever asks for CLIENT LIST next does not see it any more
            self.forget(connection)
        if self.total > self._limit and not self._is_helpless:
            self._is_helpless = True
            log.warning("Over client maxmemory after evicting all evictable clients")

    def _look_at_all(self, _now: int) -> None:
        """Ten times a second: buffers drain without a word. O(clients), of which those cost little that have nothing."""
        connections = self._server.connections
        if not self.is_watching:  # for INFO, at least what they take when they do nothing
            self._tell(BASE_BYTES * len(connections))
            return
        self._touched.update(each for each in connections if each.memory != BASE_BYTES)
        self.settle()

    # ---- the largest buffers, for INFO

    def note(self, incoming: int, outgoing: int) -> None:
        """Just now so many bytes wait in one connection, from its client and for it. O(1)."""
        second = self._engine.keyspace.now // 1000
        recent = self._recent
        if recent and recent[-1][0] == second:
            _, most_in, most_out = recent.pop()
            incoming, outgoing = max(incoming, most_in), max(outgoing, most_out)
        recent.append((second, incoming, outgoing))

    def recent(self) -> tuple[int, int]:
        """The most that waited in one connection within the last seconds: from the client, for the client. O(clients)."""
        for connection in self._server.connections:
            self.note(connection.input_bytes(), connection.output_bytes())
        oldest = self._engine.keyspace.now // 1000 - RECENT_SECONDS
        recent = [each for each in self._recent if each[0] > oldest]
        return max((each[1] for each in recent), default=0), max((each[2] for each in recent), default=0)

    def _reset(self) -> None:
        self.evicted = 0


def _memory(connection: Connection) -> int:
    return connection.memory
