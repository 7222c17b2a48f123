r"""Replies from bytes: the client's half of the protocol.

RESP values nest (an array holds arrays), and a reply may be cut anywhere, so the parser cannot simply
recurse: it would have to begin again with each chunk. It keeps the path from the outermost value to the
innermost open one as a stack of frames. A scalar that is complete goes to the frame on top; a frame that is
full becomes a value, and goes to the frame below; what reaches the bottom is a reply. Each byte is looked
at once, and the depth of the stack, which a malicious server could otherwise drive up with five bytes a
level, is bounded.

Attributes (``|``) come *before* the value they describe and count as no element. So their frame, when full,
is replaced by a frame for one value, which joins the two.

A map becomes a dict and a set a set when nothing is lost by it. When keys repeat, cannot be hashed, or are
equal in Python and not in Redis (1 and true), the value is a `MapReply` or a `SetReply` in the server's
order. A program wants the plain values; a terminal, which shows what the server said, asks for *exact* ones: then every
map, every set and every attribute keeps its order, and a double (`Double`) its digits.

Specification: https://redis.io/docs/latest/develop/reference/protocol-spec/. Streamed strings and
aggregates (``$?``), which no server sends, are errors.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from cutaway.resp.replies import (
    NO_REPLY,
    NULL_ARRAY,
    Attributed,
    BigNumber,
    Double,
    MapReply,
    Push,
    Reply,
    ReplyError,
    SetReply,
    Verbatim,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGGREGATES: Final = b"*%~>|"
_BLOBS: Final = b"$=!"
_PAIRED: Final = b"%|"
_LENGTH_DIGITS: Final = 19  # of a 64-bit number
_ATTRIBUTED: Final = 0  # the kind of a frame that waits for the value its attributes describe


class ReplyProtocolError(Exception):
    """What the server sent is not RESP, or nests too deeply."""


class _Frame:
    """An aggregate under way."""

    __slots__ = ("attributes", "items", "kind", "remaining")

    def __init__(
        self, kind: int, remaining: int, attributes: list[tuple[Reply, Reply]] | None = None
    ) -> None:
        self.kind = kind
        self.remaining = remaining
        self.items: list[Reply] = []
        self.attributes = attributes


class ReplyParser:
    """Incremental parser of RESP2 and RESP3 replies: feed it bytes, then iterate over the replies."""

    __slots__ = ("_exact", "_frames", "_lacking", "_max_depth", "_replies", "_tail")

    def __init__(self, max_depth: int = 128, *, exact: bool = False) -> None:
        self._max_depth = max_depth
        self._exact = exact
        self._tail = bytearray()
        self._lacking = 0
        self._frames: list[_Frame] = []
        self._replies: deque[Reply] = deque()

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream. Raises ReplyProtocolError. O(len(data)), amortised."""
        if self._tail:
            self._tail += data
            self._lacking -= len(data)
            if self._lacking > 0:
                return
            data = bytes(self._tail)
            self._tail.clear()
        position = 0
        while (after := self._step(data, position)) > position:
            position = after
        self._tail += memoryview(data)[position:]

    def gets(self) -> Reply:
        """Return the next complete reply, or NO_REPLY."""
        return self._replies.popleft() if self._replies else NO_REPLY

    def __iter__(self) -> Iterator[Reply]:
        """Yield the complete replies, and forget them."""
        while self._replies:
            yield self._replies.popleft()

    def _step(self, data: bytes, position: int) -> int:
        """Read one scalar or the header of one aggregate; return where the next begins, or `position`."""
        newline = data.find(b"\r\n", position)
        if newline < 0:
            return position
        kind, line = data[position], data[position + 1 : newline]
        after = newline + 2
        if kind in _AGGREGATES:
            self._open(kind, _length(line))
        elif kind in _BLOBS:
            length = _length(line)
            if length >= 0:
                after += length + 2
                if after > len(data):
                    self._lacking = after - len(data)
                    return position
                self._add(_blob(kind, data[newline + 2 : after - 2]))
            else:
                self._add(None)
        elif kind == ord(",") and self._exact:
            self._add(_double(line))
        else:
            self._add(_scalar(kind, line))
        return after

    def _open(self, kind: int, length: int) -> None:
        if length < 0:
            self._add(NULL_ARRAY)
            return
        if len(self._frames) >= self._max_depth:
            message = f"reply nests deeper than {self._max_depth} levels"
            raise ReplyProtocolError(message)
        self._frames.append(_Frame(kind, length * 2 if kind in _PAIRED else length))
        if length == 0:
            self._close()

    def _add(self, value: Reply) -> None:
        """Give a complete value to the innermost open aggregate, which that may complete, and so on."""
        if not self._frames:
            self._replies.append(value)
            return
        frame = self._frames[-1]
        frame.items.append(value)
        frame.remaining -= 1
        if not frame.remaining:
            self._close()

    def _close(self) -> None:
        frame = self._frames.pop()
        if frame.kind == ord("|"):
            self._frames.append(_Frame(_ATTRIBUTED, 1, _pairs(frame.items)))
        else:
            self._add(_exact_aggregate(frame) if self._exact else _aggregate(frame))


