"""``--pipe``: a file full of requests, sent as fast as the server takes them.

Standard input holds RESP, or lines of words, and goes to the server as it is. Nobody waits for a reply before the next
request: while one task sends, another reads and counts, so neither side's buffers fill. How do we know that all was read? The
last request is ours, an ECHO of twenty random bytes, and what answers it comes after everything else.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final

from cutaway.client.addresses import Address
from cutaway.client.clients import Client, ConnectError, refuse
from cutaway.client.links import CHUNK, dial
from cutaway.client.options import Options
from cutaway.client.printing import complain
from cutaway.resp import ReplyError, ReplyParser, encode_request

MAGIC_BYTES: Final = 20


def pipe(client: Client, options: Options) -> int:
    """Send standard input; give the exit status. Raises OSError."""
    return asyncio.run(Pipe(options.pipe_timeout).run(client.address))


class Pipe:
    """One mass insertion, and what came of it."""

    def __init__(self, timeout: int) -> None:
        self._timeout: Final = timeout or None
        self._magic: Final = os.urandom(MAGIC_BYTES)
        self._parser: Final = ReplyParser()
        self._all_sent: Final = asyncio.Event()
        self.replies = 0
        self.errors = 0

    async def run(self, address: Address) -> int:
        """Send all, read all, and say how many errors there were."""
        reader, writer = await _open(address)
        for words in address.greetings():
            writer.write(encode_request(words))
            reply = await self._next(reader)
            if isinstance(reply, ReplyError):
                refuse(words, reply)
        sending = asyncio.create_task(self._send(writer))
        sending.add_done_callback(
            lambda task: task.cancelled() or task.exception()
        )  # the reader hears of it too
        try:
            await self._count(reader)
        except TimeoutError:
            complain(f"No replies for {self._timeout} seconds: exiting.")
            self.errors += 1
        finally:
            sending.cancel()
        print(f"errors: {self.errors}, replies: {self.replies}", flush=True)
        return 1 if self.errors else 0

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        while data := await asyncio.to_thread(os.read, sys.stdin.fileno(), CHUNK):
            writer.write(data)
            await writer.drain()
        # The empty line ends a request that was cut off, should the input end in one.
        writer.write(b"\r\n" + encode_request([b"ECHO", self._magic]))
        await writer.drain()
        print("All data transferred. Waiting for the last reply...", flush=True)
        self._all_sent.set()

    async def _count(self, reader: asyncio.StreamReader) -> None:
        while True:
            reply = await self._next(reader)
            if reply == self._magic:
                print("Last reply received from server.", flush=True)
                return
            self.replies += 1
            if isinstance(reply, ReplyError):
                complain(reply.message)
                self.errors += 1

    async def _next(self, reader: asyncio.StreamReader) -> object:
        """The next reply. Raises TimeoutError if all is sent and the server is silent, ConnectionError at the end."""
        for reply in self._parser:
            return reply
        while True:
            data = await self._read(reader)
            if not data:
                raise ConnectionError("Server closed the connection")
            self._parser.feed(data)
            for reply in self._parser:
                return reply

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        if not self._all_sent.is_set():
            reading = asyncio.ensure_future(reader.read(CHUNK))
            sent = asyncio.ensure_future(self._all_sent.wait())
            await asyncio.wait((reading, sent), return_when=asyncio.FIRST_COMPLETED)
            sent.cancel()
        else:
            reading = asyncio.ensure_future(reader.read(CHUNK))
        async with asyncio.timeout(self._timeout):
            return await reading


async def _open(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        connection = await asyncio.to_thread(dial, address)
        return await asyncio.open_connection(
            sock=connection, ssl=address.secure_context, server_hostname=address.secure_name
        )
    except OSError as error:
        raise ConnectError(address, error) from error
