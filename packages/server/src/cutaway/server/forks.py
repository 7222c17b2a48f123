"""How long the forks of this process took.

`fork` copies the page tables, not the memory: about ten milliseconds for each gigabyte that is in use, and nobody is served
meanwhile. The system calls back before and after each fork, so nobody who forks has to think of measuring.
"""

from __future__ import annotations

import os
import time
from typing import Final


class Forks:
    """The forks so far. One object for the process, since it is the process that is forked."""

    __slots__ = ("_started", "count", "last_nanoseconds")

    def __init__(self) -> None:
        self._started = 0
        self.forget()

    def forget(self) -> None:
        """Count from zero: at the start, and with CONFIG RESETSTAT."""
        self.count = self.last_nanoseconds = 0

    def before(self) -> None:
        """A fork begins."""
        self._started = time.perf_counter_ns()

    def after(self) -> None:
        """The parent goes on."""
        self.last_nanoseconds = time.perf_counter_ns() - self._started
        self.count += 1

    def rate(self, memory: int) -> float:
        """How fast the last fork was, in GB of `memory` per second; 0 before there was one."""
        return memory / self.last_nanoseconds if self.last_nanoseconds else 0.0


forks: Final = Forks()
os.register_at_fork(before=forks.before, after_in_parent=forks.after)
