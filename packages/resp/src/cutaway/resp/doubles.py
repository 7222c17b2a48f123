"""Doubles as text, exactly as the server prints them.

Redis prints a double with 17 significant digits only when it must: it writes the shortest digits that read
back as the same number. Python's ``repr`` does the same (both follow Steele and White, and Gay's and
Adams's later algorithms), so only the layout of those digits differs.
"""

from __future__ import annotations

from math import isinf, isnan


def format_double(value: float) -> bytes:
    """Return the text of a double: ``3``, ``3.5``, ``1e+20``, ``inf``, ``-inf``, ``nan``. O(1)."""
    if value == (whole := int(value) if abs(value) < 2**53 else None):
        return b"-0" if whole == 0 and str(value)[0] == "-" else b"%d" % whole
    if isinf(value):
        return b"inf" if value > 0 else b"-inf"
    if isnan(value):
        return b"nan"
    return repr(value).encode()
