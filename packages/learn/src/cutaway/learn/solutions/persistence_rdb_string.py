"""A solution of persistence.rdb-string: the first byte decides, and lengths have a function of their own, since LZF needs two more."""

from __future__ import annotations

from collections.abc import Callable

from cutaway.datastructures import lzf

Take = Callable[[int], bytes]


def read_string(take: Take) -> bytes:
    """Read one string."""
    first = take(1)[0]
    if first >> 6 != 3:
        return take(length_from(first, take))
    encoding = first & 0x3F
    if encoding <= 2:
        return b"%d" % int.from_bytes(take(1 << encoding), "little", signed=True)
    if encoding == 3:
        packed = length_from(take(1)[0], take)
        size = length_from(take(1)[0], take)
        return lzf.decompress(take(packed), size)
    raise ValueError(f"unknown encoding {encoding}")


def length_from(first: int, take: Take) -> int:
    """The length whose first byte is `first`."""
    if first >> 6 == 0:
        return first
    if first >> 6 == 1:
        return (first & 0x3F) << 8 | take(1)[0]
    if first == 0x80:
        return int.from_bytes(take(4), "big")
    if first == 0x81:
        return int.from_bytes(take(8), "big")
    raise ValueError(f"unknown length {first:#04x}")
