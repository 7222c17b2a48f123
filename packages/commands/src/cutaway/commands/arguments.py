"""From the bytes of an argument to a number, with Redis's strictness.

Redis takes an integer only in its canonical form: no plus sign, no leading zero, no blanks, no underscore, and it has
to fit 64 bits. Python's `int()` is laxer, so the result is printed again and compared: equal bytes are the proof.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from cutaway.commands import errors

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
INT32_MIN: Final = -(2**31)
INT32_MAX: Final = 2**31 - 1
MOST_DIGITS: Final = 300
"""A whole number of fewer digits is in the range of a double."""

_HEX_FLOAT: Final = re.compile(rb"[+-]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*([pP][+-]?\d+)?")
_DECIMAL_FLOAT: Final = re.compile(
    rb"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf(inity)?|nan)", re.IGNORECASE
)

_NOT_ZERO: Final = re.compile(rb"[^eEpP]*?[1-9]")
"""A digit other than 0 before the exponent."""


_SMALL: Final = {b"%d" % number: number for number in range(-128, 1024)}
"""Ranks, counts and amounts are small as a rule, and to look them up takes half as long as to read them."""


def integer_or_none(text: bytes) -> int | None:
    """The 64-bit integer that `text` is the canonical spelling of, or None. O(len)."""
    if len(text) > 20:
        return None
    try:
        value = int(text)
    except ValueError:
        return None
    if b"%d" % value != text or not INT64_MIN <= value <= INT64_MAX:
        return None
    return value


def integer(text: bytes, error: errors.CommandError = errors.NOT_AN_INTEGER) -> int:
    """As `integer_or_none`, but raises `error` where that gives None."""
    value = _SMALL.get(text)
    if value is None:
        value = integer_or_none(text)
    if value is None:
        raise error
    return value


def integer_between(text: bytes, low: int, high: int, error: errors.CommandError | None = None) -> int:
    """An integer within [low, high]. `error` answers whatever is wrong with it; without one, the text names the bounds."""
    value = integer(text, errors.NOT_AN_INTEGER if error is None else error)
    if not low <= value <= high:
        raise errors.out_of_range(low, high) if error is None else error
    return value


def small_integer(text: bytes) -> int:
    """An integer that fits 32 bits, as database numbers do."""
    return integer_between(text, INT32_MIN, INT32_MAX)


def positive(text: bytes, error: errors.CommandError = errors.NOT_POSITIVE) -> int:
    """An integer of zero or more. `error` answers anything else, a text that is no integer included."""
    return integer_between(text, 0, INT64_MAX, error)


def random_count(words: Sequence[bytes], with_word: bytes) -> tuple[int, bool]:
    """The count of HRANDFIELD and ZRANDMEMBER, and whether `with_word` (lower case) follows it."""
    count = integer(words[0])
    if count == INT64_MIN:
        raise errors.CommandError(
            f"ERR value is out of range, value must between {-INT64_MAX} and {INT64_MAX}"
        )
    if len(words) == 1:
        return count, False
    if len(words) > 2 or words[1].lower() != with_word:
        raise errors.SYNTAX
    if not -INT64_MAX // 2 <= count <= INT64_MAX // 2:
        raise errors.OUT_OF_RANGE
    return count, True


def strtod(text: bytes) -> float | None:
    """What C's strtod makes of the whole of `text`: decimal, hexadecimal, inf; None for anything else and for nan.

    A number too large for a double is an infinity, one too small is zero.
    """
    try:
        value = float(text)
    except ValueError:
        if _HEX_FLOAT.fullmatch(text) is None:
            return None
        try:
            value = float.fromhex(text.decode("ascii"))
        except ValueError:
            return None
        except OverflowError:
            return -math.inf if text[:1] == b"-" else math.inf
    else:
        if not text.isalnum() and _DECIMAL_FLOAT.fullmatch(text) is None:
            return None  # blanks and underscores, which Python takes and strtod does not
    return None if value != value else value  # noqa: PLR0124 - a NaN, told without a call


def number_or_none(text: bytes) -> float | None:
    """As `strtod`, but None too where that could not represent the number: too large, or too small and not zero."""
    if text.isdigit() and len(text) < MOST_DIGITS:
        return float(text)
    value = strtod(text)
    if value is None or (value and -math.inf < value < math.inf):
        return value
    if value:
        return None if any(digit in text for digit in b"0123456789") else value
    mantissa = text.lower().partition(b"p" if b"x" in text.lower() else b"e")[0]
    return None if any(digit in mantissa for digit in b"123456789abcdef") else value


def number(text: bytes, error: errors.CommandError = errors.NOT_A_FLOAT) -> float:
    """As `number_or_none`, but raises `error` where that gives None."""
    value = number_or_none(text)
    if value is None:
        raise error
    return value


def timeout_deadline(text: bytes, now: int) -> int:
    """The moment, in milliseconds, at which a blocking command gives up; 0 for never. `text` is in seconds."""
    seconds = strtod(
        text
    )  # Redis reads a long double here: what is infinite to us is only out of range to it
    if seconds is None:
        raise errors.TIMEOUT_NOT_A_FLOAT
    milliseconds = seconds * 1000
    if milliseconds > INT64_MAX:
        raise errors.TIMEOUT_OUT_OF_RANGE
    if seconds < 0:
        raise errors.TIMEOUT_NEGATIVE
    if milliseconds == 0:
        return 0
    deadline = now + math.ceil(milliseconds)
    if deadline > INT64_MAX:
        raise errors.TIMEOUT_OUT_OF_RANGE
    return deadline
