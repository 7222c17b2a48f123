"""Users, passwords, and who may run which command on which keys.

Start with `access`, which says when is asked and what follows from the answer; then `selector` and
`command_rules` for what a rule means, `checks` for the question itself, `users` and `accounts` for who is
asked about.
"""

from cutaway.acl.access import AccessControl, UsersFile, access_of, install
from cutaway.acl.accounts import Accounts
from cutaway.acl.acl_commands import acl
from cutaway.acl.checks import Denial, Reason, Request, check
from cutaway.acl.rules import RuleError
from cutaway.acl.selector import Selector
from cutaway.acl.users import User

__all__ = [
    "AccessControl",
    "Accounts",
    "Denial",
    "Reason",
    "Request",
    "RuleError",
    "Selector",
    "User",
    "UsersFile",
    "access_of",
    "acl",
    "check",
    "install",
]
