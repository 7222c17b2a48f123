"""The extended precision of INCRBYFLOAT and HINCRBYFLOAT.

Redis does these sums in C's `long double`, which on x86-64 has 64 bits of significand (a Python float has 53), and prints
the result with 17 decimals, trailing zeros cut. Python has no such type, but it has exact fractions: parse exactly, round
to 64 significant bits, add, round again, print exactly. What comes out is what the hardware gives, digit for digit.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from cutaway.commands import errors

SIGNIFICAND_BITS: Final = 64
DECIMALS: Final = 17
MAX_EXPONENT: Final = 16384

_DECIMAL: Final = re.compile(rb"([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,5}))?")
_INFINITE: Final = re.compile(rb"[+-]?inf(inity)?", re.IGNORECASE)


def parse_long_double(text: bytes, error: errors.CommandError = errors.NOT_A_FLOAT) -> Fraction | None:
    """The number that `text` spells, rounded to a long double; None for an infinity; raises `error` if it is no number."""
    if len(text) > 256:
        raise error
    if _INFINITE.fullmatch(text):
        return None
    match = _DECIMAL.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        raise error
    sign, whole, decimals, exponent = match.groups()
    power = int(exponent or 0) - len(decimals)
    if abs(power) > 5000:
        raise error
    digits = int(whole + decimals)
    number = Fraction(digits) * Fraction(10) ** power
    return round_to_long_double(-number if sign == b"-" else number)


def round_to_long_double(number: Fraction) -> Fraction:
    """The nearest number that a long double can hold, ties to even; the exponent's limits aside."""
    if not number:
        return number
    exponent = abs(number.numerator).bit_length() - number.denominator.bit_length() - SIGNIFICAND_BITS
    scale = Fraction(2) ** exponent
    if abs(number / scale) >= 2**SIGNIFICAND_BITS:
        scale *= 2
    return round(number / scale) * scale


def format_long_double(number: Fraction) -> bytes:
    """As printf's `%.17Lf` writes it, trailing zeros and a trailing point cut."""
    scaled = round(abs(number) * 10**DECIMALS)
    whole, decimals = divmod(scaled, 10**DECIMALS)
    text = f"{whole}.{decimals:0{DECIMALS}d}".rstrip("0").rstrip(".")
    return (f"-{text}" if number < 0 and text != "0" else text).encode()


def add_long_doubles(
    current: bytes, increment: bytes, current_error: errors.CommandError = errors.NOT_A_FLOAT
) -> bytes:
    """The sum of two spelled numbers, spelled. Raises where either is no number, or the sum is not finite."""
    one = parse_long_double(current, current_error)
    other = parse_long_double(increment)
    if one is None or other is None:
        raise errors.NAN_OR_INFINITY
    result = round_to_long_double(one + other)
    if abs(result) >= Fraction(2) ** MAX_EXPONENT:
        raise errors.NAN_OR_INFINITY
    return format_long_double(result)
