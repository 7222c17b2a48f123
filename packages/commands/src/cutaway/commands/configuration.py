"""CONFIG: reading and changing the settings of a running server.

What a setting is, and what it may become, `cutaway.config` knows; this is its face to clients. Writing the file again
and what a statistic is are other rooms' business too: `engine.extras["rewrite_config"]` is called by CONFIG REWRITE, and
the callables in `engine.extras["on_resetstat"]` by CONFIG RESETSTAT.

Names and values travel as bytes and live as text: UTF-8, whatever is not UTF-8 kept as surrogates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cutaway.commands import errors
from cutaway.commands.clients import Client
from cutaway.commands.helping import help_lines
from cutaway.commands.tables import CommandTable
from cutaway.config import ConfigError
from cutaway.config.config import LoadingError
from cutaway.resp import MapReply, Reply

configuration: Final = CommandTable("server")

FLAGS: Final = "admin noscript loading stale"
EVERYWHERE: Final = ("request_policy:all_nodes", "response_policy:all_succeeded")
NO_FILE: Final = errors.CommandError("ERR The server is running without a config file")

configuration.container("CONFIG", arity=-2, since="2.0.0")


def is_local(client: Client) -> bool:
    """Whether the client is on this machine: in this process, on a Unix socket, or on the loopback interface."""
    return not client.address or client.address.startswith(("/", "127.", "[::1]:", "::1:"))


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@configuration.command("CONFIG GET", arity=-3, flags=FLAGS, since="2.0.0", syntax="parameter [parameter ...]",
                       history=[("7.0.0", "Takes several patterns at once.")])  # fmt: skip
def config_get(client: Client, *patterns: bytes) -> Reply:
    """Returns the settings whose names match the patterns. O(n) for n settings, for each pattern."""
    found = client.engine.config.get(*map(_text, patterns))
    return MapReply([(_bytes(name), _bytes(value)) for name, value in found.items()])


@configuration.command("CONFIG SET", arity=-4, flags=FLAGS, since="2.0.0", tips=EVERYWHERE,
                       syntax="parameter value [parameter value ...]",
                       history=[("7.0.0", "Takes several settings at once.")])  # fmt: skip
def config_set(client: Client, *words: bytes) -> Reply:
    """Changes settings, all of the given ones or none. O(n) for n settings."""
    if len(words) % 2:
        raise errors.SYNTAX
    pairs = [(_text(name), _text(value)) for name, value in zip(words[::2], words[1::2], strict=True)]
    is_loading: Callable[[], bool] = client.engine.extras.get("is_loading", bool)
    try:
        client.engine.config.set(pairs, local=is_local(client), loading=is_loading())
    except LoadingError:
        raise errors.LOADING from None
    except ConfigError as error:
        raise errors.CommandError(f"ERR {errors.printable(_bytes(str(error)))}") from None
    return "OK"


@configuration.command("CONFIG REWRITE", arity=2, flags=FLAGS, since="2.8.0", tips=EVERYWHERE)
def config_rewrite(client: Client) -> Reply:
    """Writes the present settings into the configuration file, comments and order kept. O(n) for n settings and lines."""
    rewrite: Callable[[], None] | None = client.engine.extras.get("rewrite_config")
    if rewrite is None:
        raise NO_FILE
    rewrite()
    return "OK"


@configuration.command("CONFIG RESETSTAT", arity=2, flags=FLAGS, since="2.0.0", tips=EVERYWHERE)
def config_resetstat(client: Client) -> Reply:
    """Sets the statistics that INFO shows back to zero. O(n) for n commands."""
    engine = client.engine
    for command in engine.commands.values():
        command.reset_counters()
        for each in command.subcommands.values():
            each.reset_counters()
    engine.errors_by_code.clear()
    keyspace = engine.keyspace
    keyspace.hits = keyspace.misses = 0
    keyspace.expired_keys = keyspace.expired_fields = keyspace.evicted_keys = 0
    engine.reclaimer.reclaimed = 0
    for reset in engine.extras.get("on_resetstat", ()):
        reset()
    return "OK"


@configuration.command("CONFIG HELP", arity=2, flags="loading stale", since="5.0.0")
def config_help(client: Client) -> Reply:
    """Says what CONFIG can do. O(1)."""
    return help_lines(client, "config")
