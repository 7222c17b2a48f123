"""The options of a command, declared in one line and parsed by one loop.

`Options("NX|XX", "GET", "EX:int|PX:int|KEEPTTL", "LIMIT:int,int")` says: at most one of NX and XX; GET or not; at most
one of the expiry forms; LIMIT with two integers. Alternatives that exclude each other stand in one string, with bars.
An option's values follow a colon, by kind: `int`, `float`, `bytes`, several with commas. Names match in any case. An
option given twice is as Redis mostly has it: fine, the last one counts; two of one string are a syntax error.

The result is a plain dict from the option's name to True, to its value, or to a tuple of its values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from cutaway.commands import arguments, errors

_KINDS: Final[dict[str, Callable[[bytes], Any]]] = {
    "int": arguments.integer,
    "float": arguments.number,
    "bytes": bytes,
}


class Options:
    """A parser for the tail of a command's arguments. Made once per command, at import."""

    __slots__ = ("_options",)

    def __init__(self, *groups: str) -> None:
        self._options: Final[dict[bytes, tuple[str, int, tuple[Callable[[bytes], Any], ...]]]] = {}
        for number, group in enumerate(groups):
            for option in group.split("|"):
                name, _, kinds = option.partition(":")
                converters = tuple(_KINDS[kind] for kind in kinds.split(",") if kind)
                self._options[name.upper().encode()] = (name.upper(), number, converters)

    def parse(self, tail: Sequence[bytes]) -> dict[str, Any]:
        """What the arguments in `tail` say. Raises the syntax error, or a value's own. O(len(tail))."""
        found: dict[str, Any] = {}
        chosen: dict[int, str] = {}
        position = 0
        while position < len(tail):
            option = self._options.get(tail[position].upper())
            if option is None:
                raise errors.SYNTAX
            name, group, converters = option
            if chosen.setdefault(group, name) != name:
                raise errors.SYNTAX
            position += 1
            if not converters:
                found[name] = True
                continue
            values = tail[position : position + len(converters)]
            if len(values) < len(converters):
                raise errors.SYNTAX
            converted = tuple(convert(value) for convert, value in zip(converters, values, strict=True))
            found[name] = converted if len(converted) > 1 else converted[0]
            position += len(converters)
        return found
