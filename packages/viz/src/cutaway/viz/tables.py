"""A Dict as it stands: the slots of its table, or of both tables while it moves from one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cutaway.datastructures.dicts import DictSnapshot
from cutaway.viz.pictures import Picture
from cutaway.viz.svg import Markup, drawing, path, rect, tag, text

_HIGH: Final = 84
_WIDTH: Final = 680
_MOST_BARS: Final = 256
Slots = Sequence[Sequence[object]]


def dict_tables(snapshot: DictSnapshot, *, scan: int | None = None, title: str = "") -> Picture:
    """Show the slots of `Dict.snapshot()`, filled as far as they are full, with the number of keys. O(n).

    In mid-rehash the old table stands above the new one, and what has been moved away is crossed out. `scan`
    is a cursor: the slots that a scan would look at next are framed. Of a table with more than 256 slots a
    bar stands for several.
    """
    tables = [_gather(slots) for slots in snapshot.tables]
    most = max((keys for bars, _ in tables for keys in bars), default=0)
    wide = max(len(bars) for bars, _ in tables)
    step = max(min(30, _WIDTH // wide), 3)
    slot = step - 4 if step > 12 else step - 1
    longest = 8 + 6 * len(str(max(map(len, snapshot.tables))))
    named = next(every for every in (1, 2, 4, 8, 16, 32, 64) if every * step >= longest)
    parts: list[Markup] = []
    y = 0
    for number, (bars, slots_a_bar) in enumerate(tables):
        old = number == 0 and len(tables) == 2
        parts.append(text(4, y + 13, _headline(snapshot, number), "cv-bold"))
        for index, keys in enumerate(bars):
            x = index * step + 4
            first = index * slots_a_bar
            gone = old and first + slots_a_bar <= snapshot.rehash_index
            parts += _draw_slot(x, y + 22, slot, keys, most, old=old, gone=gone)
            if _is_next(snapshot, scan, range(first, first + slots_a_bar)):
                parts.append(rect(x - 1, y + 20, slot + 2, _HIGH + 4, "cv-ring cv-h4"))
            if index % named == 0:
                parts.append(text(x + slot / 2, y + _HIGH + 40, str(first), "cv-mid cv-small"))
        y += _HIGH + 56
    summary = _describe(snapshot, scan)
    svg = drawing(parts, max(wide * step, 240) + 12, y, title or "A dict", summary)
    return Picture(Markup(svg + tag("div", summary, "cv-note")), "\n".join(_lines(snapshot, scan)), title)


def _gather(slots: Slots) -> tuple[list[int], int]:
    """The heights of the bars, and how many slots each stands for."""
    each = max(1, len(slots) // _MOST_BARS)
    return [sum(map(len, slots[at : at + each])) for at in range(0, len(slots), each)], each


def _draw_slot(
    x: float, y: float, width: float, keys: int, most: int, *, old: bool, gone: bool
) -> list[Markup]:
    """One slot with its keys; crossed out if they have moved."""
    if gone and width > 8:
        return [rect(x, y, width, _HIGH, "cv-line cv-dash"), path(f"M{x} {y}l{width} {_HIGH}", "cv-faint")]
    if gone:
        return [path(f"M{x} {y}l{width} {_HIGH}", "cv-faint")]
    high = (_HIGH - 20) * keys / max(most, 1)
    look = "cv-full cv-h1" if old else "cv-full cv-h2"
    if width <= 8:
        return [rect(x, y + _HIGH - high, width, high, look, f"{keys} keys")]
    return [
        rect(x, y, width, _HIGH, "cv-faint"),
        rect(x + 2, y + _HIGH - 2 - high, width - 4, high, look, f"{keys} keys"),
        text(x + width / 2, y + _HIGH - 6 - high, str(keys), "cv-mid cv-small"),
    ]


def _is_next(snapshot: DictSnapshot, scan: int | None, slots: range) -> bool:
    """Whether a scan would look at one of these: at a slot of the smaller table, and at those it expands into."""
    if scan is None:
        return False
    mask = min(map(len, snapshot.tables)) - 1
    return any(slot & mask == scan & mask for slot in slots)


def _name(snapshot: DictSnapshot, number: int) -> str:
    """What a table is to the dict now."""
    return "the table" if len(snapshot.tables) == 1 else ("old", "new")[number]


def _headline(snapshot: DictSnapshot, number: int) -> str:
    """The name of a table, its slots and its keys."""
    slots = snapshot.tables[number]
    return f"{_name(snapshot, number)}: {len(slots)} slots, {sum(map(len, slots))} keys"


def _describe(snapshot: DictSnapshot, scan: int | None) -> str:
    """The picture in a sentence or two."""
    if snapshot.rehash_index < 0:
        words = "One table; nothing is being moved."
    else:
        words = f"{snapshot.rehash_index} of {len(snapshot.tables[0])} old slots have been moved."
    return words if scan is None else f"{words} A scan would look next at what is framed (cursor {scan})."


def _lines(snapshot: DictSnapshot, scan: int | None) -> Iterator[str]:
    """The dict as text: a line for each slot, a mark for each key; of a large table, for several slots."""
    for number, slots in enumerate(snapshot.tables):
        yield _headline(snapshot, number)
        bars, each = _gather(slots)
        for first, keys in zip(range(0, len(slots), each), bars, strict=True):
            gone = number == 0 and first + each <= snapshot.rehash_index
            row = "moved" if gone else f"{'#' * min(keys, 64)} {keys}"
            mark = ">" if _is_next(snapshot, scan, range(first, first + each)) else " "
            yield f"{first:6} {mark} {row.lstrip()}"
    yield _describe(snapshot, scan)
