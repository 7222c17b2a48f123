"""A module in one server: its declaration, what it remembers, and the wires it has pulled.

Whatever a module's function does wrong is caught here, at the border: the caller gets one error, the log the traceback,
and the server goes on. What the module has hung into the engine is taken out again when it goes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands import Block, Client, Command, CommandError, Database, Engine
from cutaway.config import ConfigError
from cutaway.modules.arguments import convert
from cutaway.modules.blocked_clients import BlockedClient
from cutaway.modules.contexts import Context
from cutaway.modules.declarations import CommandDeclaration, Module
from cutaway.modules.events import ServerEvent
from cutaway.modules.replies import check
from cutaway.modules.timers import Timer, Timers
from cutaway.resp import Reply

if TYPE_CHECKING:
    from cutaway.modules.hosts import Host
    from cutaway.modules.registry import Modules


class LoadedModule:
    """A module that an engine has loaded."""

    __slots__ = (
        "_caller", "_engine", "_modules", "_timers", "arguments", "commands", "declaration", "log", "name",
        "path", "state",
    )  # fmt: skip

    def __init__(
        self, engine: Engine, modules: Modules, declaration: Module, path: str, arguments: Sequence[bytes]
    ) -> None:
        self._engine: Final = engine
        self._modules: Final = modules
        self._caller: Final = Client(engine, 0)
        self._caller.deny_blocking = True
        self._caller.extras["module"] = declaration.name
        self._timers: Final = Timers()
        self.declaration: Final = declaration
        self.name: Final = declaration.name
        self.path: Final = path
        self.arguments: Final = tuple(arguments)
        self.log: Final = logging.getLogger(f"cutaway.module.{declaration.name}")
        self.state: Any = declaration.state()
        self.commands: Final = [self._command(each) for each in declaration.commands]

    @property
    def host(self) -> Host:
        """What surrounds the engine."""
        return self._modules.host

    def _command(self, declared: CommandDeclaration) -> Command:
        def handler(client: Client, *words: bytes) -> Reply | Block:
            context = Context(self, client, is_command=True)
            reply = self.guard(declared.function, context, *convert(declared.converters, words))
            return reply.outcome() if type(reply) is BlockedClient else reply

        handler.__doc__ = declared.function.__doc__
        return Command(
            declared.name, handler, arity=declared.arity, flags=declared.flags, keys=declared.keys,
            skip=len(declared.name.split()), **{"group": "module", **declared.options},
        )  # fmt: skip

    # ---- the border

    def guard(self, function: Callable[..., Any], context: Context, *arguments: Any) -> Any:
        """Call a function of the module's. Whatever it raises becomes a CommandError, and is told to the log."""
        try:
            answer = function(context, *arguments)
            if type(answer) is not BlockedClient:
                check(answer)
        except CommandError:
            raise
        except ConfigError as error:
            raise CommandError(f"ERR {error}") from None
        except Exception as error:
            self.log.exception("module %s: %s failed", self.name, getattr(function, "__name__", "a function"))
            raise CommandError(
                f"ERR the module '{self.name}' failed with {type(error).__name__}; the server's log tells more"
            ) from None
        return answer

    def context(self, client: Client | None = None) -> Context:
        """A context in which nobody has called (a timer's, an event's), or one on behalf of a client that waited."""
        return Context(self, client or self._caller, is_command=False)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in a unit of its own. Raises CommandError.

        It may be called in the middle of somebody's command, which is not to be logged for what is changed here.
        """
        keyspace = self._engine.keyspace
        dirty = keyspace.dirty
        with self._engine.unit():
            try:
                return self.guard(function, self.context(), *arguments)
            finally:
                self._modules.owe(keyspace.dirty - dirty)
                keyspace.dirty = dirty

    def happen(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function that nobody waits for."""
        try:
            self.run(function, *arguments)
        except CommandError as error:
            self.log.warning("module %s: %s", self.name, error.message)

    def call(self, database: Database, argv: Sequence[bytes], *, logged: bool, user: Any = None) -> Reply:
        """Run a command for a function of the module's; `user` None may do anything. Raises CommandError."""
        engine, caller = self._engine, self._caller
        effects, engine.effects = engine.effects, []
        previous, caller.db = caller.db, database
        caller.user = user
        engine.nesting += 1
        try:
            with nullcontext() if logged else engine.unlogged():
                reply = engine.execute(caller, argv)
        finally:
            engine.nesting -= 1
            engine.effects = effects
            caller.db = previous
            caller.user = None
        if isinstance(reply, CommandError):
            raise reply
        return reply

    # ---- time

    def start_timer(self, milliseconds: int, function: Callable[[Context], None]) -> Timer:
        """See `Context.after`."""
        timer = Timer(self._engine.keyspace.now + milliseconds, function)
        self._timers.add(timer)
        if self._timers.next_deadline() == timer.deadline:
            self.host.wake_at(timer.deadline)
        return timer

    def next_deadline(self) -> int | None:
        """When the next of its timers is due; None if it has none."""
        return self._timers.next_deadline()

    def run_timers(self, now: int) -> None:
        """Call the timers that are due."""
        for timer in self._timers.take(now):
            if not timer.is_cancelled:  # one of these may cancel another
                self.happen(timer.function)

    def in_background(self, work: Callable[[], Reply], done: Callable[[Reply], None]) -> None:
        """Run `work` away from the loop, if the server has such a place, and `done` with its answer on the loop."""
        self.host.run(lambda: self._work(work), done)

    def _work(self, work: Callable[[], Reply]) -> Reply:
        try:
            return self.guard(lambda _context: work(), self.context())  # type: ignore[no-any-return]
        except CommandError as error:
            return error

    # ---- wires

    def connect(self, settings: Sequence[tuple[str, str]]) -> None:
        """Hang into the engine what the module has declared, settings first. Raises ConfigError."""
        engine, declaration = self._engine, self.declaration
        for directive, _ in declaration.directives:
            engine.config.register(directive)
        for name, value in settings:
            engine.config.load(name, [value])
        for directive, on_change in declaration.directives:
            if on_change is not None:
                engine.config.subscribe(directive.name, self._setting_changed(on_change))
        if declaration.key_listeners:
            engine.keyspace.listen(self._on_change)
        if declaration.filters:
            engine.filters = (*engine.filters, self._filter)
        wanted = {event for event, _ in declaration.server_listeners}
        if wanted & {"connect", "disconnect"}:
            engine.on_connect = (*engine.on_connect, self._on_connect)
        if "flush" in wanted:
            engine.keyspace.on_flushed = (*engine.keyspace.on_flushed, self._on_flushed)
        if "swap" in wanted:
            engine.keyspace.on_swapped = (*engine.keyspace.on_swapped, self._on_swapped)
        if "config" in wanted:
            engine.config.on_set = (*engine.config.on_set, self._on_set)

    def disconnect(self) -> None:
        """Take it all out again. Safe after half a `connect`."""
        engine = self._engine
        for directive, _ in self.declaration.directives:
            if directive.name in engine.config and engine.config.directive(directive.name) is directive:
                engine.config.unregister(directive.name)
        engine.keyspace.unlisten(self._on_change)
        engine.filters = tuple(each for each in engine.filters if each != self._filter)
        engine.on_connect = tuple(each for each in engine.on_connect if each != self._on_connect)
        keyspace = engine.keyspace
        keyspace.on_flushed = tuple(each for each in keyspace.on_flushed if each != self._on_flushed)
        keyspace.on_swapped = tuple(each for each in keyspace.on_swapped if each != self._on_swapped)
        engine.config.on_set = tuple(each for each in engine.config.on_set if each != self._on_set)
        self._timers.clear()

    def fire(self, event: ServerEvent) -> None:
        """Tell the module of an event of the server's."""
        for name, function in self.declaration.server_listeners:
            if name == event.name:
                self.happen(function, event)

    def _setting_changed(self, on_change: Callable[[Context, Any], None]) -> Callable[[Any], None]:
        def changed(value: Any) -> None:
            try:
                self.guard(on_change, self.context(), value)
            except CommandError as error:
                raise ConfigError(error.message.removeprefix("ERR ")) from None

        return changed

    def _on_change(self, database: Database, key: bytes, event: str, _modified: bool) -> None:  # noqa: FBT001
        for events, function in self.declaration.key_listeners:
            if not events or event in events:
                with self._in(database):
                    self.happen(function, event, key)

    @contextmanager
    def _in(self, database: Database) -> Iterator[None]:
        previous, self._caller.db = self._caller.db, database
        try:
            yield
        finally:
            self._caller.db = previous

    def _filter(self, client: Client, argv: Sequence[bytes]) -> Sequence[bytes]:
        if client is self._caller:
            return argv
        for function in self.declaration.filters:
            try:
                changed = self.guard(function, Context(self, client, is_command=False), argv)
            except CommandError:
                continue
            if not changed:
                continue
            if all(type(word) is bytes for word in changed):
                argv = list(changed)
            else:
                self.log.error("module %s: a filter's request has words that are not bytes", self.name)
        return argv

    def _on_connect(self, client: Client) -> None:
        self.fire(ServerEvent("connect", client_id=client.id))
        client.on_close.append(self._on_close)

    def _on_close(self, client: Client) -> None:
        self.fire(ServerEvent("disconnect", client_id=client.id))

    def _on_flushed(self, databases: Sequence[int]) -> None:
        self.fire(ServerEvent("flush", databases=tuple(databases)))

    def _on_swapped(self, first: int, second: int) -> None:
        self.fire(ServerEvent("swap", databases=(first, second)))

    def _on_set(self, names: Sequence[str]) -> None:
        self.fire(ServerEvent("config", what=tuple(names)))
