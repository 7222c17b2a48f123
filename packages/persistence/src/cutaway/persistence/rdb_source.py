"""The bytes of an RDB file, read once from front to back: the primitives that every layout is made of.

`Source` takes bytes, or anything with `read(n)`: a file, a socket wrapped by its owner, a decompressor. It
keeps a window of the input and its place in it, so the whole file is never in memory, and it computes the
CRC-64 of what has been consumed.

**A length is a claim, not a fact.** The file may have been damaged, or written by somebody who wants the
reader to allocate 2**63 bytes. So nothing is reserved because a length says so: a string is gathered in
pieces of what has really arrived, and the claim fails when the input ends before it is met. Counts of
elements are never used to reserve anything. The one place where few bytes may become many is LZF, which can
grow its input at most 88-fold, and an original length beyond that is refused before anything is decompressed.

**Spans.** For the annotated view, a source can be given a `Trace`. Then each primitive leaves a note of what
it read and where. There is no second decoder that could disagree with the first one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from cutaway.datastructures import fast_lzf as lzf

from .errors import RDBError
from .fast_crc64 import crc64
from .rdb_format import (
    ENC_INT32,
    ENC_LZF,
    LEN_14BIT,
    LEN_32BIT,
    LEN_64BIT,
    LEN_ENCODED,
    LONGEST_6BIT,
    LZF_LARGEST_RATIO,
)

if TYPE_CHECKING:
    from .traces import Trace

WINDOW: Final = 1 << 18
"""Bytes asked for at a time."""

INT32_STRING: Final = LEN_ENCODED << 6 | ENC_INT32
"""The first byte of a string that is an integer of 32 bits; those of the narrower ones are the two before it."""
LZF_STRING: Final = LEN_ENCODED << 6 | ENC_LZF
"""The first byte of a compressed string."""

_INT_SIZES: Final = (1, 2, 4)


class Readable(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at all means the end."""
        ...


class _Nothing:
    """The readable behind a source that was given all its bytes at once."""

    def read(self, _size: int, /) -> bytes:
        """Return nothing."""
        return b""


