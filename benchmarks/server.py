"""How fast is it? Requests a second and bytes a key, beside real servers, in one run.

    python benchmarks/server.py                     everything, a quarter of an hour
    python benchmarks/server.py --rounds 1 --tests set,get --pipelines 16
    python benchmarks/server.py --memory            bytes a key only

Every server runs during the whole measurement, and the rounds go from one to the next and around again, so that a noisy
neighbour disturbs all of them alike. What counts is the median of the rounds, and of that the ratio to redis-server: absolute
figures say more about the machine. The load comes from redis-benchmark with 50 connections.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import socket
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rivals import Rival, rivals

TESTS = (
    "set", "get", "incr", "lpush", "rpush", "lpop", "rpop", "sadd", "hset", "spop", "zadd", "zpopmin",
    "lrange_100", "lrange_300", "lrange_500", "lrange_600", "mset",
)  # fmt: skip
SERVERS = ("redis-server", "valkey", "cutaway", "fakeredis")
PIPELINES = (1, 16, 64)
WARM_UP = 1000
"""Requests of the first run, by which the others are sized: few, for the sake of the slowest server."""
SECONDS = 0.7
"""About how long one run takes."""
YARDSTICK = "redis-server"

Figures = dict[tuple[str, int], dict[str, float]]


def run_test(rival: Rival, test: str, pipeline: int, requests: int) -> float | None:
    """Requests a second that redis-benchmark saw, or None where the server cannot do it."""
    done = subprocess.run(
        ["redis-benchmark", "-p", str(rival.port), "-P", str(pipeline), "-n", str(requests), "-t", test, "--csv"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    rows = [row for row in csv.reader(done.stdout.splitlines()) if len(row) > 1 and row[0] != "test"]
    rows = [row for row in rows if "needed to benchmark" not in row[0]]
    return float(rows[-1][1]) if rows and done.returncode == 0 else None


def requests_for(rate: float | None, pipeline: int) -> int:
    """So many that a run takes `SECONDS`."""
    return max(500, int((rate or 5000.0) * SECONDS) // pipeline * pipeline)


def measure_speed(
    servers: list[Rival], tests: list[str], pipelines: list[int], rounds: int, console: Console
) -> Iterator[Figures]:
    """The medians of the rounds so far, by (test, pipeline) and server, after each round."""
    samples: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    rates: dict[tuple[str, str, int], float | None] = {}
    for number in range(rounds):
        with console.status("warming up") as status:
            for pipeline, test, rival in product(pipelines, tests, servers):
                status.update(f"round {number + 1} of {rounds}, pipeline {pipeline}: {test} on {rival.name}")
                key = (rival.name, test, pipeline)
                if key not in rates:
                    rates[key] = run_test(rival, test, pipeline, WARM_UP)
                rate = run_test(rival, test, pipeline, requests_for(rates[key], pipeline))
                if rate is not None:
                    rates[key] = rate
                    samples[(test, pipeline)][rival.name].append(rate)
        yield {
            key: {name: statistics.median(rates) for name, rates in by.items()} for key, by in samples.items()
        }


def show_speed(figures: Figures, servers: list[Rival], console: Console) -> None:
    """A table for each pipeline: the yardstick's rate, and the others as ratios to it."""
    for pipeline in sorted({pipeline for _, pipeline in figures}):
        table = Table(title=f"requests a second, pipeline {pipeline}", title_justify="left")
        table.add_column("test")
        for rival in servers:
            note = "requests/s" if rival.name == YARDSTICK else f"of {YARDSTICK}"
            table.add_column(f"{rival.name} {rival.version}\n{note}", justify="right")
        for (test, own), by in figures.items():
            if own == pipeline:
                table.add_row(test, *(_cell(rival.name, by) for rival in servers))
        console.print(table)


def _cell(name: str, by: dict[str, float]) -> str:
    if name not in by:
        return "–"  # noqa: RUF001
    if name == YARDSTICK or YARDSTICK not in by:
        return f"{by[name]:,.0f}"
    return f"{by[name] / by[YARDSTICK]:.2f}"


# ---- memory

BATCH = 500


def _encode(*argv: bytes) -> bytes:
    return b"*%d\r\n" % len(argv) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in argv)


def _small_strings(count: int) -> Iterator[bytes]:
    return (_encode(b"SET", b"key:%012d" % n, b"value:%d" % n) for n in range(count))


