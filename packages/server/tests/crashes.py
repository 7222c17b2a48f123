"""Kill the server at random moments while several clients write, start it again, and compare: is every promise kept?

    python packages/server/tests/crashes.py --kills 100
    python packages/server/tests/crashes.py --kills 100 --policy everysec --power --longest 4

The first tries all promises, side by side in processes of their own; the second one of them.

Each client writes to keys of its own, one transaction at a time: a random write and the number of the transaction. So what the
server holds after a crash tells how many transactions of each client are in it, and a model, plain Python values, says what
the keys must then hold: all the effects of that many transactions and nothing of the next. All that was acknowledged must be
there (`always`), or all that was acknowledged more than two seconds before the end (`everysec`). All the while somebody asks for
snapshots and rewrites, which are cut short like everything else; what is on the disk must be whole at all times.

With `--power` more is lost than kill -9 takes: everything that no fsync had covered (see `power.py`).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from conftest import Running
from power import lose_power

from cutaway.persistence.checks import check
from cutaway.testing import Peer

State = dict[str, Any]
KEYS = 4
GRACE_SECONDS = 2.0
PROMISES = (
    ("--policy", "always"),
    ("--policy", "always", "--power"),
    ("--policy", "everysec", "--power", "--longest", "4"),
)


class Writer:
    """A client with a model of what it has written."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.dice = random.Random(seed)
        self.state: State = {}
        self.count = 0
        """Transactions that are in `state`."""
        self.log: list[tuple[list[str], float]] = []
        """What was sent since the server was started, and when it was acknowledged; 0.0: not yet."""

    def key(self, kind: str) -> str:
        return f"{self.name}:{kind}:{self.dice.randrange(KEYS)}"

    def next_write(self) -> list[str]:
        """A random write that cannot fail."""
        dice = self.dice
        value = str(dice.choice((dice.randrange(100), "x" * dice.randrange(1, 200), f"v{dice.random()}")))
        member = f"m{dice.randrange(12)}"
        return dice.choice(
            (
                ["SET", self.key("string"), value],
                ["SET", self.key("string"), value, "EX", "100000"],
                ["APPEND", self.key("string"), value],
                ["INCRBY", self.key("number"), str(dice.randrange(-5, 50))],
                ["RPUSH", self.key("list"), value, member],
                ["LPUSH", self.key("list"), value],
                ["LPOP", self.key("list")],
                ["HSET", self.key("hash"), member, value],
                ["HDEL", self.key("hash"), member],
                ["SADD", self.key("set"), member, str(dice.randrange(9))],
                ["SREM", self.key("set"), member],
                ["ZINCRBY", self.key("zset"), str(dice.randrange(7)), member],
                ["DEL", self.key(dice.choice(("string", "list", "hash", "set", "zset", "number")))],
            )
        )  # fmt: skip

    def write_until_the_end(self, port: int) -> None:
        """Write as fast as the server acknowledges."""
        with contextlib.suppress(OSError):
            peer = Peer(("127.0.0.1", port))
            while True:
                words = self.next_write()
                number = self.count + len(self.log) + 1
                self.log.append((words, 0.0))
                for request in (["MULTI"], words, ["SET", f"{self.name}:count", str(number)], ["EXEC"]):
                    peer.send(*request)
                for _ in range(3):
                    peer.read()
                reply = peer.read()
                assert isinstance(reply, list), f"EXEC said {reply!r}"
                self.log[-1] = (words, time.monotonic())

    def compare(self, peer: Peer, lost_after: float) -> tuple[int, float]:
        """Check what the server holds. Gives how many acknowledged writes are gone, and how old the oldest of them is."""
        found = int(peer.ask("GET", f"{self.name}:count") or 0)  # type: ignore[arg-type]
        kept = found - self.count
        assert 0 <= kept <= len(self.log), (
            f"{self.name}: {found} is no number between {self.count} and what was sent"
        )
        gone = [at for _, at in self.log[kept:] if at]
        for words, _ in self.log[:kept]:
            apply(self.state, words)
        self.count = found
        self.log = []
        actual = {key: value for key in all_keys(peer, self.name) if (value := content(peer, key))}
        assert actual == self.state, f"{self.name}: after {found} transactions the keys differ"
        return len(gone), max((lost_after - at for at in gone), default=0.0)


