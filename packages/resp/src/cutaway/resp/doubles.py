"""Doubles as text, exactly as the server prints them.

Redis 7.2 and Valkey print the shortest digits that read back as the same number (Redis 7.0 still printed
17 digits, so that 0.1 came out as 0.10000000000000001). Python's ``repr`` finds those digits too; only
the layout around them differs: where Python has ``1e-07`` and ``1e+16``, the server has ``1e-7`` and
``10000000000000000``. A number is digits times ten to the power K, and the server writes

* a whole number up to 2**62 as the integer it is, and a larger one plainly if that takes few zeros,
* a fraction plainly while K is above -7 or the first digit stands within four places of the point,
* and everything else with an exponent that has a sign and no leading zeros.

One difference remains: the server's algorithm, Grisu2, trades perfection for speed. For about four doubles in
a thousand it finds digits that read back as the same number but are not the shortest, or not the nearest
(for 1e23, 99999999999999990000000). Here they always are.

Source: ``d2string()`` in util.c of Redis 7.2, ``emit_digits()`` in its deps/fpconv.
"""

from __future__ import annotations

from math import copysign, isfinite, isnan
from typing import Final

_PLAIN_ZEROS: Final = 7
_WHOLE: Final = 2.0**62  # up to here a double that is whole is printed as the integer it is


def format_double(value: float) -> bytes:
    """Return the text of a double: ``3``, ``3.5``, ``1e+30``, ``-0``, ``inf``, ``-inf``, ``nan``. O(1)."""
    if -_WHOLE <= value <= _WHOLE and value == (whole := int(value)):
        return b"%d" % whole if whole or copysign(1.0, value) > 0 else b"-0"
    if not isfinite(value):
        return b"nan" if isnan(value) else b"inf" if value > 0 else b"-inf"
    sign = "-" if value < 0 else ""
    return (sign + _lay_out(*_shortest_digits(abs(value)))).encode()


def _shortest_digits(value: float) -> tuple[str, int]:
    """Return digits and K, such that the value is the digits times ten to the power K."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    power = int(exponent or 0) - len(fraction)
    stripped = digits.rstrip("0")
    return stripped, power + len(digits) - len(stripped)


def _lay_out(digits: str, power: int) -> str:
    exponent = power + len(digits) - 1
    if power >= 0 and abs(exponent) < len(digits) + _PLAIN_ZEROS:
        return digits + "0" * power
    if power < 0 and (power > -_PLAIN_ZEROS or abs(exponent) < 4):
        point = len(digits) + power
        return f"{digits[:point]}.{digits[point:]}" if point > 0 else f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{exponent:+d}"
