"""What surrounds an engine: time that passes by itself, and threads.

An engine alone has neither. Its timers are looked at when `Engine.cron` is called, slow work is done at once, and there is
only one thread. A server puts a host of its own into `Modules.host`, one that knows its event loop, and the same
modules get timers to the millisecond, work in the background, and a way back from there.
"""

from __future__ import annotations

from collections.abc import Callable

from cutaway.resp import Reply


class Host:
    """The host of an engine that has no server around it."""

    __slots__ = ()

    def run(self, work: Callable[[], Reply], done: Callable[[Reply], None]) -> None:
        """Do `work` where it disturbs nobody, then `done` with its answer, where the engine lives."""
        done(work())

    def post(self, function: Callable[[], None]) -> None:
        """Call `function` where the engine lives, soon. Safe from any thread."""
        function()

    def ask(self, function: Callable[[], Reply]) -> Reply:
        """Call `function` where the engine lives, wait, and give its answer. Safe from any thread. Raises what it raises."""
        return function()

    def wake_at(self, moment: int) -> None:
        """See that `Modules.run_timers` is called at `moment` (milliseconds since the epoch), and no earlier call is lost."""
