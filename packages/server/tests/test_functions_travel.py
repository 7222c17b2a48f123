"""Function libraries outlive the server: in the snapshot, in the log, and on the way to and from a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cutaway.testing import RealServer, until

LIBRARY = """#!lua name=counting
local function next_of(keys, args) return redis.call('incrby', keys[1], args[1]) end
redis.register_function('next_of', next_of)
redis.register_function{function_name='peek', callback=function(keys) return redis.call('get', keys[1]) end, flags={'no-writes'}}
"""


def test_a_real_server_loads_our_snapshot_with_its_functions_and_we_load_its(
    start: Callable[..., Any], start_real: Callable[..., RealServer], tmp_path: Path
) -> None:
    ours = start("--save", "")
    peer = ours.connect()
    assert peer.ask("FUNCTION", "LOAD", LIBRARY) == b"counting"
    assert peer.ask("FCALL", "next_of", 1, "n", 5) == 5
    assert peer.ask("SAVE") == "OK"
    ours.kill()
    real = start_real("redis", folder=tmp_path)
    other: Any = real.connect()
    assert other.ask("FCALL", "next_of", 1, "n", 2) == 7
    assert other.ask("FUNCTION", "LIST", "WITHCODE")[0][-1] == LIBRARY.encode()
    assert other.ask(
        "FUNCTION",
        "LOAD",
        LIBRARY.replace("counting", "second").replace("next_of", "again").replace("peek", "look"),
    )
    assert other.ask("SAVE") == "OK"
    real.stop()
    back = start("--save", "").connect()
    assert back.ask("FCALL", "again", 1, "n", 1) == 8
    assert back.ask("FCALL_RO", "peek", 1, "n") == b"8"


def test_a_dump_of_functions_is_restored_on_either_side(
    start: Callable[..., Any], start_real: Callable[..., RealServer]
) -> None:
    ours, other = start("--save", "").connect(), start_real("redis").connect()
    ours.ask("FUNCTION", "LOAD", LIBRARY)
    assert other.ask("FUNCTION", "RESTORE", ours.ask("FUNCTION", "DUMP")) == "OK"
    assert other.ask("FCALL", "next_of", 1, "n", 3) == 3
    assert ours.ask("FUNCTION", "FLUSH") == "OK"
    assert ours.ask("FUNCTION", "RESTORE", other.ask("FUNCTION", "DUMP")) == "OK"
    assert ours.ask("FCALL", "next_of", 1, "n", 4) == 4
    payload = ours.ask("FUNCTION", "DUMP")
    assert "DUMP payload version or checksum are wrong" in str(
        ours.ask("FUNCTION", "RESTORE", payload[:-1] + b"x")
    )


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_functions_and_what_scripts_wrote_are_in_the_log(start: Callable[..., Any], preamble: str) -> None:
    # With `everysec` the log may lag behind the replies while an fsync runs, and kill -9 then takes the rest along.
    options = (
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--aof-use-rdb-preamble",
        preamble,
    )
    server = start(*options)
    peer = server.connect()
    peer.ask("FUNCTION", "LOAD", LIBRARY)
    peer.ask("FCALL", "next_of", 1, "n", 5)
    peer.ask(
        "EVAL", "redis.call('set', 'a', 1) redis.call('spop', 'none') return redis.call('set', 'b', 2)", 0
    )
    server.kill()
    logs = list((server.folder / "appendonlydir").glob("*.incr.aof"))
    written = b"".join(log.read_bytes() for log in logs)
    assert b"eval" not in written.lower()
    assert written.count(b"MULTI") == 1
    server = start(*options)
    peer = server.connect()
    assert peer.ask("FCALL", "next_of", 1, "n", 1) == 6
    assert peer.ask("MGET", "a", "b") == [b"1", b"2"]
    assert "rewriting started" in str(peer.ask("BGREWRITEAOF"))
    until(lambda: b"aof_rewrite_in_progress:0" in peer.ask("INFO", "persistence"))
    server.kill()
    assert start(*options).connect().ask("FCALL", "next_of", 1, "n", 1) == 7
