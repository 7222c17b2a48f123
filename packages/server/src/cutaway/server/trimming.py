"""Giving memory back to the system after a surge.

What Python frees goes to the C library, and the C library keeps it: the heap shrinks only at its upper end, and one small block
that still lives there keeps everything below it. A hundred clients who once had megabytes of replies waiting would be
remembered in the size of the process for ever, and `maxmemory` would be none the wiser.

So once a second, if much more of the heap lies free than after the last time, the C library is asked to return whole pages
(`malloc_trim`). How much lies free it tells itself (`mallinfo2`). Both are glibc's; elsewhere nothing is done.
Asking costs some microseconds; returning takes about a millisecond for ten megabytes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Final

ENOUGH: Final = 4 * 2**20
"""Bytes that must have become free since the last time."""
SECOND: Final = 1000


class _Mallinfo(ctypes.Structure):
    """glibc's struct mallinfo2, of which `free` is what this is about."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "chunks",
            "fast_chunks",
            "maps",
            "mapped",
            "most",
            "fast",
            "used",
            "free",
            "top",
        )
    )


class Trimmer:
    """Returns free pages of the heap, when there are enough of them."""

    __slots__ = ("_free_then", "_next", "_read", "_trim", "trims")

    def __init__(self) -> None:
        try:
            library = ctypes.CDLL(None)
            read, trim = library.mallinfo2, library.malloc_trim
        except (AttributeError, OSError, TypeError):
            self._read: Callable[[], _Mallinfo] | None = None
            self._trim: Callable[[int], int] | None = None
        else:
            read.restype = _Mallinfo
            self._read, self._trim = read, trim
        self._free_then = self.free()
        self._next = 0
        self.trims = 0
        """How often pages were returned."""

    def free(self) -> int:
        """Bytes of the heap that nobody uses; those that were returned already count too. 0 where nobody can tell."""
        return int(self._read().free) if self._read is not None else 0

    def step(self, now: int) -> None:
        """The regular look; `now` in milliseconds."""
        if now < self._next or self._trim is None:
            return
        self._next = now + SECOND
        free = self.free()
        if free < self._free_then:
            self._free_then = free  # what was returned is in use again
        elif free - self._free_then > ENOUGH:
            self._trim(0)
            self.trims += 1
            self._free_then = self.free()
