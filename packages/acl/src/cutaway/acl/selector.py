"""A selector: one set of permissions, all of which a command must have.

A user may have several, and a command may run if one of them allows all of it: the command itself, the
database it works on, every key and every channel it names. Two selectors are not added up. `(+get ~a:*) (+set
~b:*)` reads a's and writes b's, and nothing else, which no single list of commands and keys could say. The
first selector, the root, is what is said outside of parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from cutaway.acl import rules
from cutaway.acl.catalogue import Catalogue
from cutaway.acl.command_rules import CommandRules
from cutaway.acl.rules import RuleError, has_blanks
from cutaway.config import matcher, matches
from cutaway.config.glob import Matcher
from cutaway.config.quoting import split

READ: Final = 1
WRITE: Final = 2
FULL: Final = READ | WRITE

_PREFIXES: Final = {FULL: b"~", READ: b"%R~", WRITE: b"%W~"}
_LETTERS: Final = {ord("r"): READ, ord("w"): WRITE}
_DATABASE: Final = re.compile(rb"[ \t\n\v\f\r]*[+-]?[0-9]+")
_LAST_DATABASE: Final = 2**31 - 1


class Selector:
    """Commands, keys, channels and databases."""

    __slots__ = (
        "_catalogue",
        "_matchers",
        "all_channels",
        "all_databases",
        "all_keys",
        "channels",
        "commands",
        "databases",
        "keys",
    )

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue: Final = catalogue
        self.commands = CommandRules(catalogue)
        self.all_keys = False
        self.keys: dict[bytes, int] = {}
        """Pattern → READ, WRITE or both, in order."""
        self._matchers: list[tuple[Matcher, int]] = []
        """The same, ready to be asked."""
        self.all_channels = catalogue.all_channels
        self.channels: dict[bytes, None] = {}
        self.all_databases = True
        self.databases: frozenset[int] = frozenset()

    def copy(self) -> Selector:
        """The same permissions, independent of these. O(rules)."""
        twin = Selector(self._catalogue)
        twin.commands = self.commands.copy()
        twin.all_keys, twin.keys = self.all_keys, dict(self.keys)
        twin._matchers = list(self._matchers)
        twin.all_channels, twin.channels = self.all_channels, dict(self.channels)
        twin.all_databases, twin.databases = self.all_databases, self.databases
        return twin

    # ---- asking

    @property
    def allows_everything(self) -> bool:
        """Whether there is nothing left to check. O(1)."""
        return self.all_keys and self.all_channels and self.all_databases and self.commands.allow_everything

    def may_access(self, key: bytes, needed: int) -> bool:
        """Whether one pattern allows all of what is `needed` of the key. O(patterns)."""
        if self.all_keys:
            return True
        for fits, allowed in self._matchers:  # noqa: SIM110 - asked for every key: a generator would cost as much again
            if allowed & needed == needed and fits(key):
                return True
        return False

    @property
    def may_read_all_keys(self) -> bool:
        """Whether any key at all may be read. O(patterns)."""
        return self.all_keys or bool(self.keys.get(b"*", 0) & READ)

    def may_use_channel(self, channel: bytes, *, is_pattern: bool) -> bool:
        """Whether a channel is allowed; a pattern to subscribe to must be among the patterns itself. O(patterns)."""
        return self.all_channels or is_channel_among(self.channels, channel, is_pattern=is_pattern)

    def may_use_database(self, index: int) -> bool:
        """Whether the database may be worked on. O(1)."""
        return self.all_databases or index in self.databases

    # ---- changing

    def apply(self, rule: bytes) -> None:
        """Do one rule. Raises RuleError."""
        word = rule.partition(b"\0")[0].lower()
        action = _ACTIONS.get(word)
        if action is not None:
            action(self)
        elif rule[:1] in (b"~", b"%"):
            self._add_keys(rule)
        elif rule[:1] == b"&":
            self._add_channel(rule[1:])
        elif word[:1] in (b"+", b"-"):
            self.commands.apply(rule.partition(b"\0")[0])
        elif word.startswith(b"db="):
            self._choose_databases(word[3:])
        else:
            raise RuleError(rules.SYNTAX)

    def apply_all(self, text: bytes) -> None:
        """Do the rules between a selector's parentheses. Raises RuleError."""
        for word in split(text.decode("utf-8", "surrogateescape")) or ():
            self.apply(word.encode("utf-8", "surrogateescape"))

    def reset_keys(self, *, allow_all: bool) -> None:
        """Allow all keys, or none; no patterns."""
        self.all_keys = allow_all
        self.keys.clear()
        self._matchers.clear()

    def reset_channels(self, *, allow_all: bool) -> None:
        """Allow all channels, or none; no patterns."""
        self.all_channels = allow_all
        self.channels.clear()

    def reset_databases(self, *, allow_all: bool) -> None:
        """Allow all databases, or none."""
        self.all_databases, self.databases = allow_all, frozenset()

    def _add_keys(self, rule: bytes) -> None:
        """`~pattern`, `%R~pattern`, `%W~pattern`, `%RW~pattern`."""
        if self.all_keys:
            raise RuleError(rules.PATTERN_AFTER_ALL_KEYS)
        access, pattern = (FULL, rule[1:]) if rule[:1] == b"~" else _split_access(rule)
        if has_blanks(pattern):
            raise RuleError(rules.SYNTAX)
        self.keys[pattern] = self.keys.get(pattern, 0) | access
        self._matchers = [(matcher(known), allowed) for known, allowed in self.keys.items()]

    def _add_channel(self, pattern: bytes) -> None:
        if self.all_channels:
            raise RuleError(rules.PATTERN_AFTER_ALL_CHANNELS)
        if has_blanks(pattern):
            raise RuleError(rules.SYNTAX)
        self.channels[pattern] = None

    def _choose_databases(self, text: bytes) -> None:
        """`db=0,3`: these and no others."""
        chosen: set[int] = set()
        for word in text.split(b","):
            if not _DATABASE.fullmatch(word):
                raise RuleError(rules.SYNTAX)
            index = int(word)
            if not 0 <= index <= _LAST_DATABASE:
                raise RuleError(rules.DATABASE_OUT_OF_RANGE)
            chosen.add(index)
        self.all_databases, self.databases = False, frozenset(chosen)

    # ---- describing

    def describe_keys(self) -> bytes:
        """The rules about keys."""
        if self.all_keys:
            return b"~*"
        return b" ".join(_PREFIXES[access] + pattern for pattern, access in self.keys.items())

    def describe_channels(self) -> bytes:
        """The rules about channels."""
        return b"&*" if self.all_channels else b" ".join(b"&" + pattern for pattern in self.channels)

    def describe_databases(self) -> bytes:
        """The rule about databases."""
        if self.all_databases:
            return b"alldbs"
        return (
            b"db=" + b",".join(b"%d" % index for index in sorted(self.databases)) if self.databases else b""
        )

    def describe(self) -> bytes:
        """The rules that make this selector from a new one, as ACL LIST shows them. O(rules)."""
        parts = [
            self.describe_keys(),
            b"" if self.all_channels else b"resetchannels",
            self.describe_channels(),
            b"" if self.all_databases else self.describe_databases() or b"resetdbs",
            self.commands.describe(),
        ]
        return b" ".join(part for part in parts if part)


