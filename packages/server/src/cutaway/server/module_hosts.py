"""What a server gives to modules: timers to the millisecond, threads, and the way back from these to the event loop.

The engine and all modules live in the thread of the loop. Threads come from a small pool, made when the first work comes.
They are daemons, so that work which does not end cannot keep the process from ending. A thread that asks for
something hands a function to the loop and waits; when the server closes, whoever still waits is told so.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from cutaway.commands import CommandError
from cutaway.modules import Host, Modules

if TYPE_CHECKING:
    from cutaway.resp import Reply
    from cutaway.server.servers import Server

THREADS: Final = 4
CLOSING: Final = CommandError("ERR the server is shutting down")
Work = tuple[Callable[[], "Reply"], Callable[["Reply"], None]]


class LoopHost(Host):
    """The host of an engine that has a server with an event loop around it."""

    __slots__ = ("_alarm", "_loop", "_modules", "_queue", "_server", "_thread", "_threads", "_waiting")

    def __init__(self, server: Server, modules: Modules) -> None:
        self._server: Final = server
        self._modules: Final = modules
        self._loop: Final = server.loop
        self._thread: Final = threading.get_ident()
        self._queue: Final[SimpleQueue[Work]] = SimpleQueue()
        self._threads = 0
        self._waiting: Final[set[Future[Reply]]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        modules.host = self

    # ---- threads

    def run(self, work: Callable[[], Reply], done: Callable[[Reply], None]) -> None:
        """Do `work` in a thread, then `done` with its answer on the loop."""
        self._queue.put((work, done))
        if self._threads < THREADS:
            self._threads += 1
            threading.Thread(target=self._work, name=f"module-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        while True:
            work, done = self._queue.get()
            self.post(partial(done, work()))

    def post(self, function: Callable[[], None]) -> None:
        """Call `function` on the loop, between two requests."""
        if threading.get_ident() == self._thread:
            function()
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to care
                self._loop.call_soon_threadsafe(self._run, function)

    def ask(self, function: Callable[[], Reply]) -> Reply:
        """As `post`, and wait for the answer. Raises what `function` raises, or CommandError when the server closes."""
        if threading.get_ident() == self._thread:
            return function()
        future: Future[Reply] = Future()
        self._waiting.add(future)
        self.post(lambda: _answer(future, function))
        if self._loop.is_closed():
            future.cancel()
        try:
            return future.result()
        except CancelledError:
            raise CLOSING from None
        finally:
            self._waiting.discard(future)

    def _run(self, function: Callable[[], None]) -> None:
        self._server.engine.tick()
        function()
        self._server.arm()  # what it wrote goes to the log

    def close(self) -> None:
        """The server ends: nothing more is called, and who waits is told."""
        if self._alarm is not None:
            self._alarm.cancel()
        for future in list(self._waiting):
            future.cancel()

    # ---- time

    def wake_at(self, moment: int) -> None:
        """Run the modules' timers at `moment`, in milliseconds since the epoch, or before."""
        delay = max((moment - self._server.engine.clock()) / 1000, 0.0)
        due = self._loop.time() + delay
        if self._alarm is not None:
            if not self._alarm.cancelled() and self._alarm.when() <= due:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_later(delay, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        engine = self._server.engine
        engine.tick()
        engine.caller = None
        self._modules.run_timers(engine.keyspace.now)
        self._server.arm()


def _answer(future: Future[Reply], function: Callable[[], Reply]) -> None:
    """Let the future have what comes of `function`."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function())
    except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
        future.set_exception(error)
