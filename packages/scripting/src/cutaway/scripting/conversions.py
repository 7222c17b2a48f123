"""Values between the engine and Lua.

Lua has one kind of number, one kind of compound value, and no way to tell a status from a string. So a reply becomes

======================  ======================================  ==================================================
reply                   Lua, protocol 2 (the default)           Lua after `redis.setresp(3)`
======================  ======================================  ==================================================
bulk string             string                                  string
integer                 number                                  number
status                  ``{ok = text}``                         the same
error                   ``{err = text}``                        the same
nil                     ``false``                               ``nil``
array                   table                                   table
double                  string                                  ``{double = number}``
boolean                 number 1 or 0                           boolean
map                     flat table                              ``{map = {key = value}}``
set                     table                                   ``{set = {member = true}}``
verbatim text           string                                  ``{verbatim_string = {format =, string =}}``
big number              string                                  ``{big_number = text}``
======================  ======================================  ==================================================

and on the way back the same tables mean the same replies. A number loses its fraction, and an array ends at its first nil.

Nothing but bytes, numbers, booleans, None and Lua's own values ever crosses: whatever else Python has would
arrive as an object, with attributes, in the hands of the script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from cutaway.commands import CommandError
from cutaway.resp import (
    NULL_ARRAY,
    Attributed,
    BigNumber,
    MapReply,
    PairMap,
    Pairs,
    Push,
    Raw,
    Reply,
    ReplyParser,
    SetReply,
    Verbatim,
)
from cutaway.resp.doubles import format_double

LuaValue: TypeAlias = Any
"""bytes, int, float, bool, None, or an object of Lua's."""

CHUNK: Final = 200
"""How many values go through Lua's stack at a time."""
(
    _NIL,
    _TEXT,
    _NUMBER,
    _BOOLEAN,
    _ERROR,
    _STATUS,
    _DOUBLE,
    _BIG_NUMBER,
    _VERBATIM,
    _MAP,
    _SET,
    _ARRAY,
    _TOO_DEEP,
) = range(13)
INT64_MIN: Final = -(2**63)


class ToLua:
    """Replies to Lua values. `pack`, `extend`, `single` and `put` are functions of Lua that make tables.

    `single(key, value)` is the table with that one field.
    """

    __slots__ = ("_extend", "_pack", "_put", "single")

    def __init__(
        self, pack: Callable[..., LuaValue], extend: Callable[..., None],
        single: Callable[[bytes, LuaValue], LuaValue], put: Callable[..., LuaValue],
    ) -> None:  # fmt: skip
        self._pack: Final = pack
        self._extend: Final = extend
        self.single: Final = single
        self._put: Final = put

    def array(self, values: Sequence[LuaValue]) -> LuaValue:
        """A table of `values` from index 1 on. O(n)."""
        if len(values) <= CHUNK:
            return self._pack(*values)
        table = self._pack(*values[:CHUNK])
        for start in range(CHUNK, len(values), CHUNK):
            self._extend(table, start, *values[start : start + CHUNK])
        return table

    def table(self, pairs: Sequence[LuaValue]) -> LuaValue:
        """A table of keys and values that stand in turn in `pairs`. O(n)."""
        table = self._put(None, *pairs[:CHUNK])
        for start in range(CHUNK, len(pairs), CHUNK):
            self._put(table, *pairs[start : start + CHUNK])
        return table

    def convert(self, reply: Reply, protocol: int) -> LuaValue:
        """The value that `redis.call` gives the script for `reply`. O(size of the reply)."""
        kind = type(reply)
        if kind is bytes or kind is int:
            return reply
        if kind is str:
            return self.single(b"ok", _encoded(reply))
        if reply is None or reply is NULL_ARRAY:
            return None if protocol == 3 else False
        if isinstance(reply, (list, tuple)):
            return self._sequence(reply, protocol)
        if isinstance(reply, Exception):
            return self.error(_encoded(str(reply)))
        if isinstance(reply, (bytearray, memoryview)):
            return bytes(reply)
        return self._special(reply, protocol)

    def error(self, text: bytes, *, was_counted: bool = True) -> LuaValue:
        """`{err = text}`; one that was counted when the command failed is not counted again."""
        if was_counted:
            return self._put(None, b"err", text, b"ignore_error_stats_update", True)
        return self.single(b"err", text)

    def _sequence(self, items: Iterable[Reply], protocol: int) -> LuaValue:
        return self.array([item if type(item) is bytes else self.convert(item, protocol) for item in items])

    def _special(self, reply: Reply, protocol: int) -> LuaValue:
        """The values that the two protocols show differently."""
        three = protocol == 3
        if isinstance(reply, bool):
            return reply if three else int(reply)
        if isinstance(reply, float):
            return self.single(b"double", reply) if three else format_double(reply)
        if isinstance(reply, (dict, MapReply, PairMap)):
            items = list(reply.items()) if isinstance(reply, dict) else list(reply.items)
            if three:
                return self.single(b"map", self.table([self.convert(each, 3) for each in _flat(items)]))
            return self._sequence(items if isinstance(reply, PairMap) else _flat(items), 2)
        if isinstance(reply, Pairs):
            return self._sequence(reply.items if three else _flat(reply.items), protocol)
        if isinstance(reply, (set, frozenset, SetReply)):
            members = list(reply.items) if isinstance(reply, SetReply) else list(reply)
            if three:
                flags = [each for item in members for each in (self.convert(item, 3), True)]
                return self.single(b"set", self.table(flags))
            return self._sequence(members, 2)
        if isinstance(reply, Verbatim):
            if three:
                format = reply.format.encode()  # noqa: A001
                return self.single(b"verbatim_string", self.table((b"string", reply.text, b"format", format)))
            return bytes(reply.text)
        if isinstance(reply, BigNumber):
            text = reply.digits
            return self.single(b"big_number", text) if three else text
        if isinstance(reply, Push):
            return self._sequence(reply.items, protocol)
        if isinstance(reply, Attributed):
            return self.convert(reply.reply, protocol)
        if isinstance(reply, Raw):
            parser = ReplyParser()
            parser.feed(reply.payload)
            return self.convert(next(iter(parser)), protocol)
        return False


