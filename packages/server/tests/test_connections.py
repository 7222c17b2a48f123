"""What a connection may do, and what it may not do to others."""

from __future__ import annotations

import random
import socket
import time

from cutaway.testing import Peer


def test_a_line_typed_into_netcat_is_served(shared_server):
    peer = shared_server.connect()
    assert peer.raw(b"SET greeting hello\r\nGET greeting\r\n") == b"+OK\r\n$5\r\nhello\r\n"


def test_pipelined_requests_are_answered_in_order_however_they_are_cut(shared_server):
    peer = shared_server.connect()
    data = b"".join(b"*2\r\n$4\r\nECHO\r\n$3\r\n%03d\r\n" % number for number in range(100))
    for start in range(0, len(data), 7):
        peer.socket.sendall(data[start : start + 7])
    assert [peer.read() for _ in range(100)] == [b"%03d" % number for number in range(100)]


def test_a_protocol_error_is_told_after_the_replies_before_it(shared_server):
    peer = shared_server.connect()
    received = peer.raw(b"*1\r\n$4\r\nPING\r\n*1\r\n:4\r\n*1\r\n$4\r\nPING\r\n")
    assert received == b"+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n"
    assert peer.socket.recv(1) == b""


def test_quit_answers_and_drops_what_follows(shared_server):
    peer = shared_server.connect()
    assert peer.raw(b"PING\r\nQUIT\r\nPING\r\n") == b"+PONG\r\n+OK\r\n"


def test_a_blocked_client_keeps_its_further_requests_for_later(shared_server, peer):
    waiting = shared_server.connect()
    waiting.send("BLPOP", "queue", 5)
    waiting.send("PING")
    time.sleep(0.1)
    assert peer.ask("RPUSH", "queue", "job") == 1
    assert waiting.read() == [b"queue", b"job"]
    assert waiting.read() == "PONG"


def test_waiting_ends_at_its_deadline(shared_server):
    waiting = shared_server.connect()
    began = time.monotonic()
    reply = waiting.ask("BLPOP", "never", "0.2")
    assert type(reply).__name__ in ("NullArray", "NoneType")
    assert time.monotonic() - began > 0.15


def test_clients_are_served_in_the_order_in_which_they_came(shared_server, peer):
    waiting = [shared_server.connect() for _ in range(4)]
    for each in waiting:
        each.send("BLPOP", "queue", 5)
        time.sleep(0.05)
    peer.ask("RPUSH", "queue", "0", "1", "2", "3")
    assert [each.read() for each in waiting] == [[b"queue", b"%d" % number] for number in range(4)]


def test_a_client_that_never_reads_neither_grows_without_bound_nor_blocks_others(start):
    server = start("--save", "")
    peer = server.connect()
    peer.ask("SET", "big", b"x" * 100_000)
    before = server.resident_bytes()
    silent = socket.create_connection(("127.0.0.1", server.port))
    silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    silent.settimeout(1)
    request = b"*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n"
    try:
        for _ in range(200):
            silent.sendall(request * 100)
            assert peer.ask("PING") == "PONG"
    except TimeoutError:
        pass  # the server has stopped reading from it: that is the push back
    assert peer.ask("PING") == "PONG"
    assert server.resident_bytes() - before < 200_000_000  # of two thousand million that were asked for
    silent.close()


def test_a_client_that_writes_its_whole_pipeline_before_it_reads_is_answered(shared_server):
    with socket.create_connection(("127.0.0.1", shared_server.port), 30) as client:
        client.sendall(b"*3\r\n$3\r\nSET\r\n$5\r\npiped\r\n$100\r\n" + b"v" * 100 + b"\r\n")
        client.sendall(
            b"*2\r\n$3\r\nGET\r\n$5\r\npiped\r\n" * 300_000
        )  # more than the system keeps for either side
        expected = b"+OK\r\n" + (b"$100\r\n" + b"v" * 100 + b"\r\n") * 300_000
        replies = bytearray()
        while len(replies) < len(expected):
            chunk = client.recv(1 << 20)
            assert chunk
            replies += chunk
    assert replies == expected


def test_random_bytes_never_end_the_process_nor_leak_a_connection(start):
    server = start("--save", "", "--timeout", "0")
    rng = random.Random(20)
    pieces = [b"*", b"$", b"\r\n", b"*3\r\n", b"$-1\r\n", b"$3\r\nSET\r\n", b"*1000000000\r\n", b"GET a\r\n", b'"', b"\x00", b"{[", b"*-1\r\n",
              b"$99999999999\r\n", b"*1\r\n$4\r\nPING\r\n", b"+OK\r\n", b":1\r\n", b"EVAL ", b"a" * 500]  # fmt: skip
    for _ in range(300):
        with socket.create_connection(("127.0.0.1", server.port), 5) as victim:
            data = b"".join(
                rng.choice(pieces) if rng.random() < 0.8 else rng.randbytes(rng.randrange(40))
                for _ in range(rng.randrange(1, 30))
            )
            try:
                victim.sendall(data)
                victim.settimeout(0.002)
                victim.recv(4096)
            except OSError:
                pass
    peer = server.connect()
    assert peer.ask("PING") == "PONG"
    end = time.monotonic() + 5
    while time.monotonic() < end:
        listed = peer.ask("CLIENT", "LIST")
        text = bytes(listed) if isinstance(listed, (bytes, bytearray)) else listed.text
        if text.count(b"\n") == 1:
            break
        time.sleep(0.05)
    assert text.count(b"\n") == 1, text
    assert "this is a bug" not in server.log.read_text()


def test_maxclients_refuses_with_the_real_text(start):
    server = start("--save", "", "--maxclients", "2")
    peers = [server.connect(), server.connect()]
    assert [each.ask("PING") for each in peers] == ["PONG", "PONG"]
    third = server.connect()
    assert third.socket.recv(100) == b"-ERR max number of clients reached\r\n"


def test_an_idle_client_is_closed_after_timeout(start):
    server = start("--save", "", "--timeout", "1")
    peer = server.connect()
    peer.ask("PING")
    assert peer.socket.recv(1) == b""


def test_a_unix_socket_is_served(start, socket_folder):
    path = socket_folder / "s.sock"
    start("--save", "", "--unixsocket", str(path), "--unixsocketperm", "700")
    with Peer(path) as client:
        assert client.ask("PING") == "PONG"
    assert path.stat().st_mode & 0o777 == 0o700


def test_client_reply_off_and_skip(shared_server):
    peer = shared_server.connect()
    assert peer.raw(
        b"CLIENT REPLY SKIP\r\nPING\r\nECHO a\r\nCLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nECHO b\r\n"
    ) == (b"$1\r\na\r\n+OK\r\n$1\r\nb\r\n")
