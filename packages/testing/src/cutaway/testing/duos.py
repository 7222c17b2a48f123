"""Several clients at once: a scenario is played to our engine and to a real server.

Blocked clients, messages and transactions are about what one client does to another, and there the order of what each
connection carries is half of the matter. A scenario is lines such as `b: PUBLISH news hello`, the client's name and what it sends.
After each line every client must have got the same bytes from both sides, so a message that comes a step too early, or
to the wrong client, is found at the step that sent it.

The clients have the same ids on both sides, so replies with ids in them can be compared, and `$b` stands for the id of client `b`.
"""

from __future__ import annotations

import time
from typing import Final

from cutaway.commands import Engine
from cutaway.resp import encode_request
from cutaway.testing.peers import Address, Word, encode_words, open_socket
from cutaway.testing.servers import ServerProcess
from cutaway.testing.twins import EnginePeer, insist
from cutaway.testing.waiting import Closing

_CHUNK: Final = 1 << 16


class StreamPeer:
    """A connection to a server that keeps all that came, replies or not."""

    def __init__(self, address: Address) -> None:
        self._socket: Final = open_socket(address)
        self.received = b""
        self.send("CLIENT", "ID")
        self.read_until(b"\r\n")
        self.identity: Final = int(self.received[1:])
        self.received = b""

    def send(self, *words: Word) -> None:
        """Send one request."""
        self._socket.sendall(encode_request(encode_words(words)))

    def read(self, length: int, timeout: float = 3.0) -> bytes:
        """Return what was received so far, once there is as much as `length` or the time is up."""
        self._socket.settimeout(timeout)
        while len(self.received) < length:
            try:
                data = self._socket.recv(_CHUNK)
            except TimeoutError:
                break
            if not data:
                break
            self.received += data
        return self.received

    def read_until(self, end: bytes) -> bytes:
        """Return what was received so far, once it ends so. Raises TimeoutError."""
        while not self.received.endswith(end):
            before = len(self.received)
            if len(self.read(before + 1)) == before:
                raise TimeoutError(f"{end!r} did not come after {self.received!r}")
        return self.received

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


class Duo(Closing):
    """An engine and a real server, each with the same clients; a client comes into being when it is first named.

    The server is emptied first, and removes nothing on its own while the duo plays.
    """

    def __init__(self, engine: Engine, server: ServerProcess) -> None:
        self.engine: Final = engine
        self.ours: Final[dict[str, EnginePeer]] = {}
        self.real: Final[dict[str, StreamPeer]] = {}
        self._address: Final = server.address
        self._admin: Final = server.connect()
        self._configured: Final[dict[str, str]] = {}
        for command in ("FLUSHALL", "DEBUG SET-ACTIVE-EXPIRE 0"):
            self.tell(*command.split())

    # ---- what a derived class may add

    def after_command(self) -> None:
        """Do what a server does once a command has run and before its replies are written."""

    def check(self) -> None:
        """Assert what must hold of the engine at the end of a scenario."""

    # ---- settings

    def tell(self, *words: Word) -> None:
        """Tell the real server something, by a connection that is no part of the scenario."""
        answer = self._admin.ask_bytes(*words)
        insist(b"+OK\r\n", answer, words)

    def config(self, name: str, value: str) -> None:
        """CONFIG SET on both, until the duo is closed."""
        self._configured.setdefault(name, self.engine.config.get(name)[name])
        self.engine.config.set([(name, value)])
        self.tell("CONFIG", "SET", name, value)

    def hello(self, protocol: int | str, *names: str) -> None:
        """Let these clients speak RESP2 or RESP3. The greeting tells servers apart, so it is not compared."""
        for name in names:
            ours, real = self.client(name)
            for each in (ours, real):
                each.send("HELLO", protocol)
            real.send("PING", "ready")
            real.read_until(b"ready\r\n")
            real.received = ours.received = b""

    # ---- the scenario

    def client(self, name: str) -> tuple[EnginePeer, StreamPeer]:
        """Return the two of this name; they connect if they are new."""
        if name not in self.ours:
            real = self.real[name] = StreamPeer(self._address)
            self.engine.next_client_id = real.identity
            self.ours[name] = EnginePeer(self.engine)
        return self.ours[name], self.real[name]

    def step(self, name: str, *words: Word) -> None:
        """One client sends one request; then all have got the same."""
        ours, real = self.client(name)
        argv = [
            b"%d" % self.real[word[1:].decode()].identity if word[:1] == b"$" else word
            for word in encode_words(words)
        ]
        ours.send(*argv)
        self.after_command()
        real.send(*argv)
        real.read(len(ours.received))
        self.compare((name, *argv))

    def play(self, text: str) -> None:
        """Play a scenario, and let nothing more come at its end. Raises AssertionError.

        `a: COMMAND …` lets client `a` send it, and "" is an empty argument; `- a` closes `a`; `wait 20` lets 20 milliseconds
        go by.
        """
        for line in filter(None, map(str.strip, text.splitlines())):
            if line.startswith("wait "):
                time.sleep(int(line[5:]) / 1000)
            elif line.startswith("- "):
                self.leave(line[2:])
            else:
                name, _, request = line.partition(": ")
                self.step(name, *("" if word == '""' else word for word in request.split()))
        self.settle()

    def compare(self, after: object) -> None:
        """Wait until each client has got as much from the server as from us; insist that it is the same."""
        for name, ours in self.ours.items():
            insist(ours.received, self.real[name].read(len(ours.received)), (name, "after", after))

    def settle(self) -> None:
        """Insist that nothing more comes."""
        for name, ours in self.ours.items():
            real = self.real[name].read(len(ours.received) + 1, timeout=0.02)
            insist(ours.received, real, (name, "at the end"))
        self.check()

    def leave(self, name: str) -> None:
        """A client closes its connection. What its leaving brings about, the server does within some milliseconds."""
        self.ours.pop(name).close()
        self.real.pop(name).close()
        time.sleep(0.01)

    def close(self) -> None:
        """All clients leave, and the settings are as they were."""
        for name, value in self._configured.items():
            self.config(name, value)
        for name in list(self.real):
            self.leave(name)
        self._admin.close()
