"""One terminal: what was typed goes through the protocol to the engine, and what comes back is printed as redis-cli prints it.

Nothing is abbreviated on the way. A line becomes a request in bytes, the engine's link parses it, the reply is encoded, and the
client parses that again: the bytes of the wire view are those that a socket would have carried.

A client of an engine in the same process cannot wait for anybody; what would block a program (BLPOP, SUBSCRIBE) leaves the
terminal `is_waiting` here, until another terminal or the passing of time answers it, or `interrupt`, Ctrl-C, ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cutaway.client.conversations import Conversation, Request
from cutaway.client.engines import EngineLink
from cutaway.client.formats import Format
from cutaway.client.helping import help_text
from cutaway.client.hints import hint, tokens_after
from cutaway.client.manual import Manual
from cutaway.client.printing import Printer, prompt
from cutaway.client.runner import read_line
from cutaway.commands import CommandError, Engine
from cutaway.playground.views import structure_view, wire_view
from cutaway.viz import Picture

MOST_TIMES: Final = 10_000
"""A line such as `1000000 INCR n` is run no oftener: nobody else gets a turn meanwhile, not even the page."""


class Terminal:
    """A client at a keyboard."""

    __slots__ = ("_conversation", "_engine", "_key", "_link", "_manual", "_printer", "_request", "_wire")

    def __init__(self, engine: Engine, manual: Callable[[], Manual], write: Callable[[str], None]) -> None:
        self._engine: Final = engine
        self._manual: Final = manual
        self._printer: Final = Printer(Format(), write=lambda data: write(data.decode("utf-8", "replace")))
        self._request: Request | None = None
        self._wire: list[tuple[str, bytes]] = []
        self._key = b""
        self._connect()

    def _connect(self) -> None:
        self._conversation = Conversation()
        self._link = EngineLink(self._engine)
        self._link.on_data = self._receive

    # ---- what the page shows

    @property
    def prompt(self) -> str:
        """What stands before the cursor."""
        return prompt("cutaway", self._conversation)

    @property
    def is_waiting(self) -> bool:
        """Whether the last command has not been answered yet."""
        return self._request is not None

    def hint(self, line: str) -> str:
        """What may follow the line, from the manual; "" if nobody knows. O(words)."""
        return hint(self._manual(), line) if line.strip() else ""

    def completions(self, line: str) -> list[str]:
        """What the line could become with one more word, or with the rest of this one. O(commands)."""
        pages = self._manual().pages
        head, blank, word = line.rpartition(" ")
        whole = [name for name in sorted(pages) if name.startswith(line.upper()) and name != line.upper()]
        if blank:
            options = sorted(tokens_after(self._manual(), head + blank))
            whole += [head + blank + option for option in options if option.startswith(word.upper())]
        return [text.lower() if line == line.lower() else text for text in whole]

    @property
    def wire(self) -> Picture:
        """The bytes of the last command and of all that came since."""
        return wire_view(self._wire)

    @property
    def structure(self) -> Picture:
        """What holds the key that the last command with a key named."""
        return structure_view(
            self._engine, self._engine.keyspace.databases[self._conversation.database], self._key
        )

    # ---- what the reader does

    def enter(self, line: str) -> None:
        """Run a line, as often as the number before it says; while the terminal is waiting, nothing happens."""
        read = read_line(line.encode())
        if self.is_waiting:
            return
        if isinstance(read, str):
            self._printer.print(read.encode() + b"\n")
            return
        times, argv = read
        if not argv:
            return
        if argv[0].lower() in (b"help", b"?"):
            text = help_text(self._manual(), [word.decode("utf-8", "replace") for word in argv[1:]])
            self._printer.print(text.encode() + b"\n")
            return
        for _ in range(min(times, MOST_TIMES)):
            self._ask(argv)
            if self.is_waiting:
                break

    def interrupt(self) -> None:
        """Ctrl-C: no longer wait, no longer listen. As redis-cli does, with a new connection."""
        if self.is_waiting or self._conversation.is_subscribed:
            self._request = None
            self._link.close()
            self._connect()

    def close(self) -> None:
        """The terminal is gone."""
        self._link.close()

    # ---- the way there and back

    def _ask(self, argv: list[bytes]) -> None:
        found = self._engine.lookup(argv)
        keys = [] if isinstance(found, CommandError) else found.keys(argv)
        if keys:
            self._key = keys[0][0]
        request = self._request = self._conversation.ask(argv)
        self._wire = [("request", request.payload)]
        self._link.send(request.payload)
        self._print()

    def _receive(self, data: bytes) -> None:
        self._wire.append(("reply", data))
        self._conversation.receive(data)
        if self._request is None or not self._request.expected:
            self._print()

    def _print(self) -> None:
        """Print the reply that is there by now, and what came unasked."""
        request = self._request
        if request is not None and request.is_answered:
            self._request = None
            self._printer.reply(request.argv, request.reply)
        while self._request is None and self._conversation.messages:
            self._printer.message(self._conversation.messages.popleft())
