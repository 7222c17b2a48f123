"""May this user run this request? The question of every one, once somebody may not do everything.

Each selector is asked in turn until one allows it all. A selector looks, in this order, at the database, the
command, the keys and the channels, and stops at the first that it denies. If all of them deny, the error is
about what the selector denied that came farthest, and among denials of one kind about the last argument.

Which arguments are keys, and what is done with them, the command's key specs say
(`cutaway.commands.key_specs`): to read is `%R`, to insert, update or delete is `%W`. A key with neither
(WATCH's) needs any rule that names it. Keys that cannot be known beforehand are asked for when they are:
those of a script by the commands in it, those of SORT's patterns by SORT, for all keys at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from cutaway.acl.selector import READ, WRITE, Selector
from cutaway.commands.arguments import integer_or_none

if TYPE_CHECKING:
    from cutaway.acl.users import User
    from cutaway.commands import Command


class Reason(IntEnum):
    """What was denied, in the order in which it is looked at: of several denials the greatest is told."""

    DATABASE = 1
    COMMAND = 2
    KEY = 3
    AUTH = 4
    CHANNEL = 5


class Denial(NamedTuple):
    """Why not, and at which argument."""

    reason: Reason
    place: int = 0


_ACCESS: Final = {"access": READ, "insert": WRITE, "update": WRITE, "delete": WRITE}
_SPECIAL: Final = frozenset({"not_key", "incomplete", "variable_flags"})
_ON_DATA: Final = frozenset({"keyspace", "read", "write"})
_SUBSCRIBING: Final = frozenset({"subscribe", "psubscribe", "ssubscribe"})
_PUBLISHING: Final = frozenset({"publish", "spublish"})


class Request:
    """What is asked for. Its keys are looked for when the first selector wants to know them."""

    __slots__ = ("_keys", "argv", "command", "database", "databases")

    def __init__(
        self,
        command: Command,
        argv: Sequence[bytes],
        database: int,
        databases: int,
        keys: list[tuple[int, int]] | None = None,
    ) -> None:
        self.command: Final = command
        self.argv: Final = argv
        self.database: Final = database
        """The index of the database it would run in."""
        self.databases: Final = databases
        """How many databases there are."""
        self._keys = keys

    @property
    def keys(self) -> list[tuple[int, int]]:
        """The places of the keys, each with the access that is needed. O(argv), once."""
        if self._keys is None:
            self._keys = [(place, _needed(spec.flags)) for place, spec in self.command.key_places(self.argv)]
        return self._keys

    @property
    def channels(self) -> range:
        """The places of the channels that are to be heard or spoken on."""
        name = self.command.full_name
        if name in _SUBSCRIBING:
            return range(1, len(self.argv))
        return range(1, 2) if name in _PUBLISHING else range(0)

    def chosen_databases(self) -> list[int]:
        """The places of arguments that choose a database."""
        name = self.command.full_name
        if name == "select":
            return [1]
        if name == "swapdb":
            return [1, 2]
        if name == "move":
            return [2]
        if name == "copy":
            return [at + 1 for at in range(3, len(self.argv) - 1) if self.argv[at].upper() == b"DB"]
        return []

    def works_on_data(self) -> bool:
        """Whether it does something with the contents of its own database."""
        command = self.command
        if command.full_name in ("select", "swapdb"):
            return False
        return (
            not _ON_DATA.isdisjoint(command.acl_categories)
            or command.key_finder is not None
            or any("not_key" not in spec.flags for spec in command.key_specs)
        )


def check(user: User, request: Request) -> Denial | None:
    """Why `user` may not run `request`; None if they may. O(selectors * (keys + channels) * patterns)."""
    worst = Denial(Reason.DATABASE)
    for selector in user.selectors:
        denial = _check(selector, request)
        if denial is None:
            return None
        worst = max(worst, denial)
    return worst


def may_read_all_keys(user: User, request: Request) -> bool:
    """Whether one selector allows the request, and to read any key besides. O(as `check`)."""
    return any(
        selector.may_read_all_keys and _check(selector, request) is None for selector in user.selectors
    )


def _check(selector: Selector, request: Request) -> Denial | None:
    argv = request.argv
    if not selector.all_databases:
        place = _forbidden_database(selector, request)
        if place is not None:
            return Denial(Reason.DATABASE, place)
    if not selector.commands.allow(request.command, argv):
        return Denial(Reason.COMMAND)
    if not selector.all_keys:
        for place, needed in request.keys:
            if not selector.may_access(argv[place], needed):
                return Denial(Reason.KEY, place)
    if not selector.all_channels:
        is_pattern = request.command.full_name == "psubscribe"
        for place in request.channels:
            if not selector.may_use_channel(argv[place], is_pattern=is_pattern):
                return Denial(Reason.CHANNEL, place)
    return None


def _forbidden_database(selector: Selector, request: Request) -> int | None:
    """The place of an argument that names a forbidden database, or 0 if it is the one it would run in."""
    for place in request.chosen_databases():
        index = integer_or_none(request.argv[place])
        if index is not None and 0 <= index < request.databases and not selector.may_use_database(index):
            return place
    if request.command.full_name == "flushall":
        return None if all(map(selector.may_use_database, range(request.databases))) else 0
    if request.works_on_data() and not selector.may_use_database(request.database):
        return 0
    return None


def fixed_keys(command: Command) -> list[tuple[int, int]] | None:
    """The places of the command's keys, with the access that each needs, if they are the same in every request. O(specs)."""
    found: list[tuple[int, int]] = []
    for spec in command.key_specs:
        if not spec.is_plain_range or spec.last < 0 or not _SPECIAL.isdisjoint(spec.flags):
            return None
        found += [
            (place, _needed(spec.flags)) for place in range(spec.index, spec.index + spec.last + 1, spec.step)
        ]
    return found if all(place < command.min_argc for place, _ in found) else None


def _needed(flags: tuple[str, ...]) -> int:
    """The access that a key spec's flags ask for. O(1): there are few combinations, and each is looked at once."""
    needed = _NEEDED.get(flags)
    if needed is None:
        needed = 0
        for flag in flags:
            needed |= _ACCESS.get(flag, 0)
        _NEEDED[flags] = needed
    return needed


_NEEDED: Final[dict[tuple[str, ...], int]] = {}
