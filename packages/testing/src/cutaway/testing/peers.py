r"""A connection to a server, and as little around it as possible.

Tests of a server want two things of a reply: what it says, as a Python value, and which bytes said it. `Peer` gives either:
`ask` the value, `ask_bytes` the bytes. Both take one reply off the same stream, so the two may be mixed.

To know where a reply ends without building its value, one follows the headers. Every line begins with a type and ends with
``\r\n``. A blob (``$``, ``=``, ``!``) is followed by as many bytes as its line says; an array, a set or a push announces
that many more values, a map twice as many, an attribute twice as many and the value that it describes. One number is
enough to remember where one is in the nesting: how many values are still to come.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from cutaway.resp import Reply, ReplyParser, encode_request
from cutaway.testing.waiting import Closing

Word = bytes | str | float
"""What a request is made of: bytes as they are, a string in UTF-8, a number as Python writes it."""

Address = str | Path | tuple[str, int]
"""The path of a unix socket, or host and port."""

_CHUNK: Final = 1 << 16


def encode_words(words: Iterable[Word]) -> list[bytes]:
    """Return a request's words as bytes."""
    return [
        word if isinstance(word, bytes) else str(word).encode("utf-8", "surrogateescape") for word in words
    ]


class ReplySplitter:
    """Cuts a stream into replies, each the bytes that came: feed it bytes, then iterate. O(1) per value."""

    __slots__ = ("_data", "_pending", "_position")

    def __init__(self) -> None:
        self._data = bytearray()
        self._position = 0  # where the next header begins
        self._pending = 1  # values that the reply under way still lacks

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._data += data

    def __iter__(self) -> Iterator[bytes]:
        """Yield the complete replies, and forget them. Raises ValueError if a header has no number."""
        while (reply := self.gets()) is not None:
            yield reply

    def gets(self) -> bytes | None:
        """Return the next complete reply, or None."""
        while self._pending:
            if not self._step():
                return None
        reply = bytes(self._data[: self._position])
        del self._data[: self._position]
        self._position, self._pending = 0, 1
        return reply

    def rest(self) -> bytes:
        """Return the bytes that are left, a part of a reply among them, and forget them."""
        data = bytes(self._data)
        self._data.clear()
        self._position, self._pending = 0, 1
        return data

    def _step(self) -> bool:
        """Pass one header, and the blob behind it; whether it was all there."""
        end = self._data.find(b"\r\n", self._position)
        if end < 0:
            return False
        kind, head = self._data[self._position : self._position + 1], self._data[self._position + 1 : end]
        after, more = end + 2, -1
        if kind in b"$=!" and head != b"-1":
            after += int(head) + 2
            if after > len(self._data):
                return False
        elif kind in b"*~>" and head != b"-1":
            more += int(head)
        elif kind == b"%":
            more += 2 * int(head)
        elif kind == b"|":
            more += 2 * int(head) + 1
        self._position, self._pending = after, self._pending + more
        return True


class Peer(Closing):
    """One connection to a server.

    Whatever waits for the server waits at most `timeout` seconds and then raises TimeoutError; where the server has closed
    the connection, ConnectionError is raised.
    """

    def __init__(self, address: Address, timeout: float = 10.0) -> None:
        self.socket: Final = open_socket(address, timeout)
        self._replies: Final = ReplySplitter()

    def send(self, *words: Word) -> None:
        """Send one request."""
        self.socket.sendall(encode_request(encode_words(words)))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def read(self) -> Reply:
        """Wait for one reply, and return its value; an error is a `ReplyError`."""
        parser = ReplyParser()
        parser.feed(self.read_bytes())
        return parser.gets()

    def read_bytes(self) -> bytes:
        """Wait for one reply, and return its bytes."""
        while (reply := self._replies.gets()) is None:
            data = self.socket.recv(_CHUNK)
            if not data:
                raise ConnectionError(f"the server closed the connection after {self._replies.rest()!r}")
            self._replies.feed(data)
        return reply

    def ask(self, *words: Word) -> Reply:
        """Send one request, and return the value of its reply."""
        self.send(*words)
        return self.read()

    def ask_bytes(self, *words: Word) -> bytes:
        """Send one request, and return the bytes of its reply."""
        self.send(*words)
        return self.read_bytes()

    def ask_all(self, requests: Iterable[Sequence[Word]]) -> list[bytes]:
        """Send several requests together, and return the bytes of each reply."""
        encoded = [encode_request(encode_words(words)) for words in requests]
        self.send_bytes(b"".join(encoded))
        return [self.read_bytes() for _ in encoded]

    def raw(self, data: bytes, silence: float = 0.5) -> bytes:
        """Send bytes as they are, and return what comes until the server closes or is silent for so many seconds."""
        self.send_bytes(data)
        return self.rest(silence)

    def rest(self, silence: float = 0.5) -> bytes:
        """Return what came and was not read, until the server closes or is silent for so many seconds."""
        timeout = self.socket.gettimeout()
        self.socket.settimeout(silence)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while data := self.socket.recv(_CHUNK):
                self._replies.feed(data)
        self.socket.settimeout(timeout)
        return self._replies.rest()

    def is_open(self) -> bool:
        """Whether the server still answers on this connection."""
        try:
            return bool(self.ask_bytes("PING"))
        except OSError:
            return False

    def close(self) -> None:
        """End the connection."""
        self.socket.close()


def open_socket(address: Address, timeout: float = 10.0) -> socket.socket:
    """Connect to an address. Raises OSError."""
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        connection.connect(str(address))
    except OSError:
        connection.close()
        raise
    return connection


def exchange(address: Address, data: bytes, seconds: float = 5.0) -> bytes:
    """Send bytes on a connection of their own; return all that the server says until it closes, in at most so many seconds.

    After the last byte our side of the connection is closed. A server answers what it has read before it notices, and then
    closes too: so the end needs no waiting, whatever was sent, a half request or a BLPOP for ever included. What the
    server could not write by then is lost: answers of more than the socket holds, about 200 kB, may be cut off.
    """
    end = time.monotonic() + seconds
    received = bytearray()
    with open_socket(address, seconds) as connection:
        with contextlib.suppress(OSError):  # a server that has seen enough may close first
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while (left := end - time.monotonic()) > 0:
                connection.settimeout(left)
                piece = connection.recv(_CHUNK)
                if not piece:
                    break
                received += piece
    return bytes(received)
