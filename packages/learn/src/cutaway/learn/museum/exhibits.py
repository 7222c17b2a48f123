"""What an exhibit is: a bug that somebody might have written, in a copy of a part that is otherwise healthy.

The reader gets a report, as users write them, and the name of the part. They write a test. It has found the bug if it passes on the
healthy part and fails on the sick one; nothing else is asked of it, and how it got there is its own affair.

A sick part is a small subclass, or a function, that differs from the healthy one in the lines that matter. It is shown when it has been
found.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cutaway.commands import Client, Engine, FakeClock


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A planted bug. `hidden` is a test that finds it: proof that it can be found."""

    name: str
    symptom: str
    """The report in a line, as the list shows it."""
    report: str
    """The report, as it came in."""
    argument: str
    """What the reader's test is given: the name of its parameter."""
    contract: str
    """What that is, and how to use it."""
    first_step: str
    """The body of the test that the reader starts with: it passes on both versions."""
    healthy: Any
    sick: Any
    hidden: Callable[[Any], None]
    diagnosis: str
    """Told when the bug was found."""

    @property
    def module(self) -> str:
        """The name of the reader's file, without `.py`."""
        return "museum_" + self.name.replace("-", "_")

    @property
    def skeleton(self) -> str:
        """The file that the reader starts from."""
        body = textwrap.indent(textwrap.dedent(self.first_step).strip(), "    ")
        head = f"Museum, {self.name}: {self.symptom}\n\n{_folded(self.report)}\n\n{_folded(self.contract)}\n\n{_folded(TASK)}\n"
        return f'r"""{head}"""\n\n\ndef test({self.argument}):\n{body}\n'

    @property
    def source(self) -> str:
        """The lines of the sick part."""
        return inspect.getsource(getattr(self.sick, "shown", self.sick))


TASK = (
    "Write a test that passes on the healthy version and fails on the sick one. The one below passes on both. "
    "Then: python -m cutaway.learn museum check"
)


def _folded(text: str) -> str:
    paragraphs = textwrap.dedent(text).strip().split("\n\n")
    return "\n\n".join(
        paragraph if paragraph.startswith(" ") else textwrap.fill(" ".join(paragraph.split()), 110)
        for paragraph in paragraphs
    )


class Lab:
    """An engine in the palm of a hand, for exhibits that need one: no socket, and a clock that the test moves."""

    def __init__(self, engine: Engine, clock: FakeClock) -> None:
        self.engine = engine
        self.clock = clock
        self._clients: dict[str, Client] = {}

    def do(self, *words: Any, client: str = "a") -> Any:
        """Send a command for a client, whose name is a word of yours; its reply. An error is a value too."""
        if client not in self._clients:
            self._clients[client] = self.engine.connect()
        self.engine.tick()
        return self.engine.execute(self._clients[client], [_as_bytes(word) for word in words])

    def wait(self, milliseconds: int) -> None:
        """Let time pass."""
        self.clock.advance(milliseconds)


def _as_bytes(word: Any) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()


LAB_CONTRACT = (
    '`Server()` makes a server without a socket. `server.do("SET", "k", 1)` sends a command and returns its reply, an error as a value; '
    '`client="b"` sends it for another client. `server.wait(10)` lets ten milliseconds pass.'
)
