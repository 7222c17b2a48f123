"""A client, as the engine sees it: no socket, only what commands need to know of whoever sent them.

The server makes one for each connection; a test, a notebook or a script makes one from nothing. What the client is to
be told outside of a reply to its own command (a message, an invalidation, the answer to a BLPOP that waited) goes to
`deliver`, which may be a socket's writer or a list's `append`.

The rooms that give a client more state (a transaction's queue, subscriptions) keep it in `extras`, under their own
name, and clean it up in `on_close` and `on_reset`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from cutaway.resp import Reply, ReplyValue

if TYPE_CHECKING:
    from cutaway.commands.blocking import Waiting
    from cutaway.commands.engine import Engine
    from cutaway.commands.keyspaces import Database
    from cutaway.commands.tables import Command

Intercept = Callable[["Client", "Command", Sequence[bytes]], Reply]


class Pass(ReplyValue):
    """What an intercept answers when it has nothing to say: the command runs as usual."""

    __slots__ = ()


PASS: Final = Pass()


def _discard(_reply: Reply) -> None:
    """The default for a client that nobody listens to."""


def _ignore_protocol(_version: int) -> None:
    """The default where replies are not encoded."""


def _ignore_authentication(_is_authenticated: bool) -> None:  # noqa: FBT001
    """The default where a stranger's requests are not limited."""


def _nothing() -> None:
    """The default where nobody waits to hear."""


class Client:
    """Whoever sends commands to an engine."""

    __slots__ = (
        "address", "authenticated", "blocked", "capabilities", "close_after_reply", "close_now", "command",
        "created_at", "db", "deliver", "deny_blocking", "engine", "extras", "flags", "id", "intercept",
        "is_killed", "last_interaction", "library_name", "library_version", "local_address",
        "may_exceed_memory", "name", "no_evict", "no_touch", "on_authentication", "on_close", "on_protocol",
        "on_refusal", "on_reset", "on_resume", "protocol", "queued_flags", "reply_mode", "total_commands",
        "transport_info", "user",
    )  # fmt: skip

    def __init__(self, engine: Engine, identity: int, deliver: Callable[[Reply], None] = _discard) -> None:
        self.engine: Final = engine
        self.id: Final = identity
        self.db: Database = engine.keyspace.databases[0]
        self.deliver = deliver
        self.protocol = 2
        self.name = b""
        self.user: Any = None
        """The ACL user; None while no ACL room is composed, and for the server itself, which may do anything."""
        self.authenticated = True
        self.on_authentication: Callable[[bool], None] = _ignore_authentication
        """Called when the client is trusted from now on, or no longer."""
        self.intercept: Intercept | None = None
        self.blocked: Waiting | None = None
        self.deny_blocking = False
        """Inside MULTI/EXEC or a script: a command that would wait answers at once instead."""
        self.reply_mode = "on"
        """CLIENT REPLY: "on", "off", "skip" (the next reply), "skipping" (this one)."""
        self.close_after_reply = False
        self.is_killed = False
        self.close_now: Callable[[], None] = _nothing
        self.on_protocol: Callable[[int], None] = _ignore_protocol
        """Called with 2 or 3 when the client chooses its protocol."""
        self.on_resume: Callable[[], None] = _nothing
        """Called once the client is no longer blocked: its further requests may run."""
        self.on_refusal: Callable[[Command | None, Reply], Reply] | None = None
        """Called when a command was refused before it ran, and says what to answer: an open transaction is spoilt by it."""
        self.queued_flags: frozenset[str] = frozenset()
        """The flags of all commands in an open transaction's queue: what gates have to ask of EXEC."""
        self.on_close: Final[list[Callable[[Client], None]]] = []
        self.on_reset: Final[list[Callable[[Client], None]]] = []
        self.extras: Final[dict[str, Any]] = {}
        self.flags: Final[set[str]] = set()
        """Letters of CLIENT LIST's flags field that rooms set: "P" subscriber, "x" in MULTI, "t" tracking ..."""
        self.address = ""
        self.local_address = ""
        self.transport_info: Callable[[], dict[str, int]] = dict
        """Buffer sizes and the like, for CLIENT LIST; the server fills it in."""
        self.created_at = self.last_interaction = engine.keyspace.now
        self.command: Command | None = None
        """The command that runs, or ran last."""
        self.capabilities: set[str] = set()
        """What CLIENT CAPA said that the client can do: "r" for following a redirection."""
        self.library_name = b""
        self.library_version = b""
        self.no_evict = False
        self.no_touch = False
        self.may_exceed_memory = False
        """A script's client, once the script has written: it cannot be stopped half way for want of memory."""
        self.total_commands = 0

    def close(self) -> None:
        """The connection is gone: let every room forget the client. Safe to call twice."""
        self.engine.forget(self)

    def choose_protocol(self, version: int) -> None:
        """Speak RESP2 or RESP3 from the next reply on."""
        self.protocol = version
        self.on_protocol(version)

    def cut_loose(self) -> None:
        """The connection is gone: keep no reference to it, which would make a circle."""
        self.deliver = _discard
        self.close_now = self.on_resume = _nothing
        self.on_protocol = _ignore_protocol
        self.on_authentication = _ignore_authentication
        self.transport_info = dict

    def reset(self) -> None:
        """RESET: back to the state of a new connection, apart from the connection itself."""
        for hook in self.on_reset[:]:
            hook(self)
        self.db = self.engine.keyspace.databases[0]
        self.choose_protocol(2)
        self.name = b""
        if self.reply_mode != "skipping":  # then it is this reply that is not wanted
            self.reply_mode = "on"
        self.no_evict = self.no_touch = False

    def __repr__(self) -> str:
        return f"<Client {self.id} {self.address or 'in process'}>"
