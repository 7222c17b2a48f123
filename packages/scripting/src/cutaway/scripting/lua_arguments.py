"""Arguments of the library functions, checked as Lua's own libraries check theirs.

A C function of Lua looks at its arguments one by one, takes a number for a string and a string that reads like a number for
one, and complains of the first that will not do: `bad argument #2 to 'pack' (number expected, got nil)`, with the place in
the script before it. Scripts show such texts to their users, so ours are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from cutaway.scripting.conversions import LuaValue, lua_kind
from cutaway.scripting.interpreter import Interpreter, ScriptError

INT64: Final = 2**63


class Arguments:
    """The arguments of one call. Positions count from 1, as in messages."""

    __slots__ = ("_lua", "words")

    def __init__(self, lua: Interpreter, words: Sequence[LuaValue]) -> None:
        self._lua: Final = lua
        self.words: Final = words

    def __len__(self) -> int:
        return len(self.words)

    def error(self, position: int, problem: str) -> ScriptError:
        """The error that names an argument."""
        name = self._lua.called_name()
        return self._lua.raise_text(
            f"bad argument #{position} to '{name}' ({problem})".encode("utf-8", "surrogateescape")
        )

    def expected(self, position: int, what: str) -> ScriptError:
        """The error of an argument of a wrong type."""
        got = type_name(self.words[position - 1]) if position <= len(self.words) else "no value"
        return self.error(position, f"{what} expected, got {got}")

    def number(self, position: int) -> float:
        """A number, or a string that reads like one. Raises ScriptError."""
        number = as_number(self.words[position - 1]) if position <= len(self.words) else None
        if number is None:
            raise self.expected(position, "number")
        return number

    def integer(self, position: int, default: int | None = None) -> int:
        """A number without its fraction; `default`, if there is one, for what is missing. Raises ScriptError."""
        if default is not None and (position > len(self.words) or self.words[position - 1] is None):
            return default
        return as_integer(self.number(position))

    def string(self, position: int) -> bytes:
        """A string, or a number as text. Raises ScriptError."""
        word = self.words[position - 1] if position <= len(self.words) else None
        if type(word) is bytes:
            return word
        if isinstance(word, (int, float)) and type(word) is not bool:
            return b"%.14g" % word
        raise self.expected(position, "string")


def type_name(value: LuaValue) -> str:
    """What Lua's `type` says of a value."""
    if type(value) is bytes:
        return "string"
    if type(value) in (int, float):
        return "number"
    if value is None:
        return "nil"
    return "boolean" if type(value) is bool else lua_kind(value)


def as_number(value: LuaValue) -> float | None:
    """What Lua takes for a number: one, or a text that reads like one."""
    if type(value) in (int, float):
        return value  # type: ignore[no-any-return]
    if type(value) is bytes:
        text = value.strip()
        try:
            if text[:2].lower() == b"0x":
                return float(int(text, 16))
            return None if b"_" in text else float(text)
        except ValueError:
            return None
    return None


def as_integer(number: float) -> int:
    """A number as C casts it to 64 bits: towards zero; the smallest for what does not fit."""
    if type(number) is int:
        return number
    return int(number) if math.isfinite(number) and -INT64 <= number < INT64 else -INT64
