"""Random sequences of all data commands on our engine and on a real server: every reply has to be the same, to the byte.

    python packages/commands/tests/differential.py --seed 1 --commands 20000 --protocol 3

The requests come from the commands' declarations (`request_generator.py`). They run in blocks, each on an empty keyspace with
thresholds of its own, so that values change their encoding early. At a block's end the digests of all keys are compared, as
DEBUG DIGEST-VALUE computes them. A difference is shrunk to the shortest sequence that still shows it and
printed; the next block goes on. The exit status is 1 if there was any.

Not every reply can be compared byte for byte: see `comparisons.py`. And a digest does not see everything, so at the end of a
block each key's encoding, its expiry, its fields' expiries and its consumer groups are asked for, and its DUMP goes from each
server to the other, where the value must come to life with the digest it had.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from random import Random
from typing import Final

from comparisons import agree, decoded, is_known
from request_generator import ALL_KEYS, FIELDS, KEYS, LEX_KEYS, RequestGenerator, is_data_command

from cutaway.commands import Command, Engine
from cutaway.config import Config
from cutaway.testing import MissingServerError, RealServer
from cutaway.testing.twins import EnginePeer, all_tables

Request = list[bytes]

BLOCK: Final = 150
THRESHOLDS: Final = {
    "hash-max-listpack-entries": ("2", "4", "512"), "hash-max-listpack-value": ("5", "64"),
    "set-max-intset-entries": ("2", "512"), "set-max-listpack-entries": ("3", "128"), "set-max-listpack-value": ("5", "64"),
    "zset-max-listpack-entries": ("2", "128"), "zset-max-listpack-value": ("5", "64"),
    "list-max-listpack-size": ("2", "-2", "-1"), "list-compress-depth": ("0", "1"),
    "stream-node-max-entries": ("2", "100"),
}  # fmt: skip


QUESTIONS: Final[tuple[Request, ...]] = (
    [b"DEBUG", b"DIGEST-VALUE", *ALL_KEYS, *LEX_KEYS],
    *([b"OBJECT", b"ENCODING", key] for key in ALL_KEYS),
    *([b"PTTL", key] for key in ALL_KEYS),
    *([b"HPTTL", key, b"FIELDS", b"%d" % len(FIELDS), *FIELDS] for key in KEYS["hash"]),
    *([b"XINFO", b"STREAM", key, b"FULL"] for key in KEYS["stream"]),
)
"""What is asked at the end of a block."""


class Difference(Exception):  # noqa: N818
    """The two servers answered differently."""

    def __init__(self, place: int, request: Request, ours: bytes, real: bytes) -> None:
        super().__init__(request)
        self.place, self.request, self.ours, self.real = place, request, ours, real


def give_codec(engine: Engine) -> None:
    """Give `engine` what DUMP and RESTORE need, if the rooms that have it are installed."""
    try:
        from cutaway.server.outside import give
    except ImportError:
        return
    give(engine)


class Pair:
    """Our engine, and a connection to the real server."""

    def __init__(self, server: RealServer, protocol: int) -> None:
        self.protocol: Final = protocol
        self._real: Final = server.connect()
        self._real.ask("HELLO", protocol)
        self.start([])

    def start(self, thresholds: Sequence[tuple[str, str]]) -> None:
        """Empty both, with these thresholds."""
        self.engine = Engine(*all_tables(), rng=Random(1), config=Config({"enable-debug-command": "yes"}))
        give_codec(self.engine)
        self._ours = EnginePeer(self.engine, self.protocol)
        self._ours.client.deny_blocking = True
        self._real.ask("FLUSHALL")
        if thresholds:
            self._real.ask("CONFIG", "SET", *(word for pair in thresholds for word in pair))
            self.engine.config.set(thresholds)

    def ours(self, request: Request) -> bytes:
        """Our reply to a request."""
        reply = self._ours.ask_bytes(*request)
        assert reply, request
        return reply

    def real(self, requests: Sequence[Request]) -> list[bytes]:
        """The real server's replies, sent for together."""
        return self._real.ask_all(requests)

    def run(self, requests: Sequence[Request]) -> None:
        """Ask both everything, then compare what they hold. Raises Difference."""
        # The requests that the real server refuses to answer are not generated, so all have one reply each.
        asked = [*requests, *QUESTIONS]
        for place, (request, real) in enumerate(zip(asked, self.real(asked), strict=True)):
            ours = self.ours(request)
            if ours != real and not self._agree(request, ours, real):
                raise Difference(min(place, len(requests)), request, ours, real)
        if "codec" in self.engine.extras:
            self._exchange(len(requests))

    def _agree(self, request: Request, ours: bytes, real: bytes) -> bool:
        command = self.engine.lookup(request)
        return isinstance(command, Command) and agree(command, request, ours, real)

    def _exchange(self, place: int) -> None:
        """Each value's DUMP to the other server, and see that it is the same value there. Raises Difference."""
        dumps = [[b"DUMP", key] for key in ALL_KEYS]
        here, there = list(map(self.ours, dumps)), self.real(dumps)
        for key, ours, real in zip(ALL_KEYS, here, there, strict=True):
            mine, its = decoded(ours), decoded(real)
            if mine is None:
                continue
            steps = [[b"RESTORE", b"copy", b"0", its, b"REPLACE"], [b"DEBUG", b"DIGEST-VALUE", b"copy", key]]
            answers = [self.ours(request) for request in steps]
            steps[0][3] = mine
            answers += self.real(steps)
            digests = (
                {decoded(answers[1])[0], decoded(answers[3])[0]}
                if answers[0] == answers[2] == b"+OK\r\n"
                else set()
            )
            if len(digests) != 1:
                raise Difference(place, [b"RESTORE", key], answers[0] + answers[1], answers[2] + answers[3])


