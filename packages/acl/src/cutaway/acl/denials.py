"""ACL LOG: who was refused what, lately.

A client that is refused tends to try again, often in a loop. So what is like one of the last ten entries,
less than a minute old, only counts that one up and brings it to the front: the log tells of different
mistakes, not of one mistake a thousand times.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Final

from cutaway.acl.checks import Reason
from cutaway.resp import MapReply

log: Final = logging.getLogger("cutaway.acl")

LOOKED_THROUGH: Final = 10
SAME_FOR: Final = 60_000
"""Milliseconds."""

NAMES: Final = {
    Reason.COMMAND: b"command",
    Reason.DATABASE: b"database",
    Reason.KEY: b"key",
    Reason.CHANNEL: b"channel",
    Reason.AUTH: b"auth",
}


class Entry:
    """One kind of refusal, and how often it came."""

    __slots__ = (
        "client",
        "context",
        "count",
        "created_at",
        "number",
        "object",
        "reason",
        "updated_at",
        "user",
    )

    def __init__(
        self, number: int, reason: Reason, context: bytes, what: bytes, user: bytes, client: bytes, now: int
    ) -> None:
        self.number: Final = number
        self.count = 1
        self.reason: Final = reason
        self.context: Final = context
        """Where from: b"toplevel", b"multi", b"lua"."""
        self.object: Final = what
        self.user: Final = user
        self.client = client
        """The client, as in CLIENT LIST, when it was refused last."""
        self.created_at: Final = now
        self.updated_at = now

    def is_like(self, reason: Reason, context: bytes, what: bytes, user: bytes, now: int) -> bool:
        """Whether one more refusal is the same as this."""
        return (
            (self.reason, self.context, self.object, self.user) == (reason, context, what, user)
            and abs(now - self.updated_at) <= SAME_FOR
        )  # fmt: skip

    def reply(self, now: int) -> MapReply:
        """The entry as ACL LOG shows it."""
        return MapReply([
            (b"count", self.count),
            (b"reason", NAMES[self.reason]),
            (b"context", self.context),
            (b"object", self.object),
            (b"username", self.user),
            (b"age-seconds", (now - self.updated_at) / 1000),
            (b"client-info", self.client),
            (b"entry-id", self.number),
            (b"timestamp-created", self.created_at),
            (b"timestamp-last-updated", self.updated_at),
        ])  # fmt: skip


class DenialLog:
    """The entries, newest first, and how many refusals there were of each kind."""

    __slots__ = ("_next_number", "counts", "entries", "max_length")

    def __init__(self) -> None:
        self.max_length = 128
        """`acllog-max-len`. A smaller one takes effect with the next refusal."""
        self.entries: Final[list[Entry]] = []
        self.counts: Final[Counter[Reason]] = Counter()
        self._next_number = 0

    def add(
        self, reason: Reason, context: bytes, what: bytes, *, user: bytes, client: bytes, now: int
    ) -> None:
        """Keep a refusal. O(length) at worst."""
        self.counts[reason] += 1
        entries = self.entries
        for place, entry in enumerate(entries[:LOOKED_THROUGH]):
            if self.max_length and entry.is_like(reason, context, what, user, now):
                entry.count += 1
                entry.client, entry.updated_at = client, now
                entries.insert(0, entries.pop(place))
                return
        log.info(
            "Denied (%s): user %s, %s; ACL LOG tells more",
            NAMES[reason].decode(), user.decode("latin-1"), what.decode("latin-1"),
        )  # fmt: skip
        if self.max_length:
            entries.insert(0, Entry(self._next_number, reason, context, what, user, client, now))
            self._next_number += 1
        del entries[self.max_length :]

    def clear(self) -> None:
        """ACL LOG RESET: forget the entries; their numbers go on."""
        self.entries.clear()
