"""The server's own manual: COMMAND DOCS, read into something that can be asked.

A server of today describes every command it has, modules' included: what it does, since when, and its arguments as a tree. A leaf
of the tree is a value (``key``, ``seconds``) or a fixed word, a *token* (``NX``); a *block* is a sequence, a *oneof* a choice. Each may
be optional, may repeat, and may begin with a token (``EX seconds``). From that tree come the syntax line of HELP (`syntax`), the
completion of options, and the hints (`hints`): so the client knows commands that did not exist when it was written.

The same tree arrives as maps in RESP3 and as flat arrays in RESP2; `Manual.read` takes both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cutaway.resp import MapReply, Reply, SetReply


@dataclass(frozen=True, slots=True)
class Argument:
    """A node of a command's syntax."""

    name: str
    type: str = "string"
    """"key", "string", "integer", "double", "pattern", "unix-time", "pure-token", "block" or "oneof"."""
    token: str | None = None
    display: str = ""
    is_optional: bool = False
    is_multiple: bool = False
    repeats_token: bool = False
    children: tuple[Argument, ...] = ()

    @property
    def label(self) -> str:
        """What a value is called in a syntax line."""
        return self.display or self.name


@dataclass(frozen=True, slots=True)
class Page:
    """What the manual says of one command or subcommand."""

    name: str
    """In capitals, with its container: ``CONFIG GET``."""
    summary: str = ""
    since: str = ""
    group: str = ""
    complexity: str = ""
    arguments: tuple[Argument, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The words that call the command."""
        return tuple(self.name.split())

    @property
    def syntax(self) -> str:
        """The arguments as the manual writes them: ``key value [NX|XX] [EX seconds]``."""
        return " ".join(syntax_of(argument) for argument in self.arguments)


@dataclass(slots=True)
class Manual:
    """All pages, by name."""

    pages: dict[str, Page] = field(default_factory=dict)

    @classmethod
    def read(cls, reply: Reply) -> Manual:
        """Read the reply to COMMAND DOCS, of either protocol; what is not one gives an empty manual."""
        manual = cls()
        for name, docs in _pairs(reply):
            manual._add(_text(name), _fields(docs))
        return manual

    @classmethod
    def of_names(cls, reply: Reply) -> Manual:
        """A manual of names alone, from the reply to COMMAND, for servers that have no more."""
        names = [_text(entry[0]).upper() for entry in _items(reply) if isinstance(entry, list) and entry]
        return cls({name: Page(name) for name in names})

    def _add(self, name: str, docs: Mapping[str, Reply]) -> None:
        full = name.replace("|", " ").upper()
        self.pages[full] = Page(
            name=full,
            summary=_text(docs.get("summary", b"")),
            since=_text(docs.get("since", b"")),
            group=_text(docs.get("group", b"")),
            complexity=_text(docs.get("complexity", b"")),
            arguments=_arguments(docs.get("arguments", [])),
        )
        for child, child_docs in _pairs(docs.get("subcommands", [])):
            container, bar, last = _text(child).rpartition("|")
            self._add(f"{container}|{last}" if bar else f"{name}|{last}", _fields(child_docs))

    def find(self, words: Sequence[str]) -> Page | None:
        """The page of the command that `words` begin with, subcommands before their containers."""
        for length in (2, 1):
            if len(words) >= length:
                page = self.pages.get(" ".join(words[:length]).upper())
                if page is not None:
                    return page
        return None

    def groups(self) -> list[str]:
        """The names of all groups, sorted."""
        return sorted({page.group for page in self.pages.values() if page.group})

    def look_up(self, words: Sequence[str]) -> Iterator[Page]:
        """The pages that ``HELP words`` asks for: a group (``@list``), or the commands that begin with the words."""
        wanted = tuple(word.upper() for word in words)
        for name in sorted(self.pages):
            page = self.pages[name]
            if wanted[0].startswith("@"):
                if page.group.upper() == wanted[0][1:]:
                    yield page
            elif page.words[: len(wanted)] == wanted:
                yield page


_MULTIPLE: Final = "multiple"
_MULTIPLE_TOKEN: Final = "multiple_token"  # noqa: S105 - a flag of COMMAND DOCS


def syntax_of(argument: Argument) -> str:
    """One argument as the manual writes it."""
    text = _repeated(argument)
    return f"[{text}]" if argument.is_optional else text


def _repeated(argument: Argument) -> str:
    body = body_of(argument)
    parts = [part for part in (argument.token, body) if part]
    if argument.is_multiple:
        again = " ".join(part for part in (argument.token if argument.repeats_token else "", body) if part)
        parts.append(f"[{again} ...]")
    return " ".join(parts)


def body_of(argument: Argument) -> str:
    """An argument without its token and its repetitions."""
    match argument.type:
        case "pure-token":
            return ""
        case "oneof":
            return "|".join(syntax_of(child) for child in argument.children)
        case "block":
            return " ".join(syntax_of(child) for child in argument.children)
        case _:
            return argument.label or '""'


def _arguments(reply: Reply) -> tuple[Argument, ...]:
    return tuple(_argument(_fields(each)) for each in _items(reply))


def _argument(docs: Mapping[str, Reply]) -> Argument:
    flags = {_text(flag) for flag in _items(docs.get("flags", []))}
    token = docs.get("token")
    return Argument(
        name=_text(docs.get("name", b"")),
        type=_text(docs.get("type", b"string")),
        token=None if token is None else _text(token) or '""',
        display=_text(docs.get("display_text", b"")),
        is_optional="optional" in flags,
        is_multiple=_MULTIPLE in flags or _MULTIPLE_TOKEN in flags,
        repeats_token=_MULTIPLE_TOKEN in flags,
        children=_arguments(docs.get("arguments", [])),
    )


def _text(reply: Reply) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)


def _items(reply: Reply) -> Sequence[Reply]:
    if isinstance(reply, SetReply):
        return reply.items
    if isinstance(reply, (set, frozenset, list, tuple)):
        return list(reply)
    return []


def _pairs(reply: Reply) -> list[tuple[Reply, Reply]]:
    if isinstance(reply, MapReply):
        return list(reply.items)
    if isinstance(reply, dict):
        return list(reply.items())
    flat = _items(reply)
    return list(zip(flat[::2], flat[1::2], strict=False))


def _fields(reply: Reply) -> dict[str, Reply]:
    return {_text(name): value for name, value in _pairs(reply)}
