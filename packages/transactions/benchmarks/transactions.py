"""How many transactions of ten commands run per second: Cutaway and redis-server, side by side.

    python packages/transactions/benchmarks/transactions.py [--seconds 2]

A few connections each send MULTI, ten SETs and EXEC in one piece and wait for EXEC's reply, all of them driven by this one
process over the loopback interface. The last row watches a key first, in a request of its own, as optimistic locking does.
The sender shares the machine with the server, so the figures are for comparison with one another and nothing else.
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

COMMANDS = 10


def request(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


WRITES = b"".join(request(b"SET", b"key:%d" % number, b"value") for number in range(COMMANDS))
TRANSACTION = request(b"MULTI") + WRITES + request(b"EXEC")
REPLIES = b"+OK\r\n" + b"+QUEUED\r\n" * COMMANDS + b"*%d\r\n" % COMMANDS + b"+OK\r\n" * COMMANDS
CASES = {  # what is sent, what comes back, how many connections
    "one connection": (TRANSACTION, REPLIES, 1),
    "16 connections": (TRANSACTION, REPLIES, 16),
    "16 connections, WATCH": (request(b"WATCH", b"seen") + TRANSACTION, b"+OK\r\n" + REPLIES, 16),
}


def measure(port: int, case: str, seconds: float) -> float:
    """Transactions per second, over about so many seconds."""
    payload, expected, connections = CASES[case]
    clients = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(connections)]
    received = dict.fromkeys(clients, 0)
    done = 0
    with selectors.DefaultSelector() as selector:
        for each in clients:
            selector.register(each, selectors.EVENT_READ)
            each.sendall(payload)
        started = time.perf_counter()
        while (elapsed := time.perf_counter() - started) < seconds:
            for key, _ in selector.select(timeout=10):
                client = key.fileobj
                assert isinstance(client, socket.socket)
                received[client] += len(client.recv(1 << 16))
                if received[client] == len(expected):
                    received[client] = 0
                    done += 1
                    client.sendall(payload)
    for each in clients:
        each.close()
    return done / elapsed


def main() -> None:
    options = argparse.ArgumentParser(description="Transactions of ten commands per second.")
    options.add_argument("--seconds", type=float, default=2.0)
    seconds = min(options.parse_args().seconds, 30.0)
    servers = {"Cutaway": [sys.executable, "-m", "server"]}
    if real := shutil.which("redis-server"):
        servers["redis-server"] = [real]
    figures: dict[str, list[float]] = {}
    for name, command in servers.items():
        with PortServer(command) as server:
            figures[name] = [measure(server.port, case, seconds) for case in CASES]
    table = Table(title=f"Transactions of {COMMANDS} SETs per second")
    table.add_column("")
    for name in servers:
        table.add_column(name, justify="right")
    for place, case in enumerate(CASES):
        table.add_row(case, *(f"{figures[name][place]:,.0f}" for name in servers))
    Console().print(table)


if __name__ == "__main__":
    main()
