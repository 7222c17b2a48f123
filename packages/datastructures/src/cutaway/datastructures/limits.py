"""Where an encoding gives way to the next one.

Redis keeps a small collection in one flat run of bytes (a listpack, an intset) and turns it into a linked or hashed
structure once it grows past a limit. The flat form wins while it is small: no pointers, one allocation, and a linear
walk that stays in the processor's cache. These are the limits, under the names that redis.conf gives them, with
underscores for dashes. One mutable object is shared by every value of a keyspace, so that `CONFIG SET` moves a
limit for all of them at once; a value looks at it only when it grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class Limits:
    """Encoding thresholds, shared by all values of a keyspace. Sizes are bytes, counts are entries."""

    hash_max_listpack_entries: int = 512
    hash_max_listpack_value: int = 64
    list_max_listpack_size: int = -2
    list_compress_depth: int = 0
    list_packed_threshold: int = 0  # 0: what would not fit in a node; DEBUG QUICKLIST-PACKED-THRESHOLD
    set_max_intset_entries: int = 512
    set_max_listpack_entries: int = 128
    set_max_listpack_value: int = 64
    zset_max_listpack_entries: int = 128
    zset_max_listpack_value: int = 64
    stream_node_max_bytes: int = 4096
    stream_node_max_entries: int = 100


DEFAULT_LIMITS: Final = Limits()
