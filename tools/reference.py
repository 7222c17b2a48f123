"""A hook of mkdocs: a page that says `[modules of resp]` gets a section per file of that package.

The section's heading is the file's name, its text the theory at the head of the file; what the file defines
follows. A new file is on the site at the next build.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKER = re.compile(r"^\[modules of (\w+)\]$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the sections where the marker stands; mkdocs calls this for every page."""
    return MARKER.sub(lambda marker: "\n".join(sections(marker[1])), markdown)


def sections(room: str) -> list[str]:
    """The Markdown of one section for each module of a package, in the order of their names."""
    source = ROOT / "packages" / room / "src"
    files = [path.relative_to(source) for path in sorted((source / "cutaway" / room).rglob("[!_]*.py"))]
    return [
        f"## {'/'.join(file.parts[2:])}\n\n::: {'.'.join(file.with_suffix('').parts)}\n"
        for file in files
        if not any(part.startswith("_") for part in file.parts)
    ]
