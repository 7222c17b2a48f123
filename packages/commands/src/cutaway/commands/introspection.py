"""COMMAND: what the server knows about its own commands, told from their declarations.

Nothing is written down here about any command. COMMAND INFO is the declaration in Redis's form: arity, flags, where the keys
are (once as key specs, once in the older form of first key, last key and step), ACL categories, tips. COMMAND DOCS is the
docstring and the syntax line (`syntaxes.py` makes the tree of arguments out of it). COMMAND GETKEYS runs the key specs over a
request. A client such as redis-cli asks for all of it when it starts, and shows its hints from that.

Reply shapes: flags and categories are sets of simple strings, everything else bulk strings; maps where RESP3 has maps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from cutaway.commands import errors
from cutaway.commands.clients import Client
from cutaway.commands.helping import help_lines
from cutaway.commands.key_specs import KeySpec, legacy_range
from cutaway.commands.syntaxes import Argument, arguments_of
from cutaway.commands.tables import Command, CommandTable
from cutaway.config import matcher
from cutaway.resp import MapReply, Reply, SetReply

introspection: Final = CommandTable("server")

FLAG_ORDER: Final = [
    "write",
    "readonly",
    "denyoom",
    "module",
    "admin",
    "pubsub",
    "noscript",
    "blocking",
    "loading",
    "stale",
    "skip_monitor",
    "skip_commandlog",
    "asking",
    "fast",
    "no_auth",
    "no_mandatory_keys",
    "no_async_loading",
    "no_multi",
    "movablekeys",
    "allow_busy",
]
"""The flags that COMMAND INFO shows, in its order; `may_replicate` and `sentinel` stay inside."""
CATEGORY_ORDER: Final = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
]
KEY_FLAG_ORDER: Final = [
    "RO",
    "RW",
    "OW",
    "RM",
    "access",
    "update",
    "insert",
    "delete",
    "not_key",
    "incomplete",
    "variable_flags",
]

INVALID_COMMAND: Final = errors.CommandError("ERR Invalid command specified")
NO_KEYS: Final = errors.CommandError("ERR The command has no key arguments")
INVALID_NUMBER: Final = errors.CommandError("ERR Invalid number of arguments specified for command")
INVALID_ARGUMENTS: Final = errors.CommandError("ERR Invalid arguments specified for command")


# ---- COMMAND INFO


@introspection.command("COMMAND", arity=-1, flags="loading stale", acl="connection", since="2.8.13",
                       tips=["nondeterministic_output_order"])  # fmt: skip
def command_(client: Client) -> Reply:
    """Describes all commands. O(n) for n commands."""
    return [info(command) for command in client.engine.commands.values()]


@introspection.command("COMMAND INFO", arity=-2, flags="loading stale", acl="connection", since="2.8.13",
                       syntax="[command-name [command-name ...]]", tips=["nondeterministic_output_order"])  # fmt: skip
def command_info(client: Client, *names: bytes) -> Reply:
    """Describes the given commands, or all: arity, flags, keys, categories. O(n) for n commands."""
    if not names:
        return command_(client)
    found = [find(client, name) for name in names]
    return [None if command is None else info(command) for command in found]


def find(client: Client, name: bytes) -> Command | None:
    """The command that `name` means: "get", or "config|set"."""
    container, bar, word = name.lower().partition(b"|")
    command = client.engine.commands.get(container)
    if bar and command is not None:
        command = command.subcommands.get(word)
    return command


def info(command: Command) -> Reply:
    """COMMAND INFO's ten elements for a command and, within the last, for its subcommands."""
    first, last, step, movable = legacy_range(command.key_specs)
    flags = command.flags | {"movablekeys"} if movable else command.flags
    return [
        command.full_name.encode(),
        command.arity,
        _words(flags, FLAG_ORDER),
        first,
        last,
        step,
        _categories(command.acl_categories),
        SetReply([tip.encode() for tip in command.tips]),
        SetReply([_key_spec(spec) for spec in command.key_specs]),
        [info(each) for each in command.subcommands.values()],
    ]


