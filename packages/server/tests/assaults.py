"""What somebody can do to a server who means it no good, or whose program is broken. Each attack is bounded, and stays on this machine.

An attack is a function that gets a `Target` and goes on for `target.seconds`, with as many clients as `target.count(n)`
says: n at full scale, fewer in a test. It leaves its sockets to the target, which closes them at the end.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cutaway.resp import encode_request

PASSWORD = "correct horse battery staple"
PING = b"*1\r\n$4\r\nPING\r\n"


@dataclass
class Target:
    """A server on a port, how long and with how many clients to attack it, and the sockets that are open."""

    port: int
    seconds: float = 5.0
    scale: float = 1.0
    sockets: list[socket.socket] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is worth to be told of this attack."""

    def count(self, most: int) -> int:
        """So many clients as `most` is at this scale."""
        return max(int(most * self.scale), 2)

    def connect(self) -> socket.socket:
        """A connection that is there."""
        link = socket.create_connection(("127.0.0.1", self.port), 30)
        self.sockets.append(link)
        return link

    def connect_many(self, number: int) -> list[socket.socket]:
        """So many connections at the same time; those that are not there after a while are left out."""
        pending = []
        for _ in range(number):
            link = socket.socket()
            link.setblocking(False)
            code = link.connect_ex(("127.0.0.1", self.port))
            if code not in (0, errno.EINPROGRESS):
                link.close()
                continue
            self.sockets.append(link)
            pending.append(link)
        end = time.monotonic() + 20
        there: list[socket.socket] = []
        while pending and time.monotonic() < end:
            still = []
            for link in pending:
                try:
                    link.getpeername()
                except OSError:
                    still.append(link)
                else:
                    there.append(link)
            pending = still
            time.sleep(0.01)
        return there

    def while_it_lasts(self, pause: float = 0.0) -> Iterator[int]:
        """Count the rounds until the time is over."""
        end = time.monotonic() + self.seconds
        number = 0
        while time.monotonic() < end:
            yield number
            number += 1
            if pause:
                time.sleep(pause)

    def send(self, link: socket.socket, data: bytes | memoryview) -> int:
        """Send what fits just now; how much did, 0 where the server has hung up."""
        link.setblocking(False)
        try:
            return link.send(data)
        except OSError:
            return 0

    def close(self) -> None:
        """Hang up everywhere."""
        for link in self.sockets:
            with contextlib.suppress(OSError):
                link.close()
        self.sockets.clear()


@dataclass(frozen=True)
class Attack:
    """One kind of attack."""

    name: str
    meaning: str
    run: Callable[[Target], None]
    options: tuple[str, ...] = ()
    """The server's."""
    is_guarded: bool = False
    """The server wants a password."""


# ---- many connections


def quiet(target: Target) -> None:
    """Nothing: what the others are compared with."""
    time.sleep(target.seconds)


def slow_loris(target: Target) -> None:
    """Each client sends a request of 64 bytes, one byte now and then."""
    links = target.connect_many(target.count(1000))
    request = encode_request([b"SET", b"loris", b"x" * 34])
    sent = [0] * len(links)
    for number in target.while_it_lasts(0.025):
        for place in range(number % 20, len(links), 20):  # each has its turn twice a second
            sent[place] += target.send(links[place], request[sent[place] % len(request) :][:1])
    target.notes.append(f"{len(links)} clients")


def half_open(target: Target) -> None:
    """Clients that say nothing, that close their side only, and that are gone without a word."""
    links = target.connect_many(target.count(1500))
    for number, link in enumerate(links):
        if number % 3 == 1:
            with contextlib.suppress(OSError):
                link.send(b"*2\r\n$4\r\nECHO\r\n$100\r\nhalf")
                link.shutdown(socket.SHUT_WR)
        elif number % 3 == 2:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.close()
    time.sleep(target.seconds)
    target.notes.append(f"{len(links)} clients")


def connects_in_a_row(target: Target) -> None:
    """Connect, ask once, hang up, as fast as one client can."""
    number = target.count(10_000)
    for _ in range(number):
        with socket.create_connection(("127.0.0.1", target.port), 30) as link:
            link.sendall(PING)
            link.recv(16)
    target.notes.append(f"{number} connections")


def connects_at_once(target: Target) -> None:
    """Thousands at the same time, of which each asks for something."""
    links = target.connect_many(target.count(5000))
    for link in links:
        target.send(link, PING)
    answered = len(_readable(links, target.seconds))
    target.notes.append(f"{len(links)} connected, {answered} answered")


def too_many(target: Target) -> None:
    """More clients than `maxclients`: those who are too many are told so, the others do not notice."""
    links = target.connect_many(target.count(5000))
    refused = 0
    for link in _readable(links, target.seconds):
        with contextlib.suppress(OSError):
            refused += link.recv(100).startswith(b"-ERR max number of clients")
    target.notes.append(f"{refused} of {len(links)} refused")


