"""Declaring commands.

A command is a function with a line above it::

    strings = CommandTable("string")

    @strings.command("GET", arity=2, flags="readonly fast", keys=RO(1), syntax="key", since="1.0.0")
    def get(client: Client, key: bytes) -> Reply:
        \"\"\"Returns the string value of a key. O(1).\"\"\"

All that Redis tells about a command comes from here: COMMAND INFO from arity, flags and keys, the ACL categories from
the flags and the table's group (as Redis derives them), COMMAND DOCS from the docstring's first sentence, the O() in it
and the syntax. A table is only a list; nothing is registered anywhere until an `Engine` is built from tables.

`arity` counts the command's own name; negative means "at least". A handler gets the client and the arguments after the
name (for a subcommand: after both), as bytes, and returns a reply; it raises `CommandError` where Redis answers an error.

`wire` is a second handler for when the reply goes nowhere but to an encoder: it may return as `Raw` what the handler returns as
values. Scripts, transactions and whoever calls in the same process get the handler's.

`many` is one more, for what comes in a pipeline: several requests of the command in a row, each with no more
arguments than it needs. It gets these by place (all first arguments, all second ones, ...), runs as many of the first
requests as need nothing but the common case, and returns their replies; the handler runs the rest. So it never raises, and has
to leave behind exactly what the handler would have. It is called only while nobody listens to changes (see
`Keyspace.is_unobserved`), and worth writing for commands that are sent by the million.

A name of two words, "CONFIG SET", declares a subcommand; its container, "CONFIG", is declared by `container` or comes
into being with the first subcommand.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from cutaway.commands.key_specs import KeySpec
from cutaway.resp import Reply

Handler = Callable[..., Reply]
ManyHandler = Callable[..., Sequence[Reply]]
KeyFinder = Callable[[Sequence[bytes]], list[tuple[int, KeySpec]]]

FLAGS: Final = frozenset(
    [
        "write",
        "readonly",
        "denyoom",
        "admin",
        "pubsub",
        "noscript",
        "blocking",
        "loading",
        "stale",
        "skip_monitor",
        "skip_slowlog",
        "skip_commandlog",
        "asking",
        "fast",
        "no_auth",
        "may_replicate",
        "sentinel",
        "no_mandatory_keys",
        "no_async_loading",
        "no_multi",
        "movablekeys",
        "allow_busy",
        "module",
    ]
)
NOT_PLAIN: Final = frozenset(["noscript", "blocking", "admin", "pubsub", "may_replicate", "module"])
"""What a script may not call, and what a script calls to another effect than a client does."""
GROUP_CATEGORIES: Final = {
    "string": "string", "bitmap": "bitmap", "list": "list", "set": "set", "sorted-set": "sortedset", "hash": "hash",
    "stream": "stream", "hyperloglog": "hyperloglog", "geo": "geo", "pubsub": "pubsub", "generic": "keyspace",
    "connection": "connection", "transactions": "transaction", "scripting": "scripting",
}  # fmt: skip

_COMPLEXITY: Final = re.compile(r"\bO\(.*")


class Command:
    """One command or subcommand: what it is, how it is run, and what was counted of it."""

    __slots__ = (
        "_calls", "_nanoseconds", "acl_categories", "arity", "complexity", "container", "deprecated",
        "doc_flags", "failed_calls", "flags", "full_name", "group", "handler", "history", "is_blocking",
        "is_denyoom", "is_plain", "is_transparent", "is_write", "key_finder", "key_specs", "many", "max_argc",
        "min_argc", "name", "on_samples", "rejected_calls", "samples", "since", "subcommands", "summary",
        "syntax", "tips", "wire",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        handler: Handler | None,
        *,
        group: str,
        arity: int = -2,
        flags: str = "",
        keys: KeySpec | Sequence[KeySpec] = (),
        syntax: str = "",
        since: str = "1.0.0",
        acl: str = "",
        tips: Sequence[str] = (),
        history: Sequence[tuple[str, str]] = (),
        doc_flags: str = "",
        deprecated: tuple[str, str] = ("", ""),
        key_finder: KeyFinder | None = None,
        transparent: bool = False,
        many: ManyHandler | None = None,
        wire: Handler | None = None,
        skip: int = 1,
    ) -> None:
        container, _, word = name.lower().rpartition(" ")
        self.name: Final = word
        self.container: Final = container
        self.full_name: Final = f"{container}|{word}" if container else word
        self.group: Final = group
        self.arity: Final = arity
        self.min_argc: Final = abs(arity)
        self.max_argc: Final = arity if arity > 0 else 2**31
        self.flags: Final = frozenset(flags.split())
        unknown = self.flags - FLAGS
        if unknown:
            raise ValueError(f"{name}: no such flags: {sorted(unknown)}")
        self.is_write: Final = "write" in self.flags
        self.is_denyoom: Final = "denyoom" in self.flags
        self.is_blocking: Final = "blocking" in self.flags
        self.is_plain: Final = self.flags.isdisjoint(NOT_PLAIN)
        """Whether it leaves its client and the engine as they were: it works on data, and neither waits nor sends messages."""
        self.is_transparent: Final = transparent
        self.key_specs: Final[tuple[KeySpec, ...]] = (keys,) if isinstance(keys, KeySpec) else tuple(keys)
        self.key_finder: Final = key_finder
        self.acl_categories: Final = frozenset(self._categories(acl))
        text = " ".join((handler.__doc__ or "").split()) if handler is not None else ""
        self.summary: Final = text.partition(". ")[0].removesuffix(".")
        complexity = _COMPLEXITY.search(text)
        self.complexity: Final = complexity.group().removesuffix(".") if complexity else ""
        self.syntax: Final = syntax
        self.since: Final = since
        self.tips: Final = tuple(tips)
        self.history: Final = tuple(history)
        self.doc_flags: Final = doc_flags.split()
        self.deprecated: Final = deprecated
        """Since which version, and what is to be used instead."""
        self.subcommands: Final[dict[bytes, Command]] = {}
        self.handler: Final[Handler] = (
            handler if skip == 1 and handler is not None else _without_subcommand(handler)
        )
        self.many: Final = many
        self.wire: Final = wire
        self.samples: list[int] = []
        """The nanoseconds of each call since the last `tally`: to note a number is the least that a call can cost."""
        self.on_samples: Callable[[Command, list[int]], None] | None = None
        """Gets the samples at each tally, to make statistics of them."""
        self._calls = self._nanoseconds = 0
        self.rejected_calls = 0
        self.failed_calls = 0

    def _categories(self, explicit: str) -> Iterator[str]:
        words = explicit.split()
        yield from (word for word in words if not word.startswith("-"))
        category = GROUP_CATEGORIES.get(self.group)
        if category is not None and f"-{category}" not in words:
            yield category
        if "write" in self.flags:
            yield "write"
        if "readonly" in self.flags and self.group != "scripting":
            yield "read"
        if "admin" in self.flags:
            yield from ("admin", "dangerous")
        if "pubsub" in self.flags:
            yield "pubsub"
        yield "fast" if "fast" in self.flags else "slow"
        if "blocking" in self.flags:
            yield "blocking"

    def keys(self, argv: Sequence[bytes]) -> list[tuple[bytes, KeySpec]]:
        """The keys in `argv`, each with the spec that says what is done with it. O(argv)."""
        return [(argv[place], spec) for place, spec in self.key_places(argv)]

    def key_places(self, argv: Sequence[bytes]) -> list[tuple[int, KeySpec]]:
        """The positions of the keys in `argv`; none where the arguments make no sense. O(argv).

        The specs are asked first. Where they cannot tell (one is incomplete, or what is done with the key depends on an
        option), the command's own finder is.
        """
        found: list[tuple[int, KeySpec]] = []
        for spec in self.key_specs:
            if "not_key" in spec.flags:
                continue
            places = None if "variable_flags" in spec.flags else spec.locate(argv)
            if places is None or (places and "incomplete" in spec.flags):
                return self.key_finder(argv) if self.key_finder is not None else []
            found += [(place, spec) for place in places]
        return found

    def fresh(self) -> Command:
        """A copy with counters at zero and no subcommands yet: every engine counts for itself."""
        twin = copy.copy(self)
        twin.reset_counters()
        twin.on_samples = None
        object.__setattr__(twin, "subcommands", {})
        return twin

    def reset_counters(self) -> None:
        """Forget what was counted (CONFIG RESETSTAT)."""
        self._calls = self._nanoseconds = self.rejected_calls = self.failed_calls = 0
        self.samples = []

    # ---- counting

    @property
    def calls(self) -> int:
        """How often the command ran. O(calls since the last tally)."""
        self.tally()
        return self._calls

    @calls.setter
    def calls(self, number: int) -> None:
        self._calls = number

    @property
    def nanoseconds(self) -> int:
        """How long it ran, all calls together. O(calls since the last tally)."""
        self.tally()
        return self._nanoseconds

    def tally(self) -> None:
        """Count the calls since the last time. O(their number)."""
        if self.samples:
            samples, self.samples = self.samples, []
            self._calls += len(samples)
            self._nanoseconds += sum(samples)
            if self.on_samples is not None:
                self.on_samples(self, samples)

    def __repr__(self) -> str:
        return f"<Command {self.full_name}>"


def _without_subcommand(handler: Handler | None) -> Handler:
    """A subcommand's handler does not see the word that chose it; a bare container has nothing to run."""

    def run(client: Any, _subcommand: bytes, *rest: bytes) -> Reply:
        if handler is None:
            raise AssertionError("a container command is never run")
        return handler(client, *rest)

    return run


