"""`struct`: numbers and strings as bytes in a fixed layout, after Roberto Ierusalimschy's library.

A format is a row of letters, each with a size, and of marks that change how what follows is laid out:

==========  =============================================
``b B``     a byte, signed and unsigned
``h H``     two bytes
``i4 I4``   four bytes, or as many as the number says
``l L T``   eight bytes
``f d``     a float of four bytes, of eight
``s``       a string with a zero byte at its end
``c5``      five bytes of a string; ``c0`` as many as there are, or as the number before says
``x``       a byte of padding
``< >``     little end first (the default), big end first
``!4``      align what follows to at most four bytes
==========  =============================================
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, Literal

from cutaway.scripting.conversions import LuaValue
from cutaway.scripting.interpreter import Interpreter, ScriptError
from cutaway.scripting.lua_arguments import INT64, Arguments, as_integer, as_number

INTEGERS: Final = frozenset("bBhHlLTiI")
SIZES: Final = {"b": 1, "B": 1, "h": 2, "H": 2, "l": 8, "L": 8, "T": 8, "f": 4, "d": 8, "x": 1}
FLOATS: Final = {("f", "little"): "<f", ("f", "big"): ">f", ("d", "little"): "<d", ("d", "big"): ">d"}
LARGEST_INTEGER: Final = 32
LARGEST_ALIGNMENT: Final = 8
INT_MAX: Final = 2**31 - 1

Endian = Literal["little", "big"]


class Layout:
    """Walks through a format: letter by letter, with sizes and padding."""

    __slots__ = ("_align", "_arguments", "_at", "_format", "_ignores_letters", "_lua", "endian", "position")

    def __init__(
        self, lua: Interpreter, given: Arguments, position: int = 0, *, ignores_letters: bool = False
    ) -> None:
        self._ignores_letters: Final = ignores_letters
        self._lua: Final = lua
        self._arguments: Final = given
        self._format: Final = given.string(1).partition(b"\0")[0].decode("latin-1")
        self._at = 0
        self._align = 1
        self.endian: Endian = "little"
        self.position = position
        """Where the next element begins, in bytes from the beginning of the data."""

    def items(self) -> Iterator[tuple[str, int, int]]:
        """Each letter with its size, and how many bytes of padding stand before it. Raises ScriptError."""
        while self._at < len(self._format):
            letter = self._format[self._at]
            self._at += 1
            size = self._size(letter)
            padding = self._padding(letter, size)
            self.position += padding
            if letter in SIZES or letter in "iIcs":
                yield letter, size, padding
            elif not (self._ignores_letters and letter.isascii() and letter.isalnum()):
                self._control(letter)

    def _size(self, letter: str) -> int:
        if letter == "c":
            return self._number(1)
        if letter in "iI":
            size = self._number(4)
            if size > LARGEST_INTEGER:
                text = f"integral size {size} is larger than limit of {LARGEST_INTEGER}"
                raise self._lua.raise_text(text.encode())
            return size
        return SIZES.get(letter, 0)

    def _number(self, default: int) -> int:
        start = self._at
        while self._at < len(self._format) and "0" <= self._format[self._at] <= "9":
            self._at += 1
        if start == self._at:
            return default
        number = int(self._format[start : self._at][:20])
        if number > INT_MAX:
            raise self._lua.raise_text(b"integral size overflow")
        return number

    def _padding(self, letter: str, size: int) -> int:
        if not size or letter == "c":
            return 0
        size = min(size, self._align)
        return (size - (self.position & (size - 1))) & (size - 1)

    def _control(self, letter: str) -> None:
        if letter == ">":
            self.endian = "big"
        elif letter == "<":
            self.endian = "little"
        elif letter == "!":
            align = self._number(LARGEST_ALIGNMENT)
            if align <= 0 or align & (align - 1):
                raise self._lua.raise_text(b"alignment %d is not a power of 2" % align)
            self._align = align
        elif letter != " ":
            shown = letter.encode("latin-1").decode("utf-8", "surrogateescape")
            raise self._arguments.error(1, f"invalid format option '{shown}'")


class StructLibrary:
    """The functions of `struct` for one interpreter."""

    __slots__ = ("_lua",)

    def __init__(self, lua: Interpreter) -> None:
        self._lua: Final = lua
        for name, function in (("pack", self.pack), ("unpack", self.unpack), ("size", self.size)):
            lua.define("struct", name, function)

    # ---- packing

    def pack(self, *words: LuaValue) -> LuaValue:
        """`struct.pack(format, value, ...)`."""
        given = Arguments(self._lua, (*words, None) if words else words)  # the C code's stack has a nil there
        layout = Layout(self._lua, given)
        out = bytearray()
        position = 2
        for letter, size, padding in layout.items():
            self._check_room(len(out) + padding + size)
            out += bytes(padding)
            if letter == "x":
                out.append(0)
            else:
                piece = self._packed(layout, given, position, letter, size)
                out += piece
                size = len(piece)  # noqa: PLW2901 - a string brings its own
                position += 1
            layout.position += size
        return bytes(out)

    def _packed(self, layout: Layout, given: Arguments, position: int, letter: str, size: int) -> bytes:
        if letter in INTEGERS:
            number = given.number(position)
            return integer_bytes(number, size, layout.endian)
        if letter in "fd":
            return float_bytes(given.number(position), FLOATS[letter, layout.endian])
        text = given.string(position)
        if letter == "s":
            return text + b"\0"
        if size > len(text):
            raise given.error(position + 1, "string too short")
        return text[:size] if size else text

    # ---- unpacking

    def unpack(self, *words: LuaValue) -> LuaValue:
        """`struct.unpack(format, data, position)`: the values, and where the next one would begin."""
        given = Arguments(self._lua, words)
        given.string(1)
        data = given.string(2)
        start = given.integer(3, 1)
        if start == 0:
            raise given.error(3, "offset must be 1 or greater")
        layout = Layout(self._lua, given, start - 1 if start > 0 else INT64)
        values: list[LuaValue] = []
        for letter, size, _ in layout.items():
            self._check_data(given, data, layout.position, size)
            if letter in "cs":
                size = self._unpack_text(given, data, layout.position, letter, size, values)  # noqa: PLW2901
            elif letter != "x":
                values.append(number_of(data[layout.position :][:size], letter, layout.endian))
            layout.position += size
        values.append(layout.position + 1)
        return tuple(values)

    def _check_data(self, given: Arguments, data: bytes, position: int, size: int) -> None:
        if size > len(data) or position > len(data) - size:
            raise given.error(2, "data string too short")

    def _unpack_text(
        self, given: Arguments, data: bytes, position: int, letter: str, size: int, values: list[LuaValue]
    ) -> int:
        if letter == "s":
            end = data.find(b"\0", position)
            if end < 0:
                raise self._lua.raise_text(b"unfinished string in data")
            values.append(data[position:end])
            return end + 1 - position
        if not size:
            previous = as_number(values.pop()) if values else None
            if previous is None:
                raise self._lua.raise_text(b"format 'c0' needs a previous size")
            size = as_integer(previous)
            size = size if size >= 0 else INT64
            self._check_data(given, data, position, size)
        values.append(data[position : position + size])
        return size

    # ---- sizes

    def size(self, *words: LuaValue) -> LuaValue:
        """`struct.size(format)`: how many bytes a format without strings takes."""
        given = Arguments(self._lua, words)
        layout = Layout(self._lua, given, ignores_letters=True)  # as the C code does
        for letter, size, _ in layout.items():
            if letter == "s" or (letter == "c" and not size):
                raise given.error(1, f"option '{'c0' if letter == 'c' else 's'}' has no fixed size")
            layout.position += size
        return layout.position

    def _check_room(self, size: int) -> None:
        if not self._lua.has_room(size):
            raise ScriptError


def integer_bytes(number: float, size: int, endian: Endian) -> bytes:
    """A number as an integer of `size` bytes, of which C computes the last eight. O(size)."""
    if number >= INT64:
        value = int(number) if number < 2 * INT64 else 0
    else:
        value = as_integer(number)
    return (value & (2**64 - 1)).to_bytes(max(size, 8), "little")[:size][:: 1 if endian == "little" else -1]


def float_bytes(number: float, layout: str) -> bytes:
    """A number as a float; one that is too large for four bytes is infinite."""
    try:
        return struct.pack(layout, number)
    except OverflowError:
        return struct.pack(layout, float("inf") if number > 0 else float("-inf"))


def number_of(data: bytes, letter: str, endian: Endian) -> int | float:
    """The number that these bytes are, as a double has it."""
    if letter in "fd":
        number: float = struct.unpack(FLOATS[letter, endian], data)[0]
        return number
    low = data[:8] if endian == "little" else data[-8:]
    value = int.from_bytes(low, endian)
    if letter.islower() and data:
        bits = min(len(data), 8) * 8
        value -= (value >> (bits - 1) & 1) << bits
    return value if -(2**53) < value < 2**53 else float(value)
