"""Access control: who a client is, and the gate before every command.

Connecting is not logging in
----------------------------
Every new client is the default user. If that user is on and needs no password, as in a server nobody
configured, that is all. If it needs one, the client is a stranger until AUTH or HELLO says who it is: until
then only commands with the flag `no_auth` may run, and the parser takes no long requests.

A gate that is mostly not there
-------------------------------
As long as the default user is the only one, lets everyone in and may do everything, there is nothing to
check, and the gate is not in `engine.gates`: the cost of the whole room is the engine's own truth test. It
goes in with the first password or the first other user, in front of all other gates, and out again with the
last.

Asked more than once
--------------------
A command is checked when it comes. A command that waits, queued by MULTI or blocked on a key, is checked
again when it runs: the permissions may be others by then. A script's commands pass the gate one by one, as
the user who runs the script.

What happens to those who are connected
---------------------------------------
A user's clients hold the user itself, so a change of rules holds from their next command on. If the user is
deleted they are closed. If a channel is taken away from a user, those of its clients that listen there are
closed: no command of theirs would ever come to be refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from cutaway.acl.accounts import Accounts
from cutaway.acl.catalogue import Catalogue
from cutaway.acl.checks import Denial, Reason, Request, check, fixed_keys, may_read_all_keys
from cutaway.acl.denials import DenialLog
from cutaway.acl.rules import RuleError
from cutaway.acl.selector import is_channel_among
from cutaway.acl.users import User
from cutaway.commands import Client, Command, CommandError, Engine
from cutaway.commands.client_lists import describe
from cutaway.commands.connections import NO_PASSWORD_SET, WRONG_PASSWORD, kill
from cutaway.commands.errors import NO_AUTH, printable
from cutaway.resp import Reply

ROOM: Final = "acl"

WHY_NOT_ANY_MORE: Final = {
    Reason.DATABASE: "no permission",
    Reason.COMMAND: "no permission to execute the command or subcommand",
    Reason.KEY: "no permission to touch the specified keys",
    Reason.CHANNEL: "no permission to access one of the channels used as arguments",
}


class UsersFile(Protocol):
    """Where `aclfile` lies. The server knows about files; here they are only read and written."""

    path: str

    def read(self) -> bytes:
        """The whole text. Raises OSError."""
        ...

    def write(self, text: bytes) -> None:
        """Put `text` in its place, all or nothing. Raises OSError."""
        ...


class AccessControl:
    """The users of one engine, and what was refused to them."""

    __slots__ = ("_fixed_keys", "accounts", "denials", "engine", "file", "random_bytes")

    def __init__(self, engine: Engine, random_bytes: Callable[[int], bytes]) -> None:
        self.engine: Final = engine
        self.accounts: Final = Accounts(Catalogue(engine.commands, self._module_categories))
        self.denials: Final = DenialLog()
        self._fixed_keys: Final[dict[Command, list[tuple[int, int]] | None]] = {}
        self.file: UsersFile | None = None
        """None without `aclfile`."""
        self.random_bytes: Final = random_bytes
        engine.extras["users"] = self.accounts
        engine.extras["authenticate"] = self.authenticate
        engine.extras["acl_lines"] = self.config_lines
        engine.on_connect = (*engine.on_connect, self.welcome)
        engine.on_commands = (*engine.on_commands, self.accounts.recompute)
        engine.config.subscribe("acl-pubsub-default", self._set_channels_by_default)
        engine.config.subscribe("acllog-max-len", self._set_log_length)
        engine.config.subscribe("requirepass", self._set_password)

    def _module_categories(self) -> Sequence[str]:
        """What modules have added to the categories; asked anew each time, for modules come and go."""
        categories: Callable[[], Sequence[str]] = self.engine.extras.get("module_categories", list)
        return categories()

    # ---- settings

    def _set_channels_by_default(self, value: Any) -> None:
        self.accounts.catalogue.all_channels = value == "allchannels"

    def _set_log_length(self, value: Any) -> None:
        self.denials.max_length = value

    def _set_password(self, value: Any) -> None:
        """`requirepass` is another way to give the default user one password, or none."""
        password = str(value).encode("utf-8", "surrogateescape")
        default = self.accounts.default
        default.apply(b"resetpass")
        default.apply(b">" + password if password else b"nopass")
        self.rules_changed()

    def config_lines(self) -> list[str]:
        """The users as CONFIG REWRITE puts them into redis.conf; none if they have a file of their own."""
        if self.file is not None:
            return []
        return [line[5:].decode("utf-8", "surrogateescape") for line in self.accounts.describe()]

    # ---- who a client is

    def welcome(self, client: Client) -> None:
        """A client has connected: it is the default user, and is trusted if that user needs no password."""
        client.on_reset.append(self.make_default)
        self.make_default(client)

    def make_default(self, client: Client) -> None:
        """Forget who the client said it was."""
        self._make(client, self.accounts.default, is_authenticated=self.accounts.default.lets_everyone_in)

    def _make(self, client: Client, user: User, *, is_authenticated: bool) -> None:
        client.user = user
        client.authenticated = is_authenticated
        client.on_authentication(is_authenticated)

    def authenticate(self, client: Client, username: bytes | None, password: bytes) -> Reply:
        """AUTH and HELLO: OK if the password is the user's, else an error that does not tell what was wrong. O(passwords)."""
        accounts = self.accounts
        if username is None and accounts.default.needs_no_password:
            return NO_PASSWORD_SET
        user = accounts.default if username is None else accounts.get(username)
        if (user or accounts.new(b"")).accepts(password):
            assert user is not None
            self._make(client, user, is_authenticated=True)
            return "OK"
        command = client.command.name.upper() if client.command is not None else "AUTH"
        name = b"default" if username is None else username
        self._note(client, Reason.AUTH, command.encode(), name)
        return WRONG_PASSWORD

    def log_in(self, client: Client, name: bytes) -> bool:
        """Make the client a user whom something better than a password vouches for. False if there is no such user, or it is off."""
        user = self.accounts.get(name)
        if user is None or not user.enabled:
            return False
        self._make(client, user, is_authenticated=True)
        return True

    # ---- the gate

    def gate(self, client: Client, command: Command, argv: Sequence[bytes]) -> Reply:
        """Why a command may not run; None if it may."""
        if not client.authenticated and "no_auth" not in command.flags and self.is_stranger(client):
            return NO_AUTH
        user: User | None = client.user
        if user is None or user.is_unrestricted:
            return None
        rules = user.only_commands
        if rules is not None and "pubsub" not in command.flags and rules.allow(command, argv):
            return None
        return self.may_run(client, command, argv)

    def is_stranger(self, client: Client) -> bool:
        """Whether the client has to log in first."""
        return not client.authenticated and not self.accounts.default.lets_everyone_in

    def may_run(self, client: Client, command: Command, argv: Sequence[bytes]) -> CommandError | None:
        """Why the client's user may not run the command, which is noted; None if it may."""
        denial = self._denial(client, command, argv)
        if denial is None:
            return None
        text = refusal(client.user, command, denial)
        if self._is_script(client):
            return CommandError(f"ERR ACL failure in script: {text}")
        return CommandError(f"NOPERM {text}")

    def may_still_run(self, client: Client, command: Command, argv: Sequence[bytes]) -> CommandError | None:
        """As `may_run`, for a command that MULTI has queued: it was allowed then."""
        denial = self._denial(client, command, argv)
        if denial is None:
            return None
        return CommandError(
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command "
            f"is no longer allowed for the following reason: {WHY_NOT_ANY_MORE[denial.reason]}"
        )

    def _denial(self, client: Client, command: Command, argv: Sequence[bytes]) -> Denial | None:
        """What is denied, which is noted."""
        user: User | None = client.user
        if user is None or user.is_unrestricted:
            return None
        denial = check(user, self._request(client, command, argv))
        if denial is not None:
            what = command.full_name.encode() if denial.reason is Reason.COMMAND else argv[denial.place]
            self._note(client, denial.reason, what, user.name)
        return denial

    def allows(self, client: Client, command: Command, argv: Sequence[bytes]) -> bool:
        """`redis.acl_check_cmd`: would the command be let in? Nothing is noted. O(as `check`)."""
        user: User | None = client.user
        return user is None or check(user, self._request(client, command, argv)) is None

    def may_read_all_keys(self, client: Client, argv: Sequence[bytes]) -> bool:
        """Whether SORT may follow patterns to keys that nobody knows yet. O(as `check`)."""
        user: User | None = client.user
        command = self.engine.lookup(argv)
        if user is None or isinstance(command, CommandError):
            return True
        return may_read_all_keys(user, self._request(client, command, argv))

    def _request(self, client: Client, command: Command, argv: Sequence[bytes]) -> Request:
        keys = self._fixed_keys.get(command)
        if keys is None and command not in self._fixed_keys:
            keys = self._fixed_keys[command] = fixed_keys(command)
        return Request(command, argv, client.db.index, len(self.engine.keyspace.databases), keys)

    def _refuse(
        self, client: Client, user: User, command: Command, argv: Sequence[bytes], denial: Denial
    ) -> CommandError:
        what = command.full_name.encode() if denial.reason is Reason.COMMAND else argv[denial.place]
        self._note(client, denial.reason, what, user.name)
        if self._is_script(client):
            return CommandError(f"ERR ACL failure in script: {refusal(user, command, denial)}")
        return CommandError(f"NOPERM {refusal(user, command, denial)}")

    def _is_script(self, client: Client) -> bool:
        """Whether it is a script that asks: it does so with a client of its own, within its caller's command."""
        is_inner = bool(self.engine.nesting) and client is not self.engine.caller
        return is_inner and not _is_module(client)

    def _note(self, client: Client, reason: Reason, what: bytes, username: bytes) -> None:
        engine = self.engine
        is_script = self._is_script(client)
        context = b"lua" if is_script else b"multi" if "x" in client.flags else b"toplevel"
        if _is_module(client):
            context = b"module"
        seen = engine.caller if context in (b"lua", b"module") and engine.caller is not None else client
        self.denials.add(
            reason, context, what, user=username, client=describe(seen), now=engine.keyspace.now
        )  # fmt: skip

    # ---- when rules change

    def set_user(self, name: bytes, words: Sequence[bytes], caller: Client | None = None) -> None:
        """ACL SETUSER. Raises RuleError, with nothing changed."""
        draft = self.accounts.draft(name, words)
        user = self.accounts.get(name)
        if user is None:
            self.accounts.add(draft)
        else:
            self._silence(user, draft, caller)
            user.become(draft)
        self.rules_changed()

    def define_user(self, name: bytes, words: Sequence[bytes]) -> None:
        """A `user` line of redis.conf, which forgets what the user was before. Raises RuleError, with nothing changed."""
        user = self.accounts.define(name, words)
        if name in self.accounts:
            self.accounts[name].become(user)
        else:
            self.accounts.add(user)
        self.rules_changed()

    def remove_user(self, name: bytes, caller: Client | None = None) -> bool:
        """ACL DELUSER for one name; its clients are closed. Whether there was such a user."""
        user = self.accounts.remove(name)
        if user is None:
            return False
        for client in list(self.engine.clients.values()):
            if client.user is user:
                self._make(client, self.accounts.default, is_authenticated=False)
                kill(client, asked_by=caller)
        self.rules_changed()
        return True

    def load(self, caller: Client | None = None) -> None:
        """Take the users from their file. Raises RuleError with all that is wrong, and then nothing is changed."""
        assert self.file is not None
        path = self.file.path
        try:
            text = self.file.read()
        except OSError as error:
            raise RuleError(f"Error loading ACLs, opening file '{path}': {error.strerror}") from error
        users = self.accounts.read(text, path)
        for client in list(self.engine.clients.values()):
            old: User | None = client.user
            if old is None:
                continue
            new = users.get(old.name)
            if new is None or _hears_what_it_must_not(client, lost_channels(old, new)):
                kill(client, asked_by=caller)
            else:
                client.user = self.accounts.default if old is self.accounts.default else new
        self.accounts.replace(users)
        self.rules_changed()

    def rules_changed(self) -> None:
        """Put the gate in if there is something to check, take it out if not. O(clients)."""
        engine = self.engine
        default = self.accounts.default
        others = tuple(gate for gate in engine.gates if gate != self.gate)
        needed = len(self.accounts) > 1 or not (default.lets_everyone_in and default.is_unrestricted)
        engine.gates = (self.gate, *others) if needed else others
        hooks = {
            "is_stranger": self.is_stranger, "may_run": self.may_run, "may_still_run": self.may_still_run,
            "acl_check": self.allows, "may_read_all_keys": self.may_read_all_keys,
        }  # fmt: skip
        for name, hook in hooks.items():
            if needed:
                engine.extras[name] = hook
            else:
                engine.extras.pop(name, None)
        for client in engine.clients.values():
            client.on_authentication(client.authenticated or default.lets_everyone_in)

    def _silence(self, user: User, new: User, caller: Client | None) -> None:
        """Close the user's clients that listen where they may no longer."""
        allowed = lost_channels(user, new)
        if allowed is None:
            return
        for client in list(self.engine.clients.values()):
            if client.user is user and _hears_what_it_must_not(client, allowed):
                kill(client, asked_by=caller)


