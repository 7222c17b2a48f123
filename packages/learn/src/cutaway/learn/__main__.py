"""`python -m cutaway.learn`: list, start, check, watch, hint, solution, reset, museum."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from cutaway.learn.checking import check
from cutaway.learn.desk import FOLDER, PYTHON, Desk, DeskError, UnreadableError
from cutaway.learn.exercises import EXERCISES, Exercise, NoSuchExerciseError, find
from cutaway.learn.lessons import MANNERS
from cutaway.learn.museum import commands as museum
from cutaway.learn.verdicts import Verdict

PROGRAM: Final = "python -m cutaway.learn"
WATCH_SECONDS: Final = 0.3
IMPORTABLE: Final = "Your file can be imported"
FAILED: Final = 1

console = Console(highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 1 if a check fails, 2 if the command cannot be run."""
    options = _parser().parse_args(arguments)
    desk = Desk(Path(options.folder))
    try:
        return int(options.run(desk, options) or 0)
    except (DeskError, NoSuchExerciseError, museum.NoSuchExhibitError) as error:
        console.print(Text(str(error)))
        return 2
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        PROGRAM, description="Write a layer of the server, and run the server on it."
    )
    parser.add_argument("--folder", default=FOLDER, help=f"where your files are (default: {FOLDER}/)")
    parser.set_defaults(run=list_)
    commands = parser.add_subparsers(metavar="command")

    def add(name: str, run: object, text: str, *, wants_name: bool = True) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("--folder", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if wants_name:
            command.add_argument("exercise", nargs="?", help="by default the one whose file you changed last")
        return command

    add("list", list_, "the exercises, and which of them you have begun", wants_name=False)
    add("start", start, "write a skeleton: the contract, and a test that fails")
    for name, run, text in (
        ("check", check_, "hold your implementation against the contract"),
        ("watch", watch, "check again whenever you save"),
    ):
        command = add(name, run, text)
        command.add_argument(
            "--no-server", action="store_true", help="do not ask a real server what it answers"
        )
        command.add_argument(
            "--debug", action="store_true", help="no time limit, and prints at once: for breakpoint()"
        )
    add("hint", hint, "the next hint, one rung at a time")
    add("solution", solution, "one way to write it")
    add("reset", reset, "begin anew; what you wrote is kept beside it")
    museum.add_commands(commands)
    return parser


def _wanted(desk: Desk, options: argparse.Namespace) -> Exercise:
    """The exercise that was named, or the one whose file was changed last. Raises DeskError."""
    if options.exercise:
        return find(options.exercise)
    begun = desk.begun()
    if not begun:
        raise DeskError(f"Nothing is begun in {desk.folder}/ yet. See: {desk.program} list")
    return begun[0]


def list_(desk: Desk, _options: argparse.Namespace) -> None:
    """`list`."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    table.add_column("exercise", no_wrap=True)
    table.add_column("the question")
    begun = desk.begun()
    for exercise in EXERCISES:
        table.add_row("•" if exercise in begun else "", exercise.name, exercise.question)
    console.print(table)
    console.print()
    if begun:
        console.print(f"• begun, in {desk.folder}/", style="dim")
    _advise([f"$ {desk.program} start {EXERCISES[0].name}", f"$ {desk.program} museum list"])


def start(desk: Desk, options: argparse.Namespace) -> None:
    """`start`."""
    exercise = find(options.exercise) if options.exercise else next(
        (each for each in EXERCISES if each not in desk.begun()), EXERCISES[0]
    )  # fmt: skip
    path = desk.start(exercise)
    console.print(Text.assemble((exercise.name, "bold"), f"  {exercise.question}"))
    console.print()
    console.print(
        Text(f"Your file is {path}. The contract is at its head, and a test that fails at its end.")
    )
    console.print()
    _advise([f"$ {desk.program} watch {exercise.name}"])


def check_(desk: Desk, options: argparse.Namespace) -> int:
    """`check`."""
    _set_manners(options)
    verdict = _check(desk, _wanted(desk, options), ask=not options.no_server)
    console.print(verdict)
    return 0 if verdict else FAILED


def _set_manners(options: argparse.Namespace) -> None:
    if options.debug:
        MANNERS.patience, MANNERS.is_quiet = 0, False


def _check(desk: Desk, exercise: Exercise, *, ask: bool) -> Verdict:
    try:
        part, tests = desk.part(exercise)
    except UnreadableError as error:
        return Verdict(exercise.name, str(desk.path(exercise)), broken=IMPORTABLE, lesson=error.lesson)
    verdict = check(exercise, part, ask=ask, tests=tests)
    if verdict:
        place = f"{exercise.part}={desk.path(exercise)}:{exercise.attribute}"
        verdict.advice = [
            f"All {len(verdict.passed)} rules hold. Now run the whole server on it, and talk to it:",
            "",
            f"$ {PYTHON} -m server --port 7777 {exercise.options}".rstrip() + " \\",
            f"$     --use {place}",
            "$ redis-cli -p 7777",
            *(f"    {line}" for line in exercise.try_it),
        ]
    else:
        verdict.advice = [f"$ {desk.program} hint {exercise.name}"]
    return verdict


def watch(desk: Desk, options: argparse.Namespace) -> None:
    """`watch`: until Ctrl-C."""
    exercise = _wanted(desk, options)
    path, seen = desk.path(exercise), 0
    _set_manners(options)
    if not path.is_file():
        raise DeskError(f"{path} is not there. To begin: {desk.program} start {exercise.name}")
    while True:
        stamp = path.stat().st_mtime_ns if path.is_file() else seen
        if stamp != seen:
            seen = stamp
            report: Verdict | Text
            try:
                report = _check(desk, exercise, ask=not options.no_server)
            except DeskError as error:
                report = Text(str(error))
            console.clear()
            console.print(report)
            console.print()
            console.print(
                Text(f"{time.strftime('%H:%M:%S')}  waiting for {path} to change, Ctrl-C ends", style="dim")
            )
        time.sleep(WATCH_SECONDS)  # noqa: TID251 - a program in a terminal, which waits for its reader


def hint(desk: Desk, options: argparse.Namespace) -> None:
    """`hint`."""
    exercise = _wanted(desk, options)
    number, text = desk.next_hint(exercise)
    console.print(
        Text.assemble((exercise.name, "bold"), (f"  hint {number} of {len(exercise.hints)}", "dim"))
    )
    console.print()
    console.print(Text("\n".join(_joined(text))))
    console.print()
    last = number == len(exercise.hints)
    _advise([f"$ {desk.program} solution {exercise.name}"] if last else ["For the next one, ask again."])


def _joined(text: str) -> list[str]:
    """The lines of a hint as the terminal is wide: code keeps its own lines, sentences flow."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") or not lines or lines[-1].startswith(" ") or lines[-1].endswith(":"):
            lines.append(line)
        else:
            lines[-1] += f" {line}"
    return lines


def solution(desk: Desk, options: argparse.Namespace) -> None:
    """`solution`: coloured in a terminal, plain into a file."""
    exercise = _wanted(desk, options)
    if sys.stdout.isatty():
        console.print(Syntax(exercise.solution, "python", background_color="default", word_wrap=True))
    else:
        sys.stdout.write(exercise.solution)


def reset(desk: Desk, options: argparse.Namespace) -> None:
    """`reset`."""
    path, kept = desk.reset(_wanted(desk, options))
    console.print(Text(f"{path} is the skeleton again." + (f" What was there is in {kept}." if kept else "")))


def _advise(lines: list[str]) -> None:
    for line in lines:
        console.print(Text(line.removeprefix("$ "), style="cyan" if line.startswith("$ ") else ""))


if __name__ == "__main__":
    sys.exit(main())
