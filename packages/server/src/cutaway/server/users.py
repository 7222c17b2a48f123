"""Where users come from when the server starts: `user` lines in redis.conf, or a file of their own.

One or the other: with both, nobody could say who is allowed what after the next ACL SAVE or CONFIG REWRITE. A
mistake in either ends the start: a server that runs with half of its users would let in the wrong ones.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cutaway.acl import RuleError
from cutaway.config.parser import ConfigFileError, Line
from cutaway.server.outside import replace_file

if TYPE_CHECKING:
    from cutaway.acl import AccessControl
    from cutaway.commands import Engine

log: Final = logging.getLogger("cutaway.acl")

BOTH: Final = (
    "There are users in the configuration file, and aclfile names a file of users as well. Decide for one of them: "
    "with both it would be hard to know who is allowed what"
)


class UsersError(Exception):
    """The users cannot be had; the text says why."""


class UsersFile:
    """The file that `aclfile` names."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self) -> bytes:
        """The whole text. Raises OSError."""
        return Path(self.path).read_bytes()

    def write(self, text: bytes) -> None:
        """Replace the file as a whole, or not at all. Raises OSError."""
        replace_file(Path(self.path), text)


def take_users(engine: Engine, lines: Sequence[Line]) -> None:
    """Make the users of the configuration, or those of `aclfile`. Raises UsersError or ConfigFileError."""
    access: AccessControl = engine.extras["acl"]
    path = engine.config.text("aclfile")
    if path:
        if lines:
            raise UsersError(BOTH)
        access.file = UsersFile(path)
        try:
            access.load()
        except RuleError as error:
            raise UsersError(error.text) from None
        return
    for place, line in enumerate(lines):
        if any(line.words[1] == other.words[1] for other in lines[:place]):
            raise _error(line, "Duplicate user found. A user can only be defined once in config files")
        _take(access, line)


def _take(access: AccessControl, line: Line) -> None:
    _, name, *words = (word.encode("utf-8", "surrogateescape") for word in line.words)
    try:
        access.define_user(name, words)
    except RuleError as error:
        raise _error(line, error.text) from None
    if not access.accounts[name].enabled:
        log.info(
            "The user '%s' is disabled: there is no 'on' in the rules. Is that what you want?", line.words[1]
        )


def _error(line: Line, reason: str) -> ConfigFileError:
    """The error of a line, which is shown without the passwords in it."""
    words = [f"{word[0]}(redacted)" if word[:1] in (">", "<") else word for word in line.words]
    return ConfigFileError(
        f"Error in user declaration '{line.words[1]}': {reason}", line.number, " ".join(words)
    )
