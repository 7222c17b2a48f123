"""DEBUG changes data without telling the append-only file: what it does cannot be repeated from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_reloading_is_not_written_to_the_append_only_file(start: Callable[..., Any]) -> None:
    options = ["--appendonly", "yes", "--save", "", "--enable-debug-command", "yes"]
    server = start(*options)
    peer = server.connect()
    assert peer.ask("SET", "k", "v") == "OK"
    assert peer.ask("DEBUG", "RELOAD") == "OK"
    assert peer.ask("SET", "l", "w") == "OK"
    for _ in range(2):
        assert peer.ask("DEBUG", "LOADAOF") == "OK"
        assert peer.ask("MGET", "k", "l") == [b"v", b"w"]
    assert server.stop() == 0
    log = b"".join(path.read_bytes() for path in server.folder.glob("appendonlydir/*.aof"))
    assert b"SET" in log
    assert b"DEBUG" not in log
    assert start(*options).connect().ask("MGET", "k", "l") == [b"v", b"w"]