def _encoded(text: Any) -> bytes:
    return str(text).encode("utf-8", "surrogateescape")


def _flat(items: Iterable[tuple[Reply, Reply]]) -> list[Reply]:
    return [each for item in items for each in item]


def lua_kind(value: LuaValue) -> str:
    """What Lua's `type` says of one of its objects. A C function arrives as what it was made of: that is one too."""
    from lupa.lua51 import lua_type  # type: ignore[import-untyped]  # noqa: PLC0415 - see `interpreter`

    return lua_type(value) or "function"


def as_argument(value: LuaValue) -> bytes | None:
    """What a script passed to `redis.call`, as a request has it; None if it is neither string nor number."""
    if type(value) is bytes:
        return value
    if type(value) is int:
        return b"%d" % value
    if type(value) is float:
        return format_double(value)
    return None


class FromLua:
    """Reads the flat list that a script's result comes back as: kind, value, kind, value ... (see sandbox.lua)."""

    __slots__ = ("_at", "_note_error", "_protocol", "_values")

    def __init__(
        self, values: Sequence[LuaValue], protocol: int, note_error: Callable[[CommandError, bool], None]
    ) -> None:
        self._values: Final = values
        self._protocol: Final = protocol
        self._note_error: Final = note_error
        self._at = 0

    def read(self) -> Reply:
        """The next value, with all that it contains. O(size)."""
        at = self._at
        kind, value = self._values[at : at + 2]
        self._at = at + 2
        if kind == _TEXT:
            return bytes(value)
        if kind == _NUMBER:
            return _integer(value)
        if kind == _BOOLEAN:
            return self._boolean(value)
        if kind == _ARRAY:
            return [self.read() for _ in range(value)]
        if kind == _STATUS:
            return _line(value)
        if kind == _ERROR:
            return self._error(value)
        if kind == _DOUBLE:
            return float(value)
        if kind == _BIG_NUMBER:
            return _big_number(value)
        if kind == _VERBATIM:
            self._at += 2
            return Verbatim(self._values[at + 3], value[:3].decode("utf-8", "surrogateescape"))
        if kind == _MAP:
            return MapReply([(self.read(), self.read()) for _ in range(value)])
        if kind == _SET:
            return SetReply([self.read() for _ in range(value)])
        if kind == _TOO_DEEP:
            return CommandError("ERR reached lua stack limit")
        return None

    def _boolean(self, value: LuaValue) -> Reply:
        if self._protocol == 3:
            return bool(value)
        return 1 if value else None

    def _error(self, text: bytes) -> Reply:
        was_counted = self._values[self._at + 1]
        self._at += 2
        error = CommandError(text.decode("utf-8", "surrogateescape"))
        self._note_error(error, was_counted)
        return error


def _integer(value: float) -> int:
    """As C turns a double into a long long: towards zero; what does not fit becomes the smallest one."""
    if type(value) is int:
        return value
    if -(2.0**63) <= value < 2.0**63:
        return int(value)
    return INT64_MIN


def _line(text: bytes) -> str:
    return text.partition(b"\0")[0].decode("utf-8", "surrogateescape").replace("\r", " ").replace("\n", " ")


def _big_number(text: bytes) -> Reply:
    text = text.replace(b"\r", b" ").replace(b"\n", b" ")
    return BigNumber(text)
