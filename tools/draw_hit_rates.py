"""Draw docs/assets/hit-rates.svg from packages/commands/benchmarks/hit_rates.json: hit rates by policy and trace.

A row for each policy: a bar for ours, a notch for redis-server, and a dashed line where an exact cache of the same order
comes to. Both palettes are inside, for the reader's system or the page's switch to choose.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "packages" / "commands" / "benchmarks" / "hit_rates.json"
TARGET = ROOT / "docs" / "assets" / "hit-rates.svg"

WIDTH, LEFT, RIGHT, ROW, BAR = 880, 150, 70, 26, 14
TITLES = {
    "zipf": "Zipf: a few keys are popular",
    "scan": "Scan: the same, and walks through keys of no further use",
    "shifting": "Shifting: other keys become popular",
}
SHOWN = ("allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-ttl")
SCALE = (WIDTH - LEFT - RIGHT) / 0.8
"""Pixels for a hit rate of 1; the axis ends at 80 %."""

LIGHT = "--ink:#1f2933;--soft:#5b6773;--line:#dde3e9;--bar:#5b7f95;--notch:#b5432e;--exact:#1f2933"
DARK = "--ink:#e6eaef;--soft:#9aa7b4;--line:#37424d;--bar:#6f97ae;--notch:#ef8a72;--exact:#e6eaef"
STYLE = f"""
.cutaway-hits {{ {LIGHT}; font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }}
@media (prefers-color-scheme: dark) {{ .cutaway-hits {{ {DARK} }} }}
[data-md-color-scheme="default"] .cutaway-hits {{ {LIGHT} }}
[data-md-color-scheme="slate"] .cutaway-hits {{ {DARK} }}
.cutaway-hits text {{ fill: var(--soft); font-size: 13px }}
.cutaway-hits .title {{ fill: var(--ink); font-size: 15px; font-weight: 650 }}
.cutaway-hits .policy {{ fill: var(--ink); text-anchor: end }}
.cutaway-hits .grid {{ stroke: var(--line) }}
.cutaway-hits .bar {{ fill: var(--bar) }}
.cutaway-hits .notch {{ stroke: var(--notch); stroke-width: 3 }}
.cutaway-hits .exact {{ stroke: var(--exact); stroke-width: 1.5; stroke-dasharray: 3 3 }}
"""


def x(rate: float) -> float:
    """Where a hit rate is on the axis."""
    return LEFT + rate * SCALE


def draw_row(policy: str, result: dict[str, Any], y: float) -> list[str]:
    """One policy: its name, the bar, the notch, the exact cache's mark, the figure."""
    ours, theirs = result["ours"][policy], result["redis"][policy]
    exact = result["exact"].get(policy.partition("-")[2])
    middle = y + BAR / 2
    parts = [
        f'<text class="policy" x="{LEFT - 10}" y="{middle + 4:g}">{policy}</text>',
        f'<rect class="bar" x="{LEFT}" y="{y:g}" width="{ours * SCALE:.1f}" height="{BAR}" rx="2"/>',
        f'<line class="notch" x1="{x(theirs):.1f}" x2="{x(theirs):.1f}" y1="{y - 3:g}" y2="{y + BAR + 3:g}"/>',
    ]
    if exact is not None:
        parts.append(
            f'<line class="exact" x1="{x(exact):.1f}" x2="{x(exact):.1f}" y1="{y - 6:g}" y2="{y + BAR + 6:g}"/>'
        )
    end = max(ours, theirs, exact or 0)
    return [*parts, f'<text x="{x(end) + 9:.1f}" y="{middle + 4:g}">{100 * ours:.1f} %</text>']


def draw_trace(name: str, result: dict[str, Any], top: float) -> list[str]:
    """One trace: its title, the grid, a row for each policy."""
    first = top + 34
    bottom = first + ROW * len(SHOWN) - 6
    parts = [f'<text class="title" x="{LEFT}" y="{top + 16:g}">{TITLES[name]}</text>']
    for percent in range(0, 81, 20):
        place = x(percent / 100)
        parts.append(f'<line class="grid" x1="{place:g}" x2="{place:g}" y1="{first - 6:g}" y2="{bottom:g}"/>')
        parts.append(f'<text text-anchor="middle" x="{place:g}" y="{bottom + 15:g}">{percent} %</text>')
    for number, policy in enumerate(SHOWN):
        parts += draw_row(policy, result, first + ROW * number)
    return parts


def draw_legend(y: float) -> list[str]:
    """What the marks mean."""
    return [
        f'<rect class="bar" x="{LEFT}" y="{y - 11:g}" width="26" height="{BAR}" rx="2"/>',
        f'<text x="{LEFT + 34}" y="{y:g}">Cutaway</text>',
        f'<line class="notch" x1="{LEFT + 120}" x2="{LEFT + 120}" y1="{y - 14:g}" y2="{y + 6:g}"/>',
        f'<text x="{LEFT + 130}" y="{y:g}">redis-server</text>',
        f'<line class="exact" x1="{LEFT + 240}" x2="{LEFT + 240}" y1="{y - 16:g}" y2="{y + 8:g}"/>',
        f'<text x="{LEFT + 250}" y="{y:g}">an exact LRU or LFU cache of as many keys</text>',
    ]


def draw(results: dict[str, Any]) -> str:
    """The picture."""
    block = 34 + ROW * len(SHOWN) + 34
    height = block * len(results) + 40
    parts: list[str] = []
    for number, (name, result) in enumerate(results.items()):
        parts += draw_trace(name, result, 10 + block * number)
    parts += draw_legend(height - 14)
    label = "Hit rates of four eviction policies on three traces, beside redis-server and exact caches."
    return "\n".join([
        f'<svg class="cutaway-hits" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">',
        f"<style>{STYLE}</style>", *parts, "</svg>", "",
    ])  # fmt: skip


def main() -> None:
    """Draw it."""
    TARGET.write_text(draw(json.loads(SOURCE.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
