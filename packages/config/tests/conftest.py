"""A real server beside us that reads a file: Valkey, or Redis, started with a configuration and nothing else."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TypeAlias

import pytest

from cutaway.resp import Reply, ReplyError
from cutaway.testing import Kind, MissingServerError, ServerProcess, require, short_folder
from cutaway.testing.fixtures import or_skip

Told: TypeAlias = "str | int | list[Told] | None"


class ConfiguredServer(ServerProcess):
    """A running server with its file, and one connection to it."""

    def __init__(self, kind: Kind, config_text: str = "", arguments: Sequence[str] = ()) -> None:
        binary, self.directory = require(kind), short_folder()
        self.config_file = self.directory / "real.conf"
        self.config_file.write_text(
            f"port 0\nunixsocket {self.directory}/s\ndir {self.directory}\n{config_text}"
        )
        super().__init__([binary, self.config_file, *arguments], self.directory / "s", shelf=self.directory)
        self._peer = self.connect(timeout=20)

    def ask(self, *words: str) -> Told:
        """Send one command and return its reply; a status begins with `+`, an error with `-`."""
        return told(self._peer.ask(*words))

    def get(self, *patterns: str) -> dict[str, str]:
        reply = self.ask("CONFIG", "GET", *patterns)
        assert isinstance(reply, list)
        return dict(zip(map(str, reply[::2]), map(str, reply[1::2]), strict=True))

    def close(self) -> None:
        self._peer.close()
        super().close()


def told(reply: Reply) -> Told:
    """A reply in RESP2 as text."""
    match reply:
        case bytes():
            return reply.decode("utf-8", "surrogateescape")
        case ReplyError():
            return f"-{reply}"
        case str():
            return f"+{reply}"
        case list():
            return list(map(told, reply))
        case None | int():
            return reply
    raise TypeError(reply)


@pytest.fixture(scope="session")
def valkey_path() -> str:
    try:
        return str(require("valkey"))
    except MissingServerError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def valkey() -> Iterator[ConfiguredServer]:
    with or_skip(ConfiguredServer, "valkey") as server:
        yield server


@pytest.fixture
def redis() -> Iterator[ConfiguredServer]:
    """Redis itself, where it is installed."""
    with or_skip(ConfiguredServer, "redis") as server:
        yield server


@pytest.fixture
def start_server() -> Iterator[Callable[..., ConfiguredServer]]:
    """Start servers with a configuration of one's own; they end with the test."""
    with ExitStack() as started:
        yield lambda *arguments: started.enter_context(or_skip(ConfiguredServer, "valkey", *arguments))
