"""The attacks, on a small scale: the server goes on answering, and nothing is left open. `nox -s attack` measures at full scale."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="there are no limits to raise on this system")
sys.path.insert(0, str(Path(__file__).parent))
from assaults import ATTACKS, Attack, Target
from attacks import PASSWORD, carry_out, forget_peak, open_files, peak, resident

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="what a process has in memory is asked of /proc"
)
ALLOWED = {"deaf askers": 192 * 2**20}  # as much as clients may leave unread together, and half as much again
IN_TURN = [attack for attack in ATTACKS if attack.name not in ("quiet", "too many", "in a row")]


@pytest.mark.parametrize("attack", IN_TURN, ids=lambda attack: attack.name)
def test_the_server_goes_on_answering_and_nothing_stays_open(attack: Attack, tmp_path):
    outcome = carry_out(attack, tmp_path, seconds=0.5, scale=0.02)
    assert outcome.pings > 0
    assert outcome.descriptors_left <= 0
    assert outcome.peak < outcome.before + ALLOWED.get(attack.name, 64 * 2**20)


def test_announced_gigabytes_take_no_memory(start):
    server = start("--save", "")
    before, files = resident(server), open_files(server)
    forget_peak(server)
    target = Target(server.port)
    for claim in (
        b"*2\r\n$4\r\nECHO\r\n$536870912\r\n",
        b"*1048576\r\n",
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\nx",
    ):
        for _ in range(20):
            target.connect().sendall(claim)
    assert server.connect().ask("PING") == "PONG"
    assert peak(server) < before + 16 * 2**20
    target.close()
    peer = server.connect()
    while open_files(server) > files + 2:
        assert peer.ask("PING") == "PONG"


def test_who_is_too_many_is_told_so_and_the_others_do_not_notice(start):
    server = start("--save", "", "--maxclients", "10")
    peer = server.connect()
    target = Target(server.port)
    links = target.connect_many(30)
    told = 0
    for link in links:
        link.setblocking(True)
        link.settimeout(2)
        try:
            told += link.recv(100).startswith(b"-ERR max number of clients reached")
        except TimeoutError:
            continue
    assert told == 21
    assert peer.ask("PING") == "PONG"
    target.close()


def test_guesses_are_refused_one_by_one_and_counted(start):
    server = start("--save", "", "--requirepass", PASSWORD)
    with socket.create_connection(("127.0.0.1", server.port), 30) as link:
        link.sendall(b"".join(b"AUTH guess%d\r\n" % number for number in range(500)))
        received = b""
        while received.count(b"\r\n") < 500:
            received += link.recv(1 << 16)
    assert received.count(b"-WRONGPASS") == 500
    peer = server.connect()
    assert peer.ask("AUTH", PASSWORD) == "OK"
    assert b"acl_access_denied_auth:500" in peer.ask("INFO", "stats")
