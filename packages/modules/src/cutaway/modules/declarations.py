"""Declaring a module: what it is called, and what it adds to a server.

    counters = Module("counters", version=1)

    @counters.command("COUNTERS.ADD", flags="write fast", keys=RW(1))
    def add(ctx: Context, key: bytes, amount: int = 1) -> Reply:
        \"\"\"Adds to a counter and returns its sum. O(1).\"\"\"

A `Module` is a declaration and nothing else, as a command table is. It is made when its file is imported, and comes to
life in a server with MODULE LOAD; two servers in one process can load the same declaration and share nothing, for what a
module remembers is made anew by its `state` for each of them, and reaches its functions as `ctx.state`.

A command's arguments are bytes, unless its function says otherwise: a parameter annotated `int`, `float` or `str`, or with an
alternative of None, is converted, and an argument that cannot be is answered with the error that Redis has for it. From
the same signature comes the arity.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cutaway.commands import arguments, errors
from cutaway.commands.key_specs import KeySpec
from cutaway.config.directive import Directive
from cutaway.config.values import Boolean, Enum, Integer, Text
from cutaway.datastructures.module_values import ModuleValue, Token, type_id

if TYPE_CHECKING:
    from cutaway.modules.contexts import Context
    from cutaway.resp import Reply

F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V", bound=type[ModuleValue])

SERVER_EVENTS: Final = frozenset({"connect", "cron", "disconnect", "flush", "loaded", "shutdown"})
"""What `on_server_event` can hear of."""
NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(slots=True, frozen=True)
class CommandDeclaration:
    """A command as the module's author wrote it."""

    name: str
    function: Callable[..., Reply]
    converters: tuple[Callable[[bytes], Any], ...]
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

        `flags`, `keys` and the further options (`syntax`, `since`, `acl`, `tips` ...) are those of a `CommandTable`; `arity`, which
        counts the command's own name, is taken from the function's parameters unless it is given.
        """

        def declare(function: F) -> F:
            converters, own_arity = _signature(function, words=len(name.split()))
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
        """Call the function below with a context at one of `SERVER_EVENTS`."""
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


# ---- from bytes to what a function asks for


def _text(argument: bytes) -> str:
    return argument.decode("utf-8", "surrogateescape")


def _same(argument: bytes) -> bytes:
    return argument


def _double(argument: bytes) -> float:
    return arguments.number(argument)


_CONVERTERS: Final[dict[str, Callable[[bytes], Any]]] = {
    "int": arguments.integer, "float": _double, "str": _text, "bytes": _same,
}  # fmt: skip


def _signature(function: Callable[..., Any], *, words: int) -> tuple[tuple[Callable[[bytes], Any], ...], int]:
    """The converters of a function's parameters, and the arity that follows from them."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    converters = []
    for parameter in parameters:
        hint = parameter.annotation
        name = hint if isinstance(hint, str) else getattr(hint, "__name__", str(hint))
        kind = "bytes" if hint is parameter.empty else name.replace(" ", "").removesuffix("|None")
        if kind not in _CONVERTERS:
            raise ValueError(
                f"{function.__name__}: a parameter cannot be {name}; it can be {', '.join(_CONVERTERS)}"
            )
        converters.append(_CONVERTERS[kind])
    required = words + sum(
        parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
        for parameter in parameters
    )
    is_open = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)
    is_fixed = required == words + len(parameters)
    if not is_open and converters:
        converters.append(_too_many)
    return tuple(converters), required if is_fixed else -required


def _too_many(_argument: bytes) -> Any:
    raise errors.SYNTAX


def convert(converters: Sequence[Callable[[bytes], Any]], words: Sequence[bytes]) -> list[Any]:
    """The arguments as their function wants them. Raises CommandError. O(words)."""
    last = len(converters) - 1
    return [converters[min(place, last)](word) for place, word in enumerate(words)]
