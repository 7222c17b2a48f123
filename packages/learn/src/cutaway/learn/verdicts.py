"""What a check found, and how it looks: in a terminal, and in a notebook's cell.

A verdict is data. It is drawn twice, by `__rich_console__` for a terminal of any width and by `_repr_html_` for Jupyter, with
the same words in the same order: the rules that hold, the one that does not, and the lesson.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from io import StringIO
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.text import Text

from cutaway.learn.carets import rows, spell
from cutaway.learn.lessons import Lesson, Marked

LABEL: Final = 10
WIDEST: Final = 110
HTML_COLUMNS: Final = 88
PROMPT_COLUMNS: Final = 80
LONGEST_ANSWER: Final = 600


@dataclass(slots=True, repr=False)
class Verdict:
    """The outcome of a check. True if every rule holds; its repr is what a terminal shows, for whoever works at a prompt."""

    name: str
    subject: str
    """What was checked: a file and a name in it."""
    passed: list[str] = field(default_factory=list)
    broken: str = ""
    """The rule that does not hold; empty if all do."""
    why: str = ""
    lesson: Lesson | None = None
    waiting: int = 0
    """Rules that were not tried because an earlier one is broken."""
    advice: list[str] = field(default_factory=list)
    """What to do next: lines, of which commands begin with "$ "."""

    def __bool__(self) -> bool:
        return not self.broken

    def __repr__(self) -> str:
        out = StringIO()
        Console(file=out, width=PROMPT_COLUMNS).print(self)
        return out.getvalue().rstrip()

    @property
    def summary(self) -> str:
        """The outcome in a line."""
        if not self.broken:
            return f"{self.name}: all {len(self.passed)} rules hold"
        return f"{self.name}: {len(self.passed)} of {len(self.passed) + 1 + self.waiting} rules hold so far"

    # ---- in a terminal

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        width = min(options.max_width, WIDEST)
        yield Text.assemble(
            (self.name, "bold"), "  ", (self.subject, "dim"), no_wrap=True, overflow="ellipsis"
        )
        yield Text("")
        for title in self.passed:
            yield _ticked(Text("  ✓ ", style="green"), Text(title), width)
        if self.broken:
            yield _ticked(Text("  ✗ ", style="bold red"), Text(self.broken, style="bold"), width)
        if self.waiting:
            yield Text(f"    {_count(self.waiting, 'more rule')} after that", style="dim")
        yield Text("")
        if self.lesson is not None:
            yield from self._lesson(self.lesson, width)
        for line in self.advice:
            yield Text(line.removeprefix("$ "), style="cyan") if line.startswith("$ ") else Text(line)

    def _lesson(self, lesson: Lesson, width: int) -> Iterator[RenderableType]:
        yield Line(style="dim", characters="─", align="left")
        yield Padding(Text(self.why, style="italic"), (0, 0, 1, 0))
        for label, value in lesson.told:
            yield _labelled(label, Text(value), width)
        if lesson.told:
            yield Text("")
        for marked in lesson.marked:
            yield from _marked(marked, width)
        if lesson.expected is not None:
            yield _labelled("expected", Text(lesson.expected, style="green"), width)
        if lesson.got is not None:
            yield _labelled("got", Text(lesson.got, style="red"), width)
        if lesson.expected is not None or lesson.got is not None:
            yield Text("")
        if lesson.printed:
            yield Text("your code printed", style="dim")
            yield Padding(Text(lesson.printed.rstrip()), (0, 0, 1, 2))
        if lesson.remark:
            yield Text(lesson.remark)
        if lesson.place is not None:
            yield Text.assemble(
                ("  at ", "dim"), f"{lesson.place}", ("    ", "dim"), (lesson.place.text, "bold")
            )
        if lesson.remark or lesson.place:
            yield Text("")
        for server, answer in lesson.answers:
            yield Text.assemble((server, "bold"), _answers(server))
            yield Padding(Text(spelled(answer)), (0, 0, 0, 2))
        if lesson.answers:
            yield Text("")

    # ---- in a notebook

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{escape(self.name)}</b> {escape(self.subject)}</p>", "<ul style='list-style:none'>"]
        parts += [f"<li>✓ {escape(title)}</li>" for title in self.passed]
        if self.broken:
            parts.append(f"<li>✗ <b>{escape(self.broken)}</b></li>")
        if self.waiting:
            parts.append(f"<li style='opacity:.7'>{_count(self.waiting, 'more rule')} after that</li>")
        parts.append("</ul>")
        if self.lesson is not None:
            parts += self._html_lesson(self.lesson)
        parts += [_html_advice(line) for line in self.advice]
        return f"<div class='cutaway-verdict'>{''.join(parts)}</div>"

    def _html_lesson(self, lesson: Lesson) -> Iterator[str]:
        yield f"<p><i>{escape(self.why)}</i></p>"
        yield _html_table(lesson.told)
        yield "".join(f"<pre>{escape(marked_text(marked, HTML_COLUMNS))}</pre>" for marked in lesson.marked)
        sides = (("expected", lesson.expected), ("got", lesson.got))
        yield _html_table([(label, value) for label, value in sides if value is not None])
        if lesson.printed:
            yield f"<p>your code printed</p><pre>{escape(lesson.printed)}</pre>"
        if lesson.remark:
            yield f"<p>{escape(lesson.remark)}</p>"
        if lesson.place is not None:
            yield f"<p><code>{escape(str(lesson.place))}</code> <code>{escape(lesson.place.text)}</code></p>"
        for server, answer in lesson.answers:
            yield f"<p><b>{escape(server)}</b>{_answers(server)} <code>{escape(spelled(answer))}</code></p>"


def spelled(data: bytes) -> str:
    """Bytes as text, cut when they are very many."""
    text = "".join(map(spell, data[:LONGEST_ANSWER]))
    return text + f" …{len(data) - LONGEST_ANSWER} bytes more" if len(data) > LONGEST_ANSWER else text


def marked_text(marked: Marked, width: int) -> str:
    """Bytes with their caret as plain text, under their label."""
    lines = [marked.label]
    for text, caret in rows(marked.data, marked.at, width - 2):
        lines.append(f"  {text}")
        if caret is not None:
            lines += [f"  {line}" for line in _caret_lines(marked, caret, width - 2)]
    return "\n".join(lines)


def _caret_lines(marked: Marked, caret: int, width: int) -> list[str]:
    """The caret with its note: to the right of it, or to the left, or below it, wherever there is room."""
    note = f"byte {marked.at}: {marked.note}" if marked.note else f"byte {marked.at}"
    if caret + 2 + len(note) <= width:
        return [f"{' ' * caret}^ {note}"]
    if len(note) < caret:
        return [f"{' ' * (caret - len(note) - 1)}{note} ^"]
    indent = max(min(caret, width - len(note)), 0)
    return [
        f"{' ' * caret}^",
        *(" " * indent + line for line in textwrap.wrap(note, max(width - indent, 20))),
    ]


def _marked(marked: Marked, width: int) -> Iterator[RenderableType]:
    yield Text(marked.label, style="dim")
    for text, caret in rows(marked.data, marked.at, width - 2):
        yield Text(f"  {text}", no_wrap=True)
        if caret is not None:
            for line in _caret_lines(marked, caret, width - 2):
                yield Text(f"  {line}", style="bold red")
    yield Text("")


def _labelled(label: str, value: Text, width: int) -> RenderableType:
    """A label in its column, the value beside it and folded there."""
    column = max(LABEL, len(label) + 2)
    lines = value.wrap(Console(width=width), max(width - column, 20))
    out = Text()
    for number, line in enumerate(lines):
        out.append(
            label.ljust(column) if not number else "\n" + " " * column, style="dim" if not number else ""
        )
        out.append_text(line)
    return out


def _answers(server: str) -> str:
    return " answer" if " and " in server else " answers"


def _ticked(mark: Text, words: Text, width: int) -> RenderableType:
    """Words behind a mark, folded under themselves."""
    indent = "\n" + " " * len(mark)
    return Text.assemble(
        mark, Text(indent).join(words.wrap(Console(width=width), max(width - len(mark), 20)))
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _html_table(pairs: Sequence[tuple[str, str]]) -> str:
    cells = (
        f"<tr><td style='text-align:left'>{escape(label)}</td>"
        f"<td style='text-align:left'><code>{escape(value)}</code></td></tr>"
        for label, value in pairs
    )
    return f"<table>{''.join(cells)}</table>" if pairs else ""


def _html_advice(line: str) -> str:
    if line.startswith("$ "):
        return f"<pre>{escape(line.removeprefix('$ '))}</pre>"
    return f"<p>{escape(line)}</p>" if line else ""
