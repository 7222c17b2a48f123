"""What a module's function gets to work with: the context of one call.

A context knows who called, what the module remembers, and the server around them. Through it a module calls commands, of
other modules too; opens keys that hold values of its own types; lets a client wait; and says what has to be propagated.

What goes to the append-only file
---------------------------------
A module's command that has changed something is logged as it was sent, and what it called on the way is not: to replay the
command is to call all of it again. That is right as long as the command does the same wherever and whenever it runs. One that draws
a random number or looks at the clock says instead what is to be replayed, with `replicate`; the first call of it takes the
place of the command itself. A change to the module's state, which no key shows, is said with `changed`, or with
`replicate`.

A timer, an event or an answer from the background is nobody's command, so what is called from there is logged.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cutaway.commands import Block, Client, CommandError, Database, Engine, holds
from cutaway.commands.keyspaces import type_name
from cutaway.datastructures.module_values import ModuleValue
from cutaway.modules.arguments import Argument, as_bytes
from cutaway.modules.blocked_clients import BlockedClient, OnDisconnect, OnReply, OnTimeout
from cutaway.modules.threads import ThreadContext
from cutaway.modules.timers import Timer
from cutaway.resp import Reply

if TYPE_CHECKING:
    from cutaway.modules.loaded import LoadedModule

V = TypeVar("V", bound=ModuleValue)

IN_TRANSACTION: Final = CommandError("ERR Blocking module command called from transaction")
IN_SCRIPT: Final = CommandError("ERR Blocking module command called from Lua script")


class Key:
    """An open key: its value, whatever the type, and its expiry. Every question looks anew."""

    __slots__ = ("_database", "name")

    def __init__(self, database: Database, name: bytes) -> None:
        self._database: Final = database
        self.name: Final = name

    @property
    def type_name(self) -> str:
        """What TYPE answers: "none" if there is no key."""
        entry = self._database.peek(self.name)
        return "none" if entry is None else type_name(entry.value)

    def get(self, kind: type[V]) -> V | None:
        """The value of a module's type, for reading; None if there is no key, WRONGTYPE if it is another's. O(1)."""
        return self._database.read(self.name, kind)

    def edit(self, kind: type[V], make: Callable[[], V] | None = None) -> V | None:
        """As `get`, to be changed: call `changed` after it. A key that is missing gets what `make` makes. O(1)."""
        value = self._database.write(self.name, kind)
        if value is None and make is not None:
            value = make()
            self._database.add(self.name, value)
        return value

    def set(self, value: ModuleValue | bytes, event: str = "set", *, expire_at: int = 0) -> None:
        """Put a value there, whatever there was; `expire_at` in milliseconds since the epoch. O(1)."""
        self._database.set(self.name, value, expire_at)
        self._database.changed(self.name, event)

    def changed(self, event: str) -> None:
        """The value was changed in place: tell who watches, waits or listens. O(listeners)."""
        self._database.changed(self.name, event)

    def delete(self) -> bool:
        """Remove the key; whether there was one. O(1)."""
        return self._database.delete(self.name)

    @property
    def expire_at(self) -> int:
        """When the key ends, in milliseconds since the epoch; 0 if it does not, or is not there."""
        entry = self._database.peek(self.name)
        return 0 if entry is None else entry.expire_at

    @expire_at.setter
    def expire_at(self, moment: int) -> None:
        entry = self._database.peek(self.name)
        if entry is None:
            raise KeyError(self.name)
        if moment:
            self._database.expire(self.name, entry, moment)
            self._database.changed(self.name, "expire")
        else:
            self._database.persist(self.name, entry)
            self._database.changed(self.name, "persist")


class Context:
    """One call of a module's function."""

    __slots__ = ("_loaded", "client", "engine", "is_command")

    def __init__(self, loaded: LoadedModule, client: Client, *, is_command: bool) -> None:
        self._loaded: Final = loaded
        self.client: Final = client
        """Who called; in a timer or an event, the module itself."""
        self.engine: Final[Engine] = client.engine
        self.is_command: Final = is_command

    # ---- what there is

    @property
    def state(self) -> Any:
        """What the module remembers in this server."""
        return self._loaded.state

    @property
    def now(self) -> int:
        """The present moment in milliseconds since the epoch: the same for all of a command."""
        return self.engine.keyspace.now

    @property
    def random(self) -> random.Random:
        """The server's random source."""
        return self.engine.keyspace.random

    def setting(self, name: str) -> Any:
        """The value of the module's directive `name`."""
        return self.engine.config[f"{self._loaded.name}.{name}"]

    def open_key(self, name: bytes, database: int | None = None) -> Key:
        """A key of the caller's database, or of the one with that number."""
        databases = self.engine.keyspace.databases
        return Key(self.client.db if database is None else databases[database], name)

    def log(self, text: str, *arguments: object) -> None:
        """Write a line to the server's log."""
        self._loaded.log.info(text, *arguments)

    # ---- what can be done

    def call(self, *argv: Argument, replicate: bool | None = None, as_caller: bool = False) -> Reply:
        """Run a command, of any module, and give its reply; an error is raised as CommandError.

        It runs in the caller's database, with all rights, or with the caller's own if `as_caller`. `replicate` says whether what
        it writes is logged by itself; see the head of this file for what None means.
        """
        logged = not self.is_command if replicate is None else replicate
        user = self.client.user if as_caller else None
        return self._loaded.call(self.client.db, [as_bytes(word) for word in argv], logged=logged, user=user)

    def replicate(self, *argv: Argument) -> None:
        """Log this command instead of the one that runs; several calls, several commands."""
        self.engine.effect(*(as_bytes(argument) for argument in argv))
        self.engine.keyspace.dirty += 1

    def changed(self) -> None:
        """The module's state was changed: the command is a write, and is logged as it was sent."""
        self.engine.keyspace.dirty += 1

    def notify(self, event: str, key: bytes) -> None:
        """Something happened to a key that is an event, but no change."""
        self.client.db.notify(key, event)

    # ---- what takes time

    def block(
        self,
        timeout: int = 0,
        *,
        on_reply: OnReply | None = None,
        on_timeout: OnTimeout | None = None,
        on_disconnect: OnDisconnect | None = None,
    ) -> BlockedClient:
        """Let the client wait, for `timeout` milliseconds at most (0: for ever); the command's function returns the result.

        `on_reply` makes the answer from what a thread gives to `BlockedClient.unblock`. When the time is over, the client gets
        what `on_timeout` answers, or nil. Raises CommandError in a transaction or a script.
        """
        if self.client.deny_blocking:
            raise IN_TRANSACTION if "x" in self.client.flags else IN_SCRIPT
        deadline = self.now + timeout if timeout else 0
        return BlockedClient(self._loaded, self.client, deadline, on_reply, on_timeout, on_disconnect)

    def block_on_keys(
        self, *keys: bytes, of: type = object, timeout: int = 0, on_timeout: OnTimeout | None = None
    ) -> Block:
        """Let the client wait until one of the keys holds a value `of` that type; the command's function returns the result.

        Then the command *runs again*, from its start, and may wait again. Who came first is served first. In a transaction or
        a script nobody waits: the answer is that of a timeout at once, as BLPOP's.
        """
        loaded, client = self._loaded, self.client

        def give_up() -> Reply:
            if on_timeout is None:
                return None
            try:
                answer: Reply = loaded.guard(on_timeout, loaded.context(client))
            except CommandError as error:
                return error
            return answer

        deadline = self.now + timeout if timeout else 0
        return Block(keys, deadline, holds(of), on_timeout=give_up)

    def in_background(self, work: Callable[..., Reply], *arguments: Any, timeout: int = 0) -> BlockedClient:
        """Let the client wait while `work` runs in a thread; it gets what `work` returns.

        `work` must not touch the server: it gets copies, and gives back a reply. What it needs of the server in between it asks
        for through `for_threads`.
        """
        waiting = self.block(timeout)
        self._loaded.in_background(lambda: work(*arguments), lambda answer: _ignore(waiting.reply(answer)))
        return waiting

    def for_threads(self) -> ThreadContext:
        """A context that threads may use."""
        return ThreadContext(self._loaded)

    def after(self, milliseconds: int, function: Callable[[Context], None]) -> Timer:
        """Call `function` with a context later: in a server to the millisecond, else when `Engine.cron` comes by. O(log n)."""
        return self._loaded.start_timer(milliseconds, function)


def _ignore(_value: object) -> None:
    """Whether the client was still there makes no difference."""
