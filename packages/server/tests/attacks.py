"""Attack the server, and see whether it goes on answering and gets its memory back. Bounded, and on this machine only.

    python packages/server/tests/attacks.py
    python packages/server/tests/attacks.py --only "slow loris" --seconds 10 --json attacks.json

Each attack of `assaults.py` meets a server of its own. All the while a client in another process sends a PING every few
milliseconds and measures how long the answer takes. That process also measures how much later it wakes than it wanted
to: on a machine with too few cores the attackers, and not the server, may be what everybody waits for, and that shows
there. The memory is the server's resident set before, at most, and after the attack, when the sockets are closed and a few seconds
have gone by.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

sys.path.insert(0, str(Path(__file__).parent))
from assaults import ATTACKS, PASSWORD, Attack, Target
from conftest import Running
from rich.console import Console
from rich.table import Table

from cutaway.testing import Peer

PAUSE = 0.005
SETTLING_SECONDS = 8.0
SLACK_BYTES = 20 * 2**20
"""So much more than before is no leak. Python returns its arenas, of a megabyte each, only when nothing at all is left in
them; thousands of clients leave a dozen behind with a few survivors in each, and the next thousands use these again."""


@dataclass
class Outcome:
    """What one attack came to."""

    name: str
    meaning: str
    pings: int = 0
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0
    """Milliseconds, of PING."""
    late: float = 0.0
    """Milliseconds that the prober itself woke too late, 99th percentile: what the machine costs."""
    before: int = 0
    peak: int = 0
    after: int = 0
    """Bytes."""
    descriptors_left: int = 0
    """Files open after the attack that were not before."""
    notes: list[str] = field(default_factory=list)

    @property
    def is_back(self) -> bool:
        """Whether memory and files are about what they were."""
        return self.after <= self.before + max(SLACK_BYTES, self.before // 5) and self.descriptors_left <= 0


class Prober:
    """The other process: it asks PING until it is told to stop."""

    def __init__(self, port: int, password: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--probe", str(port), password], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )  # fmt: skip
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it has begun

    def stop(self) -> tuple[list[float], list[float]]:
        """How long each PING took, and how much too late the prober woke each time, in seconds."""
        output, _ = self._process.communicate(timeout=120)
        waits, delays = json.loads(output)
        return waits, delays

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def probe(port: int, password: str) -> None:
    """The prober's own program; standard input ends it."""
    import select

    peer = Peer(("127.0.0.1", port))
    if password:
        assert peer.ask("AUTH", password) == "OK"
    print("ready", flush=True)
    waits: list[float] = []
    delays: list[float] = []
    while True:
        slept = time.perf_counter()
        if select.select([sys.stdin], [], [], PAUSE)[0]:
            break
        started = time.perf_counter()
        delays.append(started - slept - PAUSE)
        assert peer.ask("PING") == "PONG"
        waits.append(time.perf_counter() - started)
    print(json.dumps([waits, delays]))


def carry_out(attack: Attack, folder: Path, *, seconds: float, scale: float) -> Outcome:
    """Start a server, attack it, and tell what came of it."""
    password = PASSWORD if attack.is_guarded else ""
    guard = ("--requirepass", password) if password else ()
    server = Running(folder, "--save", "", *attack.options, *guard)
    outcome = Outcome(attack.name, attack.meaning)
    target = Target(server.port, seconds, scale)
    try:
        with Prober(server.port, password) as prober:
            time.sleep(0.5)
            outcome.before, files = resident(server), open_files(server)
            forget_peak(server)
            attack.run(target)
            waits, delays = prober.stop()
            outcome.peak = peak(server)
            target.close()
            settle(server, outcome, files)
    finally:
        target.close()
        server.kill()
    outcome.pings = len(waits)
    outcome.p50, outcome.p99, outcome.longest = (percentile(waits, part) for part in (0.5, 0.99, 1.0))
    outcome.late = percentile(delays, 0.99)
    outcome.notes = target.notes
    return outcome


def settle(server: Running, outcome: Outcome, files: int) -> None:
    """Wait until the memory is back, or for a few seconds."""
    end = time.monotonic() + SETTLING_SECONDS
    while True:
        outcome.after = resident(server)
        outcome.descriptors_left = open_files(server) - files + 1  # the prober's own has gone
        if outcome.is_back or time.monotonic() > end:
            return
        time.sleep(0.1)


# ---- what the system knows of a process (Linux)


def _status(server: Running, name: str) -> int:
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def resident(server: Running) -> int:
    """The resident set, in bytes."""
    return _status(server, "VmRSS:")


def peak(server: Running) -> int:
    """The largest that the resident set was since `forget_peak`."""
    return _status(server, "VmHWM:")


def forget_peak(server: Running) -> None:
    """Measure the peak from now on."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


def open_files(server: Running) -> int:
    """How many files and sockets the process has open."""
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def percentile(values: list[float], part: float) -> float:
    """The value, in milliseconds, that such a part of all do not exceed. O(n log n)."""
    ordered = sorted(values)
    return 1000 * ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0


# ---- the report


def table(outcomes: list[Outcome]) -> Table:
    """All of it, for a person."""
    report = Table(title="PING of another client during each attack, in milliseconds; memory in MB")
    for title in (
        "attack",
        "PINGs",
        "p50",
        "p99",
        "max",
        "late p99",
        "before",
        "peak",
        "after",
        "files left",
        "notes",
    ):
        report.add_column(title, justify="left" if title in ("attack", "notes") else "right")
    for each in outcomes:
        megabytes = [f"{size / 2**20:.1f}" for size in (each.before, each.peak, each.after)]
        style = "" if each.is_back else "red"
        report.add_row(
            each.name, str(each.pings), f"{each.p50:.2f}", f"{each.p99:.1f}", f"{each.longest:.1f}", f"{each.late:.1f}",
            *megabytes, str(each.descriptors_left), ", ".join(each.notes), style=style,
        )  # fmt: skip
    return report


def allow_many_files() -> None:
    """As many open files as the system lets us have; the server inherits it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> None:
    """Carry out the attacks that are asked for, and print what came of them."""
    if sys.argv[1:2] == ["--probe"]:
        probe(int(sys.argv[2]), sys.argv[3])
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [attack.name for attack in ATTACKS]
    parser.add_argument("--only", action="append", choices=names, help="this attack only; may be given again")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each goes on (5)")
    parser.add_argument("--scale", type=float, default=1.0, help="the part of the clients that attack (1.0)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    allow_many_files()
    console = Console()
    outcomes: list[Outcome] = []
    for attack in ATTACKS:
        if arguments.only and attack.name not in arguments.only:
            continue
        console.print(f"{attack.name}: {attack.meaning} ...")
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(carry_out(attack, Path(folder), seconds=arguments.seconds, scale=arguments.scale))
    console.print(table(outcomes))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=2) + "\n")
    if not all(outcome.is_back for outcome in outcomes):
        sys.exit("the memory, or the files, of some did not come back")


if __name__ == "__main__":
    main()
