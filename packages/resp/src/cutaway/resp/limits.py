"""What a client may send before the server loses patience.

A header is a promise: ``*1000000`` says that a million arguments follow, ``$536870912`` that half a
gigabyte does. Limits bound the promises, so that a few bytes from a stranger cannot reserve memory. The
numbers are those of Redis: ``proto-max-bulk-len``, ``client-query-buffer-limit``, the 64 KiB of an inline
request, and the two small bounds that hold until a client has authenticated (Redis 6.2.6, CVE-2021-32675).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNAUTHENTICATED_ARGUMENTS: Final = 10
UNAUTHENTICATED_BULK_LENGTH: Final = 16384


@dataclass(slots=True)
class RequestLimits:
    """The limits of one connection; lengths in bytes. Mutable: a change holds from the next header on.

    `max_bulk_length` is at least 1 MiB, as in redis.conf: parsers know shorter lengths by heart, unchecked.
    """

    max_bulk_length: int = 512 * 1024 * 1024
    max_multibulk_length: int = 2**31 - 1
    max_inline_length: int = 64 * 1024
    max_query_buffer: int = 1024 * 1024 * 1024
    authenticated: bool = True
