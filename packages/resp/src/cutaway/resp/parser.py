r"""Requests from bytes, with no assumption about where the network cuts them.

A request is an array of bulk strings::

    *2\r\n            two arguments follow
    $3\r\nGET\r\n     the first has three bytes
    $1\r\nk\r\n       the second has one

or, for people with a terminal, a line of words (see `cutaway.resp.inline`). Every length is announced
before its payload, so a parser never looks at a payload: it finds the end of a header, slices, and hops
over. That is the whole algorithm, and ``bytes.find`` and slicing, both C loops, do the work. Headers are
not even converted: ``$3`` is looked up in a dict that knows the first thousand lengths by their spelling,
and whatever is not in there (long, malformed, forbidden, cut off) takes the careful way round.

**Cuts.** TCP is a stream: a read may end anywhere, in the middle of a header, between ``\r`` and ``\n``.
What is left of a chunk is kept in a bytearray until the number of bytes it is known to lack has come, and
only then looked at again; so a bulk string of 100 MB that comes in 64 KB reads is copied a fixed number of
times, not once per read. Arguments that are complete are taken out at once. Nothing is allocated on the
strength of an announced length.

**Errors.** After a malformed header nobody knows where the next request begins. The parser raises
`ProtocolError`, with the requests that were complete before it, and is dead from then on: the server runs
those, sends the text, and closes the connection. The texts are Redis's. So are two leniencies: the two
bytes after a payload are hopped over, not read, and so is the byte after the ``\r`` of a header.

Source: ``processMultibulkBuffer()`` and ``processInlineBuffer()`` in Redis's networking.c. One deliberate
difference: Redis measures "too big" lines against what happens to be in its buffer, so the answer depends
on timing; here a line is too big or it is not, however it was cut.
"""

from __future__ import annotations

import re
import sys
from typing import Final

from cutaway.resp.inline import split_inline
from cutaway.resp.limits import UNAUTHENTICATED_ARGUMENTS, UNAUTHENTICATED_BULK_LENGTH, RequestLimits

LONGEST_LONE: Final = 4096
"""Bytes; `lone_name` knows no request that is longer."""
_ASTERISK: Final = ord("*")
_DOLLAR: Final = ord("$")
# Headers known by heart: none of them is beyond any limit, not even a stranger's.
_COUNTS: Final = {b"*%d" % n: n for n in range(1, UNAUTHENTICATED_ARGUMENTS + 1)}
_LENGTHS: Final = {b"$%d" % n: n for n in range(1024)}
_INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_NOT_YET: Final = -1
_NOTHING: Final[tuple[list[bytes], int, int]] = ([], 0, 0)  # arguments, how many were measured, their bytes


def lone_name(data: bytes) -> bytes | None:
    """Return what seems to be the command's name, if `data` seems to be one request of less than a hundred words; else None.

    Whether it is, and is whole, has still to be read. O(data).
    """
    if data.rfind(b"*") or len(data) > LONGEST_LONE:
        return None
    head = data.split(b"\r\n", 3)
    return head[2] if len(head) > 3 and len(head[0]) < 4 else None


class ProtocolError(Exception):
    """Malformed input; `requests` are those that were complete before it, `text` is what the client is told.

    Bytes of the input that `text` quotes are decoded as UTF-8 with surrogateescape, like `Encoder` does.
    """

    def __init__(self, text: str, requests: list[list[bytes]]) -> None:
        super().__init__(text)
        self.text = text
        self.requests = requests


class QueryBufferError(ProtocolError):
    """The unparsed input outgrew `max_query_buffer`: the connection is closed without a reply."""


