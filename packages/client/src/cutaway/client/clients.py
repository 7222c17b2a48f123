"""A client that waits: one request, one reply, no event loop.

    with Client("redis://127.0.0.1:6379/0", timeout=5) as client:
        client.call("SET", "greeting", "hello", "EX", 60)
        client.call("GET", "greeting")                        # b"hello"
        client.pipeline([("INCR", "visits"), ("TTL", "greeting")])

A command is written as the manual writes it; there is no method per command to learn. Replies are the plain values of
`cutaway.resp`: bytes, str, int, float, list, dict, set, None. An error is raised by `call` (`ReplyError`), and is a value in
what `pipeline` gives, where one error should not hide the other replies.

The connection is opened by the first call and, when it was lost, opened anew by the next, in the database that was selected
last. Subscriptions and transactions end with their connection. A call during which it was lost
raises ConnectionError and is not repeated: nobody can know whether the server had run it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Final, Self, TypeAlias

from cutaway.client.addresses import Address
from cutaway.client.conversations import Argument, Conversation, Request, as_bytes
from cutaway.client.engines import EngineLike, EngineLink
from cutaway.client.links import CHUNK, Link, SocketLink, Tap
from cutaway.resp import Reply, ReplyError, ReplyProtocolError


class ConnectionLostError(ConnectionError):
    """The server closed the connection, or sent what is not RESP."""


class ConnectError(ConnectionError):
    """There is no connection to be had."""

    def __init__(self, address: Address, reason: Exception) -> None:
        why = (isinstance(reason, OSError) and reason.strerror) or str(reason) or type(reason).__name__
        super().__init__(f"Could not connect to Redis at {address}: {why}")


class GreetingError(ConnectionError):
    """The server refused AUTH, HELLO or SELECT."""


OnRefusal: TypeAlias = Callable[[Sequence[bytes], ReplyError], None]
"""Called when the server refused a part of our introduction: what we sent, what it said."""


def refuse(words: Sequence[bytes], reply: ReplyError) -> None:
    """The default: without a complete introduction there is no connection."""
    shown = words[:1] if words[0] == b"AUTH" else words
    raise GreetingError(f"{b' '.join(shown).decode()} failed: {reply}")


class Client:
    """One connection to a server, or to an engine in this process."""

    def __init__(
        self,
        address: Address | str | None = None,
        *,
        engine: EngineLike | None = None,
        timeout: float | None = None,
        exact: bool = False,
        tap: Tap | None = None,
        on_refusal: OnRefusal = refuse,
    ) -> None:
        """Remember where to connect; nothing is sent before the first call.

        - `address`: an `Address` or a URL; 127.0.0.1:6379 if there is neither it nor an engine.
        - `timeout`: seconds to wait for a connection, and for each reply.
        - `exact`: replies keep the server's order of maps and sets and its digits (see `ReplyParser`).
        - `tap`: hears of all bytes that travel.
        - `on_refusal`: hears when the server refuses AUTH, SELECT or HELLO; the default raises GreetingError.
        """
        self.address: Address = (
            Address.from_url(address) if isinstance(address, str) else address or Address()
        )
        self.timeout = timeout
        self._engine: Final = engine
        self._exact: Final = exact
        self._has_talked = False
        self._tap: Final = tap
        self._on_refusal: Final = on_refusal
        self._link: Link | None = None
        self.conversation = Conversation(exact=exact)

    # ---- the connection

    def connect(self) -> None:
        """Open the connection and introduce ourselves. Raises ConnectError, GreetingError."""
        self.close()
        if self._has_talked:  # SELECT would otherwise be forgotten, and the next command write elsewhere
            self.address = replace(self.address, database=self.conversation.database)
        self.conversation = Conversation(exact=self._exact)
        try:
            self._link = (
                SocketLink(self.address, self.timeout) if self._engine is None else EngineLink(self._engine)
            )
        except OSError as error:
            raise ConnectError(self.address, error) from error
        for words in self.address.greetings():
            reply = self._wait_for(self._send([words])[0])
            if isinstance(reply, ReplyError):
                self._refused(words, reply)
        self._has_talked = True

    def _refused(self, words: Sequence[bytes], reply: ReplyError) -> None:
        try:
            self._on_refusal(words, reply)
        except GreetingError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection. The next call opens another."""
        if self._link is not None:
            self._link.close()
            self._link = None

    @property
    def is_connected(self) -> bool:
        """Whether a connection is open, as far as we know."""
        return self._link is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # ---- asking

    def call(self, *words: Argument) -> Reply:
        """Run a command. Raises ReplyError for an error reply, OSError when there is no connection."""
        reply = self.ask(*words)
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def ask(self, *words: Argument) -> Reply:
        """Run a command; an error reply is a value."""
        return self.pipeline([words])[0]

    def pipeline(self, requests: Iterable[Sequence[Argument]]) -> list[Reply]:
        """Send many commands before reading the first reply; give the replies, errors as values. O(bytes).

        A batch is at most `CHUNK` bytes of requests: a client that only ever writes while the server only ever
        answers would end with both waiting for the other to read.
        """
        if self._link is None:
            self.connect()
        replies: list[Reply] = []
        batch: list[list[bytes]] = []
        size = 0
        for words in requests:
            argv = [as_bytes(word) for word in words]
            batch.append(argv)
            size += sum(map(len, argv))
            if size >= CHUNK:
                replies += self._exchange(batch)
                batch, size = [], 0
        return replies + self._exchange(batch) if batch else replies

    def messages(self, timeout: float | None = None) -> Iterator[Reply]:
        """Yield messages as they come: `Push`, and `str` for the lines of MONITOR. Ends after `timeout` seconds of silence."""
        while (message := self.message(timeout)) is not None:
            yield message

    def message(self, timeout: float | None = None) -> Reply:
        """The next message, or None if none came within `timeout` seconds. Raises OSError."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self.conversation.messages:
            left = None if end is None else max(0.0, end - time.monotonic())
            try:
                self._read(left)
            except TimeoutError:
                return None
        return self.conversation.messages.popleft()

    # ---- carrying

    def _exchange(self, batch: Sequence[Sequence[bytes]]) -> list[Reply]:
        return [self._wait_for(request) for request in self._send(batch)]

    def _send(self, batch: Sequence[Sequence[bytes]]) -> list[Request]:
        requests = [self.conversation.ask(argv) for argv in batch]
        data = b"".join([request.payload for request in requests])
        assert self._link is not None
        if self._tap is not None:
            self._tap.sent(data)
        try:
            self._link.send(data)
        except OSError:
            self.close()
            raise
        return requests

    def _wait_for(self, request: Request) -> Reply:
        """Read until the request is answered; on a TimeoutError the reply, if it still comes, will be dropped."""
        while not request.is_answered:
            self._read(self.timeout)
        return request.reply

    def _read(self, timeout: float | None) -> None:
        if self._link is None:
            raise ConnectionLostError("not connected")
        try:
            data = self._link.receive(timeout)
            if not data:
                raise ConnectionLostError("Server closed the connection")
            if self._tap is not None:
                self._tap.received(data)
            self.conversation.receive(data)
        except TimeoutError:
            raise
        except ReplyProtocolError as error:
            self.close()
            raise ConnectionLostError(f"Protocol error, {error}") from None
        except OSError:
            self.close()
            raise
