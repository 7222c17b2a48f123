"""Small charts for experiments: bars, and lines through points.

A chart is as wide as its page allows, up to a width at which it is easily read, and its words keep their size.
So its parts are placed in per cent, and only the lines are a drawing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cutaway.viz.palette import HUES, hue
from cutaway.viz.pictures import Picture
from cutaway.viz.scales import log_ticks, ticks_around
from cutaway.viz.svg import Markup, join, path, tag, width_of

_NAME_HEIGHT: Final = 6.0
"""How much of a plot, in per cent, a line of text is high."""
_DASHES: Final = ("", "7 4", "2 4", "10 4 2 4", "1 6")
Points = Sequence[tuple[float, float]]


def bars(values: Mapping[str, float], unit: str = "", *, title: str = "") -> Picture:
    """Show numbers side by side, none of them negative; the longest bar fills the width."""
    most = max(values.values(), default=0) or 1
    hues = [hue(place if len(values) <= HUES else 1) for place in range(len(values))]
    rows = []
    for place, (name, value) in enumerate(values.items()):
        bar = tag("div", "", f"cv-bar {hues[place]}", style=f"width:{100 * value / most:.1f}%")
        figure = tag("div", f"{_amount(value)} {unit}".rstrip(), "cv-figure")
        rows += [tag("div", name, "cv-name"), tag("div", bar, "cv-track"), figure]
    body = tag("div", join(rows), "cv-bars", role="group", aria_label=title or "bars")
    wide = max(map(len, values), default=0)
    found = [
        f"{name:>{wide}}  {'█' * max(round(30 * value / most), value > 0):<30}  {_amount(value)} {unit}".rstrip()
        for name, value in values.items()
    ]
    return Picture(body, "\n".join(found), title)


def _amount(value: float) -> str:
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
        low, high, marks = log_ticks(low, high)
        return _Axis(low, high, marks, logarithmic)
    low, high = min(low, 0), high if high > 0 else 1
    marks = ticks_around(low, high)
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

    Axes that are not logarithmic begin at zero, or lower. Each line has its name at its end, and on a narrow
    page in a legend below.
    """
    x_axis = _axis([x for points in series.values() for x, _ in points], logarithmic="x" in log)
    y_axis = _axis([y for points in series.values() for _, y in points], logarithmic="y" in log)
    spots = {
        name: [(100 * x_axis.share(x), 100 * y_axis.share(y)) for x, y in points]
        for name, points in series.items()
    }
    parts = [_lines(x_axis, y_axis, list(spots.values()))]
    parts += [_place("cv-tick", words, 100 * x_axis.share(at), -2) for at, words in x_axis.marks]
    parts += [_place("cv-tick cv-left", words, 0, 100 * y_axis.share(at)) for at, words in y_axis.marks]
    for order, (name, points) in enumerate(series.items()):
        hints = (f"{name}: {_amount(x)}, {_amount(y)}" for x, y in points)
        parts += [
            _place(f"cv-point {hue(order)}", "", x, y, hint)
            for (x, y), hint in zip(spots[name], hints, strict=True)
        ]
    parts += _names(spots)
    room = max((width_of(name) * 1.1 for name in series), default=0) + 12
    keys = [tag("span", join([_sample(at), tag("span", name)]), "cv-key") for at, name in enumerate(series)]
    body = [
        tag("div", up, "cv-up"),
        tag("div", join(parts), "cv-area", style=f"margin-right:{room:.0f}px"),
        tag("div", across, "cv-across"),
        tag("div", join(keys), "cv-keys"),
    ]
    summary = f"{up} by {across}: {', '.join(series)}."
    chart = tag("div", join(body), "cv-plot", role="img", aria_label=title or summary)
    return Picture(chart, _table(series, across, up), title)


def _place(look: str, words: str, left: float, bottom: float, hint: str = "") -> Markup:
    """Something at a place of the plot, which is in per cent, so that it keeps its size on a page of any width."""
    hints = {"title": hint} if hint else {}
    return tag("span", words, look, style=f"left:{left:.2f}%;bottom:{bottom:.2f}%", **hints)


def _lines(x_axis: _Axis, y_axis: _Axis, series: Sequence[Points]) -> Markup:
    """The grid and the lines, in a drawing that is stretched to the plot; its strokes are not."""
    grid = [f"M{100 * x_axis.share(at):.2f} 0v100" for at, _ in x_axis.marks]
    grid += [f"M0 {100 - 100 * y_axis.share(at):.2f}h100" for at, _ in y_axis.marks]
    parts = [path("".join(grid), "cv-faint")]
    for order, spots in enumerate(series):
        if spots:
            steps = "L".join(f"{x:.2f} {100 - y:.2f}" for x, y in spots)
            parts.append(_stroke(f"M{steps}", order))
    attributes = 'viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true"'
    return Markup(f"<svg {attributes}>{join(parts)}</svg>")


def _stroke(steps: str, order: int) -> Markup:
    """A line in the colour and with the dashes of the series with this number."""
    dashes = _DASHES[order % len(_DASHES)]
    attributes = {"stroke_dasharray": dashes} if dashes else {}
    return tag("path", Markup(), f"cv-way cv-thin {hue(order)}", d=steps, **attributes)


def _sample(order: int) -> Markup:
    """A piece of a line, for the legend."""
    return Markup(f'<svg width="30" height="8" aria-hidden="true">{_stroke("M0 4h30", order)}</svg>')


def _names(spots: Mapping[str, Points]) -> list[Markup]:
    """The name of each line at its end; names of lines that end close together are moved apart."""
    ends = sorted(
        (points[-1][1], points[-1][0], name, order)
        for order, (name, points) in enumerate(spots.items())
        if points
    )
    parts = []
    lowest = -100.0
    for y, x, name, order in ends:
        lowest = max(y, lowest + _NAME_HEIGHT)
        parts.append(_place(f"cv-name {hue(order)}", name, x, lowest))
    return parts


def _table(series: Mapping[str, Points], across: str, up: str) -> str:
    """The points as text: a line for each x, a column for each series."""
    by_name = {name: dict(points) for name, points in series.items()}
    xs = sorted({x for points in by_name.values() for x in points})
    rows = [[across, *by_name]]
    for x in xs:
        found = [points.get(x) for points in by_name.values()]
        rows.append([_amount(x), *("" if y is None else _amount(y) for y in found)])
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.rjust(size) for cell, size in zip(row, wide, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([up, *lines])
