"""Small charts for experiments: bars, and lines through points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cutaway.viz.palette import hue
from cutaway.viz.pictures import Picture
from cutaway.viz.scales import number, powers, ticks
from cutaway.viz.svg import Markup, circle, drawing, join, path, tag, text, width_of

_WIDTH: Final = 470
_HEIGHT: Final = 250
_LEFT: Final = 64
_TOP: Final = 14
_DASHES: Final = ("", "7 4", "2 4", "10 4 2 4", "1 6")
Points = Sequence[tuple[float, float]]


def bars(values: Mapping[str, float], unit: str = "", *, title: str = "") -> Picture:
    """Show numbers side by side, none of them negative; the longest bar fills the width."""
    most = max(values.values(), default=0) or 1
    rows = []
    for place, (name, value) in enumerate(values.items()):
        bar = tag("div", "", f"cv-bar {hue(place)}", style=f"width:{100 * value / most:.1f}%")
        figure = tag("div", f"{amount(value)} {unit}".rstrip(), "cv-figure")
        rows += [tag("div", name, "cv-name"), tag("div", bar, "cv-track"), figure]
    body = tag("div", join(rows), "cv-bars", role="group", aria_label=title or "bars")
    wide = max(map(len, values), default=0)
    found = [
        f"{name:>{wide}}  {'█' * max(round(30 * value / most), value > 0):<30}  {amount(value)} {unit}".rstrip()
        for name, value in values.items()
    ]
    return Picture(body, "\n".join(found), title)


def amount(value: float) -> str:
    """A number as a table has it: whole if large, with three digits that count if small."""
    return f"{value:,.0f}" if value == 0 or abs(value) >= 100 else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis: from where to where, in what steps, and whether these are powers of ten."""

    low: float
    high: float
    marks: list[tuple[float, str]]
    logarithmic: bool

    def share(self, value: float) -> float:
        """How far along the axis a value is, from 0 to 1."""
        if self.logarithmic:
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)


def _axis(values: Sequence[float], *, logarithmic: bool) -> _Axis:
    low, high = min(values, default=1), max(values, default=10)
    if logarithmic:
        marks = list(powers(low, high))
        if len(marks) == 1:
            marks.append((marks[0][0] * 10, number(marks[0][0] * 10)))
    else:
        low, high = min(low, 0), high if high > 0 else 1
        step = ticks(low, high)
        last = step[-1][0] + (step[-1][0] - step[-2][0]) if step[-1][0] < high else step[-1][0]
        marks = ticks(low, last)
    return _Axis(marks[0][0], marks[-1][0], marks, logarithmic)


def plot(
    series: Mapping[str, Points],
    across: str,
    up: str,
    *,
    log: Literal["", "x", "y", "xy"] = "xy",
    title: str = "",
) -> Picture:
    """Plot series of points (x, y); `log` names the axes that are logarithmic, on which all must be positive.

    Axes that are not logarithmic begin at zero, or lower. Each line has its name at its end.
    """
    x_axis = _axis([x for points in series.values() for x, _ in points], logarithmic="x" in log)
    y_axis = _axis([y for points in series.values() for _, y in points], logarithmic="y" in log)
    bottom = _TOP + _HEIGHT

    def spot(x: float, y: float) -> tuple[float, float]:
        return _LEFT + x_axis.share(x) * _WIDTH, bottom - y_axis.share(y) * _HEIGHT

    parts: list[Markup] = []
    for value, words in x_axis.marks:
        x, _ = spot(value, y_axis.low)
        parts += [path(f"M{x:g} {_TOP}V{bottom}", "cv-faint"), text(x, bottom + 18, words, "cv-mid")]
    for value, words in y_axis.marks:
        _, y = spot(x_axis.low, value)
        parts += [path(f"M{_LEFT} {y:g}h{_WIDTH}", "cv-faint"), text(_LEFT - 8, y + 4, words, "cv-end")]
    ends = []
    for place, (name, points) in enumerate(series.items()):
        spots = [spot(x, y) for x, y in points]
        parts.append(line(spots, place))
        hints = (f"{name}: {amount(x)}, {amount(y)}" for x, y in points)
        parts += [
            circle(x, y, 3.5, f"cv-full {hue(place)}", hint)
            for (x, y), hint in zip(spots, hints, strict=True)
        ]
        if spots:
            ends.append((spots[-1][1], spots[-1][0], name, place))
    lowest = -math.inf
    for y, x, name, place in sorted(ends):
        lowest = max(y, lowest + 14)  # names of lines that end close together are moved apart
        parts.append(text(x + 10, lowest + 4, name, f"cv-ink cv-bold {hue(place)}"))
    parts.append(text(_LEFT + _WIDTH / 2, bottom + 38, across, "cv-mid"))
    turned = f"translate(14 {_TOP + _HEIGHT / 2:g}) rotate(-90)"
    parts.append(tag("text", up, "cv-mid", transform=turned))
    width = _LEFT + _WIDTH + 16 + max((width_of(name) * 1.08 for name in series), default=0)
    summary = f"{up} by {across}: {', '.join(series)}."
    svg = drawing(parts, width, bottom + 46, title or summary, summary)
    return Picture(svg, table(series, across, up), title)


def line(spots: Sequence[tuple[float, float]], place: int) -> Markup:
    """A line through spots, dashed as its series is."""
    dashes = _DASHES[place % len(_DASHES)]
    steps = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots) if spots else ""
    look = f"cv-way cv-thin {hue(place)}"
    return tag("path", Markup(), look, d=steps, stroke_dasharray=dashes) if dashes else path(steps, look)


def table(series: Mapping[str, Points], across: str, up: str) -> str:
    """The points as text: a line for each x, a column for each series."""
    by_name = {name: dict(points) for name, points in series.items()}
    xs = sorted({x for points in by_name.values() for x in points})
    rows = [[across, *by_name]]
    for x in xs:
        found = [points.get(x) for points in by_name.values()]
        rows.append([amount(x), *("" if y is None else amount(y) for y in found)])
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.rjust(size) for cell, size in zip(row, wide, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([up, *lines])
