"""One connection: bytes in, requests to the engine, replies out.

This is the server's innermost loop. `data_received` gets whatever the socket had, the parser makes requests of it, and these go
through the engine in stretches: as many at a time as leave their client as it was. Replies gather in `_out` and are written
together, once per turn of the event loop, after the append-only file has been flushed (`Server.before_sleep`): no reply leaves
before its write has been logged, and sixteen pipelined requests cost one system call.

A connection stops taking requests in four cases, and keeps what it has already read for later:

* its client is blocked (BLPOP), until the engine resumes it;
* its client does not read, and all who do not have left more than `MOST_UNREAD` bytes. It stops reading from the socket
  too, so that TCP pushes back on the sender. That is a lot of bytes, since clients write a whole pipeline before they read
  the first reply of it, and would wait for ever if they were pushed back meanwhile;
* it has been served in this turn of the loop for as long as is fair (see `turns.py`);
* it is about to close, and then the rest is dropped.

What a client is told without having asked for it (messages, MONITOR) cannot be held back like that. It counts against the
output buffer limits of the client's class, and a client that exceeds them is closed. If its own command brought it about, a
PUBLISH to a channel that it listens to itself, the reply goes first.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast

from cutaway.commands import CommandError
from cutaway.commands.client_lists import client_type, describe
from cutaway.observability.log import VERBOSE
from cutaway.resp import NO_REPLY, Encoder, ProtocolError, Push, Reply, RequestLimits, Several, lone_name
from cutaway.server.client_memory import BASE_BYTES, parser_bytes, state_bytes
from cutaway.server.tls import recognise
from cutaway.server.turns import STRANGERS_SLICE

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutaway.commands import Client
    from cutaway.server.servers import Server

UNSPEAKABLE: Final = CommandError("ERR internal error, see the server's log")
HIGH_WATER: Final = 1024 * 1024
"""With more bytes than that unread a client is behind, and its output buffer's limits are looked at more often."""
MOST_UNREAD: Final = 128 * 1024 * 1024
"""When clients who are behind have left more than that together, none of them is worked for until it has caught up."""
LARGE_REPLY: Final = 65536
"""Replies of more bytes are held to the limit of the output buffer before they are written."""
LONGEST_STRIDE: Final = 64
"""So many requests run at most before their replies are looked at."""
MESSAGES: Final = (Push, Several)
"""What CLIENT REPLY OFF does not silence."""
log: Final = logging.getLogger("cutaway.connection")


