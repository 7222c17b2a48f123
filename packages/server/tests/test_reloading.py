"""DEBUG RELOAD and its options: what is emptied, what stays, and what happens to what is on both sides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cutaway.persistence import crc64

LIBRARY = "#!lua name={0}\nredis.register_function('{0}', function() return '{1}' end)"


@pytest.fixture
def peer(start: Callable[..., Any]) -> Any:
    return start("--enable-debug-command", "yes").connect()


def test_what_came_after_the_snapshot_is_gone_functions_too(peer: Any) -> None:
    peer.ask("SET", "old", "1")
    peer.ask("FUNCTION", "LOAD", LIBRARY.format("first", "hello"))
    peer.ask("SAVE")
    peer.ask("SET", "new", "1")
    peer.ask("FUNCTION", "LOAD", LIBRARY.format("second", "hello"))
    assert peer.ask("DEBUG", "RELOAD", "NOSAVE") == "OK"
    assert peer.ask("KEYS", "*") == [b"old"]
    assert peer.ask("FCALL", "first", "0") == b"hello"
    assert "Function not found" in str(peer.ask("FCALL", "second", "0"))


def test_without_flush_a_key_or_library_on_both_sides_is_an_error(peer: Any) -> None:
    error = "ERR Error trying to load the RDB dump, check server logs."
    peer.ask("FUNCTION", "LOAD", LIBRARY.format("lib", "hello"))
    assert str(peer.ask("DEBUG", "RELOAD", "NOFLUSH")) == error
    peer.ask("FUNCTION", "FLUSH")
    peer.ask("SET", "key", "1")
    assert str(peer.ask("DEBUG", "RELOAD", "NOFLUSH")) == error
    assert peer.ask("GET", "key") == b"1"


def test_a_merge_takes_what_the_file_has_and_keeps_the_rest(peer: Any) -> None:
    peer.ask("SET", "both", "file")
    peer.ask("FUNCTION", "LOAD", LIBRARY.format("lib", "file"))
    peer.ask("SAVE")
    peer.ask("SET", "both", "memory", "EX", "1000")
    peer.ask("SET", "other", "memory")
    peer.ask("FUNCTION", "LOAD", "REPLACE", LIBRARY.format("lib", "memory"))
    assert peer.ask("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE") == "OK"
    assert peer.ask("MGET", "both", "other") == [b"file", b"memory"]
    assert peer.ask("TTL", "both") == -1
    assert b"expires=0" in peer.ask("INFO", "keyspace")
    assert peer.ask("FCALL", "lib", "0") == b"file"


def test_info_tells_scripts_and_functions_apart(peer: Any) -> None:
    def figure(name: str) -> int:
        lines = peer.ask("INFO", "memory").decode().splitlines()
        return int(next(line for line in lines if line.startswith(name + ":")).partition(":")[2])

    assert figure("used_memory_vm_eval") == figure("used_memory_vm_functions") == 0
    peer.ask("EVAL", "return 1", "0")
    assert figure("used_memory_vm_eval") > 10_000
    assert figure("used_memory_vm_functions") == figure("used_memory_functions") == 0
    peer.ask("FUNCTION", "LOAD", LIBRARY.format("lib", "x" * 1000))
    assert figure("used_memory_vm_functions") > 10_000
    assert figure("used_memory_functions") > 1000
    assert figure("used_memory_lua") == figure("used_memory_vm_eval")
    assert figure("used_memory_vm_total") >= figure("used_memory_vm_eval") + 10_000
    assert figure("used_memory_scripts") == figure("used_memory_scripts_eval") + figure(
        "used_memory_functions"
    )


@pytest.mark.parametrize("choice", ["strict", "relaxed"])
def test_a_version_that_nobody_knows_is_tried_if_it_is_wanted(peer: Any, choice: str) -> None:
    body = b"\x00\x01v" + (12).to_bytes(2, "little")
    payload = body + crc64(body).to_bytes(8, "little")
    assert peer.ask("CONFIG", "SET", "rdb-version-check", choice) == "OK"
    reply = peer.ask("RESTORE", "key", "0", payload)
    if choice == "relaxed":
        assert reply == "OK"
    else:
        assert str(reply) == "ERR DUMP payload version or checksum are wrong"
    folder = Path(peer.ask("CONFIG", "GET", "dir")[1].decode())
    (folder / "dump.rdb").write_bytes(b"REDIS0012\xfe\x00\x00\x01k\x01v\xff" + bytes(8))
    reply = peer.ask("DEBUG", "RELOAD", "NOSAVE")
    assert (reply == "OK") is (choice == "relaxed"), reply


def test_what_nodes_of_a_cluster_restore_with_restores(peer: Any) -> None:
    peer.ask("RPUSH", "list", "a", "b")
    payload = peer.ask("DUMP", "list")
    assert peer.ask("RESTORE-ASKING", "copy", "0", payload) == "OK"
    assert peer.ask("LRANGE", "copy", "0", "-1") == [b"a", b"b"]
    assert str(peer.ask("RESTORE-ASKING", "copy", "0", payload)) == "BUSYKEY Target key name already exists."
    assert peer.ask("RESTORE-ASKING", "copy", "60000", payload, "REPLACE") == "OK"
    assert 0 < peer.ask("PTTL", "copy") <= 60_000