def _length(line: bytes) -> int:
    """Return the number of a header, -1 for null."""
    if line == b"-1":
        return -1
    if not line.isdigit() or len(line) > _LENGTH_DIGITS:
        message = f"invalid length {line[:32]!r}"
        raise ReplyProtocolError(message)
    return int(line)


def _blob(kind: int, payload: bytes) -> Reply:
    if kind == ord("$"):
        return payload
    if kind == ord("!"):
        return ReplyError(_text(payload))
    return Verbatim(payload[4:], _text(payload[:3]))


def _scalar(kind: int, line: bytes) -> Reply:
    try:
        match chr(kind):
            case "+":
                return _text(line)
            case "-":
                return ReplyError(_text(line))
            case ":":
                return int(line)
            case ",":
                return float(line)
            case "(":
                return BigNumber(int(line))
            case "#" if line in {b"t", b"f"}:
                return line == b"t"
            case "_" if not line:
                return None
    except ValueError:
        pass
    message = f"invalid reply {bytes([kind]) + line[:32]!r}"
    raise ReplyProtocolError(message)


def _double(line: bytes) -> Reply:
    _scalar(ord(","), line)
    return Double(line)


def _exact_aggregate(frame: _Frame) -> Reply:
    if frame.kind == ord("%"):
        return MapReply(_pairs(frame.items))
    if frame.kind == ord("~"):
        return SetReply(frame.items)
    if frame.kind == _ATTRIBUTED:
        return Attributed(frame.attributes or [], frame.items[0])
    return _aggregate(frame)


def _aggregate(frame: _Frame) -> Reply:
    items = frame.items
    if frame.kind == ord("*"):
        return items
    if frame.kind == ord(">"):
        return Push(items)
    if frame.kind == _ATTRIBUTED:
        return Attributed(_as_dict(frame.attributes or []) or frame.attributes or {}, items[0])
    if frame.kind == ord("%"):
        pairs = _pairs(items)
        as_dict = _as_dict(pairs)
        return MapReply(pairs) if as_dict is None else as_dict
    try:
        members = set(items)
    except TypeError:
        return SetReply(items)
    return members if len(members) == len(items) else SetReply(items)


def _pairs(items: list[Reply]) -> list[tuple[Reply, Reply]]:
    return list(zip(items[::2], items[1::2], strict=True))


def _as_dict(pairs: list[tuple[Reply, Reply]]) -> dict[Reply, Reply] | None:
    """Return the pairs as a dict, or None if that would lose some."""
    try:
        result = dict(pairs)
    except TypeError:
        return None
    return result if len(result) == len(pairs) else None


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")