def _categories(chosen: frozenset[str]) -> SetReply:
    """Redis's own in their order, those of modules after them."""
    own = [category for category in CATEGORY_ORDER if category in chosen]
    return SetReply([f"@{category}" for category in (*own, *sorted(chosen.difference(own)))])


def _words(chosen: frozenset[str] | Sequence[str], order: Sequence[str]) -> SetReply:
    return SetReply([word for word in order if word in chosen])


def _key_spec(spec: KeySpec) -> Reply:
    items: list[tuple[Reply, Reply]] = [(b"notes", spec.notes.encode())] if spec.notes else []
    items += [
        (b"flags", _words(spec.flags, KEY_FLAG_ORDER)),
        (b"begin_search", _begin_search(spec)),
        (b"find_keys", _find_keys(spec)),
    ]
    return MapReply(items)


def _begin_search(spec: KeySpec) -> Reply:
    if spec.unknown:
        return _step(b"unknown")
    if spec.keyword:
        return _step(b"keyword", (b"keyword", spec.keyword.encode()), (b"startfrom", spec.index))
    return _step(b"index", (b"index", spec.index))


def _find_keys(spec: KeySpec) -> Reply:
    if spec.unknown:
        return _step(b"unknown")
    if spec.key_count is None:
        return _step(b"range", (b"lastkey", spec.last), (b"keystep", spec.step), (b"limit", spec.limit))
    return _step(
        b"keynum", (b"keynumidx", spec.key_count), (b"firstkey", spec.first_key), (b"keystep", spec.step)
    )


def _step(kind: bytes, *facts: tuple[Reply, Reply]) -> MapReply:
    return MapReply([(b"type", kind), (b"spec", MapReply(facts))])


# ---- COMMAND DOCS


@introspection.command("COMMAND DOCS", arity=-2, flags="loading stale", acl="connection", since="7.0.0",
                       syntax="[command-name [command-name ...]]", tips=["nondeterministic_output_order"])  # fmt: skip
def command_docs(client: Client, *names: bytes) -> Reply:
    """Documents the given commands, or all: summary, arguments, cost. O(n) for n commands."""
    found = [find(client, name) for name in names] if names else list(client.engine.commands.values())
    return MapReply([(command.full_name.encode(), docs(command)) for command in found if command is not None])


def docs(command: Command) -> Reply:
    """COMMAND DOCS' map for a command and, within, its subcommands."""
    deprecated_since, replaced_by = command.deprecated
    facts: list[tuple[str, Reply]] = [
        ("summary", f"{command.summary}.".encode() if command.summary else b""),
        ("since", command.since.encode()),
        ("group", command.group.encode()),
        ("complexity", command.complexity.encode()),
        ("doc_flags", SetReply(command.doc_flags) if command.doc_flags else None),
        ("deprecated_since", deprecated_since.encode()),
        ("replaced_by", replaced_by.encode()),
        ("history", SetReply([[since.encode(), what.encode()] for since, what in command.history]) if command.history else None),
        ("arguments", [_argument(each) for each in arguments_of(command)]),
        ("subcommands", MapReply([(each.full_name.encode(), docs(each)) for each in command.subcommands.values()])
                        if command.subcommands else None),
    ]  # fmt: skip
    return MapReply([(name.encode(), fact) for name, fact in facts if fact])


def _argument(argument: Argument) -> Reply:
    facts: list[tuple[Reply, Reply]] = [(b"name", argument.name.encode()), (b"type", argument.type.encode())]
    if not argument.arguments:
        facts.append((b"display_text", argument.name.encode()))
    if argument.key_spec_index is not None:
        facts.append((b"key_spec_index", argument.key_spec_index))
    if argument.token is not None:
        facts.append((b"token", argument.token.encode()))
    if argument.flags:
        facts.append((b"flags", SetReply(argument.flags)))
    if argument.arguments:
        facts.append((b"arguments", [_argument(each) for each in argument.arguments]))
    return MapReply(facts)


