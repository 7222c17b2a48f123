"""Data on disk: what comes back after an end, orderly or not."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cutaway.persistence import DatabaseDump, write_rdb
from cutaway.resp import ReplyError, encode_request
from cutaway.testing import until

FILL = """
SET string value
SET number 12345
SET expiring soon PX 100000000
APPEND raw some
APPEND raw thing
RPUSH list a b c 1 2 3
HSET hash f v g 1
SADD ints 1 2 3
SADD words a b 1
ZADD scores 1.5 a -inf b 3 c
XADD stream 1-1 f v
XADD stream 2-1 f v g w
XGROUP CREATE stream group 0
XREADGROUP GROUP group me COUNT 1 STREAMS stream >
PFADD loglog a b c
SETBIT bits 100 1
GEOADD places 13.361389 38.115556 Palermo
"""

LOOK = """
GET string
GET number
PEXPIRETIME expiring
GET raw
LRANGE list 0 -1
HGET hash f
HLEN hash
SCARD ints
SISMEMBER words a
ZRANGE scores 0 -1 WITHSCORES
XRANGE stream - +
XPENDING stream group
PFCOUNT loglog
GETBIT bits 100
GEOPOS places Palermo
DBSIZE
OBJECT ENCODING list
OBJECT ENCODING ints
OBJECT ENCODING scores
"""


def fill(peer):
    for line in FILL.strip().splitlines():
        reply = peer.ask(*line.split())
        assert not isinstance(reply, ReplyError), (line, reply)


def look(peer):
    return [peer.ask(*line.split()) for line in LOOK.strip().splitlines()]


def test_a_snapshot_is_made_at_sigterm_and_loaded_at_the_next_start(start, tmp_path):
    server = start()
    peer = server.connect()
    fill(peer)
    before = look(peer)
    assert server.stop() == 0
    assert (tmp_path / "dump.rdb").exists()
    assert look(start().connect()) == before


@pytest.mark.parametrize("policy", ["always", "everysec", "no"])
@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_the_append_only_file_survives_kill_minus_nine(start, tmp_path, policy, preamble):
    arguments = (
        "--appendonly",
        "yes",
        "--appendfsync",
        policy,
        "--save",
        "",
        "--aof-use-rdb-preamble",
        preamble,
    )
    server = start(*arguments)
    peer = server.connect()
    fill(peer)
    before = look(peer)
    peer.ask("BGREWRITEAOF")
    until(lambda: "rewrite finished successfully" in server.log.read_text())
    peer.ask("RPUSH", "list", "last")
    peer.ask("RPOP", "list")
    log = next(Path(tmp_path, "appendonlydir").glob("*.incr.aof"))
    until(lambda: b"RPOP" in log.read_bytes())  # while an fsync runs, `everysec` keeps commands back
    server.kill()
    assert look(start(*arguments).connect()) == before


def test_a_child_writes_the_snapshot_while_the_parent_goes_on(start, tmp_path):
    server = start("--save", "")
    peer = server.connect()
    peer.ask("SET", "k", "before")
    assert peer.ask("BGSAVE") == "Background saving started"
    assert peer.ask("SET", "k", "after") == "OK"
    until(lambda: "terminated with success" in server.log.read_text())
    server.kill()
    assert start("--save", "").connect().ask("GET", "k") == b"before"


def test_a_snapshot_that_is_cut_short_leaves_the_one_before(start, tmp_path):
    server = start("--save", "", "--rdb-key-save-delay", "5000000")
    peer = server.connect()
    (tmp_path / "dump.rdb").write_bytes(b"the one before")
    peer.ask("SET", "k", "v")
    peer.ask("BGSAVE")
    server.kill()
    time.sleep(0.2)
    assert (tmp_path / "dump.rdb").read_bytes() == b"the one before"


def test_a_save_point_saves(start, tmp_path):
    server = start("--save", "1 2")
    peer = server.connect()
    peer.ask("MSET", "a", "1", "b", "2")
    until((tmp_path / "dump.rdb").exists)
    assert "2 changes in 1 seconds" in server.log.read_text()


def test_transactions_and_expiries_are_logged_by_their_effects(start, tmp_path):
    server = start("--appendonly", "yes", "--save", "", "--appendfsync", "always")
    peer = server.connect()
    for words in ("MULTI", "SET a 1 EX 100", "INCR b", "EXEC", "SADD s x", "SPOP s", "INCRBYFLOAT f 0.5"):
        peer.ask(*words.split())
    log = next(Path(tmp_path, "appendonlydir").glob("*.incr.aof")).read_bytes()
    words = [word for word in log.split(b"\r\n") if word and word[:1] not in b"*$"]
    text = b" ".join(words)
    assert b"MULTI SET a 1 PXAT" in text
    assert b"INCR b EXEC" in text
    assert b"SREM s x" in text or b"DEL s" in text
    assert b"SET f 0.5 KEEPTTL" in text
    assert b" EX " not in text


def test_a_torn_tail_is_cut_and_the_rest_is_loaded(start, tmp_path):
    arguments = ("--appendonly", "yes", "--save", "")
    server = start(*arguments)
    server.connect().ask("SET", "whole", "1")
    server.stop()
    file = next(Path(tmp_path, "appendonlydir").glob("*.incr.aof"))
    whole = file.stat().st_size
    with file.open("ab") as log:
        log.write(b"*3\r\n$3\r\nSET\r\n$4\r\ntorn\r\n$1")
    server = start(*arguments)
    assert server.connect().ask("KEYS", "*") == [b"whole"]
    assert "cut off" in server.log.read_text()
    assert file.stat().st_size == whole


def test_a_corrupt_middle_refuses_to_start_and_names_place_and_tool(start, tmp_path):
    arguments = ("--appendonly", "yes", "--save", "")
    server = start(*arguments)
    peer = server.connect()
    for number in range(10):
        peer.ask("SET", f"key:{number}", "value")
    server.stop()
    file = next(Path(tmp_path, "appendonlydir").glob("*.incr.aof"))
    data = bytearray(file.read_bytes())
    place = data.index(b"key:5") - 4
    data[place : place + 1] = b"!"
    file.write_bytes(data)
    with pytest.raises(RuntimeError) as error:
        start(*arguments)
    assert file.name in str(error.value)
    assert f"{file.name}: " in str(error.value)
    assert "(at byte " in str(error.value)
    assert "cutaway.persistence check" in str(error.value)


@contextlib.contextmanager
def loading_slowly(tmp_path, *arguments):
    """A server that needs seconds to load its file: its port and process, and where its log goes."""
    items = [(b"key:%d" % number, b"value", None, None) for number in range(1500)]
    with (tmp_path / "dump.rdb").open("wb") as file:
        write_rdb(file.write, [DatabaseDump(0, len(items), 0, items)])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [
        sys.executable,
        "-m",
        "server",
        "--port",
        str(port),
        "--dir",
        str(tmp_path),
        "--key-load-delay",
        "1000",
    ]
    path = tmp_path / "loading.log"
    with path.open("wb") as log, subprocess.Popen([*words, *arguments], stdout=log) as process:
        try:
            yield port, process, path
        finally:
            process.kill()


def ask_port(port, request):
    """Send a request; what comes back, nothing where nobody listens yet."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            client.sendall(request)
            return client.recv(200)
    except OSError:
        return b""