def apply(state: State, words: list[str]) -> None:
    """Do to the model what the command does to the server."""
    command, key, *rest = words
    match command:
        case "SET":
            state[key] = rest[0]
        case "APPEND":
            state[key] = state.get(key, "") + rest[0]
        case "INCRBY":
            state[key] = str(int(state.get(key, "0")) + int(rest[0]))
        case "RPUSH":
            state[key] = state.get(key, []) + rest
        case "LPUSH":
            state[key] = rest[::-1] + state.get(key, [])
        case "LPOP":
            state[key] = state.get(key, [])[1:]
        case "HSET":
            state.setdefault(key, {})[rest[0]] = rest[1]
        case "HDEL":
            state.get(key, {}).pop(rest[0], None)
        case "SADD":
            state.setdefault(key, set()).update(rest)
        case "SREM":
            state.get(key, set()).discard(rest[0])
        case "ZINCRBY":
            scores = state.setdefault(key, {})
            scores[rest[1]] = scores.get(rest[1], 0) + int(rest[0])
    if command == "DEL" or not state.get(key):
        state.pop(key, None)


def all_keys(peer: Peer, name: str) -> list[str]:
    """The keys of one client, without its count."""
    reply: Any = peer.ask("KEYS", f"{name}:*:*")
    return [key.decode() for key in reply]


def content(peer: Peer, key: str) -> object:
    """What a key holds, as the model has it."""
    ask: dict[str, Callable[[], Any]] = {
        "string": lambda: peer.ask("GET", key),
        "number": lambda: peer.ask("GET", key),
        "list": lambda: peer.ask("LRANGE", key, 0, -1),
        "hash": lambda: peer.ask("HGETALL", key),
        "set": lambda: peer.ask("SMEMBERS", key),
        "zset": lambda: peer.ask("ZRANGE", key, 0, -1, "WITHSCORES"),
    }
    kind = key.split(":")[1]
    reply = ask[kind]()
    if kind in ("string", "number"):
        return reply.decode()
    words = [word.decode() for word in reply]
    if kind in ("hash", "zset"):
        pairs = zip(words[::2], words[1::2], strict=True)
        return {name: int(value) if kind == "zset" else value for name, value in pairs}
    return set(words) if kind == "set" else words


