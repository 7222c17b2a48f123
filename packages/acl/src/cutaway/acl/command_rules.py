"""Which commands may be run: `+@read -keys +config|get`.

The rules have an order, and a later one beats an earlier: `+@all -@dangerous` and `-@dangerous +@all` say
different things. Two things are kept of them. One answers the question that is asked with every request: a
set of names and the side from which it starts, everything or nothing. `+@all -keys` is "everything but
{keys}", and so holds for commands that modules bring along later. The other is the list of the rules, to be
shown again by ACL LIST: a rule replaces earlier ones about the same name, and one about a whole command
replaces those about its subcommands, so that the list stays as short as what it says.

A third form is kept for old times' sake: `+select|0`, where `0` is no subcommand but an argument. It allows a
command that is otherwise forbidden, with just that first argument.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from cutaway.acl import rules
from cutaway.acl.catalogue import Catalogue
from cutaway.acl.rules import RuleError
from cutaway.commands import Command

log: Final = logging.getLogger("cutaway.acl")


class CommandRules:
    """What one selector says about commands. At first nothing is allowed."""

    __slots__ = ("_catalogue", "_exceptions", "_first_arguments", "_rules", "starts_with_all")

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue: Final = catalogue
        self.starts_with_all = False
        """Whether what is not mentioned is allowed."""
        self._exceptions: set[str] = set()
        self._first_arguments: dict[str, set[bytes]] = {}
        self._rules: dict[bytes, bytes] = {}
        """Name → sign, in order."""

    def copy(self) -> CommandRules:
        """The same rules, independent of these. O(rules)."""
        twin = CommandRules(self._catalogue)
        twin.starts_with_all = self.starts_with_all
        twin._exceptions = set(self._exceptions)
        twin._first_arguments = {name: set(words) for name, words in self._first_arguments.items()}
        twin._rules = dict(self._rules)
        return twin

    # ---- asking

    @property
    def allow_everything(self) -> bool:
        """Whether every command may be run. O(1)."""
        return self.starts_with_all and not self._exceptions

    def allow(self, command: Command, argv: Sequence[bytes]) -> bool:
        """Whether `argv`, which calls for `command`, may be run. O(1)."""
        if (command.full_name in self._exceptions) is not self.starts_with_all or "no_auth" in command.flags:
            return True
        words = self._first_arguments.get(command.full_name)
        return words is not None and len(argv) > 1 and argv[1].lower() in words

    def describe(self) -> bytes:
        """The rules that make these from nothing. O(rules)."""
        start = b"+@all" if self.starts_with_all else b"-@all"
        return b" ".join([start, *(sign + name for name, sign in self._rules.items())])

    # ---- changing

    def start_with(self, *, everything: bool) -> None:
        """`+@all` and `-@all`: forget all that was said."""
        self.starts_with_all = everything
        self._exceptions.clear()
        self._first_arguments.clear()
        self._rules.clear()

    def apply(self, rule: bytes) -> None:
        """Do one rule that begins with a plus or a minus. Raises RuleError. O(commands) for a category."""
        sign, name = rule[:1], rule[1:]
        if name[:1] == b"@":
            self._category(sign, name)
        elif sign == b"+" and b"|" in name:
            self._allow_part(name)
        else:
            command = self._catalogue.find(name)
            if command is None:
                raise RuleError(rules.UNKNOWN_COMMAND)
            self._change(command, sign)
            self._remember(sign, command.full_name.encode())

    def recompute(self) -> None:
        """Do all rules again: commands have come or gone. O(rules * commands)."""
        said = list(self._rules.items())
        self.start_with(everything=self.starts_with_all)
        for name, sign in said:
            try:
                self.apply(sign + name)
            except RuleError:
                continue  # the command went with its module

    def _category(self, sign: bytes, name: bytes) -> None:
        members = self._catalogue.in_category(name[1:])
        if members is None:
            raise RuleError(rules.UNKNOWN_COMMAND)
        self._remember(sign, name.lower())
        for command in members:
            self._change(command, sign)

    def _allow_part(self, name: bytes) -> None:
        """`+config|get`, or `+select|0`."""
        head, _, part = name.rpartition(b"|")
        command = self._catalogue.find(head)
        if command is None:
            raise RuleError(rules.UNKNOWN_COMMAND)
        if command.container:
            raise RuleError(rules.NO_ARGUMENT_OF_SUBCOMMAND)
        if not part:
            raise RuleError(rules.SYNTAX)
        if command.subcommands:
            child = command.subcommands.get(part.lower())
            if child is None:
                raise RuleError(rules.UNKNOWN_COMMAND)
            self._change(child, b"+")
        else:
            log.warning(
                "+%s allows a command by its first argument. That is deprecated and may go away: "
                "it was not made for what it is used for",
                name.decode("utf-8", "backslashreplace"),
            )
            self._first_arguments.setdefault(command.full_name, set()).add(part.lower())
        self._remember(b"+", name.lower())

    def _change(self, command: Command, sign: bytes) -> None:
        self._first_arguments.pop(command.full_name, None)
        for each in (command, *command.subcommands.values()):
            if (sign == b"+") is self.starts_with_all:
                self._exceptions.discard(each.full_name)
            else:
                self._exceptions.add(each.full_name)

    def _remember(self, sign: bytes, name: bytes) -> None:
        part = name + b"|"
        self._rules = {
            known: own for known, own in self._rules.items() if known != name and not known.startswith(part)
        }
        self._rules[name] = sign
