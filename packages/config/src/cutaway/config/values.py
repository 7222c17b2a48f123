# ruff: noqa: D102 - the methods of each kind do what `Kind` says they do
"""Kinds of directive: how the text of a value is read, judged, printed and written back.

A directive has a *kind*, and the kind is where its text meets its typed value. A kind answers three
questions:

* `parse(arguments, current)`: which value do these words mean? The words are already split; most kinds take
  one. `current` is the present value, for the kinds that change only a part of it.
* `format(value)`: how does `CONFIG GET` print it?
* `lines(name, value, default)`: which lines does `CONFIG REWRITE` put in the file, and must they be there
  even if the file never mentioned the directive?

Numbers keep the arithmetic of the C server, for that is what a client can see. A memory size is read into
an unsigned 64-bit integer, wraps around when its unit multiplies it beyond that, and is then compared with
the bounds as signed or unsigned according to the type of the variable behind it. A percentage is a negative
number. An octal number is read as `strtoll` reads it: leading blanks and a sign are welcome, and no digits
at all mean zero.

Text is `str`. Bytes that are not UTF-8 travel as surrogate escapes, so that nothing is lost on the way
through.

Source: `config.c` and `util.c` (`memtoull`, `string2ll`) of Redis 7.2, compared with Valkey 9.1.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from cutaway.config.quoting import quote

INT_MAX: Final = 2**31 - 1
INT_MIN: Final = -(2**31)
UINT_MAX: Final = 2**32 - 1
LONG_MAX: Final = 2**63 - 1
LONG_MIN: Final = -(2**63)
ULONG_MAX: Final = 2**64 - 1

SavePoint: TypeAlias = tuple[int, int]
BufferLimit: TypeAlias = tuple[int, int, int]
Value: TypeAlias = (
    bool
    | int
    | str
    | tuple[str, ...]
    | tuple[int, ...]
    | tuple[float, ...]
    | tuple[SavePoint, ...]
    | tuple[BufferLimit, ...]
    | tuple[str, int]
)
Check: TypeAlias = Callable[[str], str | None]
RewriteLine: TypeAlias = tuple[str, bool]

_INTEGER = re.compile(r"(?:0|-?[1-9][0-9]*)\Z")
_SIZE = re.compile(r"([0-9]*)([a-zA-Z]*)\Z")
_UNITS: Final = {
    "": 1,
    "b": 1,
    "k": 1000,
    "kb": 1024,
    "m": 1000**2,
    "mb": 1024**2,
    "g": 1000**3,
    "gb": 1024**3,
}
_LONGEST_NUMBER = 127
_LONGEST_MESSAGE = 255


class ConfigError(Exception):
    """A value was refused. `str(error)` is the text Redis would print, without an `ERR` prefix."""


def parse_integer(text: str) -> int | None:
    """Read a canonical signed 64-bit integer (no sign `+`, no leading zeros); None if it is not one."""
    if not _INTEGER.match(text):
        return None
    number = int(text)
    return number if LONG_MIN <= number <= LONG_MAX else None


def parse_leniently(text: str, base: int = 10) -> tuple[int, bool]:
    """Read a number as C's `strtoll` does: the number, within 64 bits, and whether all of `text` was used."""
    digits = "0-7" if base == 8 else "0-9"
    match = re.match(rf"[ \t\n\v\f\r]*([+-]?[{digits}]+)", text)
    if match is None:
        return 0, not text
    number = int(match[1], base)
    return max(LONG_MIN, min(LONG_MAX, number)), match.end() == len(text)


def parse_size(text: str) -> int | None:
    """Read a memory size such as `64mb` into an unsigned 64-bit number of bytes; None if it is not one."""
    match = _SIZE.match(text)
    if match is None or len(match[1]) > _LONGEST_NUMBER or match[2].lower() not in _UNITS:
        return None
    number = int(match[1] or "0")
    return None if number > ULONG_MAX else number * _UNITS[match[2].lower()] & ULONG_MAX


