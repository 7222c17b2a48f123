"""The log as a person at a terminal sees it: a banner, then quiet lines in which what matters has colour.

Everything here is drawn by rich, which is an optional dependency (`cutaway-observability[terminal]`). Where it is missing, where
output goes to a file or a pipe, or where `NO_COLOR` is set, the plain forms of `log.py` are used instead.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cutaway.observability.log import LEVEL_CHARACTERS, level_name, printable, timestamp

STYLES: Final = {"debug": "dim", "verbose": "dim", "notice": "green", "warning": "bold yellow"}
ERROR_STYLE: Final = "bold red"

# A box with its casing off: what is inside is what there is to see.
CUTAWAY: Final = r"""
   ╭────────╮   ╱╱
   │ ▪▪▪▪▪▪ │  ╱╱
   │ ▪▪▪▪▪╱╱  ╱╱
   │ ▪▪▪╱╱ ⚙  ◆
   ╰──╱╱ ◆  ⚙  ▤
"""  # noqa: RUF001


class RichHandler(logging.Handler):
    """Writes each record as a coloured line: the time of day, the level, the message."""

    def __init__(self, console: Console, parent: int | None = None) -> None:
        """`parent` is the server's process number; other processes' lines are marked."""
        super().__init__()
        self.console: Final = console
        self.parent: Final = parent

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            self.console.print(self.line(record), soft_wrap=True, highlight=False)
        except Exception:  # noqa: BLE001 - what the standard library's handlers do: a log line never ends the server
            self.handleError(record)

    def line(self, record: logging.LogRecord) -> Text:
        """The record as styled text."""
        level = level_name(record.levelno)
        style = ERROR_STYLE if record.levelno >= logging.ERROR else STYLES[level]
        text = Text()
        text.append(timestamp(record.created)[-12:-4], "dim")
        text.append(f" {LEVEL_CHARACTERS[level]} ", style)
        if self.parent is not None and record.process != self.parent:
            text.append(f"child {record.process} ", "dim cyan")
        text.append(printable(record.getMessage()), "" if record.levelno < logging.WARNING else style)
        if record.exc_info:
            text.append("\n" + logging.Formatter().formatException(record.exc_info), "dim")
        return text


def banner(title: str, facts: Mapping[str, str], tips: Sequence[tuple[str, str]]) -> Panel:
    """What a person wants to know of a server that has just started.

    `facts` are shown as a table beside the picture; `tips` are commands to type, each with what it is good for.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", justify="right")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, value)
    top = Table.grid(padding=(0, 3))
    top.add_row(Text(CUTAWAY.strip("\n"), "cyan"), table)
    hints = Table.grid(padding=(0, 2))
    hints.add_column(style="bold", no_wrap=True)
    hints.add_column(style="dim")
    for command, purpose in tips:
        hints.add_row(Text(f"  {command}"), purpose)
    return Panel(
        Group(top, Text(), hints),
        title=f"[bold]{title}[/]",
        border_style="cyan",
        expand=False,
        padding=(0, 2),
    )


def console_for(stream: Any, *, colour: bool) -> Console | None:
    """A console to write the log on, or None where plain lines are wanted: `stream` is no terminal, or colour is not wished."""
    if not colour or not stream.isatty():
        return None
    return Console(file=stream)