class RequestParser:
    """Incremental parser of client requests: feed it bytes as they come, get complete requests."""

    __slots__ = ("_arguments", "_lacking", "_measured", "_remaining", "_tail", "limits")

    def __init__(self, limits: RequestLimits | None = None) -> None:
        self.limits: RequestLimits = limits or RequestLimits()
        self._tail = bytearray()  # input that is not yet arguments
        self._lacking = 0  # bytes that must come before the tail is worth another look
        self._arguments: list[bytes] = []  # of the request under way
        self._remaining = 0  # how many arguments it still lacks
        self._measured = _NOTHING

    @property
    def pending(self) -> int:
        """Bytes that wait in the buffer for the rest of their header or payload."""
        return len(self._tail)

    @property
    def is_between_requests(self) -> bool:
        """Whether the next byte begins a request. O(1)."""
        return not (self._remaining or self._tail)

    @property
    def header_bytes(self) -> int:
        """How many of them are the header of an argument whose length is known already. O(1)."""
        return self._tail.find(b"\r") + 2 if self._lacking > 0 else 0

    @property
    def argument_bytes(self) -> int:
        """Bytes of the arguments that are already there of the request under way. O(those that have come since the last time)."""
        if not self._remaining:
            self._measured = _NOTHING
            return 0
        arguments = self._arguments
        measured, count, size = self._measured
        if measured is not arguments:
            count = size = 0
        size += sum(map(len, arguments[count:]))
        self._measured = arguments, len(arguments), size
        return size

    @property
    def argument_count(self) -> int:
        """How many arguments these are. O(1)."""
        return len(self._arguments) if self._remaining else 0

    def feed(self, data: bytes) -> list[list[bytes]]:
        """Take the next bytes of the stream; return the requests they complete, empty ones dropped.

        Raises ProtocolError on malformed input, QueryBufferError when too much waits. O(n), amortised.
        """
        requests: list[list[bytes]] = []
        if self._tail:
            data = self._take_tail(data)
        position = self._parse(data, requests)
        if position < len(data):
            self._keep_tail(data, position, requests)
        return requests

    def _take_tail(self, data: bytes) -> bytes:
        """Return what was kept, with `data` after it; nothing if bytes are known to be lacking."""
        self._tail += data
        self._lacking -= len(data)
        if self._lacking > 0:
            self._check_query_buffer([])
            return b""
        data = bytes(self._tail)
        self._tail.clear()
        return data

    def _keep_tail(self, data: bytes, position: int, requests: list[list[bytes]]) -> None:
        """Keep what follows `position`, within the limit of the query buffer."""
        self._tail += memoryview(data)[position:]
        self._check_query_buffer(requests)

    def _check_query_buffer(self, requests: list[list[bytes]]) -> None:
        if len(self._tail) > self.limits.max_query_buffer:
            raise QueryBufferError("client query buffer limit reached", requests)

    def _parse(self, data: bytes, requests: list[list[bytes]], at_most: int = sys.maxsize) -> int:
        """Append complete requests; return where the first incomplete header or payload begins."""
        position, end = 0, len(data)
        remaining, arguments = self._remaining, self._arguments
        while position < end and len(requests) < at_most:
            if not remaining:
                if data[position] != _ASTERISK:
                    after = self._parse_inline(data, position, requests)
                    if after == _NOT_YET:
                        break
                    position = after
                    continue
                newline = data.find(b"\r", position)
                count = _COUNTS.get(data[position:newline], 0)
                if not count or not 0 <= newline < end - 1:
                    if self._incomplete(data, position, newline, "mbulk", requests):
                        break
                    count = self._multibulk_length(data[position + 1 : newline], requests)
                position = newline + 2
                if count <= 0:
                    continue
                remaining, arguments = count, []
            while remaining:
                newline = data.find(b"\r", position)
                length = _LENGTHS.get(data[position:newline], _NOT_YET)
                if length < 0 or newline < 0:
                    if self._incomplete(data, position, newline, "bulk", requests):
                        break
                    length = self._bulk_length(data, position, newline, requests)
                start = newline + 2
                stop = start + length
                if stop + 2 > end:
                    self._lacking = stop + 2 - end
                    break
                arguments.append(data[start:stop])
                position = stop + 2
                remaining -= 1
            if remaining:
                break
            requests.append(arguments)
        self._remaining, self._arguments = remaining, arguments if remaining else []
        return position

    def _parse_inline(self, data: bytes, position: int, requests: list[list[bytes]]) -> int:
        """Append the words of the line at `position`; return where the next line begins, or _NOT_YET."""
        newline = data.find(b"\n", position)
        line_end = newline if newline >= 0 else len(data)
        if line_end - position > self.limits.max_inline_length:
            raise ProtocolError("Protocol error: too big inline request", requests)
        if newline < 0:
            return _NOT_YET
        if newline > position and data[newline - 1 : newline] == b"\r":
            line_end -= 1
        try:
            words = split_inline(data[position:line_end])
        except ValueError:
            raise ProtocolError("Protocol error: unbalanced quotes in request", requests) from None
        if words:
            requests.append(words)
        return newline + 1

    def _incomplete(
        self, data: bytes, position: int, newline: int, kind: str, requests: list[list[bytes]]
    ) -> bool:
        """Say whether a header still lacks its end; raise if it never ends."""
        header_end = newline if newline >= 0 else len(data)
        if header_end - position > self.limits.max_inline_length:
            raise ProtocolError(f"Protocol error: too big {kind} count string", requests)
        return newline < 0 or newline + 2 > len(data)

    def _multibulk_length(self, digits: bytes, requests: list[list[bytes]]) -> int:
        count = _integer(digits)
        if count is None or count > self.limits.max_multibulk_length:
            raise ProtocolError("Protocol error: invalid multibulk length", requests)
        if count > UNAUTHENTICATED_ARGUMENTS and not self.limits.authenticated:
            raise ProtocolError("Protocol error: unauthenticated multibulk length", requests)
        return count

    def _bulk_length(self, data: bytes, position: int, newline: int, requests: list[list[bytes]]) -> int:
        if data[position] != _DOLLAR:
            got = data[position : position + 1].decode("utf-8", "surrogateescape")
            raise ProtocolError(f"Protocol error: expected '$', got '{got}'", requests)
        length = _integer(data[position + 1 : newline])
        if length is None or not 0 <= length <= self.limits.max_bulk_length:
            raise ProtocolError("Protocol error: invalid bulk length", requests)
        if length > UNAUTHENTICATED_BULK_LENGTH and not self.limits.authenticated:
            raise ProtocolError("Protocol error: unauthenticated bulk length", requests)
        return length


def _integer(digits: bytes) -> int | None:
    """Return the 64-bit integer that `digits` spell in the one canonical way, or None."""
    if not _INTEGER.fullmatch(digits):
        return None
    value = int(digits)
    return value if -(2**63) <= value < 2**63 else None
