"""What can be wrong with a file: one exception for each format, and each says where.

A damaged file is met at the worst of times, so an error here carries all that somebody needs to act: which
file, at which byte, what was expected, and — for an append-only file — the command that mends it.
"""

from __future__ import annotations


class PersistenceError(Exception):
    """Base of the errors of this room."""


class RDBError(PersistenceError):
    """An RDB file or payload that cannot be read; `offset` is the byte where it stopped making sense."""

    def __init__(self, text: str, offset: int) -> None:
        super().__init__(f"{text} (at byte {offset})")
        self.text = text
        self.offset = offset


class DumpError(PersistenceError):
    """A DUMP payload that RESTORE refuses, in Redis's words."""


class AOFError(PersistenceError):
    """An append-only file that cannot be read past `offset`; the text names the tool that can help."""

    def __init__(self, text: str, file: str, offset: int) -> None:
        super().__init__(f"{file}: {text} (at byte {offset})")
        self.text = text
        self.file = file
        self.offset = offset
