"""Cutaway's client against Cutaway's server: over a socket, in one process, and at a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from cutaway.config import Config
from cutaway.server.app import compose
from cutaway.server.parts import default_parts

client_room = pytest.importorskip(
    "cutaway.client", reason="cutaway-client is not installed beside the server"
)


def test_replies_come_back_as_values_in_both_protocols(shared_server, peer):
    with client_room.Client(client_room.Address(port=shared_server.port), timeout=10) as client:
        assert client.call("HSET", "h", "f", "v") == 1
        assert client.call("HGETALL", "h") == [b"f", b"v"]
        client.call("HELLO", 3)
        assert client.call("HGETALL", "h") == {b"f": b"v"}
        replies = client.pipeline([("INCR", "n"), ("GET", "h")])
        assert replies[0] == 1
        assert replies[1].code == "WRONGTYPE"


def test_a_subscription_hears_messages(shared_server, peer):
    with client_room.Client(client_room.Address(port=shared_server.port), timeout=10) as client:
        client.call("SUBSCRIBE", "news")
        peer.ask("PUBLISH", "news", "hello")
        assert client.message(timeout=10) == client_room.Push([b"message", b"news", b"hello"])


def test_the_engine_can_be_talked_to_without_a_socket():
    engine = compose(Config(), default_parts())
    with client_room.Client(engine=engine) as client, client_room.Client(engine=engine) as other:
        assert client.call("SET", "k", "v") == "OK"
        assert other.call("GET", "k") == b"v"
        assert client.pipeline([("MULTI",), ("INCR", "n"), ("EXEC",)]) == ["OK", "QUEUED", [1]]
        other.call("SUBSCRIBE", "news")
        client.call("PUBLISH", "news", "hello")
        assert other.message(timeout=0) == client_room.Push([b"message", b"news", b"hello"])
        with pytest.raises(TimeoutError):
            client.call("BLPOP", "queue", 0)
        other.call("RESET")
        other.call("RPUSH", "queue", "job")
        assert client.call("ECHO", "after") == b"after"


def run(port: int, *arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "cutaway.client", "-p", str(port), *arguments],
        input=stdin, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_the_program_runs_commands_scans_and_pipes(shared_server, peer):
    port = shared_server.port
    assert run(port, "--no-raw", "SET", "greeting", "hello") == b"OK\n"
    assert run(port, "--scan") == b"greeting\n"
    assert run(port, "--pipe", stdin=b"INCR a\r\nINCR a\r\n").endswith(b"errors: 0, replies: 2\n")
    assert b"sampled 2 keys" in run(port, "--bigkeys").lower()
    assert b"GETEX key [EX seconds|" in run(port, "HELP", "GETEX")
    assert "← reply, 4 bytes" in run(port, "--wire", "RPUSH", "list", "a", "b").decode()


def test_a_person_sees_hints_transactions_and_messages(shared_server, peer, tmp_path):
    pexpect = pytest.importorskip("pexpect", reason="there is no pexpect to type with")
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "TERM": "xterm-256color",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }
    terminal = pexpect.spawn(
        sys.executable, ["-m", "cutaway.client", "-p", str(shared_server.port)],
        env=environment, encoding="utf-8", timeout=30, dimensions=(40, 150),
    )  # fmt: skip
    try:
        terminal.expect_exact(f"127.0.0.1:{shared_server.port}>")
        terminal.send("MULTI\r")
        terminal.expect_exact("(TX)>")
        terminal.send("INCR n\r")
        terminal.expect_exact("QUEUED")
        terminal.send("EXEC\r")
        terminal.expect_exact("1) (integer) 1")
        time.sleep(1)  # for the manual
        terminal.send("LINDEX ")
        terminal.expect_exact("key index")
        terminal.send("\x03SUBSCRIBE news\r")
        terminal.expect_exact("(subscribed mode)>")
        peer.ask("PUBLISH", "news", "hello")
        terminal.expect_exact('"hello"')
        terminal.send("\x03")
        terminal.expect(r"\d> ?")
        terminal.send("NOSUCH\r")
        terminal.expect_exact("(error) ERR unknown command 'NOSUCH'")
    finally:
        terminal.close(force=True)
