"""Round numbers along an axis, written as a person writes them."""

from __future__ import annotations

import math
from collections.abc import Iterator


def ticks(low: float, high: float, most: int = 6) -> list[tuple[float, str]]:
    """At most `most` round places from `low` to `high`, in steps of 1, 2 or 5 times a power of ten, and their names."""
    if high <= low:
        return [(low, number(low))]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10, 20) if size * power >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(at * step, number(at * step)) for at in range(first, last + 1)]


def powers(low: float, high: float) -> Iterator[tuple[float, str]]:
    """The powers of ten from at or below `low` to at or above `high`, and their names."""
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield 10.0**power, number(10.0**power)


def number(value: float) -> str:
    """A number in a few characters: 1500 is 1.5 k."""
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g} {name}"
    return f"{value:.4g}"
