"""Draw docs/assets/layers.svg: the packages, each standing on what it may import.

One file serves the README (an `<img>`, where the reader's system says light or dark) and the site (inlined,
where the page's switch does): colours are custom properties with both palettes inside. On the site a click on a room leads to its
page: the links say `package:resp`, and the hook in reference.py knows where that is from the page at hand.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 880, 470
GAP = 10

LIGHT = (
    "--ink:#1f2933;--soft:#5b6773;--line:#c3ccd5;--paper:#ffffff;--warm:#b5432e;--cool:#eef2f6;--pale:#fbeeea"
)
DARK = (
    "--ink:#e6eaef;--soft:#9aa7b4;--line:#46525f;--paper:#1d242c;--warm:#ef8a72;--cool:#262f39;--pale:#3a2823"
)
STYLE = f"""
.cutaway-layers {{ {LIGHT}; font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }}
@media (prefers-color-scheme: dark) {{ .cutaway-layers {{ {DARK} }} }}
[data-md-color-scheme="default"] .cutaway-layers {{ {LIGHT} }}
[data-md-color-scheme="slate"] .cutaway-layers {{ {DARK} }}
.cutaway-layers .room {{ fill: var(--cool); stroke: var(--line); stroke-width: 1.5 }}
.cutaway-layers .core {{ fill: var(--pale); stroke: var(--warm); stroke-width: 1.5 }}
.cutaway-layers .casing {{ fill: none; stroke: var(--warm); stroke-width: 1.5; stroke-dasharray: 7 6 }}
.cutaway-layers .flow {{ fill: none; stroke: var(--warm); stroke-width: 2 }}
.cutaway-layers a:hover rect, .cutaway-layers a:focus-visible rect {{ stroke: var(--warm); stroke-width: 3 }}
.cutaway-layers .tip {{ fill: var(--warm) }}
.cutaway-layers text {{ fill: var(--soft); font-size: 13px }}
.cutaway-layers .name {{ fill: var(--ink); font-size: 16px; font-weight: 650 }}
.cutaway-layers .code {{ fill: var(--warm); font: 14px ui-monospace, Menlo, Consolas, monospace }}
"""
TEXT = """A client talks to server. Below it, pubsub, transactions,
scripting, acl and modules stand on commands; beside
them persistence and observability; at the bottom config, resp and datastructures. A box imports only from
boxes under it."""


@dataclass(frozen=True)
class Room:
    """One package: where its box stands, and what it says in a few words a line."""

    name: str
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float
    kind: str = "room"

    def draw(self) -> str:
        """The box and its words, centred."""
        middle = self.x + self.width / 2
        top = self.y + self.height / 2 - 9 * len(self.lines) + 5
        words = [f'<text class="name" x="{middle:g}" y="{top:g}">{self.name}</text>']
        words += [
            f'<text x="{middle:g}" y="{top + 20 + 17 * i:g}">{escape(line)}</text>'
            for i, line in enumerate(self.lines)
        ]
        box = f'x="{self.x:g}" y="{self.y:g}" width="{self.width:g}" height="{self.height:g}"'
        parts = [
            f'<a href="package:{self.name}">',
            f'<rect class="{self.kind}" {box} rx="7"/>',
            *words,
            "</a>",
        ]
        return "\n".join(parts)


def rooms() -> list[Room]:
    """Four storeys; a box rests on the packages it imports."""
    left, right = 24, WIDTH - 24
    observed = 150
    inner = right - left - observed - GAP
    files = 150
    engine = inner - files - GAP
    small = (engine - 2 * GAP) / 3
    half = (inner - small - 2 * GAP) / 2
    subsystems = (
        ("pubsub", "channels", 0.17), ("transactions", "MULTI, WATCH", 0.26), ("scripting", "EVAL", 0.2),
        ("acl", "users", 0.15), ("modules", "your own", 0.22),
    )  # fmt: skip
    shares = accumulate((share for _, _, share in subsystems), initial=0.0)
    y1, y2, y3, y4 = 82, 178, 268, 358
    side = left + engine + GAP
    return [
        Room("server", ("asyncio, sockets, TLS, signals, fork: the only part that touches the world",),
             left, y1, right - left, 60, "core"),
        *(
            Room(name, (word,), left + start * (engine + GAP), y2, share * (engine + GAP) - GAP, 80)
            for (name, word, share), start in zip(subsystems, shares, strict=False)
        ),
        Room("commands", ("the engine, the keyspace, a table of commands per type",),
             left, y3, engine, 80, "core"),
        Room("persistence", ("RDB snapshots", "append-only file", "DUMP payloads"), side, y2, files, 170),
        Room("observability", ("logs", "slow log", "latency", "metrics"),
             right - observed, y2, observed, 260),
        Room("config", ("redis.conf",), left, y4, small, 80),
        Room("resp", ("requests in, replies out",), left + small + GAP, y4, half, 80),
        Room("datastructures", ("what values are made of",), left + small + half + 2 * GAP, y4, half, 80),
    ]  # fmt: skip


def draw() -> str:
    """The whole picture as SVG text. It has no blank line, so that Markdown takes it for one block."""
    down, up = WIDTH / 2 - 60, WIDTH / 2 + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cutaway-layers" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' role="group" aria-labelledby="layers-title layers-text">',
        '<title id="layers-title">The layers of Cutaway</title>',
        f'<desc id="layers-text">{TEXT}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="casing" x="8" y="62" width="{WIDTH - 16}" height="{HEIGHT - 70}" rx="14"/>',
        f'<text class="code" x="{down - 12:g}" y="36" text-anchor="end">SET k v EX 10</text>',
        f'<text class="code" x="{up + 12:g}" y="36" text-anchor="start">+OK</text>',
        '<g text-anchor="middle">',
        f'<text x="{WIDTH / 2:g}" y="36">any client</text>',
        f'<path class="flow" d="M{down:g} 22V72"/>',
        f'<path class="tip" d="M{down - 6:g} 70h12l-6 11z"/>',
        f'<path class="flow" d="M{up:g} 80V30"/>',
        f'<path class="tip" d="M{up - 6:g} 32h12l-6 -11z"/>',
        f'<text x="{WIDTH / 2:g}" y="164">below this line: no socket, no thread, no clock</text>',
        *(room.draw() for room in rooms()),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts).replace("\n\n", "\n") + "\n"


def main() -> int:
    """Write the file anew."""
    path = ROOT / "docs" / "assets" / "layers.svg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(draw())
    print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
