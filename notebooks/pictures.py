"""What the notebooks draw and time with. Pictures take their ink from the page, be it light or dark."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from dataclasses import dataclass
from html import escape
from timeit import Timer
from typing import TYPE_CHECKING

from cutaway.resp import annotate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cutaway.datastructures import Dict, SkipList
    from cutaway.datastructures.avl_trees import AVLNode
    from cutaway.datastructures.skiplists import Step

HUES = ["#d9603f", "#2f8fc4", "#5a9e4b", "#a06bc0", "#c79a1e"]
ROLES = {"type": HUES[0], "length": HUES[1], "payload": HUES[2], "text": HUES[2], "terminator": "#8a949e"}
MONO = "font:13px ui-monospace,Menlo,Consolas,monospace"
SMALL = "font:11px system-ui,sans-serif;opacity:.75"


@dataclass(frozen=True)
class Picture:
    """HTML that a notebook shows as it is."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def draw_bytes(data: bytes) -> Picture:
    """Show a RESP stream as `cutaway.resp.annotate` sees it: a frame per value, a box per part."""
    spans = annotate(data)
    inside: dict[int | None, list[int]] = defaultdict(list)
    for index, span in enumerate(spans):
        inside[span.parent].append(index)

    def draw(index: int) -> str:
        span = spans[index]
        if index in inside:
            parts = "".join(draw(part) for part in inside[index])
            label = f'<div style="{SMALL};padding:0 3px 2px">{escape(span.label)}</div>'
            return f'<div style="{FRAME}">{label}<div style="{ROW}">{parts}</div></div>'
        hue = ROLES.get(span.label, HUES[3])
        words = "" if span.label == "terminator" else escape(span.label)
        return (
            f'<div style="text-align:center">'
            f'<div style="{MONO};{CELL};background:{hue}38;border-bottom:3px solid {hue}">'
            f'{spell(data[span.start : span.end])}</div><div style="{SMALL}">{words}&#8203;</div></div>'
        )

    values = "".join(draw(index) for index in inside[None])
    return Picture(f'<div style="{ROW};gap:8px;margin:10px 0">{values}</div>')


FRAME = "border:1px solid #8a949e80;border-radius:5px;padding:3px"
ROW = "display:flex;flex-wrap:wrap;align-items:flex-end;gap:3px"
CELL = "padding:2px 5px;border-radius:3px 3px 0 0;white-space:pre"


def spell(data: bytes, most: int = 24) -> str:
    """Bytes as one would type them between quotes, the middle left out when there are too many."""
    text = repr(data)[2:-1]
    return escape(text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 3 :]}")


