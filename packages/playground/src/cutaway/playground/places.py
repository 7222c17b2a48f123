"""The playground itself: an engine, the terminals on it, and the passing of time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

from cutaway.client.manual import Manual
from cutaway.playground.engines import compose
from cutaway.playground.terminals import Terminal


class Playground:
    """One engine and whoever talks to it. The embedding page calls `tick` ten times a second."""

    def __init__(self) -> None:
        self.engine: Final = compose()
        self._changes = 0

    def open(self, write: Callable[[str], None]) -> Terminal:
        """A new client. `write` gets what its terminal prints, lines that end with a line feed."""
        return Terminal(self.engine, lambda: self.manual, write)

    def tick(self) -> bool:
        """Some time has passed: keys expire, and clients that wait may have waited long enough.

        Returns whether anything has changed since the last time, so that a view has to be drawn anew.
        """
        self.engine.cron()
        keyspace = self.engine.keyspace
        changes = keyspace.dirty + keyspace.expired_keys + keyspace.expired_fields
        has_changed = changes != self._changes
        self._changes = changes
        return has_changed

    @cached_property
    def manual(self) -> Manual:
        """What COMMAND DOCS says: for HELP, for hints and for completion. Read once, at the first need."""
        return Manual.read(self.engine.do("COMMAND", "DOCS"))
