"""The server: listening sockets, connections, and the turn of the event loop.

One thread, one loop. Each turn the loop hands every readable socket's bytes to its `Connection`, which runs the requests and
gathers the replies. `before_sleep` then ends the turn, in the order that makes the promise of the append-only file true:
log first, then answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from cutaway.commands import Client, CommandError, Engine
from cutaway.commands.client_lists import client_type
from cutaway.commands.engine import NEVER
from cutaway.commands.eviction import ROOM as MEMORY
from cutaway.commands.eviction import Evictor
from cutaway.resp import ProtocolError, Reply
from cutaway.server import collector, protection
from cutaway.server.client_memory import ClientMemory
from cutaway.server.connection import Connection
from cutaway.server.lone_requests import LoneRequests
from cutaway.server.ports import Ports
from cutaway.server.trimming import Trimmer
from cutaway.server.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutaway.server.parts import Parts

log: Final = logging.getLogger("cutaway.server")

TOO_MANY: Final = b"-ERR max number of clients reached\r\n"
QUIET_SECONDS: Final = 10.0
"""After a line about too many clients there is none for so long."""
RECLAIM_NANOSECONDS: Final = 500_000
RECLAIM_PAUSE: Final = 0.001
"""Memory is given back half a millisecond at a time, with a pause of a millisecond (in seconds) in between."""

OutputLimits = dict[bytes, tuple[int, int, int]]
"""By client type: hard limit in bytes, soft limit in bytes, seconds over the soft limit; 0 for none."""


SizeListener = Callable[["Client", "Sequence[bytes]", int], None]
"""Gets the client, its request, and the size in bytes."""


def _ignore_size(_client: Client, _argv: Sequence[bytes], _size: int) -> None:
    """The default where nobody keeps a log of large commands."""


class Server:
    """An engine on the network."""

    __slots__ = (
        "_bytes_in", "_bytes_out", "_cron_handle", "_deadline_handle", "_flush_handle", "_listeners",
        "_quiet_until", "_trimmer", "_work_handle", "before_flush", "client_memory", "connections",
        "connections_received", "connections_rejected", "cron_nanoseconds", "cron_paused", "cycles", "engine",
        "evictor", "large_reply", "large_request", "lone", "loop", "on_large_reply", "on_large_request",
        "output_limit_disconnections", "output_limits", "parts", "ports", "query_limit_disconnections",
        "reads", "started_at", "stopping", "to_flush", "turns", "unread_bytes", "writes",
    )  # fmt: skip

    def __init__(self, engine: Engine, parts: Parts, loop: asyncio.AbstractEventLoop) -> None:
        self.engine: Final = engine
        self.parts: Final = parts
        self.loop: Final = loop
        self.connections: Final[set[Connection]] = set()
        self.to_flush: Final = _Flushing(self)
        self.lone: Final = LoneRequests(self)
        self.turns: Final = Turns(loop, engine)
        self.unread_bytes = 0
        """What clients have left unread who are behind by much."""
        self.before_flush: tuple[Callable[[], None], ...] = ()
        """Called once per turn before replies are written: the append-only file."""
        self.output_limits: OutputLimits = {b"normal": (0, 0, 0), b"replica": (0, 0, 0), b"pubsub": (0, 0, 0)}
        self.large_request = self.large_reply = NEVER
        """From how many bytes on a request or a reply is told to `on_large_request` and `on_large_reply`."""
        self.on_large_request: SizeListener = _ignore_size
        self.on_large_reply: SizeListener = _ignore_size
        self.forget_counts()
        self._work_handle: asyncio.Handle | None = None
        self.evictor: Final[Evictor] = engine.extras[MEMORY]
        self.client_memory: Final = ClientMemory(engine, self)
        self.started_at = engine.keyspace.now
        self.stopping: Final = asyncio.Event()
        self._listeners: Final[list[asyncio.Server]] = []
        self.ports: Final = Ports(self)
        self._quiet_until = 0.0
        self._flush_handle: asyncio.Handle | None = None
        self._cron_handle: asyncio.TimerHandle | None = None
        self._deadline_handle: asyncio.TimerHandle | None = None
        self.cron_paused = False
        self._trimmer: Final = Trimmer()
        engine.extras["server"] = self
        engine.extras["overflows"] = self._overflows
        engine.extras["pause_cron"] = self._pause_cron
        engine.reclaimer.on_work = self._reclaim_soon
        self.evictor.on_work = self._evict_soon
        engine.config.subscribe("client-output-buffer-limit", self._set_output_limits)

    def forget_counts(self) -> None:
        """Count from zero: at the start, and with CONFIG RESETSTAT."""
        self.connections_received = self.connections_rejected = 0
        self.output_limit_disconnections = self.query_limit_disconnections = 0
        self.cycles = self.reads = self.writes = self.cron_nanoseconds = 0
        self._bytes_in = -sum(connection.bytes_in for connection in self.connections)
        self._bytes_out = -sum(connection.bytes_out for connection in self.connections)

    @property
    def bytes_in(self) -> int:
        """How much was read from all clients, those included that have gone. O(clients)."""
        return self._bytes_in + sum(connection.bytes_in for connection in self.connections)

    @property
    def bytes_out(self) -> int:
        """How much was written to all clients. O(clients)."""
        return self._bytes_out + sum(connection.bytes_out for connection in self.connections)

    def _set_output_limits(self, value: Any) -> None:
        self.output_limits = dict(zip((b"normal", b"replica", b"pubsub"), value, strict=True))

    def _overflows(self, client: Client, size: int) -> bool:
        """Whether a reply of at least `size` bytes will be over the client's limit. If so, close it now. O(clients)."""
        hard = self.output_limits[client_type(client)][0]
        if not 0 < hard <= size:
            return False
        own = [connection for connection in self.connections if connection.client is client]
        for connection in own:
            connection.abort()
        return bool(own)

    # ---- listening

    async def listen_unix(self, path: str, mode: int = 0, backlog: int = 511, group: str = "") -> None:
        """Listen on a unix socket; a stale one at `path` is replaced. Raises OSError, also where there is no such group.

        `mode` are its permissions, 0 for the default; `group` is whose it is, by name or number.
        """
        with contextlib.suppress(FileNotFoundError):
            if Path(path).is_socket():
                Path(path).unlink()
        self._listeners.append(await self.loop.create_unix_server(self.take, path, backlog=backlog))
        if group:
            try:
                shutil.chown(path, group=int(group) if group.isdigit() else group)
            except LookupError:
                raise OSError(f"there is no group '{group}' for {path}") from None
        if mode:
            os.chmod(path, mode)  # noqa: PTH101

    def listening_sockets(self) -> list[Any]:
        """The sockets on which plain connections arrive."""
        listeners = (*self._listeners, *self.ports.plain_listeners())
        return [sock for listener in listeners for sock in listener.sockets]

    def start(self) -> None:
        """Begin the regular work."""
        self._cron()

    async def stop(self) -> None:
        """Stop listening and close every connection, what is written first."""
        for handle in (self._cron_handle, self._deadline_handle):
            if handle is not None:
                handle.cancel()
        self.ports.close()
        for listener in self._listeners:
            listener.close()
        self.before_sleep()
        for connection in list(self.connections):
            connection.close()
        for _ in range(20):
            if not self.connections:
                break
            await asyncio.sleep(0.01)

    # ---- connections

    def take(self) -> asyncio.Protocol:
        """What a connection that has come in will speak to: a client's side, or a closed door if there are too many."""
        return Connection(self) if self._has_room() else ClosedDoor(self)

    def _has_room(self) -> bool:
        return len(self.connections) < self.engine.config.integer("maxclients")

    def turn_away(self) -> bytes:
        """Count one client too many. Gives what it is told."""
        self.connections_received += 1
        self.connections_rejected += 1
        self._log_overflow()
        return TOO_MANY

    def refusal(self, transport: asyncio.Transport) -> bytes | None:
        """Why a new connection cannot be taken, in RESP; None if it can."""
        if not self._has_room():
            return self.turn_away()
        self.connections_received += 1
        denied = protection.refusal(self.engine, transport)
        if denied is not None:
            self.connections_rejected += 1
            return denied
        sock = transport.get_extra_info("socket")
        seconds = self.engine.config.integer("tcp-keepalive")
        if sock is not None and sock.family != socket.AF_UNIX and seconds:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            with contextlib.suppress(OSError, AttributeError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(seconds // 3, 1))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        return None

    def _log_overflow(self) -> None:
        """Say that there are too many clients, but not a thousand times a second."""
        now = self.loop.time()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_SECONDS
            log.warning(
                "Refusing new clients: %d are connected, and maxclients allows no more. CONFIG SET maxclients changes that",
                len(self.connections),
            )

    def opened(self, connection: Connection) -> None:
        """A connection was taken."""
        self.connections.add(connection)
        connection.limits.max_bulk_length = self.engine.config.integer("proto-max-bulk-len")
        connection.limits.max_query_buffer = self.engine.config.integer("client-query-buffer-limit")
        connection.limits.authenticated = connection.client.authenticated

    def closed(self, connection: Connection) -> None:
        """A connection has ended."""
        if connection in self.connections:
            self.connections.discard(connection)
            self._bytes_in += connection.bytes_in
            self._bytes_out += connection.bytes_out
            self.client_memory.forget(connection)

    def protocol_error(self, error: ProtocolError) -> Reply:
        """What a client that cannot be understood is told before it is closed."""
        reply = CommandError(f"ERR {error.text}")
        self.engine.count_error(reply)
        return reply

    # ---- the turn of the loop

    def schedule(self, connection: Connection) -> None:
        """Flush `connection` at the end of this turn."""
        self.to_flush.append(connection)

    def arm(self) -> None:
        """Make sure that `before_sleep` runs at the end of this turn."""
        if self._flush_handle is None:
            self._flush_handle = self.loop.call_soon(self.before_sleep)

    def commit(self) -> None:
        """Log what was written. Called before any reply goes to a socket, which is at the end of the turn but for a few cases."""
        for step in self.before_flush:
            step()

    def before_sleep(self) -> None:
        """End the turn: log what was written, then write the replies, then see when the next waiting client is due."""
        self._flush_handle = None
        self.turns.end()
        answers = self.lone.run()
        self.commit()
        self.cycles += 1
        for connection, request, reply in answers:
            connection.answer(request, reply, is_logged=True)
        connections = self.to_flush.take()
        self.writes += len(connections)
        for connection in connections:
            connection.flush()
        self.client_memory.settle()
        if self.engine.blocking.waiting:
            self._arm_deadline()

    def _arm_deadline(self) -> None:
        deadline = self.engine.blocking.next_deadline()
        if self._deadline_handle is not None:
            self._deadline_handle.cancel()
            self._deadline_handle = None
        if deadline is not None:
            delay = max((deadline - self.engine.clock()) / 1000, 0.0)
            self._deadline_handle = self.loop.call_later(delay, self._at_deadline)

    def _at_deadline(self) -> None:
        self._deadline_handle = None
        self.engine.expire_blocked()
        self._arm_deadline()

    def _reclaim_soon(self) -> None:
        self.loop.call_later(RECLAIM_PAUSE, self._reclaim)

    def _reclaim(self) -> None:
        if self.engine.reclaimer.step(RECLAIM_NANOSECONDS):
            self._reclaim_soon()

    def _evict_soon(self) -> None:
        """Keys are still to be evicted, or to be sized: a bit between each turn and the next."""
        if self._work_handle is None:
            self._work_handle = self.loop.call_later(0, self._evict)

    def _evict(self) -> None:
        self._work_handle = None
        if self.evictor.step():
            self._evict_soon()
        self.arm()

    def _pause_cron(self, paused: bool) -> None:  # noqa: FBT001 - DEBUG PAUSE-CRON's own argument
        self.cron_paused = paused

    def _cron(self) -> None:
        config = self.engine.config
        self._cron_handle = self.loop.call_later(1 / config.integer("hz"), self._cron)
        if self.cron_paused:
            return
        started = self.engine.stopwatch()
        try:
            self.lone.settle()
            self.engine.cron()
            collector.step()
            self._trimmer.step(self.engine.keyspace.now)
            timeout = config.integer("timeout")
            for connection in list(self.connections):
                connection.check(self.engine.keyspace.now, timeout)
        except Exception:
            log.exception("the regular work failed; this is a bug")
        self.cron_nanoseconds += self.engine.stopwatch() - started
        self.arm()


class ClosedDoor(asyncio.Protocol):
    """Tells one client that there are too many, and no more: five thousand who come at once are not to keep those waiting who are in."""

    __slots__ = ("_server",)

    def __init__(self, server: Server) -> None:
        self._server: Final = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say so and close."""
        transport = cast("asyncio.Transport", transport)
        transport.write(self._server.turn_away())
        transport.close()


class _Flushing:
    """The connections with something to write; the first one to come arms the end of the turn."""

    __slots__ = ("_connections", "_server")

    def __init__(self, server: Server) -> None:
        self._server: Final = server
        self._connections: list[Connection] = []

    def append(self, connection: Connection) -> None:
        if not self._connections:
            self._server.turns.begin()
            self._server.arm()
        self._connections.append(connection)

    def take(self) -> list[Connection]:
        connections, self._connections = self._connections, []
        return connections
