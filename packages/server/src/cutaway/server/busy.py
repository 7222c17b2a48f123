"""A script runs and runs, and the loop cannot turn: how other clients are answered all the same.

A script is one call from the loop. While it goes on no other callback runs, and no event loop of Python can be entered a second time.
After `busy-reply-threshold` milliseconds the script's hook comes here now and then, and a small loop does by hand what the
large one cannot: it takes connections, reads from the sockets, lets the requests go through the engine, and writes the replies
to the sockets at once. A gate lets nothing through but what may end the script (and a few commands that touch no data);
everyone else hears BUSY. When the script is over the large loop goes on with the same connections, and takes the new ones over.

Three connections are left alone: the one whose script it is, whose requests come in order; one that has gone, which the large loop
will notice; and one that speaks TLS, whose bytes only its transport understands. A client that the large loop was just taking in when
the script began has to wait, too.

SHUTDOWN NOSAVE ends the process here and now. The script is in the middle of something that will never be whole: none of it
is in the log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import socket
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from cutaway.server.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cutaway.server.servers import Server

READ_BYTES: Final = 1 << 16
log: Final = logging.getLogger("cutaway.server")


class DirectTransport:
    """Writes to a socket itself, while the loop cannot. `behind` is the loop's own transport, None for a new client."""

    __slots__ = ("_sock", "behind", "closing", "rest")

    def __init__(self, sock: Any, behind: asyncio.Transport | None) -> None:
        self._sock: Final = sock
        self.behind: Final = behind
        self.rest = bytearray()
        self.closing = False

    def write(self, data: bytes) -> None:
        """Write at once what the socket takes; the rest is for later."""
        if self.behind is not None and self.behind.get_write_buffer_size():
            self.behind.write(data)
            return
        if not self.rest:
            try:
                data = data[os.write(self._sock.fileno(), data) :]
            except BlockingIOError:
                pass
            except OSError:
                return
        self.rest += data

    def close(self) -> None:
        """Close when the loop turns again."""
        self.closing = True

    abort = close

    def is_closing(self) -> bool:
        """Whether it is about to close."""
        return self.closing

    def get_write_buffer_size(self) -> int:
        """Bytes that wait."""
        return len(self.rest) + (self.behind.get_write_buffer_size() if self.behind is not None else 0)

    def get_extra_info(self, name: str) -> Any:
        """The facts of the connection that the server asks for."""
        if self.behind is not None:
            return self.behind.get_extra_info(name)
        if name == "socket":
            return self._sock
        if name in ("peername", "sockname"):
            return self._sock.getpeername() if name == "peername" else self._sock.getsockname()
        return None

    def set_write_buffer_limits(self, high: int) -> None:
        """The loop's transport will have limits."""

    def pause_reading(self) -> None:
        """The loop's transport will be asked."""

    def resume_reading(self) -> None:
        """The loop's transport will be asked."""

    def hand_over(self, transport: asyncio.Transport) -> None:
        """Give the loop's transport what is still to be done."""
        if self.rest:
            transport.write(bytes(self.rest))
        if self.closing:
            transport.close()


class _Takeover(asyncio.Protocol):
    """Puts a connection that was made by hand on the loop's transport."""

    __slots__ = ("_connection", "_direct")

    def __init__(self, connection: Connection, direct: DirectTransport) -> None:
        self._connection: Final = connection
        self._direct: Final = direct

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        real = cast("asyncio.Transport", transport)
        self._connection.move_to(real)
        real.set_protocol(self._connection)
        self._direct.hand_over(real)


