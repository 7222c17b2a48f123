"""A short slice of the crash session, and disks that are full or broken; `nox -s crash` has the long one."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"server_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def crashes(monkeypatch):
    monkeypatch.setenv("NOTES", "")
    monkeypatch.setattr(sys, "path", [str(HERE), *sys.path])
    return _module("crashes")


@pytest.mark.parametrize("power", [False, True], ids=["kill", "power"])
def test_no_acknowledged_write_is_lost_under_always(crashes, tmp_path, power):
    session = crashes.Crashes(tmp_path, "always", seed=int(power), power=power)
    for _ in range(2):
        session.live_once()
    session.finish()
    assert session.acknowledged > 0
    assert session.lost == 0


def test_at_most_two_seconds_are_lost_under_everysec(crashes, tmp_path):
    session = crashes.Crashes(tmp_path, "everysec", seed=3, power=True, longest=3.0)
    session.live_once()
    session.finish()
    assert session.acknowledged > 0
    assert session.oldest_lost <= crashes.GRACE_SECONDS


@pytest.fixture
def disk(start, tmp_path, monkeypatch):
    """A server on a disk that breaks when there is a file `full` or `broken` in the folder that comes with it."""
    notes = tmp_path / "notes"
    notes.mkdir()
    monkeypatch.setenv("NOTES", str(notes))

    def begin(*arguments):
        files = f"persistence.Files={HERE}/power.py:NotedFiles"
        return start("--use", files, "--appendonly", "yes", *arguments)

    return begin, notes


def test_an_fsync_that_fails_stops_writes_under_everysec_until_one_succeeds(disk):
    begin, notes = disk
    server = begin("--save", "")
    peer = server.connect()
    assert peer.ask("SET", "k", "1") == "OK"
    (notes / "broken").touch()
    deadline = time.monotonic() + 10
    while not str(reply := peer.ask("SET", "k", "2")).startswith("MISCONF"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert str(reply) == f"MISCONF Errors writing to the AOF file: {os.strerror(5)}"
    assert peer.ask("GET", "k") == b"2"
    (notes / "broken").unlink()
    while peer.ask("SET", "k", "3") != "OK":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_fsync_that_fails_under_always_ends_the_server_before_the_reply_leaves(disk):
    begin, notes = disk
    server = begin("--appendfsync", "always", "--save", "")
    peer = server.connect()
    assert peer.ask("SET", "k", "1") == "OK"
    (notes / "broken").touch()
    with pytest.raises((ConnectionError, OSError)):
        peer.ask("SET", "k", "2")
    assert server.process.wait(10) == 1
    assert (
        "Can't recover from an AOF write error when the AOF fsync policy is 'always'"
        in server.log.read_text()
    )


def test_a_full_disk_costs_no_command_and_leaves_no_half_of_one(disk):
    begin, notes = disk
    server = begin("--save", "")
    peer = server.connect()
    (notes / "full").touch()
    deadline = time.monotonic() + 10
    written = 0
    while not str(reply := peer.ask("RPUSH", "list", written)).startswith("MISCONF"):
        written += 1
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert str(reply) == f"MISCONF Errors writing to the AOF file: {os.strerror(28)}"
    (notes / "full").unlink()
    while peer.ask("RPUSH", "list", written) != written + 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.2)
    server.kill()
    assert begin("--save", "").connect().ask("LLEN", "list") == written + 1


@pytest.mark.parametrize("command", ["BGSAVE", "BGREWRITEAOF", "SAVE"])
@pytest.mark.parametrize("trouble", ["full", "broken"])
def test_a_snapshot_or_rewrite_that_fails_leaves_the_one_before(disk, tmp_path, command, trouble):
    begin, notes = disk
    server = begin("--save", "", "--appendfsync", "no")
    peer = server.connect()
    peer.ask("SET", "k", "before")
    assert peer.ask("SAVE") == "OK"
    time.sleep(0.2)
    kept = (tmp_path / "dump.rdb").read_bytes()
    peer.ask("SET", "k", "after")
    (notes / trouble).touch()
    reply = peer.ask(command)
    failed = "rewrite failed" if command == "BGREWRITEAOF" else "saving failed"
    deadline = time.monotonic() + 10
    while command != "SAVE" and failed not in server.log.read_text():
        if str(reply).startswith("ERR"):
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if command == "SAVE":
        assert str(reply) == "ERR"
    assert (tmp_path / "dump.rdb").read_bytes() == kept
    assert not list(tmp_path.rglob("temp-*"))
    (notes / trouble).unlink()
    server.kill()
    assert begin("--save", "").connect().ask("GET", "k") == b"after"
