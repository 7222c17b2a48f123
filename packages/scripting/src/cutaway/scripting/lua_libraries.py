"""The libraries that Redis adds to Lua: cjson, cmsgpack, struct, bit, and its own dice.

In Redis they are C. Here they are Python behind functions that are closed to scripts: what goes in and what comes out are
values of Lua's. Each gives the results of its model, errors included, which the tests hold against a real server.
"""

from __future__ import annotations

from types import MethodType
from typing import Final

from cutaway.scripting.bit_library import BitLibrary
from cutaway.scripting.conversions import LuaValue
from cutaway.scripting.interpreter import Interpreter
from cutaway.scripting.json_library import JSONLibrary
from cutaway.scripting.lua_arguments import Arguments
from cutaway.scripting.msgpack_library import MsgpackLibrary
from cutaway.scripting.struct_library import StructLibrary

LARGEST: Final = 2**31 - 1


class Dice:
    """`math.random` and `math.randomseed`: the generator of POSIX's `lrand48`, so that a seed gives the same everywhere."""

    __slots__ = ("_lua", "_state")

    def __init__(self, lua: Interpreter) -> None:
        self._lua: Final = lua
        self._state = 0x1234ABCD330E
        lua.define("math", "random", self.random)
        lua.define("math", "randomseed", self.seed)

    def seed(self, *words: LuaValue) -> None:
        """`math.randomseed(number)`."""
        number = Arguments(self._lua, words).integer(1)
        self._state = (number & 0xFFFFFFFF) << 16 | 0x330E

    def _next(self) -> float:
        self._state = (self._state * 0x5DEECE66D + 0xB) & (2**48 - 1)
        return (self._state >> 17) % LARGEST / LARGEST

    def random(self, *words: LuaValue) -> LuaValue:
        """`math.random()`, `math.random(largest)`, `math.random(smallest, largest)`."""
        share = self._next()
        given = Arguments(self._lua, words)
        if not words:
            return share
        if len(words) > 2:
            raise self._lua.raise_text(b"wrong number of arguments")
        low = given.integer(1) if len(words) == 2 else 1
        high = given.integer(len(words))
        if low > high:
            raise given.error(len(words), "interval is empty")
        return int(share * (high - low + 1)) + low


def define(lua: Interpreter) -> None:
    """Give scripts all of them."""
    for name, member in JSONLibrary(lua).members().items():
        if isinstance(member, MethodType):
            lua.define("cjson", name, member)
        else:
            lua.define_value("cjson", name, member)
    MsgpackLibrary(lua)
    StructLibrary(lua)
    BitLibrary(lua)
    Dice(lua)