def draw_dict(table: Dict[object, object], scan: int | None = None) -> Picture:
    """Show the slots of a `Dict`, filled as far as they are full; what has been moved away is hatched.

    `scan` frames the slots that a scan with that cursor would look at next.
    """
    tables, moved = table.slots(), table.rehash_index
    names = ["the table"] if len(tables) == 1 else ["old", "new"]
    width, gap, most = 26, 4, max(map(max, tables))
    across = max(map(len, tables)) * (width + gap)
    parts, y = [], 0
    for name, slots in zip(names, tables, strict=True):
        parts.append(
            f'<text x="0" y="{y + 12}" opacity=".75">{name}: {len(slots)} slots, {sum(slots)} keys</text>'
        )
        for index, keys in enumerate(slots):
            x, hue = index * (width + gap), HUES[0] if name == "old" else HUES[1]
            gone = name == "old" and index < moved
            box = f'<rect x="{x}" y="{y + 20}" width="{width}" height="60" rx="3"'
            parts.append(
                f'{box} fill="{"url(#gone)" if gone else "none"}" stroke="currentColor" opacity=".35"/>'
            )
            height = 56 * keys / max(most, 1)
            parts.append(
                f'<rect x="{x + 2}" y="{y + 78 - height:.0f}" width="{width - 4}" height="{height:.0f}" fill="{hue}"/>'
            )
            if scan is not None and index == scan & (len(slots) - 1):
                parts.append(f'{box} fill="none" stroke="{HUES[3]}" stroke-width="3"/>')
            parts.append(f'<text x="{x + width / 2}" y="{y + 94}" text-anchor="middle">{index}</text>')
        y += 112
    hatch = (
        '<pattern id="gone" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    )
    hatch += '<path d="M0 0V6" stroke="currentColor" stroke-width="2"/></pattern>'
    style = f"max-width:{across}px;width:100%;font:11px system-ui,sans-serif;fill:currentColor"
    svg = f'<svg viewBox="0 0 {across} {y}" style="{style}"><defs>{hatch}</defs>{"".join(parts)}</svg>'
    return Picture(f'<div style="margin:10px 0">{svg}</div>')


def draw_towers(index: SkipList, path: Sequence[Step] = ()) -> Picture:
    """Show a skip list: a tower for each node, a link for each stop, its span above it; `path` is coloured.

    `path` is what `SkipList.search_path` returns. A link that leads nowhere is a stub.
    """
    towers = index.snapshot()
    place: dict[bytes | None, int] = {tower.member: at for at, tower in enumerate(towers)}
    place[None] = 0
    stops = {(place[step.member], step.lane) for step in path}
    lanes, width, cell, step = max(len(tower.spans) for tower in towers), 50, 22, 30
    across, ground = width * len(towers) + 16, step * lanes
    links, boxes = [], []
    for at, tower in enumerate(towers):
        x = at * width + 12
        for lane, span in enumerate(tower.spans):
            y = ground - step * lane - 11
            target = at + span
            leads = span and lane < len(towers[target].spans)
            end = target * width + 12 if leads else x + cell + 12
            ridden = leads and (at, lane) in stops and (target, lane) in stops
            look = f'stroke="{HUES[0]}" stroke-width="3"' if ridden else 'stroke="currentColor" opacity=".45"'
            links.append(f'<path d="M{x + cell} {y}H{end}" {look}/>')
            if lane and leads:
                weight = f' style="fill:{HUES[0]};font-weight:700"' if ridden else ""
                links.append(
                    f'<text x="{(x + cell + end) / 2:g}" y="{y - 4}" text-anchor="middle"{weight}>{span}</text>'
                )
            hue = HUES[0] if (at, lane) in stops else HUES[1]
            boxes.append(
                f'<rect x="{x}" y="{y - 14}" width="{cell}" height="{step - 2}" rx="3" fill="{hue}"/>'
            )
        name, score = ("head", "") if at == 0 else (tower.member.decode(), f"{tower.score:g}")
        boxes.append(f'<text x="{x + 11}" y="{ground + 22}" text-anchor="middle">{escape(name)}</text>')
        boxes.append(
            f'<text x="{x + 11}" y="{ground + 38}" text-anchor="middle" font-weight="700">{score}</text>'
        )
    style = f"max-width:{across}px;width:100%;font:12px system-ui,sans-serif;fill:currentColor"
    svg = f'<svg viewBox="0 -8 {across} {ground + 54}" style="{style}">{"".join(links + boxes)}</svg>'
    return Picture(f'<div style="margin:10px 0">{svg}</div>')


def draw_tree(root: AVLNode | None) -> Picture:
    """Show a tree: in each node the size of its subtree, below it member and score."""
    parts: list[str] = []
    places: dict[int, tuple[int, int]] = {}
    width, step = 50, 58

    def draw(node: AVLNode | None, depth: int) -> None:
        if node is None:
            return
        draw(node.left, depth + 1)
        places[id(node)] = x, y = len(places) * width + 28, depth * step + 18
        draw(node.right, depth + 1)
        for child in (node.left, node.right):
            if child is not None:
                to_x, to_y = places[id(child)]
                parts.insert(0, f'<path d="M{x} {y}L{to_x} {to_y}" stroke="currentColor" opacity=".3"/>')
        parts.append(f'<circle cx="{x}" cy="{y}" r="13" fill="{HUES[1]}"/>')
        parts.append(f'<text x="{x}" y="{y + 4}" text-anchor="middle" style="fill:#fff">{node.size}</text>')
        words = f'{escape(node.member.decode())} <tspan font-weight="700">{node.score:g}</tspan>'
        parts.append(f'<text x="{x}" y="{y + 28}" text-anchor="middle">{words}</text>')

    draw(root, 0)
    across = len(places) * width + 6
    down = max((y for _, y in places.values()), default=0) + 36
    style = f"max-width:{across}px;width:100%;font:12px system-ui,sans-serif;fill:currentColor"
    svg = f'<svg viewBox="0 0 {across} {down}" style="{style}">{"".join(parts)}</svg>'
    return Picture(f'<div style="margin:10px 0">{svg}</div>')


def draw_timeline(lanes: Sequence[str], messages: Sequence[tuple[str, str, str]]) -> Picture:
    """Show who said what to whom: a lane for each party, an arrow for each (from, to, text), time going down."""
    width, top, step = 190, 34, 34
    across, bottom = width * len(lanes), top + step * len(messages) + 14
    middle = {lane: width * place + width // 2 for place, lane in enumerate(lanes)}
    parts = []
    for lane, x in middle.items():
        parts.append(f'<text x="{x}" y="14" text-anchor="middle" font-weight="600">{escape(lane)}</text>')
        parts.append(f'<path d="M{x} 22V{bottom}" stroke="currentColor" opacity=".3"/>')
    for place, (sender, receiver, text) in enumerate(messages):
        x0, x1, y = middle[sender], middle[receiver], top + step * place + 18
        hue = HUES[1] if x0 < x1 else HUES[0]
        tip = -8 if x0 < x1 else 8
        parts.append(f'<path d="M{x0} {y}H{x1 + tip}" stroke="{hue}" stroke-width="2"/>')
        parts.append(f'<path d="M{x1} {y}l{tip} -5v10z" fill="{hue}"/>')
        start = min(x0, x1) + width / 2 if abs(x1 - x0) > width else (x0 + x1) / 2
        parts.append(f'<text x="{start:g}" y="{y - 6}" text-anchor="middle">{escape(text)}</text>')
    style = f"max-width:{across}px;width:100%;font:12px system-ui,sans-serif;fill:currentColor"
    svg = f'<svg viewBox="0 0 {across} {bottom}" style="{style}">{"".join(parts)}</svg>'
    return Picture(f'<div style="margin:10px 0">{svg}</div>')


def draw_cuts(commands: Sequence[tuple[str, int]], outcomes: Sequence[str]) -> Picture:
    """Show a log as a strip: above, its commands (text, bytes); below, what is left if it is cut at each byte.

    `outcomes` has one entry for each cut, from before the first byte to behind the last.
    """
    above = "".join(
        f'<div style="flex:{size} 1 0;{BLOCK};border:1px solid #8a949e80;{MONO}" title="{size} bytes">{escape(text)}</div>'
        for text, size in commands
    )
    below, seen, start = "", list(dict.fromkeys(outcomes)), 0
    for cut in range(1, len(outcomes) + 1):
        if cut == len(outcomes) or outcomes[cut] != outcomes[start]:
            hue = HUES[seen.index(outcomes[start]) % len(HUES)]
            last = cut == len(outcomes)
            room = "0 0 104px" if last and cut - start == 1 else f"{cut - start} 1 0"
            look = f"background:{hue}38;border-top:3px solid {hue}"
            below += f'<div style="flex:{room};{BLOCK};{look};{MONO}">{escape(outcomes[start])}</div>'
            start = cut
    end = '<div style="flex:0 0 104px"></div>'
    row = "display:flex;min-width:640px;margin:2px 0"
    words = f'<div style="{SMALL}">'
    return Picture(
        f'<div style="margin:10px 0;overflow-x:auto">{words}the log</div><div style="{row}">{above}{end}</div>'
        f'{words}what is there again if it ends here</div><div style="{row}">{below}</div></div>'
    )


BLOCK = "box-sizing:border-box;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding:3px 4px"


def draw_crash(
    lanes: Mapping[str, Sequence[tuple[float, bool]]], fsyncs: Mapping[str, Sequence[float]], crash: float
) -> Picture:
    """Show writes as dots in time, (seconds, survived), a lane for each policy; a bar is an fsync."""
    left, width, step = 90, 560, 46
    across, down = left + width + 50, 26 + step * len(lanes)

    def at(seconds: float) -> float:
        return left + seconds / crash * width

    parts = []
    for row, (name, writes) in enumerate(lanes.items()):
        y = 24 + step * row + step // 2
        parts.append(f'<text x="0" y="{y + 4}" font-weight="600">{escape(name)}</text>')
        parts.append(f'<path d="M{left - 12} {y}H{at(crash):.0f}" stroke="currentColor" opacity=".3"/>')
        for seconds in fsyncs.get(name, ()):
            bar = f'<path d="M{at(seconds):.1f} {y - 14}v28" stroke="{HUES[1]}" stroke-width="2"'
            parts.append(f'{bar} opacity=".8"/>')
        for seconds, survived in writes:
            look = f'fill="{HUES[2]}"' if survived else f'fill="none" stroke="{HUES[0]}" stroke-width="2"'
            parts.append(f'<circle cx="{at(seconds):.1f}" cy="{y}" r="5" {look}/>')
    parts.append(f'<path d="M{at(crash):.0f} 18V{down}" stroke="{HUES[0]}" stroke-width="3"/>')
    parts.append(f'<text x="{at(crash):.0f}" y="12" text-anchor="middle">the power goes</text>')
    style = f"max-width:{across}px;width:100%;font:12px system-ui,sans-serif;fill:currentColor"
    svg = f'<svg viewBox="0 0 {across} {down}" style="{style}">{"".join(parts)}</svg>'
    words = "a full dot has survived, an empty one is lost; a bar is an fsync"
    return Picture(f'<div style="margin:10px 0">{svg}<div style="{SMALL}">{words}</div></div>')


def draw_bars(values: Mapping[str, float], unit: str) -> Picture:
    """Show numbers side by side as bars, the longest one filling the width."""
    most = max(values.values())
    rows = "".join(
        f'<div style="display:flex;align-items:center;gap:8px;margin:3px 0;font:12px system-ui,sans-serif">'
        f'<div style="width:230px;text-align:right">{escape(name)}</div>'
        f'<div style="width:{300 * value / most:.0f}px;height:16px;border-radius:2px;background:{hue}"></div>'
        f"<div>{value:,.0f} {escape(unit)}</div></div>"
        for (name, value), hue in zip(values.items(), HUES, strict=False)
    )
    return Picture(f'<div style="margin:10px 0">{rows}</div>')


def nanoseconds(function: Callable[[], object], seconds: float = 0.1) -> float:
    """How long a call keeps the processor: the best of five runs. What others do meanwhile does not count, nor waiting."""
    timer = Timer(function, timer=time.thread_time)
    once = max(timer.timeit(1), 1e-7)
    calls = max(1, int(seconds / 5 / once))
    return min(timer.repeat(5, calls)) / calls * 1e9


def draw_lines(
    series: Mapping[str, Sequence[tuple[float, float]]],
    across: str,
    up: str,
    *,
    width: int = 620,
    height: int = 300,
) -> Picture:
    """Plot series of points (x, y), all positive, on logarithmic axes."""
    xs = [math.log10(x) for points in series.values() for x, _ in points]
    ys = [math.log10(y) for points in series.values() for _, y in points]
    x0, x1, y0, y1 = math.floor(min(xs)), math.ceil(max(xs)), math.floor(min(ys)), math.ceil(max(ys))
    left, bottom, top, right = 64, height - 46, 14, width - 150

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            left + (x - x0) / max(x1 - x0, 1) * (right - left),
            bottom - (y - y0) / max(y1 - y0, 1) * (bottom - top),
        )

    parts = []
    for power in range(x0, x1 + 1):
        x, _ = place(power, y0)
        parts.append(f'<path d="M{x:.0f} {top}V{bottom}" stroke="currentColor" opacity=".15"/>')
        parts.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{number(power)}</text>')
    for power in range(y0, y1 + 1):
        _, y = place(x0, power)
        parts.append(f'<path d="M{left} {y:.0f}H{right}" stroke="currentColor" opacity=".15"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{number(power)}</text>')
    ends: list[tuple[float, float, str, str]] = []
    for (name, points), hue in zip(series.items(), HUES, strict=False):
        places = [place(math.log10(x), math.log10(y)) for x, y in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{hue}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{hue}"/>' for x, y in places]
        ends.append((places[-1][1], places[-1][0], name, hue))
    lowest = -math.inf
    for y, x, name, hue in sorted(ends):
        lowest = max(y, lowest + 14)  # names of lines that end close together are moved apart
        parts.append(
            f'<text x="{x + 10:.0f}" y="{lowest + 4:.0f}" style="fill:{hue};font-weight:600">{escape(name)}</text>'
        )
    parts.append(
        f'<text x="{(left + right) / 2:.0f}" y="{height - 6}" text-anchor="middle">{escape(across)}</text>'
    )
    middle = (top + bottom) / 2
    parts.append(
        f'<text transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle">{escape(up)}</text>'
    )
    style = f"max-width:{width}px;width:100%;font:12px system-ui,sans-serif;fill:currentColor"
    return Picture(f'<div><svg viewBox="0 0 {width} {height}" style="{style}">{"".join(parts)}</svg></div>')


def number(power: int) -> str:
    """A power of ten as a person writes it."""
    for unit, name in ((9, "G"), (6, "M"), (3, "k")):
        if power >= unit:
            return f"{10 ** (power - unit)} {name}"
    return f"{10.0**power:g}"


def versus(prediction: object, outcome: object) -> Picture:
    """Put what the reader expected beside what happened."""
    mine = "none yet: go back and commit to one" if prediction is None else escape(str(prediction))
    cell = 'style="padding:4px 14px;text-align:left"'
    rows = f"<tr><td {cell}>your prediction</td><td {cell}><b>{mine}</b></td></tr>"
    rows += f"<tr><td {cell}>what happened</td><td {cell}><b>{escape(str(outcome))}</b></td></tr>"
    return Picture(f"<table>{rows}</table>")
