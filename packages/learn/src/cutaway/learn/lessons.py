"""A failure that teaches: what was done, what should have come of it, what did, and where they part.

A suite does not `assert`. It tells a `Scene` what it does to the reader's part, and when the part answers wrongly it
lets the scene raise `Wrong`, which carries all that a lesson needs:

    with Scene() as scene:
        scene.tell("feed", chunk)
        got = parser.feed(chunk)
        scene.expect(expected, got)

Hypothesis takes `Wrong` for the assertion that it is and shrinks the input, so the lesson that comes out at the end is that
of the smallest input. Within the block anything may happen, for the code in it is the reader's: an exception becomes a
lesson too, with the line it came from, and so does a loop without an end, as far as the platform has a timer.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import os
import signal
import sysconfig
import threading
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self

import cutaway

LONGEST_PRINTED: Final = 2000


@dataclass(slots=True)
class Manners:
    """How an example is run."""

    patience: float = 5.0
    """Seconds that it may take, all examples being tiny; 0 for no limit."""
    is_quiet: bool = True
    """Whether what the reader's code prints is kept for the lesson, instead of appearing hundreds of times."""


MANNERS: Final = Manners()
"""Those of this process; `check --debug` gives them up, so that breakpoint() works."""


@dataclass(frozen=True, slots=True)
class Marked:
    """Bytes, the offset of the first that came out wrong (None if no one byte is to blame), and what it is."""

    label: str
    data: bytes
    at: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the reader's code."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{nearby(self.file)}:{self.line}"


def nearby(file: str) -> str:
    """A path as it is seen from the working directory, if it is below it."""
    try:
        return str(Path(file).resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return file


@dataclass(slots=True)
class Lesson:
    """What a failed check has to say. Lists of pairs are lines with a label; values are shown as Python writes them."""

    told: list[tuple[str, str]] = field(default_factory=list)
    """The steps that led here, in order: what was called with what."""
    marked: list[Marked] = field(default_factory=list)
    expected: str | None = None
    got: str | None = None
    printed: str = ""
    """What the reader's code printed in this example."""
    remark: str = ""
    """What this failure says beyond the rule that was broken."""
    place: Place | None = None
    ask: bytes = b""
    """Requests by which a real server can be asked the same question."""
    ask_shows: int = 0
    """How many of the last replies to these requests answer the question; 0 for all."""
    story: list[tuple[str, str]] = field(default_factory=list)
    """The same for a question of several clients: who sends what, or ("time", milliseconds)."""
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    """What real servers answered: name and version, and the bytes."""


class Wrong(AssertionError):  # noqa: N818 - a verdict, not a fault of the program
    """The reader's part did something wrong; `lesson` says what."""

    def __init__(self, lesson: Lesson) -> None:
        super().__init__(lesson.remark or f"expected {lesson.expected}, got {lesson.got}")
        self.lesson = lesson


class Endless(BaseException):
    """An example took too long. No subclass of Exception: nothing between here and the check may swallow it, or shrink it."""

    def __init__(self, lesson: Lesson) -> None:
        super().__init__(lesson.remark)
        self.lesson = lesson


class _AlarmError(BaseException):
    """The timer has run out."""


class Said(str):
    """Words in the place of a value: shown as they are, not as Python writes a string."""

    __slots__ = ()


class Scene:
    """One example, as it is acted out. A context manager: what the code in it raises becomes a lesson."""

    __slots__ = ("_before", "_printed", "_redirection", "_timed", "lesson")

    def __init__(self, ask: bytes = b"", ask_shows: int = 0) -> None:
        self.lesson = Lesson(ask=ask, ask_shows=ask_shows)
        self._timed = False
        self._before: tuple[Any, float, float] = (None, 0.0, 0.0)
        """Whose alarm it was before, and when it was to ring."""
        self._printed = io.StringIO()
        self._redirection = contextlib.redirect_stdout(self._printed)

    def tell(self, label: str, value: Any = "", /) -> None:
        """Note a step: a label, and a value that is shown as Python writes it (text is shown as it is)."""
        self.lesson.told.append((label, value if isinstance(value, str) else show(value)))

    def gave(self, value: Any) -> None:
        """Note what the last step gave back."""
        label, shown = self.lesson.told[-1]
        self.lesson.told[-1] = (label, f"{shown}  →  {show(value)}")

    def mark(self, label: str, data: bytes, at: int | None = None, note: str = "") -> None:
        """Show bytes, with a caret under the byte at offset `at`."""
        self.lesson.marked.append(Marked(label, data, at, note))

    def fail(self, remark: str, **shown: Any) -> NoReturn:
        """Raise Wrong with a remark, and with `expected` and `got` if they are given."""
        lesson = self.lesson
        lesson.remark = remark
        if "expected" in shown:
            lesson.expected = show(shown["expected"])
        if "got" in shown:
            lesson.got = show(shown["got"])
        raise Wrong(lesson)

    def expect(self, expected: Any, got: Any, remark: str = "") -> None:
        """Raise Wrong unless `got` equals `expected`, in type as well: True is not 1, nor bytes a bytearray."""
        if not same(expected, got):
            self.fail(remark, expected=expected, got=got)

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()
        self._timed = MANNERS.patience > 0 and hasattr(signal, "setitimer") and is_main
        if MANNERS.is_quiet:
            self._redirection.__enter__()
        if self._timed:
            handler = signal.signal(signal.SIGALRM, _ring)
            self._before = handler, *signal.setitimer(signal.ITIMER_REAL, MANNERS.patience)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timed:
            handler, delay, interval = self._before
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, delay, interval)
        if MANNERS.is_quiet:
            self._redirection.__exit__(kind, error, trace)
            self.lesson.printed = self._printed.getvalue()[-LONGEST_PRINTED:]
        if error is None or isinstance(error, (Wrong, Endless)):
            return
        lesson = self.lesson
        lesson.place = place_of(trace)
        if isinstance(error, _AlarmError):
            lesson.remark = (
                f"Your code was still running after {MANNERS.patience:g} seconds: a loop without an end?"
            )
            raise Endless(lesson) from None
        if isinstance(error, Exception):
            lesson.remark = explain(error)
            raise Wrong(lesson) from None


