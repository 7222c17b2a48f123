"""A hook of mkdocs: a page that says `[modules of resp]` gets a section per file of that package, and `package:resp` is its address.

The section's heading is the file's name, its text the theory at the head of the file; what the file defines
follows. A new file is on the site at the next build.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
MARKER = re.compile(r"^\[modules of (\w+)\]$", re.MULTILINE)
LINK = re.compile(r'href="package:(\w+)"')


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the sections where the marker stands; mkdocs calls this for every page."""
    return MARKER.sub(lambda marker: "\n".join(sections(marker[1])), markdown)


def on_page_content(html: str, page: Page, files: Files, **_: object) -> str:
    """Turn `href="package:resp"`, which pictures say, into the way from this page to that of the package."""

    def address(link: re.Match[str]) -> str:
        target = files.get_file_from_path(f"packages/{link[1]}.md")
        assert target is not None, f"{page.file.src_uri}: there is no page of the package {link[1]}"
        return f'href="{target.url_relative_to(page.file)}"'

    return LINK.sub(address, html)


def sections(room: str) -> list[str]:
    """The Markdown of one section for each module of a package, in the order of their names."""
    source = ROOT / "packages" / room / "src"
    files = [path.relative_to(source) for path in sorted((source / "cutaway" / room).rglob("[!_]*.py"))]
    return [
        f"## {'/'.join(file.parts[2:])}\n\n::: {'.'.join(file.with_suffix('').parts)}\n"
        for file in files
        if not any(part.startswith("_") for part in file.parts)
    ]
