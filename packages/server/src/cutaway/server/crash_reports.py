"""What is left to say when the process dies, or is stuck: where each thread was.

Python code cannot crash the interpreter, but there is C below it: a parser, an event loop, Lua. With `crash-log-enabled` (the
default) a segmentation fault, an abort and their like put the Python stack of every thread into the log before the process
ends. CPython's faulthandler does it, from within the signal handler and without allocating anything. It writes to the file that was
the log when the server started, wherever that has been moved to.

`watchdog-period` finds what keeps the loop: if the regular work has not come round for so many milliseconds, the stacks are
written at that moment, while it still hangs.
"""

from __future__ import annotations

import faulthandler
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cutaway.commands import Engine

CYCLES: Final = 2
"""The regular work may be late by so many of its own periods, or each would be reported."""


class CrashReports:
    """Follows `crash-log-enabled` and `watchdog-period`."""

    __slots__ = ("_engine", "_file", "_seconds")

    def __init__(self, engine: Engine, file: IO[Any]) -> None:
        """Reports go to `file`, which must have a descriptor and stay open."""
        self._engine: Final = engine
        self._file: Final = file
        self._seconds = 0.0
        engine.config.subscribe("crash-log-enabled", self._report)
        engine.config.subscribe("watchdog-period", self._watch)
        engine.on_cron = (*engine.on_cron, self._pet)

    def _report(self, wanted: Any) -> None:
        if wanted:
            faulthandler.enable(self._file)
        else:
            faulthandler.disable()

    def _watch(self, milliseconds: Any) -> None:
        shortest = CYCLES / self._engine.config.integer("hz")
        self._seconds = max(milliseconds / 1000, shortest) if milliseconds else 0.0
        if not milliseconds:
            faulthandler.cancel_dump_traceback_later()

    def _pet(self, _now: int) -> None:
        """The regular work is here: start the watchdog's time anew."""
        if self._seconds:
            faulthandler.dump_traceback_later(self._seconds, file=self._file)
