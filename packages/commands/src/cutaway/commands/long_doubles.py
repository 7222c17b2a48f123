"""The extended precision of INCRBYFLOAT and HINCRBYFLOAT.

Redis does these sums in C's `long double`, which on x86-64 has 64 bits of significand (a Python float has
53), and prints the result with 17 decimals, trailing zeros cut. Python has no such type, but its integers
have no end, and a long double is two of them: significand * 2 ** exponent. So: read the text as an exact
ratio, round that to 64 bits, add exactly, round again, print exactly. What comes out is what the hardware
gives, digit for digit.

Texts are those of strtold: decimal with an exponent to base 10, hexadecimal ("0x1.8p3" is 12) with one to
base 2, "inf" and "infinity". Like strtold, and so Redis, this refuses what is too large for a long double,
and what is so small that it would be zero though a digit is not. Denormals, which would have fewer bits,
are all far below the 17th decimal: nobody can see theirs.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from cutaway.commands import errors

SIGNIFICAND_BITS: Final = 64
DECIMALS: Final = 17
MAX_EXPONENT: Final = 16384
"""All finite long doubles are below 2 ** MAX_EXPONENT."""
MIN_EXPONENT: Final = -16446
"""What is not above 2 ** MIN_EXPONENT rounds to zero."""
MAX_TEXT: Final = 5 * 1024

_DECIMAL: Final = re.compile(rb"([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))(?:e([+-]?\d+))?", re.IGNORECASE)
_HEXADECIMAL: Final = re.compile(
    rb"([+-]?)0x(?:([0-9a-f]+)\.?([0-9a-f]*)|\.([0-9a-f]+))(?:p([+-]?\d+))?", re.IGNORECASE
)
_INFINITE: Final = re.compile(rb"[+-]?inf(inity)?", re.IGNORECASE)


class LongDouble(NamedTuple):
    """A finite number, significand * 2 ** exponent; the significand has a sign and at most 64 bits."""

    significand: int
    exponent: int


ZERO: Final = LongDouble(0, 0)


def parse_long_double(text: bytes, error: errors.CommandError = errors.NOT_A_FLOAT) -> LongDouble | None:
    """The number that `text` spells, None for an infinity; raises `error` if it is none, or out of range."""
    if len(text) >= MAX_TEXT:
        raise error
    match = _DECIMAL.fullmatch(text)
    base, base_of_exponent, exponent_of_digit = 10, 10, 1
    if match is None:
        if _INFINITE.fullmatch(text):
            return None
        match = _HEXADECIMAL.fullmatch(text)
        base, base_of_exponent, exponent_of_digit = 16, 2, 4
        if match is None:
            raise error
    sign, whole, decimals, only_decimals, power = match.groups()
    decimals = decimals or only_decimals or b""
    digits = _integer((whole or b"") + decimals, base)
    if not digits:
        return ZERO
    exponent = _integer(power or b"0", 10) - exponent_of_digit * len(decimals)
    if abs(exponent) > 2 * MAX_EXPONENT + 4 * MAX_TEXT:
        raise error
    scale = base_of_exponent ** abs(exponent)
    number = rounded(digits * scale, 1) if exponent >= 0 else rounded(digits, scale)
    is_zero = (number.significand - 1).bit_length() + number.exponent <= MIN_EXPONENT
    if is_zero or _magnitude(number) > MAX_EXPONENT:
        raise error
    return LongDouble(-number.significand, number.exponent) if sign == b"-" else number


def rounded(numerator: int, denominator: int) -> LongDouble:
    """The nearest long double to a ratio, ties to even, exponents without limits; denominator > 0."""
    if not numerator:
        return ZERO
    top, bottom = abs(numerator), denominator
    exponent = top.bit_length() - bottom.bit_length() - SIGNIFICAND_BITS
    if exponent > 0:
        bottom <<= exponent
    else:
        top <<= -exponent
    if top >> SIGNIFICAND_BITS >= bottom:
        bottom <<= 1
        exponent += 1
    significand, rest = divmod(top, bottom)
    if 2 * rest > bottom or (2 * rest == bottom and significand & 1):
        significand += 1
    return LongDouble(-significand if numerator < 0 else significand, exponent)


def plus(one: LongDouble, other: LongDouble) -> LongDouble:
    """The sum, rounded once."""
    exponent = min(one.exponent, other.exponent)
    total = (one.significand << one.exponent - exponent) + (other.significand << other.exponent - exponent)
    return rounded(total << exponent, 1) if exponent > 0 else rounded(total, 1 << -exponent)


def format_long_double(number: LongDouble) -> bytes:
    """As printf's `%.17Lf` writes it, trailing zeros and a trailing point cut, and no sign before a zero."""
    scaled = abs(number.significand) * 10**DECIMALS
    if number.exponent >= 0:
        scaled <<= number.exponent
    else:
        scaled = _shifted_right(scaled, -number.exponent)
    whole, decimals = divmod(scaled, 10**DECIMALS)
    # Decimal prints integers of any length; str() stops at 4300 digits.
    text = f"{Decimal(whole)}.{decimals:0{DECIMALS}d}".rstrip("0").rstrip(".")
    return (f"-{text}" if number.significand < 0 and text != "0" else text).encode()


def add_long_doubles(
    current: bytes, increment: bytes, current_error: errors.CommandError = errors.NOT_A_FLOAT
) -> bytes:
    """The sum of two spelled numbers, spelled. Raises where either is no number, or the sum is not finite."""
    one = parse_long_double(current, current_error)
    other = parse_long_double(increment)
    if one is None or other is None:
        raise errors.NAN_OR_INFINITY
    result = plus(one, other)
    if _magnitude(result) > MAX_EXPONENT:
        raise errors.NAN_OR_INFINITY
    return format_long_double(result)


def _integer(digits: bytes, base: int) -> int:
    """Digits of any length as an integer; int() alone stops at 4300 decimal ones."""
    return int(Decimal(digits.decode())) if base == 10 else int(digits, base)


def _magnitude(number: LongDouble) -> int:
    """The exponent of the smallest power of two that is greater."""
    return number.significand.bit_length() + number.exponent


def _shifted_right(number: int, count: int) -> int:
    """Divide by 2 ** count, to the nearest integer, ties to even."""
    quotient = number >> count
    rest = number - (quotient << count)
    half = 1 << count - 1
    return quotient + (rest > half or (rest == half and quotient & 1))
