"""Requests that came alone, each from another client, run together at the end of the turn.

Most clients send a request and wait for its reply. With fifty of them a turn of the event loop finds a handful of sockets
readable, with one request each. To run every one for itself costs more in looking around (what is the time, who has to hear of
it, must something be asked before?) than in the command. So a connection that has nothing else to do only leaves here what has come,
if it seems to be one request for plain work on data, and `Server.before_sleep` reads and runs all that have gathered as one
stretch, as if one client had sent them in a pipeline. The replies would not have left before the end of the turn anyway. If
one of them turns out to be something else, or half a request, each goes the ordinary way through its connection.

What has to be looked at one by one still is: while someone listens to changes or to commands, or wants even short requests and
replies in a log, each request goes that way, too. And whatever comes that is not a lone, plain request
lets those go first that came earlier (`settle`), so that all requests run in the order in which they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from cutaway.resp import LONGEST_LONE, RequestLimits
from cutaway.server.connection import LARGE_REPLY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cutaway.resp import Reply
    from cutaway.server.connection import Connection
    from cutaway.server.servers import Server

Answer: TypeAlias = tuple["Connection", list[bytes], "Reply"]


class LoneRequests:
    """The lone requests of one turn."""

    __slots__ = ("_chunks", "_connections", "_read_each", "_server", "can_read")

    def __init__(self, server: Server) -> None:
        self._server: Final = server
        self._connections: list[Connection] = []
        self._chunks: list[bytes] = []
        parser = server.parts.request_parser(RequestLimits())
        self._read_each: Final[Callable[[list[bytes]], list[list[bytes]] | None]] = getattr(
            parser, "read_each", _read_none
        )
        self.can_read: Final = self._read_each is not _read_none
        """Whether the request parser, which may be a reader's own, can read several clients' requests together."""

    def add(self, connection: Connection, data: bytes) -> None:
        """Keep what seems to be a plain request until the end of the turn; its connection leaves no other one here before. O(1)."""
        if not self._chunks:
            self._server.arm()
        self._connections.append(connection)
        self._chunks.append(data)

    def run(self) -> Sequence[Answer]:
        """Run what has gathered. Whoever calls hands the replies on, each to its connection."""
        chunks = self._chunks
        if not chunks:
            return ()
        requests = self._read_each(chunks)
        if requests is None:
            self._hand_back()
            return ()
        connections = self._connections
        self._connections, self._chunks = [], []
        server = self._server
        server.reads += len(requests)
        if self._are_watched():
            for connection, request, data in zip(connections, requests, chunks, strict=True):
                connection.run_alone(request, len(data))
            return ()
        engine = server.engine
        clients = [connection.client for connection in connections]
        engine.tick()
        replies: list[Reply] = []
        engine.run_each(clients, requests, replies)
        while len(replies) < len(requests):  # one of them took long: what follows has a moment of its own
            engine.tick()
            done = len(replies)
            more: list[Reply] = []
            engine.run_each(clients[done:], requests[done:], more)
            replies += more
        now = engine.keyspace.now
        for client in clients:
            client.total_commands += 1
            client.last_interaction = now
        if server.client_memory.is_watching:
            for connection in connections:
                server.client_memory.touch(connection)
        return [*zip(connections, requests, replies)]  # noqa: B905 - to say "strict" takes as long as to make the list

    def _hand_back(self) -> None:
        """Let each go the ordinary way. What is behind one that lasts, and lets the loop turn meanwhile, still waits here (`busy.py`)."""
        while self._chunks:
            data = self._chunks.pop(0)
            self._connections.pop(0).receive(data)

    def settle(self) -> None:
        """Run what has gathered before the turn is at its end: something else comes that is not to go first."""
        for connection, request, reply in self.run():
            connection.answer(request, reply, is_logged=False)

    def _are_watched(self) -> bool:
        """Whether somebody wants to hear of each request at once, or of each that is long."""
        server = self._server
        return bool(
            server.engine.keyspace.on_change
            or server.engine.on_call
            or server.large_request <= LONGEST_LONE
            or server.large_reply <= LARGE_REPLY
        )


def _read_none(_chunks: list[bytes]) -> None:
    """What a request parser says that reads one stream at a time."""
