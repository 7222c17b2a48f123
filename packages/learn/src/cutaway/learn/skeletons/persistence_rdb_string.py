"""Exercise persistence.rdb-string: five ways to write a string into a snapshot. How do you read them?

An RDB file is read once, from front to back, and holds no separators: whoever reads one byte too many reads all the rest wrongly.
Every string begins with a byte whose first two bits say what follows:

    00xxxxxx                     a length of 6 bits, then so many bytes
    01xxxxxx xxxxxxxx            a length of 14 bits, big-endian, then so many bytes
    10000000 + 4 bytes           a length of 32 bits, big-endian
    10000001 + 8 bytes           a length of 64 bits, big-endian
    11000000 + 1 byte            the decimal text of a signed integer of one byte
    11000001 + 2 bytes           of two bytes, little-endian
    11000010 + 4 bytes           of four
    11000011                     LZF: the compressed length, the original length (both written as above), the compressed bytes

The contract
  * `read_string(take)` returns the next string as bytes. `take(n)` gives exactly the next n bytes, or raises EOFError if there are not
    so many: let that pass.
  * What is none of the above raises ValueError; `lzf.decompress(packed, size)` raises it by itself for bytes that are not LZF.
  * Not a byte beyond the string is taken.

Check yourself:   python -m cutaway.learn check persistence.rdb-string
Stuck?            python -m cutaway.learn hint persistence.rdb-string
"""

from __future__ import annotations

from collections.abc import Callable

from cutaway.datastructures import lzf  # noqa: F401 - lzf.decompress(packed, size)

Take = Callable[[int], bytes]


def read_string(take: Take) -> bytes:
    """Read one string."""
    raise NotImplementedError


def test_a_short_string() -> None:
    """The first step."""
    pieces = iter([b"\x05", b"hello"])
    got = read_string(lambda _size: next(pieces))
    assert got == b"hello"
