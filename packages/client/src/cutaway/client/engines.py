"""A server without a socket: an engine in the same process at the other end of the link.

In a test or a notebook the shortest way to a server is a function call. `EngineLink` goes that way and still speaks the
protocol: what the client sends is parsed, run, and encoded again, so that both ends, and whoever taps the link, see the bytes
that a socket would carry. Any engine will do that has the methods of `EngineLike`; this package knows none.

Nobody else runs meanwhile. So where a socket would wait, this link says at once that there is nothing: a BLPOP on an empty
list is a TimeoutError, and its reply comes when somebody, through another client of the same engine, has pushed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from cutaway.resp import (
    NO_REPLY,
    Encoder,
    ProtocolError,
    Push,
    Reply,
    ReplyError,
    RequestParser,
    Several,
)


class EngineLike(Protocol):
    """What runs commands: Cutaway's `Engine`, or whatever looks like it."""

    def connect(self, deliver: Callable[[Reply], None] | None = None) -> Any:
        """Make a client, with the attributes `protocol`, `blocked`, `on_resume`, `reply_mode`, `close_after_reply`."""

    def execute(self, client: Any, argv: Sequence[bytes]) -> Reply:
        """Run one request and give its reply, errors as values."""

    def forget(self, client: Any) -> None:
        """The client is gone."""

    def tick(self) -> None:
        """Take the time, once for each batch of requests."""


class EngineLink:
    """A link to an engine in this process."""

    __slots__ = ("_client", "_engine", "_is_running", "_late", "_out", "_parser", "_waiting", "on_data")

    def __init__(self, engine: EngineLike) -> None:
        self._engine: Final = engine
        self._parser: Final = RequestParser()
        self._client: Final = engine.connect(self._deliver)
        self._client.on_resume = self._resume
        self._waiting: Final[deque[list[bytes]]] = deque()
        self._out: Final = bytearray()
        self._late: Final[list[Reply]] = []
        self._is_running = False
        self.on_data: Callable[[bytes], None] | None = None
        """Gets the bytes at once, if set; otherwise they wait for `receive`."""

    def send(self, data: bytes) -> None:
        """Run the requests in `data`."""
        try:
            self._waiting.extend(self._parser.feed(data))
        except ProtocolError as error:
            self._waiting.extend(error.requests)
            self._write(ReplyError(f"ERR {error.text}"))
        self._resume()

    def receive(self, timeout: float | None = None) -> bytes:  # noqa: ARG002 - a link's, which here cannot wait
        """What was answered so far. Raises TimeoutError if that is nothing: nobody else runs who could change it."""
        if not self._out:
            raise TimeoutError("the engine has nothing to say")
        data = bytes(self._out)
        self._out.clear()
        return data

    def close(self) -> None:
        """The client is gone."""
        self._engine.forget(self._client)

    def _resume(self) -> None:
        client = self._client
        self._engine.tick()
        while self._waiting and client.blocked is None and not client.close_after_reply:
            self._is_running = True
            reply = self._mute(self._engine.execute(client, self._waiting.popleft()))
            self._is_running = False
            self._write(reply)
            while self._late:
                self._write(self._late.pop(0))

    def _mute(self, reply: Reply) -> Reply:
        """CLIENT REPLY: silence what is not a message."""
        mode = self._client.reply_mode
        if mode == "on":
            return reply
        if mode != "off":
            self._client.reply_mode = "skipping" if mode == "skip" else "on"
        return reply if isinstance(reply, (Push, Several)) else NO_REPLY

    def _deliver(self, reply: Reply) -> None:
        """The engine says something outside of a reply; what our own command brought about comes after its reply."""
        if self._is_running:
            self._late.append(reply)
        else:
            self._write(reply)

    def _write(self, reply: Reply) -> None:
        data = Encoder(self._client.protocol).encode(reply)
        if self.on_data is None:
            self._out.extend(data)
        elif data:
            self.on_data(data)
