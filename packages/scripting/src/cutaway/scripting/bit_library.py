"""`bit`: operations on 32 bits, after Mike Pall's BitOp.

Lua 5.1 has only doubles. Every argument is rounded to an integer and taken modulo 2^32; every result is a signed number.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from cutaway.scripting.conversions import LuaValue
from cutaway.scripting.interpreter import Interpreter
from cutaway.scripting.lua_arguments import Arguments

MASK: Final = 0xFFFFFFFF
MAGIC: Final = float(2**52 + 2**51)
"""Added to a double, it moves the integer part to the low bits of the mantissa, rounded."""


def low_bits(number: float) -> int:
    """The low 32 bits of a number, as the hardware's rounding gives them. O(1)."""
    if type(number) is int and -(2**51) < number < 2**51:
        return number & MASK
    return int.from_bytes(struct.pack("<d", number + MAGIC)[:4], "little")


def signed(bits: int) -> int:
    """32 bits as a signed number."""
    bits &= MASK
    return bits - (1 << 32) if bits & 0x80000000 else bits


def swapped(bits: int) -> int:
    """The four bytes in reverse order."""
    return int.from_bytes(bits.to_bytes(4, "little"), "big")


UNARY: Final[dict[str, Callable[[int], int]]] = {"tobit": int, "bnot": lambda bits: ~bits, "bswap": swapped}
FOLDS: Final[dict[str, Callable[[int, int], int]]] = {
    "band": lambda a, b: a & b,
    "bor": lambda a, b: a | b,
    "bxor": lambda a, b: a ^ b,
}
SHIFTS: Final[dict[str, Callable[[int, int], int]]] = {
    "lshift": lambda bits, n: bits << n,
    "rshift": lambda bits, n: bits >> n,
    "arshift": lambda bits, n: signed(bits) >> n,
    "rol": lambda bits, n: bits << n | bits >> (32 - n),
    "ror": lambda bits, n: bits << (32 - n) | bits >> n,
}


class BitLibrary:
    """The functions of `bit` for one interpreter."""

    __slots__ = ("_lua",)

    def __init__(self, lua: Interpreter) -> None:
        self._lua: Final = lua
        for name, unary in UNARY.items():
            lua.define("bit", name, self._unary(unary))
        for name, fold in FOLDS.items():
            lua.define("bit", name, self._fold(fold))
        for name, shift in SHIFTS.items():
            lua.define("bit", name, self._shift(shift))
        lua.define("bit", "tohex", self.tohex)

    def _unary(self, operation: Callable[[int], int]) -> Callable[..., LuaValue]:
        return lambda *words: signed(operation(low_bits(Arguments(self._lua, words).number(1))))

    def _fold(self, operation: Callable[[int, int], int]) -> Callable[..., LuaValue]:
        def run(*words: LuaValue) -> LuaValue:
            given = Arguments(self._lua, words)
            bits = low_bits(given.number(1))
            for position in range(len(words), 1, -1):
                bits = operation(bits, low_bits(given.number(position)))
            return signed(bits)

        return run

    def _shift(self, operation: Callable[[int, int], int]) -> Callable[..., LuaValue]:
        def run(*words: LuaValue) -> LuaValue:
            given = Arguments(self._lua, words)
            bits = low_bits(given.number(1))
            return signed(operation(bits, low_bits(given.number(2)) & 31))

        return run

    def tohex(self, *words: LuaValue) -> LuaValue:
        """`bit.tohex(x, n)`: the last `n` hexadecimal digits, in capitals if `n` is negative."""
        given = Arguments(self._lua, words)
        bits = low_bits(given.number(1))
        digits = signed(low_bits(given.number(2))) if len(words) > 1 else 8
        count = min(abs(digits), 8)
        text = (b"%08X" if digits < 0 else b"%08x") % bits
        return text[8 - count :]
