"""Trees as they stand: a radix tree, which grows to the right, and an AVL tree, which grows downwards."""

from __future__ import annotations

from collections.abc import Iterator

from cutaway.datastructures import RadixSnapshot
from cutaway.datastructures.avl_trees import AVLSnapshot
from cutaway.viz.pictures import Picture
from cutaway.viz.svg import Markup, circle, drawing, path, rect, spell, tag, text, width_of

_ROW = 30
_MONO = 7.8
_LEVEL = 52


def radix_tree(root: RadixSnapshot, *, find: bytes | None = None, title: str = "") -> Picture:
    """Show `RadixTree.snapshot()`: on each edge the bytes it spells, a full dot where a key ends, and its value.

    `find` is a key whose way is drawn strong, as far as there is one. O(n).
    """
    drawer = _RadixDrawer()
    drawer.draw(root, 14 + _room(root), find)
    keys, nodes = _count(root)
    summary = f"{keys} key{'s' * (keys != 1)} in {nodes} node{'s' * (nodes != 1)}, the root included."
    if find is not None:
        summary += f" The way of {spell(find)!r} is drawn strong."
    parts = drawer.edges + drawer.nodes
    svg = drawing(parts, drawer.width, drawer.rows * _ROW + 8, title or "A radix tree", summary)
    legend = tag("div", f"{summary} A full dot: a key ends here.", "cv-note")
    return Picture(Markup(svg + legend), "\n".join([summary, *_radix_lines(root)]), title)


class _RadixDrawer:
    """Places leaves on rows from the top, and each other node beside its first child."""

    def __init__(self) -> None:
        self.edges: list[Markup] = []
        self.nodes: list[Markup] = []
        self.rows = 0
        self.width = 60.0

    def draw(self, node: RadixSnapshot, x: float, find: bytes | None) -> float:
        """Draw a subtree whose root is at `x`; return the height at which that stands."""
        y = self.rows * _ROW + 21.0
        for number, child in enumerate(node.children):
            words = spell(child.label, 32)
            start = x + 14 + _room(node)
            child_x = start + _MONO * len(words) + 20 + _room(child)
            rest = None if find is None or not find.startswith(child.label) else find[len(child.label) :]
            child_y = self.draw(child, child_x, rest)
            turn = f"M{x:g} {y + 7:g}V{child_y:g}" if number else f"M{x + 7:g} {y:g}"
            edge = path(f"{turn}H{child_x - 7:g}", "cv-line" if rest is None else "cv-way cv-h1")
            self.edges.insert(0 if rest is None else len(self.edges), edge)
            self.nodes.append(text(start, child_y - 5, words, "cv-mono"))
        if not node.children:
            self.rows += 1
        hue = "cv-h1" if find == b"" and node.is_key else "cv-h2"
        self.nodes.append(circle(x, y, 6.5, f"{'cv-full' if node.is_key else 'cv-ring'} {hue}"))
        self.width = max(self.width, x + 14)
        if node.is_key and node.value is not None:
            self.value(node, x, y)
        return y

    def value(self, node: RadixSnapshot, x: float, y: float) -> None:
        """Write a value: beside a leaf, above any other node."""
        words = _shown(node.value)
        if node.children:
            self.nodes.append(text(x, y - 10, words, "cv-mid cv-small"))
        else:
            self.nodes.append(text(x + 12, y + 4, words, "cv-small"))
            self.width = max(self.width, x + 20 + width_of(words))


def _room(node: RadixSnapshot) -> float:
    """How much more room than usual a node needs to either side, for the value above it."""
    if not node.children or not node.is_key or node.value is None:
        return 0
    return max(width_of(_shown(node.value)) / 2 - 10, 0)


def _shown(value: object) -> str:
    """A value in a few letters."""
    words = spell(value, 24) if isinstance(value, bytes) else str(value)
    return words if len(words) <= 24 else f"{words[:23]}…"


def _count(node: RadixSnapshot) -> tuple[int, int]:
    """The keys and nodes of a subtree."""
    below = [_count(child) for child in node.children]
    return node.is_key + sum(keys for keys, _ in below), 1 + sum(nodes for _, nodes in below)


def _radix_lines(node: RadixSnapshot, indent: str = "") -> Iterator[str]:
    """The tree as text: a line for each node, a star where a key ends."""
    if not indent:
        yield f"(root){' *' if node.is_key else ''}"
    for number, child in enumerate(node.children, start=1):
        last = number == len(node.children)
        words = f'{indent}{"└─" if last else "├─"} "{spell(child.label, 64)}"'
        if child.is_key:
            words += " *" if child.value is None else f" * {_shown(child.value)}"
        yield words
        yield from _radix_lines(child, indent + ("   " if last else "│  "))


def avl_tree(root: AVLSnapshot | None, *, title: str = "") -> Picture:
    """Show `AVLTree.snapshot()`: a node is member and score, beside it the size of its subtree. O(n)."""
    nodes = list(_in_order(root))
    half = max([20.0, *(width_of(_pair(node)) / 2 + 6 for node, _ in nodes)])
    width = half + 12  # of a column; children stand in others than their parent, so boxes may be wider
    places = {
        id(node): (at * width + half + 2, depth * _LEVEL + 18) for at, (node, depth) in enumerate(nodes)
    }
    edges: list[Markup] = []
    parts: list[Markup] = []
    for node, _ in nodes:
        x, y = places[id(node)]
        for child in (node.left, node.right):
            if child is not None:
                to_x, to_y = places[id(child)]
                edges.append(path(f"M{x:g} {y + 11}L{to_x:g} {to_y - 11}", "cv-line"))
        hint = f"{node.size} in this subtree, {node.height} high"
        parts.append(rect(x - half, y - 11, 2 * half, 22, "cv-soft cv-h2", hint))
        parts.append(text(x, y + 4, _pair(node), "cv-mid"))
        parts.append(text(x + half + 3, y - 6, str(node.size), "cv-small cv-bold"))
    height = 0 if root is None else root.height
    summary = f"{len(nodes)} node{'s' * (len(nodes) != 1)} in {height} level{'s' * (height != 1)}."
    across = width * max(len(nodes) - 1, 0) + 2 * half + 26
    svg = drawing(edges + parts, across, max(height * _LEVEL - 16, 20), title or "An AVL tree", summary)
    legend = tag("div", f"{summary} Beside each node the size of its subtree.", "cv-note")
    return Picture(Markup(svg + legend), "\n".join([summary, *_avl_lines(root)]), title)


def _in_order(node: AVLSnapshot | None, depth: int = 0) -> Iterator[tuple[AVLSnapshot, int]]:
    """The nodes from left to right, each with its depth."""
    if node is not None:
        yield from _in_order(node.left, depth + 1)
        yield node, depth
        yield from _in_order(node.right, depth + 1)


def _pair(node: AVLSnapshot) -> str:
    """What stands under a node: member and score."""
    return f"{spell(node.member, 16)} {node.score:g}"


def _avl_lines(root: AVLSnapshot | None) -> Iterator[str]:
    """The tree as text, laid on its side: the root at the left, the highest score first."""
    for node, depth in reversed(list(_in_order(root))):
        yield f"{'    ' * depth}({node.size}) {_pair(node)}"