def refusal(user: User, command: Command, denial: Denial, shown: bytes | None = None) -> str:
    """The text that says what is denied. With `shown`, the argument in question, it is ACL DRYRUN's, which names it."""
    name = printable(user.name)
    if denial.reason is Reason.COMMAND:
        return f"User {name} has no permissions to run the '{command.full_name}' command"
    if denial.reason is Reason.DATABASE:
        if shown is None:
            return "No permissions to access database"
        return f"User {name} has no permissions to access database {printable(shown)}"
    what = "key" if denial.reason is Reason.KEY else "channel"
    if shown is None:
        return f"No permissions to access a {what}"
    return f"User {name} has no permissions to access the '{printable(shown)}' {what}"


def lost_channels(old: User, new: User) -> dict[bytes, None] | None:
    """If `new` may use fewer channels than `old`, those that are left; None if nothing is lost. O(channels)."""
    if any(selector.all_channels for selector in new.selectors):
        return None
    left = {channel: None for selector in new.selectors for channel in selector.channels}
    for selector in old.selectors:
        if selector.all_channels or not selector.channels.keys() <= left.keys():
            return left
    return None


def _hears_what_it_must_not(client: Client, allowed: dict[bytes, None] | None) -> bool:
    subscriptions = client.extras.get("pubsub")
    if allowed is None or not subscriptions:
        return False
    return not (
        all(is_channel_among(allowed, pattern, is_pattern=True) for pattern in subscriptions.patterns)
        and all(
            is_channel_among(allowed, channel, is_pattern=False)
            for channel in (*subscriptions.channels, *subscriptions.shard_channels)
        )
    )


def _is_module(client: Client) -> bool:
    """Whether it is a module that asks, on behalf of its caller."""
    return "module" in client.extras


def install(engine: Engine, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> AccessControl:
    """Give `engine` users. `random_bytes` makes the passwords of ACL GENPASS, and must be fit for secrets."""
    access = engine.extras[ROOM] = AccessControl(engine, random_bytes)
    return access


def access_of(client: Client) -> AccessControl:
    """The access control of the client's engine."""
    access: AccessControl = client.engine.extras[ROOM]
    return access
