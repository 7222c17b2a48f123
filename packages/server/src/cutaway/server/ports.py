"""The TCP ports: `port` in plain text, `tls-port` with TLS, each on every address of `bind`.

CONFIG SET may move either while the server runs, to 0 to close it. The new sockets are bound before the old
ones are closed, and bound at once, in the command: a port that is taken is an error of CONFIG SET, and the
server goes on listening where it was. Whoever is connected stays so.

With other addresses for the same port it has to be the other way round, for `*` and 127.0.0.1 cannot both be bound at
one port. The addresses that stay are left alone, those that go are closed, those that come are bound, and if one of them cannot
be, those that went are taken back.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from cutaway.config import ConfigError
from cutaway.server.tls import LiveContext, TLSError, live_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutaway.server.servers import Server

log: Final = logging.getLogger("cutaway.server")

Sockets = dict[str, list[socket.socket]]
"""By the address that asked for them: a name can stand for several."""

NAMES: Final = ("port", "tls-port")
EVERYWHERE: Final = {"*": "0.0.0.0", "::*": "::"}  # noqa: S104 - if the user says so


def bind(host: str, port: int, backlog: int) -> list[socket.socket]:
    """Listening sockets for one address. One with a leading dash may be missing on this machine. Raises OSError."""
    name = host.lstrip("-")
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            EVERYWHERE.get(name, name), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            sock = socket.socket(family, kind, protocol)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address)
            sock.listen(backlog)
            sock.setblocking(False)
    except OSError:
        for sock in sockets:
            sock.close()
        if not host.startswith("-"):
            raise
        log.debug("not listening on %s: there is no such address here", name)
        return []
    return sockets


class Ports:
    """The listening sockets of a server, by the directive that asks for them."""

    __slots__ = ("_hosts", "_listeners", "_numbers", "_server", "_tasks", "_tls")

    def __init__(self, server: Server) -> None:
        self._server: Final = server
        self._listeners: Final[dict[str, dict[str, list[asyncio.Server]]]] = {name: {} for name in NAMES}
        """By directive, and then by address."""
        self._hosts: Sequence[str] = ()
        self._numbers: Final[dict[str, int]] = dict.fromkeys(NAMES, 0)
        self._tls: LiveContext | None = None
        self._tasks: Final[set[asyncio.Task[None]]] = set()

    async def open(self) -> None:
        """Listen as configured, and follow the configuration from then on. Raises OSError and TLSError."""
        config = self._server.engine.config
        self._hosts = cast("Sequence[str]", config["bind"])
        for name in NAMES:
            number = config.integer(name)
            context = self._context(name) if number else None
            try:
                sockets = self._bind_all(number, self._hosts)
            except OSError:
                log.error("Failed listening on port %d (%s), aborting.", number, "tls" if context else "tcp")  # noqa: TRY400 - why, says the next line
                raise
            await self._serve(name, sockets, context)
            self._numbers[name] = number
            config.subscribe(name, partial(self._move, name))
        config.subscribe("bind", self._move_to_hosts)

    def close(self) -> None:
        """Listen no longer."""
        for name in NAMES:
            self._close(name, list(self._listeners[name]))

    def plain_listeners(self) -> Sequence[asyncio.Server]:
        """What takes connections without TLS."""
        return [listener for listeners in self._listeners["port"].values() for listener in listeners]

    def _context(self, name: str) -> ssl.SSLContext | None:
        if name != "tls-port":
            return None
        if self._tls is None:
            engine = self._server.engine
            self._tls = live_context(engine.config)
            engine.on_cron = (*engine.on_cron, partial(self._tls.look, engine.config))
        return self._tls

    def _bind_all(self, number: int, hosts: Sequence[str]) -> Sockets:
        """Sockets on these addresses, none where the number is 0. Raises OSError, and then none is left open."""
        backlog = self._server.engine.config.integer("tcp-backlog")
        sockets: Sockets = {}
        try:
            for host in hosts if number else ():
                sockets[host] = bind(host, number, backlog)
        except OSError:
            _close_all(sockets)
            raise
        return sockets

    def _move(self, name: str, number: Any) -> None:
        """CONFIG SET port and tls-port. Raises ConfigError."""
        if number == self._numbers[name]:
            return
        try:
            context = self._context(name) if number else None
            sockets = self._bind_all(number, self._hosts)
        except TLSError as error:
            log.warning("TLS: %s", error)
            raise ConfigError("Unable to update TLS configuration. Check server logs.") from None
        except OSError as error:
            log.warning("Cannot listen on port %d: %s", number, error.strerror)
            raise ConfigError("Unable to listen on this port. Check server logs.") from None
        self._close(name, self._hosts)
        self._numbers[name] = number
        self._serve_soon(name, sockets, context)

    def _move_to_hosts(self, value: Any) -> None:
        """CONFIG SET bind. Raises ConfigError."""
        hosts: Sequence[str] = value
        gone = [host for host in self._hosts if host not in hosts]
        come = [host for host in hosts if host not in self._hosts]
        for name in NAMES:
            self._close(name, gone)
        try:
            self._bind_hosts(come)
        except OSError as error:
            log.warning("Cannot listen on %s: %s", " ".join(come), error.strerror)
            self._bind_hosts(gone)
            raise ConfigError("Failed to bind to specified addresses.") from None
        self._hosts = hosts

    def _bind_hosts(self, hosts: Sequence[str]) -> None:
        """Listen on further addresses, at the ports that are open. Raises OSError, and then on none of them."""
        bound: dict[str, Sockets] = {}
        try:
            for name, number in self._numbers.items():
                bound[name] = self._bind_all(number, hosts)
        except OSError:
            for sockets in bound.values():
                _close_all(sockets)
            raise
        for name, sockets in bound.items():
            if sockets:
                self._serve_soon(name, sockets, self._context(name))

    def _serve_soon(self, name: str, sockets: Sockets, context: ssl.SSLContext | None) -> None:
        task = self._server.loop.create_task(self._serve(name, sockets, context))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, name: str, sockets: Sockets, context: ssl.SSLContext | None) -> None:
        """Take connections from sockets that are bound already."""
        server = self._server
        backlog = server.engine.config.integer("tcp-backlog")
        for host, socks in sockets.items():
            listeners = self._listeners[name].setdefault(host, [])
            for sock in socks:
                address, number = sock.getsockname()[:2]
                listeners.append(
                    await server.loop.create_server(server.take, sock=sock, backlog=backlog, ssl=context)
                )
                log.info(
                    "Listening on %s port %d%s", address, number, " with TLS" if context is not None else ""
                )

    def _close(self, name: str, hosts: Sequence[str]) -> None:
        for host in hosts:
            for listener in self._listeners[name].pop(host, ()):
                listener.close()


def _close_all(sockets: Sockets) -> None:
    for socks in sockets.values():
        for sock in socks:
            sock.close()
