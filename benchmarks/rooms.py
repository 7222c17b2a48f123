"""What do scripts, transactions and messages cost? So many a second, beside redis-server, in one run.

    python benchmarks/rooms.py                         all of it, some minutes
    python benchmarks/rooms.py --rounds 1 --cases eval,publish

Every server runs during the whole measurement, and the rounds go from one to the next and around again. For each row there are two
figures, the medians of the rounds: how many a second, and how long one of them keeps the server's processor, which a machine
with other work disturbs less; behind them, as ratios, the same of redis-server's. Sixteen connections send requests, each of them one at a time and, in a second
row, sixteen at a time. Of PUBLISH one connection sends sixteen at a time, and what counts is the messages that arrived. All clients are
this one process on the same machine; it looks at lengths only, so that it is not what is measured.
"""

from __future__ import annotations

import argparse
import resource
import selectors
import socket
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from hashlib import sha1
from itertools import product
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rivals import Rival, rivals

CONNECTIONS = 16
BATCH = 16
AUDIENCES = (1, 100, 1000)
YARDSTICK = "redis-server"


def request(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


# ---- requests that are answered

SMALL = b"return tonumber(ARGV[1]) + 1"
THREE_CALLS = b"redis.call('SET', KEYS[1], ARGV[1]) redis.call('EXPIRE', KEYS[1], 100) return redis.call('GET', KEYS[1])"
COMMANDS = 10
WRITES = b"".join(request(b"SET", b"key:%d" % number, b"value") for number in range(COMMANDS))


@dataclass(frozen=True)
class Exchange:
    """A request, what is sent once beforehand, and the reply, which is always the same."""

    request: bytes
    reply: bytes
    before: bytes = b""


EXCHANGES = {
    "EVAL of a small script": Exchange(request(b"EVAL", SMALL, b"0", b"41"), b":42\r\n"),
    "EVALSHA with 3 redis.call": Exchange(
        request(b"EVALSHA", sha1(THREE_CALLS, usedforsecurity=False).hexdigest().encode(), b"1", b"key", b"value"),
        b"$5\r\nvalue\r\n",
        before=request(b"SCRIPT", b"LOAD", THREE_CALLS),
    ),
    "MULTI, 10 SET, EXEC": Exchange(
        request(b"MULTI") + WRITES + request(b"EXEC"),
        b"+OK\r\n" + b"+QUEUED\r\n" * COMMANDS + b"*%d\r\n" % COMMANDS + b"+OK\r\n" * COMMANDS,
    ),
}  # fmt: skip


def exchanges(exchange: Exchange, pipeline: int, port: int, seconds: float) -> int:
    """How many of them there were in about so many seconds, `pipeline` at a time on each connection."""
    payload, expected = exchange.request * pipeline, exchange.reply * pipeline
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        clients = [stack.enter_context(connect(port)) for _ in range(CONNECTIONS)]
        if exchange.before:
            clients[0].sendall(exchange.before)
            clients[0].recv(1 << 10)
        clients[0].sendall(payload)
        answer = clients[0].recv(len(expected), socket.MSG_WAITALL)
        if answer != expected:
            raise RuntimeError(f"{answer!r} was answered to {payload!r}")
        received = dict.fromkeys(clients, 0)
        done = 0
        for each in clients:
            selector.register(each, selectors.EVENT_READ)
            each.sendall(payload)
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            for key, _ in selector.select(timeout=10):
                client = key.fileobj
                assert isinstance(client, socket.socket)
                received[client] += len(client.recv(1 << 16))
                if received[client] == len(expected):
                    received[client] = 0
                    done += pipeline
                    client.sendall(payload)
        return done


# ---- messages

BODY = b"x" * 32
MESSAGE = request(b"message", b"news", BODY)
PUBLISH = request(b"PUBLISH", b"news", BODY)


def messages(audience: int, port: int, seconds: float) -> int:
    """How many messages reached `audience` subscribers in about so many seconds."""
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        subscribers = [stack.enter_context(connect(port)) for _ in range(audience)]
        publisher = stack.enter_context(connect(port))
        for each in subscribers:
            each.sendall(request(b"SUBSCRIBE", b"news"))
            each.recv(1 << 10)
            selector.register(each, selectors.EVENT_READ)
        received = 0
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            publisher.sendall(PUBLISH * BATCH)
            due = received + BATCH * audience * len(MESSAGE)
            while received < due:
                for key, _ in selector.select(timeout=10):
                    received += len(key.fileobj.recv(1 << 16))  # type: ignore[union-attr]
            replies = 0
            while replies < BATCH:
                replies += publisher.recv(1 << 12).count(b"\n")
        return received // len(MESSAGE)


def connect(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=10)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


# ---- the whole

Measurement = Callable[[int, float], int]


class Figures(NamedTuple):
    """What one row says of one server."""

    rate: float
    """How many a second."""
    cost: float
    """Microseconds of the server's processor for each."""


def measurements() -> dict[str, Measurement]:
    """What is measured, by the name of its row: a port and seconds in, a count out."""
    rows: dict[str, Measurement] = {}
    for name, exchange in EXCHANGES.items():
        for pipeline in (1, BATCH):
            note = "" if pipeline == 1 else f", {pipeline} at a time"
            rows[name + note] = partial(exchanges, exchange, pipeline)
    for audience in AUDIENCES:
        rows[f"messages of PUBLISH to {audience:,}"] = partial(messages, audience)
    return rows


def run_once(rival: Rival, measurement: Measurement, seconds: float) -> Figures:
    """One row of one server in one round."""
    began, worked = time.perf_counter(), rival.processor_seconds()
    count = measurement(rival.port, seconds)
    return Figures(count / (time.perf_counter() - began), (rival.processor_seconds() - worked) / count * 1e6)


def measure(
    servers: list[Rival], rows: dict[str, Measurement], rounds: int, seconds: float, console: Console
) -> dict[str, dict[str, Figures]]:
    """The medians, by row and server."""
    samples: dict[str, dict[str, list[Figures]]] = defaultdict(lambda: defaultdict(list))
    with console.status("") as status:
        for number, (name, row), rival in product(range(rounds), rows.items(), servers):
            status.update(f"round {number + 1} of {rounds}: {name} on {rival.name}")
            samples[name][rival.name].append(run_once(rival, row, seconds))
    return {
        name: {rival: Figures(*map(statistics.median, zip(*figures, strict=True))) for rival, figures in by.items()}
        for name, by in samples.items()
    }  # fmt: skip


def show(figures: dict[str, dict[str, Figures]], servers: list[Rival], console: Console) -> None:
    """A row for each measurement: the figures, and behind those of the others their ratios to the yardstick's."""
    table = Table(
        title="how many a second, and microseconds of the server's processor for each", title_justify="left"
    )
    table.add_column("")
    for rival in servers:
        table.add_column(f"{rival.name} {rival.version}\na second", justify="right")
        table.add_column("µs", justify="right")
    for name, by in figures.items():
        base = by.get(YARDSTICK)
        cells = []
        for rival, own in by.items():
            rate, cost = f"{own.rate:,.0f}", f"{own.cost:.1f}"
            if base is not None and rival != YARDSTICK:
                rate += f"  {own.rate / base.rate:.2f}"
                cost += f"  {own.cost / base.cost:.1f}" if base.cost else ""
            cells += [rate, cost]
        table.add_row(name, *cells)
    console.print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long one measurement takes")
    parser.add_argument("--servers", default="redis-server,cutaway")
    parser.add_argument("--cases", default="eval,multi,publish", help="words of which a row's name has one")
    arguments = parser.parse_args()
    wanted = arguments.cases.lower().split(",")
    rows = {name: row for name, row in measurements().items() if any(word in name.lower() for word in wanted)}
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a thousand subscribers
    console = Console(width=110 if not sys.stdout.isatty() else None)
    servers = rivals(arguments.servers.split(","))
    with ExitStack() as stack:
        for rival in servers:
            stack.enter_context(rival.running())
        show(measure(servers, rows, arguments.rounds, arguments.seconds, console), servers, console)


if __name__ == "__main__":
    main()
