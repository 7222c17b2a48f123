"""What a rule is, and what is said about one that makes no sense.

A user is described by words, as `ACL SETUSER alice on >secret ~cached:* +get` has them. Each is one change,
and they are done in order. A word is text as C has it: what follows a zero byte does not count, except where
a zero byte is an error of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BLANKS: Final = frozenset(b" \t\n\v\f\r\0")

SYNTAX: Final = "Syntax error"
UNKNOWN_COMMAND: Final = "Unknown command or category name in ACL"
PATTERN_AFTER_ALL_KEYS: Final = (
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. "
    "Try 'resetkeys' to start with an empty list of patterns"
)
PATTERN_AFTER_ALL_CHANNELS: Final = (
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. "
    "Try 'resetchannels' to start with an empty list of channels"
)
UNKNOWN_PASSWORD: Final = "The password you are trying to remove from the user does not exist"  # noqa: S105 - an error's text
NOT_A_HASH: Final = (
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
)
DUPLICATE_USER: Final = "Duplicate user found. A user can only be defined once in config files"
NO_ARGUMENT_OF_SUBCOMMAND: Final = "Allowing first-arg of a subcommand is not supported"
DATABASE_OUT_OF_RANGE: Final = "The provided database ID is out of range"


class RuleError(Exception):
    """A rule that cannot be applied; `text` says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text: Final = text


def has_blanks(text: bytes) -> bool:
    """Whether there is white space or a zero byte in `text`: a description would not read back as it was."""
    return not BLANKS.isdisjoint(text)


def join_selectors(words: Sequence[bytes]) -> list[bytes]:
    """Make one word of each selector, which may come in pieces: `(~a`, `+get)`. Raises RuleError. O(words)."""
    joined: list[bytes] = []
    pieces: list[bytes] = []
    for word in words:
        if pieces or (word[:1] == b"(" and word[-1:] != b")"):
            pieces.append(word.partition(b"\0")[0] if pieces else word)
            if len(pieces) > 1 and word[-1:] == b")":
                joined.append(b" ".join(pieces))
                pieces = []
        else:
            joined.append(word)
    if pieces:
        opening = pieces[0].partition(b"\0")[0].decode("utf-8", "surrogateescape")
        raise RuleError(f"Unmatched parenthesis in acl selector starting at '{opening}'.")
    return joined
