"""CLIENT NO-TOUCH: clients that read keys without making them look used.

A backup or a scan that reads everything would otherwise make every key look as if it had just been used, and eviction would
no longer know which ones are. An access stamp is made by `keyspace.access_for`, or is the clock where there is none. So while a
read of such a client runs, that function gives back the stamp that was there.

Two hooks do it, the last gate before the command and a listener after it, and they are in the engine only while there is
such a client. TOUCH is meant to touch, and does; a write makes a new value, and its stamp is new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from cutaway.commands.clients import Client
from cutaway.resp import Reply

if TYPE_CHECKING:
    from cutaway.commands.engine import Engine
    from cutaway.commands.tables import Command

NAME: Final = "no_touch"


def _unchanged(access: int) -> int:
    return access


class NoTouch:
    """The clients of one engine that touch nothing."""

    __slots__ = ("_clients", "_engine", "_usual")

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._clients: Final[dict[int, Client]] = {}
        self._usual: Callable[[int], int] | None = None

    def add(self, client: Client) -> None:
        """From the next command on, `client` touches nothing."""
        engine = self._engine
        if not self._clients:
            engine.gates = (*engine.gates, self.gate)
            engine.on_call = (*engine.on_call, self.ran)
        self._clients[client.id] = client
        client.no_touch = True
        client.on_close.append(self.remove)
        client.on_reset.append(self.remove)

    def remove(self, client: Client) -> None:
        """`client` is as any other."""
        client.no_touch = False
        if self._clients.pop(client.id, None) is None:
            return
        for hooks in (client.on_close, client.on_reset):
            hooks.remove(self.remove)
        if not self._clients:
            engine = self._engine
            self._restore()
            engine.gates = tuple(gate for gate in engine.gates if gate != self.gate)
            engine.on_call = tuple(listener for listener in engine.on_call if listener != self.ran)

    def gate(self, client: Client, command: Command, _argv: Sequence[bytes]) -> Reply:
        """Before a command: stop the stamps if it is one that must not touch."""
        self._restore()
        keyspace = self._engine.keyspace
        if client.no_touch and "readonly" in command.flags and command.name != "touch":
            self._usual, keyspace.access_for = keyspace.access_for, _unchanged
        return None

    def ran(self, _client: Client, _command: Command, _argv: Sequence[bytes], _elapsed: int) -> None:
        """After a command."""
        self._restore()

    def _restore(self) -> None:
        keyspace = self._engine.keyspace
        if keyspace.access_for is _unchanged:
            keyspace.access_for = self._usual


def no_touch_of(engine: Engine) -> NoTouch:
    """The engine's, made when the first client asks for it."""
    state: NoTouch | None = engine.extras.get(NAME)
    if state is None:
        state = engine.extras[NAME] = NoTouch(engine)
    return state
