"""Who said what to whom, and when: time goes down, a lane for each party, an arrow for each message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final

from cutaway.viz.palette import hue
from cutaway.viz.pictures import Picture
from cutaway.viz.svg import Markup, arrow, drawing, join, path, rect, tag, text, width_of

_STEP: Final = 34
_TOP: Final = 40
Message = tuple[str, str, str]


def timeline(lanes: Sequence[str], messages: Sequence[Message], *, title: str = "") -> Picture:
    """Show messages (from, to, text) between parties such as clients, the server, its log. O(messages).

    A message from a party to itself is something that it does: a box on its lane. Lanes keep the order they
    are given in; each has a colour, and an arrow that of its sender.
    """
    places = _spread(lanes, messages)
    bottom = _TOP + _STEP * len(messages) + 8
    parts = []
    for number, (lane, x) in enumerate(places.items()):
        own = [row for row, (sender, receiver, _) in enumerate(messages) if sender == receiver == lane]
        breaks = [y for row in own for y in (_TOP + _STEP * row, _TOP + _STEP * row + 22)]
        ends = zip([24, *breaks[1::2]], [*breaks[::2], bottom], strict=True)
        parts.append(path("".join(f"M{x:g} {start}V{end}" for start, end in ends), "cv-line"))
        parts.append(text(x, 14, lane, f"cv-mid cv-bold cv-ink {hue(number)}"))
    order = {lane: number for number, lane in enumerate(lanes)}
    for row, (sender, receiver, words) in enumerate(messages):
        look = hue(order[sender])
        parts += _draw_message(places[sender], places[receiver], _TOP + _STEP * row + 16, words, look)
    width = max(places.values(), default=0) + _half_width(lanes[-1] if lanes else "", messages)
    summary = f"{len(messages)} messages between {', '.join(lanes)}, in order of time."
    svg = drawing(parts, width, bottom + 4, title or "A timeline", summary)
    return Picture(svg, "\n".join(_lines(lanes, messages)), title)


def _spread(lanes: Sequence[str], messages: Sequence[Message]) -> Mapping[str, float]:
    """Where each lane is: far enough from its neighbours for the text of all that it says."""
    place = {lane: number for number, lane in enumerate(lanes)}
    gaps = [max(90.0, _half_width(a, messages) + _half_width(b, messages) - 20) for a, b in pairwise(lanes)]
    for sender, receiver, words in messages:
        if sender != receiver:
            gap = place[sender] - (place[receiver] < place[sender])
            gaps[gap] = max(gaps[gap], width_of(words) + 34)
    first = _half_width(lanes[0], messages) if lanes else 0.0
    return dict(zip(lanes, accumulate(gaps, initial=first), strict=False))


def _half_width(lane: str, messages: Sequence[Message]) -> float:
    """The room that a lane needs to either side for its name and for what it does by itself."""
    notes = [words for sender, receiver, words in messages if sender == receiver == lane]
    return max(width_of(words) for words in [lane, *notes, "        "]) / 2 + 14


def _draw_message(x0: float, x1: float, y: float, words: str, look: str) -> list[Markup]:
    """An arrow with its text above where it starts, or a box."""
    if x0 == x1:
        half = width_of(words) / 2 + 8
        return [rect(x0 - half, y - 16, 2 * half, 22, f"cv-soft {look}"), text(x0, y - 1, words, "cv-mid")]
    shaft = arrow(x0, x1, y, "cv-way cv-thin", look)
    if x0 < x1:
        return [shaft, text(x0 + 12, y - 6, words)]
    return [shaft, text(x0 - 12, y - 6, words, "cv-end")]


def _lines(lanes: Sequence[str], messages: Sequence[Message]) -> Iterator[str]:
    """The messages as text, a line for each."""
    wide = max(map(len, lanes), default=0)
    for sender, receiver, words in messages:
        if sender == receiver:
            yield f"{sender:>{wide}}  *  {words}"
        else:
            yield f"{sender:>{wide}} --> {receiver:<{wide}}  {words}"


def log_cuts(commands: Sequence[tuple[str, int]], outcomes: Sequence[str], *, title: str = "") -> Picture:
    """Show a log as a strip: above, its commands (text, bytes); below, what is left if it is cut at each byte.

    `outcomes` has one entry for each cut, from before the first byte to behind the last. O(bytes).
    """
    above = [
        tag("div", words, "cv-block cv-mono", style=f"flex:{size} 1 0", title=f"{words}: {size} bytes")
        for words, size in commands
    ]
    seen = list(dict.fromkeys(outcomes))
    below, found = [], [f"{size:6} bytes  {words}" for words, size in commands]
    for first, last in _runs(outcomes):
        words = outcomes[first]
        place = f"cut at {first}" if first == last else f"cut at {first} to {last}"
        room = "0 0 104px" if last == len(outcomes) - 1 and first == last else f"{last - first + 1} 1 0"
        look = f"cv-block cv-mono cv-outcome {hue(seen.index(words))}"
        below.append(tag("div", words, look, style=f"flex:{room}", title=f"{place}: {words}"))
        found.append(f"{place}: {words}")
    rows = [
        tag("div", "the log", "cv-label"),
        tag("div", join([*above, tag("div", "", style="flex:0 0 104px")]), "cv-strip"),
        tag("div", "what is there again if it ends here", "cv-label"),
        tag("div", join(below), "cv-strip"),
    ]
    body = tag(
        "div",
        join(rows),
        "cv-scroll",
        tabindex=0,
        role="group",
        aria_label=title or "A log, cut at each byte",
    )
    return Picture(body, "\n".join(found), title)


def _runs(outcomes: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The first and last cut of each run of equal outcomes."""
    start = 0
    for cut in range(1, len(outcomes) + 1):
        if cut == len(outcomes) or outcomes[cut] != outcomes[start]:
            yield start, cut - 1
            start = cut