class BusyLoop:
    """The small loop."""

    __slots__ = ("_gate", "_gone", "_guests", "_is_warned", "_server")

    def __init__(self, server: Server, gate: Any) -> None:
        self._server: Final = server
        self._gate: Final = gate
        self._guests: Final[dict[int, tuple[socket.socket, Connection, DirectTransport]]] = {}
        self._gone: Final[set[int]] = set()
        self._is_warned = False

    def turn(self) -> None:
        """Answer who has asked since the last time, without waiting. O(connections)."""
        engine = self._server.engine
        if not self._is_warned:
            self._is_warned = True
            log.warning(
                "Slow script detected: other clients are answered with BUSY until it ends or is killed."
            )
            self._server.loop.call_soon(self._end)
        gates = engine.gates
        loader = engine.extras["persistence"].loader
        before = (loader.gate,) if loader.active else ()  # a script of the log that is being replayed
        engine.gates = (*gates, *before, self._gate)
        borrowed = dict(self._borrowed())
        try:
            self._flush_earlier()
            self._serve(borrowed)
        except Exception:
            log.exception("clients could not be answered during a script; this is a bug")
        finally:
            if self._server.stopping.is_set():
                self._exit()
            engine.gates = gates
            for connection, direct in borrowed.values():
                if direct.behind is not None:
                    connection.move_to(direct.behind)
                    direct.hand_over(direct.behind)

    def _exit(self) -> NoReturn:
        """End the process. The ports go before the clients: who sees the end of a connection finds nobody who listens."""
        log.warning("SHUTDOWN NOSAVE during a script: what it has done is dropped.")
        logging.shutdown()
        for sock in self._server.listening_sockets():
            os.close(sock.fileno())
        os._exit(0)

    def _borrowed(self) -> Iterator[tuple[int, tuple[Connection, DirectTransport]]]:
        """The connections that can be served by hand, by descriptor."""
        for number, (_, connection, direct) in self._guests.items():
            if number not in self._gone:
                yield number, (connection, direct)
        for connection in self._server.connections:
            transport = connection.transport
            if isinstance(transport, DirectTransport) or connection.is_running or transport.is_closing():
                continue
            sock = transport.get_extra_info("socket")
            if sock is None or transport.get_extra_info("sslcontext") is not None:
                continue
            if sock.fileno() >= 0 and sock.fileno() not in self._gone:
                direct = DirectTransport(sock, transport)
                connection.move_to(direct)
                yield sock.fileno(), (connection, direct)

    def _flush_earlier(self) -> None:
        """Write the replies of the turn in which the script began: its end, when they are written as a rule, is far."""
        server = self._server
        waiting = server.to_flush.take()
        if waiting:
            server.commit()
        for connection in waiting:
            if connection.is_running:
                server.to_flush.append(connection)
            else:
                connection.flush()

    def _serve(self, borrowed: dict[int, tuple[Connection, DirectTransport]]) -> None:
        listening = {sock.fileno(): sock for sock in self._server.listening_sockets()}
        poll = select.poll()
        for number in (*borrowed, *listening):
            poll.register(number, select.POLLIN)
        for number, _ in poll.poll(0):
            if number in listening:
                self._accept(number)
            else:
                self._read(number, *borrowed[number])

    def _read(self, number: int, connection: Connection, direct: DirectTransport) -> None:
        try:
            data = os.read(number, READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._gone.add(number)
            return
        connection.data_received(data)
        self._server.lone.settle()
        connection.flush()
        if direct.closing:
            self._gone.add(number)

    def _accept(self, number: int) -> None:
        with socket.socket(fileno=os.dup(number)) as listener:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
        sock.setblocking(False)
        direct = DirectTransport(sock, None)
        connection = Connection(self._server)
        connection.connection_made(cast("asyncio.Transport", direct))
        self._guests[sock.fileno()] = (sock, connection, direct)

    def _end(self) -> None:
        """The large loop turns again: the new clients become its own."""
        loop = self._server.loop
        for sock, connection, direct in self._guests.values():
            take_over: Callable[[], _Takeover] = lambda c=connection, d=direct: _Takeover(c, d)  # type: ignore[misc] # noqa: E731
            task = loop.create_task(loop.connect_accepted_socket(take_over, sock))
            task.add_done_callback(lambda done: done.exception())
        self._guests.clear()
        self._gone.clear()
        self._is_warned = False


def answer_while_busy(server: Server) -> None:
    """Let the scripts of the server's engine come here when they run for too long."""
    scripts = server.engine.extras["scripting"]
    scripts.yield_to_others = BusyLoop(server, scripts.gate).turn
