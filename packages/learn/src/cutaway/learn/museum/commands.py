"""`python -m cutaway.learn museum list|start|check`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from cutaway.learn.desk import Desk, DeskError, UnreadableError, load
from cutaway.learn.exercises import listed
from cutaway.learn.museum import EXHIBITS
from cutaway.learn.museum.exhibits import Exhibit
from cutaway.learn.museum.visits import visit
from cutaway.learn.verdicts import Verdict

console = Console(highlight=False)


class NoSuchExhibitError(LookupError):
    """There is no exhibit of that name; the text lists those there are."""


def find(name: str) -> Exhibit:
    """The exhibit of this name, or the only one whose name it is a part of. Raises NoSuchExhibitError."""
    named = [each for each in EXHIBITS if each.name == name] or [
        each for each in EXHIBITS if name in each.name
    ]
    if len(named) == 1:
        return named[0]
    raise NoSuchExhibitError(
        f"There is no exhibit {name!r}. There are: {listed(each.name for each in EXHIBITS)}."
    )


def add_commands(commands: Any) -> None:
    """Add `museum` and what follows it to the parser of the program."""
    museum = commands.add_parser(
        "museum", help="bugs to be found with a test of your own: list, start, check"
    )
    actions = museum.add_subparsers(required=True, metavar="action")
    for name, run, text in (
        ("list", list_, "the exhibits, and which of them you have found"),
        ("start", start, "write down the report, and a test to begin with"),
        ("check", check, "run your test on the healthy version and on the sick one"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.set_defaults(run=run)
        if name != "list":
            action.add_argument("exhibit", nargs="?", help="by default the one whose file you changed last")


def list_(desk: Desk, _options: argparse.Namespace) -> None:
    """`museum list`."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    table.add_column("exhibit", no_wrap=True)
    table.add_column("what was reported")
    for exhibit in EXHIBITS:
        found = desk.has_found(exhibit.module)
        begun = _path(desk, exhibit).is_file()
        table.add_row("✓" if found else "•" if begun else "", exhibit.name, exhibit.symptom)
    console.print(table)
    console.print()
    console.print(Text("✓ found, • begun", style="dim"))
    console.print(Text(f"{desk.program} museum start {EXHIBITS[0].name}", style="cyan"))


def start(desk: Desk, options: argparse.Namespace) -> None:
    """`museum start`."""
    exhibit = find(options.exhibit or EXHIBITS[0].name)
    path = _path(desk, exhibit)
    if path.exists():
        raise DeskError(f"{path} is there already. To begin anew, remove it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(exhibit.skeleton, encoding="utf-8")
    console.print(Text(exhibit.name, style="bold"))
    console.print()
    console.print(Padding(Text(exhibit.report), (0, 4, 1, 4)))
    console.print(
        Text(f"Your test is in {path}. It has to pass on the healthy version, and to fail on the sick one.")
    )
    console.print()
    console.print(Text(f"{desk.program} museum check {exhibit.name}", style="cyan"))


def check(desk: Desk, options: argparse.Namespace) -> int:
    """`museum check`."""
    exhibit = find(options.exhibit) if options.exhibit else _last(desk)
    verdict = _visit(desk, exhibit)
    console.print(verdict)
    if not verdict:
        return 1
    desk.note_found(exhibit.module)
    console.print(Text("Found. This was it:", style="bold"))
    console.print()
    console.print(
        Padding(Syntax(exhibit.source, "python", background_color="default", word_wrap=True), (0, 0, 0, 4))
    )
    console.print(Text(exhibit.diagnosis))
    return 0


def _visit(desk: Desk, exhibit: Exhibit) -> Verdict:
    path = _path(desk, exhibit)
    if not path.is_file():
        raise DeskError(f"{path} is not there. To begin: {desk.program} museum start {exhibit.name}")
    try:
        test = getattr(load(path), "test", None)
    except UnreadableError as error:
        return Verdict(exhibit.name, str(path), broken="Your file can be imported", lesson=error.lesson)
    if test is None:
        raise DeskError(f"{path} has no function called test.")
    return visit(exhibit, test, str(path))


def _path(desk: Desk, exhibit: Exhibit) -> Path:
    return desk.folder / f"{exhibit.module}.py"


def _last(desk: Desk) -> Exhibit:
    begun = [each for each in EXHIBITS if _path(desk, each).is_file()]
    if not begun:
        raise DeskError(f"No exhibit is begun in {desk.folder}/ yet. See: {desk.program} museum list")
    return max(begun, key=lambda each: _path(desk, each).stat().st_mtime)