def _readable(links: list[socket.socket], seconds: float) -> list[socket.socket]:
    """Those that have something to read within so many seconds."""
    found: list[socket.socket] = []
    with selectors.DefaultSelector() as selector:
        for link in links:
            selector.register(link, selectors.EVENT_READ)
        end = time.monotonic() + seconds
        while selector.get_map() and (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                assert isinstance(key.fileobj, socket.socket)
                selector.unregister(key.fileobj)
                found.append(key.fileobj)
    time.sleep(max(end - time.monotonic(), 0))
    return found


# ---- requests that promise or weigh too much


def giant_claims(target: Target) -> None:
    """Requests that announce gigabytes which never come."""
    claims = (
        b"*1000000000\r\n",
        b"*2147483648\r\n",
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n",
        b"*2\r\n$4\r\nECHO\r\n$536870912\r\n" + b"x" * 60_000,
        b"*1000000\r\n" + b"$1\r\na\r\n" * 1000,
        b"*2\r\n$9999999999999999999\r\n",
        b"inline " * 8000,
    )
    links = target.connect_many(target.count(500))
    for number in target.while_it_lasts(0.05):
        for place, link in enumerate(links):
            if number == 0:
                target.send(link, claims[place % len(claims)])
            elif place % 20 == number % 20:
                target.send(link, b"x")
    target.notes.append(f"{len(links)} clients, {len(links) // len(claims) * 1024} MB announced")


def pipelines(target: Target) -> None:
    """Clients that send requests by the thousand and read the replies as they come."""
    links = target.connect_many(target.count(50))
    batch = encode_request([b"INCR", b"counter"]) * 5000
    sent = dict.fromkeys(links, 0)
    for _ in target.while_it_lasts():
        for link in links:
            sent[link] += target.send(link, memoryview(batch)[sent[link] % len(batch) :])
            with contextlib.suppress(OSError):
                link.recv(1 << 20)
    target.notes.append(f"{sum(sent.values()) // (len(batch) // 5000)} requests sent")


def large_queries(target: Target) -> None:
    """Strangers who have not logged in, with requests too large for a stranger."""
    queries = (
        encode_request([b"SET", b"k", b"x" * 1_000_000]),
        encode_request([b"MSET"] + [b"x"] * 100_000),
        b"*11\r\n",
        b"*2\r\n$4\r\nAUTH\r\n$16385\r\n",
        b"x" * 100_000,
    )
    refused = 0
    for number in target.while_it_lasts():
        with contextlib.suppress(OSError):
            link = socket.create_connection(("127.0.0.1", target.port), 5)
            with link:
                link.settimeout(5)
                link.sendall(queries[number % len(queries)])
                refused += b"-" in link.recv(200)
    target.notes.append(f"{refused} refused")


def guesses(target: Target) -> None:
    """Several clients try one password after another, many at a time."""
    links = target.connect_many(target.count(16))
    tried = 0
    for number in target.while_it_lasts():
        for link in links:
            batch = b"".join(encode_request([b"AUTH", b"guess%d-%d" % (number, each)]) for each in range(100))
            with contextlib.suppress(OSError):
                link.setblocking(True)
                link.settimeout(5)
                link.sendall(batch)
        for link in links:
            with contextlib.suppress(OSError):
                tried += _read_lines(link, 100)
    target.notes.append(f"{tried} guesses, all in vain")


def _read_lines(link: socket.socket, number: int) -> int:
    lines = 0
    while lines < number:
        data = link.recv(1 << 16)
        if not data or b"+OK" in data:
            raise AssertionError("a guess was taken, or the server hung up")
        lines += data.count(b"\r\n")
    return lines


# ---- replies that nobody reads


def deaf_subscribers(target: Target) -> None:
    """Subscribers who never read, while somebody publishes without a pause."""
    for _ in range(target.count(200)):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", target.port))
        link.sendall(b"SUBSCRIBE news\r\n")
        target.sockets.append(link)
    publisher = target.connect()
    message = encode_request([b"PUBLISH", b"news", b"x" * 16_000])
    published = 0
    for _ in target.while_it_lasts(0.002):
        publisher.sendall(message)
        published += publisher.recv(100).count(b":")
    target.notes.append(f"{published} messages of 16 kB")


def deaf_askers(target: Target) -> None:
    """Clients who ask for a megabyte again and again, and never read."""
    link = target.connect()
    link.sendall(encode_request([b"SET", b"large", b"x" * 1_000_000]))
    link.recv(100)
    request = encode_request([b"GET", b"large"]) * 100
    links = target.connect_many(target.count(100))
    for _ in target.while_it_lasts(0.05):
        for each in links:
            target.send(each, request)
    target.notes.append(f"{len(links)} clients")


ATTACKS = (
    Attack("quiet", "nobody does anything", quiet),
    Attack("slow loris", "1,000 clients send a byte now and then", slow_loris),
    Attack("half-open", "1,500 clients are silent, half closed, or gone", half_open),
    Attack("in a row", "10,000 clients connect, ask once and leave", connects_in_a_row),
    Attack("at once", "5,000 clients connect at the same time", connects_at_once, ("--maxclients", "10000")),
    Attack("too many", "5,000 clients where 1,000 may connect", too_many, ("--maxclients", "1000")),
    Attack("giant claims", "500 clients announce requests of gigabytes", giant_claims),
    Attack("pipelines", "50 clients send requests by the thousand", pipelines),
    Attack("deaf subscribers", "200 subscribers never read", deaf_subscribers,
           ("--client-output-buffer-limit", "pubsub 2mb 1mb 5")),
    Attack("deaf askers", "100 clients ask for megabytes and never read", deaf_askers),
    Attack("guesses", "16 clients guess passwords", guesses, is_guarded=True),
    Attack("large queries", "strangers send large requests", large_queries, is_guarded=True),
)  # fmt: skip
