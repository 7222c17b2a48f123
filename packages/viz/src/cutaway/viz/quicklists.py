"""A quicklist as it stands: its nodes from head to tail, how each is held, and what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cutaway.datastructures.quicklists import NodeSnapshot
from cutaway.viz.pictures import Picture
from cutaway.viz.svg import Markup, join, spell, tag

_KINDS: Final = {"listpack": ("listpack", 2), "lzf": ("compressed", 4), "plain": ("plain", 5)}
_SHOWN: Final = 3
_TOLD: Final = 16
"""Elements at either end of a node that are told in text."""
_ENDS: Final = 8
"""Nodes drawn at either end of a long list."""


def quicklist(nodes: Sequence[NodeSnapshot], *, title: str = "") -> Picture:
    """Show the nodes of `QuickList.snapshot()`: how each is held, its bytes, its first and last elements. O(n).

    A bar in each node is as long as its bytes in memory; a compressed node has an outline as long as what it
    was. In the midst of a long list nodes are left out, and counted.
    """
    most = max((node.nbytes for node in nodes), default=1)
    boxes = [_draw_node(number, node, most) for number, node in enumerate(nodes)]
    if len(boxes) > 2 * _ENDS + 1:
        left_out = tag("div", f"… {len(boxes) - 2 * _ENDS} more nodes …", "cv-label cv-gap")
        boxes = [*boxes[:_ENDS], left_out, *boxes[-_ENDS:]]
    arrow = tag("div", "⇄", "cv-link", aria_hidden="true")
    chain = [part for box in boxes for part in (arrow, box)][1:]
    head, tail = tag("div", "head", "cv-label"), tag("div", "tail", "cv-label")
    summary = _describe(nodes)
    row = tag("div", join([head, *chain, tail]), "cv-chain", role="group", aria_label=title or "A quicklist")
    note = tag("div", summary, "cv-note")
    return Picture(join([row, note]), "\n".join([summary, *_lines(nodes)]), title)


def _draw_node(number: int, node: NodeSnapshot, most: int) -> Markup:
    """A box for one node."""
    kind, hue = _KINDS[node.kind]
    whole, held = 100 * node.nbytes / most, 100 * node.held / max(node.nbytes, 1)
    inner = tag("div", "", "cv-held", style=f"width:{held:.0f}%")
    bar = tag("div", inner, "cv-whole", style=f"width:{max(whole, 3):.0f}%")
    parts = [
        tag("div", f"{number}: {kind}", "cv-head"),
        bar,
        *(tag("div", words, "cv-label") for words in _sizes(node)),
        *(tag("div", words, "cv-element cv-mono") for words in _elements(node)),
    ]
    return tag("div", join(parts), f"cv-node cv-h{hue} cv-{node.kind}")


def _sizes(node: NodeSnapshot) -> tuple[str, str]:
    """How many elements a node has, and how many bytes."""
    count = len(node.elements)
    size = f"{node.nbytes:,}" if node.held == node.nbytes else f"{node.nbytes:,} → {node.held:,}"
    return f"{count} element{'s' * (count != 1)}", f"{size} bytes"


def _elements(node: NodeSnapshot, shown: int = _SHOWN) -> Iterator[str]:
    """The first elements of a node and its last, with the number of those between."""
    found = node.elements
    if len(found) <= shown + 1:
        yield from (spell(element, 19) for element in found)
        return
    yield from (spell(element, 19) for element in found[: shown - 1])
    yield f"… {len(found) - shown} more …"
    yield spell(found[-1], 19)


def _describe(nodes: Sequence[NodeSnapshot]) -> str:
    """The picture in a sentence."""
    count, held = sum(len(node.elements) for node in nodes), sum(node.held for node in nodes)
    words = (
        f"{count} element{'s' * (count != 1)} in {len(nodes)} node{'s' * (len(nodes) != 1)}, {held:,} bytes"
    )
    whole = sum(node.nbytes for node in nodes)
    return f"{words}." if whole == held else f"{words} ({whole:,} before compression)."


def _lines(nodes: Sequence[NodeSnapshot]) -> Iterator[str]:
    """The list as text: a line for each node, with its elements; in the midst of very many some are left out."""
    for number, node in enumerate(nodes):
        words = [spell(element, 40) for element in (*node.elements[:_TOLD], *node.elements[_TOLD:][-_TOLD:])]
        if len(node.elements) > 2 * _TOLD:
            words.insert(_TOLD, f"… {len(node.elements) - 2 * _TOLD} more …")
        yield f"{number:4}  {_KINDS[node.kind][0]:10}  {', '.join(_sizes(node))}:  {'  '.join(words)}"
