"""Round numbers along an axis, written as a person writes them."""

from __future__ import annotations

import math


def ticks(low: float, high: float, most: int = 6) -> list[tuple[float, str]]:
    """At most `most` round places from `low` to `high`, in steps of 1, 2 or 5 times a power of ten, and their names."""
    if high <= low:
        return [(low, number(low))]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10, 20) if size * power >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(at * step, number(at * step)) for at in range(first, last + 1)]


def ticks_around(low: float, high: float) -> list[tuple[float, str]]:
    """Such places as `ticks` finds, from at or below `low` to at or above `high`, which must be more."""
    inside = ticks(low, high)
    step = inside[1][0] - inside[0][0]
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [(at * step, number(at * step)) for at in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 7) -> tuple[float, float, list[tuple[float, str]]]:
    """A logarithmic axis for these positive numbers: its ends, the round places on it, and their names.

    Its ends are 1, 2 or 5 times a power of ten. So are its places, or, if that makes more than `most`, they
    are the powers of ten alone.
    """
    start, end = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = [digit * 10.0**power for power in range(start, end + 1) for digit in (1, 2, 5)]
    first = max(at for at, step in enumerate(steps) if step <= low * (1 + 1e-9))
    last = min(at for at, step in enumerate(steps) if step >= high * (1 - 1e-9))
    places = steps[first : max(last, first + 1) + 1]
    named = places
    if len(places) > most:
        named = [10.0**power for power in range(start, end + 1) if places[0] <= 10.0**power <= places[-1]]
    return places[0], places[-1], [(place, number(place)) for place in named]


def number(value: float) -> str:
    """A number in a few characters: 1500 is 1.5 k."""
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g} {name}"
    return f"{value:.4g}"
