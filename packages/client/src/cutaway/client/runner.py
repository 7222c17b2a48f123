"""One command, or the lines of a script: the client without a person in front of it.

``cutaway-cli GET k`` runs a command and ends; ``cutaway-cli < commands.txt`` runs one for each line. Both print replies and
nothing else, follow subscriptions and MONITOR until they are interrupted, and say with the exit status whether there was a server
to talk to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from typing import Final

from cutaway.client.clients import Client, ConnectError, GreetingError, refuse
from cutaway.client.helping import help_text
from cutaway.client.manual import Manual
from cutaway.client.options import Options
from cutaway.client.printing import Printer, complain
from cutaway.resp import Reply, ReplyError
from cutaway.resp.inline import split_inline

INVALID_LINE: Final = "Invalid argument(s)"
INVALID_REPEAT: Final = "Invalid redis-cli repeat command option value."


class Runner:
    """Runs commands and prints what comes back."""

    def __init__(self, client: Client, options: Options, printer: Printer) -> None:
        self._client: Final = client
        self._options: Final = options
        self._printer: Final = printer

    def run_once(self, argv: list[bytes]) -> int:
        """Run the command of the command line, as often as asked; give the exit status."""
        if not self._run(argv, self._options.repeat):
            return 1
        conversation = self._client.conversation
        return self._listen() if conversation.is_subscribed or conversation.is_monitoring else 0

    def run_lines(self, lines: Iterable[bytes]) -> int:
        """Run each line as a command; give the exit status."""
        for line in lines:
            words = read_line(line)
            if isinstance(words, str):
                self._printer.print(words.encode() + b"\n")
                continue
            times, argv = words
            if not argv:
                continue
            if argv[0].lower() in (b"quit", b"exit"):
                return 0
            self._run(argv, times)
            if self._client.conversation.is_monitoring:
                break
        conversation = self._client.conversation
        return self._listen() if conversation.is_subscribed or conversation.is_monitoring else 0

    def _run(self, argv: list[bytes], times: int) -> bool:
        """Run a command, for ever if `times` is negative; false if there was no server to run it."""
        if argv[0].lower() in (b"help", b"?"):
            return self._help(argv[1:])
        while times:
            times -= 1
            try:
                reply = self._ask(argv)
            except OSError as error:
                if argv[0].lower() == b"shutdown" and not isinstance(error, ConnectError):
                    return True  # a closed connection is how a server agrees
                complain(describe(error))
                return False
            if self._options.exit_on_error and isinstance(reply, ReplyError):
                complain(reply.message)
                return False
            self._printer.reply(argv, reply)
            if times:
                time.sleep(self._options.interval)
        return True

    def _help(self, topic: list[bytes]) -> bool:
        try:
            manual = Manual.read(self._client.ask("COMMAND", "DOCS")) if topic else Manual()
        except OSError as error:
            complain(describe(error))
            return False
        styled = self._options.format.name == "standard"
        text = help_text(manual, [os.fsdecode(word) for word in topic], styled=styled)
        self._printer.print(text.encode() + b"\n")
        return True

    def _ask(self, argv: list[bytes]) -> Reply:
        if not self._client.is_connected:
            self._client.connect()
            if self._options.prefers_resp3 and self._client.address.protocol == 2:
                self._client.ask("HELLO", 3)
        reply = self._client.ask(*argv)
        conversation = self._client.conversation
        while conversation.messages:
            message = conversation.messages.popleft()
            if self._options.show_pushes or conversation.is_subscribed:
                self._printer.message(message)
        return reply

    def _listen(self) -> int:
        """Print messages until the connection ends."""
        try:
            for message in self._client.messages():
                self._printer.message(message)
        except OSError as error:
            complain(describe(error))
        return 1


def say_refusal(words: Sequence[bytes], reply: ReplyError) -> None:
    """The server refused AUTH, SELECT or HELLO: say so, and go on without."""
    try:
        refuse(words, reply)
    except GreetingError as error:
        complain(str(error))


def describe(error: OSError) -> str:
    """What is said of a connection that cannot be had, or was lost."""
    if isinstance(error, (ConnectError, GreetingError)):
        return str(error)
    return f"Error: {error.strerror or error}"


def read_line(line: bytes) -> tuple[int, list[bytes]] | str:
    """What a line asks for: how often, and which command; or, as a text, why it cannot be read.

    A number before a command says how often to run it.
    """
    try:
        argv = split_inline(line.strip(b"\r\n"))
    except ValueError:
        return INVALID_LINE
    if len(argv) < 2 or not argv[0].removeprefix(b"-").isdigit():
        return 1, argv
    times = int(argv[0])
    return (times, argv[1:]) if times > 0 else INVALID_REPEAT