def sequence(pair: Pair, generator: RequestGenerator, length: int) -> list[Request]:
    """A sequence to run; what leaves the two servers with different values is followed by the key's end."""
    requests: list[Request] = list(generator.begin())
    while len(requests) < length:
        request = generator.request()
        requests.append(request)
        command = pair.engine.lookup(request)
        if not isinstance(command, Command) or not command.is_write or len(request) < 2:
            continue
        if command.name == "spop" or is_known(command, request):
            requests.append([b"DEL", *request[1:]])
    return requests


def shrink(pair: Pair, thresholds: Sequence[tuple[str, str]], requests: list[Request]) -> list[Request]:
    """The shortest sequence found that still ends in a difference at the same command. Some hundred runs."""
    name = requests[-1][0]

    def fails(shorter: list[Request]) -> bool:
        pair.start(thresholds)
        try:
            pair.run(shorter)
        except Difference as difference:
            return difference.request[0] == name or difference.place == len(shorter)
        return False

    size = max(1, len(requests) // 2)
    while size:
        place = 0
        while place < len(requests):
            shorter = requests[:place] + requests[place + size :]
            if shorter and fails(shorter):
                requests = shorter
            else:
                place += size
        size //= 2
    return requests


def report(thresholds: Sequence[tuple[str, str]], requests: Sequence[Request], difference: Difference) -> str:
    """A difference in words."""
    lines = [f"--- {' '.join(word.decode('latin-1') for word in difference.request)!r}"]
    lines.append("    with " + ", ".join(f"{name} {value}" for name, value in thresholds))
    lines += ["    " + " ".join(repr(word)[1:] for word in request) for request in requests]
    return "\n".join([*lines, f"    ours {difference.ours[:600]!r}", f"    real {difference.real[:600]!r}"])


def compare(server: RealServer, *, seed: int, commands: int, protocol: int, only: str = "") -> list[str]:
    """Run so many commands; what differed."""
    rng, pair, found, known = Random(seed), Pair(server, protocol), [], set()
    everyone = [
        each for parent in pair.engine.commands.values() for each in (parent, *parent.subcommands.values())
    ]
    chosen = [each for each in everyone if is_data_command(each) and only in {"", each.group}]
    generator = RequestGenerator(chosen, rng)
    for _ in range(max(1, commands // BLOCK)):
        thresholds = [(name, rng.choice(values)) for name, values in THRESHOLDS.items()]
        requests = sequence(pair, generator, BLOCK)
        pair.start(thresholds)
        try:
            pair.run(requests)
        except Difference as difference:
            signature = (*difference.request[:1], difference.ours[:30], difference.real[:30])
            if signature in known:
                continue
            known.add(signature)
            shortest = shrink(pair, thresholds, requests[: difference.place + 1])
            pair.start(thresholds)
            try:
                pair.run(shortest)
            except Difference as smallest:
                difference = smallest
            found.append(report(thresholds, shortest, difference))
            print(found[-1], flush=True)  # noqa: T201
    return found


def compare_keys(server: RealServer, *, seed: int, commands: int, protocol: int) -> list[str]:
    """What COMMAND GETKEYS and GETKEYSANDFLAGS find in so many requests; what differed."""
    pair, found = Pair(server, protocol), []
    everyone = [
        each for parent in pair.engine.commands.values() for each in (parent, *parent.subcommands.values())
    ]
    chosen = [each for each in everyone if each.key_specs and not each.subcommands]
    generator = RequestGenerator(chosen, Random(seed))
    for _ in range(commands // 2):
        request = generator.request()
        for word in (b"GETKEYS", b"GETKEYSANDFLAGS"):
            question = [b"COMMAND", word, *request]
            ours, real = pair.ours(question), pair.real([question])[0]
            if ours != real:
                found.append(report([], [], Difference(0, question, ours, real)))
                print(found[-1], flush=True)  # noqa: T201
    return found


def main() -> int:
    """Start a real server, compare, say what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--protocol", type=int, choices=(2, 3), default=3)
    parser.add_argument("--group", default="", help="only the commands of this group")
    parser.add_argument("--keys", action="store_true", help="do not run them, ask for their keys")
    options = parser.parse_args()
    chosen = {"seed": options.seed, "commands": options.commands, "protocol": options.protocol}
    try:
        with RealServer("any") as server:
            if options.keys:
                found = compare_keys(server, **chosen)
            else:
                found = compare(server, **chosen, only=options.group)
    except MissingServerError as missing:
        print(missing)  # noqa: T201
        return 0
    print(  # noqa: T201
        f"{options.commands} commands, RESP{options.protocol}, seed {options.seed}: {len(found)} differences"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
