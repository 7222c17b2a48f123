"""Subscribers over sockets: many of them, and one that does not read."""

from __future__ import annotations

import contextlib
import selectors
import socket

from cutaway.testing import until

MESSAGE = b"x" * 100_000
CONFIRMED = b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"


def listen(server, *, receive_buffer=0):
    """A socket that has subscribed to `news`."""
    subscriber = socket.socket()
    if receive_buffer:
        subscriber.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    subscriber.connect(("127.0.0.1", server.port))
    subscriber.settimeout(10)
    subscriber.sendall(b"SUBSCRIBE news\r\n")
    assert read(subscriber, len(CONFIRMED)) == CONFIRMED
    return subscriber


def read(sock, size):
    received = bytearray()
    while len(received) < size:
        piece = sock.recv(min(1 << 20, size - len(received)))
        assert piece, "closed"
        received += piece
    return bytes(received)


def encoded(message):
    return b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$%d\r\n%b\r\n" % (len(message), message)


def test_a_subscriber_that_never_reads_is_closed_and_harms_nobody(start):
    server = start("--save", "")
    peer = server.connect()
    assert peer.ask("CONFIG", "SET", "client-output-buffer-limit", "pubsub 4mb 0 0") == "OK"
    before = server.resident_bytes()
    silent, reader = listen(server, receive_buffer=4096), listen(server)
    expected = encoded(MESSAGE)
    receivers = []
    for _ in range(150):
        receivers.append(peer.ask("PUBLISH", "news", MESSAGE))
        assert read(reader, len(expected)) == expected  # in time, and unharmed
    assert receivers[0] == 2
    assert receivers[-1] == 1
    assert receivers == sorted(receivers, reverse=True)
    assert 2 * len(MESSAGE) * receivers.count(2) > 4_000_000  # not before its limit
    assert server.resident_bytes() - before < 40_000_000
    assert "closed for overcoming of output buffer limits" in server.log.read_text()
    with contextlib.suppress(ConnectionError):
        while silent.recv(1 << 20):
            pass
    silent.close()
    reader.close()


def test_a_soft_limit_gives_a_subscriber_time(start):
    server = start("--save", "")
    peer = server.connect()
    assert peer.ask("CONFIG", "SET", "client-output-buffer-limit", "pubsub 100mb 1mb 1") == "OK"
    silent = listen(server, receive_buffer=4096)
    for _ in range(60):
        assert peer.ask("PUBLISH", "news", MESSAGE) == 1  # far over the soft limit, but not for long
    until(lambda: peer.ask("PUBSUB", "NUMSUB", "news") == [b"news", 0])
    silent.close()


def test_a_limit_of_subscribers_is_not_one_of_ordinary_clients(start):
    server = start("--save", "")
    peer = server.connect()
    assert peer.ask("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0") == "OK"
    peer.ask("SET", "big", b"x" * 5_000_000)
    assert peer.ask("GET", "big") == b"x" * 5_000_000


def test_a_thousand_subscribers_all_hear_everything_in_order(shared_server):
    subscribers = [listen(shared_server) for _ in range(1000)]
    publisher = shared_server.connect()
    expected = b"".join(encoded(b"%03d" % number) for number in range(20))
    for number in range(20):
        publisher.send("PUBLISH", "news", b"%03d" % number)
    assert [publisher.read() for _ in range(20)] == [1000] * 20
    received = {each: bytearray() for each in subscribers}
    with selectors.DefaultSelector() as selector:
        for each in subscribers:
            selector.register(each, selectors.EVENT_READ)
        due = len(subscribers) * len(expected)
        while due:
            ready = selector.select(10)
            assert ready, "some heard less"
            for key, _ in ready:
                piece = key.fileobj.recv(1 << 16)
                assert piece, "closed"
                received[key.fileobj] += piece
                due -= len(piece)
    assert all(data == expected for data in received.values())
    for each in subscribers:
        each.close()
    until(lambda: publisher.ask("PUBSUB", "NUMSUB", "news") == [b"news", 0])


def test_a_subscriber_that_leaves_is_forgotten_at_once(shared_server, peer):
    subscriber = listen(shared_server)
    subscriber.sendall(b"QUIT\r\n")
    assert read(subscriber, 5) == b"+OK\r\n"
    assert peer.ask("PUBLISH", "news", "x") == 0
