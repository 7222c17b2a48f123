"""A server's log: one line for each thing that happened, in a form that someone is already able to read.

The house logs with Python's `logging`, each room under its own name. This module gives the lines their form, and knows nothing
of who writes them. There are three forms for machines (`log-format`):

=========  ===================================================================================
`legacy`   `4711:M 21 Nov 2026 12:42:10.365 * Ready to accept connections`, as Redis has always
           written it, and as every tool that reads Redis logs expects it
`logfmt`   `pid=4711 role=primary timestamp="..." level=notice message="..."`
`json`     the same fields as a JSON object, a line each
=========  ===================================================================================

and one for people, in `terminal.py`. The letter after the process number says who speaks: `M` the primary, `C` a child that
saves. The character before the message is the level.

Redis has four levels, and they are not Python's. `verbose` lies between its debug and its ordinary "notice"; errors
are warnings, since a server that goes on has only warned.

==========  ===========  =====  =========================================
`loglevel`  Python       char   what is logged from there on
==========  ===========  =====  =========================================
debug       DEBUG  10    `.`    all that might help to find a bug
verbose     VERBOSE 15   `-`    what clients do
notice      INFO   20    `*`    what a person who runs the server wants
warning     WARNING 30   `#`    what somebody has to see to
nothing     100                 nothing at all
==========  ===========  =====  =========================================
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Final, Literal

VERBOSE: Final = 15
NOTHING: Final = 100
LEVELS: Final = {
    "debug": logging.DEBUG, "verbose": VERBOSE, "notice": logging.INFO, "warning": logging.WARNING, "nothing": NOTHING,
}  # fmt: skip
"""Redis's `loglevel` in Python's numbers."""

TimestampFormat = Literal["legacy", "iso8601", "milliseconds"]

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

logging.addLevelName(VERBOSE, "VERBOSE")


def level_name(number: int) -> str:
    """Redis's word for a level of Python's: "debug", "verbose", "notice", "warning"."""
    if number >= logging.WARNING:
        return "warning"
    if number >= logging.INFO:
        return "notice"
    return "verbose" if number >= VERBOSE else "debug"


_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), 127) if chr(code) != "\t"}


def printable(text: str) -> str:
    r"""`text` on one line: control characters and bytes that are no UTF-8 as \xNN, so that no client forges a line."""
    return text.translate(_CONTROLS).encode(errors="surrogateescape").decode(errors="backslashreplace")


LEVEL_CHARACTERS: Final = {"debug": ".", "verbose": "-", "notice": "*", "warning": "#"}


def timestamp(seconds: float, form: TimestampFormat = "legacy") -> str:
    """A moment, `seconds` since the epoch, as `log-timestamp-format` wants it; local time. O(1)."""
    milliseconds = int(seconds * 1000)
    if form == "milliseconds":
        return str(milliseconds)
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone()
    if form == "iso8601":
        return moment.isoformat(timespec="milliseconds")
    month = _MONTHS[moment.month - 1]
    return f"{moment.day:02d} {month} {moment.year} {moment:%H:%M:%S}.{milliseconds % 1000:03d}"


class LineFormatter(logging.Formatter):
    """What the three forms share: the moment, who speaks, and a message that is one line."""

    def __init__(self, timestamps: TimestampFormat = "legacy", parent: int | None = None) -> None:
        """`parent` is the server's process number; lines of any other process are a child's. None: there are no children."""
        super().__init__()
        self.timestamps: TimestampFormat = timestamps
        self.parent = parent

    def is_child(self, record: logging.LogRecord) -> bool:
        """Whether a child that saves wrote this line."""
        return self.parent is not None and record.process != self.parent

    def moment(self, record: logging.LogRecord) -> str:
        """The line's timestamp."""
        return timestamp(record.created, self.timestamps)

    def message(self, record: logging.LogRecord) -> str:
        """The text, with the traceback of an exception after it."""
        text = printable(record.getMessage())
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class RedisFormatter(LineFormatter):
    """Redis's own form: `pid:role date level-character message`."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, without a line end."""
        role = "C" if self.is_child(record) else "M"
        character = LEVEL_CHARACTERS[level_name(record.levelno)]
        return f"{record.process}:{role} {self.moment(record)} {character} {self.message(record)}"


class FieldFormatter(LineFormatter):
    """What the two structured forms share."""

    def fields(self, record: logging.LogRecord) -> dict[str, str | int]:
        """The line's fields, in order."""
        return {
            "pid": record.process or 0,
            "role": "child" if self.is_child(record) else "primary",
            "timestamp": self.moment(record),
            "level": level_name(record.levelno),
            "message": self.message(record),
        }


class LogfmtFormatter(FieldFormatter):
    """`name=value` pairs; a message and a timestamp are quoted."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, without a line end."""
        return " ".join(f"{name}={_logfmt(name, value)}" for name, value in self.fields(record).items())


def _logfmt(name: str, value: str | int) -> str:
    if name not in ("timestamp", "message"):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False)


class JsonFormatter(FieldFormatter):
    """A JSON object on each line."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, without a line end."""
        return json.dumps(self.fields(record), ensure_ascii=False, separators=(",", ":"))


FORMATTERS: Final[dict[str, type[LineFormatter]]] = {
    "legacy": RedisFormatter, "logfmt": LogfmtFormatter, "json": JsonFormatter,
}  # fmt: skip
"""By the value of `log-format`."""
