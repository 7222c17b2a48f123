"""Effects: what commands did, on its way to the append-only file and to replicas.

What goes to the log and to replicas is not what the client sent but its *effect*: a command that gives the same result
wherever and whenever it is run. Mostly the two are the same. Where they are not (an expiry relative to now, a
random member, a float increment), the handler says what to propagate with `effect(...)`, once or several times; with
none at all it is the request. Only a command that left the keyspace dirty has an effect.

Effects queue up in `pending` while units are nested (EXEC runs commands, a script runs commands). At the outermost end they
go to the sinks together, in MULTI/EXEC if there is more than one: whoever replays the log gets all or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cutaway.commands.clients import Client
    from cutaway.commands.keyspaces import Database
    from cutaway.commands.tables import Command
    from cutaway.config import Config

Effect = tuple[int, Sequence[bytes]]
"""The number of a database, and a command to be run there."""


class Effects:
    """What the engine has to hand on, and to whom."""

    __slots__ = ("config", "effects", "on_propagate", "pending")

    def __init__(self, config: Config) -> None:
        self.config: Final = config
        self.on_propagate: tuple[Callable[[list[Effect]], None], ...] = ()
        self.effects: list[Effect] = []
        """What the running command wants to be propagated instead of itself; a negative number is its client's database."""
        self.pending: list[Effect] = []
        """What the unit has written so far."""

    def effect(self, *argv: bytes, database: Database | None = None) -> None:
        """Propagate `argv` for the running command instead of what the client sent. May be called several times."""
        if self.on_propagate:
            self.effects.append((-1 if database is None else database.index, argv))

    def _wrote(self, client: Client, command: Command, argv: Sequence[bytes]) -> None:
        if not command.is_transparent:
            index = client.db.index
            if self.effects:
                self.pending.extend((index if own < 0 else own, effect) for own, effect in self.effects)
            else:
                self.pending.append((index, argv))
        if self.effects:
            self.effects = []

    def _propagate_deletion(self, index: int, key: bytes, event: str) -> None:
        if self.on_propagate:
            is_lazy = self.config["lazyfree-lazy-eviction" if event == "evicted" else "lazyfree-lazy-expire"]
            self.pending.append((index, (b"UNLINK" if is_lazy else b"DEL", key)))

    def _propagate_field_deletion(self, index: int, key: bytes, fields: list[bytes]) -> None:
        if self.on_propagate:
            self.pending.append((index, (b"HDEL", key, *fields)))

    @contextmanager
    def unlogged(self) -> Iterator[None]:
        """Within a unit: what is written inside goes neither to the log nor to replicas. For those who see to that themselves."""
        before = len(self.pending)
        try:
            yield
        finally:
            del self.pending[before:]

    def flush_effects(self, *, together: bool) -> None:
        """Hand what is pending to the sinks; `together` in MULTI/EXEC if there is more than one."""
        pending, self.pending = self.pending, []
        if together and len(pending) > 1:
            pending = [(pending[0][0], (b"MULTI",)), *pending, (pending[-1][0], (b"EXEC",))]
        for sink in self.on_propagate:
            sink(pending)
