r"""The request parser's second body: hiredis does the cutting, and Python checks that it meant the same.

hiredis is the C library that clients read *replies* with. A request happens to look like one kind of reply,
an array of bulk strings, so a reply reader can read requests, eight times as fast as `RequestParser`. But
it accepts more than requests, and it reports less: it has other error texts, and does not say how far it
came. So its work counts only when it is certain to be what the readable parser would have said, and
otherwise the readable parser, from which this class inherits, gets the same bytes as if nothing had
happened. The proof for a chunk:

1. It holds none of ``+ = (``, types whose text hiredis returns as bytes, like a bulk string's, and none of
   ``~ | > %``, which it returns as a list or as something that iterates like one. If it does, most likely
   inside a payload, then the requests, encoded again, must give the chunk.
2. No array, nor what hiredis shows like one, claims 10000 elements or more: hiredis would allocate the list at
   once, on the strength of a header.
3. The chunk is read as one array of as many elements as it seems to hold requests, by a header put before it.
   The array comes out complete, none of its elements is empty, and nothing is left in the reader's buffer. So
   the chunk ends where a request ends. (A ``*`` in a payload makes the count too high, and nothing comes out;
   then only those count that begin a line.)
4. ``b"".join(chain.from_iterable(requests))`` is possible: every request is iterable, and what it holds are
   bytes. Numbers, nulls, errors, nested arrays and bare bulk strings all fail here, in one call of C.

Chunks that are one request each, which is what clients send that wait for each reply, are proven together, `read_each`: each begins
with an asterisk and has no other (`lone_name`), and 1, 3 and 4 hold for all of them in a row. So each request begins where
a chunk does. A chunk that seems to be one request is tried in this way first.

When only the last request of a chunk is cut off, the part before it is proven in a second attempt, and the
readable parser takes the rest; it hands back as soon as that request is complete.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Final

from cutaway.resp.encoder import encode_request
from cutaway.resp.parser import ProtocolError, RequestParser, lone_name

if TYPE_CHECKING:
    from cutaway.resp.limits import RequestLimits

AVAILABLE: Final = find_spec("hiredis") is not None
if AVAILABLE or TYPE_CHECKING:
    from hiredis import HiredisError, Reader

_WORTHWHILE: Final = 64  # bytes; a shorter chunk is parsed before it would be proven
_ASTERISK: Final = ord("*")
_HUGE_CLAIM: Final = re.compile(rb"\*[0-9]{5}").search
_HUGE_CLAIM_OF_ANY: Final = re.compile(rb"[*~>|%][0-9]{5}").search
_PLUS, _EQUALS, _PARENTHESIS, _TILDE, _BAR, _GREATER, _PERCENT = b"+=(~|>%"


class HiredisRequestParser(RequestParser):
    """`RequestParser` with a C core: the same requests, errors and limits. Needs the package `hiredis`."""

    __slots__ = ("_reader",)

    def __init__(self, limits: RequestLimits | None = None) -> None:
        super().__init__(limits)
        self._reader = Reader()

    def feed(self, data: bytes) -> list[list[bytes]]:
        """Take the next bytes of the stream; return the requests they complete, as `RequestParser` does."""
        if self._remaining or self._tail:
            return self._feed_busy(data)
        if lone_name(data) is not None and self.limits.authenticated:
            requests = self.read_each([data])
            if requests is not None:
                return requests
        if len(data) < _WORTHWHILE:
            return super().feed(data)
        return self._feed_idle(data)

    def read_each(self, chunks: list[bytes]) -> list[list[bytes]] | None:
        """Return the requests that these are, each no less and no more than one; None where that cannot be said at a glance.

        For each of them `lone_name` must have given a name. They may come from several streams, each of which is between two
        requests. Never raises, and leaves the parser as it was.
        """
        is_one = len(chunks) == 1
        data = chunks[0] if is_one else b"".join(chunks)
        is_ambiguous = _is_ambiguous(data)
        if is_ambiguous and _HUGE_CLAIM_OF_ANY(data):
            return None
        requests = self._read_lone(data) if is_one else self._read_array(data, len(chunks))
        return requests if not is_ambiguous or requests is None or _encode_all(requests) == data else None

    def _read_lone(self, data: bytes) -> list[list[bytes]] | None:
        """As `_read_array` for one request: it needs no array around it."""
        reader = self._reader
        try:
            reader.feed(data)
            request: list[bytes] = reader.gets()
            if request and not reader.has_data():
                b"".join(request)
                return [request]
        except (HiredisError, TypeError):
            pass  # not a request; the readable parser will say what
        self._reader = Reader()
        return None

    def _feed_busy(self, data: bytes) -> list[list[bytes]]:
        """Let the readable parser complete the request under way, then parse the rest."""
        requests: list[list[bytes]] = []
        if self._tail:
            data = self._take_tail(data)
        position = self._parse(data, requests, 1)
        if not requests:
            self._keep_tail(data, position, requests)
        elif position < len(data):
            try:
                requests += self._feed_idle(data[position:])
            except ProtocolError as error:
                error.requests[:0] = requests
                raise
        return requests

    def _feed_idle(self, data: bytes) -> list[list[bytes]]:
        """Parse bytes that begin where a request begins."""
        limits = self.limits
        if data[0] != _ASTERISK or not limits.authenticated or len(data) > limits.max_bulk_length:
            return super().feed(data)
        requests = self._read(data)
        if requests is not None:
            return requests
        boundary = data.rfind(b"\r\n*") + 2
        requests = self._read(data[:boundary]) if boundary > 1 else None
        if requests is None:
            return super().feed(data)
        position = self._parse(data[boundary:], requests)
        self._keep_tail(data, boundary + position, requests)
        return requests

    def _read(self, data: bytes) -> list[list[bytes]] | None:
        """Return the requests that make up `data` exactly, or None if hiredis cannot prove that."""
        is_ambiguous = _is_ambiguous(data)
        if (_HUGE_CLAIM_OF_ANY if is_ambiguous else _HUGE_CLAIM)(data):
            return None
        stars = data.count(b"*")  # each request has one, payloads hardly ever: lines take longer to count
        requests = self._read_array(data, stars)
        if requests is None:
            lines = data.count(b"\r\n*") + 1
            if lines != stars:
                requests = self._read_array(data, lines)
        return requests if not is_ambiguous or requests is None or _encode_all(requests) == data else None

    def _read_array(self, data: bytes, count: int) -> list[list[bytes]] | None:
        """Return the `count` requests that `data` is, or None."""
        reader = self._reader
        try:
            reader.feed(b"*%d\r\n" % count)
            reader.feed(data)
            requests: list[list[bytes]] = reader.gets()
            if requests and all(requests) and not reader.has_data():
                b"".join(chain.from_iterable(requests))
                return requests
        except (HiredisError, TypeError):
            pass  # not requests, or not only; the readable parser will say what
        self._reader = Reader()
        return None


def _is_ambiguous(data: bytes) -> bool:
    """Say whether `data` holds a byte that could be the type of something hiredis shows like a request."""
    return (
        _PLUS in data
        or _EQUALS in data
        or _PARENTHESIS in data
        or _TILDE in data
        or _BAR in data
        or _GREATER in data
        or _PERCENT in data
    )


def _encode_all(requests: list[list[bytes]]) -> bytes:
    return b"".join(map(encode_request, requests))


def best_request_parser() -> type[RequestParser]:
    """Return the fastest request parser that this environment has."""
    return HiredisRequestParser if AVAILABLE else RequestParser
