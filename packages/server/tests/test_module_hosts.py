"""What a server gives to a module: threads and the way back, timers, waiting clients, settings in files, ACL categories, events."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from cutaway.testing import until

LOBBY = Path(__file__).with_name("examples") / "lobby.py"


OPTIONS = ("--save", "", "--enable-debug-command", "yes", "--enable-module-command", "yes")


@pytest.fixture(scope="module")
def hotel(make_running, tmp_path_factory):
    """A server with the module, for tests that do not mind each other."""
    server = make_running(
        tmp_path_factory.mktemp("hotel"), *OPTIONS, "--loadmodule", str(LOBBY), "an", "argument"
    )
    yield server
    server.kill()


@pytest.fixture
def lobby(hotel):
    hotel.connect().ask("FLUSHALL")
    return hotel


@pytest.fixture(scope="module")
def empty_hotel(make_running, tmp_path_factory):
    """A server that has yet to load the module."""
    server = make_running(tmp_path_factory.mktemp("empty"), *OPTIONS)
    yield server
    server.kill()


# ---- waiting, threads, time


def test_a_thread_answers_a_client_that_waits_and_the_others_are_served_meanwhile(lobby):
    waiting, other = lobby.connect(), lobby.connect()
    identity = waiting.ask("CLIENT", "ID")
    waiting.send("LOBBY.WAIT", 300)
    waiting.send("PING")
    assert other.ask("SET", "a", "1") == "OK"
    assert b" flags=b " in other.ask("CLIENT", "LIST", "ID", identity)
    assert waiting.read() == f"hello to client {identity}"
    assert waiting.read() == "PONG"
    assert other.ask("GET", "answers") == b"1"


def test_a_thread_that_comes_too_late_is_not_heard(lobby):
    waiting = lobby.connect()
    assert waiting.ask("LOBBY.WAIT", 400, 20) == "nobody came"
    time.sleep(0.5)
    assert waiting.ask("PING") == "PONG"
    assert waiting.ask("GET", "answers") is None


def test_a_client_that_hangs_up_while_it_waits_is_told_to_the_module_and_harms_nobody(lobby):
    waiting, other = lobby.connect(), lobby.connect()
    waiting.send("LOBBY.WAIT", 200)
    until(lambda: b"blocked_clients:1" in other.ask("INFO", "clients"))
    waiting.socket.close()
    until(lambda: other.ask("GET", "walkouts") == b"1")
    time.sleep(0.3)
    assert other.ask("GET", "answers") is None
    assert b"blocked_clients:0" in other.ask("INFO", "clients")


def test_in_a_transaction_and_in_a_script_it_does_not_wait(lobby):
    peer = lobby.connect()
    peer.ask("MULTI")
    peer.ask("LOBBY.WAIT", 1)
    peer.ask("PING")
    refused, pong = peer.ask("EXEC")
    assert str(refused) == "ERR Blocking module command called from transaction"
    assert pong == "PONG"
    reply = peer.ask("EVAL", "return redis.pcall('LOBBY.WAIT', 1).err", 0)
    assert reply.startswith(b"ERR Blocking module command called from Lua script")


def test_what_threads_write_is_counted_once_and_survives(start):
    options = ("--save", "", "--appendonly", "yes", "--appendfsync", "always", "--loadmodule", str(LOBBY))  # fmt: skip
    server = start(*options)
    first, second = server.connect(), server.connect()
    first.send("LOBBY.COUNT", "n", 50)
    second.send("LOBBY.COUNT", "n", 50)
    assert max(first.read(), second.read()) == 500
    second.send("LOBBY.WAIT", 10)
    second.read()
    server.process.kill()
    server.process.wait()
    again = start(*options).connect()
    assert again.ask("GET", "n") == b"500"
    assert again.ask("GET", "answers") == b"1"


def test_timers_do_not_wait_for_the_regular_work(lobby):
    peer = lobby.connect()
    peer.ask("DEBUG", "PAUSE-CRON", "1")
    peer.ask("LOBBY.AFTER", 60_000, "later")
    peer.ask("LOBBY.AFTER", 3, "ticks", 5)
    until(lambda: peer.ask("GET", "ticks") == b"5")
    assert peer.ask("GET", "later") is None
    peer.ask("DEBUG", "PAUSE-CRON", "0")


def test_work_that_does_not_end_does_not_keep_the_server_from_ending(start):
    server = start("--save", "", "--loadmodule", str(LOBBY))
    sleeper, other = server.connect(), server.connect()
    sleeper.send("LOBBY.SLEEP", 600)
    until(lambda: b"blocked_clients:1" in other.ask("INFO", "clients"))
    assert server.stop() == 0


# ---- settings


def test_its_settings_are_directives_like_all_others(lobby):
    peer = lobby.connect()
    assert dict(zip(*[iter(peer.ask("CONFIG", "GET", "lobby.*"))] * 2, strict=True)) == {
        b"lobby.greeting": b"hello", b"lobby.seats": b"4", b"lobby.open": b"yes", b"lobby.mode": b"calm", b"lobby.floor": b"3",
    }  # fmt: skip
    assert peer.ask("CONFIG", "SET", "lobby.seats", "7", "lobby.mode", "wild", "maxmemory", "1gb") == "OK"
    assert peer.ask("CONFIG", "GET", "lobby.seats") == [b"lobby.seats", b"7"]
    for words in (
        ("lobby.seats", "0"),
        ("lobby.mode", "odd"),
        ("lobby.open", "perhaps"),
        ("lobby.floor", "4"),
    ):
        assert str(peer.ask("CONFIG", "SET", *words)).startswith("ERR CONFIG SET failed")
    assert peer.ask("CONFIG", "GET", "lobby.seats") == [b"lobby.seats", b"7"]


def test_config_rewrite_keeps_the_module_and_its_settings(start, tmp_path):
    file = tmp_path / "redis.conf"
    file.write_text(f'save ""\ndir {tmp_path}\nloadmodule {LOBBY} one "two words"\nlobby.seats 5\n')
    server = start(str(file))
    peer = server.connect()
    assert peer.ask("LOBBY.ARGUMENTS")[:2] == [b"one", b"two words"]
    assert peer.ask("CONFIG", "GET", "lobby.seats") == [b"lobby.seats", b"5"]
    peer.ask("CONFIG", "SET", "lobby.seats", "9", "lobby.greeting", "good day")
    assert peer.ask("CONFIG", "REWRITE") == "OK"
    server.process.kill()
    server.process.wait()
    again = start(str(file)).connect()
    assert again.ask("CONFIG", "GET", "lobby.[gs]*") == [b"lobby.greeting", b"good day", b"lobby.seats", b"9"]
    assert again.ask("LOBBY.ARGUMENTS") == [b"one", b"two words", b"9"]


def test_loadex_gives_settings_before_the_module_begins(empty_hotel):
    peer = empty_hotel.connect()
    words = ("CONFIG", "lobby.seats", "8", "CONFIG", "lobby.floor", "2", "ARGS", "a", "b")
    assert peer.ask("MODULE", "LOADEX", str(LOBBY), *words) == "OK"
    assert peer.ask("LOBBY.ARGUMENTS") == [b"a", b"b", b"8"]
    assert peer.ask("CONFIG", "GET", "lobby.floor") == [b"lobby.floor", b"2"]
    assert peer.ask("MODULE", "UNLOAD", "lobby") == "OK"
    assert peer.ask("CONFIG", "GET", "lobby.*") == []
    refused = str(peer.ask("MODULE", "LOADEX", str(LOBBY), "CONFIG", "lobby.chairs", "8"))
    assert refused.startswith("ERR Error loading the extension:")
    assert peer.ask("MODULE", "LIST") == []


# ---- access


def test_its_acl_categories_are_like_redis_own(lobby):
    peer = lobby.connect()
    assert peer.ask("ACL", "CAT")[-1] == b"lobby"
    assert set(peer.ask("ACL", "CAT", "lobby")) >= {b"lobby.arguments", b"lobby.secret", b"lobby.wait"}
    assert "@lobby" in peer.ask("COMMAND", "INFO", "lobby.secret")[0][6]
    assert b"lobby.secret" in peer.ask("COMMAND", "LIST", "FILTERBY", "ACLCAT", "lobby")
    assert b"lobby.secret" in peer.ask("COMMAND", "LIST", "FILTERBY", "MODULE", "lobby")
    assert peer.ask("ACL", "SETUSER", "guest", "on", "nopass", "+@lobby", "-@dangerous", "~mine:*") == "OK"
    assert peer.ask("AUTH", "guest", "x") == "OK"
    assert peer.ask("LOBBY.ARGUMENTS")[0] == b"an"
    assert str(peer.ask("LOBBY.SECRET")).startswith("NOPERM")
    assert str(peer.ask("PING")).startswith("NOPERM")


def test_a_call_on_behalf_of_the_caller_has_no_more_rights_than_the_caller(lobby):
    peer = lobby.connect()
    peer.ask("ACL", "SETUSER", "guest", "on", "nopass", "+@lobby", "+set", "~mine:*")
    peer.ask("AUTH", "guest", "x")
    assert peer.ask("LOBBY.AS-ME", "SET", "mine:1", "v") == "OK"
    assert str(peer.ask("LOBBY.AS-ME", "SET", "other", "v")).startswith("NOPERM")
    assert str(peer.ask("LOBBY.AS-ME", "GET", "mine:1")).startswith("NOPERM")
    entry = lobby.connect().ask("ACL", "LOG")[0]
    assert entry[5] == b"module"


def test_rules_about_its_categories_go_and_come_with_the_module(empty_hotel):
    peer = empty_hotel.connect()
    assert str(peer.ask("ACL", "SETUSER", "guest", "+@lobby")).startswith("ERR")
    peer.ask("MODULE", "LOAD", str(LOBBY))
    assert peer.ask("ACL", "SETUSER", "guest", "+@lobby") == "OK"
    assert peer.ask("MODULE", "UNLOAD", "lobby") == "OK"
    assert b"lobby" not in peer.ask("ACL", "CAT")
    assert peer.ask("ACL", "DRYRUN", "guest", "PING") != "OK"
    assert peer.ask("ACL", "DELUSER", "guest") == 1


# ---- events


def test_the_servers_events_reach_it(start, tmp_path):
    other = tmp_path / "other.py"
    other.write_text("from cutaway.modules import Module\nmodule = Module('other')\n")
    options = (
        "--save",
        "",
        "--dir",
        str(tmp_path),
        "--enable-debug-command",
        "yes",
        "--enable-module-command",
        "yes",
    )
    peer = start(*options, "--loadmodule", str(LOBBY)).connect()

    def heard() -> list[str]:
        return [event.decode() for event in peer.ask("LOBBY.EVENTS")]

    assert heard() == ["loading", "loaded"]
    peer.ask("SELECT", 3)
    peer.ask("FLUSHDB")
    peer.ask("SWAPDB", 1, 2)
    peer.ask("CONFIG", "SET", "maxclients", 5000, "lobby.seats", 6)
    assert heard() == ["flush 3", "swap 1,2", "config maxclients,lobby.seats"]
    peer.ask("SAVE")
    assert heard() == ["saving rdb", "saved rdb"]
    peer.ask("BGSAVE")
    until(lambda: b"rdb_bgsave_in_progress:0" in peer.ask("INFO", "persistence"))
    assert heard() == ["saving rdb", "saved rdb"]
    peer.ask("BGREWRITEAOF")
    until(lambda: b"aof_rewrite_in_progress:0" in peer.ask("INFO", "persistence"))
    assert heard() == ["saving aof", "saved aof"]
    peer.ask("DEBUG", "RELOAD")
    assert heard() == ["saving rdb", "saved rdb", "loading", "loaded"]
    peer.ask("MODULE", "LOAD", str(other))
    peer.ask("MODULE", "UNLOAD", "other")
    assert heard() == ["module loaded other", "module unloaded other"]


# ---- installed and typed


def test_an_installed_module_is_found_by_its_name(start, tmp_path, monkeypatch):
    """What `pip install` leaves behind: the package, and a line in the distribution's list of entry points."""
    package = tmp_path / "site" / "waiting_room"
    package.mkdir(parents=True)
    shutil.copy(LOBBY, package / "__init__.py")
    facts = package.parent / "waiting_room-1.0.dist-info"
    facts.mkdir()
    facts.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: waiting-room\nVersion: 1.0\n")
    facts.joinpath("entry_points.txt").write_text("[cutaway.modules]\nlobby = waiting_room:module\n")
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    peer = start("--save", "", "--loadmodule", "lobby", "here").connect()
    assert peer.ask("LOBBY.ARGUMENTS")[0] == b"here"
    (described,) = peer.ask("MODULE", "LIST")
    assert described[:4] == [b"name", b"lobby", b"ver", 2]


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed here")
def test_a_module_can_be_typed_strictly(tmp_path):
    words = [
        "--strict",
        "--explicit-package-bases",
        "--cache-dir",
        str(tmp_path),
        "--no-error-summary",
        str(LOBBY),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=tmp_path,
    )
    assert done.stdout == ""
    assert done.returncode == 0
