"""Posing as a replica: ``--rdb`` fetches a snapshot, ``--functions-rdb`` the functions alone, ``--replica`` shows the stream of writes.

A replica says SYNC. The server answers with its whole data set as an RDB file, and then with every write, as it happens. The
file comes in one of two ways: with its length before it, ``$<bytes>``, or, if we have said that we can take it, straight from
memory to the socket, ``$EOF:<mark>`` with a mark of forty random bytes that comes again at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from cutaway.client.addresses import Address
from cutaway.client.clients import Client, ConnectError
from cutaway.client.formats import Format
from cutaway.client.links import CHUNK, connect
from cutaway.client.options import Options
from cutaway.client.printing import complain, stdout_bytes
from cutaway.resp import ReplyError, ReplyParser, encode_request

MARK_BYTES: Final = 40


class SyncError(Exception):
    """The server does not take us for a replica, for the reason that the text says."""


class Master:
    """A connection on which we are a replica."""

    __slots__ = ("_buffer", "_socket")

    def __init__(self, address: Address) -> None:
        try:
            self._socket: Final = connect(address)
        except OSError as error:
            raise ConnectError(address, error) from error
        self._buffer = b""
        for words in address.greetings():
            self.ask(*words)

    def ask(self, *words: bytes) -> bytes:
        """Send a command whose reply is one line, and give that. Raises SyncError for an error, OSError."""
        self._socket.sendall(encode_request(words))
        line = self._line()
        if line.startswith(b"-"):
            raise SyncError(line[1:].decode("utf-8", "replace"))
        return line

    def _line(self) -> bytes:
        while True:
            line, newline, rest = self._buffer.partition(b"\n")
            if not newline:
                self._buffer += self._receive()
            else:
                self._buffer = rest
                if line.strip():  # empty lines say that the server is still at work on the file
                    return line.rstrip(b"\r")

    def _receive(self) -> bytes:
        data = self._socket.recv(CHUNK)
        if not data:
            raise ConnectionError("Server closed the connection")
        return data

    def snapshot(self) -> Iterator[bytes]:
        """SYNC, and give the RDB file in pieces. Raises SyncError, OSError."""
        header = self.ask(b"SYNC")
        if header.startswith(b"$EOF:"):
            yield from self._until(header[5:])
        elif header[:1] == b"$":
            yield from self._exactly(int(header[1:]))
        else:
            raise SyncError(f"not what SYNC should answer: {header!r}")

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            data = self._buffer or self._receive()
            piece, self._buffer = data[:size], data[size:]
            size -= len(piece)
            yield piece

    def _until(self, mark: bytes) -> Iterator[bytes]:
        data = self._buffer
        while (end := data.find(mark)) < 0:
            safe = max(len(data) - MARK_BYTES, 0)  # the mark may be cut in two
            if safe:
                yield data[:safe]
                data = data[safe:]
            data += self._receive()
        yield data[:end]
        self._buffer = data[end + len(mark) :]

    def stream(self) -> Iterator[list[bytes]]:
        """The writes, as they happen. Raises OSError at the end of the connection."""
        parser = ReplyParser()
        parser.feed(self._buffer)
        while True:
            for words in parser:
                if isinstance(words, list):
                    yield [word for word in words if isinstance(word, bytes)]
            parser.feed(self._receive())

    def close(self) -> None:
        """End it."""
        self._socket.close()


def fetch(client: Client, options: Options) -> int:
    """Save a snapshot of the server in a file, "-" for standard output; give the exit status. Raises OSError."""
    assert options.file is not None
    master = Master(client.address)
    try:
        master.ask(b"REPLCONF", b"capa", b"eof")
        _try(master, b"REPLCONF", b"rdb-only", b"1")
        if options.mode == "functions-rdb":
            master.ask(b"REPLCONF", b"rdb-filter-only", b"functions")
        if options.file == "-":
            size = _copy(master.snapshot(), sys.stdout.buffer)
        else:
            size = _save(master, options.file)
    except SyncError as error:
        complain(f"SYNC with master failed: {error}")
        return 1
    finally:
        master.close()
    complain(f"Transfer finished with success after {size} bytes")
    return 0


def _try(master: Master, *words: bytes) -> None:
    """Servers before 7.0 do not know the word; then they keep the connection as a replica's, until we close it."""
    try:
        master.ask(*words)
    except SyncError:
        return


def _save(master: Master, name: str) -> int:
    """The file appears when it is complete, or not at all."""
    path = Path(name)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with unfinished.open("wb") as file:
            size = _copy(master.snapshot(), file)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return size


def _copy(pieces: Iterator[bytes], file: BinaryIO) -> int:
    size = 0
    for piece in pieces:
        size += file.write(piece)
    file.flush()
    return size


def follow(client: Client, options: Options) -> int:
    """Print the writes of the server as they happen, until interrupted; give the exit status."""
    shown = options.format if "json" in options.format.name else Format("csv")
    master = Master(client.address)
    try:
        complain("SYNC with master, discarding bytes of bulk transfer...")
        size = sum(len(piece) for piece in master.snapshot())
        complain(f"SYNC done after {size} bytes. Logging commands from master.")
        for words in master.stream():
            stdout_bytes(shown.write(list(words)))
    except (SyncError, ReplyError) as error:
        complain(f"SYNC with master failed: {error}")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        master.close()
    return 0
