"""Scripts that run for too long: other clients are answered, and can end them. Over real sockets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

BUSY = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
BUSY_FUNCTION = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
ENDLESS = "while true do end"
STUBBORN = "while true do pcall(function() while true do end end) end"
ENDLESS_LIBRARY = "#!lua name=lib\nredis.register_function('endless', function() while true do end end)"


def wait_until_busy(peer: Any, message: str = BUSY) -> None:
    """Until then PING is answered as ever: the script has not begun, or is not old enough."""
    end = time.monotonic() + 60
    while str(peer.ask("PING")) != message:
        assert time.monotonic() < end, "the server is never busy"
        time.sleep(0.01)


def connected(server: Any) -> Any:
    """A client that the server has taken in: one that is still on its way has to wait for the script's end."""
    peer = server.connect()
    assert peer.ask("PING") == "PONG"
    return peer


@pytest.fixture
def server(start: Callable[..., Any]) -> Any:
    return start("--save", "", "--busy-reply-threshold", "50")


@pytest.mark.parametrize("script", [ENDLESS, STUBBORN])
def test_others_hear_busy_and_script_kill_ends_it(server: Any, script: str) -> None:
    running, other = connected(server), connected(server)
    other.ask("SET", "k", "v")
    running.send("EVAL", script, 0)
    wait_until_busy(other)
    assert str(other.ask("GET", "k")) == BUSY
    assert str(other.ask("FUNCTION", "KILL")) == BUSY
    assert str(other.ask("SHUTDOWN")) == BUSY
    assert other.ask("SCRIPT", "KILL") == "OK"
    assert "Script killed by user with SCRIPT KILL" in str(running.read())
    assert other.ask("GET", "k") == b"v"
    assert running.ask("GET", "k") == b"v"


def test_fifty_clients_hear_busy_again_and_again_and_go_on_afterwards(server: Any) -> None:
    running, *others = (connected(server) for _ in range(51))
    running.send("EVAL", ENDLESS, 0)
    wait_until_busy(others[0])
    for _ in range(5):
        for number, peer in enumerate(others):
            peer.send("SET", f"key:{number}", "x" * 1000)
            peer.send("GET", f"key:{number}")
        for peer in others:
            assert [str(peer.read()), str(peer.read())] == [BUSY, BUSY]
    assert others[-1].ask("SCRIPT", "KILL") == "OK"
    assert "Script killed by user with SCRIPT KILL" in str(running.read())
    for number, peer in enumerate(others):
        assert peer.ask("SET", f"key:{number}", number) == "OK"
    assert running.ask("DBSIZE") == 50


def test_who_comes_meanwhile_is_answered_and_stays(server: Any) -> None:
    running, other = connected(server), connected(server)
    running.send("EVAL", ENDLESS, 0)
    wait_until_busy(other)
    newcomer = server.connect()
    assert str(newcomer.ask("PING")) == BUSY
    assert newcomer.ask("SCRIPT", "KILL") == "OK"
    running.read()
    assert newcomer.ask("PING") == "PONG"
    assert newcomer.ask("SET", "big", b"x" * 300_000) == "OK"
    assert newcomer.ask("GET", "big") == b"x" * 300_000


def test_a_function_is_killed_by_its_own_command(server: Any) -> None:
    running, other = connected(server), connected(server)
    running.ask("FUNCTION", "LOAD", ENDLESS_LIBRARY)
    running.send("FCALL", "endless", 0)
    wait_until_busy(other, BUSY_FUNCTION)
    stats = other.ask("FUNCTION", "STATS")
    assert isinstance(stats, list)
    assert stats[1][:4] == [b"name", b"endless", b"command", [b"fcall", b"endless", b"0"]]
    assert str(other.ask("SCRIPT", "KILL")) == BUSY_FUNCTION
    assert other.ask("FUNCTION", "KILL") == "OK"
    assert "killed by user" in str(running.read())


def test_a_script_that_has_written_cannot_be_killed(server: Any) -> None:
    running, other = connected(server), connected(server)
    running.send("EVAL", "redis.call('set', 'k', 'half') " + ENDLESS, 0)
    wait_until_busy(other)
    assert str(other.ask("SCRIPT", "KILL")).startswith("UNKILLABLE")
    other.send("SHUTDOWN", "NOSAVE")
    with pytest.raises(ConnectionError):
        other.read()
    with pytest.raises(ConnectionRefusedError):  # who sees the end of a connection need not try again
        server.connect()
    assert server.process.wait(10) == 0


def test_what_a_script_wrote_before_shutdown_nosave_is_not_in_the_log(start: Callable[..., Any]) -> None:
    options = ("--save", "", "--busy-reply-threshold", "50", "--appendonly", "yes")
    server = start(*options)
    running, other = connected(server), connected(server)
    other.ask("SET", "whole", "v")
    running.send("EVAL", "redis.call('set', 'half', 1) " + ENDLESS, 0)
    wait_until_busy(other)
    other.send("SHUTDOWN", "NOSAVE")
    server.process.wait(10)
    again = start(*options).connect()
    assert again.ask("GET", "whole") == b"v"
    assert again.ask("EXISTS", "half") == 0


def test_a_script_that_ends_by_itself_lets_everything_go_on(server: Any) -> None:
    running, other = connected(server), connected(server)
    running.send("EVAL", "local n = 0 for i = 1, 4e7 do n = n + 1 end return 'done'", 0)
    wait_until_busy(other)
    assert running.read() == b"done"
    assert other.ask("PING") == "PONG"


def test_while_a_slow_script_of_the_log_is_replayed_others_hear_that_data_is_loaded(
    start: Callable[..., Any], tmp_path: Any
) -> None:
    server = start("--save", "", "--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--busy-reply-threshold", "1",
                   "--enable-debug-command", "yes")  # fmt: skip
    running, other = connected(server), connected(server)
    script = "redis.call('set', 'k', 'v'); for i = 1, 200000000 do end"
    log = tmp_path / "appendonlydir" / "appendonly.aof.1.incr.aof"
    with log.open("ab") as file:
        file.write(b"*3\r\n$4\r\nEVAL\r\n$%d\r\n%b\r\n$1\r\n0\r\n" % (len(script), script.encode()))
    running.send("DEBUG", "LOADAOF")
    wait_until_busy(other, "LOADING Redis is loading the dataset in memory")
    assert running.read() == "OK"
    assert other.ask("GET", "k") == b"v"
