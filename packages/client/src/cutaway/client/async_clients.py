"""A client in an event loop: many tasks share one connection.

    async with AsyncClient("redis://127.0.0.1:6379") as client:
        await client.call("SET", "greeting", "hello")
        one, two = await asyncio.gather(client.call("INCR", "a"), client.call("INCR", "b"))

Calls that are made at the same time go out together, without anybody arranging a pipeline: each request is sent as soon as it is
made, and the replies, which come in the same order, wake their callers. A caller who was cancelled leaves its request in the
queue: the reply will come, and is dropped, and the ones behind it still reach the right callers.

Values, errors and reconnecting are those of `Client`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from cutaway.client.addresses import Address
from cutaway.client.clients import ConnectError, ConnectionLostError, GreetingError, OnRefusal, refuse
from cutaway.client.conversations import Argument, Conversation, as_bytes
from cutaway.client.engines import EngineLike, EngineLink
from cutaway.client.links import Tap, dial
from cutaway.resp import Reply, ReplyError, ReplyProtocolError


class AsyncClient:
    """One connection to a server, or to an engine in this process, for any number of tasks."""

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
        """Remember where to connect. The arguments are those of `Client`."""
        self.address: Address = (
            Address.from_url(address) if isinstance(address, str) else address or Address()
        )
        self.timeout = timeout
        self._engine: Final = engine
        self._exact: Final = exact
        self._has_talked = False
        self._reason: Exception = ConnectionLostError("not connected")
        self._tap: Final = tap
        self._on_refusal: Final = on_refusal
        self._wire: _Wire | None = None
        self._opening: Final = asyncio.Lock()
        self._news: Final = asyncio.Event()
        self.conversation = Conversation(exact=exact)

    # ---- the connection

    async def connect(self) -> None:
        """Open the connection and introduce ourselves. Raises ConnectError, GreetingError."""
        self.close()
        if self._has_talked:  # SELECT would otherwise be forgotten, and the next command write elsewhere
            self.address = replace(self.address, database=self.conversation.database)
        self.conversation = Conversation(exact=self._exact)
        wire = _Wire(self._received, self._lost)
        async with asyncio.timeout(self.timeout):
            try:
                await _open(self.address, self._engine, wire)
            except OSError as error:
                raise ConnectError(self.address, error) from error
            self._wire = wire
            for words in self.address.greetings():
                reply = await self._send(wire, words)
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
        self._lost(ConnectionLostError("closed"))

    @property
    def is_connected(self) -> bool:
        """Whether a connection is open, as far as we know."""
        return self._wire is not None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # ---- asking

    async def call(self, *words: Argument) -> Reply:
        """Run a command. Raises ReplyError for an error reply, OSError when there is no connection."""
        reply = await self.ask(*words)
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    async def ask(self, *words: Argument) -> Reply:
        """Run a command; an error reply is a value."""
        return (await self.pipeline([words]))[0]

    async def pipeline(self, requests: Iterable[Sequence[Argument]]) -> list[Reply]:
        """Send many commands before reading the first reply; give the replies, errors as values. O(bytes)."""
        async with self._opening:  # tasks that find the connection lost together open one, not several
            if self._wire is None:
                await self.connect()
        wire = self._wire
        if wire is None:
            raise ConnectionLostError("closed")
        sent: list[asyncio.Future[Reply]] = []
        async with asyncio.timeout(self.timeout):
            for words in requests:
                sent.append(self._send(wire, [as_bytes(word) for word in words]))
                await wire.writable.wait()
            return [await future for future in sent]

    async def messages(self) -> AsyncIterator[Reply]:
        """Yield messages as they come: `Push`, and `str` for MONITOR. Raises OSError at the end."""
        while True:
            while self.conversation.messages:
                yield self.conversation.messages.popleft()
            if self._wire is None:
                raise self._reason
            self._news.clear()
            await self._news.wait()

    # ---- carrying

    def _send(self, wire: _Wire, argv: Sequence[bytes]) -> asyncio.Future[Reply]:
        request = self.conversation.ask(argv)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def settle() -> None:
            wire.waiting.discard(future)
            if not future.done():
                future.set_result(request.reply)

        if request.is_answered:
            future.set_result(request.reply)
        else:
            wire.waiting.add(future)
            request.on_answer = settle
        if self._tap is not None:
            self._tap.sent(request.payload)
        wire.write(request.payload)
        return future

    def _received(self, data: bytes) -> None:
        if self._tap is not None:
            self._tap.received(data)
        try:
            self.conversation.receive(data)
        except ReplyProtocolError as error:
            self._lost(ConnectionLostError(f"Protocol error, {error}"))
        if self.conversation.messages:
            self._news.set()

    def _lost(self, error: Exception) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            self._reason = error
            wire.abandon(error)
            self._news.set()


class _Wire(asyncio.Protocol):
    """The transport of one connection, and the calls that wait for its replies."""

    def __init__(self, on_data: Callable[[bytes], None], on_lost: Callable[[Exception], None]) -> None:
        self.write: Callable[[bytes], None]
        self.end: Callable[[], None]
        self.writable: Final = asyncio.Event()
        self.writable.set()
        self.waiting: Final[set[asyncio.Future[Reply]]] = set()
        self._on_data: Final = on_data
        self._on_lost: Final = on_lost
        self._is_abandoned = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is there."""
        assert isinstance(transport, asyncio.Transport)
        self.write, self.end = transport.write, transport.close

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if not self._is_abandoned:
            self._on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server, or the network, ended it."""
        if not self._is_abandoned:
            self._on_lost(exc or ConnectionLostError("Server closed the connection"))

    def pause_writing(self) -> None:
        """The server does not read as fast as we write."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """It has read most of it."""
        self.writable.set()

    def abandon(self, error: Exception) -> None:
        """Nobody will look at this connection again: whoever waits for a reply gets the error."""
        self._is_abandoned = True
        self.writable.set()
        self.end()
        for future in self.waiting:
            if not future.done():
                future.set_exception(error)
        self.waiting.clear()


async def _open(address: Address, engine: EngineLike | None, wire: _Wire) -> None:
    if engine is not None:
        link = EngineLink(engine)
        link.on_data = wire.data_received
        wire.write, wire.end = link.send, link.close
        return
    # Dialled in a thread, because a name may have several addresses, and asyncio would report them all as one garbled error.
    connection = await asyncio.to_thread(dial, address)
    await asyncio.get_running_loop().create_connection(
        lambda: wire, sock=connection, ssl=address.secure_context, server_hostname=address.secure_name
    )