class CommandTable:
    """A list of commands of one group: "string", "sorted-set", ... One module, one table."""

    __slots__ = ("commands", "group")

    def __init__(self, group: str) -> None:
        self.group: Final = group
        self.commands: Final[list[Command]] = []

    def command(self, name: str, **declaration: Any) -> Callable[[Handler], Handler]:
        """Declare the decorated function as the command `name`; see `Command` for what can be said of it."""

        def declare(handler: Handler) -> Handler:
            words = name.count(" ") + 1
            self.commands.append(
                Command(name, handler, **{"group": self.group, "skip": words, **declaration})
            )
            return handler

        return declare

    def container(self, name: str, **declaration: Any) -> None:
        """Declare a command that only holds subcommands."""
        self.commands.append(Command(name, None, **{"group": self.group, **declaration}))

    def __iter__(self) -> Iterator[Command]:
        return iter(self.commands)


def compose(tables: Iterable[Iterable[Command]]) -> dict[bytes, Command]:
    """The commands of all tables by lower-case name, subcommands hung below their containers. O(commands)."""
    top: dict[bytes, Command] = {}
    children: list[Command] = []
    for table in tables:
        for command in table:
            own = command.fresh()
            if own.container:
                children.append(own)
            elif top.setdefault(own.name.encode(), own) is not own:
                raise ValueError(f"command {command.name} is declared twice")
    for child in children:
        parent = top.get(child.container.encode())
        if parent is None:
            parent = top[child.container.encode()] = Command(child.container, None, group=child.group)
        parent.subcommands[child.name.encode()] = child
    return top
