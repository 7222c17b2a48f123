"""MODULE: loading and unloading while the server runs, where `enable-module-command` allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutaway.commands import Client, CommandError, CommandTable, errors
from cutaway.commands.configuration import is_local
from cutaway.commands.helping import help_lines
from cutaway.modules.loaders import ModuleError

if TYPE_CHECKING:
    from cutaway.modules.registry import Modules
    from cutaway.resp import Reply

module_commands: Final = CommandTable("server")
module_commands.container("MODULE", arity=-2, since="4.0.0")

NOT_ALLOWED: Final = CommandError(
    'ERR MODULE command not allowed. If the enable-module-command option is set to "local", you can run it from a '
    "local connection, otherwise you need to set this option in the configuration file, and then restart the server."
)


def _modules(client: Client) -> Modules:
    modules: Modules = client.engine.extras["modules"]
    return modules


def _may_change(client: Client) -> Modules:
    if not client.engine.config.allows("enable-module-command", local=is_local(client)):
        raise NOT_ALLOWED
    return _modules(client)


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def _load(client: Client, path: bytes, arguments: list[bytes], settings: list[tuple[str, str]]) -> Reply:
    modules = _may_change(client)
    try:
        modules.load(_text(path), arguments, settings)
    except ModuleError as error:
        raise CommandError(f"ERR Error loading the extension: {error}") from None
    return "OK"


@module_commands.command(
    "MODULE LOAD",
    arity=-3,
    flags="admin noscript no_async_loading",
    syntax="path [arg [arg ...]]",
    since="4.0.0",
)
def module_load(client: Client, path: bytes, *arguments: bytes) -> Reply:
    """Loads a module, from a file or by its name, and passes it arguments. O(1)."""
    return _load(client, path, list(arguments), [])


@module_commands.command(
    "MODULE LOADEX",
    arity=-3,
    flags="admin noscript no_async_loading",
    syntax="path [CONFIG name value [CONFIG name value ...]] [ARGS args [args ...]]",
    since="7.0.0",
)
def module_loadex(client: Client, path: bytes, *words: bytes) -> Reply:
    """Loads a module with settings and arguments. O(1)."""
    settings: list[tuple[str, str]] = []
    place = 0
    while place < len(words) and words[place].upper() == b"CONFIG":
        if place + 2 >= len(words):
            raise errors.SYNTAX
        settings.append((_text(words[place + 1]), _text(words[place + 2])))
        place += 3
    rest = list(words[place:])
    if rest and rest.pop(0).upper() != b"ARGS":
        raise errors.SYNTAX
    return _load(client, path, rest, settings)


@module_commands.command(
    "MODULE UNLOAD", arity=3, flags="admin noscript no_async_loading", syntax="name", since="4.0.0"
)
def module_unload(client: Client, name: bytes) -> Reply:
    """Lets a module go, unless keys hold values of its types or another module needs it. O(N) where N is the number of keys."""
    modules = _may_change(client)
    try:
        modules.unload(_text(name))
    except ModuleError as error:
        raise CommandError(f"ERR Error unloading module: {error}") from None
    return "OK"


@module_commands.command(
    "MODULE LIST", arity=2, flags="admin noscript", since="4.0.0", tips=["nondeterministic_output_order"]
)
def module_list(client: Client) -> Reply:
    """Returns the modules that are loaded. O(N) where N is the number of loaded modules."""
    return _modules(client).describe()


@module_commands.command("MODULE HELP", arity=2, flags="loading stale", since="5.0.0")
def module_help(client: Client) -> Reply:
    """Returns helpful text about the subcommands. O(1)."""
    return help_lines(client, "module")
