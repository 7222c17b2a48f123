"""The way back from a thread to the engine.

The engine belongs to one thread, and so do the functions of a module. Work that a module does in a thread of its own must not
touch either. What it may have is a `ThreadContext`: it hands a function over to the engine's thread, waits until it has
run there between two requests, and gets its answer. That is Redis's thread-safe context with its lock, turned around:
there the thread comes to the data, here the function does. Nobody can forget to unlock, and nothing is changed under
the feet of a running command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from cutaway.modules.arguments import Argument

if TYPE_CHECKING:
    from cutaway.modules.loaded import LoadedModule
    from cutaway.resp import Reply


class ThreadContext:
    """What a thread may do with the engine. All of it is safe from any thread."""

    __slots__ = ("_loaded",)

    def __init__(self, loaded: LoadedModule) -> None:
        self._loaded: Final = loaded

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function` with a context, and the arguments, where the engine lives; give its answer.

        All that it writes goes into the log together. Raises CommandError.
        """
        return self._loaded.host.ask(lambda: self._loaded.run(function, *arguments))

    def call(self, *argv: Argument) -> Reply:
        """Run a command, as `Context.call`. Raises CommandError."""
        reply: Reply = self.run(lambda ctx: ctx.call(*argv))
        return reply

    def log(self, text: str, *arguments: object) -> None:
        """Write a line to the server's log."""
        self._loaded.log.info(text, *arguments)
