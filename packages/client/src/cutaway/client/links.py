"""What carries the bytes: a link has one server at its other end.

The client asks three things of it: send these bytes, give me what came, close. A socket does that, plain, of a unix path, or
with TLS; so does an engine in the same process (see `engines`), and a test's list of canned replies would, too.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Final, Protocol

from cutaway.client.addresses import Address

CHUNK: Final = 1 << 16


class Link(Protocol):
    """A connection to a server, as a client uses it."""

    def send(self, data: bytes) -> None:
        """Send all of `data`. Raises OSError."""

    def receive(self, timeout: float | None) -> bytes:
        """Wait for bytes, at most `timeout` seconds. Gives b"" at the end; raises OSError, TimeoutError among them."""
        raise NotImplementedError

    def close(self) -> None:
        """End it. Safe to call twice."""


class Tap(Protocol):
    """Somebody who looks on: hears of all bytes that travel, before they are sent and before they are read."""

    def sent(self, data: bytes) -> None:
        """These bytes are about to go to the server."""

    def received(self, data: bytes) -> None:
        """These bytes came from it, cut as the network cut them."""


class SocketLink:
    """A link over TCP, a unix socket or TLS."""

    __slots__ = ("_socket",)

    def __init__(self, address: Address, timeout: float | None = None) -> None:
        self._socket: Final = connect(address, timeout)

    def send(self, data: bytes) -> None:
        """Send all of `data`. Raises OSError."""
        self._socket.settimeout(None)
        self._socket.sendall(data)

    def receive(self, timeout: float | None) -> bytes:
        """Wait for bytes. Raises OSError, TimeoutError among them."""
        self._socket.settimeout(timeout)
        return self._socket.recv(CHUNK)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._socket.close()


def connect(address: Address, timeout: float | None = None) -> socket.socket:
    """Open a connected socket, encrypted if the address says so. Raises OSError, ssl's own errors among them."""
    connection = dial(address, timeout)
    try:
        context = address.secure_context
        return context.wrap_socket(connection, server_hostname=address.secure_name) if context else connection
    except OSError:
        connection.close()
        raise


def dial(address: Address, timeout: float | None = None) -> socket.socket:
    """Open a connected socket; TLS is up to the caller. Raises OSError."""
    if address.path is None:
        connection = socket.create_connection((address.host, address.port), timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        connection.connect(address.path)
    except OSError:
        connection.close()
        raise
    return connection
