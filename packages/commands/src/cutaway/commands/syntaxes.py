"""From a line of the manual to a tree of arguments: what COMMAND DOCS tells clients, so that they can show hints.

Each command declares its syntax as the manual prints it, and that is all it has to do::

    key [NX | XX] [GET] [EX seconds | PX milliseconds] field value [field value ...] <BEFORE | AFTER>

==================  ========================================================================================
``WORD``            capitals, or a sign such as ``*``: a token, to be typed as it stands
``word``            a value; its type follows from its name (`TYPES`), and it is a key where a key spec says so
``TOKEN a b``       a token takes the values that follow it, up to the next token or bracket
``[a]``             optional
``<a | b>``         one of them; ``[a | b]`` one of them or none
``a b [a b ...]``   what stands before the bracket, repeated; ``T a [T a ...]`` with its token, ``T a [a ...]`` without
==================  ========================================================================================

The parser is recursive descent in three steps: words into a tree of brackets; repetitions folded into what they
repeat; tokens joined with their values. A tree is small and asked for seldom, so nothing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cutaway.commands.tables import Command

_WORDS: Final = re.compile(r"[\[\]<>|]|[^\s\[\]<>|]+")
_CLOSING: Final = {"[": "]", "<": ">"}
_REPEAT: Final = "..."

TYPES: Final[dict[str, str]] = {
    name: kind
    for kind, names in {
        "key": "key newkey source destination destkey sourcekey key1 key2 src dst",
        "integer": """bit bits client-id cluster-bus-port config-epoch count cursor db decrement destination-db end end-slot
            entries-added entries-read frequency idle increment index index1 index2 len limit maxage milliseconds min-idle-time min-match-len ms
            not-client-id not-db num-matches num-vertices numfields numkeys numlocal numreplicas offset port protover
            rank seconds slot start start-slot stop ttl version weight""",
        "double": "height latitude longitude radius score timeout width",
        "pattern": "match-pattern pattern",
        "unix-time": "unix-time-seconds unix-time-milliseconds",
    }.items()
    for name in names.split()
}
"""What a value is, by its name in the manual; anything else is a string."""

_TEXT_BOUNDS: Final = {"start": "string", "end": "string", "stop": "string"}
_SCORE_BOUNDS: Final = {"min": "double", "max": "double"}
_WHOLE: Final = {"timeout": "integer"}
TYPES_IN: Final[dict[str, dict[str, str]]] = {
    **dict.fromkeys(("xpending", "xrange", "xrevrange", "xautoclaim", "zrange"), _TEXT_BOUNDS),
    **dict.fromkeys(("zcount", "zremrangebyscore", "zrangebyscore", "zrevrangebyscore"), _SCORE_BOUNDS),
    **dict.fromkeys(("incrbyfloat", "hincrbyfloat"), {"increment": "double"}),  # noqa: RUF024
    **dict.fromkeys(("client|pause", "cluster|setslot", "wait", "waitaof", "migrate"), _WHOLE),
    **dict.fromkeys(("setbit", "bitfield"), {"value": "integer"}),  # noqa: RUF024
    "cluster|keyslot": {"key": "string"},
    "clusterscan": {"cursor": "string"},
    "xautoclaim": {**_TEXT_BOUNDS, "min-idle-time": "string"},
    "xclaim": {"min-idle-time": "string"},
    "hexpireat": {"unix-time-seconds": "integer"},
    "hpexpireat": {"unix-time-milliseconds": "integer"},
}
"""Where a value is of another type than its name says."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as COMMAND DOCS describes it; a "block" or "oneof" has arguments of its own."""

    name: str
    type: str
    token: str | None = None
    key_spec_index: int | None = None
    optional: bool = False
    multiple: bool = False
    multiple_token: bool = False
    arguments: tuple[Argument, ...] = ()

    @property
    def flags(self) -> list[str]:
        """The flags that are set, in Redis's order."""
        return [flag for flag in ("optional", "multiple", "multiple_token") if getattr(self, flag)]


@dataclass(slots=True)
class _Bracket:
    """Alternatives between brackets, each a sequence of words and brackets; `repeated` once it was folded."""

    alternatives: list[list[_Item]]
    optional: bool = False
    repeated: bool = False


_Item = str | _Bracket


def arguments_of(command: Command) -> tuple[Argument, ...]:
    """The arguments that a command's syntax describes. O(length of the syntax). Raises ValueError where it is malformed."""
    types = TYPES_IN.get(command.full_name, {})
    parsed = parse(command.syntax, {**TYPES, **types})
    return tuple(_numbered(parsed, _KeyCounter(command)))


def parse(syntax: str, types: dict[str, str] = TYPES) -> tuple[Argument, ...]:
    """The arguments a syntax line describes; keys are not told their specs yet."""
    words = _WORDS.findall(syntax)
    alternatives, rest = _brackets(words, None)
    if rest or len(alternatives) > 1:
        raise ValueError(f"unbalanced syntax: {syntax}")
    return tuple(_sequence(_folded(alternatives[0]), types))


