"""Our engine with users, and a real server, given the same requests; what they answer is compared byte by byte.

The real server has commands that ours, without its other rooms, does not: rules about those are left out of what is generated.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from cutaway.acl import AccessControl, acl, install
from cutaway.commands import CommandTable, Engine
from cutaway.testing import Peer, RealServer, Word
from cutaway.testing.twins import EnginePeer, Twins, all_tables, insist

BOSS = (b"on", b">boss", b"+@all", b"~*", b"&*")
"""The administrator: whatever becomes of the default user, the tests can go on."""

OTHERS = ("pubsub", "transactions", "scripting")


def make_engine() -> tuple[Engine, AccessControl]:
    """An engine with users, and with those of the other rooms that are installed."""
    rooms = [importlib.import_module(f"cutaway.{name}") for name in OTHERS if find_spec(f"cutaway.{name}")]
    others = [each for room in rooms for each in vars(room).values() if isinstance(each, CommandTable)]
    engine = Engine(*all_tables(acl, *others))
    for room in rooms:
        room.install(engine)
    return engine, install(engine, random_bytes=bytes)


class UserTwins(Twins):
    """An engine of ours and a real server, each with a default user, and an administrator, who does what the tests do."""

    def __init__(self, server: RealServer) -> None:
        engine, self.access = make_engine()
        super().__init__(engine, server)
        self._server = server
        self._opened: list[Peer] = []
        self.ours.ask_bytes("ACL", "SETUSER", "boss", *BOSS)
        self.same("AUTH", "boss", "boss")
        for user in self.users():
            if user not in (b"default", b"boss"):
                self.real.ask("ACL", "DELUSER", user)
        self.reset_default()
        self.real.ask("ACL", "LOG", "RESET")
        self.real.ask("FLUSHALL")

    def reset_default(self) -> None:
        self.same("ACL", "SETUSER", "default", "reset", "on", "nopass", "+@all", "~*", "&*")

    def users(self) -> list[bytes]:
        users = self.real.ask("ACL", "USERS")
        assert isinstance(users, list)
        return users

    def connect(self) -> tuple[EnginePeer, Peer]:
        """One more client on each side."""
        self._opened.append(self._server.connect())
        return EnginePeer(self.engine), self._opened[-1]

    def same(self, *words: Word, by: tuple[EnginePeer, Peer] | None = None) -> bytes:
        """Let the administrator, or the clients `by`, ask both, and insist on the same bytes."""
        ours, real = (each.ask_bytes(*words) for each in by or (self.ours, self.real))
        insist(ours, real, words)
        return ours

    def same_users(self) -> None:
        """Both know the same users, and describe them alike."""
        self.same("ACL", "LIST")
        for user in self.users():
            self.same("ACL", "GETUSER", user)

    def close(self) -> None:
        for each in self._opened:
            each.close()
        super().close()


@pytest.fixture(scope="module")
def administered(real_server: RealServer) -> RealServer:
    """A real server with our administrator."""
    with real_server.connect() as peer:
        assert peer.ask("ACL", "SETUSER", "boss", *BOSS) == "OK"
    return real_server


@pytest.fixture
def twins(administered: RealServer) -> Iterator[UserTwins]:
    with UserTwins(administered) as both:
        yield both
