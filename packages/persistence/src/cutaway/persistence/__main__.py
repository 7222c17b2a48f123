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
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.module_values import ModuleValue

from .checks import check, entries_of, type_name
from .errors import PersistenceError
from .rdb_values import Value
from .views import annotate_file, as_html, as_json, as_text, rows, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .rdb_reader import Entry
    from .views import AnnotatedView

KEY_COLUMN: Final = 40
LONGEST_EMBSTR: Final = 44


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
    found = False
    wanted = None if key is None else key.encode("utf-8", "surrogateescape")
    for entry in entries_of(path):
        if wanted is None:
            sys.stdout.write(_key_line(entry) + "\n")
        elif entry.key == wanted:
            found = True
            sys.stdout.write(_key_line(entry) + "\n")
            sys.stdout.writelines(f"  {line}\n" for line in _elements(entry.value))
    return 0 if found or wanted is None else 1


def _key_line(entry: Entry) -> str:
    """Return database, name, type, encoding, size and expiry of a key."""
    value = entry.value
    if isinstance(value, int):
        size, encoding = len(str(value)), "int"
    elif isinstance(value, (bytes, bytearray)):
        size, encoding = len(value), "embstr" if len(value) <= LONGEST_EMBSTR else "raw"
    else:
        size = value.memory_usage() if isinstance(value, ModuleValue) else len(value)
        encoding = value.encoding
    expiry = "" if entry.expire_at is None else f"  expires at {entry.expire_at}"
    name = f"{entry.db:>2}  {shown(entry.key):<{KEY_COLUMN}}"
    return f"{name}  {type_name(value):<6}  {encoding:<10}  {size:>8}{expiry}"


def _elements(value: Value) -> Iterator[str]:
    """Yield what a value holds, an element a line."""
    if isinstance(value, (int, bytes, bytearray)):
        yield repr(value)
    elif isinstance(value, ModuleValue):
        yield from map(repr, value.save())
    elif value.type_name in ("hash", "zset"):
        for name, content in value.items():  # type: ignore[union-attr]
            yield f"{name!r}: {content!r}"
    else:
        for element in value:
            yield repr(element)


if __name__ == "__main__":
    sys.exit(main())