def test_while_a_file_is_being_loaded_the_others_are_told(tmp_path):
    with loading_slowly(tmp_path, "--save", "") as (port, _process, _log):
        told = set()
        until(lambda: told.add(ask_port(port, b"GET key:100\r\n")) or b"$5\r\nvalue\r\n" in told, 60)
        assert told - {b""} == {b"-LOADING Redis is loading the dataset in memory\r\n", b"$5\r\nvalue\r\n"}


def test_while_a_file_is_being_loaded_what_it_is_loaded_from_cannot_be_set(tmp_path):
    with loading_slowly(tmp_path, "--save", "", "--enable-protected-configs", "yes") as (
        port,
        _process,
        _log,
    ):
        until(lambda: ask_port(port, b"GET k\r\n").startswith(b"-LOADING"))
        assert ask_port(port, b"CONFIG SET dir /\r\n").startswith(b"-LOADING")
        assert ask_port(port, b"CONFIG SET appendonly yes\r\n").startswith(b"-LOADING")
        assert ask_port(port, b"CONFIG SET loglevel debug\r\n") == b"+OK\r\n"


@pytest.mark.parametrize("appendonly", ["yes", "no"])
@pytest.mark.parametrize("way", ["SIGTERM", "SHUTDOWN"])
def test_a_server_that_is_loading_ends_at_once_and_saves_nothing(tmp_path, way, appendonly):
    with loading_slowly(tmp_path, "--save", "3600 1", "--appendonly", appendonly) as (port, process, log):
        before = (tmp_path / "dump.rdb").read_bytes()
        until(lambda: ask_port(port, b"GET k\r\n").startswith(b"-LOADING"))
        if way == "SIGTERM":
            process.terminate()
        else:
            ask_port(port, b"SHUTDOWN\r\n")
        assert process.wait(20) == 0
        assert "DB loaded" not in log.read_text()
        assert (tmp_path / "dump.rdb").read_bytes() == before
        assert not (tmp_path / "appendonlydir").exists()


