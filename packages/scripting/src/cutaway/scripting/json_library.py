"""`cjson`: Lua values as JSON, and back, after Mark Pulford's library.

Lua has one kind of table. One whose keys are whole numbers from 1 on becomes an array, with null where a number is
missing, unless so many are missing that it must be a mistake: then that is an error. An empty table becomes an object.
On the way back a null is `cjson.null`, since a table cannot hold nil.
A whole number comes out of Lua as an integer of Python's, so a negative zero is written as 0; the original writes -0.

What is strict and how deep it may go can be set, for all scripts: `cjson` keeps its settings as long as the interpreter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from cutaway.scripting.conversions import LuaValue
from cutaway.scripting.interpreter import Interpreter, ScriptError
from cutaway.scripting.json_parser import JSONError, Parser
from cutaway.scripting.lua_arguments import Arguments, type_name

INT_MAX: Final = 2**31 - 1
ESCAPED: Final = re.compile(rb'[\x00-\x1f"\\/\x7f]')
ESCAPES: Final = {
    **{bytes((code,)): b"\\u%04x" % code for code in (*range(32), 127)},
    b'"': b'\\"', b"\\": b"\\\\", b"/": b"\\/", b"\b": b"\\b", b"\t": b"\\t", b"\n": b"\\n", b"\f": b"\\f", b"\r": b"\\r",
}  # fmt: skip
SWITCH: Final = (b"off", b"on")


class JSONLibrary:
    """The functions of `cjson` for one interpreter, with their settings."""

    __slots__ = (
        "_lua", "convert_sparse", "decode_depth", "decode_invalid", "encode_depth", "encode_invalid",
        "keep_buffer", "precision", "sparse_ratio", "sparse_safe",
    )  # fmt: skip

    def __init__(self, lua: Interpreter) -> None:
        self._lua: Final = lua
        self.convert_sparse = 0
        self.sparse_ratio = 2
        self.sparse_safe = 10
        self.encode_depth = self.decode_depth = 1000
        self.encode_invalid = 0
        self.decode_invalid = 1
        self.keep_buffer = 1
        self.precision = 14

    def members(self) -> dict[str, Any]:
        """What is in the table `cjson`."""
        return {
            "encode": self.encode, "decode": self.decode, "new": self.new,
            "encode_sparse_array": self.encode_sparse_array,
            "encode_max_depth": self.encode_max_depth, "decode_max_depth": self.decode_max_depth,
            "encode_number_precision": self.encode_number_precision, "encode_keep_buffer": self.encode_keep_buffer,
            "encode_invalid_numbers": self.encode_invalid_numbers, "decode_invalid_numbers": self.decode_invalid_numbers,
            "null": self._lua.null, "_NAME": b"cjson", "_VERSION": b"2.1.0",
        }  # fmt: skip

    def new(self, *_words: LuaValue) -> LuaValue:
        """`cjson.new()`: another `cjson`, with settings of its own."""
        return self._lua.module(JSONLibrary(self._lua).members())

    # ---- decoding

    def decode(self, *words: LuaValue) -> LuaValue:
        """`cjson.decode(text)`. O(length)."""
        given = self._only(words)
        text = given.string(1)
        parser = Parser(
            text, self._lua.to_lua, self._lua.null, self.decode_depth, allow_invalid=bool(self.decode_invalid)
        )
        try:
            return parser.read()
        except JSONError as error:
            raise self._lua.raise_text(str(error).encode("utf-8", "surrogateescape")) from None

    def _only(self, words: Sequence[LuaValue]) -> Arguments:
        given = Arguments(self._lua, words)
        if len(words) != 1:
            raise given.error(1, "expected 1 argument")
        return given

    # ---- encoding

    def encode(self, *words: LuaValue) -> LuaValue:
        """`cjson.encode(value)`. O(size)."""
        self._only(words)
        out: list[bytes] = []
        self._append(out, words[0])
        size = sum(map(len, out))
        if not self._lua.has_room(size):
            raise self._lua.raise_plain(b"not enough memory")
        return b"".join(out)

    def _append(self, out: list[bytes], value: LuaValue) -> None:
        """Append a value. Tables that are open are on a stack of ours: Python's is not deep enough for a thousand."""
        stack: list[Iterator[tuple[bytes, LuaValue]]] = []
        ends: list[bytes] = []
        while True:
            if type_name(value) == "table":
                if len(stack) >= self.encode_depth:
                    raise self._lua.raise_text(b"Cannot serialise, excessive nesting (%d)" % (len(stack) + 1))
                start, end, items = self._opened(value)
                out.append(start)
                ends.append(end)
                stack.append(items)
            else:
                out.append(self._scalar(value))
            while stack:
                following = next(stack[-1], None)
                if following is not None:
                    break
                stack.pop()
                out.append(ends.pop())
            else:
                return
            before, value = following
            out.append(before)

    def _scalar(self, value: LuaValue) -> bytes:
        kind = type(value)
        if kind is bytes:
            return quoted(value)
        if kind is bool:
            return b"true" if value else b"false"
        if kind is int or kind is float:
            return self._number(value)
        if (
            value is None or type_name(value) == "userdata"
        ):  # the only userdata that a script can have is null
            return b"null"
        raise self._unfit(value, "type not supported")

    def _number(self, value: float) -> bytes:
        if not math.isfinite(value):
            if self.encode_invalid == 0:
                raise self._unfit(value, "must not be NaN or Inf")
            if self.encode_invalid == 2:
                return b"null"
        return b"%.*g" % (self.precision, value)

    def _unfit(self, value: LuaValue, reason: str) -> ScriptError:
        return self._lua.raise_text(f"Cannot serialise {type_name(value)}: {reason}".encode())

    def _opened(self, table: LuaValue) -> tuple[bytes, bytes, Iterator[tuple[bytes, LuaValue]]]:
        """How a table begins and ends, and what stands between: text, and the value after it."""
        items = list(table.items())
        length = self._array_length(table, items)
        if length > 0:
            return b"[", b"]", elements(dict(items), length)
        return b"{", b"}", self._pairs(items)

    def _array_length(self, table: LuaValue, items: Sequence[tuple[LuaValue, LuaValue]]) -> int:
        length = 0
        for key, _ in items:
            if type(key) not in (int, float) or key < 1 or key != int(key):
                return -1
            length = max(length, int(key)) if key <= INT_MAX else -INT_MAX - 1  # as C converts it
        if 0 < self.sparse_ratio * len(items) < length and length > self.sparse_safe:
            if not self.convert_sparse:
                raise self._unfit(table, "excessively sparse array")
            return -1
        return length

    def _pairs(self, items: Sequence[tuple[LuaValue, LuaValue]]) -> Iterator[tuple[bytes, LuaValue]]:
        comma = b""
        for key, value in items:
            if type(key) is bytes:
                name = quoted(key)
            elif type(key) in (int, float):
                name = b'"%s"' % self._number(key)
            else:
                raise self._unfit(key, "table key must be a number or string")
            yield b"%s%s:" % (comma, name), value
            comma = b","

    # ---- settings

    def encode_sparse_array(self, *words: LuaValue) -> LuaValue:
        """`cjson.encode_sparse_array(convert, ratio, safe)`: what to do with an array that is nearly empty."""
        given = self._at_most(words, 3)
        self.convert_sparse = self._choice(given, 1, self.convert_sparse, SWITCH)
        self.sparse_ratio = self._integer(given, 2, self.sparse_ratio, 0, INT_MAX)
        self.sparse_safe = self._integer(given, 3, self.sparse_safe, 0, INT_MAX)
        return bool(self.convert_sparse), self.sparse_ratio, self.sparse_safe

    def encode_max_depth(self, *words: LuaValue) -> LuaValue:
        """`cjson.encode_max_depth(depth)`."""
        self.encode_depth = self._integer(self._at_most(words, 1), 1, self.encode_depth, 1, INT_MAX)
        return self.encode_depth

    def decode_max_depth(self, *words: LuaValue) -> LuaValue:
        """`cjson.decode_max_depth(depth)`."""
        self.decode_depth = self._integer(self._at_most(words, 1), 1, self.decode_depth, 1, INT_MAX)
        return self.decode_depth

    def encode_number_precision(self, *words: LuaValue) -> LuaValue:
        """`cjson.encode_number_precision(digits)`."""
        self.precision = self._integer(self._at_most(words, 1), 1, self.precision, 1, 14)
        return self.precision

    def encode_keep_buffer(self, *words: LuaValue) -> LuaValue:
        """`cjson.encode_keep_buffer(whether)`: it changes nothing here."""
        self.keep_buffer = self._choice(self._at_most(words, 1), 1, self.keep_buffer, SWITCH)
        return bool(self.keep_buffer)

    def encode_invalid_numbers(self, *words: LuaValue) -> LuaValue:
        """`cjson.encode_invalid_numbers("off" | "on" | "null")`: what becomes of infinity and NaN."""
        given = self._at_most(words, 1)
        self.encode_invalid = self._choice(given, 1, self.encode_invalid, (*SWITCH, b"null"))
        return b"null" if self.encode_invalid == 2 else bool(self.encode_invalid)

    def decode_invalid_numbers(self, *words: LuaValue) -> LuaValue:
        """`cjson.decode_invalid_numbers(whether)`: are numbers taken that JSON does not have."""
        self.decode_invalid = self._choice(self._at_most(words, 1), 1, self.decode_invalid, SWITCH)
        return bool(self.decode_invalid)

    def _at_most(self, words: Sequence[LuaValue], count: int) -> Arguments:
        given = Arguments(self._lua, words)
        if len(words) > count:
            raise given.error(count + 1, "found too many arguments")
        return given

    def _integer(self, given: Arguments, position: int, present: int, low: int, high: int) -> int:
        if position > len(given) or given.words[position - 1] is None:
            return present
        number = given.integer(position)
        if not low <= number <= high:
            raise given.error(1, f"expected integer between {low} and {high}")
        return number

    def _choice(self, given: Arguments, position: int, present: int, options: Sequence[bytes]) -> int:
        if position > len(given) or given.words[position - 1] is None:
            return present
        if type(given.words[position - 1]) is bool:
            return int(given.words[position - 1])
        word = given.string(position)
        if word not in options:
            raise given.error(position, f"invalid option '{word.decode('latin-1')}'")
        return options.index(word)


def elements(table: dict[LuaValue, LuaValue], length: int) -> Iterator[tuple[bytes, LuaValue]]:
    """An array's elements with the comma before each; what is missing is None."""
    yield b"", table.get(1)
    for number in range(2, length + 1):
        yield b",", table.get(number)


def quoted(text: bytes) -> bytes:
    """A string as JSON has it; the bytes beyond ASCII as they are. O(length)."""
    return b'"%s"' % ESCAPED.sub(lambda match: ESCAPES[match.group()], text)
