"""MIGRATE, from our server to a real one and back."""

from __future__ import annotations

import subprocess

import pytest


@pytest.fixture
def other(start_real, free_port):
    """A real server's port."""
    start_real("redis", "--port", str(free_port), "--bind", "127.0.0.1")
    return free_port


def real(port: int, *words: str) -> str:
    return subprocess.run(
        ["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=True
    ).stdout.rstrip("\n")


def test_a_key_moves_with_its_value_and_the_time_that_is_left(start, other):
    peer = start("--save", "").connect()
    peer.ask("RPUSH", "list", "a", "b")
    peer.ask("PEXPIRE", "list", "100000")
    assert peer.ask("MIGRATE", "127.0.0.1", str(other), "list", "3", "5000") == "OK"
    assert peer.ask("EXISTS", "list") == 0
    assert real(other, "-n", "3", "LRANGE", "list", "0", "-1") == "a\nb"
    assert 90_000 < int(real(other, "-n", "3", "PTTL", "list")) <= 100_000
    assert peer.ask("MIGRATE", "127.0.0.1", str(other), "list", "3", "5000") == "NOKEY"


def test_several_keys_move_copies_stay_and_what_is_there_is_kept_unless_told_otherwise(start, other):
    peer = start("--save", "").connect()
    peer.ask("MSET", "a", "1", "b", "2")
    where = ("127.0.0.1", str(other), "", "0", "5000")
    assert peer.ask("MIGRATE", *where, "COPY", "KEYS", "a", "b", "none") == "OK"
    assert real(other, "MGET", "a", "b") == "1\n2"
    peer.ask("DEL", "b")
    peer.ask("MSET", "b", "3", "c", "4")
    answer = peer.ask("MIGRATE", *where, "KEYS", "b", "c")
    assert str(answer).startswith("ERR Target instance replied with error: BUSYKEY")
    assert (peer.ask("EXISTS", "b"), peer.ask("EXISTS", "c")) == (1, 0)
    assert peer.ask("MIGRATE", *where, "REPLACE", "KEYS", "b") == "OK"
    assert real(other, "MGET", "b", "c") == "3\n4"


def test_nobody_at_the_other_end_costs_an_error_and_no_key(start, free_port):
    peer = start("--save", "").connect()
    peer.ask("SET", "a", "1")
    answer = peer.ask("MIGRATE", "127.0.0.1", str(free_port), "a", "0", "500")
    assert str(answer) == "IOERR error or timeout connecting to the client"
    assert peer.ask("GET", "a") == b"1"


def test_a_password_is_sent(start, other):
    peer = start("--save", "").connect()
    real(other, "CONFIG", "SET", "requirepass", "secret")
    peer.ask("SET", "a", "1")
    where = ("127.0.0.1", str(other), "a", "0", "5000")
    assert "NOAUTH" in str(peer.ask("MIGRATE", *where))
    assert peer.ask("MIGRATE", *where, "AUTH", "secret") == "OK"
    assert peer.ask("EXISTS", "a") == 0