# ---- COMMAND COUNT, LIST


@introspection.command("COMMAND COUNT", arity=2, flags="loading stale", acl="connection", since="2.8.13")
def command_count(client: Client) -> Reply:
    """Counts the commands, subcommands aside. O(1)."""
    return len(client.engine.commands)


@introspection.command("COMMAND LIST", arity=-2, flags="loading stale", acl="connection", since="7.0.0",
                       syntax="[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
                       tips=["nondeterministic_output_order"])  # fmt: skip
def command_list(client: Client, *words: bytes) -> Reply:
    """Names the commands and subcommands, all or those of a module, a category or a pattern. O(n) for n commands."""
    wanted = _filter(client, words)
    return [each.full_name.encode() for each in _everyone(client.engine.commands.values()) if wanted(each)]


def _everyone(commands: Iterable[Command]) -> Iterator[Command]:
    for command in commands:
        yield command
        yield from command.subcommands.values()


def _filter(client: Client, words: Sequence[bytes]) -> Callable[[Command], object]:
    """What COMMAND LIST is asked to choose by."""
    if not words:
        return bool
    if len(words) != 3 or words[0].upper() != b"FILTERBY":
        raise errors.SYNTAX
    return _filter_by(client, words[1].upper(), words[2])


def _filter_by(client: Client, kind: bytes, value: bytes) -> Callable[[Command], object]:
    if kind == b"MODULE":
        module_of: Callable[[Command], bytes | None] = client.engine.extras.get("module_of", _no_module)
        return lambda command: module_of(command) == value
    if kind == b"ACLCAT":
        category = value.decode("latin-1").lower()
        return lambda command: category in command.acl_categories
    if kind == b"PATTERN":
        matches = matcher(value, nocase=True)
        return lambda command: matches(command.full_name.encode())
    raise errors.SYNTAX


def _no_module(_command: Command) -> bytes | None:
    return None


# ---- COMMAND GETKEYS


@introspection.command("COMMAND GETKEYS", arity=-3, flags="loading stale", acl="connection", since="2.8.13",
                       syntax="command [arg [arg ...]]")  # fmt: skip
def command_getkeys(client: Client, *argv: bytes) -> Reply:
    """Finds the keys in a request. O(n) for n arguments."""
    return [argv[place] for place, _ in _keys_of(client, argv)]


@introspection.command("COMMAND GETKEYSANDFLAGS", arity=-3, flags="loading stale", acl="connection", since="7.0.0",
                       syntax="command [arg [arg ...]]")  # fmt: skip
def command_getkeysandflags(client: Client, *argv: bytes) -> Reply:
    """Finds the keys in a request, and says what is done with each. O(n) for n arguments."""
    return [[argv[place], _words(spec.flags, KEY_FLAG_ORDER)] for place, spec in _keys_of(client, argv)]


def _keys_of(client: Client, argv: Sequence[bytes]) -> list[tuple[int, KeySpec]]:
    command = client.engine.lookup(argv)
    if isinstance(command, errors.CommandError):
        raise INVALID_COMMAND
    if command.key_finder is None and all("not_key" in spec.flags for spec in command.key_specs):
        raise NO_KEYS
    if not command.min_argc <= len(argv) <= command.max_argc:
        raise INVALID_NUMBER
    places = command.key_places(argv)
    if not places and "no_mandatory_keys" not in command.flags:
        raise INVALID_ARGUMENTS
    return places


@introspection.command("COMMAND HELP", arity=2, flags="loading stale", acl="connection", since="5.0.0")
def command_help(client: Client) -> Reply:
    """Says what COMMAND can do. O(1)."""
    return help_lines(client, "command")
