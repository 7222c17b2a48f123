"""One run of a script: what it may do, what it has done, and the commands that it calls.

A script's commands pass the same gates as a client's, on behalf of the client that sent the script: its user, its database.
They run under a client of their own, which never waits, speaks the protocol that the script chose, and may change its database
without the caller's noticing. All of them are one unit: nobody else runs in between, their effects go out together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import Client, Command, CommandError
from cutaway.commands.blocking import Block
from cutaway.resp import Reply
from cutaway.scripting import errors


class Refused(Exception):  # noqa: N818 - it is not an error of the program's
    """A script's command is not run at all; `text` says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Run:
    """A script that is running."""

    __slots__ = ("_client", "_engine", "_has_failed", "_read_only", "argv", "caller", "has_written", "is_eval", "killed", "name",
                 "propagates", "started_at")  # fmt: skip

    def __init__(self, caller: Client, client: Client, name: bytes, argv: Sequence[bytes], *, read_only: bool, may_exceed_memory: bool,
                 is_eval: bool) -> None:  # fmt: skip
        self.caller: Final = caller
        self.name: Final = name
        self.argv: Final = argv
        self.is_eval: Final = is_eval
        self.has_written = False
        self.killed = False
        self.propagates = True
        """`redis.set_repl`: whether what it writes goes to the log and to replicas."""
        self.started_at: Final = caller.engine.stopwatch()
        self._engine: Final = caller.engine
        self._client: Final = client
        self._read_only: Final = read_only
        self._has_failed = False
        client.may_exceed_memory = may_exceed_memory
        client.db = caller.db
        client.protocol = 2
        client.user = caller.user
        client.authenticated = caller.authenticated

    @property
    def protocol(self) -> int:
        """The protocol whose shapes `redis.call` shows the script."""
        return self._client.protocol

    def choose_protocol(self, version: int) -> None:
        """`redis.setresp`."""
        self._client.protocol = version

    @property
    def milliseconds(self) -> int:
        """How long it has been running."""
        return (self._engine.stopwatch() - self.started_at) // 1_000_000

    def command(self, argv: Sequence[bytes]) -> Reply:
        """Run one command. Raises Refused if it may not run; an error of the command's own is its reply."""
        engine, client = self._engine, self._client
        command = engine.lookup(argv)
        if isinstance(command, CommandError):
            raise self._refused(command, errors.UNKNOWN_COMMAND)
        if not command.min_argc <= len(argv) <= command.max_argc or command.subcommands:
            command.rejected_calls += 1
            raise self._refused(None, errors.WRONG_ARITY)
        flags = command.flags
        if "noscript" in flags and not engine.extras.get("scripts_may_all"):
            command.rejected_calls += 1
            raise self._refused(None, errors.NOT_FROM_SCRIPT)
        if self._read_only and (command.is_write or "may_replicate" in flags):
            command.rejected_calls += 1
            raise self._refused(None, errors.READ_ONLY_SCRIPT)
        client.command = command
        for gate in engine.gates:
            refusal = gate(client, command, argv)
            if refusal is not None and type(refusal) is not Block:
                command.rejected_calls += 1
                if isinstance(refusal, CommandError):
                    engine.count_error(refusal)
                    raise Refused("-" + refusal.message)
        if command.is_write:
            self.has_written = client.may_exceed_memory = True
        if self.propagates:
            reply = engine.call(client, command, argv)
        else:
            with engine.unlogged():
                reply = engine.call(client, command, argv)
        return reply.timeout_reply if type(reply) is Block else reply

    def note_error(self, error: CommandError, was_counted: bool) -> None:  # noqa: FBT001 - a callback
        """An error in the script's reply: the call failed, once for all errors of its own and once for each of a command's."""
        command = self._engine.lookup(self.argv)
        if isinstance(command, Command) and (was_counted or not self._has_failed):
            command.failed_calls += 1
        if not was_counted:
            self._has_failed = True
            self._engine.count_error(error)

    def _refused(self, _error: CommandError | None, text: str) -> Refused:
        self._engine.count_error(CommandError(f"ERR {text}"))
        return Refused(text)
