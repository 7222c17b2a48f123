"""Where the server listens, and that CONFIG SET bind moves it: all or nothing, and without disturbing who is connected."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from cutaway.testing import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no 127.0.0.2")


def answers(host, port):
    try:
        with socket.create_connection((host, port), 5) as sock:
            sock.sendall(b"PING\r\n")
            return sock.recv(100) == b"+PONG\r\n"
    except OSError:
        return False


def test_bind_moves_the_server_to_other_addresses(start):
    server = start("--save", "", "--bind", "127.0.0.1")
    peer, port = server.connect(), server.port
    assert not answers("127.0.0.2", port)
    assert peer.ask("CONFIG", "SET", "bind", "127.0.0.1 127.0.0.2") == "OK"
    until(lambda: answers("127.0.0.2", port))
    assert answers("127.0.0.1", port)
    assert peer.ask("CONFIG", "SET", "bind", "127.0.0.2") == "OK"
    assert not answers("127.0.0.1", port)
    assert peer.ask("PING") == "PONG"  # whoever is connected stays so
    assert peer.ask("CONFIG", "SET", "bind", "*") == "OK"
    until(lambda: answers("127.0.0.1", port))
    assert peer.ask("CONFIG", "SET", "bind", "") == "OK"
    assert not answers("127.0.0.1", port)
    assert not answers("127.0.0.2", port)
    assert peer.ask("CONFIG", "SET", "bind", "127.0.0.1 -192.0.2.1") == "OK"
    until(lambda: answers("127.0.0.1", port))


@pytest.mark.parametrize("addresses", ["999.999.999.999", "127.0.0.2 192.0.2.1", "192.0.2.1 127.0.0.1"])
def test_an_address_that_is_not_this_machines_is_an_error_and_nothing_changes(start, addresses):
    server = start("--save", "", "--bind", "127.0.0.1 127.0.0.3")
    peer, port = server.connect(), server.port
    assert "Failed to bind to specified addresses" in str(peer.ask("CONFIG", "SET", "bind", addresses))
    assert peer.ask("CONFIG", "GET", "bind") == [b"bind", b"127.0.0.1 127.0.0.3"]
    until(lambda: answers("127.0.0.1", port) and answers("127.0.0.3", port))
    assert not answers("127.0.0.2", port)


def test_a_new_port_is_opened_on_the_new_addresses(start, free_port):
    server = start("--save", "", "--bind", "127.0.0.1")
    peer = server.connect()
    assert peer.ask("CONFIG", "SET", "bind", "127.0.0.2") == "OK"
    assert peer.ask("CONFIG", "SET", "port", free_port) == "OK"
    until(lambda: answers("127.0.0.2", free_port))
    assert not answers("127.0.0.2", server.port)
    assert not answers("127.0.0.1", free_port)


def test_a_unix_socket_belongs_to_the_group_that_is_asked_for(start, tmp_path):
    path = tmp_path / "s.sock"
    start("--save", "", "--unixsocket", str(path), "--unixsocketgroup", str(os.getgid()))
    assert path.stat().st_gid == os.getgid()
    with pytest.raises(RuntimeError, match="there is no group 'nobodys'"):
        start("--unixsocket", str(path), "--unixsocketgroup", "nobodys")


def test_a_port_that_is_taken_is_named_in_the_log(start):
    port = start("--save", "").port
    with pytest.raises(RuntimeError, match=rf"Failed listening on port {port} \(tcp\), aborting\.\n.*in use"):
        start("--save", "", "--port", str(port))
