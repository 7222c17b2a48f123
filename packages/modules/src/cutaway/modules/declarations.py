"""Declaring a module: what it is called, and what it adds to a server.

    counters = Module("counters", version=1)

    @counters.command("COUNTERS.ADD", flags="write fast", keys=RW(1))
    def add(ctx: Context, key: bytes, amount: int = 1) -> Reply:
        \"\"\"Adds to a counter and returns its sum. O(1).\"\"\"

A `Module` is a declaration and nothing else, as a command table is. It is made when its file is imported, and comes to
life in a server with MODULE LOAD; two servers in one process can load the same declaration and share nothing, for what a
module remembers is made anew by its `state` for each of them, and reaches its functions as `ctx.state`.

A command's arguments are bytes, unless its function says otherwise (see `arguments`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cutaway.commands.key_specs import KeySpec
from cutaway.config.directive import Directive
from cutaway.config.values import Boolean, Enum, Integer, Text
from cutaway.datastructures.module_values import ModuleValue, Token, type_id
from cutaway.modules.arguments import Converter, signature
from cutaway.modules.events import SERVER_EVENTS

if TYPE_CHECKING:
    from cutaway.modules.contexts import Context
    from cutaway.resp import Reply

F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V", bound=type[ModuleValue])

NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
CATEGORY: Final = re.compile(r"[a-z0-9_-]{1,64}")


@dataclass(slots=True, frozen=True)
class CommandDeclaration:
    """A command as the module's author wrote it."""

    name: str
    function: Callable[..., Reply]
    converters: tuple[Converter, ...]
    """One for each parameter; the last one goes on for a variadic one."""
    arity: int
    flags: str
    keys: tuple[KeySpec, ...]
    options: dict[str, Any]


@dataclass(slots=True, frozen=True)
class StateFormat:
    """How the module's state, which belongs to no key, gets into files and back."""

    name: str
    version: int
    save: Callable[[Any], Iterable[Token]]
    load: Callable[[Any, Iterator[Token], int], None]
    rewrite: Callable[[Any], Iterable[Sequence[bytes]]]


@dataclass(slots=True)
class Module:
    """What a module adds to a server. Raises ValueError for what no server would take."""

    name: str
    version: int = 1
    state: Callable[[], Any] = dict
    """Makes what the module remembers in one server."""
    requires: tuple[str, ...] = ()
    """Modules that must have been loaded before this one, by name."""
    acl_categories: tuple[str, ...] = ()
    """Categories of its own, for `@module.command(…, acl="shop")` and `ACL SETUSER … +@shop`."""
    commands: list[CommandDeclaration] = field(default_factory=list)
    data_types: list[type[ModuleValue]] = field(default_factory=list)
    directives: list[tuple[Directive, Callable[[Context, Any], None] | None]] = field(default_factory=list)
    key_listeners: list[tuple[frozenset[str], Callable[..., None]]] = field(default_factory=list)
    server_listeners: list[tuple[str, Callable[..., None]]] = field(default_factory=list)
    filters: list[Callable[..., Sequence[bytes] | None]] = field(default_factory=list)
    load_hooks: list[Callable[..., None]] = field(default_factory=list)
    unload_hooks: list[Callable[..., None]] = field(default_factory=list)
    state_format: StateFormat | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"not a name for a module: {self.name!r}")
        for category in self.acl_categories:
            if not CATEGORY.fullmatch(category):
                raise ValueError(f"not a name for a category, which has a-z 0-9 _ -: {category!r}")

    # ---- commands and types

    def command(
        self,
        name: str,
        *,
        flags: str = "",
        keys: KeySpec | Sequence[KeySpec] = (),
        arity: int = 0,
        **options: Any,
    ) -> Callable[[F], F]:
        """Declare a command: the function below gets a `Context` and the arguments. Two words name a subcommand.

        `flags`, `keys` and the further options (`syntax`, `since`, `acl`, `tips` ...) are those of a `CommandTable`; `acl` names
        categories, the module's own or Redis's. `arity`, which counts the command's own name, is taken from the function's
        parameters unless it is given.
        """

        def declare(function: F) -> F:
            converters, own_arity = signature(function, words=len(name.split()))
            self.commands.append(
                CommandDeclaration(
                    name, function, converters, arity or own_arity, f"{flags} module",
                    (keys,) if isinstance(keys, KeySpec) else tuple(keys), options,
                )
            )  # fmt: skip
            return function

        return declare

    def data_type(self, kind: V) -> V:
        """Declare a type of values: a class derived from `ModuleValue` that has a name."""
        type_id(kind.type_name, kind.type_version)
        self.data_types.append(kind)
        return kind

    def persist_state(
        self,
        name: str,
        *,
        save: Callable[[Any], Iterable[Token]],
        load: Callable[[Any, Iterator[Token], int], None],
        rewrite: Callable[[Any], Iterable[Sequence[bytes]]],
        version: int = 0,
    ) -> None:
        """Keep the state through restarts: as tokens in an RDB file, as commands in a log of commands.

        `name` is a type's, of nine characters. `load` fills a state that is as `state` made it.
        """
        type_id(name, version)
        self.state_format = StateFormat(name, version, save, load, rewrite)

    # ---- configuration

    def setting(
        self,
        name: str,
        default: bool | int | str,  # noqa: FBT001 - a value, not a flag
        *,
        low: int = -(2**63),
        high: int = 2**63 - 1,
        words: Sequence[str] = (),
        immutable: bool = False,
        on_change: Callable[[Context, Any], None] | None = None,
    ) -> None:
        """Declare a directive, `<module>.<name>` to CONFIG; its kind is that of the default, or one of `words`.

        `on_change` gets the value at the start and whenever it changes, and may refuse it by raising ConfigError.
        """
        kind: Any
        if words:
            kind = Enum(*words)
        elif isinstance(default, bool):
            kind = Boolean()
        elif isinstance(default, int):
            kind = Integer(low, high)
        else:
            kind = Text()
        directive = Directive(f"{self.name}.{name}", kind, default, immutable=immutable)
        self.directives.append((directive, on_change))

    # ---- events

    def on_key_event(self, *events: str) -> Callable[[F], F]:
        """Call the function below with (ctx, event, key) after such events ("set", "expired" ...), or after any."""

        def declare(function: F) -> F:
            self.key_listeners.append((frozenset(events), function))
            return function

        return declare

    def on_server_event(self, event: str) -> Callable[[F], F]:
        """Call the function below with (ctx, event) at one of `SERVER_EVENTS`; the event is a `ServerEvent`."""
        if event not in SERVER_EVENTS:
            raise ValueError(f"no such event: {event!r}; there are {', '.join(sorted(SERVER_EVENTS))}")

        def declare(function: F) -> F:
            self.server_listeners.append((event, function))
            return function

        return declare

    def filter_commands(self, function: F) -> F:
        """Call the function below with (ctx, argv) before each command; it may answer another argv to be run."""
        self.filters.append(function)
        return function

    def on_load(self, function: F) -> F:
        """Call the function below with (ctx, arguments) at the end of loading; if it raises, the module is refused."""
        self.load_hooks.append(function)
        return function

    def on_unload(self, function: F) -> F:
        """Call the function below with a context before the module goes; if it raises, the module stays."""
        self.unload_hooks.append(function)
        return function
