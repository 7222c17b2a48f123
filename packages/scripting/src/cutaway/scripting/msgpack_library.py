"""`cmsgpack`: Lua values as MessagePack, and back, after Salvatore Sanfilippo's library.

It writes the oldest form of the format: strings are raw bytes, and there is neither binary data nor an extension.
A table with the keys 1 to n and no others is an array, any other is a map. A table in a table is written down to a depth of
sixteen, and what lies deeper is nil: that is how a table that contains itself comes to an end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from cutaway.scripting.conversions import LuaValue, lua_kind
from cutaway.scripting.interpreter import Interpreter
from cutaway.scripting.lua_arguments import Arguments

DEEPEST: Final = 16
DEEPEST_READ: Final = 180
INT_MAX: Final = 2**31 - 1
ABOUT: Final = {
    "_NAME": b"cmsgpack",
    "_VERSION": b"lua-cmsgpack 0.4.0",
    "_COPYRIGHT": b"Copyright (C) 2012, Salvatore Sanfilippo",
    "_DESCRIPTION": b"MessagePack C implementation for Lua",
}


class MsgpackLibrary:
    """The functions of `cmsgpack` for one interpreter."""

    __slots__ = ("_lua",)

    def __init__(self, lua: Interpreter) -> None:
        self._lua: Final = lua
        for name, value in ABOUT.items():
            lua.define_value("cmsgpack", name, value)
        for name, function in (
            ("pack", self.pack),
            ("unpack", self.unpack),
            ("unpack_one", self.unpack_one),
            ("unpack_limit", self.unpack_limit),
        ):
            lua.define("cmsgpack", name, function)

    def pack(self, *words: LuaValue) -> LuaValue:
        """`cmsgpack.pack(value, ...)`: the values, one after the other."""
        if not words:
            raise Arguments(self._lua, words).error(0, "MessagePack pack needs input.")
        out = bytearray()
        for word in words:
            pack_into(out, word, 0)
        return bytes(out)

    def unpack(self, *words: LuaValue) -> LuaValue:
        """`cmsgpack.unpack(data)`: all values in it."""
        return self._unpack(words, 0, 0)

    def unpack_one(self, *words: LuaValue) -> LuaValue:
        """`cmsgpack.unpack_one(data, offset)`: where the next value begins (-1 if there is none), and this value."""
        return self._unpack(words, 1, Arguments(self._lua, words).integer(2, 0))

    def unpack_limit(self, *words: LuaValue) -> LuaValue:
        """`cmsgpack.unpack_limit(data, limit, offset)`: as `unpack_one`, with up to `limit` values."""
        given = Arguments(self._lua, words)
        return self._unpack(words, given.integer(2), given.integer(3, 0))

    def _unpack(self, words: tuple[LuaValue, ...], limit: int, offset: int) -> LuaValue:
        data = Arguments(self._lua, words).string(1)
        if offset < 0 or limit < 0:
            text = f"Invalid request to unpack with offset of {offset} and limit of {len(data)}."
            raise self._lua.raise_text(text.encode())
        if offset > len(data):
            text = f"Start offset {offset} greater than input length {len(data)}."
            raise self._lua.raise_text(text.encode())
        everything = not limit and not offset
        reader = Reader(data, offset, self._lua)
        values: list[LuaValue] = []
        while reader.position < len(data) and len(values) < (INT_MAX if everything else limit):
            try:
                values.append(reader.value(0))
            except EOFError:
                raise self._lua.raise_text(b"Missing bytes in input.") from None
            except ValueError:
                raise self._lua.raise_text(b"Bad data format in input.") from None
        if not everything:
            values.insert(0, -1 if reader.position == len(data) else reader.position)
        return tuple(values)


# ---- writing


def pack_into(out: bytearray, value: LuaValue, depth: int) -> None:
    """Append a value. O(size)."""
    kind = type(value)
    if kind is bytes:
        out += header(len(value), 0xA0, 32, ((0xD9, 1), (0xDA, 2), (0xDB, 4)))
        out += value
    elif kind is bool:
        out.append(0xC3 if value else 0xC2)
    elif kind is int:
        out += packed_integer(value)
    elif kind is float:
        out += packed_float(value)
    elif value is not None and lua_kind(value) == "table" and depth < DEEPEST:
        _pack_table(out, value, depth)
    else:
        out.append(0xC0)


def _pack_table(out: bytearray, table: LuaValue, depth: int) -> None:
    items = list(table.items())
    size = len(items)
    if all(type(key) is int and 0 < key <= INT_MAX for key, _ in items) and size == max(
        (key for key, _ in items), default=0
    ):
        out += header(size, 0x90, 16, ((0xDC, 2), (0xDD, 4)))
        for _, value in sorted(items, key=lambda item: int(item[0])):
            pack_into(out, value, depth + 1)
        return
    out += header(size, 0x80, 16, ((0xDE, 2), (0xDF, 4)))
    for key, value in items:
        pack_into(out, key, depth + 1)
        pack_into(out, value, depth + 1)


def header(size: int, short: int, limit: int, longer: tuple[tuple[int, int], ...]) -> bytes:
    """The mark and the length of a string, an array or a map; `longer` are the marks with their widths."""
    if size < limit:
        return bytes((short | size,))
    mark, width = next((each for each in longer if size < 1 << 8 * each[1]), longer[-1])
    return bytes((mark,)) + (size & 0xFFFFFFFF).to_bytes(width, "big")


def packed_integer(value: int) -> bytes:
    """An integer in the fewest bytes."""
    if -32 <= value < 128:
        return bytes((value & 0xFF,))
    first = 0xCC if value >= 0 else 0xD0
    bits = value.bit_length() if value >= 0 else (~value).bit_length() + 1
    power = 0 if bits <= 8 else 1 if bits <= 16 else 2 if bits <= 32 else 3
    return bytes((first + power,)) + value.to_bytes(1 << power, "big", signed=value < 0)


def packed_float(value: float) -> bytes:
    """A float in four bytes if nothing is lost, else in eight."""
    try:
        short = struct.pack(">f", value)
    except OverflowError:
        return b"\xcb" + struct.pack(">d", value)
    if struct.unpack(">f", short)[0] == value:
        return b"\xca" + short
    return b"\xcb" + struct.pack(">d", value)


# ---- reading

NUMBERS: Final = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
CONSTANTS: Final = {0xC0: None, 0xC2: False, 0xC3: True}
TEXTS: Final = {0xD9: 1, 0xDA: 2, 0xDB: 4}
CONTAINERS: Final = {0xDC: (2, True), 0xDD: (4, True), 0xDE: (2, False), 0xDF: (4, False)}


class Reader:
    """Reads values from `data`. Raises EOFError where it is too short, ValueError where it makes no sense."""

    __slots__ = ("_data", "_lua", "position")

    def __init__(self, data: bytes, position: int, lua: Interpreter) -> None:
        self._data: Final = data
        self._lua: Final = lua
        self.position = position

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._data):
            raise EOFError
        piece = self._data[self.position : end]
        self.position = end
        return piece

    def value(self, depth: int) -> LuaValue:
        """The next value. O(size)."""
        mark = self._take(1)[0]
        if mark < 0x80 or mark >= 0xE0:
            return mark if mark < 0x80 else mark - 256
        if mark in NUMBERS:
            layout = NUMBERS[mark]
            return struct.unpack(layout, self._take(struct.calcsize(layout)))[0]
        if mark in CONSTANTS:
            return CONSTANTS[mark]
        if mark in TEXTS:
            return self._take(int.from_bytes(self._take(TEXTS[mark]), "big"))
        if mark in CONTAINERS:
            width, is_array = CONTAINERS[mark]
            return self._container(int.from_bytes(self._take(width), "big"), depth, is_array=is_array)
        if mark >= 0xC0:
            raise ValueError(mark)
        if mark >= 0xA0:
            return self._take(mark & 0x1F)
        return self._container(mark & 0x0F, depth, is_array=mark >= 0x90)

    def _container(self, size: int, depth: int, *, is_array: bool) -> LuaValue:
        if depth >= DEEPEST_READ:
            raise self._lua.raise_text(b"stack overflow (too many nested values)")
        read: Callable[[int], LuaValue] = self.value
        if is_array:
            return self._lua.to_lua.array([read(depth + 1) for _ in range(size)])
        pairs: list[LuaValue] = []
        for _ in range(size):
            key, value = read(depth + 1), read(depth + 1)
            if key is None or key != key:  # noqa: PLR0124 - NaN
                raise self._lua.raise_plain(b"table index is nil" if key is None else b"table index is NaN")
            pairs += (key, value)
        return self._lua.to_lua.table(pairs)