def _ring(_signal: int, _frame: object) -> None:
    raise _AlarmError


def same(expected: Any, got: Any) -> bool:
    """Whether two values are equal, and of the same types all the way down, exceptions by their text. O(size)."""
    if isinstance(expected, (list, tuple)):
        return (
            type(got) is type(expected)
            and len(got) == len(expected)
            and all(same(one, other) for one, other in zip(expected, got, strict=True))
        )
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    return bool(expected == got) and isinstance(got, type(expected))


LONGEST_SHOWN: Final = 2000


def show(value: Any) -> str:
    """A value as Python writes it, cut when it is very long; an object whose own repr fails is named by its class."""
    try:
        text = str(value) if isinstance(value, Said) else repr(value)
    except Exception:  # noqa: BLE001 - the reader's __repr__ may do anything
        text = f"<{type(value).__name__}>"
    if len(text) > LONGEST_SHOWN:
        text = f"{text[:LONGEST_SHOWN]}… ({len(text)} characters)"
    return text


def explain(error: Exception) -> str:
    """What an exception of the reader's code means, in a sentence."""
    if isinstance(error, NotImplementedError):
        return "This is not written yet. Start here."
    text = str(error) or "no message"
    return f"Your code raised {type(error).__name__}: {text}"


def place_of(trace: TracebackType | None) -> Place | None:
    """The innermost line of a traceback that is the reader's: neither of this package nor of a library. O(depth)."""
    for frame in reversed(traceback.extract_tb(trace)):
        if is_readers(frame.filename):
            text = linecache.getline(frame.filename, frame.lineno or 0).strip()
            return Place(frame.filename, frame.lineno or 0, text)
    return None


def _homes_of_others() -> tuple[str, ...]:
    """The folders of code that is not the reader's: this namespace, the standard library, what is installed."""
    installed = (sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return tuple(str(Path(folder).resolve()) + os.sep for folder in (*cutaway.__path__, *installed))


_HOMES: Final = _homes_of_others()
_EXAMPLES: Final = tuple(
    str(Path(__file__).resolve().parent / name) + os.sep for name in ("skeletons", "solutions")
)


def is_readers(filename: str) -> bool:
    """Whether a file of a traceback is the reader's own: an exercise, a notebook's cell, a file of theirs."""
    if filename.startswith("<frozen"):
        return False
    path = str(Path(filename).resolve()) if Path(filename).exists() else filename
    return path.startswith(_EXAMPLES) or not path.startswith(_HOMES)
