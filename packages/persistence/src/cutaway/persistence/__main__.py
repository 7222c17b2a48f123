"""`python -m cutaway.persistence`: look into RDB and append-only files, and check them.

    check FILE|DIR [--fix]        is it whole? mends a torn tail
    show FILE [--json | --html]   every byte with its meaning
    keys FILE [--key NAME]        a table of the keys, or one of them with its value

Exit status 0 is a good verdict, 1 a bad one, 2 a mistake in the command line.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .checks import check, entries_of
from .errors import PersistenceError
from .key_tables import HEAD, elements, key_line, quoted
from .views import annotate_file, as_html, as_json, as_text, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .views import AnnotatedView


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(argv)
    try:
        if options.command == "check":
            return _check(options.path, fix=options.fix)
        if options.command == "show":
            return _show(options.path, json=options.json, html=options.html)
        return _keys(options.path, options.key)
    except BrokenPipeError:
        return 0
    except (OSError, PersistenceError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cutaway.persistence", description="RDB and append-only files."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="is a file or directory whole?")
    checking.add_argument("path", metavar="FILE|DIR")
    checking.add_argument("--fix", action="store_true", help="cut a torn tail off")
    showing = commands.add_parser("show", help="every byte with its meaning")
    showing.add_argument("path", metavar="FILE")
    form = showing.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as a JSON object")
    form.add_argument("--html", action="store_true", help="as an HTML fragment")
    listing = commands.add_parser("keys", help="a table of the keys")
    listing.add_argument("path", metavar="FILE")
    listing.add_argument("--key", help="only this key, with its value")
    return parser


def _check(path: str, *, fix: bool) -> int:
    verdict = check(path, fix=fix)
    place = "" if verdict.offset is None else f" (at byte {verdict.offset})"
    word = "fixed" if verdict.fixed else "ok" if verdict.ok else "BAD"
    sys.stdout.write(f"{word}: {verdict.path}: {verdict.text}{place}\n")
    return 0 if verdict.ok else 1


def _show(path: str, *, json: bool, html: bool) -> int:
    view = annotate_file(Path(path).read_bytes())
    if json:
        sys.stdout.write(as_json(view) + "\n")
    elif html:
        sys.stdout.write(as_html(view) + "\n")
    elif not (sys.stdout.isatty() and _show_in_colour(view)):
        sys.stdout.writelines(line + "\n" for line in as_text(view))
    return 0 if view.error is None else 1


def _show_in_colour(view: AnnotatedView) -> bool:
    """Show the view as a table in colour, if rich is installed. Returns whether it is."""
    try:  # an extra: cutaway-persistence[terminal]
        from rich.console import Console  # pyright: ignore[reportMissingImports]  # noqa: PLC0415
        from rich.text import Text  # pyright: ignore[reportMissingImports]  # noqa: PLC0415
    except ImportError:
        return False
    console = Console(highlight=False)
    for row in rows(view):
        line = Text.assemble((f"{row.offset:08x}  ", "dim"), (f"{row.hex:<25}  ", "cyan"))
        line.append("  " * row.depth + row.label, "bold" if not row.value else "")
        console.print(line.append("  " + row.value, "green"), soft_wrap=True)
    if view.error is not None:
        console.print(Text(f"{view.error.offset:08x}  ! {view.error.text}", "bold red"), soft_wrap=True)
    return True


def _keys(path: str, key: str | None) -> int:
    wanted = None if key is None else key.encode("utf-8", "surrogateescape")
    found = False
    for entry in entries_of(path):
        if wanted is not None and entry.key != wanted:
            continue
        if not found:
            sys.stdout.write(HEAD + "\n")
        found = True
        sys.stdout.write(key_line(entry) + "\n")
        if wanted is not None:
            sys.stdout.writelines(f"    {line}\n" for line in elements(entry.value))
    if wanted is not None and not found:
        sys.stderr.write(f"{path}: there is no key {quoted(wanted)}\n")
    return 0 if found or wanted is None else 1


if __name__ == "__main__":
    sys.exit(main())