class Source:
    """A window onto the input. `data[pos]` is the next byte, `base` the offset of `data[0]` in the input."""

    __slots__ = ("_checksum", "_crc", "_crc_from", "_readable", "base", "data", "pos", "trace")

    def __init__(
        self,
        source: bytes | Readable,
        *,
        offset: int = 0,
        checksum: bool = True,
        trace: Trace | None = None,
    ) -> None:
        self.data: bytes = source if isinstance(source, bytes) else b""
        self.pos = 0
        self.base = offset
        self.trace = trace
        self._readable: Readable = _Nothing() if isinstance(source, bytes) else source
        self._checksum = checksum
        self._crc = 0
        self._crc_from = 0

    @property
    def offset(self) -> int:
        """How many bytes of the input have been consumed."""
        return self.base + self.pos

    @property
    def crc(self) -> int:
        """The CRC-64 of all bytes consumed so far, zero if none is kept. O(bytes since last asked for)."""
        if not self._checksum:
            return 0
        self._crc = crc64(memoryview(self.data)[self._crc_from : self.pos], self._crc)
        self._crc_from = self.pos
        return self._crc

    def error(self, text: str) -> RDBError:
        """Return the error that says `text` of the present place."""
        return RDBError(text, self.offset)

    def need(self, size: int) -> bool:
        """Bring at least `size` bytes into the window. Returns False if the input ends before. O(WINDOW)."""
        while len(self.data) - self.pos < size:
            more = self._readable.read(max(WINDOW, size))
            if not more:
                return False
            _ = self.crc
            self.data = self.data[self.pos :] + more if self.pos < len(self.data) else more
            self.base += self.pos
            self.pos = self._crc_from = 0
        return True

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes. Raises RDBError if the input ends before."""
        pos = self.pos
        end = pos + size
        if end <= len(self.data):
            self.pos = end
            return self.data[pos:end]
        if size <= WINDOW:
            if not self.need(size):
                text = "unexpected end of file"
                raise self.error(text)
            return self.take(size)
        return self._take_large(size)

    def _take_large(self, size: int) -> bytes:
        """Gather a long string from what arrives: a false length costs no more than the input holds."""
        start = self.offset
        gathered = bytearray()
        while len(gathered) < size:
            if not self.need(1):
                text = f"a string claims {size} bytes, {len(gathered)} are left"
                raise RDBError(text, start)
            gathered += self.take(min(size - len(gathered), len(self.data) - self.pos))
        return bytes(gathered)

    def open(self, label: str) -> None:
        """Begin a whole in the trace, if there is one."""
        if self.trace is not None:
            self.trace.open(self.offset, label)

    def close(self, value: object = None) -> None:
        """End the whole that was begun last."""
        if self.trace is not None:
            self.trace.close(self.offset, value)

    def byte(self) -> int:
        """Return the next byte as a number."""
        if self.pos >= len(self.data) and not self.need(1):
            text = "unexpected end of file"
            raise self.error(text)
        value = self.data[self.pos]
        self.pos += 1
        return value

    def fixed(self, size: int, label: str) -> int:
        """Return the signed little-endian integer in the next `size` bytes."""
        start = self.offset
        value = int.from_bytes(self.take(size), "little", signed=True)
        if self.trace is not None:
            self.trace.leaf(start, self.offset, label, value)
        return value

    def length(self, label: str) -> int:
        """Return a length or any other number in the form of one."""
        start = self.offset
        first = self.byte()
        if first >> 6 == LEN_ENCODED:
            text = f"{label}: a length was expected, not an encoded string"
            raise RDBError(text, start)
        value = self._rest_of_length(first)
        if self.trace is not None:
            self.trace.leaf(start, self.offset, label, value)
        return value

    def _rest_of_length(self, first: int) -> int:
        """Return the length whose first byte is `first`."""
        if first <= LONGEST_6BIT:
            return first
        kind = first >> 6
        if kind == LEN_14BIT:
            return (first & 0x3F) << 8 | self.byte()
        if first == LEN_32BIT:
            return int.from_bytes(self.take(4), "big")
        if first == LEN_64BIT:
            return int.from_bytes(self.take(8), "big")
        text = f"unknown form of a length: {first:#04x}"
        raise self.error(text)

    def string(self, label: str) -> bytes:
        """Return a string as bytes, whichever way it is encoded."""
        value = self.string_or_int(label)
        return value if isinstance(value, bytes) else b"%d" % value

    def string_or_int(self, label: str) -> bytes | int:
        """Return a string, as an int if that is how it is stored."""
        start = self.base + self.pos
        first = self.byte()
        value: bytes | int
        if first <= LONGEST_6BIT:
            value = self.take(first)
        elif first == LZF_STRING:
            value = self._compressed()
        elif first >> 6 != LEN_ENCODED:
            value = self.take(self._rest_of_length(first))
        elif first <= INT32_STRING:
            value = int.from_bytes(self.take(_INT_SIZES[first & 0x3F]), "little", signed=True)
        else:
            text = f"{label}: unknown encoding of a string: {first & 0x3F}"
            raise RDBError(text, start)
        if self.trace is not None:
            self.trace.leaf(start, self.offset, label, value)
        return value

    def _compressed(self) -> bytes:
        """Return the string that is compressed here."""
        start = self.base + self.pos
        packed_size = self._rest_of_length(self.byte())
        size = self._rest_of_length(self.byte())
        if size > packed_size * LZF_LARGEST_RATIO:
            text = f"an LZF string of {packed_size} bytes cannot stand for {size}"
            raise RDBError(text, start)
        try:
            return lzf.decompress(self.take(packed_size), size)
        except ValueError as error:
            text = f"invalid LZF string: {error}"
            raise RDBError(text, start) from error


@dataclass(slots=True)
class SourceChoice:
    """What files are read through: chosen where the server is composed."""

    factory: Callable[..., Source]


DEFAULT_SOURCE: Final = SourceChoice(Source)
