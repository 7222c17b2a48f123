"""The report of a process that dies of a signal: its C stack, whose command was running, the clients, INFO.

CPython's faulthandler says where each thread was in Python, from within the signal handler and without allocating anything. What it
cannot tell is what the server was doing: which client, which command, how much memory. When it is done it hands the signal on to the handler
that was there before it, and that is ours. Ours is Python, called by the C library through ctypes, in a process that has just proved to be
broken. So it is the second to speak, each part of its report is written before the next is looked for, and whatever goes wrong in one
part ends that part alone. Redis takes the same risk: its report allocates memory in the signal handler, too.

Three things keep the report from doing harm.

* A handler must not hang: an alarm of the kernel's ends the process after some seconds, whatever it waits for.
* It needs room: faulthandler's signal stack has a few kilobytes, in case it was the stack that overflowed. Ours replaces it, and
  has as much as Python may want.
* The signal must not be hidden: its default is set again and it is raised once more, so that the process dies of it, with
  a core file where those are wanted, and whoever started it sees of what.

Nobody keeps what the running command is: that would cost time with each command. It stands in the stack, in the frame of
`Engine.run_each` or of `Engine.call`, and there it is looked up.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cutaway.commands import Engine
from cutaway.commands.client_lists import describe
from cutaway.commands.redaction import redacted
from cutaway.observability import VERSION

if TYPE_CHECKING:
    from types import FrameType

    from cutaway.commands import Client, Command
    from cutaway.config import Config
    from cutaway.server.info import Info

FATAL: Final = (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)
SECONDS: Final = 10
"""How long a report may take."""
STACK_BYTES: Final = 1 << 20
FRAMES: Final = 128
LONGEST_ARGUMENT: Final = 128
RUN, EXECUTE, CALL = (
    getattr(way, "__code__", None) for way in (Engine.run_each, Engine.execute, Engine.call)
)
"""What to look for in the stack; None in an engine that is compiled, whose calls leave no frames."""
IS_POSSIBLE: Final = sys.platform == "linux" and sys.version_info < (3, 14)
"""From 3.14 on, Python measures its stack and takes a signal stack for an overflow."""

Handler: Final = ctypes.CFUNCTYPE(None, ctypes.c_int)
Running = tuple["Client", "Command", Sequence[bytes]]


class _SignalStack(ctypes.Structure):
    """`stack_t` of sigaltstack(2), as Linux has it."""

    _fields_: Final = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]  # type: ignore[misc]


class LastWords:
    """Writes the report."""

    __slots__ = ("_c", "_descriptor", "_engine", "_handler", "_room")

    def __init__(self, engine: Engine, descriptor: int) -> None:
        """Reports about `engine` go to a file's descriptor."""
        self._engine: Final = engine
        self._descriptor: Final = descriptor
        self._c: Final = ctypes.CDLL(None)
        self._handler: Final = Handler(self._speak)
        self._room: Final = ctypes.create_string_buffer(STACK_BYTES)

    def prepare(self) -> None:
        """Be the handler to which faulthandler hands on; so it is enabled after this."""
        for number in FATAL:
            self._c.signal(number, self._handler)

    def make_room(self) -> None:
        """Replace faulthandler's signal stack by a larger one; so it is enabled before this."""
        stack = _SignalStack(ctypes.addressof(self._room), 0, STACK_BYTES)
        self._c.sigaltstack(ctypes.byref(stack), None)

    def forget(self) -> None:
        """Leave the signals to the system again."""
        for number in FATAL:
            self._c.signal(number, ctypes.c_void_p(0))

    def _speak(self, number: int) -> None:
        self._c.alarm(SECONDS)
        try:
            for part in (self._headline, self._c_stack, self._commands, self._clients, self._info, _end):
                self._write(part(number))
        finally:
            self._c.signal(number, ctypes.c_void_p(0))
            os.kill(os.getpid(), number)

    def _write(self, part: Iterator[str]) -> None:
        with contextlib.suppress(BaseException):
            for text in part:
                os.write(self._descriptor, text.encode("utf-8", "backslashreplace"))

    def _headline(self, number: int) -> Iterator[str]:
        yield "\n=== CUTAWAY BUG REPORT START: Cut & paste starting from here, and add what stands above ===\n"
        yield f"Cutaway {VERSION} crashed by signal: {number} ({signal.strsignal(number)}), pid {os.getpid()}\n"

    def _c_stack(self, _number: int) -> Iterator[str]:
        """The calls in C, this report's own on top; those in Python stand above, in faulthandler's words."""
        yield "\n------ STACK TRACE ------\n"
        if hasattr(self._c, "backtrace"):
            calls = (ctypes.c_void_p * FRAMES)()
            self._c.backtrace_symbols_fd(calls, self._c.backtrace(calls, FRAMES), self._descriptor)

    def _commands(self, _number: int) -> Iterator[str]:
        """Who asked for what; and what a script or EXEC was just doing for them."""
        calls = running(sys._getframe())  # noqa: SLF001 - the stack is where it is known
        for title, (client, command, argv) in zip(
            ("CURRENT", "EXECUTING"), calls[-1:] + calls[:-1], strict=False
        ):
            yield f"\n------ {title} CLIENT INFO ------\n"
            yield f"{describe(client).decode('latin-1')}\ncommand: {command.full_name}\nargc: '{len(argv)}'\n"
            for place, word in enumerate(shown(self._engine.config, command, argv)):
                yield f"argv[{place}]: {word}\n"

    def _clients(self, _number: int) -> Iterator[str]:
        yield "\n------ CLIENT LIST OUTPUT ------\n"
        for client in list(self._engine.clients.values()):
            yield f"{describe(client).decode('latin-1')}\n"

    def _info(self, _number: int) -> Iterator[str]:
        yield "\n------ INFO OUTPUT ------\n"
        info: Info = self._engine.extras["info"]
        yield info.text(["everything"]).replace("\r\n", "\n")


def running(frame: FrameType | None) -> list[Running]:
    """The client, command and request of each call at or below a frame, the innermost first. O(depth)."""
    calls: list[Running] = []
    within = None
    while frame is not None:
        code = frame.f_code
        # What `run_each` leaves to `execute` ends in `call`, and is not to be told twice.
        if code is CALL or (code is RUN and within is not EXECUTE):
            known = frame.f_locals
            calls.append((known["client"], known["command"], known["argv"]))
        within, frame = code, frame.f_back
    return calls


def shown(config: Config, command: Command, argv: Sequence[bytes]) -> list[str]:
    """The words of a request as a report may show them: only their lengths, unless `hide-user-data-from-log` is off. O(argv)."""
    if config.boolean("hide-user-data-from-log"):
        return [f"{len(word)} bytes" for word in argv]
    return [repr(word[:LONGEST_ARGUMENT]) for word in redacted(config, command, argv)]


def _end(_number: int) -> Iterator[str]:
    yield "\n=== CUTAWAY BUG REPORT END. Make sure to include from START to END. ===\n\n"


def segfault() -> None:
    """Read where nothing is. The process dies of it."""
    ctypes.string_at(0)
