"""Data carried from our server to real ones and back, in both kinds of file: many keys of all types, and their expiries."""

from __future__ import annotations

import os
import random
import shutil
import subprocess

import pytest

from cutaway.testing import until

KEYS = int(os.environ.get("CUTAWAY_CARRIED_KEYS", "2000"))
"""`nox -s carry` carries 100 000."""
PATIENCE = 600.0
"""Seconds that anything may take: much more than it does on a machine with other work, too."""
FAR = 32_503_680_000_000
"""An expiry in the year 3000, in milliseconds since the epoch."""


def requests(count, seed):
    """Writes that make `count` keys of every type, small and large, a third of them with an expiry."""
    dice = random.Random(seed)

    def word():
        return dice.choice((str(dice.randrange(10**6)), f"w{dice.random()}", "x" * dice.randrange(1, 90)))

    for number in range(count):
        many = dice.choice((1, 2, 5, 30)) if number % 97 else dice.choice((127, 128, 129, 512, 513, 700))
        key = f"key:{number}"
        match dice.randrange(7):
            case 0 | 1:
                yield ["SET", key, word()]
            case 2:
                yield ["RPUSH", key, *(word() for _ in range(many))]
            case 3:
                yield [
                    "SADD",
                    key,
                    *(str(dice.randrange(10**5)) if number % 2 else word() for _ in range(many)),
                ]
            case 4:
                yield ["HSET", key, *(piece for at in range(many) for piece in (f"f{at}", word()))]
            case 5:
                yield [
                    "ZADD",
                    key,
                    *(piece for at in range(many) for piece in (dice.randrange(1000) / 4, f"m{at}")),
                ]
            case _:
                yield ["XADD", key, f"{number + 1}-1", "field", word()]
        if number % 3 == 0:
            yield ["PEXPIREAT", key, str(FAR + number)]


def fill(peer, seed):
    sent = 0
    for request in requests(KEYS, seed):
        peer.send(*request)
        sent += 1
        if sent == 200:
            for _ in range(sent):
                peer.read()
            sent = 0
    for _ in range(sent):
        peer.read()


def fingerprint(peer):
    """What DEBUG DIGEST says, which all servers compute alike, and how many keys expire, and when some of them do."""
    times = [peer.ask("PEXPIRETIME", f"key:{number}") for number in range(0, KEYS, max(KEYS // 200, 1))]
    return peer.ask("DEBUG", "DIGEST"), peer.ask("DBSIZE"), times


@pytest.mark.parametrize("kind", ["redis", "valkey"])
@pytest.mark.parametrize("preamble", ["rdb", "aof", "snapshot"])
def test_what_one_server_kept_another_serves(start, start_real, tmp_path, kind, preamble):
    debug = ("--enable-debug-command", "yes")
    log = ("--appendonly", "no" if preamble == "snapshot" else "yes")
    base = ("--aof-use-rdb-preamble", "no" if preamble == "aof" else "yes")
    save = ("--save", "3600 1")  # at the end only: a rewrite would have to wait for a snapshot
    words = (*log, *base, *save, *debug)
    ours = start(*words)
    peer = ours.connect()
    peer.socket.settimeout(PATIENCE)  # a digest of a hundred thousand keys takes its time
    fill(peer, seed=1)
    if preamble != "snapshot":
        assert "started" in str(peer.ask("BGREWRITEAOF"))
        until(lambda: "rewrite finished successfully" in ours.printed(), PATIENCE)
        peer.ask("SET", "after", "the rewrite")
    mine = fingerprint(peer)
    assert mine[1] == KEYS + (preamble != "snapshot")
    assert ours.stop() == 0
    check(tmp_path, preamble)
    real = start_real(kind, *words, folder=tmp_path)
    with real.connect(PATIENCE) as theirs:
        assert fingerprint(theirs) == mine
        theirs.ask("SET", "back", "again")
        theirs.ask("DEL", "key:1", "key:2")
        changed = fingerprint(theirs)
    assert real.stop() == 0
    again = start(*words).connect()
    again.socket.settimeout(PATIENCE)
    assert fingerprint(again) == changed


def check(folder, preamble):
    """Let the real tools look at our files, where they are installed."""
    rdb, aof = shutil.which("redis-check-rdb"), shutil.which("redis-check-aof")
    manifest = folder / "appendonlydir" / "appendonly.aof.manifest"
    if preamble == "snapshot" and rdb:
        words = [rdb, str(folder / "dump.rdb")]
    elif preamble != "snapshot" and aof:
        words = [aof, str(manifest)]
    else:
        return
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
