"""How much may be drawn by lot: the counts of SRANDMEMBER, HRANDFIELD and ZRANDMEMBER, where they are negative.

A positive count ends at the size of the set. A negative one asks for draws with repetition, and the client alone says how many: a
hash of one field can be asked for a thousand million of it. The reply is made before it is sent, so there has to be an end.

A real server makes the reply piece by piece, and stops when the client's output buffer exceeds its limit. Here that is
known beforehand, for a reply cannot be shorter than its elements are without their content. `engine.extras["overflows"]`, where there
is a network, knows the limits and closes the client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cutaway.commands import errors

if TYPE_CHECKING:
    from cutaway.commands.clients import Client

MOST_DRAWN: Final = 10_000_000
"""With a negative count, how many elements are drawn at most."""
MANY: Final = 10_000
"""Fewer are drawn without asking whether the reply may be sent."""
LEAST_BYTES: Final = len(b"$0\r\n\r\n")
"""An element has at least so many bytes in the reply."""

Overflows = Callable[["Client", int], bool]
"""Whether so many bytes more are too much for the client, which is closed then."""


def may_draw(client: Client, count: int) -> int:
    """`count` itself, unless (negative) it asks for more draws than one reply may hold. Raises CommandError. O(1)."""
    if count >= -MANY:
        return count
    overflows: Overflows | None = client.engine.extras.get("overflows")
    is_closed = overflows is not None and overflows(client, -count * LEAST_BYTES)
    if is_closed or count < -MOST_DRAWN:
        raise errors.CommandError(
            f"ERR value is out of range, a reply holds at most {MOST_DRAWN} random elements"
        )
    return count
