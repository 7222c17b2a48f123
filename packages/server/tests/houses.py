"""A server without a network: its loop is turned by hand, and its connections write to a list."""

from __future__ import annotations

import asyncio

from cutaway.config import Config
from cutaway.server.app import compose
from cutaway.server.connection import Connection
from cutaway.server.observing import Observation
from cutaway.server.parts import Parts, default_parts
from cutaway.server.servers import Server


class Wire(asyncio.Transport):
    """A transport that keeps what is written, and knows whether it is listened to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_read = True
        self.is_closed = False

    def write(self, data) -> None:
        self.written += data

    def pause_reading(self) -> None:
        assert not self.is_closed
        self.is_read = False

    def resume_reading(self) -> None:
        assert not self.is_closed
        self.is_read = True

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high=None, low=None) -> None:
        pass


class Watched(Connection):
    """A connection of which one can see whether it is still there."""

    __slots__ = ("__weakref__",)


class House:
    """A server with its loop, turned by hand."""

    def __init__(self, parts: Parts | None = None) -> None:
        self.loop = asyncio.new_event_loop()
        parts = parts or default_parts()
        self.server = Server(compose(Config({"save": "", "protected-mode": "no"}), parts), parts, self.loop)
        Observation(self.server.engine, self.server)

    def close(self) -> None:
        """It has no turn any more."""
        self.loop.close()

    def connect(self) -> tuple[Connection, Wire]:
        wire = Wire()
        connection = Watched(self.server)
        connection.connection_made(wire)
        return connection, wire

    def turn(self) -> None:
        """Let the loop do what it was going to do next."""
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def deliver(self, connection: Connection, wire: Wire, pieces: list[bytes]) -> bytes:
        """Hand over pieces as a loop does: only while the connection is read from. Gives all replies."""
        for piece in pieces:
            for _ in range(10_000):
                if wire.is_read or wire.is_closed:
                    break
                self.turn()
            if wire.is_closed:
                break
            connection.data_received(piece)
        for _ in range(10_000):
            self.turn()
            if (wire.is_read and not connection._waiting) or wire.is_closed:
                break
        self.turn()
        return wire.written
