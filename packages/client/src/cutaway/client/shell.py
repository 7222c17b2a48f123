"""The conversation: a prompt, and what the server says to what was typed there.

Three things happen at once, so this is the one part of the terminal with an event loop: a person types, replies come, and messages
come that nobody asked for. Messages are printed *above* the prompt, which stays usable: one can subscribe, watch, and publish
to oneself. Ctrl-C ends what is going on, in this order: the line being typed, a command that blocks, a subscription or MONITOR, and at
last the program. A connection that was lost is told, and opened anew by the next command.

The manual is fetched on a connection of its own: it should neither delay the first command nor be seen on the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.shortcuts import clear
from prompt_toolkit.styles import Style

from cutaway.client.async_clients import AsyncClient
from cutaway.client.completion import HintProcessor, ManualCompleter
from cutaway.client.helping import help_text
from cutaway.client.histories import open_history
from cutaway.client.manual import Manual
from cutaway.client.options import Options
from cutaway.client.printing import Printer, complain, prompt
from cutaway.client.runner import describe, read_line, say_refusal
from cutaway.client.wire import WireView
from cutaway.resp import Reply, ReplyError

SLOW: Final = 0.5
"""Seconds; how long a command took is told from here on."""
STYLE: Final = Style.from_dict({"hint": "ansibrightblack"})
T = TypeVar("T")


def converse(options: Options) -> int:
    """Talk until the person leaves; give the exit status."""
    return asyncio.run(Shell(options, WireView(is_on=options.wire)).run())


class Shell:
    """One conversation at a terminal."""

    def __init__(self, options: Options, wire: WireView) -> None:
        self._options: Final = options
        self._wire: Final = wire
        self._printer: Final = Printer(options.format, wire)
        self._client = AsyncClient(options.address, exact=True, tap=wire, on_refusal=say_refusal)
        self._manual = Manual()
        self._hints: Final = HintProcessor(lambda: self._manual)
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._prompts: Final = PromptSession[str](
            history=open_history(),
            completer=ManualCompleter(lambda: self._manual),
            complete_while_typing=False,
            input_processors=[self._hints],
            key_bindings=_key_bindings(),
            style=STYLE,
        )

    async def run(self) -> int:
        """Read and run lines until the end."""
        self._load_preferences()
        await self._connect()
        while True:
            try:
                line = await self._prompts.prompt_async(self._prompt)
            except EOFError:
                break
            except KeyboardInterrupt:
                if not self._is_streaming():
                    break
                await self._connect()
                continue
            if not await self._run_line(line):
                break
        self._client.close()
        return 0

    def _prompt(self) -> str:
        if not self._client.is_connected:
            return "not connected> "
        address = self._client.address
        place = f"redis {address}" if address.path is not None else str(address)
        return prompt(place, self._client.conversation)

    def _is_streaming(self) -> bool:
        conversation = self._client.conversation
        return self._client.is_connected and (conversation.is_subscribed or conversation.is_monitoring)

    # ---- lines

    async def _run_line(self, line: str) -> bool:
        """Run a line; false if it says to leave."""
        words = read_line(os.fsencode(line))
        if isinstance(words, str):
            print(words)
            return True
        times, argv = words
        if not argv:
            return True
        name = argv[0].lower()
        if name in (b"quit", b"exit"):
            return False
        if name in (b"help", b"?"):
            print(help_text(self._manual, [os.fsdecode(word) for word in argv[1:]]) + "\n")
        elif name == b"clear" and len(argv) == 1:
            clear()
        elif name == b"connect" and len(argv) == 3 and argv[2].isdigit():
            self._client.address = replace(
                self._client.address, host=os.fsdecode(argv[1]), port=int(argv[2]), path=None
            )
            self._manual = Manual()
            await self._connect()
        elif name.startswith(b":"):
            self._prefer(os.fsdecode(b" ".join(argv)))
        else:
            await self._run_command(argv, times)
        return True

    async def _run_command(self, argv: list[bytes], times: int) -> None:
        began = time.monotonic()
        try:
            for left in reversed(range(times)):
                if not self._client.is_connected and not await self._connect():
                    return
                self._printer.reply(argv, await _interruptible(self._client.ask(*argv)))
                if left:
                    await _interruptible(asyncio.sleep(self._options.interval))
        except asyncio.CancelledError:
            print()
            await self._connect()  # the reply we no longer want would answer the next command
        except OSError as error:
            if argv[0].lower() != b"shutdown":
                complain(describe(error))
        elapsed = time.monotonic() - began
        if elapsed >= SLOW and self._options.format.name == "standard":
            print(f"({elapsed:.2f}s)")

    # ---- the connection

    async def _connect(self) -> bool:
        """Open a connection, read the manual, and listen for messages; false, after a complaint, if there is none."""
        try:
            await self._client.connect()
            if self._options.prefers_resp3:
                await self._client.ask("HELLO", 3)
        except OSError as error:
            complain(describe(error))
            return False
        self._wire.flush()
        self._start(self._listen())
        if not self._manual.pages:
            self._start(self._study())
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _study(self) -> None:
        """Fetch the manual. A server without one, or that refuses, leaves us without completion."""
        librarian = AsyncClient(self._client.address, on_refusal=lambda _words, _reply: None)
        with contextlib.suppress(OSError, ReplyError):
            async with librarian:
                reply: Reply = await librarian.ask("COMMAND", "DOCS")
                if isinstance(reply, ReplyError):
                    self._manual = Manual.of_names(await librarian.call("COMMAND"))
                else:
                    self._manual = Manual.read(reply)

    async def _listen(self) -> None:
        """Print messages as they come, until the connection ends."""
        messages = self._client.conversation.messages
        try:
            async for message in self._client.messages():
                batch = [message, *messages]  # in one go: to step around the prompt for each would be slow
                messages.clear()
                await self._above_prompt(partial(self._print_messages, batch))
        except OSError as error:
            if self._prompts.app.is_running and not self._client.is_connected:
                await self._above_prompt(partial(complain, describe(error)))

    def _print_messages(self, messages: Sequence[Reply]) -> None:
        for message in messages:
            self._printer.message(message)

    async def _above_prompt(self, print_: Callable[[], None]) -> None:
        if self._prompts.app.is_running:
            await run_in_terminal(print_)
        else:
            print_()

    # ---- preferences

    def _load_preferences(self) -> None:
        path = Path(os.environ.get("REDISCLI_RCFILE") or Path.home() / ".redisclirc")
        with contextlib.suppress(OSError):
            for line in path.read_text().splitlines():
                if line.strip():
                    self._prefer(line.strip())

    def _prefer(self, line: str) -> None:
        match line.lower().split():
            case [":set", "hints" | "nohints" as wish]:
                self._hints.is_on = wish == "hints"
            case [":set", "wire" | "nowire" as wish]:
                self._wire.is_on = wish == "wire"
            case _:
                print(f"unknown redis-cli preference '{line}'")


async def _interruptible(work: Awaitable[T]) -> T:
    """Wait, and let Ctrl-C end the waiting with CancelledError."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        return await task
    finally:
        with contextlib.suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)


def _key_bindings() -> KeyBindings:
    """Ctrl-C drops what is typed; on an empty line it interrupts."""
    bindings = KeyBindings()

    @bindings.add("c-c")
    def _interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    return bindings
