"""Directives about memory: its limit, eviction, expiry, deletion and the encodings of values."""

from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.values import INT_MAX, INT_MIN, LONG_MAX, ULONG_MAX, Boolean, Enum, Integer, Memory, Text

_DEFRAG: Final = "CPython's allocator moves nothing, so there is nothing to defragment"
_FREEING: Final = "large values are always freed bit by bit, after the reply"
_NO_DEFRAG: Final = (
    "Active defragmentation cannot be enabled: it requires a server compiled with a modified Jemalloc "
    "like the one shipped by default with the source distribution"
)
_POLICIES: Final = (
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
)

DIRECTIVES: Final = (
    Directive("maxmemory", Memory(0, ULONG_MAX), 0),
    Directive("maxmemory-policy", Enum(*_POLICIES), "noeviction"),
    Directive("maxmemory-samples", Integer(1, 64), 5),
    Directive("maxmemory-eviction-tenacity", Integer(0, 100), 10),
    Directive("lfu-log-factor", Integer(0, INT_MAX), 10),
    Directive("lfu-decay-time", Integer(0, INT_MAX), 1),
    Directive("active-expire-effort", Integer(1, 10), 1),
    Directive("activerehashing", Boolean(), True),
    Directive("lazyfree-lazy-eviction", Boolean(), True),
    Directive("lazyfree-lazy-expire", Boolean(), True),
    Directive("lazyfree-lazy-server-del", Boolean(), True),
    Directive("lazyfree-lazy-user-del", Boolean(), True, _FREEING),
    Directive("lazyfree-lazy-user-flush", Boolean(), True, _FREEING),
    Directive("hash-max-listpack-entries", Integer(0, LONG_MAX), 512, alias="hash-max-ziplist-entries"),
    Directive("hash-max-listpack-value", Memory(0, LONG_MAX), 64, alias="hash-max-ziplist-value"),
    Directive("list-max-listpack-size", Integer(INT_MIN, INT_MAX), -2, alias="list-max-ziplist-size"),
    Directive("list-compress-depth", Integer(0, INT_MAX), 0),
    Directive("set-max-intset-entries", Integer(0, LONG_MAX), 512),
    Directive("set-max-listpack-entries", Integer(0, LONG_MAX), 128),
    Directive("set-max-listpack-value", Integer(0, LONG_MAX), 64),
    Directive("zset-max-listpack-entries", Integer(0, LONG_MAX), 128, alias="zset-max-ziplist-entries"),
    Directive("zset-max-listpack-value", Memory(0, LONG_MAX), 64, alias="zset-max-ziplist-value"),
    Directive("hll-sparse-max-bytes", Memory(0, LONG_MAX), 3000),
    Directive("stream-node-max-bytes", Memory(0, LONG_MAX), 4096),
    Directive("stream-node-max-entries", Integer(0, LONG_MAX), 100),
    Directive("hash-seed", Text(), "", "Python seeds its own hashes at random", immutable=True),
    Directive("jemalloc-bg-thread", Boolean(), True, "the allocator is CPython's"),
    Directive("disable-thp", Boolean(), True, "huge pages are left as the system has them", immutable=True),
    Directive("activedefrag", Boolean(refusal=_NO_DEFRAG), False, _DEFRAG),
    Directive("active-defrag-ignore-bytes", Memory(1, LONG_MAX), 100 * 1024 * 1024, _DEFRAG),
    Directive("active-defrag-threshold-lower", Integer(0, 1000), 10, _DEFRAG),
    Directive("active-defrag-threshold-upper", Integer(0, 1000), 100, _DEFRAG),
    Directive("active-defrag-cycle-min", Integer(1, 99), 1, _DEFRAG),
    Directive("active-defrag-cycle-max", Integer(1, 99), 25, _DEFRAG),
    Directive("active-defrag-cycle-us", Integer(0, 100_000), 500, _DEFRAG),
    Directive("active-defrag-max-scan-fields", Integer(1, LONG_MAX), 1000, _DEFRAG),
)
