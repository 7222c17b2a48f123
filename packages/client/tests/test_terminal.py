"""The conversation, typed at a real terminal: what a person sees, on each of two servers."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cutaway.client import Address, Client
from cutaway.testing import RealServer

pexpect = pytest.importorskip("pexpect", reason="there is no pexpect to type with")

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\]\d+;[^\x07]*\x07")
CONTROL_C = "\x03"


class Terminal:
    """A terminal with the client in it. What was seen is text without colours; `see` waits for more of it."""

    def __init__(self, *arguments: str, home: Path) -> None:
        environment = {
            **os.environ,
            "HOME": str(home),
            "TERM": "xterm-256color",
            "PROMPT_TOOLKIT_NO_CPR": "1",
        }
        environment.pop("REDISCLI_AUTH", None)
        self._child = pexpect.spawn(
            sys.executable, ["-m", "cutaway.client", *arguments],
            env=environment, encoding="utf-8", timeout=30, dimensions=(40, 150),
        )  # fmt: skip
        self.seen = ""

    def type(self, text: str) -> None:
        self._child.send(text)

    def enter(self, text: str) -> None:
        self.type(text + "\r")

    def see(self, expected: str) -> str:
        """Wait until `expected` stands in what was not yet seen; give what stood before it.

        Blanks at its end do not count: a terminal is not always sent those, but the cursor is moved past them.
        """
        expected = expected.rstrip(" ")
        end = time.monotonic() + 30
        while expected not in self.seen:
            if time.monotonic() > end:
                raise AssertionError(f"{expected!r} did not appear in {self.seen!r}")
            try:
                raw = self._child.read_nonblocking(1 << 16, timeout=0.2)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                raise AssertionError(f"ended, and {expected!r} was not in {self.seen!r}") from None
            self.seen += ESCAPES.sub("", raw).replace("\r", "")
        before, _, self.seen = self.seen.partition(expected)
        return before

    def exit_status(self) -> int:
        self._child.expect(pexpect.EOF)
        self._child.close()
        return int(self._child.exitstatus)

    def close(self) -> None:
        self._child.close(force=True)


Open = Callable[..., Terminal]


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(*arguments, home=tmp_path))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture
def on_either(server: RealServer, open_terminal: Open) -> Terminal:
    """A terminal on each of the servers in turn."""
    found = open_terminal("-s", server.path)
    found.see(f"redis {server.path}> ")
    return found


@pytest.fixture
def terminal(valkey_server: RealServer, open_terminal: Open) -> Terminal:
    """A terminal on one of the servers."""
    with Client(Address(path=valkey_server.path)) as client:
        client.call("FLUSHALL")
    found = open_terminal("-s", valkey_server.path)
    found.see(f"redis {valkey_server.path}> ")
    return found


def test_a_transaction_and_a_database_show_in_the_prompt(on_either: Terminal) -> None:
    on_either.enter("SELECT 3")
    on_either.see("OK\n")
    on_either.see("[3]> ")
    on_either.enter("MULTI")
    on_either.see("[3](TX)> ")
    on_either.enter("INCR n")
    on_either.see("QUEUED\n")
    on_either.enter("EXEC")
    on_either.see("1) (integer) 1\n")
    assert "(TX)" not in on_either.see("[3]>")


def test_errors_bad_quotes_and_repetitions(terminal: Terminal) -> None:
    terminal.enter("FROBNICATE now")
    terminal.see("(error) ERR unknown command 'FROBNICATE', with args beginning with: 'now'")
    terminal.enter('GET "open')
    terminal.see("Invalid argument(s)")
    terminal.enter("3 INCR n")
    terminal.see("(integer) 1\n(integer) 2\n(integer) 3\n")
    terminal.enter("quit")
    assert terminal.exit_status() == 0


def test_hints_follow_what_is_typed_and_tab_completes(on_either: Terminal) -> None:
    on_either.enter("PING")
    on_either.see("PONG\n")
    deadline = time.monotonic() + 20
    while True:  # the manual is fetched beside the conversation
        on_either.type("LINDEX ")
        try:
            on_either.see("key index")
            break
        except AssertionError:
            assert time.monotonic() < deadline
            on_either.type(CONTROL_C)
    on_either.type("queue ")
    on_either.see("index")
    on_either.type(CONTROL_C)
    on_either.type("getra\t")
    on_either.see("getrange")
    on_either.see("key start end")
    on_either.enter(" k 0 1")
    on_either.see('""\n')
    on_either.enter("help LINDEX")
    on_either.see("LINDEX key index")
    on_either.see("group: list")


def test_messages_appear_while_subscribed_and_control_c_leaves(
    server: RealServer, on_either: Terminal
) -> None:
    on_either.enter("SELECT 2")
    on_either.see("[2]> ")
    on_either.enter("SUBSCRIBE news")
    on_either.see('1) "subscribe"\n2) "news"\n3) (integer) 1\n')
    on_either.see("(subscribed mode)> ")
    with Client(Address(path=server.path)) as client:
        client.call("PUBLISH", "news", "hello")
        on_either.see('1) "message"\n2) "news"\n3) "hello"')
        on_either.type(CONTROL_C)
        on_either.see("[2]> ")
        assert client.call("PUBLISH", "news", "anybody?") == 0
    on_either.enter("ECHO back")
    on_either.see('"back"\n')


def test_monitor_streams_above_the_prompt_until_control_c(
    valkey_server: RealServer, terminal: Terminal
) -> None:
    terminal.enter("MONITOR")
    terminal.see("OK\n")
    terminal.see("(monitor mode)> ")
    with Client(Address(path=valkey_server.path)) as client:
        client.call("SET", "watched", "1")
        terminal.see('"SET" "watched" "1"')
        terminal.type(CONTROL_C)
        terminal.enter("ECHO quiet")
        terminal.see('"quiet"\n')


def test_control_c_ends_a_command_that_blocks_and_drops_a_line(terminal: Terminal) -> None:
    terminal.enter("BLPOP nothing 0")
    time.sleep(0.5)
    terminal.type(CONTROL_C)
    terminal.enter("ECHO alive")
    terminal.see('"alive"\n')
    terminal.type("ECHO never")
    terminal.type(CONTROL_C)
    terminal.enter("ECHO instead")
    assert '"never"' not in terminal.see('"instead"\n')
    terminal.type(CONTROL_C)
    assert terminal.exit_status() == 0


def test_invalidations_are_shown_while_nothing_is_asked(
    valkey_server: RealServer, open_terminal: Open
) -> None:
    with Client(Address(path=valkey_server.path)) as client:
        client.call("DEL", "watched")
    terminal = open_terminal("-3", "-s", valkey_server.path)
    terminal.see("> ")
    terminal.enter("CLIENT TRACKING ON")
    terminal.see("OK\n")
    terminal.enter("GET watched")
    terminal.see("(nil)\n")
    with Client(Address(path=valkey_server.path)) as client:
        client.call("SET", "watched", "1")
    terminal.see("-> invalidate: 'watched'")


def test_the_wire_can_be_switched_on_and_shows_bytes_before_the_reply(terminal: Terminal) -> None:
    terminal.enter(":set wire")
    terminal.enter("ECHO hi")
    terminal.see("→ request, 22 bytes")
    terminal.see(r"$4\r\nECHO\r\n")
    terminal.see("← reply, 8 bytes")
    terminal.see('"hi"\n')
    terminal.enter(":set nowire")
    terminal.enter("ECHO bye")
    assert "→ request" not in terminal.see('"bye"\n')


def test_passwords_are_not_kept_in_the_history(terminal: Terminal, tmp_path: Path) -> None:
    terminal.enter("ECHO kept")
    terminal.see('"kept"\n')
    terminal.enter("AUTH nobody hunter2")
    terminal.see("(error) WRONGPASS")
    terminal.enter("quit")
    terminal.exit_status()
    history = (tmp_path / ".cutaway_history").read_text()
    assert "ECHO kept" in history
    assert "hunter2" not in history


def test_preferences_are_read_at_the_start(
    valkey_server: RealServer, tmp_path: Path, open_terminal: Open
) -> None:
    (tmp_path / ".redisclirc").write_text(":set nohints\n:set wire\n")
    terminal = open_terminal("-s", valkey_server.path)
    terminal.see("> ")
    terminal.enter("PING")
    terminal.see("→ request, 14 bytes")
    terminal.see("PONG\n")


def test_a_server_that_goes_away_is_told_and_found_again(
    tmp_path: Path, open_terminal: Open, own_server: RealServer
) -> None:
    terminal = open_terminal("-s", own_server.path)
    terminal.see("> ")
    own_server.stop()
    terminal.see("Error: Server closed the connection")
    terminal.see("not connected> ")
    terminal.enter("PING")
    terminal.see("Could not connect to Redis at")
    own_server.start()
    terminal.enter("PING")
    terminal.see("PONG\n")
    terminal.see(f"redis {own_server.path}> ")
