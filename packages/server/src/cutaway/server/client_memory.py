"""What clients take up, and what happens when it is too much.

A client that sends faster than it reads, or begins a request and never ends it, makes the server hold bytes for it: in the parser,
in a queue of requests, in the buffers of replies. `maxmemory-clients` limits the sum over all clients. Beyond it clients are
closed, the largest first, until the sum is below. CLIENT NO-EVICT spares one, a monitoring tool for instance.

The sum is kept as Redis keeps it: each connection remembers what it was last counted with, and at the end of a turn of the loop
those that moved bytes in it are counted again. While there is neither `maxmemory-clients` nor `maxmemory`, which the sum is
a part of, nobody counts.

A connection that does nothing takes what `BASE_BYTES` says, measured over a thousand of them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands.eviction import ROOM, Evictor

if TYPE_CHECKING:
    from cutaway.commands import Client, Engine
    from cutaway.server.connection import Connection
    from cutaway.server.servers import Server

log: Final = logging.getLogger("cutaway.server")

BASE_BYTES: Final = 6 * 1024
WATCH_BYTES: Final = 200
"""For each key that is watched; and for each subscription and each tracking prefix as much."""

WORD_BYTES: Final = 48
"""What a word of a request takes besides its bytes: the object's header, and its place in the list."""


def state_bytes(client: Client) -> int:
    """What is kept for a client: the request that waits, its transaction, the keys it watches, its subscriptions. O(rooms)."""
    waiting = client.blocked
    size = 0 if waiting is None else sum(len(word) + WORD_BYTES for word in waiting.argv)
    for extra in client.extras.values():
        info: dict[str, int] = getattr(extra, "info", dict)()
        size += info.get("multi-mem", 0)
        size += WATCH_BYTES * sum(info.get(name, 0) for name in ("multi", "watch", "sub", "psub", "ssub"))
        size += WATCH_BYTES * len(getattr(extra, "prefixes", ()))
    return size


class ClientMemory:
    """The memory of all connections together, and their eviction."""

    __slots__ = ("_engine", "_limit", "_server", "_touched", "evicted", "is_watching", "total")

    def __init__(self, engine: Engine, server: Server) -> None:
        self._engine: Final = engine
        self._server: Final = server
        self._touched: Final[set[Connection]] = set()
        self._limit = 0
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

    def evict(self) -> None:
        """Close the largest clients until the rest keeps to the limit. O(n log n), when it is exceeded."""
        for connection in sorted(self._server.connections, key=_memory, reverse=True):
            if self.total <= self._limit:
                break
            client = connection.client
            if client.no_evict or connection.is_closing:
                continue
            log.info("Evicting client: id=%d addr=%s, %d bytes", client.id, client.address, connection.memory)
            self.evicted += 1
            connection.drop()
            client.close()  # at once: whoever asks for CLIENT LIST next does not see it any more
            self.forget(connection)

    def _look_at_all(self, _now: int) -> None:
        """Ten times a second: buffers drain, and rooms keep things, without a word. O(clients)."""
        connections = self._server.connections
        if not self.is_watching:
            self._tell(
                BASE_BYTES * len(connections)
            )  # for INFO, at least what they take when they do nothing
        elif connections:
            self._touched.update(connections)
            self.settle()

    def _reset(self) -> None:
        self.evicted = 0


def _memory(connection: Connection) -> int:
    return connection.memory