def _hashes(count: int) -> Iterator[bytes]:
    for n in range(count):
        fields = [word for f in range(5) for word in (b"field%d" % f, b"value:%d" % (n + f))]
        yield _encode(b"HSET", b"user:%012d" % n, *fields)


def _sorted_set(count: int) -> Iterator[bytes]:
    return (_encode(b"ZADD", b"scores", b"%d.5" % (n * 7919 % count), b"member:%d" % n) for n in range(count))


def _list(count: int) -> Iterator[bytes]:
    return (_encode(b"RPUSH", b"list", b"element:%d" % n) for n in range(count))


LOADS = {
    "1 M small strings": (1_000_000, _small_strings),
    "200 k hashes of 5 fields": (200_000, _hashes),
    "a sorted set of 1 M": (1_000_000, _sorted_set),
    "a list of 1 M": (1_000_000, _list),
}


def feed(rival: Rival, requests: Iterable[bytes], size: int = BATCH) -> None:
    """Send requests in batches and wait for each batch's replies, all of which are one line long."""
    with socket.create_connection(("127.0.0.1", rival.port)) as connection:
        batch: list[bytes] = []
        for request in requests:
            batch.append(request)
            if len(batch) == size:
                _send(connection, batch)
                batch = []
        if batch:
            _send(connection, batch)


def _send(connection: socket.socket, batch: list[bytes]) -> None:
    connection.sendall(b"".join(batch))
    lines = 0
    while lines < len(batch):
        lines += connection.recv(1 << 16).count(b"\n")


def measure_memory(names: list[str], scale: float, console: Console) -> dict[str, dict[str, float]]:
    """Bytes of resident memory for each key or element, by load and server; a fresh server for each."""
    results: dict[str, dict[str, float]] = {}
    for load, (count, requests) in LOADS.items():
        amount = int(count * scale)
        for rival in rivals(names):
            with console.status(f"{load} in {rival.name}"), rival.running():
                before = rival.resident_bytes()
                feed(rival, requests(amount))
                results.setdefault(load, {})[rival.name] = (rival.resident_bytes() - before) / amount
    return results


def show_memory(results: dict[str, dict[str, float]], console: Console) -> None:
    """Bytes a key, and the ratio to the yardstick."""
    names = list(next(iter(results.values())))
    table = Table(title="bytes of resident memory for each key or element", title_justify="left")
    table.add_column("load")
    for name in names:
        table.add_column(name, justify="right")
    for load, by in results.items():
        base = by.get(YARDSTICK)
        table.add_row(load, *(f"{by[name]:.0f}" + (f" ({by[name] / base:.1f}×)" if base and name != YARDSTICK else "")  # noqa: RUF001
                              for name in names))  # fmt: skip
    console.print(table)


def main() -> None:
    """Measure, print, and write benchmark.json."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tests", default=",".join(TESTS))
    parser.add_argument("--pipelines", default=",".join(map(str, PIPELINES)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", default=",".join(SERVERS))
    parser.add_argument(
        "--compiled", default="", metavar="PYTHON", help="measure what `nox -s compiled` built, too"
    )
    parser.add_argument("--memory", action="store_true", help="measure bytes a key only")
    parser.add_argument("--no-memory", action="store_true", help="measure requests a second only")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the data for the memory figures")
    parser.add_argument("--json", type=Path, default=Path("benchmark.json"))
    arguments = parser.parse_args()
    if unknown := set(arguments.servers.split(",")) - set(SERVERS):
        parser.error(f"no such server: {', '.join(sorted(unknown))}; there are {', '.join(SERVERS)}")
    console = Console(width=120 if not sys.stdout.isatty() else None)
    report: dict[str, object] = {"python": platform.python_version(), "machine": platform.machine()}
    if not arguments.memory:
        servers = rivals(arguments.servers.split(","), arguments.compiled)
        with ExitStack() as stack:
            for rival in servers:
                stack.enter_context(rival.running())
            pipelines = [int(number) for number in arguments.pipelines.split(",")]
            tests = arguments.tests.split(",")
            for figures in measure_speed(servers, tests, pipelines, arguments.rounds, console):
                report["speed"] = [
                    {"test": test, "pipeline": pipeline, **by} for (test, pipeline), by in figures.items()
                ]
                arguments.json.write_text(json.dumps(report, indent=2) + "\n")
        show_speed(figures, servers, console)
    if not arguments.no_memory:
        memory = measure_memory(["redis-server", "cutaway"], arguments.scale, console)
        show_memory(memory, console)
        report["memory"] = memory
    arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