def format_size(size: int) -> str:
    """Print a number of bytes as a configuration file holds it: in the largest unit that divides it."""
    for unit in ("gb", "mb", "kb"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


def as_signed(number: int) -> int:
    """Reinterpret an unsigned 64-bit integer as a signed one."""
    return number - 2**64 if number > LONG_MAX else number


class Kind:
    """What a directive's value may be. Subclasses say how it is read, printed and rewritten."""

    __slots__ = ()

    name: str = ""
    multiple: bool = False
    """Whether the directive takes several words on its line."""

    def parse(self, arguments: Sequence[str], current: Value) -> Value:
        """Return the value that `arguments` mean. Raises ConfigError."""
        raise NotImplementedError

    def load(self, arguments: Sequence[str], current: Value, *, first: bool) -> Value:  # noqa: ARG002
        """Do what `parse` does for a line of a file; `first` if it is the first with this name."""
        return self.parse(arguments, current)

    def format(self, value: Value) -> str:
        """Return `value` as `CONFIG GET` prints it."""
        return str(value)

    def lines(self, name: str, value: Value, default: Value) -> list[RewriteLine]:
        """Return the lines `CONFIG REWRITE` writes, each with whether it is due even if the file has none."""
        return [(f"{name} {self.format(value)}", value != default)]


class Boolean(Kind):
    """`yes` or `no`, in any case. Value: bool."""

    __slots__ = ("_refusal",)

    name = "boolean"

    def __init__(self, refusal: str = "") -> None:
        """`refusal`: the text with which `yes` is refused, if this build cannot do it."""
        self._refusal = refusal

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        answer = arguments[0].lower()
        if answer not in ("yes", "no"):
            raise ConfigError("argument must be 'yes' or 'no'")
        if answer == "yes" and self._refusal:
            raise ConfigError(self._refusal)
        return answer == "yes"

    def format(self, value: Value) -> str:
        return "yes" if value else "no"


class Text(Kind):
    """Any text. Value: str. With `absent_if_empty`, an empty text means "not set" and is never rewritten."""

    __slots__ = ("_absent_if_empty", "_check")

    name = "string"

    def __init__(self, check: Check | None = None, *, absent_if_empty: bool = True) -> None:
        """`check` returns the text of an error, or None."""
        self._check = check
        self._absent_if_empty = absent_if_empty

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        text = arguments[0]
        error = self._check(text) if self._check is not None else None
        if error is not None:
            raise ConfigError(error)
        return text

    def lines(self, name: str, value: Value, default: Value) -> list[RewriteLine]:
        if self._absent_if_empty and not value:
            return []
        return [(f"{name} {quote(str(value))}", value != default)]


class Enum(Kind):
    """One of a few words, in any case. Value: the word as the table spells it."""

    __slots__ = ("_synonyms", "words")

    name = "enum"

    def __init__(self, *words: str, synonyms: Mapping[str, str] | None = None) -> None:
        """`synonyms` maps a word of `words` to the one that is kept in its place."""
        self.words = words
        self._synonyms = synonyms or {}

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        if len(arguments) != 1:
            raise self._refuse()
        return self._word(arguments[0])

    def _word(self, text: str) -> str:
        lowered = text.lower()
        for word in self.words:
            if word.lower() == lowered:
                return self._synonyms.get(word, word)
        raise self._refuse()

    def _refuse(self) -> ConfigError:
        message = "argument(s) must be one of the following: " + ", ".join(self.words)
        return ConfigError(message[:_LONGEST_MESSAGE])


class Flags(Enum):
    """Several words of a few, the first of which means "none". Value: tuple of words in the table's order."""

    __slots__ = ("_exclusive",)

    name = "flags"
    multiple = True

    def __init__(self, *words: str, exclusive: Mapping[tuple[str, str], str] | None = None) -> None:
        """`exclusive` maps pairs of words that exclude each other to the text of the error."""
        super().__init__(*words)
        self._exclusive = exclusive or {}

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        if not arguments:
            raise self._refuse()
        chosen = {self._word(argument) for argument in arguments}
        for (one, other), error in self._exclusive.items():
            if one in chosen and other in chosen:
                raise ConfigError(error)
        return tuple(word for word in self.words[1:] if word in chosen)

    def format(self, value: Value) -> str:
        words = value if isinstance(value, tuple) else ()
        return " ".join(str(word) for word in words) or self.words[0]


class Integer(Kind):
    """A whole number between two bounds. Value: int. `clamp` bounds what is kept of an accepted number."""

    __slots__ = ("_clamp", "high", "low")

    name = "integer"

    def __init__(self, low: int, high: int, *, clamp: tuple[int, int] | None = None) -> None:
        self.low = low
        self.high = high
        self._clamp = clamp

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        number = self._within(self._read(arguments[0]))
        if self._clamp is not None:
            return max(self._clamp[0], min(self._clamp[1], number))
        return number

    def _read(self, text: str) -> int:
        number = parse_integer(text)
        if number is None:
            raise ConfigError("argument couldn't be parsed into an integer")
        return number

    def _within(self, number: int) -> int:
        if not self.low <= number <= self.high:
            raise ConfigError(
                f"argument must be between {self._print(self.low)} and {self._print(self.high)} inclusive"
            )
        return number

    def _print(self, number: int) -> str:
        return str(number)


class Octal(Integer):
    """File permissions, in octal. Value: int."""

    __slots__ = ()

    name = "octal"

    def _read(self, text: str) -> int:
        number, whole = parse_leniently(text, 8)
        if not whole or number in (LONG_MIN, LONG_MAX):
            raise ConfigError("argument couldn't be parsed as an octal number")
        return number & ULONG_MAX

    def _print(self, number: int) -> str:
        return f"{number:o}"

    def format(self, value: Value) -> str:
        return self._print(int(value)) if isinstance(value, int) else ""


class Memory(Integer):
    """A number of bytes, with a unit if you like (`1k` is 1000, `1kb` is 1024). Value: int."""

    __slots__ = ("_error", "_negative", "_percentage", "_signed")

    name = "memory"

    def __init__(
        self,
        low: int,
        high: int,
        *,
        signed: bool = False,
        negative: bool = False,
        percentage: int = 0,
        clamp: tuple[int, int] | None = None,
    ) -> None:
        """Say if a size is compared as `signed`, may be negative, or a percentage up to which."""
        super().__init__(low, high, clamp=clamp)
        self._signed = signed
        self._negative = negative
        self._percentage = percentage
        self._error = (
            "argument must be a memory or percent value" if percentage else "argument must be a memory value"
        )

    def _read(self, text: str) -> int:
        if self._negative and text.startswith("-"):
            size = parse_integer(text)
        else:
            size = parse_size(text)
        if size is not None:
            return as_signed(size) if self._signed else size
        if self._percentage and len(text) > 1 and text.endswith("%"):
            share = parse_integer(text[:-1])
            if share is not None and share >= 0:
                return -share
        raise ConfigError(self._error)

    def _within(self, number: int) -> int:
        if not self._percentage or number >= 0:
            return super()._within(number)
        if -number > self._percentage:
            raise ConfigError(f"percentage argument must be less or equal to {self._percentage}")
        return number

    def format(self, value: Value) -> str:
        if not isinstance(value, int):
            return ""
        if self._percentage and value < 0:
            return f"{-value}%"
        return str(value if self._negative else value & ULONG_MAX)

    def lines(self, name: str, value: Value, default: Value) -> list[RewriteLine]:
        if not isinstance(value, int):
            return []
        text = f"{-value}%" if self._percentage and value < 0 else format_size(as_signed(value & ULONG_MAX))
        return [(f"{name} {text}", value != default)]
