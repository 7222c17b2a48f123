"""LZF's second body: LibLZF itself does the work, where it is installed.

`lzf` is thirty lines that can be read, and takes some ten microseconds for a small hash: most of what it costs to save one.
The C library by the format's author, which Redis and Valkey carry too, takes a fifth of one. It comes with the package
`python-neo-lzf`, ready built for the usual machines; `pip install cutaway-datastructures[fast]` brings it. Where it is
absent, WebAssembly for one, these functions are those of `lzf`.

The contract is that of `lzf`, and one test suite runs over both. Two bodies may differ in the compressed bytes, since a
compressor is free to choose its matches; what is decompressed is the same. Two things the library does not do are done
here. It does not say where a stream is broken, so a stream that it refuses is shown to the first body, for the error
with the offset. And it counts in 32 bits and reads a byte before it looks whether there is one, so empty and huge inputs
never get there.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from cutaway.datastructures import lzf

AVAILABLE: Final = find_spec("lzf") is not None
_library: Final[Any] = import_module("lzf") if AVAILABLE else None
_SHORTEST: Final = 4
_LONGEST: Final = 1 << 30


def compress(data: bytes, max_size: int | None = None) -> bytes | None:
    """Return `data` compressed, or None if that takes more than `max_size` bytes (default: one less). O(bytes)."""
    limit = len(data) - 1 if max_size is None else max_size
    if _library is None or not _SHORTEST <= len(data) < _LONGEST or not 0 < limit < _LONGEST:
        return lzf.compress(data, limit)
    packed: bytes | None = _library.compress(data, limit)
    return packed


def decompress(data: bytes, size: int) -> bytes:
    """Return the `size` bytes that `data` was compressed from. Raises ValueError with the offset. O(size)."""
    if _library is not None and 0 < len(data) < _LONGEST and 0 < size < _LONGEST:
        try:
            out: bytes | None = _library.decompress(data, size)
        except ValueError:
            out = None
        if out is not None and len(out) == size:
            return out
    return lzf.decompress(data, size)
