"""What does it cost to keep data on disk? Seconds, bytes and pauses, beside redis-server, in one run.

    python benchmarks/persistence.py                     everything, some minutes
    python benchmarks/persistence.py --scale 0.1         a tenth of the data

Both servers hold the same data, from the same file. Saving is SAVE, loading is DEBUG RELOAD NOSAVE; counted are the seconds that a
client waits and the processor's seconds that the server takes, which a machine with other work disturbs less. For
BGSAVE one client asks PING all the while, and the longest time it waited counts; another writes, so that there is something to
be copied on write. The throughput of SET under each `appendfsync` comes from redis-benchmark with 50 connections.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rivals import Rival, rivals

from cutaway.datastructures.hash_values import HashValue
from cutaway.persistence import DatabaseDump, write_rdb

STRINGS = 1_000_000
HASHES = 100_000
POLICIES = ("no", "everysec", "always")


def strings(count: int) -> Iterator[tuple[bytes, object, None, None]]:
    """Small strings, of 14 to 20 bytes."""
    return ((b"key:%012d" % n, b"value:%d" % (n * 7919), None, None) for n in range(count))


def hashes(count: int) -> Iterator[tuple[bytes, object, None, None]]:
    """Small hashes, of five fields."""
    for number in range(count):
        value = HashValue()
        for field in range(5):
            value.set(b"field%d" % field, b"value:%d" % (number + field))
        yield b"user:%012d" % number, value, None, None


def long_strings(count: int) -> Iterator[tuple[bytes, object, None, None]]:
    """Strings of a hundred random digits: LZF tries them all, and in vain."""
    dice = random.Random(1)
    return ((b"key:%012d" % n, b"%0100x" % dice.getrandbits(400), None, None) for n in range(count))


class Peer:
    """One connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 300)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, *words: str) -> str:
        """The first line of the reply, or all of a bulk string."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        self._socket.sendall(request.encode())
        reply = self._socket.recv(1 << 16)
        if reply.startswith(b"$"):
            size = int(reply[1 : reply.index(b"\r")])
            while len(reply) < size + reply.index(b"\n") + 3:
                reply += self._socket.recv(1 << 16)
        return reply.decode(errors="replace")

    def info(self, section: str, field: str) -> int:
        """A number of one section of INFO."""
        for line in self.ask("INFO", section).splitlines():
            if line.startswith(f"{field}:"):
                return int(line.partition(":")[2])
        return 0

    def seconds(self, *words: str) -> float:
        """How long a command takes."""
        start = time.perf_counter()
        reply = self.ask(*words)
        if not reply.startswith("+"):
            raise RuntimeError(f"{words} was answered {reply!r}")
        return time.perf_counter() - start


def started_with(rival: Rival, folder: str, *arguments: str) -> Rival:
    """The same server, in a folder, with more arguments."""
    return replace(
        rival, command=[*rival.command, "--dir", folder, "--enable-debug-command", "yes", *arguments]
    )


def ready(rival: Rival) -> Peer:
    """A connection to a server that has loaded its file."""
    peer = Peer(rival.port)
    while "LOADING" in peer.ask("PING"):
        time.sleep(0.05)
    return peer


def measure_files(names: list[str], console: Console, scale: float) -> None:
    """Seconds to save and to load, and the file's size."""
    table = Table(
        title="one client saves, then loads; seconds, and the size of the file in MB", title_justify="left"
    )
    for column in ("data", "server", "save", "processor", "load", "processor", "MB"):
        table.add_column(column, justify="left" if column in ("data", "server") else "right")
    kinds: list[tuple[str, Callable[[int], Iterator[tuple[bytes, object, None, None]]], int]] = [
        ("small strings", strings, STRINGS),
        ("small hashes", hashes, HASHES),
        ("strings of 100 digits", long_strings, HASHES),
    ]
    for label, make, amount in kinds:
        count = int(amount * scale)
        for rival in rivals(names):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "dump.rdb")
                with path.open("wb") as file:
                    write_rdb(file.write, [DatabaseDump(0, count, 0, make(count))])  # type: ignore[arg-type]
                with (
                    console.status(f"{label} in {rival.name}"),
                    started_with(rival, folder).running() as server,
                ):
                    peer = ready(server)
                    saving = both_times(server, peer, "SAVE")
                    size = path.stat().st_size / 1e6
                    loading = both_times(server, peer, "DEBUG", "RELOAD", "NOSAVE")
                times = (f"{seconds:.2f}" for seconds in (*saving, *loading))
                table.add_row(f"{count:,} {label}", rival.name, *times, f"{size:.1f}")
    console.print(table)


def both_times(server: Rival, peer: Peer, *words: str) -> tuple[float, float]:
    """The best of two runs of a command: seconds as the client sees them, and the server's own on the processor."""
    waited, worked = [], []
    for _ in range(2):
        before = server.processor_seconds()
        waited.append(peer.seconds(*words))
        worked.append(server.processor_seconds() - before)
    return min(waited), min(worked)


