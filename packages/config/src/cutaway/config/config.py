"""The configuration of a running server: typed values behind names, and who hears when they change.

Reading is hot and writing is rare. `config["maxmemory"]` is one dict lookup and returns a typed value; a
subsystem that needs a value in its inner loop subscribes to it instead and keeps its own copy.

`CONFIG SET` takes many pairs and does all of them or none. It works in three passes. The first looks at the
names only: an unknown one, an immutable one, a duplicate. The second parses every value, each against the
values as they would then be. The third tells the subscribers of what changed; a subscriber that cannot
follow (a port that is taken) raises ConfigError, whereupon all values go back and those subscribers that
had already heard the new value hear the old one.

Names are found without regard to case. A directive with an alias answers to both names; they count as two
in the check for duplicates, as they do in Redis, and an error names the directive as it was asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from cutaway.config.directive import Directive
from cutaway.config.directives import OBSOLETE, TABLE
from cutaway.config.glob import matches
from cutaway.config.values import ConfigError, Value

Subscriber: TypeAlias = Callable[[Value], None]
Change: TypeAlias = tuple[str, Directive, Value]

_PATTERN_CHARACTERS: Final = frozenset("[*?")
_REFUSED: Final = "CONFIG SET failed (possibly related to argument '{}') - {}"
_UNKNOWN: Final = "Unknown option or number of arguments for CONFIG SET - '{}'"


class LoadingError(ConfigError):
    """A directive that may not change while a data set is being loaded."""


class Config:
    """The present value of every directive."""

    __slots__ = ("_directives", "_loaded", "_subscribers", "_values", "on_set")

    def __init__(self, overrides: Mapping[str, object] | None = None) -> None:
        """Start with the defaults; `overrides` maps names to texts or to plain values. Raises ConfigError."""
        self._directives: dict[str, Directive] = {}
        self._values: dict[str, Value] = {}
        self._subscribers: dict[str, list[Subscriber]] = {}
        self._loaded: set[str] = set()
        self.on_set: tuple[Callable[[Sequence[str]], None], ...] = ()
        """Told the names of directives that have got new values."""
        for directive in TABLE:
            self.register(directive)
        for name, value in (overrides or {}).items():
            self._values[self.directive(name).name] = self._override(self.directive(name), value)

    def _override(self, directive: Directive, value: object) -> Value:
        text = ("no", "yes")[value] if isinstance(value, bool) else str(value)
        if isinstance(value, (tuple, list)):
            text = " ".join(str(item) for item in value)
        return directive.kind.parse(_words(directive, text), self._values[directive.name])

    # Reading

    def __getitem__(self, name: str) -> Value:
        """Return the typed value of a directive. Raises KeyError. O(1)."""
        try:
            return self._values[name]
        except KeyError:
            return self._values[self._directives[name.lower()].name]

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a directive of this name or alias."""
        return name.lower() in self._directives

    def boolean(self, name: str) -> bool:
        """Return the value of a yes-or-no directive, typed as such."""
        value = self[name]
        if not isinstance(value, bool):
            raise TypeError(name)
        return value

    def integer(self, name: str) -> int:
        """Return the value of a number or memory size, typed as such."""
        value = self[name]
        if not isinstance(value, int):
            raise TypeError(name)
        return value

    def text(self, name: str) -> str:
        """Return the value of a string or enum, typed as such."""
        value = self[name]
        if not isinstance(value, str):
            raise TypeError(name)
        return value

    def directive(self, name: str) -> Directive:
        """Return the row of the table for a name or alias. Raises ConfigError."""
        try:
            return self._directives[name.lower()]
        except KeyError:
            raise ConfigError(_UNKNOWN.format(name)) from None

    def directives(self) -> tuple[Directive, ...]:
        """Return all rows of the table, those of modules last."""
        return tuple(row for name, row in self._directives.items() if name == row.name)

    def get(self, *patterns: str) -> dict[str, str]:
        """Return what `CONFIG GET` prints for glob-style patterns. O(patterns * directives)."""
        found: dict[str, tuple[str, Directive]] = {}
        for pattern in patterns:
            if _PATTERN_CHARACTERS.isdisjoint(pattern):
                name = pattern.lower()
                if name in self._directives:
                    found.setdefault(name, (pattern, self._directives[name]))
                continue
            encoded = pattern.encode("utf-8", "surrogateescape")
            for name, row in self._directives.items():
                if not row.hidden and matches(encoded, name.encode(), nocase=True):
                    found.setdefault(name, (name, row))
        return {asked: row.kind.format(self._values[row.name]) for asked, row in found.values()}

    # Writing

    def set(self, pairs: Sequence[tuple[str, str]], *, local: bool = False, loading: bool = False) -> None:
        """Change several directives, all or none.

        `local`: the client is on the loopback interface or a Unix socket; `loading`: a data set is being
        loaded.
        Raises ConfigError with the text of the error, which starts after `ERR `; LoadingError for `-LOADING`.
        """
        rows = self._admit([name for name, _ in pairs], local=local, loading=loading)
        before = dict(self._values)
        changes: list[Change] = []
        for row, (name, text) in zip(rows, pairs, strict=True):
            try:
                value = row.kind.parse(_words(row, text), self._values[row.name])
            except ConfigError as error:
                self._values = before
                raise ConfigError(_REFUSED.format(name.lower(), error)) from None
            if value != self._values[row.name] or row.volatile:
                changes.append((name.lower(), row, value))
            self._values[row.name] = value
        self._apply(changes, before)

    def _admit(self, names: Sequence[str], *, local: bool, loading: bool) -> list[Directive]:
        """Check the names alone; the first that is unknown or may not be set decides the error."""
        seen: set[str] = set()
        rows: list[Directive] = []
        for name in names:
            row = self.directive(name)
            if row.immutable:
                raise ConfigError(_REFUSED.format(name, "can't set immutable config"))
            if row.protected and not self.allows("enable-protected-configs", local=local):
                raise ConfigError(_REFUSED.format(name, "can't set protected config"))
            if loading and row.deny_loading:
                raise LoadingError("Redis is loading the dataset in memory")
            if name.lower() in seen:
                raise ConfigError(_REFUSED.format(name, "duplicate parameter"))
            seen.add(name.lower())
            rows.append(row)
        return rows

    def _apply(self, changes: Sequence[Change], before: dict[str, Value]) -> None:
        told: list[tuple[Subscriber, Value]] = []
        for name, row, value in changes:
            for subscriber in self._subscribers.get(row.name, ()):
                told.append((subscriber, before[row.name]))
                try:
                    subscriber(value)
                except ConfigError as error:
                    self._values = before
                    _tell_again(told)
                    raise ConfigError(_REFUSED.format(name, error)) from None
        if changes:
            for listener in self.on_set:
                listener([row.name for _, row, _ in changes])

    def allows(self, name: str, *, local: bool) -> bool:
        """Tell whether a `no`, `yes` or `local` directive, as `enable-debug-command`, allows it."""
        return self[name] == "yes" or (local and self[name] == "local")

    def assign(self, name: str, value: Value) -> None:
        """Record what the server itself chose (a free port, `REPLICAOF`): no checks, nobody is told."""
        self._values[self.directive(name).name] = value

    def load(self, name: str, arguments: Sequence[str]) -> None:
        """Do one line of a configuration file, immutable directives included. Raises ConfigError.

        This is for the start of a server: subscribers are not told, so load before they come.
        """
        lowered = name.lower()
        row = self._directives.get(lowered)
        if row is None:
            if lowered in OBSOLETE and len(arguments) == 1:
                return
            raise ConfigError("Bad directive or wrong number of arguments")
        if not row.kind.multiple and len(arguments) != 1:
            raise ConfigError("wrong number of arguments")
        first = row.name not in self._loaded
        self._values[row.name] = row.kind.load(arguments, self._values[row.name], first=first)
        self._loaded.add(row.name)

    def load_all(self, lines: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Do many lines of a configuration file, in order."""
        for name, arguments in lines:
            self.load(name, arguments)

    # Extending

    def subscribe(self, name: str, subscriber: Subscriber) -> None:
        """Call `subscriber` with the present value now, and with each new one.

        It vetoes a new value by raising ConfigError, whose text ends up in the error of `CONFIG SET`.
        """
        row = self.directive(name)
        subscriber(self._values[row.name])
        self._subscribers.setdefault(row.name, []).append(subscriber)

    def register(self, directive: Directive) -> None:
        """Add a directive, such as a module's own. Raises ConfigError if its name is taken."""
        for name in filter(None, (directive.name, directive.alias)):
            if name.lower() in self._directives:
                raise ConfigError(f"directive '{name}' already exists")
        self._values[directive.name] = directive.default
        for name in filter(None, (directive.name, directive.alias)):
            self._directives[name.lower()] = directive

    def unregister(self, name: str) -> None:
        """Take a module's directive out again. Raises ConfigError if there is none."""
        row = self.directive(name)
        for key in filter(None, (row.name, row.alias)):
            del self._directives[key.lower()]
        del self._values[row.name]
        self._subscribers.pop(row.name, None)


def _words(directive: Directive, text: str) -> list[str]:
    """Split the one text of `CONFIG SET` as Redis does: at each single blank, an empty text into no words."""
    if not directive.kind.multiple:
        return [text]
    return text.split(" ") if text else []


def _tell_again(told: Sequence[tuple[Subscriber, Value]]) -> None:
    for subscriber, value in reversed(told):
        try:
            subscriber(value)
        except ConfigError:
            continue
