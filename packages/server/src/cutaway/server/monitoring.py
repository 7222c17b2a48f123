"""MONITOR: a client that sees every command that runs.

Only while somebody watches, three hooks are in the engine: a listener of calls, which writes a line for each when it has run, and
for scripts a gate, and its like for those that EXEC runs, which write theirs before, so that it stands above the lines of what the
script calls. What administrators do is not shown, and secrets are hidden.

A client that monitors is counted as a replica, as in Redis: it may not touch keys any more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from cutaway.commands import Client, Command, CommandError, CommandTable, Engine
from cutaway.commands.redaction import redacted
from cutaway.observability.monitor_lines import monitor_line
from cutaway.resp import Raw, Reply

monitor_commands: Final = CommandTable("server")

NO_KEYS: Final = CommandError("ERR Replica can't interact with the keyspace")
NOT_HERE: Final = CommandError("ERR MONITOR isn't allowed for DENY BLOCKING client")
KEYSPACE: Final = frozenset({"write", "readonly", "may_replicate"})


class Monitors:
    """The watching clients of one engine; `engine.extras["monitors"]`."""

    __slots__ = ("_clients", "_engine")

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._clients: Final[dict[int, Client]] = {}
        engine.extras["monitors"] = self

    def add(self, client: Client) -> None:
        """Let a client watch, from the next command on."""
        if client.id in self._clients:
            return
        engine = self._engine
        if not self._clients:
            engine.on_call = (*engine.on_call, self.ran)
            engine.gates = (self.gate, *engine.gates)
            engine.extras["show_script"] = self.show_script
        self._clients[client.id] = client
        client.flags.add("O")
        client.on_close.append(self.forget)
        client.on_reset.append(self.forget)

    def forget(self, client: Client) -> None:
        """A client watches no longer."""
        if self._clients.pop(client.id, None) is None:
            return
        client.flags.discard("O")
        for hooks in (client.on_close, client.on_reset):
            hooks.remove(self.forget)
        if not self._clients:
            engine = self._engine
            engine.on_call = tuple(listener for listener in engine.on_call if listener != self.ran)
            engine.gates = tuple(gate for gate in engine.gates if gate != self.gate)
            del engine.extras["show_script"]

    # ---- the engine's hooks

    def gate(self, client: Client, command: Command, argv: Sequence[bytes]) -> Reply:
        """Show a script before it runs; refuse a monitor what it may not do."""
        if "O" in client.flags and command.flags & KEYSPACE:
            return NO_KEYS
        if client.intercept is None:
            self.show_script(client, command, argv)
        return None

    def show_script(self, client: Client, command: Command, argv: Sequence[bytes]) -> None:
        """Show a command before it runs, if it is a script's."""
        if "skip_monitor" in command.flags:
            self._show(client, command, argv)

    def ran(self, client: Client, command: Command, argv: Sequence[bytes], _elapsed: int) -> None:
        """Show a command that has run; one that waited and runs again has been shown."""
        if client.blocked is None and not command.flags & {"admin", "skip_monitor"}:
            self._show(client, command, argv)

    def _show(self, client: Client, command: Command, argv: Sequence[bytes]) -> None:
        shown = redacted(self._engine.config, command, argv)
        line = monitor_line(time.time_ns() // 1000, client.db.index, source(client), shown)
        message = Raw(f"+{line}\r\n".encode())
        for monitor in list(self._clients.values()):
            monitor.deliver(message)

    def __len__(self) -> int:
        return len(self._clients)


def source(client: Client) -> str:
    """Where a command came from, as MONITOR calls it."""
    if not client.id:
        return "lua"
    if client.address.startswith("/"):
        return f"unix:{client.address.rpartition(':')[0]}"
    return client.address


@monitor_commands.command("MONITOR", arity=1, flags="admin noscript loading stale",
                          history=[("6.0.0", "`AUTH` excluded from the command's output."),
                                   ("6.2.0", "`RESET` can be called to exit monitor mode."),
                                   ("6.2.4", "`AUTH`, `HELLO`, `EVAL`, `EVAL_RO`, `EVALSHA` and `EVALSHA_RO` included in the command's output.")])  # fmt: skip
def monitor(client: Client) -> Reply:
    """Shows every command that the server runs, as it comes. O(1)."""
    if client.deny_blocking:
        raise NOT_HERE
    monitors: Monitors = client.engine.extras["monitors"]
    monitors.add(client)
    return "OK"