def is_channel_among(allowed: dict[bytes, None], channel: bytes, *, is_pattern: bool) -> bool:
    """Whether a channel matches one of the patterns; a pattern has to be one of them. O(patterns)."""
    if is_pattern:
        return channel in allowed
    return any(matches(pattern, channel) for pattern in allowed)


def _split_access(rule: bytes) -> tuple[int, bytes]:
    access = 0
    for place in range(1, len(rule)):
        letter = _LETTERS.get(rule[place] | 0x20, 0)
        if letter and not access & letter:
            access |= letter
        elif rule[place : place + 1] == b"~" and access:
            return access, rule[place + 1 :]
        else:
            break
    else:
        if access:
            return access, b""
    raise RuleError(rules.SYNTAX)


_ACTIONS: Final[dict[bytes, Callable[[Selector], None]]] = {
    b"allkeys": lambda own: own.reset_keys(allow_all=True),
    b"~*": lambda own: own.reset_keys(allow_all=True),
    b"resetkeys": lambda own: own.reset_keys(allow_all=False),
    b"allchannels": lambda own: own.reset_channels(allow_all=True),
    b"&*": lambda own: own.reset_channels(allow_all=True),
    b"resetchannels": lambda own: own.reset_channels(allow_all=False),
    b"alldbs": lambda own: own.reset_databases(allow_all=True),
    b"resetdbs": lambda own: own.reset_databases(allow_all=False),
    b"allcommands": lambda own: own.commands.start_with(everything=True),
    b"+@all": lambda own: own.commands.start_with(everything=True),
    b"nocommands": lambda own: own.commands.start_with(everything=False),
    b"-@all": lambda own: own.commands.start_with(everything=False),
}