class Connection(asyncio.Protocol):
    """The transport's side of a client."""

    __slots__ = (
        "_closing", "_encode", "_encode_all", "_encoder", "_error", "_feed", "_is_full", "_is_idle",
        "_is_postponed", "_is_running", "_late", "_out", "_out_bytes", "_owed", "_parser", "_plain_commands",
        "_received", "_replies", "_scheduled", "_server", "_soft_since", "_stride", "_transport",
        "_turns", "_unread", "_waiting", "bytes_in", "bytes_out", "client", "limits", "memory",
    )  # fmt: skip

    def __init__(self, server: Server) -> None:
        self._server: Final = server
        self._closing = False
        self._is_idle: bool | None = None
        """Whether a lone request that comes now may be left to `LoneRequests`; None: that has to be looked at."""
        self._is_full = False
        self._is_postponed = False
        self._turns: Final = server.turns
        self._error: ProtocolError | None = None
        """Why the client can be understood no longer; it is told so when what it has sent before has run."""
        self._unread = b""
        """What has come in and is not parsed yet: there was too much for one turn."""
        self._scheduled = False
        self._received = 0
        """No request that is not complete yet has more bytes than this so far."""
        self._out: Final[list[bytes]] = []
        self._out_bytes = self._owed = 0
        self._is_running = False
        self._stride = 1
        """How many requests run before their replies are looked at: twice as many each time, until these are large."""
        self._replies: Final[list[Reply]] = []
        """What the requests that run were answered so far."""
        self._late: Final[list[tuple[int, bytes]]] = []
        """What the client is told meanwhile, and how many of `_replies` go before it."""
        self.bytes_in = self.bytes_out = 0
        self._soft_since = 0.0
        self._waiting: Final[deque[list[bytes]]] = deque()
        self.memory = 0
        """What `ClientMemory` counted last."""
        self.limits: Final = RequestLimits()
        self._parser: Final = server.parts.request_parser(self.limits)
        self._encoder: Final = server.parts.encoder(2)
        self._feed: Final = self._parser.feed
        self._plain_commands: Final = server.engine.plain
        self._encode: Final = self._encoder.encode
        self._encode_all: Final = _many(self._encoder)
        self._transport: asyncio.Transport
        self.client: Client

    # ---- the event loop's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        refusal = self._server.refusal(self._transport)
        self.client = client = self._server.engine.connect(self.deliver)
        if refusal is not None:
            self._server.engine.forget(client)
            self._transport.write(refusal)
            self._closing = True
            self._transport.close()
            return
        client.close_now = self.close
        client.on_resume = self.resume
        client.on_protocol = self._choose_protocol
        client.on_authentication = self._trust
        client.transport_info = self.info
        client.address = _address(transport.get_extra_info("peername"), transport)
        client.local_address = _address(transport.get_extra_info("sockname"), transport)
        recognise(self._server.engine, client, transport)
        self._server.opened(self)

    def data_received(self, data: bytes) -> None:
        """Bytes have come in."""
        self.bytes_in += len(data)
        if lone_name(data) in self._plain_commands and (
            self._has_nothing_to_do() if self._is_idle is None else self._is_idle
        ):
            self._is_idle = False
            self._server.lone.add(self, data)
            return
        self._server.lone.settle()
        self.receive(data)

    def receive(self, data: bytes) -> None:
        """Take bytes that may be anything, while anything may be going on; whatever came before them has run."""
        self._is_idle = None
        self._server.reads += 1
        turns = self._turns
        if len(data) > turns.bite or self._unread:
            self._unread += data
            if turns.are_crowded and not self._is_postponed:
                self._postpone()
            else:
                self.resume()
        else:
            requests = self._parse(data)
            if (
                self._waiting
                or self.client.blocked is not None
                or self._is_full
                or self._is_postponed
                or self._error is not None
            ):
                self._waiting.extend(requests)
                self.resume()
            elif len(requests) > 1 and turns.are_too_many(requests, self.limits):
                self._waiting.extend(requests)
                self._postpone()
            else:
                self._run(requests)
        if self._server.client_memory.is_watching:
            self._server.client_memory.touch(self)

    def eof_received(self) -> bool:
        """The client will send no more. As Redis does, close at once: nobody can be sure that it still reads."""
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self._server.lone.settle()
        self._closing = True
        self._note_owed(0)
        self._waiting.clear()
        self._unread = b""
        self.client.close()
        self.client.cut_loose()
        self._server.closed(self)

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        self._is_idle = None
        self._hold_back()

    def _hold_back(self) -> None:
        """Stop working for a client that is behind, and stop listening to it, if too much is left unread by all such."""
        self._note_owed(self.output_bytes())
        if not self._is_full and self._server.unread_bytes > MOST_UNREAD:
            self._is_full = True
            self._transport.pause_reading()

    def _note_owed(self, size: int) -> None:
        """So much the client, while it is behind, has left unread by now."""
        self._server.unread_bytes += size - self._owed
        self._owed = size

    def resume_writing(self) -> None:
        """The client has read most of it."""
        self._note_owed(0)
        was_full, self._is_full = self._is_full, False
        if was_full and not self._closing:
            self._read_on()
            self.resume()

    # ---- while the loop is kept by a script (see `busy.py`)

    @property
    def transport(self) -> asyncio.Transport:
        """What carries the bytes."""
        return self._transport

    @property
    def is_running(self) -> bool:
        """Whether one of its requests runs just now."""
        return self._is_running

    def move_to(self, transport: Any) -> None:
        """Write to another transport from now on."""
        self._transport = transport

    # ---- requests

    def _note_large(self, requests: list[list[bytes]], received: int) -> None:
        """So much has come in that one of these requests, or the one that is not complete yet, may be large: measure them."""
        server = self._server
        if received > LARGE_REPLY and server.client_memory.is_watching:
            server.client_memory.admit(self, received)
        if received >= server.large_request:
            for argv in requests:
                size = request_bytes(argv)
                if size >= server.large_request:
                    server.on_large_request(self.client, argv, size)

    def _parse(self, data: bytes) -> list[list[bytes]]:
        """The requests that are complete with `data`. After an error nothing more is read."""
        if self._error is not None:
            return []
        try:
            requests = self._feed(data)
        except ProtocolError as error:
            error.__traceback__ = error.__context__ = None  # it leads back here: a circle
            self._error = error
            self._unread = b""
            return error.requests
        size = len(data)
        received = self._received + size
        if received > LARGE_REPLY or received >= self._server.large_request:
            self._note_large(requests, received)
        self._received = size if requests else received
        return requests

    def _parse_more(self) -> None:
        """The next bite of what was not looked at, or all of it if it belongs to one large argument, or cannot run anyway."""
        unread = self._unread
        bite = self._turns.bite
        takes_all = self.client.blocked is not None or self._is_full or self._parser.pending > bite
        size = len(unread) if takes_all else bite
        self._unread = unread[size:]
        self._waiting.extend(self._parse(unread[:size]))

    def resume(self) -> None:
        """Go on with what had to wait: a slice of the requests at a time, until this turn's share of time is used up."""
        waiting = self._waiting
        stopwatch = self.client.engine.stopwatch
        end = stopwatch() + self._turns.share
        size = self._turns.slice if self.limits.authenticated else STRANGERS_SLICE
        while not (self._closing or self._is_postponed):
            is_held = self.client.blocked is not None or self._is_full
            if waiting and not is_held:
                self._run([waiting.popleft() for _ in range(min(len(waiting), size))])
            elif self._unread:
                self._parse_more()
            elif self._error is not None and not is_held:
                self._fail(self._error)
                return
            else:
                return
            if stopwatch() >= end and (waiting or self._unread):
                self._postpone()

    def _postpone(self) -> None:
        """Read no more until the next turn."""
        self._is_postponed = True
        if not self._transport.is_closing():
            self._transport.pause_reading()
        self._turns.postpone(self)

    def go_on(self) -> None:
        """The turn has come again after `_postpone`."""
        self._is_postponed = False
        self.resume()
        if not self._is_postponed:  # the replies first: behind the last request there may be the end
            self._server.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        """Listen to the client again, if nothing speaks against it."""
        if not (self._is_full or self._is_postponed or self._closing or self._transport.is_closing()):
            self._transport.resume_reading()

    def _has_nothing_to_do(self) -> bool:
        """Whether a request that comes now need not wait for anything, and its reply goes the way of all replies."""
        client = self.client
        return self._server.lone.can_read and not (
            self._closing
            or client.close_after_reply
            or self._owed
            or self._is_postponed
            or self._waiting
            or self._unread
            or self._error is not None
            or client.blocked is not None
            or client.intercept is not None
            or client.reply_mode != "on"
            or not self.limits.authenticated
            or not self._parser.is_between_requests
        )

    def run_alone(self, request: list[bytes], size: int) -> None:
        """Run a request that came alone, in so many bytes, with everything that has to be looked at."""
        self._is_idle = None
        self._received = size
        if size >= self._server.large_request:
            self._note_large([request], size)
        self._run([request])
        if self._server.client_memory.is_watching:
            self._server.client_memory.touch(self)

    def _run(self, requests: list[list[bytes]]) -> None:
        """Run requests, a stretch of plain ones at a time, and look after each stretch what became of the client."""
        if self._closing or self.client.close_after_reply:
            return
        client, replies, out = self.client, self._replies, self._out
        engine = client.engine
        engine.tick()
        size = done = 0
        self._is_running = True
        while done < len(requests):
            stretch = requests[done : done + self._stride]
            engine.run(client, stretch, replies)
            try:
                if self._late or client.reply_mode != "on":
                    payload = self._one_by_one()
                else:
                    payload = self._encode(replies[0]) if len(replies) == 1 else self._encode_all(replies)
            except Exception:  # noqa: BLE001 - the next attempt says which of them it was
                payload = self._one_by_one()
            length = len(payload)
            if length:
                out.append(payload)
            if length >= self._server.large_reply:
                self._note_large_replies(stretch)
            if length > LARGE_REPLY:
                self._stride = 1
            elif self._stride < LONGEST_STRIDE:
                self._stride *= 2
            size += length
            done += len(replies)
            replies.clear()
            if client.blocked is not None or client.close_after_reply:
                break
            if size > HIGH_WATER:
                size = 0
                self._flush_early()
                if self._is_full or self._turns.are_crowded:
                    break
        self._is_running = False
        client.total_commands += done
        client.last_interaction = engine.keyspace.now
        if done < len(requests) and not client.close_after_reply:
            self._waiting.extendleft(reversed(requests[done:]))
            if client.blocked is None and not self._is_full and not self._is_postponed:
                self._postpone()
        if not self._scheduled:
            self._scheduled = True
            self._server.to_flush.append(self)

    def _one_by_one(self) -> bytes:
        """The replies that are not silenced, and after each of them what its command let the client be told."""
        if self.client.reply_mode != "on":
            self._replies[:] = map(self._mute, self._replies)
        parts = [*map(self._encode_or_confess, self._replies)]
        for place, message in reversed(self._late):
            parts.insert(place, message)
        self._late.clear()
        return b"".join(parts)

    def _encode_or_confess(self, reply: Reply) -> bytes:
        try:
            return self._encode(reply)
        except Exception:
            log.exception("the reply %r cannot be written; this is a bug", reply)
            return self._encode(UNSPEAKABLE)

    def _note_large_replies(self, requests: list[list[bytes]]) -> None:
        """So many bytes go out that one of the replies to these requests may be large: measure them."""
        server = self._server
        for argv, reply in zip(requests, self._replies, strict=False):
            size = len(self._encode_or_confess(reply))
            if reply is not NO_REPLY and size >= server.large_reply:
                server.on_large_reply(self.client, argv, size)

    def _mute(self, reply: Reply) -> Reply:
        mode = self.client.reply_mode
        if mode == "on":
            return reply
        if mode == "skip":
            self.client.reply_mode = "skipping"
        elif mode == "skipping":
            self.client.reply_mode = "on"
        return reply if type(reply) in MESSAGES else NO_REPLY

    def _fail(self, error: ProtocolError) -> None:
        log.log(VERBOSE, "%s from client %s", error.text, self.client.address)
        self._out.append(self._encode(self._server.protocol_error(error)))
        self.client.close_after_reply = True
        self._waiting.clear()
        self._schedule()

    def _trust(self, is_authenticated: bool) -> None:  # noqa: FBT001
        self.limits.authenticated = is_authenticated

    def _choose_protocol(self, version: int) -> None:
        self._encoder.protocol = version

    # ---- replies

    def deliver(self, reply: Reply) -> None:
        """Send what the client did not ask for just now: a message, the end of a waiting."""
        if self._closing or (self.client.reply_mode != "on" and type(reply) not in MESSAGES):
            return
        payload = self._encode(reply)
        if self._is_running:  # with no caller, the command has not begun: keys are evicted first
            has_begun = self.client.engine.caller is not None
            self._late.append((len(self._replies) + has_begun, payload))
        else:
            self._out.append(payload)
        self._out_bytes += len(payload)
        self._schedule()
        if self._out_bytes > LARGE_REPLY and self._exceeds_limits():
            self.abort()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._server.schedule(self)

    def flush(self) -> None:
        """Write what has gathered. Called once per turn of the loop, after the append-only file."""
        self._scheduled = False
        if self._closing:
            return
        out = self._out
        if out:
            payload = out[0] if len(out) == 1 else b"".join(out)
            out.clear()
            size = len(payload)
            if size > LARGE_REPLY and self._is_too_much(size):
                return
            self._out_bytes = 0
            self.bytes_out += size
            self._transport.write(payload)
        if self._server.client_memory.is_watching:
            self._server.client_memory.touch(self)
        if self.client.close_after_reply:
            self.close()
            return
        if self._owed:
            if self._exceeds_limits():
                self.abort()
                return
            self._hold_back()

    def answer(self, request: list[bytes], reply: Reply, *, is_logged: bool) -> None:
        """Send the reply to a lone request: at once, if the log has been written already."""
        try:
            payload = self._encode(reply)
        except Exception:  # noqa: BLE001 - the next attempt says why
            payload = self._encode_or_confess(reply)
        size = len(payload)
        if is_logged and 0 < size <= LARGE_REPLY and not self._out and not self._closing:
            self._is_idle = True
            self.bytes_out += size
            self._server.writes += 1
            self._transport.write(payload)
        else:
            self._is_idle = None
            if size >= self._server.large_reply:
                self._server.on_large_reply(self.client, request, size)
            self._out.append(payload)
            self._schedule()

    def _flush_early(self) -> None:
        """There is so much already that it is written before the turn ends."""
        self._out_bytes += HIGH_WATER
        self._server.commit()
        self.flush()

    def _is_too_much(self, size: int) -> bool:
        """Whether `size` bytes more exceed the limits of the output buffer; then the client is cut off."""
        self._out_bytes = size
        if not self._exceeds_limits():
            return False
        self.abort()
        self.client.close()  # whoever gets a reply in this turn and asks for CLIENT LIST does not see it any more
        return True

    def output_bytes(self) -> int:
        """How much waits to be written."""
        return self._transport.get_write_buffer_size() + self._out_bytes

    def _exceeds_limits(self) -> bool:
        hard, soft, seconds = self._server.output_limits[client_type(self.client)]
        size = self.output_bytes()
        if hard and size >= hard:
            return True
        if not soft or size < soft:
            self._soft_since = 0.0
            return False
        now = self._server.loop.time()
        if not self._soft_since:
            self._soft_since = now
        return now - self._soft_since >= seconds

    def check(self, now_ms: int, timeout: int) -> None:
        """The server's regular look at each connection: is it idle for too long, does its buffer exceed a limit?"""  # noqa: D400
        client = self.client
        is_idle = timeout and client.blocked is None and now_ms - client.last_interaction > timeout * 1000
        if is_idle and not client.flags & {"P", "S", "M"}:
            log.log(VERBOSE, "Closing idle client %s", client.address)
            self.close()
            return
        incoming, outgoing = self.input_bytes(), self.output_bytes()
        if incoming or outgoing:
            self._server.client_memory.note(incoming, outgoing)
        if outgoing and self._exceeds_limits():
            self.abort()

    def memory_usage(self) -> int:
        """What the client takes up, in bytes. O(what has come since the last time)."""
        return BASE_BYTES + self.input_bytes() + self.output_bytes() + state_bytes(self.client)

    def input_bytes(self) -> int:
        """What that takes which has come in and has not run. O(what has come since the last time)."""
        size = parser_bytes(self._parser) + len(self._unread)
        if self._waiting:
            size += self._server.client_memory.backlogs.measure(self, self._waiting)
        return size

    @property
    def is_closing(self) -> bool:
        """Whether the connection is about to end."""
        return self._closing

    def info(self) -> dict[str, int]:
        """For CLIENT LIST: the buffers' sizes, in bytes."""
        parser = self._parser  # which may be a reader's own, and not tell its headers
        pending = self._received if self._is_running else parser.pending - getattr(parser, "header_bytes", 0)
        sock = self._transport.get_extra_info("socket")
        waiting = self.output_bytes()
        return {
            "qbuf": pending, "qbuf-free": 0, "argv-mem": self._parser.argument_bytes, "obl": 0, "oll": len(self._out), "omem": waiting,
            "tot-mem": self.memory_usage(), "fd": sock.fileno() if sock is not None else -1,
            "tot-net-in": self.bytes_in, "tot-net-out": self.bytes_out,
        }  # fmt: skip

    # ---- the end

    def close(self) -> None:
        """Close once everything is written."""
        if not self._closing:
            if self._out:
                self._server.commit()
                self._transport.write(b"".join(self._out))
                self._out.clear()
            self._closing = True
            self._transport.close()
            self.client.close()  # the transport tells later that it is closed; for the others it is now

    def drop(self) -> None:
        """Close at once, and forget what is not written."""
        self._closing = True
        self._out.clear()
        self._waiting.clear()
        self._transport.abort()

    def abort(self) -> None:
        """Close at once and drop what is not written: the client exceeded its output buffer limits."""
        log.warning(
            "Client %s closed for overcoming of output buffer limits.",
            describe(self.client).decode(errors="replace"),
        )
        self._server.output_limit_disconnections += 1
        self.drop()


def request_bytes(argv: list[bytes]) -> int:
    """How many bytes a request has on the wire. O(argv)."""
    return len(b"*%d\r\n" % len(argv)) + sum(len(word) + len(b"$%d\r\n\r\n" % len(word)) for word in argv)


def _many(encoder: Encoder) -> Callable[[list[Reply]], bytes]:
    """How an encoder writes several replies in a row; a reader's own, which knows no more than one, is asked for each."""
    if type(encoder).encode is Encoder.encode:
        return encoder.encode_all
    return lambda replies: b"".join(map(encoder.encode, replies))


def _address(name: object, transport: asyncio.BaseTransport) -> str:
    if isinstance(name, tuple):
        host, port = name[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    sock = transport.get_extra_info("socket")
    path = sock.getsockname() if sock is not None and sock.family == socket.AF_UNIX else name
    if isinstance(path, bytes):
        path = path.decode(errors="replace")
    return f"{path or ''}:0"
