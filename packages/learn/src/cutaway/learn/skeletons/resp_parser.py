r"""Exercise resp.parser: where does a request end?

Clients send requests as arrays of bulk strings, every length announced before what it measures:

    *2\r\n            two arguments follow
    $3\r\nGET\r\n     the first has three bytes
    $1\r\nk\r\n       the second has one

Write `feed`, which takes the next bytes of a connection, cut wherever the network cut them, and returns the requests that
are complete now, each a list of its arguments.

The contract
  * A payload is what its length says, even if it holds \r\n. The two bytes after it are hopped over.
  * What is incomplete waits inside the parser for the next feed().
  * A request that does not begin with `*` is a line of words: it ends at \n, a \r before that does not count, and
    `split_inline(line)` gives its words (it raises ValueError if a quote is left open). An empty line is skipped,
    and so are `*0` and negative counts.
  * Malformed input raises `ProtocolError(text, requests)`: `requests` are those completed in this call before the error.
    The texts:
        Protocol error: invalid multibulk length        a count that is no number, or above limits.max_multibulk_length
        Protocol error: expected '$', got ':'           what should be a bulk string begins with another byte
        Protocol error: invalid bulk length             a length that is no number, negative, or above limits.max_bulk_length
        Protocol error: unbalanced quotes in request    from split_inline
  * `pending` is the number of bytes that wait and are not yet a whole argument, `argument_bytes` the bytes of the
    complete arguments of a request that is not complete.

Check yourself:   python -m cutaway.learn check resp.parser      (watch: the same at every save)
Stuck?            python -m cutaway.learn hint resp.parser
"""

from __future__ import annotations

from cutaway.resp import ProtocolError, RequestLimits  # noqa: F401 - you will need ProtocolError
from cutaway.resp.inline import split_inline  # noqa: F401 - and this, for lines of words


class Parser:
    """A request parser for one connection."""

    def __init__(self, limits: RequestLimits | None = None) -> None:
        self.limits = limits or RequestLimits()

    def feed(self, data: bytes) -> list[list[bytes]]:
        """Take the next bytes of the stream; return the requests they complete."""
        raise NotImplementedError

    @property
    def pending(self) -> int:
        """Bytes that wait and are not yet a whole argument."""
        return 0

    @property
    def argument_bytes(self) -> int:
        """Bytes of the complete arguments of the request under way."""
        return 0


def test_a_whole_request() -> None:
    """The first step. `check` runs the tests in this file first; write more of them as you go."""
    got = Parser().feed(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")
    assert got == [[b"GET", b"k"]]
