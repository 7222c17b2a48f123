"""A solution of resp.parser: keep what has arrived in one buffer, and parse from the front as far as it goes."""

from __future__ import annotations

from cutaway.resp import ProtocolError, RequestLimits
from cutaway.resp.inline import split_inline


class Parser:
    """A request parser for one connection."""

    def __init__(self, limits: RequestLimits | None = None) -> None:
        self.limits = limits or RequestLimits()
        self._buffer = b""
        self._arguments: list[bytes] = []
        self._missing = 0  # arguments that the request under way still lacks

    @property
    def pending(self) -> int:
        """Bytes that wait and are not yet a whole argument."""
        return len(self._buffer)

    @property
    def argument_bytes(self) -> int:
        """Bytes of the complete arguments of the request under way."""
        return sum(map(len, self._arguments))

    def feed(self, data: bytes) -> list[list[bytes]]:
        """Take the next bytes of the stream; return the requests they complete."""
        self._buffer += data
        requests: list[list[bytes]] = []
        try:
            while self._step(requests):
                pass
        except ValueError as error:
            raise ProtocolError(f"Protocol error: {error}", requests) from None
        return requests

    def _step(self, requests: list[list[bytes]]) -> bool:
        """Read one header, one argument or one line; False if that is not there yet."""
        if self._missing:
            return self._read_argument(requests)
        if self._buffer.startswith(b"*"):
            return self._read_count()
        return self._read_line(requests)

    def _read_count(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        count = number(self._buffer[1:end])
        if count is None or count > self.limits.max_multibulk_length:
            raise ValueError("invalid multibulk length")
        self._buffer = self._buffer[end + 2 :]
        self._missing = max(count, 0)
        return True

    def _read_argument(self, requests: list[list[bytes]]) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        if not self._buffer.startswith(b"$"):
            raise ValueError(f"expected '$', got '{chr(self._buffer[0])}'")
        length = number(self._buffer[1:end])
        if length is None or not 0 <= length <= self.limits.max_bulk_length:
            raise ValueError("invalid bulk length")
        start = end + 2
        if len(self._buffer) < start + length + 2:
            return False  # nothing is consumed: the header is read again when more has come
        self._arguments.append(self._buffer[start : start + length])
        self._buffer = self._buffer[start + length + 2 :]
        self._missing -= 1
        if not self._missing:
            requests.append(self._arguments)
            self._arguments = []
        return True

    def _read_line(self, requests: list[list[bytes]]) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0:
            return False
        line = self._buffer[:end].removesuffix(b"\r")
        try:
            words = split_inline(line)
        except ValueError:
            raise ValueError("unbalanced quotes in request") from None
        self._buffer = self._buffer[end + 1 :]
        if words:
            requests.append(words)
        return True


def number(digits: bytes) -> int | None:
    """The integer that `digits` spell, or None; int() alone would take `+1`, ` 1` and `1_0`."""
    unsigned = digits.removeprefix(b"-")
    return int(digits) if unsigned.isdigit() and len(unsigned) < 20 else None
