"""Does anybody ever have to wait? The worst latency that another client sees while the server is hard at work.

    python benchmarks/stalls.py [--keys 1000000] [--connections 1000]

A probe, `redis-cli --latency`, pings all the while; beside it a client loads a million keys, scans through them, deletes a
collection of a million members, empties the database, and a thousand connections come and talk at once. Absolute times depend on
the machine and on who else uses it; run it for redis-server too (`--server redis-server`) to know what is the machine's share.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import socket
import subprocess
import threading
from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from rivals import Rival, rivals

from server import feed

BATCH = 100


def _encode(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def load(rival: Rival, keys: int) -> None:
    """Many small strings, a hundred at a time."""
    feed(rival, (_encode(b"SET", b"key:%012d" % n, b"value:%d" % n) for n in range(keys)), BATCH)


def fill_set(rival: Rival, members: int) -> None:
    """One large set."""
    feed(rival, (_encode(b"SADD", b"large", b"member:%d" % n) for n in range(members)), BATCH)


def scan(rival: Rival, _keys: int) -> None:
    """SCAN through everything."""
    with (
        socket.create_connection(("127.0.0.1", rival.port)) as connection,
        connection.makefile("rwb") as file,
    ):
        cursor = b"0"
        while True:
            file.write(_encode(b"SCAN", cursor, b"COUNT", b"1000"))
            file.flush()
            file.readline()
            file.readline()
            cursor = file.readline().strip()
            for _ in range(int(file.readline()[1:])):
                length = int(file.readline()[1:])
                file.read(length + 2)
            if cursor == b"0":
                return


def ask(rival: Rival, *words: bytes) -> None:
    """One request, one line of reply."""
    with socket.create_connection(("127.0.0.1", rival.port)) as connection:
        connection.sendall(_encode(*words))
        connection.recv(100)


def crowd(rival: Rival, connections: int) -> None:
    """So many connections at once, each of which asks a hundred times."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection(("127.0.0.1", rival.port), 10))
            for _ in range(connections)
        ]
        for number in range(100):
            for each in sockets:
                each.sendall(_encode(b"SET", b"crowd:%d" % number, b"x"))
            for each in sockets:
                each.recv(100)


def probed(rival: Rival, work: Callable[[], None]) -> tuple[float, float, int]:
    """Run `work` while redis-cli pings; the worst and the mean latency in milliseconds, and how many pings there were."""
    done = threading.Event()

    def run() -> None:
        try:
            work()
        finally:
            done.set()

    worker = threading.Thread(target=run)
    worker.start()
    worst = total = 0.0
    pings = 0
    while not done.is_set() or not pings:
        answer = subprocess.run(
            ["redis-cli", "-p", str(rival.port), "--latency", "-i", "1", "--raw"],
            capture_output=True, text=True, check=True, timeout=120,
        ).stdout.split()  # fmt: skip
        worst = max(worst, float(answer[1]))
        pings += int(answer[3])
        total += float(answer[2]) * int(answer[3])
    worker.join()
    return worst, total / pings, pings


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--server", default="cutaway")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    rival = rivals([arguments.server])[0]
    table = Table(
        title=f"what another client of {rival.name} had to wait, in milliseconds", title_justify="left"
    )
    for column in ("meanwhile", "worst", "mean", "pings"):
        table.add_column(column, justify="left" if column == "meanwhile" else "right")
    with rival.running():
        steps: list[tuple[str, Callable[[], None]]] = [
            ("nothing", lambda: None),
            (f"{arguments.keys:,} keys are loaded", lambda: load(rival, arguments.keys)),
            ("SCAN goes through them", lambda: scan(rival, arguments.keys)),
            (f"a set of {arguments.keys:,} is filled", lambda: fill_set(rival, arguments.keys)),
            ("UNLINK of that set", lambda: ask(rival, b"UNLINK", b"large")),
            ("FLUSHALL ASYNC", lambda: ask(rival, b"FLUSHALL", b"ASYNC")),
            (
                f"{arguments.connections:,} connections talk at once",
                lambda: crowd(rival, arguments.connections),
            ),
        ]
        for name, work in steps:
            worst, mean, pings = probed(rival, work)
            table.add_row(name, f"{worst:.1f}", f"{mean:.2f}", f"{pings:,}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
