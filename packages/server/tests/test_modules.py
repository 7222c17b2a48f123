"""Modules in a server that real clients talk to: loading, restarts in each mode of persistence, transactions, scripts."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from cutaway.testing import until

shipped = pytest.mark.skipif(
    find_spec("cutaway.sessions") is None or find_spec("cutaway.bloom") is None,
    reason="the modules custom, sessions and bloom are packages of their own, and not installed here",
)
MODULES = ("--loadmodule", "custom", "--loadmodule", "sessions", "--loadmodule", "bloom")


def said(answer) -> str:
    return answer.decode() if isinstance(answer, bytes) else str(answer)


def fill(peer) -> str:
    assert peer.ask("CUSTOM.SET", "greeting", "hello") == "OK"
    identity = said(peer.ask("SESSION.CREATE", "user:1")).rpartition(" ")[2]
    assert peer.ask("SESSION.ADD_DATA", identity, "theme", "dark") == "OK"
    assert peer.ask("BF.MADD", "seen", "a", "b") == [1, 1]
    return identity


def check(peer, identity: str) -> None:
    assert peer.ask("CUSTOM.GET", "greeting") == b"hello"
    assert peer.ask("CUSTOM.GET", "user:1") == identity.encode()
    assert peer.ask("SESSION.LIST") == [identity.encode()]
    assert peer.ask("SESSION.GET_DATA", identity, "theme") == b"dark"
    assert peer.ask("BF.MEXISTS", "seen", "a", "b", "c") == [1, 1, 0]


@shipped
@pytest.mark.parametrize(
    "mode", ["rdb", "aof", "aof without preamble", "rewritten", "rewritten without preamble"]
)
def test_their_data_survives_a_restart(start, tmp_path, mode):
    options = [*MODULES, "--dir", str(tmp_path)]
    options += (
        ["--save", "3600 1"]
        if mode == "rdb"
        else ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    )
    if "without" in mode:
        options += ["--aof-use-rdb-preamble", "no"]
    server = start(*options)
    peer = server.connect()
    identity = fill(peer)
    if mode == "rdb":
        peer.ask("SAVE")
    elif mode.startswith("rewritten"):
        peer.ask("BGREWRITEAOF")
        until(lambda: b"aof_rewrite_in_progress:0" in peer.ask("INFO", "persistence"))
    server.process.kill()
    server.process.wait()
    check(start(*options).connect(), identity)


@shipped
def test_they_work_in_a_transaction_and_in_a_script(start):
    peer = start("--save", "", *MODULES).connect()
    peer.ask("MULTI")
    peer.ask("CUSTOM.SET", "a", "1")
    peer.ask("SESSION.CREATE", "user:1")
    peer.ask("CUSTOM.GET", "user:1")
    first, created, identity = peer.ask("EXEC")
    assert first == "OK"
    assert said(created) == f"Session created: {identity.decode()}"
    assert peer.ask("EVAL", "return redis.call('SESSION.DELETE', ARGV[1])", "0", identity) == 1
    assert peer.ask("EVAL", "return redis.call('CUSTOM.GET', 'a')", "0") == b"1"


@shipped
def test_copies_and_dumps_of_a_modules_values_are_whole(start):
    peer = start("--save", "", "--enable-debug-command", "yes", *MODULES).connect()
    peer.ask("BF.ADD", "f", "a")
    assert peer.ask("COPY", "f", "g") == 1
    payload = peer.ask("DUMP", "g")
    assert peer.ask("RESTORE", "h", "0", payload) == "OK"
    assert peer.ask("BF.EXISTS", "h", "a") == 1
    one, other = peer.ask("DEBUG", "DIGEST-VALUE", "f", "h")
    assert one == other
    assert len(set(said(one))) > 1


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", "--port", "0", "--save", "", *options],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@shipped
def test_whoever_looks_at_all_values_can_look_at_a_modules(start):
    peer = start("--save", "", *MODULES).connect()
    peer.ask("BF.ADD", "f", "a")
    assert b"# Keysizes" in peer.ask("INFO", "everything")
    assert peer.ask("MEMORY", "USAGE", "f") > 100
    assert peer.ask("OBJECT", "ENCODING", "f") == b"raw"
    assert peer.ask("SCAN", "0", "TYPE", "cutbloom-")[1] == [b"f"]
    assert peer.ask("UNLINK", "f") == 1


@shipped
def test_a_module_without_the_one_it_needs_keeps_the_server_from_starting(tmp_path):
    done = run("--dir", str(tmp_path), "--loadmodule", "sessions")
    assert done.returncode == 1
    assert "the module 'sessions' needs the module 'custom', which is not loaded" in done.stdout + done.stderr


@shipped
def test_data_of_a_module_that_is_missing_is_not_dropped_but_named(start, tmp_path):
    server = start(*MODULES, "--dir", str(tmp_path), "--save", "3600 1")
    peer = server.connect()
    peer.ask("BF.ADD", "f", "a")
    peer.ask("SAVE")
    server.process.kill()
    server.process.wait()
    done = run("--dir", str(tmp_path))
    assert done.returncode == 1
    assert "which is not loaded" in done.stdout + done.stderr


def test_slow_work_keeps_nobody_waiting_but_who_asked_for_it(start, tmp_path):
    file = tmp_path / "slow.py"
    file.write_text(
        "import time\nfrom cutaway.modules import Module\nmodule = Module('slow')\n"
        "def work(seconds):\n    time.sleep(seconds)\n    return 'done'\n"
        "@module.command('SLOW.WORK')\ndef slow(ctx, seconds: float):\n    return ctx.in_background(work, seconds)\n"
    )
    server = start("--save", "", "--loadmodule", str(file))
    waiting, other = server.connect(), server.connect()
    waiting.socket.sendall(b"SLOW.WORK 0.5\r\n")
    assert other.ask("PING") == "PONG"
    waiting.socket.settimeout(20)
    assert waiting.socket.recv(100) == b"+done\r\n"


def test_a_command_that_was_renamed_answers_to_its_new_name_only(start):
    peer = start("--save", "", "--rename-command", "GET", "FETCH", "--rename-command", "KEYS", "").connect()
    peer.ask("SET", "a", "1")
    assert peer.ask("FETCH", "a") == b"1"
    assert "unknown command" in str(peer.ask("GET", "a"))
    assert "unknown command" in str(peer.ask("KEYS", "*"))
