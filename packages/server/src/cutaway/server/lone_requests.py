"""Requests that came alone, each from another client, run together at the end of the turn.

Most clients send a request and wait for its reply. With fifty of them a turn of the event loop finds a handful of sockets
readable, with one request each. To run every one for itself costs more in looking around (what is the time, who has to hear of
it, must something be asked before?) than in the command. So a connection that has nothing else to do only leaves its request
here, if it is plain work on data, and `Server.before_sleep` runs all that have gathered as one stretch, as if one client
had sent them in a pipeline. The replies would not have left before the end of the turn anyway.

What has to be looked at one by one still is: while someone listens to changes or to commands, or wants even short requests and
replies in a log, each request goes the ordinary way through its connection. And whatever comes that is not a lone, plain request
lets those go first that came earlier (`settle`), so that all requests run in the order in which they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from cutaway.resp import LONGEST_LONE
from cutaway.server.connection import LARGE_REPLY, request_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutaway.resp import Reply
    from cutaway.server.connection import Connection
    from cutaway.server.servers import Server

Answer: TypeAlias = tuple["Connection", list[bytes], "Reply"]


class LoneRequests:
    """The lone requests of one turn."""

    __slots__ = ("_connections", "_requests", "_server")

    def __init__(self, server: Server) -> None:
        self._server: Final = server
        self._connections: list[Connection] = []
        self._requests: list[list[bytes]] = []

    def add(self, connection: Connection, request: list[bytes]) -> None:
        """Keep a plain request until the end of the turn; its connection leaves no other one here before. O(1)."""
        if not self._requests:
            self._server.arm()
        self._connections.append(connection)
        self._requests.append(request)

    def run(self) -> Sequence[Answer]:
        """Run what has gathered. Whoever calls hands the replies on, each to its connection."""
        requests = self._requests
        if not requests:
            return ()
        connections = self._connections
        self._connections, self._requests = [], []
        server = self._server
        server.reads += len(requests)
        if self._are_watched():
            for connection, request in zip(connections, requests, strict=True):
                connection.run_alone(request, request_bytes(request))
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