# ---- words to brackets


def _brackets(words: list[str], closing: str | None) -> tuple[list[list[_Item]], list[str]]:
    """The alternatives up to `closing`, and the words after it."""
    alternatives: list[list[_Item]] = [[]]
    while words:
        word, *words = words
        if word == closing:
            return alternatives, words
        if word == "|":
            alternatives.append([])
        elif word in _CLOSING:
            inner, words = _brackets(words, _CLOSING[word])
            alternatives[-1].append(_Bracket(inner, optional=word == "["))
        else:
            alternatives[-1].append(word)
    if closing is not None:
        raise ValueError(f"a {closing} is missing")
    return alternatives, words


# ---- repetitions


def _folded(items: Sequence[_Item]) -> list[_Item]:
    """The items with every `x [x ...]` made one repeated bracket."""
    result: list[_Item] = []
    for item in items:
        if not isinstance(item, _Bracket):
            result.append(item)
            continue
        if item.alternatives[0][-1:] != [_REPEAT]:
            result.append(_Bracket([_folded(each) for each in item.alternatives], item.optional))
            continue
        repeated = _folded(item.alternatives[0][:-1])
        start = len(result) - len(repeated)
        if result[start:] != repeated:
            raise ValueError(f"{repeated} does not repeat what stands before it")
        result[start:] = [_Bracket([repeated], repeated=True)]
    return result


# ---- tokens and values


def _is_token(item: _Item) -> bool:
    return isinstance(item, str) and item == item.upper()


def _sequence(items: Sequence[_Item], types: dict[str, str]) -> Iterator[Argument]:
    """The arguments of a sequence: each token with the values it takes, everything else by itself."""
    position = 0
    while position < len(items):
        item = items[position]
        position += 1
        if isinstance(item, str) and _is_token(item):
            end = position
            while end < len(items) and _is_taken(items[end]):
                end += 1
            yield _tagged(item, [_single(each, types) for each in items[position:end]])
            position = end
        else:
            yield _single(item, types)


def _is_taken(item: _Item) -> bool:
    """Whether a token before `item` takes it as its value."""
    if isinstance(item, str):
        return not _is_token(item)
    if item.optional:
        return False
    return not (item.repeated and item.alternatives[0] and _is_token(item.alternatives[0][0]))


def _tagged(token: str, values: list[Argument]) -> Argument:
    """A token with its values: none, one, or a block of several."""
    name = "" if token == '""' else token  # noqa: S105
    if not values:
        return Argument(token.lower().strip('"') or "empty", "pure-token", token=name)
    if len(values) == 1 and values[0].token is None:
        return replace(values[0], token=name)
    return Argument(token.lower(), "block", token=name, arguments=tuple(values))


def _single(item: _Item, types: dict[str, str]) -> Argument:
    if isinstance(item, str):
        return Argument(item, types.get(item, "string")) if not _is_token(item) else _tagged(item, [])
    alternatives = [_joined(list(_sequence(each, types))) for each in item.alternatives]
    if len(alternatives) > 1:
        name = "-or-".join(each.name for each in alternatives[:3])
        return Argument(name, "oneof", optional=item.optional, arguments=tuple(alternatives))
    only = alternatives[0]
    if item.repeated:
        return replace(only, multiple=True, multiple_token=_is_token(item.alternatives[0][0]))
    return replace(only, optional=only.optional or item.optional)


def _joined(arguments: list[Argument]) -> Argument:
    """A sequence as one argument."""
    if len(arguments) == 1:
        return arguments[0]
    return Argument("-".join(each.name for each in arguments[:2]), "block", arguments=tuple(arguments))


# ---- keys


class _KeyCounter:
    """Gives keys the numbers of their specs, in the order in which both appear."""

    __slots__ = ("_last", "_pattern", "_seen")

    def __init__(self, command: Command) -> None:
        specs = command.key_specs
        self._seen = 0
        self._last: Final = len(specs) - 1
        self._pattern: Final = next((place for place, spec in enumerate(specs) if spec.unknown), None)

    def number(self, argument: Argument) -> Argument:
        """The argument with its key spec's number, if it is a key or makes the names of keys."""
        if argument.type == "pattern" and self._pattern is not None:
            self._seen = max(self._seen, self._pattern + 1)
            return replace(argument, key_spec_index=self._pattern)
        if argument.type != "key":
            return argument
        if self._last < 0:
            return replace(argument, type="string")
        self._seen += 1
        return replace(argument, key_spec_index=min(self._seen - 1, self._last))


def _numbered(arguments: Iterable[Argument], keys: _KeyCounter) -> Iterator[Argument]:
    for argument in arguments:
        if argument.arguments:
            yield replace(argument, arguments=tuple(_numbered(argument.arguments, keys)))
        else:
            yield keys.number(argument)
