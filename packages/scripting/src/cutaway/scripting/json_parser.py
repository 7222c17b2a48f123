"""Reading JSON, as liberally and with the same complaints as lua-cjson.

It takes numbers that JSON does not have (hexadecimal, infinity, NaN, a sign or a zero in front), unless told not to, and stops
at a zero byte. A complaint names what was expected, what was found, and at which character, counted from one.
"""

from __future__ import annotations

import re
from typing import Final

from cutaway.scripting.conversions import LuaValue, ToLua

SPACE: Final = re.compile(rb"[ \t\n\r]*")
PLAIN: Final = re.compile(rb'[^"\\]*')
HEX4: Final = re.compile(rb"[0-9a-fA-F]{4}")
DECIMAL: Final = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
HEXADECIMAL: Final = re.compile(rb"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?\d+)?")
WORDS: Final = re.compile(rb"[+-]?(?:inf(?:inity)?|nan(?:\(\w*\))?)", re.IGNORECASE)
EXTRAVAGANT: Final = re.compile(rb"\+|-?(?:0[xX0-9]|inf|nan)", re.IGNORECASE)
"""How a number begins that JSON does not have."""
ESCAPED: Final = {
    b'"': b'"', b"\\": b"\\", b"/": b"/", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"f": b"\f", b"r": b"\r",
}  # fmt: skip
MARKS: Final = {
    b"{": "T_OBJ_BEGIN", b"}": "T_OBJ_END", b"[": "T_ARR_BEGIN", b"]": "T_ARR_END", b",": "T_COMMA", b":": "T_COLON",
}  # fmt: skip
LITERALS: Final = ((b"true", True), (b"false", False))


class JSONError(ValueError):
    """The text is no JSON; what it says goes into the script's error."""


class Token:
    """A piece of the text: its kind, as lua-cjson calls it, what it means, and where it begins."""

    __slots__ = ("index", "kind", "value")

    def __init__(self, kind: str, index: int, value: LuaValue = None) -> None:
        self.kind: Final = kind
        self.index: Final = index
        self.value: Final = value


class Container:
    """An object or an array that is being read."""

    __slots__ = ("is_array", "key", "values")

    def __init__(self, *, is_array: bool) -> None:
        self.is_array: Final = is_array
        self.key = b""
        self.values: Final[list[LuaValue]] = []

    def add(self, value: LuaValue) -> None:
        """The next element, or the value of the key."""
        if self.is_array:
            self.values.append(value)
        else:
            self.values.extend((self.key, value))


