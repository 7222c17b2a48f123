"""CLIENT PAUSE: nobody is served for a while, or nobody who writes.

For a failover or a move to another server one wants the data to stand still, and the clients to wait rather than fail. While a pause
lasts, a gate stands in front of the engine. Whoever comes to it blocks, like a client of BLPOP but with an end that
is known, and then runs the command that it came with.

Nothing may change by itself either: keys that are over stay until the pause is (though nobody sees them any more).

A new pause never shortens the one before it, and never makes it milder: the later end and the stricter mode win.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from cutaway.commands import Block, Client, Command, CommandError, CommandTable, Database, Engine
from cutaway.commands.arguments import INT64_MAX, integer
from cutaway.commands.errors import TIMEOUT_NEGATIVE, TIMEOUT_NOT_AN_INTEGER, TIMEOUT_OUT_OF_RANGE
from cutaway.resp import Reply

pause_commands: Final = CommandTable("connection")

MAY_REPLICATE: Final = frozenset({"write", "may_replicate"})


def _never(_database: Database, _key: bytes) -> bool:
    return False


class Pause:
    """The pause of one engine; `engine.extras["pause"]`."""

    __slots__ = ("_engine", "_until", "_writes_only")

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._until = 0
        self._writes_only = False
        engine.extras["pause"] = self
        engine.on_cron = (*engine.on_cron, self._end_if_over)

    # ---- for INFO

    @property
    def is_on(self) -> bool:
        """Whether somebody has to wait."""
        return self._until > 0

    @property
    def reason(self) -> str:
        """INFO's `paused_reason`."""
        return "client_pause" if self.is_on else "none"

    @property
    def actions(self) -> str:
        """INFO's `paused_actions`."""
        if not self.is_on:
            return "none"
        return "write" if self._writes_only else "all"

    @property
    def remaining(self) -> int:
        """How long it will still last, in milliseconds."""
        return max(self._until - self._engine.keyspace.now, 0)

    # ---- on and off

    def begin(self, until: int, *, writes_only: bool) -> None:
        """Pause until a moment (milliseconds since the epoch), or longer if a pause that is on does."""
        engine = self._engine
        self._end_if_over(engine.keyspace.now)  # or else one that is over could make this one stricter
        self._writes_only = writes_only and (self._writes_only or not self.is_on)
        if not self.is_on:
            engine.gates = (*engine.gates, self.gate)
            engine.keyspace.may_expire, engine.keyspace.hides_expired = False, True
        self._until = max(self._until, until)

    def end(self) -> None:
        """Let everybody go on, from the next turn on."""
        if not self.is_on:
            return
        engine = self._engine
        self._until = 0
        engine.gates = tuple(gate for gate in engine.gates if gate != self.gate)
        engine.keyspace.may_expire, engine.keyspace.hides_expired = True, False
        engine.blocking.hurry()

    def _end_if_over(self, now: int) -> None:
        if self.is_on and self._until <= now:
            self.end()

    def gate(self, client: Client, command: Command, argv: Sequence[bytes]) -> Reply | Block:
        """Let the client wait, if the pause is meant for it. A command with a syntax error has had its answer before."""
        engine = self._engine
        if self._until <= engine.keyspace.now or "S" in client.flags:
            return None
        if self._writes_only and not self._may_write(client, command, argv):
            return None
        return Block((), self._until, _never, timeout_reply=None, runs_at_deadline=True)

    def _may_write(self, client: Client, command: Command, argv: Sequence[bytes]) -> bool:
        """Whether a command could change data, as far as can be told before it runs."""
        if command.name == "exec":
            transaction = client.extras.get("transactions")
            queue = () if transaction is None else transaction.queue
            return any(self._may_write(client, each, words) for each, words in queue)
        if command.group == "scripting" and self._promises_not_to(command, argv):
            return False
        return bool(command.flags & MAY_REPLICATE)

    def _promises_not_to(self, command: Command, argv: Sequence[bytes]) -> bool:
        """Whether the script or function that is called has the flag `no-writes`."""
        promised: Callable[[Command, Sequence[bytes]], frozenset[str]] | None
        promised = getattr(self._engine.extras.get("scripting"), "promises", None)
        return promised is not None and "no-writes" in promised(command, argv)


@pause_commands.command("CLIENT PAUSE", arity=-3, flags="admin noscript loading stale", since="3.0.0",
                        syntax="timeout [WRITE | ALL]",
                        history=[("6.2.0", "`CLIENT PAUSE WRITE` mode added along with the `mode` option.")])  # fmt: skip
def client_pause(client: Client, timeout: bytes, *mode: bytes) -> Reply:
    """Lets all clients wait for so many milliseconds, or those that write. O(1)."""
    word = mode[0].lower() if mode else b"all"
    if word not in (b"write", b"all"):
        raise CommandError("ERR CLIENT PAUSE mode must be WRITE or ALL")
    milliseconds = integer(timeout, TIMEOUT_NOT_AN_INTEGER)
    if milliseconds < 0:
        raise TIMEOUT_NEGATIVE
    now = client.engine.keyspace.now
    if milliseconds > INT64_MAX - now:
        raise TIMEOUT_OUT_OF_RANGE
    pause: Pause = client.engine.extras["pause"]
    pause.begin(now + milliseconds, writes_only=word == b"write")
    return "OK"


@pause_commands.command("CLIENT UNPAUSE", arity=2, flags="admin noscript loading stale", since="6.2.0")
def client_unpause(client: Client) -> Reply:
    """Ends CLIENT PAUSE. O(n) for n clients that wait."""
    pause: Pause = client.engine.extras["pause"]
    pause.end()
    return "OK"
