"""Dots on lanes: what was sampled, what was thrown out, what a power cut has taken.

A lane is a row of things, each at a place on an axis and in a state, which is a word. A state has a colour
and a shape, so that either tells it. Where dots would cover each other they are stacked, so that a lane of a
thousand keys shows by its height where they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from cutaway.viz.pictures import Picture
from cutaway.viz.scales import ticks
from cutaway.viz.svg import Markup, circle, drawing, join, path, rect, tag, text, width_of

Dot = tuple[float, str]
_WIDTH: Final = 560


def _disc(x: float, y: float, r: float, hue: str) -> Markup:
    return circle(x, y, r, f"cv-full {hue}")


def _ring(x: float, y: float, r: float, hue: str) -> Markup:
    return circle(x, y, r - 0.5, f"cv-ring {hue}")


def _cross(x: float, y: float, r: float, hue: str) -> Markup:
    return path(f"M{x - r:.1f} {y - r:.1f}l{2 * r} {2 * r}m0 -{2 * r}l-{2 * r} {2 * r}", f"cv-ring {hue}")


def _square(x: float, y: float, r: float, hue: str) -> Markup:
    return path(f"M{x - r:.1f} {y - r:.1f}h{2 * r}v{2 * r}h-{2 * r}z", f"cv-full {hue}")


def _diamond(x: float, y: float, r: float, hue: str) -> Markup:
    return path(
        f"M{x:.1f} {y - r - 1:.1f}l{r + 1} {r + 1}l-{r + 1} {r + 1}l-{r + 1} -{r + 1}z", f"cv-full {hue}"
    )


def _triangle(x: float, y: float, r: float, hue: str) -> Markup:
    return path(f"M{x:.1f} {y - r - 0.5:.1f}l{r + 0.5} {2 * r}h-{2 * r + 1}z", f"cv-full {hue}")


_SHAPES: Final[Sequence[tuple[Callable[[float, float, float, str], Markup], str]]] = (
    (_disc, "cv-h6"), (_cross, "cv-h1"), (_ring, "cv-h2"), (_square, "cv-h3"), (_diamond, "cv-h4"), (_triangle, "cv-h5"),
)  # fmt: skip


def sampling(
    lanes: Mapping[str, Iterable[Dot]], across: str, *, states: Sequence[str] = (), title: str = ""
) -> Picture:
    """Show keys as dots: for each lane (place on the axis, state) of every key. O(dots).

    `across` says what the axis is, such as "idle time, seconds". States are words such as "kept" and
    "evicted"; they get their looks in the order of `states`, then of appearance: a grey dot, a cross, a ring,
    a square, a diamond, a triangle.
    """
    rows = {name: list(dots) for name, dots in lanes.items()}
    known = list(dict.fromkeys([*states, *(state for dots in rows.values() for _, state in dots)]))
    places = [place for dots in rows.values() for place, _ in dots]
    low, high = min(places, default=0), max(places, default=1)
    left = max((width_of(name) for name in rows), default=0) + 14
    span = (high - low) or 1
    radius = 4.5 if max(map(len, rows.values()), default=0) <= 150 else 2.5

    def x_of(place: float) -> float:
        return left + radius + (place - low) / span * _WIDTH

    parts: list[Markup] = []
    y = 6.0
    for name, dots in rows.items():
        stacked, tallest = _stack(dots, x_of, 2 * radius + 1)
        base = y + tallest * (2 * radius + 1) + radius
        parts.append(path(f"M{left:g} {base + radius + 3:g}h{_WIDTH + 2 * radius:g}", "cv-faint"))
        parts.append(text(0, base + 3, name, "cv-bold"))
        for x, level, state in stacked:
            shape, hue = _SHAPES[known.index(state) % len(_SHAPES)]
            parts.append(shape(x, base - level * (2 * radius + 1), radius, hue))
        y = base + radius + 16
    for place, words in ticks(low, high):
        parts.append(text(x_of(place), y + 6, words, "cv-mid cv-small"))
    parts.append(text(left + _WIDTH / 2, y + 24, across, "cv-mid"))
    summary = "; ".join(f"{name}: {_tally(dots, known)}" for name, dots in rows.items()) or "no keys"
    svg = drawing(parts, left + _WIDTH + 24, y + 32, title or "Keys as dots", summary)
    return Picture(join([svg, _legend(known)]), "\n".join(_lines(rows, known, across)), title)


def _stack(
    dots: Sequence[Dot], x_of: Callable[[float], float], size: float
) -> tuple[list[tuple[float, int, str]], int]:
    """Where each dot goes: (x, how many levels up, state), and the highest level. O(dots * levels)."""
    last: list[float] = []
    found = []
    for place, state in sorted(dots, key=lambda dot: dot[0]):
        x = x_of(place)
        level = next((level for level, end in enumerate(last) if end <= x - size), len(last))
        last[level : level + 1] = [x]
        found.append((x, level, state))
    return found, max(len(last) - 1, 0)


def _legend(states: Sequence[str]) -> Markup:
    """Which look is which state."""
    marks = []
    for number, state in enumerate(states):
        shape, hue = _SHAPES[number % len(_SHAPES)]
        svg = f'<svg width="14" height="14" aria-hidden="true">{shape(7, 7, 4.5, hue)}</svg>'
        marks.append(tag("span", join([svg, tag("span", state)]), "cv-key"))
    return tag("div", join(marks), "cv-keys")


def _tally(dots: Sequence[Dot], states: Sequence[str]) -> str:
    """How many dots are in each state."""
    counts = Counter(state for _, state in dots)
    return ", ".join(f"{counts[state]} {state}" for state in states if counts[state])


def _lines(rows: Mapping[str, Sequence[Dot]], states: Sequence[str], across: str) -> list[str]:
    """The dots as text: for each lane and state, where they are."""
    found = [f"places are {across}"]
    for name, dots in rows.items():
        found.append(f"{name}: {_tally(dots, states)}")
        for state in states:
            places = sorted(place for place, theirs in dots if theirs == state)
            if places:
                found.append(f"    {state:10} {' '.join(f'{place:g}' for place in places)}")
    return found


def power_cut(
    lanes: Mapping[str, Sequence[tuple[float, bool]]],
    fsyncs: Mapping[str, Sequence[float]],
    cut: float,
    *,
    title: str = "",
) -> Picture:
    """Show writes in time, for each lane (seconds, survived), the moments of fsync, and when the power went. O(n)."""
    left, step = max((width_of(name) for name in lanes), default=0) + 20, 46

    def x_of(seconds: float) -> float:
        return left + seconds / cut * _WIDTH

    parts: list[Markup] = []
    found = [f"the power goes at {cut:g} s"]
    for row, (name, writes) in enumerate(lanes.items()):
        y = 24 + step * row + step // 2
        kept, lost = ([at for at, survived in writes if survived is state] for state in (True, False))
        synced = fsyncs.get(name, ())
        parts += [text(0, y + 4, name, "cv-bold"), path(f"M{left - 8:g} {y}H{x_of(cut):g}", "cv-faint")]
        parts += [rect(x_of(at) - 1.5, y - 15, 3, 30, "cv-full cv-h2") for at in synced]
        parts += [_disc(x_of(at), y, 4.5, "cv-h3") for at in kept]
        parts += [_cross(x_of(at), y, 4.5, "cv-h1") for at in lost]
        found.append(f"{name}: {len(kept)} of {len(writes)} survived")
        found += [
            f"    {word:8} {' '.join(f'{at:g}' for at in moments)}".rstrip()
            for word, moments in (("survived", kept), ("lost", lost), ("fsync", synced))
        ]
    bottom = 24 + step * len(lanes)
    parts.append(path(f"M{x_of(cut):g} 18V{bottom}", "cv-way cv-h1"))
    parts.append(text(x_of(cut), 12, "the power goes", "cv-mid cv-h1 cv-ink cv-bold"))
    words = "A dot has survived, a cross is lost; a bar is an fsync."
    summary = " ".join([words, *(line for line in found if "survived" in line and line[0] != " ")])
    svg = drawing(parts, left + _WIDTH + 52, bottom + 4, title or "Writes and a power cut", summary)
    return Picture(join([svg, tag("div", words, "cv-note")]), "\n".join(found), title)