class Parser:
    """Reads one text into values of Lua's."""

    __slots__ = ("_allow_invalid", "_at", "_deepest", "_null", "_text", "_to_lua")

    def __init__(
        self, text: bytes, to_lua: ToLua, null: LuaValue, deepest: int, *, allow_invalid: bool
    ) -> None:
        self._text: Final = text
        self._to_lua: Final = to_lua
        self._null: Final = null
        self._deepest: Final = deepest
        self._allow_invalid: Final = allow_invalid
        self._at = 0

    def read(self) -> LuaValue:
        """The value of the whole text. Raises JSONError. O(length)."""
        if len(self._text) >= 2 and not (self._text[0] and self._text[1]):
            raise JSONError("JSON parser does not support UTF-16 or UTF-32")
        stack: list[Container] = []
        token = self._next()
        while True:
            value: LuaValue
            if token.kind in ("T_OBJ_BEGIN", "T_ARR_BEGIN"):
                opened = self._open(stack, token)
                following = self._next()
                if following.kind != ("T_ARR_END" if opened.is_array else "T_OBJ_END"):
                    token = following if opened.is_array else self._key(opened, following)
                    continue
                value = self._close(stack)
            else:
                value = self._scalar(token)
            while stack:
                stack[-1].add(value)
                following = self._next()
                if following.kind != ("T_ARR_END" if stack[-1].is_array else "T_OBJ_END"):
                    token = self._after_comma(stack[-1], following)
                    break
                value = self._close(stack)
            else:
                end = self._next()
                if end.kind != "T_END":
                    raise unexpected("the end", end)
                return value

    def _open(self, stack: list[Container], token: Token) -> Container:
        if len(stack) >= self._deepest:
            raise JSONError(
                f"Found too many nested data structures ({len(stack) + 1}) at character {self._at}"
            )
        stack.append(Container(is_array=token.kind == "T_ARR_BEGIN"))
        return stack[-1]

    def _close(self, stack: list[Container]) -> LuaValue:
        closed = stack.pop()
        return (self._to_lua.array if closed.is_array else self._to_lua.table)(closed.values)

    def _key(self, container: Container, token: Token) -> Token:
        """Read a key and its colon; the token after them."""
        if token.kind != "T_STRING":
            raise unexpected("object key string", token)
        container.key = token.value
        colon = self._next()
        if colon.kind != "T_COLON":
            raise unexpected("colon", colon)
        return self._next()

    def _after_comma(self, container: Container, comma: Token) -> Token:
        if comma.kind != "T_COMMA":
            raise unexpected("comma or array end" if container.is_array else "comma or object end", comma)
        return self._next() if container.is_array else self._key(container, self._next())

    def _scalar(self, token: Token) -> LuaValue:
        if token.kind in ("T_STRING", "T_NUMBER", "T_BOOLEAN"):
            return token.value
        if token.kind == "T_NULL":
            return self._null
        raise unexpected("value", token)

    # ---- tokens

    def _next(self) -> Token:
        text = self._text
        space = SPACE.match(text, self._at)
        assert space is not None
        at = self._at = space.end()
        mark = text[at : at + 1]
        if mark in (b"", b"\0"):
            return Token("T_END", at)
        if mark in MARKS:
            self._at += 1
            return Token(MARKS[mark], at)
        if mark == b'"':
            return self._string()
        if mark in b"-0123456789":
            if not self._allow_invalid and EXTRAVAGANT.match(text, at):
                return Token("invalid number", at)
            return self._number()
        for word, value in LITERALS:
            if text.startswith(word, at):
                self._at += len(word)
                return Token("T_BOOLEAN", at, value)
        if text.startswith(b"null", at):
            self._at += 4
            return Token("T_NULL", at)
        if self._allow_invalid and EXTRAVAGANT.match(text, at):
            return self._number()
        return Token("invalid token", at)

    def _number(self) -> Token:
        at = self._at
        found = HEXADECIMAL.match(self._text, at)
        if found is not None:
            value = float.fromhex(found.group().decode())
        else:
            found = DECIMAL.match(self._text, at) or WORDS.match(self._text, at)
            if found is None:
                return Token("invalid number", at)
            value = float(found.group().partition(b"(")[0])
        self._at = found.end()
        return Token("T_NUMBER", at, value)

    def _string(self) -> Token:
        text = self._text
        start = self._at
        at = start + 1
        pieces: list[bytes] = []
        while True:
            plain = PLAIN.match(text, at)
            assert plain is not None
            piece = plain.group()
            zero = piece.find(b"\0")
            if zero >= 0 or plain.end() == len(text):
                return Token("unexpected end of string", at + zero if zero >= 0 else len(text))
            pieces.append(piece)
            at = plain.end()
            if text[at : at + 1] == b'"':
                self._at = at + 1
                return Token("T_STRING", start, b"".join(pieces))
            letter = text[at + 1 : at + 2]
            if letter == b"u":
                code, length = self._unicode(at)
                if code < 0:
                    return Token("invalid unicode escape code", at)
                pieces.append(chr(code).encode("utf-8", "surrogatepass"))
                at += length
            elif letter in ESCAPED:
                pieces.append(ESCAPED[letter])
                at += 2
            else:
                return Token("invalid escape code", at)

    def _unicode(self, at: int) -> tuple[int, int]:
        r"""The code point of `\uXXXX`, or of two that make one, with the length; -1 if it is none."""
        high = self._hex4(at + 2)
        if high & 0xF800 != 0xD800:
            return high, 6
        low = self._hex4(at + 8) if self._text[at + 6 : at + 8] == b"\\u" else -1
        if high & 0x400 or low < 0 or low & 0xFC00 != 0xDC00:
            return -1, 0
        return ((high & 0x3FF) << 10 | (low & 0x3FF)) + 0x10000, 12

    def _hex4(self, at: int) -> int:
        found = HEX4.match(self._text, at)
        return -1 if found is None else int(found.group(), 16)


def unexpected(what: str, token: Token) -> JSONError:
    """The complaint about a token that does not belong here."""
    return JSONError(f"Expected {what} but found {token.kind} at character {token.index + 1}")