class Crashes:
    """One folder, one policy, and as many lives of the server as are asked for."""

    def __init__(
        self,
        folder: Path,
        policy: str,
        *,
        seed: int = 0,
        clients: int = 4,
        power: bool = False,
        longest: float = 0.6,
    ) -> None:
        self.folder = folder / "data"
        self.notes = folder / "notes"
        self.folder.mkdir()
        self.notes.mkdir()
        self.dice = random.Random(seed)
        self.writers = [Writer(f"c{number}", self.dice.randrange(1 << 30)) for number in range(clients)]
        self.longest = longest
        self.power = power
        self.arguments = ["--appendonly", "yes", "--appendfsync", policy, "--save", ""]
        if power:
            self.arguments += [
                "--use",
                f"persistence.Files={Path(__file__).with_name('power.py')}:NotedFiles",
            ]
            os.environ["NOTES"] = str(self.notes)
        self.kills = self.acknowledged = self.lost = self.bytes_lost = self.cut_short = 0
        self.oldest_lost = 0.0

    def live_once(self) -> None:
        """Start, compare with what was before, write, and die."""
        server = Running(
            self.folder, *self.arguments, "--aof-use-rdb-preamble", self.dice.choice(("yes", "no"))
        )
        try:
            self.compare(server)
            threads = [
                threading.Thread(target=each.write_until_the_end, args=(server.port,))
                for each in self.writers
            ]
            for thread in threads:
                thread.start()
            self._disturb(server, self.dice.uniform(0.05, self.longest))
        finally:
            server.kill()
        self.died = time.monotonic()
        for thread in threads:
            thread.join()
        self.kills += 1
        self.acknowledged += sum(1 for each in self.writers for _, at in each.log if at)
        self._look_at_the_disk()

    def _disturb(self, server: Running, seconds: float) -> None:
        """Ask for snapshots and rewrites now and then, until it is time to die."""
        end = time.monotonic() + seconds
        peer = server.connect()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.dice.uniform(0.0, 0.3)))
            peer.ask(self.dice.choice(("BGSAVE", "BGREWRITEAOF", "PING")))
        peer.close()

    def _look_at_the_disk(self) -> None:
        """What was being written is in the way of nothing; lose power, if that is wanted."""
        self.cut_short += bool(list(self.folder.rglob("temp-*")))
        for path in self.folder.rglob("temp-*"):
            path.unlink()
        for path in self.folder.glob("log-*"):
            path.unlink()
        if self.power:
            self.bytes_lost += lose_power(self.folder, self.notes, self.dice)
        snapshot = self.folder / "dump.rdb"
        if snapshot.exists():
            verdict = check(str(snapshot))
            assert verdict.ok, verdict.text

    def compare(self, server: Running) -> None:
        """Hold what came back against the models."""
        peer = server.connect()
        for writer in self.writers:
            lost, age = writer.compare(peer, getattr(self, "died", 0.0))
            self.lost += lost
            self.oldest_lost = max(self.oldest_lost, age)
        peer.close()

    def finish(self) -> None:
        """Start a last time and compare."""
        server = Running(self.folder, *self.arguments)
        try:
            self.compare(server)
        finally:
            server.kill()

    def report(self) -> str:
        return (
            f"{self.kills} kills, {self.acknowledged} writes acknowledged, {self.lost} of them lost, the oldest of those "
            f"{self.oldest_lost:.2f} s before the end; {self.cut_short} snapshots or rewrites cut short, "
            f"{self.bytes_lost} bytes that were not synced taken away"
        )


def try_all(words: list[str]) -> str | None:
    """Try every promise at once: much of the time each of them waits for a server to start. Gives what failed."""
    tried = [
        (promise, subprocess.Popen([sys.executable, __file__, *promise, *words])) for promise in PROMISES
    ]
    failed = [" ".join(promise) for promise, process in tried if process.wait()]
    return f"not kept: {'; '.join(failed)}" if failed else None


def main() -> None:
    """Kill as often as is asked for, and say what was lost."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--policy", choices=("always", "everysec"), help="all, if none is named")
    parser.add_argument("--power", action="store_true", help="take away what was not synced, too")
    parser.add_argument("--longest", type=float, default=0.6, help="seconds that the server lives at most")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.policy is None:
        sys.exit(try_all(sys.argv[1:]))
    name = arguments.policy + (", power" if arguments.power else "")
    with tempfile.TemporaryDirectory() as folder:
        crashes = Crashes(
            Path(folder), arguments.policy, seed=arguments.seed, power=arguments.power, longest=arguments.longest
        )  # fmt: skip
        for number in range(arguments.kills):
            crashes.live_once()
            if number % 10 == 9:
                print(f"{name}: {crashes.report()}", flush=True)
        crashes.finish()
    print(f"{name}: {crashes.report()}")
    grace = GRACE_SECONDS if arguments.policy == "everysec" else 0.0
    if crashes.oldest_lost > grace or (crashes.lost and not grace):
        sys.exit("acknowledged writes were lost that should not have been")


if __name__ == "__main__":
    main()
