"""SLOWLOG and COMMANDLOG: the commands that took long, came in large, or answered at length.

The engine tells of a call that took longer than `slow_after`; a connection tells of a request or a reply that is larger than its
limit. So an ordinary command costs a comparison of numbers for each, and nothing is computed for it.

No log shows a secret: what is written here has gone through `redacted`. Commands that are flagged as not to be logged are left out; EXEC
is one, since the commands that it runs speak for themselves.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands import Client, Command, CommandError, CommandTable, Engine
from cutaway.commands.arguments import integer
from cutaway.commands.engine import NEVER
from cutaway.commands.helping import help_lines
from cutaway.commands.redaction import redacted
from cutaway.observability.command_logs import CommandLog
from cutaway.resp import Reply

if TYPE_CHECKING:
    from cutaway.server.servers import Server

command_log_commands: Final = CommandTable("server")

FLAGS: Final = "admin loading stale"
SKIPPED: Final = frozenset({"skip_slowlog", "skip_commandlog"})
ALL_NODES: Final = "request_policy:all_nodes"
COUNT_TOO_SMALL: Final = CommandError("ERR count should be greater than or equal to -1")
NO_SUCH_TYPE: Final = CommandError(
    "ERR type should be one of the following: slow, large-request, large-reply"
)
DEFAULT_COUNT: Final = 10

command_log_commands.container("SLOWLOG", arity=-2, since="2.2.12")
command_log_commands.container("COMMANDLOG", arity=-2, since="8.1.0")


class CommandLogs:
    """The three logs of one server; `engine.extras["command_logs"]`."""

    __slots__ = ("_engine", "logs", "slow_from")

    def __init__(self, engine: Engine, server: Server) -> None:
        self._engine: Final = engine
        self.logs: Final = {kind: CommandLog() for kind in (b"slow", b"large-request", b"large-reply")}
        self.slow_from = NEVER
        """Nanoseconds from which on a call is noted."""
        engine.extras["command_logs"] = self
        server.on_large_request, server.on_large_reply = self.note_request, self.note_reply
        subscribe = engine.config.subscribe
        subscribe("commandlog-request-larger-than", lambda value: _set_limit(server, "large_request", value))
        subscribe("commandlog-reply-larger-than", lambda value: _set_limit(server, "large_reply", value))
        subscribe("commandlog-slow-execution-max-len", lambda value: self._keep(b"slow", value))
        subscribe("commandlog-large-request-max-len", lambda value: self._keep(b"large-request", value))
        subscribe("commandlog-large-reply-max-len", lambda value: self._keep(b"large-reply", value))

    def _keep(self, kind: bytes, count: Any) -> None:
        self.logs[kind].limit = count

    def note_call(self, client: Client, command: Command, argv: Sequence[bytes], nanoseconds: int) -> None:
        """A command took long enough to be in the slow log."""
        self._note(b"slow", client, command, argv, nanoseconds // 1000)

    def note_request(self, client: Client, argv: Sequence[bytes], size: int) -> None:
        """A request is large; it has not been run yet."""
        self._note_size(b"large-request", client, argv, size)

    def note_reply(self, client: Client, argv: Sequence[bytes], size: int) -> None:
        """A reply was large."""
        self._note_size(b"large-reply", client, argv, size)

    def _note_size(self, kind: bytes, client: Client, argv: Sequence[bytes], size: int) -> None:
        command = self._engine.lookup(argv)
        if isinstance(command, Command):
            self._note(kind, client, command, argv, size)

    def _note(self, kind: bytes, client: Client, command: Command, argv: Sequence[bytes], value: int) -> None:
        if command.flags & SKIPPED:
            return
        shown = redacted(self._engine.config, command, argv)
        self.logs[kind].add(
            shown, value, time=int(time.time()), address=client.address, client_name=client.name
        )


def _set_limit(server: Server, name: str, value: Any) -> None:
    setattr(server, name, NEVER if value < 0 else value)


def _log(client: Client, kind: bytes) -> CommandLog:
    logs: CommandLogs = client.engine.extras["command_logs"]
    log = logs.logs.get(kind.lower())
    if log is None:
        raise NO_SUCH_TYPE
    return log


def _entries(log: CommandLog, count: bytes) -> Reply:
    number = integer(count, COUNT_TOO_SMALL)
    if number < -1:
        raise COUNT_TOO_SMALL
    return [
        [entry.id, entry.time, entry.value, list(entry.arguments), entry.address.encode(), entry.client_name]
        for entry in log.newest(number)
    ]


# ---- SLOWLOG


@command_log_commands.command("SLOWLOG GET", arity=-2, flags=FLAGS, since="2.2.12", syntax="[count]",
                              tips=[ALL_NODES, "nondeterministic_output"],
                              history=[("4.0.0", "Added client IP address, port and name to the reply.")])  # fmt: skip
def slowlog_get(client: Client, *count: bytes) -> Reply:
    """Returns the last entries of the slow log, ten if no number is given, all for -1. O(n) for n entries."""
    if len(count) > 1:
        raise CommandError("ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.")
    return _entries(_log(client, b"slow"), count[0] if count else b"%d" % DEFAULT_COUNT)


@command_log_commands.command("SLOWLOG LEN", arity=2, flags=FLAGS, since="2.2.12",
                              tips=[ALL_NODES, "response_policy:agg_sum", "nondeterministic_output"])  # fmt: skip
def slowlog_len(client: Client) -> Reply:
    """Returns the number of entries in the slow log. O(1)."""
    return len(_log(client, b"slow"))


@command_log_commands.command("SLOWLOG RESET", arity=2, flags=FLAGS, since="2.2.12",
                              tips=[ALL_NODES, "response_policy:all_succeeded"])  # fmt: skip
def slowlog_reset(client: Client) -> Reply:
    """Empties the slow log. O(n) for n entries."""
    _log(client, b"slow").clear()
    return "OK"


@command_log_commands.command("SLOWLOG HELP", arity=2, flags="loading stale", since="6.2.0",)  # fmt: skip
def slowlog_help(client: Client) -> Reply:
    """Says what SLOWLOG can do. O(1)."""
    return help_lines(client, "slowlog")


# ---- COMMANDLOG

TYPES: Final = "<SLOW | LARGE-REQUEST | LARGE-REPLY>"


@command_log_commands.command("COMMANDLOG GET", arity=4, flags=FLAGS, since="8.1.0", syntax=f"count {TYPES}",
                              tips=[ALL_NODES, "nondeterministic_output"])  # fmt: skip
def commandlog_get(client: Client, count: bytes, kind: bytes) -> Reply:
    """Returns the last entries of a command log, all for -1. O(n) for n entries."""
    return _entries(_log(client, kind), count)


@command_log_commands.command("COMMANDLOG LEN", arity=3, flags=FLAGS, since="8.1.0", syntax=TYPES,
                              tips=[ALL_NODES, "response_policy:agg_sum", "nondeterministic_output"])  # fmt: skip
def commandlog_len(client: Client, kind: bytes) -> Reply:
    """Returns the number of entries in a command log. O(1)."""
    return len(_log(client, kind))


@command_log_commands.command("COMMANDLOG RESET", arity=3, flags=FLAGS, since="8.1.0", syntax=TYPES,
                              tips=[ALL_NODES, "response_policy:all_succeeded"])  # fmt: skip
def commandlog_reset(client: Client, kind: bytes) -> Reply:
    """Empties a command log. O(n) for n entries."""
    _log(client, kind).clear()
    return "OK"


@command_log_commands.command("COMMANDLOG HELP", arity=2, flags="loading stale", since="8.1.0")
def commandlog_help(client: Client) -> Reply:
    """Says what COMMANDLOG can do. O(1)."""
    return help_lines(client, "commandlog")
