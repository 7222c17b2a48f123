"""All users, by name; the texts they come from and go to.

The default user is always there. A new connection is the default user, before it authenticates; if that user
needs no password, it has no need to.

A change is all or nothing: rules are tried on a draft, and the user becomes what the draft is. In the same
way a users' file is read into users of its own, which take the place of the old ones if there was no mistake
in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cutaway.acl import rules
from cutaway.acl.catalogue import Catalogue
from cutaway.acl.rules import RuleError, has_blanks, join_selectors
from cutaway.acl.users import DEFAULT, DEFAULT_RULES, User

_MARGIN: Final = b" \t\r\n"


class Accounts:
    """Who is known here. `name in accounts`, `accounts[name]`, and iteration in the order of the names."""

    __slots__ = ("_users", "catalogue", "default")

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue: Final = catalogue
        self._users: dict[bytes, User] = {}
        self.default: Final = self._new_default()
        self._users[DEFAULT] = self.default

    def __contains__(self, name: object) -> bool:
        return name in self._users

    def __getitem__(self, name: bytes) -> User:
        return self._users[name]

    def __len__(self) -> int:
        return len(self._users)

    def __iter__(self) -> Iterator[User]:
        return iter([self._users[name] for name in sorted(self._users)])

    def get(self, name: bytes) -> User | None:
        """The user of that name, if there is one. O(1)."""
        return self._users.get(name)

    def new(self, name: bytes) -> User:
        """A user that is not known yet."""
        return User(name, self.catalogue)

    def _new_default(self) -> User:
        user = self.new(DEFAULT)
        for rule in DEFAULT_RULES:
            user.apply(rule)
        return user

    def add(self, user: User) -> None:
        """Know this user from now on."""
        self._users[user.name] = user

    def draft(self, name: bytes, words: Sequence[bytes]) -> User:
        """What the user of that name, or a new one, would be after these rules. Raises RuleError, with ACL SETUSER's text."""
        known = self._users.get(name)
        draft = self.new(name) if known is None else known.draft()
        for word in join_selectors(words):
            try:
                draft.apply(word)
            except RuleError as error:
                shown = word.partition(b"\0")[0].decode("utf-8", "surrogateescape")
                raise RuleError(f"Error in ACL SETUSER modifier '{shown}': {error.text}") from None
        return draft

    def define(self, name: bytes, words: Sequence[bytes]) -> User:
        """The user of that name that these rules make from nothing. Raises RuleError. O(rules)."""
        if has_blanks(name):
            raise RuleError("Spaces not allowed in ACL usernames")
        user = self.new(name)
        for word in join_selectors(words):
            user.apply(word)
        return user

    def remove(self, name: bytes) -> User | None:
        """Forget a user; who that was. The default user stays: do not ask for it."""
        return self._users.pop(name, None)

    def describe(self) -> list[bytes]:
        """A line for each user, as ACL LIST and the users' file have it. O(users)."""
        return [b"user %b %b" % (user.name, user.describe()) for user in self]

    def recompute(self) -> None:
        """Apply all rules about commands again: a module has brought some, or taken some away."""
        for user in self._users.values():
            for selector in user.selectors:
                selector.commands.recompute()

    # ---- the users' file

    def read(self, text: bytes, path: str) -> dict[bytes, User]:
        """The users that a file describes, the default one always among them. Raises RuleError with all that is wrong in it. O(text)."""
        found: dict[bytes, User] = {}
        mistakes: list[str] = []
        for number, line in enumerate(text.split(b"\n"), 1):
            words = line.strip(_MARGIN).split(b" ")
            if words != [b""]:
                mistakes += self._read_line(found, words, path, number)
        if mistakes:
            raise RuleError(
                "".join(mistakes)
                + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
            )
        found.setdefault(DEFAULT, self._new_default())
        return found

    def _read_line(
        self, found: dict[bytes, User], words: Sequence[bytes], path: str, number: int
    ) -> list[str]:
        """Take one line into `found`; what is wrong with it."""
        place = f"{path}:{number}"
        if words[0] != b"user" or len(words) < 2:
            return [f"{place} should start with user keyword followed by the username. "]
        name = words[1]
        if has_blanks(name):
            return [f"'{place}: username '{_shown(name)}' contains invalid characters. "]
        if name in found:
            return [f"WARNING: Duplicate user '{_shown(name)}' found on line {number}. "]
        user = found[name] = self.new(name)
        try:
            return _apply_all(user, join_selectors(words[2:]), place)
        except RuleError:
            return [f"{place}: Unmatched parenthesis in selector definition."]

    def replace(self, users: dict[bytes, User]) -> None:
        """Let `users` take the place of all there were; the default user remains the same object. O(users)."""
        self.default.become(users[DEFAULT])
        self._users = {**users, DEFAULT: self.default}


def _apply_all(user: User, words: Iterable[bytes], place: str) -> list[str]:
    """Apply what can be applied; every unknown command is told, of the other mistakes the first."""
    mistakes: list[str] = []
    had_other = False
    for word in words:
        try:
            user.apply(word.strip(b"\t\r\n"))
        except RuleError as error:
            if error.text == rules.UNKNOWN_COMMAND:
                mistakes.append(f"{place}: Error in applying operation '{_shown(word)}': {error.text}. ")
            elif not had_other:
                mistakes.append(f"{place}: {error.text}. ")
                had_other = True
    return mistakes


def _shown(text: bytes) -> str:
    return text.partition(b"\0")[0].decode("utf-8", "surrogateescape")
