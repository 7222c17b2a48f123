"""How many bytes a key takes, its value and all.

CPython can say how large one object is (`sys.getsizeof`), not what hangs on it, and walking a set of a million members would
take a second. So a size here is an estimate, built like Redis's own MEMORY USAGE: what is always the same is a constant, and
of a large collection a few elements speak for the rest. What a key costs before it has a value::

    a bucket of the keyspace ──► key, a bytes object      33 bytes and its length
                            └──► Entry                     64 bytes
                                   ├─ value                see below
                                   ├─ expire_at            32 bytes, and a place among the `expires`
                                   └─ access, size         mostly shared integers

An allocator hands out multiples of 16 bytes; each object is rounded up to that. A test builds thousands of keys of each
type in a process of its own, and holds the sum of these sizes to what the process has really grown by.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from cutaway.datastructures.module_values import ModuleValue

if TYPE_CHECKING:
    from cutaway.commands.keyspaces import Entry

SAMPLES: Final = 5
"""As many elements of a collection are looked at, if nothing else is asked for; Redis takes 5, too."""

PLACE_BYTES: Final = 48
"""A key's share of a `Dict`: of its bucket, a small dict, and of the slot for that. See the table in `dicts.py`."""
ENTRY_BYTES: Final = 64
INTEGER_BYTES: Final = 32
BYTES_HEADER: Final = 33
UNKNOWN_BYTES: Final = 64
"""What a module's value is taken for if its module fails to say: the server has to go on counting."""
SHARED_INTEGERS: Final = range(-5, 257)
"""CPython makes these once, and whoever has one refers to it."""


def rounded(size: int) -> int:
    """What the allocator takes for an object of this size."""
    return (size + 15) & ~15


def bytes_size(length: int) -> int:
    """What a bytes object of this length takes."""
    return (BYTES_HEADER + length + 15) & ~15


def value_size(value: Any, samples: int = SAMPLES) -> int:
    """What a value takes. O(samples); with 0 samples everything is looked at."""
    kind = type(value)
    if kind is bytes:
        return (BYTES_HEADER + len(value) + 15) & ~15
    if kind is int:
        return 0 if value in SHARED_INTEGERS else INTEGER_BYTES
    if kind is bytearray:
        return rounded(sys.getsizeof(value))
    try:
        size: int = value.memory_usage(samples)
    except Exception:
        if not isinstance(value, ModuleValue):
            raise
        return UNKNOWN_BYTES
    return size


def entry_size(key: bytes, entry: Entry, samples: int = SAMPLES) -> int:
    """What a key takes with all that belongs to it. O(samples); with 0 samples everything is looked at."""
    size = PLACE_BYTES + ENTRY_BYTES + bytes_size(len(key)) + value_size(entry.value, samples)
    if entry.expire_at:
        size += PLACE_BYTES + INTEGER_BYTES
    return size
