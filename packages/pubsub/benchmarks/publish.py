"""How many messages per second reach their subscribers: Cutaway and redis-server, side by side.

    python packages/pubsub/benchmarks/publish.py [--seconds 2]

One connection publishes messages of 32 bytes, sixteen at a time, to a channel with 1, 100 and 1,000 subscribers, which are
connections of this process; all over the loopback interface. A message counts when it has been read. The reader shares
the machine with the server, so the figures are for comparison with one another and not for anything else.
"""

from __future__ import annotations

import argparse
import selectors
import shutil
import socket
import sys
import time

from rich.console import Console
from rich.table import Table

from cutaway.testing import PortServer

AUDIENCES = (1, 100, 1000)
PIPELINE = 16
BODY = b"x" * 32
MESSAGE = b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$32\r\n%b\r\n" % BODY
PUBLISH = b"*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n$32\r\n%b\r\n" % BODY


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def measure(port: int, audience: int, seconds: float) -> float:
    """Messages delivered per second to `audience` subscribers, over about so many seconds."""
    subscribers = [connect(port) for _ in range(audience)]
    for each in subscribers:
        each.sendall(b"*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n")
        each.recv(1 << 10)
        each.setblocking(False)
    publisher = connect(port)
    with selectors.DefaultSelector() as selector:
        for each in subscribers:
            selector.register(each, selectors.EVENT_READ)
        batch = PIPELINE * audience * len(MESSAGE)
        received = 0
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            publisher.sendall(PUBLISH * PIPELINE)
            due = received + batch
            while received < due:
                for key, _ in selector.select(timeout=10):
                    received += len(key.fileobj.recv(1 << 16))  # type: ignore[union-attr]
            replies = 0
            while replies < PIPELINE:
                replies += publisher.recv(1 << 12).count(b"\n")
        elapsed = time.perf_counter() - started
    for each in (*subscribers, publisher):
        each.close()
    return received / len(MESSAGE) / elapsed


def main() -> None:
    options = argparse.ArgumentParser(description="Messages delivered per second.")
    options.add_argument("--seconds", type=float, default=2.0)
    seconds = min(options.parse_args().seconds, 30.0)
    servers = {"Cutaway": [sys.executable, "-m", "server"]}
    if real := shutil.which("redis-server"):
        servers["redis-server"] = [real]
    figures: dict[str, list[float]] = {}
    for name, command in servers.items():
        with PortServer(command) as server:
            figures[name] = [measure(server.port, audience, seconds) for audience in AUDIENCES]
    table = Table(title="Messages delivered per second")
    table.add_column("subscribers", justify="right")
    for name in servers:
        table.add_column(name, justify="right")
    for place, audience in enumerate(AUDIENCES):
        table.add_row(f"{audience:,}", *(f"{figures[name][place]:,.0f}" for name in servers))
    Console().print(table)


if __name__ == "__main__":
    main()
