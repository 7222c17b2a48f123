"""What is left to say when the process dies, or is stuck: where each thread was.

Python code cannot crash the interpreter, but there is C below it: a parser, an event loop, Lua. With `crash-log-enabled` (the
default) a segmentation fault, an abort and their like put the Python stack of every thread into the log before the process
ends. CPython's faulthandler does it, from within the signal handler and without allocating anything. It writes to the file that was
the log when the server started, wherever that has been moved to. What the server was doing is told after it (`last_words.py`).

`watchdog-period` finds what keeps the loop: if the regular work has not come round for so many milliseconds, the stacks are
written at that moment, while it still hangs.
"""

from __future__ import annotations

import faulthandler
import logging
import os
from typing import IO, TYPE_CHECKING, Any, Final

from cutaway.server.last_words import IS_POSSIBLE, LastWords, segfault

if TYPE_CHECKING:
    from cutaway.commands import Engine

log: Final = logging.getLogger("cutaway.server")

WORDS: Final = {"assert": "=== ASSERTION FAILED ===", "panic": "!!! Software Failure: DEBUG PANIC called"}
CYCLES: Final = 2
"""The regular work may be late by so many of its own periods, or each would be reported."""


class CrashReports:
    """Follows `crash-log-enabled` and `watchdog-period`."""

    __slots__ = ("_engine", "_file", "_last_words", "_seconds")

    def __init__(self, engine: Engine, file: IO[Any]) -> None:
        """Reports go to `file`, which must have a descriptor and stay open."""
        self._engine: Final = engine
        self._file: Final = file
        self._seconds = 0.0
        self._last_words: Final = LastWords(engine, file.fileno()) if IS_POSSIBLE else None
        engine.extras["crash"] = _crash
        engine.config.subscribe("crash-log-enabled", self._report)
        engine.config.subscribe("watchdog-period", self._watch)
        engine.on_cron = (*engine.on_cron, self._pet)

    def _report(self, wanted: Any) -> None:
        words = self._last_words
        if not wanted:
            faulthandler.disable()
            if words is not None:
                words.forget()
        elif words is None:
            faulthandler.enable(self._file)
        else:
            words.prepare()
            faulthandler.enable(self._file)
            words.make_room()

    def _watch(self, milliseconds: Any) -> None:
        shortest = CYCLES / self._engine.config.integer("hz")
        self._seconds = max(milliseconds / 1000, shortest) if milliseconds else 0.0
        if not milliseconds:
            faulthandler.cancel_dump_traceback_later()

    def _pet(self, _now: int) -> None:
        """The regular work is here: start the watchdog's time anew."""
        if self._seconds:
            faulthandler.dump_traceback_later(self._seconds, file=self._file)


def _crash(kind: str) -> None:
    """DEBUG SEGFAULT, ASSERT and PANIC: die as a broken server would."""
    if kind == "segfault":
        segfault()
    log.critical(WORDS[kind])
    os.abort()
