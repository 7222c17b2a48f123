"""What a configuration adds to the commands, or takes away, before the server starts: `loadmodule`, `rename-command`.

Modules get one thing that only the server has: a place beside the event loop, where slow work runs in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from cutaway.commands import Engine
from cutaway.modules import ModuleError, Modules
from cutaway.resp import Reply

THREADS: Final = 4


class ExtensionError(Exception):
    """The server cannot start as it was told to, for the reason that the text says."""


class Background:
    """Threads for the work of modules. What comes of it is told on the event loop."""

    __slots__ = ("_executor", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = loop
        self._executor: ThreadPoolExecutor | None = None

    def run(self, work: Callable[[], Reply], done: Callable[[Reply], None]) -> None:
        """Run `work` in a thread, then `done` with its answer on the loop."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="module")
        self._executor.submit(self._run, work, done)

    def _run(self, work: Callable[[], Reply], done: Callable[[Reply], None]) -> None:
        answer = work()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(done, answer)

    def close(self) -> None:
        """Begin no more work; what runs is not waited for."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)


def load_modules(
    engine: Engine, wanted: Iterable[tuple[str, Sequence[str]]], settings: Mapping[str, str]
) -> None:
    """Load the modules of a configuration, in order, with their settings. Raises ExtensionError."""
    modules: Modules = engine.extras["modules"]
    left = dict(settings)
    for place, arguments in wanted:
        try:
            module = modules.load(place, [word.encode("utf-8", "surrogateescape") for word in arguments])
            own = [name for name in left if name.startswith(f"{module.name}.")]
            for name in own:
                engine.config.load(name, [left.pop(name)])
        except ModuleError as error:
            raise ExtensionError(f"Can't load module from {place}: {error}") from error
    if left:
        raise ExtensionError(
            f"Module Configuration detected without loadmodule directive: {next(iter(left))}"
        )


def rename_commands(engine: Engine, renamed: Iterable[tuple[str, str]]) -> None:
    """Give commands other names, or none. Raises ExtensionError."""
    for name, new_name in renamed:
        try:
            engine.rename(name, new_name)
        except KeyError:
            raise ExtensionError(f"No such command in rename-command: {name}") from None
        except ValueError:
            raise ExtensionError(f"Target command name already exists: {new_name}") from None