def longest_ping(port: int, done: threading.Event, into: list[float]) -> None:
    """Ask PING until `done`; the longest time it took, in milliseconds."""
    peer = Peer(port)
    longest = 0.0
    while not done.is_set():
        longest = max(longest, peer.seconds("PING"))
        time.sleep(0.0002)
    into.append(longest * 1000)


def write_on(port: int, done: threading.Event, count: int) -> None:
    """Overwrite random keys until `done`."""
    peer = Peer(port)
    dice = random.Random(2)
    while not done.is_set():
        peer.ask("SET", f"key:{dice.randrange(count):012d}", f"value:{dice.random()}")


def during(port: int, work: Callable[[], None], count: int) -> float:
    """The longest PING in milliseconds while another client writes and `work` goes on."""
    done = threading.Event()
    found: list[float] = []
    threads = [
        threading.Thread(target=longest_ping, args=(port, done, found)),
        threading.Thread(target=write_on, args=(port, done, count)),
    ]
    for thread in threads:
        thread.start()
    work()
    done.set()
    for thread in threads:
        thread.join()
    return found[0]


def measure_fork(names: list[str], console: Console, scale: float) -> None:
    """Pauses and memory while a child writes a snapshot of the small strings."""
    count = int(STRINGS * scale)
    title = f"BGSAVE of {count:,} small strings while a client writes; milliseconds, seconds, MB"
    table = Table(title=title, title_justify="left")
    for column in ("server", "longest PING before", "during", "fork", "seconds", "resident", "copied"):
        table.add_column(column, justify="left" if column == "server" else "right")
    for rival in rivals(names):
        with tempfile.TemporaryDirectory() as folder:
            with Path(folder, "dump.rdb").open("wb") as file:
                write_rdb(file.write, [DatabaseDump(0, count, 0, strings(count))])  # type: ignore[arg-type]
            with console.status(f"BGSAVE in {rival.name}"), started_with(rival, folder).running() as server:
                peer = ready(server)
                quiet = during(server.port, lambda: time.sleep(2), count)
                times: list[float] = []

                def save(peer: Peer = peer, times: list[float] = times) -> None:
                    start = time.perf_counter()
                    peer.ask("BGSAVE")
                    while peer.info("persistence", "rdb_bgsave_in_progress"):
                        time.sleep(0.02)
                    times.append(time.perf_counter() - start)

                busy = during(server.port, save, count)
                table.add_row(
                    rival.name, f"{quiet:.1f}", f"{busy:.1f}", f"{peer.info('stats', 'latest_fork_usec') / 1000:.1f}",
                    f"{times[0]:.1f}", f"{server.resident_bytes() / 1e6:.0f}", f"{peer.info('persistence', 'rdb_last_cow_size') / 1e6:.0f}",
                )  # fmt: skip
    console.print(table)


def measure_appending(names: list[str], console: Console) -> None:
    """SETs a second, by `appendfsync`."""
    table = Table(title="SETs a second with 50 connections, by appendfsync", title_justify="left")
    table.add_column("server")
    table.add_column("pipeline", justify="right")
    for policy in ("off", *POLICIES):
        table.add_column(policy, justify="right")
    for rival in rivals(names):
        for pipeline in (1, 16):
            rates = []
            for policy in ("off", *POLICIES):
                options = [] if policy == "off" else ["--appendonly", "yes", "--appendfsync", policy]
                with (
                    tempfile.TemporaryDirectory() as folder,
                    console.status(f"appendfsync {policy} in {rival.name}"),
                    started_with(rival, folder, *options).running() as server,
                ):
                    ready(server)
                    rates.append(max(throughput(server.port, pipeline) for _ in range(2)))
            table.add_row(rival.name, str(pipeline), *(f"{rate:,.0f}" for rate in rates))
    console.print(table)


def throughput(port: int, pipeline: int) -> float:
    """SETs a second, as redis-benchmark sees them."""
    done = subprocess.run(
        ["redis-benchmark", "-p", str(port), "-P", str(pipeline), "-n", str(20_000 * pipeline // 2 + 10_000), "-t", "set",
         "-r", "100000", "--csv"],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    return float(list(csv.reader(done.stdout.splitlines()))[-1][1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the data")
    parser.add_argument("--servers", default="redis-server,cutaway")
    parser.add_argument("--parts", default="files,fork,appending")
    arguments = parser.parse_args()
    os.environ.setdefault("NO_COLOR", "1")
    console = Console(width=110)
    names = arguments.servers.split(",")
    if "files" in arguments.parts:
        measure_files(names, console, arguments.scale)
    if "fork" in arguments.parts:
        measure_fork(names, console, arguments.scale)
    if "appending" in arguments.parts:
        measure_appending(names, console)


if __name__ == "__main__":
    main()
