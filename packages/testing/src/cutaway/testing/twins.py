"""An engine of ours beside a real server: the same request to both, the same bytes from both.

To compare values is not enough. An empty array and a null one, `:1` and `#t`, an error that reads a little differently: a client
library tells them apart, and some program somewhere rests on it. So what is compared is what a socket would carry.

Our side has no socket. `EnginePeer` does for one client of an engine what a connection does: it encodes what the
command returned, and puts behind it what the command brought about for the same client (a message to a channel that it
publishes to itself). `Twins` has one of these and one connection to a server.

Some replies differ rightly, because they name the server or its clock. A test leaves those out, or a class derived from
`Twins` says in `seen` what of a reply is compared.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Final

import cutaway.commands
from cutaway.commands import Client, CommandTable, Engine
from cutaway.resp import NO_REPLY, Encoder, Reply
from cutaway.testing.peers import Word, encode_words
from cutaway.testing.servers import ServerProcess
from cutaway.testing.waiting import Closing


def all_tables(*more: CommandTable) -> list[CommandTable]:
    """Return every command table of `cutaway.commands`, and these."""
    tables = list(more)
    for module in pkgutil.iter_modules(cutaway.commands.__path__):
        members = vars(importlib.import_module(f"cutaway.commands.{module.name}")).values()
        tables += [each for each in members if isinstance(each, CommandTable) and each not in tables]
    return tables


class EnginePeer:
    """One client of an engine in this process, and the bytes that its socket would carry.

    `received` has all that came and was not taken.
    """

    def __init__(self, engine: Engine, protocol: int = 2) -> None:
        self.engine: Final = engine
        self.client: Final[Client] = engine.connect(self._deliver)
        self.client.choose_protocol(protocol)
        self.received = b""
        self._late: Final[list[Reply]] = []
        self._is_running = False

    def send(self, *words: Word) -> None:
        """Run one request at the present time; a reply, if there is one already, is received."""
        self.engine.tick()
        self._is_running = True
        reply = self.engine.execute(self.client, encode_words(words))
        self._is_running = False
        if reply is not NO_REPLY:
            self._write(reply)
        for message in self._late:
            self._write(message)
        self._late.clear()

    def take(self) -> bytes:
        """Return what was received, and forget it."""
        data, self.received = self.received, b""
        return data

    def ask_bytes(self, *words: Word) -> bytes:
        """Run one request, and return what was received; nothing, if the client has to wait."""
        self.send(*words)
        return self.take()

    def close(self) -> None:
        """The client leaves."""
        self.client.close()

    def _deliver(self, reply: Reply) -> None:
        """The engine says something outside of a reply; what our own command brought about comes after its reply."""
        if self._is_running:
            self._late.append(reply)
        else:
            self._write(reply)

    def _write(self, reply: Reply) -> None:
        self.received += Encoder(self.client.protocol).encode(reply)


class Twins(Closing):
    """A client of an engine and a connection to a real server, which are asked the same.

    The server is emptied first. The engine is taken as it is.
    """

    def __init__(self, engine: Engine, server: ServerProcess, protocol: int = 2) -> None:
        self.engine: Final = engine
        self.protocol: Final = protocol
        self.ours: Final = EnginePeer(engine, protocol)
        self.real: Final = server.connect()
        self.real.ask("HELLO", protocol)
        self.real.ask("FLUSHALL")

    @property
    def client(self) -> Client:
        """Our side's client."""
        return self.ours.client

    def seen(self, reply: bytes) -> bytes:
        """Return what of a reply is compared: all of it, unless a derived class says otherwise."""
        return reply

    def both(self, *words: Word) -> tuple[bytes, bytes]:
        """Ask both; return the bytes of our reply and of the real one, as far as they are compared."""
        return self.seen(self.ours.ask_bytes(*words)), self.seen(self.real.ask_bytes(*words))

    def same(self, *words: Word) -> bytes:
        """Ask both, and insist on the same bytes, which are returned. Raises AssertionError."""
        ours, real = self.both(*words)
        insist(ours, real, words)
        return ours

    def same_sorted(self, *words: Word) -> None:
        """Ask both, and insist on the same lines in any order: for replies that have none. Raises AssertionError."""
        ours, real = self.both(*words)
        insist(sorted(ours.split(b"\r\n")), sorted(real.split(b"\r\n")), words)

    def script(self, text: str) -> None:
        """Ask both, line by line; words are split at blanks, and "" is an empty argument. Raises AssertionError."""
        for words in map(str.split, text.splitlines()):
            if words:
                self.same(*("" if word == '""' else word for word in words))

    def close(self) -> None:
        """Both clients leave."""
        self.ours.close()
        self.real.close()


def insist(ours: object, real: object, asked: object) -> None:
    """Raise an AssertionError that has both sides, if they are not equal."""
    if ours != real:
        raise AssertionError(f"asked {asked!r}\n  ours {ours!r}\n  real {real!r}")