def test_a_full_disk_refuses_writes_until_there_is_room_again(start):
    server = start("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
    peer = server.connect()
    assert peer.ask("SET", "k", "v") == "OK"
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
    peer.ask("SET", "big", "x" * 20_000)
    until(lambda: str(peer.ask("SET", "k", "v")).startswith("MISCONF Errors writing to the AOF file"))
    assert peer.ask("GET", "k") == b"v"
    resource.prlimit(
        server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    until(lambda: peer.ask("SET", "k", "room again") == "OK")
    time.sleep(0.2)
    server.kill()
    again = start("--appendonly", "yes", "--save", "").connect()
    assert again.ask("GET", "k") == b"room again"
    assert again.ask("STRLEN", "big") == 20_000


def test_a_snapshot_that_fails_refuses_writes_until_one_succeeds(start, tmp_path):
    server = start("--save", "3600 1")
    peer = server.connect()
    peer.ask("SET", "k", "v")
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
    peer.ask("BGSAVE")
    until(
        lambda: str(peer.ask("SET", "k", "v")).startswith("MISCONF Redis is configured to save RDB snapshots")
    )
    assert peer.ask("GET", "k") == b"v"
    resource.prlimit(
        server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    peer.ask("BGSAVE")
    until(lambda: peer.ask("SET", "k", "w") == "OK")
    assert not list(tmp_path.glob("temp-*"))


def switch_on(server, peer):
    """CONFIG SET appendonly yes, and wait until the first base is there."""
    lines = server.log.read_text().count("rewrite finished successfully")
    assert peer.ask("CONFIG", "SET", "appendonly", "yes") == "OK"
    until(lambda: server.log.read_text().count("rewrite finished successfully") > lines)


def test_appending_is_switched_on_and_off_at_run_time(start):
    server = start("--save", "")
    peer = server.connect()
    peer.ask("SET", "before", "1")
    switch_on(server, peer)
    peer.ask("SET", "after", "1")
    time.sleep(0.3)
    server.kill()
    peer = start("--save", "", "--appendonly", "yes").connect()
    assert sorted(peer.ask("KEYS", "*")) == [b"after", b"before"]
    assert peer.ask("CONFIG", "SET", "appendonly", "no") == "OK"


def test_a_log_that_is_switched_on_again_has_what_it_missed(start, tmp_path):
    server = start("--save", "", "--appendonly", "yes", "--appendfsync", "always")
    peer = server.connect()
    peer.ask("SET", "logged", "1")
    peer.ask("CONFIG", "SET", "appendonly", "no")
    peer.ask("DEL", "logged")
    peer.ask("SET", "missed", "1")
    switch_on(server, peer)
    peer.ask("INCR", "missed")
    server.kill()
    peer = start("--save", "", "--appendonly", "yes").connect()
    assert peer.ask("KEYS", "*") == [b"missed"]
    assert peer.ask("GET", "missed") == b"2"


def test_a_log_whose_first_base_was_cut_short_leaves_the_one_before(start, tmp_path):
    server = start("--save", "", "--appendonly", "yes", "--appendfsync", "always")
    peer = server.connect()
    peer.ask("SET", "logged", "1")
    peer.ask("CONFIG", "SET", "appendonly", "no")
    peer.ask("CONFIG", "SET", "rdb-key-save-delay", "10000000")
    assert peer.ask("CONFIG", "SET", "appendonly", "yes") == "OK"
    peer.ask("SET", "later", "1")
    server.kill()
    server = start("--save", "", "--appendonly", "yes", "--appendfsync", "always")
    peer = server.connect()
    assert peer.ask("KEYS", "*") == [b"logged"]
    peer.ask("SET", "again", "1")
    server.kill()
    assert sorted(start("--save", "", "--appendonly", "yes").connect().ask("KEYS", "*")) == [
        b"again",
        b"logged",
    ]


def test_a_rewrite_without_a_log_writes_a_base_that_a_log_begins_with(start, tmp_path):
    server = start("--save", "")
    peer = server.connect()
    peer.ask("SET", "k", "v")
    assert peer.ask("BGREWRITEAOF") == "Background append only file rewriting started"
    until(lambda: "rewrite finished successfully" in server.log.read_text())
    assert sorted(path.name for path in (tmp_path / "appendonlydir").iterdir()) == [
        "appendonly.aof.1.base.rdb",
        "appendonly.aof.manifest",
    ]
    server.kill()
    assert start("--save", "", "--appendonly", "yes").connect().ask("GET", "k") == b"v"


def test_the_child_of_a_server_that_was_killed_replaces_nothing(start, tmp_path):
    server = start("--save", "", "--rdb-key-save-delay", "300000")
    peer = server.connect()
    peer.ask("MSET", "a", "old", "b", "old")
    peer.ask("BGSAVE")
    server.kill()
    server = start("--save", "")
    peer = server.connect()
    peer.ask("SET", "a", "new")
    assert peer.ask("SAVE") == "OK"
    time.sleep(1.0)
    server.kill()
    assert start("--save", "").connect().ask("GET", "a") == b"new"


def test_no_reply_leaves_before_its_write_is_logged_however_large_the_replies(start, tmp_path):
    server = start("--save", "", "--appendonly", "yes", "--appendfsync", "always")
    peer = server.connect()
    peer.ask("SET", "large", "x" * 2_000_000)
    log = next(Path(tmp_path, "appendonlydir").glob("*.incr.aof"))
    for number in range(5):
        value = f"value-{number}"
        peer.socket.sendall(
            encode_request([b"SET", b"k", value.encode()])
            + encode_request([b"GET", b"large"]) * 2
            + encode_request([b"DEBUG", b"SLEEP", b"0.05"])
        )
        assert peer.read() == "OK"
        assert value.encode() in log.read_bytes()[-200:]
        for _ in range(3):
            peer.read()


@pytest.mark.parametrize("appendonly", ["yes", "no"])
def test_a_real_server_starts_on_our_files_and_we_on_its(start, start_real, tmp_path, appendonly):
    server = start("--appendonly", appendonly)
    peer = server.connect()
    fill(peer)
    before = look(peer)
    server.stop()
    real = start_real("redis", "--appendonly", appendonly, "--save", "3600 1", folder=tmp_path)
    with real.connect() as other:
        replies = look(other)
        other.ask("RPUSH", "list", "fromreal")
    assert real.stop() == 0
    assert replies[:-3] == before[:-3]  # Redis 7.0 names some encodings differently
    peer = start("--appendonly", appendonly).connect()
    assert peer.ask("LRANGE", "list", -1, -1) == [b"fromreal"]


def test_flushall_stops_the_snapshot_under_way_and_replaces_the_one_before(start, tmp_path):
    server = start("--save", "3600 100000")
    peer = server.connect()
    peer.ask("SET", "k", "v")
    assert peer.ask("SAVE") == "OK"
    peer.ask("CONFIG", "SET", "rdb-key-save-delay", "10000000")
    peer.ask("BGSAVE")
    assert peer.ask("FLUSHALL") == "OK"
    assert "rdb_bgsave_in_progress:0" in peer.ask("INFO", "persistence").decode()
    server.kill()
    assert start("--save", "").connect().ask("DBSIZE") == 0
    assert not list(tmp_path.glob("temp-*"))


def test_history_that_was_kept_goes_as_soon_as_nobody_wants_it(start, tmp_path):
    peer = start("--save", "", "--appendonly", "yes", "--aof-disable-auto-gc", "yes").connect()
    manifest = tmp_path / "appendonlydir" / "appendonly.aof.manifest"
    for number in (2, 3):
        peer.ask("BGREWRITEAOF")
        until(lambda: f"base.rdb seq {number} type b" in manifest.read_text())  # noqa: B023
    assert manifest.read_text().count("type h") == 4
    peer.ask("CONFIG", "SET", "aof-disable-auto-gc", "no")
    assert "type h" not in manifest.read_text()
    assert len(list(manifest.parent.iterdir())) == 3


def test_a_snapshot_in_the_foreground_that_fails_refuses_no_writes(start, tmp_path):
    server = start("--save", "3600 1")
    peer = server.connect()
    peer.ask("SET", "k", "v")
    (tmp_path / "dump.rdb").mkdir()
    assert str(peer.ask("SAVE")) == "ERR"
    assert "Errors trying to SHUTDOWN" in str(peer.ask("SHUTDOWN"))
    assert peer.ask("PING") == "PONG"
    assert peer.ask("SET", "k", "w") == "OK"
    assert b"rdb_last_bgsave_status:ok" in peer.ask("INFO", "persistence")


def test_after_three_rewrites_that_failed_none_begins_by_itself_and_one_can_still_be_asked_for(start):
    server = start("--save", "", "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0")
    peer = server.connect()

    def info(name):
        text = peer.ask("INFO", "persistence").decode()
        return next(line.partition(":")[2] for line in text.splitlines() if line.startswith(f"{name}:"))

    peer.ask("SET", "k", "v" * 2000)
    peer.ask("CONFIG", "SET", "rdb-key-save-delay", 60_000_000)
    for failures in range(1, 4):
        assert peer.ask("BGREWRITEAOF") == "Background append only file rewriting started"
        pid = server.process.pid
        os.kill(int(Path(f"/proc/{pid}/task/{pid}/children").read_text()), signal.SIGKILL)
        until(lambda failures=failures: info("aof_rewrites_consecutive_failures") == str(failures))
    assert "triggered the limit" not in server.printed()
    peer.ask("CONFIG", "SET", "auto-aof-rewrite-percentage", 1, "auto-aof-rewrite-min-size", 100)
    until(lambda: "triggered the limit" in server.printed())
    assert info("aof_rewrite_in_progress") == "0"
    assert "Starting automatic rewriting" not in server.printed()
    peer.ask("CONFIG", "SET", "rdb-key-save-delay", 0, "auto-aof-rewrite-percentage", 0)
    assert peer.ask("BGREWRITEAOF") == "Background append only file rewriting started"
    until(lambda: info("aof_rewrites_consecutive_failures") == "0")
    assert server.printed().count("triggered the limit") == 1


def test_a_log_that_was_replayed_leaves_nothing_to_be_saved(start):
    server = start("--save", "", "--appendonly", "yes", "--enable-debug-command", "yes")
    peer = server.connect()
    peer.ask("SET", "k", "v")
    peer.ask("DEBUG", "LOADAOF")
    assert b"rdb_changes_since_last_save:0\r\n" in peer.ask("INFO", "persistence")
