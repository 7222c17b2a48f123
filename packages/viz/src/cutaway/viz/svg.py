"""Markup, written element by element, and always well-formed.

A drawing is an `svg` of fixed size in a box that scrolls, so that a wide one is as legible on a phone as on a
desk, and the page beside it stays as wide as it is. Shapes get their looks from the classes of `palette`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from itertools import accumulate
from typing import Final

from cutaway.viz.palette import GREY

Number = int | float
SPACE: Final = 6.6
"""How wide a letter of 12 pixels is taken to be."""
_LETTERS: Final = [repr(bytes((byte,)))[2:-1] for byte in range(256)]
UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, content: str = "", look: str = "", /, **attributes: str | Number) -> Markup:
    """An element. Content that is no `Markup` is escaped; `look` is its class; `a_b` becomes the attribute `a-b`."""
    words = [f' class="{look}"'] if look else []
    for key, value in attributes.items():
        shown = escape(clean(value)) if isinstance(value, str) else f"{value:.6g}"
        words.append(f' {key.rstrip("_").replace("_", "-")}="{shown}"')
    inner = content if isinstance(content, Markup) or name == "style" else escape(clean(content))
    start = f"<{name}{''.join(words)}"
    # HTML takes <div/> for an opening tag; of what is used here only <input/> has no end tag in HTML.
    return Markup(f"{start}/>" if name == "input" else f"{start}>{inner}</{name}>")


def join(parts: Iterable[str]) -> Markup:
    """Pieces of markup in a row."""
    return Markup("".join(parts))


def clean(text: str) -> str:
    """Text with a mark in the place of each character that XML has no way to write."""
    return UNWRITABLE.sub("�", text)


def rect(x: Number, y: Number, width: Number, height: Number, look: str, hint: str = "") -> Markup:
    """A box with round corners, and a hint for the pointer that rests on it."""
    inside = tag("title", hint) if hint else ""
    return tag("rect", Markup(inside), look, x=x, y=y, width=width, height=height, rx=min(3, width / 4))


def circle(x: Number, y: Number, radius: Number, look: str, hint: str = "") -> Markup:
    """A disc or a ring."""
    return tag("circle", Markup(tag("title", hint) if hint else ""), look, cx=x, cy=y, r=radius)


def path(steps: str, look: str) -> Markup:
    """A line, in the language of an SVG path."""
    return tag("path", Markup(), look, d=steps)


def text(x: Number, y: Number, words: str, look: str = "") -> Markup:
    """Words on a base line at `y`."""
    return tag("text", words, look, x=x, y=y)


def arrow(x0: Number, x1: Number, y: Number, look: str = "cv-line", hue: str = f"cv-h{GREY}") -> Markup:
    """A level line with a head where it ends."""
    back = -8 if x1 > x0 else 8
    shaft = path(f"M{x0:g} {y:g}H{x1 + back:g}", f"{look} {hue}")
    return join([shaft, path(f"M{x1:g} {y:g}l{back} -4.5v9z", f"cv-full {hue}")])


def drawing(parts: Iterable[str], width: Number, height: Number, title: str, description: str) -> Markup:
    """An `svg` with a name and a description for those who cannot see it, in a box that scrolls."""
    inside = join([tag("title", title), tag("desc", description), *parts])
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>{inside}</svg>'
    return tag("div", Markup(svg), "cv-scroll", tabindex=0, role="group", aria_label=title)


def spell(data: bytes, most: int = 24) -> str:
    """Bytes as one would type them between quotes; of those that take more than `most` letters the ends."""
    written = [_LETTERS[byte] for byte in data[: most + 1]]
    if len(written) <= most and sum(map(len, written)) <= most:
        return "".join(written)
    ends = [_LETTERS[byte] for byte in reversed(data[-most:])]
    return f"{_fitting(written, most // 2)} … {_fitting(ends, most // 3, backwards=True)}"


def _fitting(letters: list[str], room: int, *, backwards: bool = False) -> str:
    """As many of the first letters as there is room for, none of them in part."""
    count = sum(end <= room for end in accumulate(map(len, letters)))
    return "".join(reversed(letters[:count])) if backwards else "".join(letters[:count])


def width_of(words: str) -> float:
    """About how many pixels a line of 12-pixel words takes, rather too many than too few."""
    return SPACE * len(words)
