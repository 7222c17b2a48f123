"""A user: a name, passwords, and one or more selectors.

A rule is for the user (`on`, `>secret`, `(~a +get)`) or else for the root selector. `reset` brings the user
back to what it was when it was made: off, without a password, allowed nothing. A user without a password
cannot log in, unless `nopass` says that any will do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cutaway.acl import rules
from cutaway.acl.catalogue import Catalogue
from cutaway.acl.command_rules import CommandRules
from cutaway.acl.passwords import hash_password, is_among, is_hash
from cutaway.acl.rules import RuleError
from cutaway.acl.selector import Selector

DEFAULT: Final = b"default"
DEFAULT_RULES: Final = (b"+@all", b"~*", b"&*", b"on", b"nopass")


class User:
    """Somebody, and what they may do. Clients hold a reference: a user that changes stays the same object."""

    __slots__ = (
        "_catalogue",
        "enabled",
        "hashes",
        "is_unrestricted",
        "name",
        "needs_no_password",
        "only_commands",
        "selectors",
    )

    def __init__(self, name: bytes, catalogue: Catalogue) -> None:
        self._catalogue: Final = catalogue
        self.name: Final = name
        self.enabled = False
        self.needs_no_password = False
        self.hashes: dict[bytes, None] = {}
        self.selectors = [Selector(catalogue)]
        self.is_unrestricted = False
        """Whether nothing has to be checked: the root selector allows everything."""
        self.only_commands: CommandRules | None = None
        """The root selector's rules about commands, if keys and databases are all allowed: then, unless the command
        has to do with channels, nothing else has to be looked at."""

    @property
    def root(self) -> Selector:
        """The selector of what is said outside of parentheses."""
        return self.selectors[0]

    @property
    def lets_everyone_in(self) -> bool:
        """Whether a new connection is this user, without AUTH. That matters for the default user alone."""
        return self.enabled and self.needs_no_password

    def accepts(self, password: bytes) -> bool:
        """Whether one may log in as this user with `password`. O(passwords), in constant time for each."""
        is_known = is_among(password, self.hashes)
        return self.enabled and (is_known or self.needs_no_password)

    def become(self, other: User) -> None:
        """Take over everything of `other` but the name. O(rules)."""
        self.enabled, self.needs_no_password = other.enabled, other.needs_no_password
        self.hashes = dict(other.hashes)
        self.selectors = [selector.copy() for selector in other.selectors]
        self._look_at_root()

    def draft(self) -> User:
        """A copy to try changes on. O(rules)."""
        twin = User(self.name, self._catalogue)
        twin.become(self)
        return twin

    # ---- changing

    def apply(self, rule: bytes) -> None:
        """Do one rule. Raises RuleError, with nothing changed."""
        action = _ACTIONS.get(rule.partition(b"\0")[0].lower())
        if action is not None:
            action(self)
        elif rule[:1] in (b">", b"#", b"<", b"!"):
            self._password(rule[:1], rule[1:])
        elif rule[:1] == b"(" and rule[-1:] == b")":
            selector = Selector(self._catalogue)
            selector.apply_all(rule[1:-1])
            self.selectors.append(selector)
        elif rule:
            self.root.apply(rule)
        self._look_at_root()

    def _look_at_root(self) -> None:
        root = self.root
        self.is_unrestricted = root.allows_everything
        self.only_commands = root.commands if root.all_keys and root.all_databases else None

    def reset(self) -> None:
        """Back to a new user. Databases are all allowed to one."""
        self.become(User(self.name, self._catalogue))

    def _password(self, sign: bytes, text: bytes) -> None:
        """`>password` and `#hash` add one, `<password` and `!hash` take it away."""
        if sign in b"#!" and not is_hash(text):
            raise RuleError(rules.NOT_A_HASH)
        known = text if sign in b"#!" else hash_password(text)
        if sign in b">#":
            self.hashes[known] = None
            self.needs_no_password = False
        elif known in self.hashes:
            del self.hashes[known]
        else:
            raise RuleError(rules.UNKNOWN_PASSWORD)

    def switch(self, *, on: bool) -> None:
        """Let nobody log in as this user, or somebody. Who is logged in stays so."""
        self.enabled = on

    def reset_passwords(self, *, need_none: bool) -> None:
        """Forget all passwords, so that any will do, or none."""
        self.hashes.clear()
        self.needs_no_password = need_none

    # ---- describing

    def flags(self) -> list[bytes]:
        """Whether the user is on, and whether any password will do."""
        return [b"on" if self.enabled else b"off", *([b"nopass"] if self.needs_no_password else [])]

    def describe(self) -> bytes:
        """The rules that make this user from a new one, as ACL LIST shows them after the name. O(rules)."""
        first, *others = self.selectors
        return b" ".join(
            [*self.flags(), *(b"#" + known for known in self.hashes), first.describe(),
             *(b"(" + selector.describe() + b")" for selector in others)]
        )  # fmt: skip


_ACTIONS: Final[dict[bytes, Callable[[User], object]]] = {
    b"on": lambda user: user.switch(on=True),
    b"off": lambda user: user.switch(on=False),
    b"nopass": lambda user: user.reset_passwords(need_none=True),
    b"resetpass": lambda user: user.reset_passwords(need_none=False),
    b"sanitize-payload": lambda _user: None,  # what RESTORE gets is always looked at
    b"skip-sanitize-payload": lambda _user: None,
    b"clearselectors": lambda user: user.selectors.__delitem__(slice(1, None)),
    b"reset": User.reset,
}
