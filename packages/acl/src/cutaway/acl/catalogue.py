"""What rules refer to: the commands that there are, their categories, and what a new selector allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from cutaway.commands import Command
from cutaway.commands.introspection import CATEGORY_ORDER


class Catalogue:
    """The commands of an engine as rules name them. Modules may add some, or take them away again.

    `rename-command` changes nothing here: a rule about CONFIG is about what CONFIG does, whatever it is called.
    """

    __slots__ = ("_added_categories", "_commands", "_original", "all_channels")

    def __init__(
        self, commands: Mapping[bytes, Command], added_categories: Callable[[], Sequence[str]] = list
    ) -> None:
        """`added_categories` tells the categories that modules have brought."""
        self._commands: Final = commands
        self._added_categories: Final = added_categories
        self._original: Final = dict(commands)
        self.all_channels = False
        """Whether a new selector allows all channels (`acl-pubsub-default`)."""

    def __iter__(self) -> Iterator[Command]:
        """All commands, each followed by its subcommands."""
        known = {command.name.encode(): command for command in self._commands.values()}
        for command in {**known, **self._original}.values():
            yield command
            yield from command.subcommands.values()

    def find(self, name: bytes) -> Command | None:
        """The command `get`, or the subcommand `config|get`, in any spelling. O(1)."""
        first, bar, second = name.lower().partition(b"|")
        command = self._original.get(first) or self._commands.get(first)
        return command.subcommands.get(second) if command is not None and bar else command

    def categories(self) -> list[str]:
        """All categories, Redis's own first."""
        return [*CATEGORY_ORDER, *self._added_categories()]

    def in_category(self, name: bytes) -> list[Command] | None:
        """The commands and subcommands of a category; None if there is no such category. O(commands)."""
        category = name.decode("latin-1").lower()
        if category not in self.categories():
            return None
        return [command for command in self if category in command.acl_categories]
