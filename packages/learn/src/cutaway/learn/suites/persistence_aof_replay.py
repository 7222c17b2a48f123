"""The contract of replaying an append-only file: what counts, where to cut, and when to refuse.

What is expected is what the house's own replay gives for the same bytes, in a directory that exists in memory only.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from hypothesis import strategies as st

from cutaway.learn.lessons import Said, Scene
from cutaway.learn.rules import Suite
from cutaway.learn.suites.streams import encoded, payloads
from cutaway.persistence import AOFError, AOFReplay, MemoryDisk

suite: Final = Suite("persistence.aof-replay")

NAME: Final = "appendonly.aof.1.incr.aof"
MANIFEST: Final = f"file {NAME} seq 1 type i\n".encode()

Outcome = tuple[list[list[bytes]], int]


def reference(data: bytes) -> Outcome:
    """The commands that count, and the offset up to which they do. Raises AOFError for what is damaged."""
    disk = MemoryDisk()
    disk.open_append("d/appendonly.aof.manifest").write(MANIFEST)
    disk.open_append(f"d/{NAME}").write(data)
    replay = AOFReplay(disk, "d")
    commands = [item for item in replay if isinstance(item, list)]
    return commands, len(data) if replay.torn is None else replay.torn.offset


def judge_each_tail(part: Any, data: bytes) -> None:
    """Let the file end at every place, the shortest first: the failures are small that way."""
    for size in range(len(data) + 1):
        judge(part, data[:size])


def judge(part: Any, data: bytes) -> None:
    """Compare the reader's replay of a file with ours."""
    expected, whole = reference(data)
    with Scene() as scene:
        scene.tell("replay", f"{len(data)} bytes")
        result = part(data)
        if not isinstance(result, tuple) or len(result) != 2:
            scene.fail(
                "replay() returns two things: the list of commands, and the offset up to which the file counts.",
                got=result,
            )
        got, offset = result
        if got != expected:
            scene.mark(
                "the file", data, whole, "it counts up to here" if whole < len(data) else "all of it counts"
            )
        scene.expect(expected, got)
        if offset != whole:
            scene.mark("the file", data, whole, "the cut belongs here")
            scene.fail(
                "The commands are right, the offset is not: there the file will be cut, and appended to.",
                expected=whole,
                got=offset,
            )


words = st.sampled_from([b"SET", b"DEL", b"k", b"v", b"10"]) | payloads
commands = st.lists(words, min_size=1, max_size=3).filter(
    lambda argv: argv[0].upper() not in (b"MULTI", b"EXEC")
)
transactions = st.lists(commands, max_size=2).map(lambda inside: [[b"MULTI"], *inside, [b"EXEC"]])
stories = st.lists(commands.map(lambda argv: [argv]) | transactions, max_size=3).map(
    lambda parts: list(chain.from_iterable(parts))
)


@suite.rule(
    "A whole file gives its commands in order, and counts to its end",
    "The file holds requests as clients send them, nothing else. Payloads may hold line ends, so lengths are what counts.",
    story=st.lists(commands, max_size=3),
    examples=60,
)
def whole_files(part: Any, story: list[list[bytes]]) -> None:
    judge(part, encoded(story))


@suite.rule(
    "A file may end within a command: that tail does not count",
    "The server was killed while it wrote. The half command was never acknowledged, so nobody misses it; everything before it was, and "
    "must come back. The offset is where the half command begins.",
    story=st.lists(commands, min_size=1, max_size=2),
    examples=30,
)
def torn_tails(part: Any, story: list[list[bytes]]) -> None:
    judge_each_tail(part, encoded(story))


@suite.rule(
    "A transaction counts as a whole or not at all",
    "Between MULTI and EXEC there is a promise: all of it or nothing. If the file ends before EXEC, not one of the commands since MULTI may be "
    "replayed, and the cut is made before MULTI.",
    story=stories,
    examples=40,
)
def torn_transactions(part: Any, story: list[list[bytes]]) -> None:
    judge_each_tail(part, encoded(story))


@suite.rule(
    "Lines that begin with # are remarks",
    "With `aof-timestamp-enabled` the server notes the time between commands: `#TS:1700000000` and a line end. They are passed over.",
    story=stories,
    place=st.integers(0, 5),
)
def remarks(part: Any, story: list[list[bytes]], place: int) -> None:
    pieces = [encoded([argv]) for argv in story]
    pieces.insert(place % (len(pieces) + 1), b"#TS:1700000000\r\n")
    judge(part, b"".join(pieces))


DAMAGED: Final = (
    b"GET k\r\n", b"*x\r\n", b"*0\r\n", b"*-1\r\n", b"*1\r\n:1\r\n", b"*1\r\n$x\r\nab\r\n", b"*1\r\n$1\r\nabc\r\n", b"\r\n",
)  # fmt: skip


@suite.rule(
    "What is no command, and is not cut off either, is damage: ValueError",
    "A torn tail is harmless and is cut off without asking. Damage in the middle is not: cutting there would throw away all that follows, and only "
    "the owner of the data can decide that.",
    before=st.lists(commands, max_size=2),
    damage=st.sampled_from(DAMAGED),
    after=st.lists(commands, min_size=1, max_size=1),
    examples=60,
)
def damage(part: Any, before: list[list[bytes]], damage: bytes, after: list[list[bytes]]) -> None:
    data = encoded(before) + damage + encoded(after)
    try:
        reference(data)
    except AOFError:
        pass
    else:
        return
    with Scene() as scene:
        scene.tell("replay", f"{len(data)} bytes")
        try:
            got = part(data)
        except ValueError:
            return
        scene.mark("the file", data, len(encoded(before)), "no command, and not the end of the file")
        scene.fail("", expected=Said("ValueError"), got=got)
