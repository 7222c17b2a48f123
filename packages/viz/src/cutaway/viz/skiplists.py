"""A skip list as it stands: a tower for each node, a link for each stop, and the way of a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.datastructures.skiplists import Step, Tower
from cutaway.viz.pictures import Picture
from cutaway.viz.svg import Markup, arrow, drawing, path, rect, spell, tag, text, width_of

_CELL: Final = 22
_STEP: Final = 30
Stops = dict[tuple[int, int], int]


def skiplist(towers: Sequence[Tower], way: Sequence[Step] = (), *, title: str = "") -> Picture:
    """Show the towers of `SkipList.snapshot()`; above each link its span. O(nodes).

    `way` is what `SkipList.search_path` returns: its stops are numbered and its links drawn strong. A link
    that leads nowhere is a stub.
    """
    names = [_label(towers, at) for at in range(len(towers))]
    stops = _number_stops(towers, way)
    lanes = max(len(tower.spans) for tower in towers)
    width = max(46, *(width_of(name) + 12 for name, _ in names))
    ground = _STEP * lanes + 10
    links: list[Markup] = []
    boxes: list[Markup] = []
    for at, tower in enumerate(towers):
        left = at * width + width / 2 - _CELL / 2
        for lane, span in enumerate(tower.spans):
            links += _draw_link(towers, stops, at, lane, span, left, width, ground - _STEP * lane - 11)
            boxes += _draw_stop(stops.get((at, lane)), left, ground - _STEP * lane - 25)
        name, score = names[at]
        boxes.append(text(left + 11, ground + 18, name, "cv-mid"))
        boxes.append(text(left + 11, ground + 34, score, "cv-mid cv-bold"))
    summary = _describe(towers, way)
    svg = drawing(links + boxes, width * len(towers), ground + 42, title or "A skip list", summary)
    return Picture(
        Markup(svg + tag("div", summary, "cv-note")), "\n".join([summary, *_lines(towers, stops)]), title
    )


def _label(towers: Sequence[Tower], at: int) -> tuple[str, str]:
    """What stands under a tower: member and score, or "head"."""
    return (spell(towers[at].member, 16), f"{towers[at].score:g}") if at else ("head", "")


def _number_stops(towers: Sequence[Tower], way: Sequence[Step]) -> Stops:
    """The number of each stop of a search, by node and lane."""
    nodes = {tower.member: at for at, tower in enumerate(towers) if at}
    return {
        (0 if step.member is None else nodes[step.member], step.lane): number
        for number, step in enumerate(way, start=1)
    }


def _draw_link(
    towers: Sequence[Tower], stops: Stops, at: int, lane: int, span: int, left: float, width: float, y: float
) -> list[Markup]:
    """The link out of one stop, with its span above; a stub if it leads nowhere."""
    start, target = left + _CELL, at + span
    if not span or lane >= len(towers[target].spans):
        return [path(f"M{start:g} {y:g}h10m0 -5v10", "cv-line")]
    end = start + span * width - _CELL
    ridden = stops.get((target, lane), 0) == stops.get((at, lane), -9) + 1
    parts = [arrow(start, end, y, "cv-way", "cv-h1") if ridden else arrow(start, end, y)]
    if lane:
        parts.append(
            text((start + end) / 2, y - 5, str(span), f"cv-mid {'cv-h1 cv-ink cv-bold' if ridden else ''}")
        )
    return parts


def _draw_stop(number: int | None, x: float, y: float) -> list[Markup]:
    """One storey of a tower: full and numbered if the search stopped there."""
    if number is None:
        return [rect(x, y, _CELL, _STEP - 2, "cv-soft cv-h2")]
    return [
        rect(x, y, _CELL, _STEP - 2, "cv-full cv-h1"),
        text(x + 11, y + 18, str(number), "cv-mid cv-on cv-bold"),
    ]


def _describe(towers: Sequence[Tower], way: Sequence[Step]) -> str:
    """The picture in a sentence."""
    nodes, lanes = len(towers) - 1, max(len(tower.spans) for tower in towers)
    words = f"{nodes} node{'s' * (nodes != 1)} in {lanes} lane{'s' * (lanes != 1)}"
    if way:
        words += f"; the search makes {len(way)} stop{'s' * (len(way) != 1)}"
    return f"{words}."


def _lines(towers: Sequence[Tower], stops: Stops) -> list[str]:
    """The list as text, a line for each lane: `o` is a storey, `(3)` the third stop of the search."""
    words = ["head", *(f"{spell(t.member, 16)} {t.score:g}" for t in towers[1:])]
    column = max(map(len, words)) + 4
    found = []
    for lane in reversed(range(max(len(tower.spans) for tower in towers))):
        row = ""
        for at, tower in enumerate(towers):
            if lane >= len(tower.spans):
                continue
            row = row.ljust(column * at, "-")[: column * at - 1] + (">" if at else "")
            row += f"({stops[at, lane]})" if (at, lane) in stops else "o"
            span = tower.spans[lane]
            if span and lane < len(towers[at + span].spans):
                row += f"--{span}" if lane else "-"
        found.append(f"lane {lane:<2} {row.rstrip('-')}")
    return [*found, " " * 8 + "".join(word.ljust(column) for word in words).rstrip()]
