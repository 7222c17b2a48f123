"""ACL: users and what they may do, shown and changed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from cutaway.acl.access import AccessControl, access_of, refusal
from cutaway.acl.checks import Request, check
from cutaway.acl.rules import RuleError, has_blanks
from cutaway.acl.selector import Selector
from cutaway.acl.users import DEFAULT
from cutaway.commands import Client, CommandError, CommandTable
from cutaway.commands.arguments import integer
from cutaway.commands.errors import printable
from cutaway.commands.helping import help_lines
from cutaway.resp import MapReply, Reply, SetReply

log: Final = logging.getLogger("cutaway.acl")

acl: Final = CommandTable("server")

ADMIN: Final = "admin noscript loading stale"
ANYONE: Final = "noscript loading stale"
EVERYWHERE: Final = ("request_policy:all_nodes", "response_policy:all_succeeded")
SINCE_6_2: Final = ("6.2.0", "Added Pub/Sub channel patterns.")
SINCE_7: Final = (
    "7.0.0",
    "Added selectors and changed the format of key and channel patterns from a list to their rule representation.",
)
SINCE_9_1: Final = ("9.1.0", "Added database permission rules.")

MOST_BITS: Final = 4096
SHOWN_BY_DEFAULT: Final = 10
NO_FILE: Final = CommandError(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER "
    "command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users "
    "in the Redis configuration."
)
NOT_SAVED: Final = CommandError(
    "ERR There was an error trying to save the ACLs. Please check the server logs for more information"
)

acl.container("ACL", arity=-2, since="6.0.0")


# ---- changing users


@acl.command("ACL SETUSER", arity=-3, flags=ADMIN, since="6.0.0", tips=EVERYWHERE, syntax="username [rule [rule ...]]",
             history=[SINCE_6_2, ("7.0.0", "Added selectors and key based permissions."), SINCE_9_1])  # fmt: skip
def acl_setuser(client: Client, name: bytes, *words: bytes) -> Reply:
    """Makes a user, or changes one, by rules that are applied in order, all or none. O(n) for n rules."""
    if has_blanks(name):
        raise CommandError("ERR Usernames can't contain spaces or null characters")
    try:
        access_of(client).set_user(name, words, caller=client)
    except RuleError as error:
        raise CommandError(f"ERR {error.text}") from None
    return "OK"


@acl.command("ACL DELUSER", arity=-3, flags=ADMIN, since="6.0.0", tips=EVERYWHERE,
             syntax="username [username ...]")  # fmt: skip
def acl_deluser(client: Client, *names: bytes) -> Reply:
    """Deletes users, and closes their connections. O(n) for n connections, for each user."""
    if DEFAULT in names:
        raise CommandError("ERR The 'default' user cannot be removed")
    access = access_of(client)
    return sum(access.remove_user(name, caller=client) for name in names)


@acl.command("ACL LOAD", arity=2, flags=ADMIN, since="6.0.0")
def acl_load(client: Client) -> Reply:
    """Takes the users from their file again, all or none. O(n) for n users and connections."""
    try:
        _with_file(client).load(caller=client)
    except RuleError as error:
        raise CommandError(f"ERR {error.text}") from None
    return "OK"


@acl.command("ACL SAVE", arity=2, flags=ADMIN, since="6.0.0", tips=EVERYWHERE)
def acl_save(client: Client) -> Reply:
    """Writes the users into their file. O(n) for n users."""
    access = _with_file(client)
    assert access.file is not None
    try:
        access.file.write(b"".join(line + b"\n" for line in access.accounts.describe()))
    except OSError as error:
        log.warning("Cannot write the users to %s: %s", access.file.path, error.strerror)
        raise NOT_SAVED from None
    return "OK"


def _with_file(client: Client) -> AccessControl:
    access = access_of(client)
    if access.file is None:
        raise NO_FILE
    return access


# ---- showing them


@acl.command("ACL LIST", arity=2, flags=ADMIN, since="6.0.0")
def acl_list(client: Client) -> Reply:
    """Lists the users, each with the rules that make it. O(n) for n users."""
    return [*access_of(client).accounts.describe()]


@acl.command("ACL USERS", arity=2, flags=ADMIN, since="6.0.0")
def acl_users(client: Client) -> Reply:
    """Lists the names of the users. O(n) for n users."""
    return [user.name for user in access_of(client).accounts]


@acl.command("ACL GETUSER", arity=3, flags=ADMIN, since="6.0.0", syntax="username",
             history=[SINCE_6_2, SINCE_7, SINCE_9_1])  # fmt: skip
def acl_getuser(client: Client, name: bytes) -> Reply:
    """Describes a user, part by part; nil if there is no such user. O(n) for n rules."""
    user = access_of(client).accounts.get(name)
    if user is None:
        return None
    root, *others = user.selectors
    return MapReply([
        (b"flags", SetReply(user.flags())),
        (b"passwords", list(user.hashes)),
        *_facts(root),
        (b"selectors", [MapReply(_facts(selector)) for selector in others]),
    ])  # fmt: skip


def _facts(selector: Selector) -> list[tuple[Reply, Reply]]:
    return [
        (b"commands", selector.commands.describe()),
        (b"keys", selector.describe_keys()),
        (b"channels", selector.describe_channels()),
        (b"databases", selector.describe_databases()),
    ]


@acl.command("ACL WHOAMI", arity=2, flags=ANYONE, since="6.0.0")
def acl_whoami(client: Client) -> Reply:
    """Returns the name of the user that this connection is. O(1)."""
    return None if client.user is None else client.user.name


@acl.command("ACL CAT", arity=-2, flags=ANYONE, since="6.0.0", syntax="[category]")
def acl_cat(client: Client, *words: bytes) -> Reply:
    """Lists the categories, or the commands of one. O(n) for n commands."""
    category = _only(words, "CAT")
    catalogue = access_of(client).accounts.catalogue
    if category is None:
        return [name.encode() for name in catalogue.categories()]
    members = catalogue.in_category(category)
    if members is None:
        raise CommandError(f"ERR Unknown category '{printable(category, 128)}'")
    return [command.full_name.encode() for command in members]


# ---- trying


@acl.command("ACL DRYRUN", arity=-4, flags=ADMIN, since="7.0.0", syntax="username command [arg [arg ...]]")
def acl_dryrun(client: Client, name: bytes, *argv: bytes) -> Reply:
    """Says whether a user could run a command, which is not run. O(n) for n arguments and rules."""
    engine = client.engine
    user = access_of(client).accounts.get(name)
    if user is None:
        raise CommandError(f"ERR User '{printable(name)}' not found")
    command = engine.lookup(argv)
    if isinstance(command, CommandError):
        raise CommandError(f"ERR Command '{printable(argv[0])}' not found")
    if not command.min_argc <= len(argv) <= command.max_argc:
        raise CommandError(f"ERR wrong number of arguments for '{command.full_name}' command")
    request = Request(command, argv, client.db.index, len(engine.keyspace.databases))
    denial = check(user, request)
    if denial is None:
        return "OK"
    return refusal(user, command, denial, argv[denial.place]).encode("utf-8", "surrogateescape")


@acl.command("ACL GENPASS", arity=-2, flags=ANYONE, since="6.0.0", syntax="[bits]")
def acl_genpass(client: Client, *words: bytes) -> Reply:
    """Makes a password that cannot be guessed: random bits, 256 or as many as asked for, in hexadecimal. O(1)."""
    bits = _only(words, "GENPASS")
    count = 256 if bits is None else integer(bits)
    if not 0 < count <= MOST_BITS:
        raise CommandError(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to "
            f"{MOST_BITS}"
        )
    digits = (count + 3) // 4
    return access_of(client).random_bytes((digits + 1) // 2).hex()[:digits].encode()


@acl.command("ACL LOG", arity=-2, flags=ADMIN, since="6.0.0", syntax="[count | RESET]",
             history=[("7.2.0", "Added entry ID, timestamp created, and timestamp last updated.")])  # fmt: skip
def acl_log(client: Client, *words: bytes) -> Reply:
    """Shows what was refused lately, or forgets it. O(n) for n entries."""
    word = _only(words, "LOG")
    denials = access_of(client).denials
    if word is not None and word.lower() == b"reset":
        denials.clear()
        return "OK"
    count = SHOWN_BY_DEFAULT if word is None else max(integer(word), 0)
    now = client.engine.keyspace.now
    return [entry.reply(now) for entry in denials.entries[:count]]


@acl.command("ACL HELP", arity=2, flags="loading stale", since="6.0.0")
def acl_help(client: Client) -> Reply:
    """Says what ACL can do. O(1)."""
    return help_lines(client, "acl")


def _only(words: Sequence[bytes], subcommand: str) -> bytes | None:
    """The one word that may be given, if it is. Raises CommandError if there are more."""
    if len(words) > 1:
        raise CommandError(
            f"ERR unknown subcommand or wrong number of arguments for '{subcommand}'. Try ACL HELP."
        )
    return words[0] if words else None
