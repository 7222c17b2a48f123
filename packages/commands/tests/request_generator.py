"""Random requests, made from what the commands' own declarations say about their arguments.

A new command needs nothing here: its syntax line is parsed to a tree (`cutaway.commands.syntaxes`), and a walk through the tree
gives a request that is right in form, over a small set of keys that hold each type. A share of the requests is then spoilt:
an argument dropped, doubled, replaced by something nasty. Values are drawn from pools of what has gone wrong somewhere
before: the edges of 64 bits, spellings that one parser of numbers takes and another does not, empty strings.
"""

from __future__ import annotations

from random import Random
from typing import Final

from cutaway.commands import Command
from cutaway.commands.syntaxes import Argument, arguments_of

DATA_GROUPS: Final = frozenset(
    ["string", "list", "set", "sorted-set", "hash", "bitmap", "hyperloglog", "geo", "stream", "generic"]
)
LEFT_OUT: Final = frozenset(
    [
        "dump",
        "restore",
        "migrate",
        "wait",
        "waitaof",
        "object",
        "object|help",
        "object|refcount",
        "xgroup|help",
        "xinfo|help",
        "pfdebug",
        "pfselftest",
    ]
)
"""Data commands whose replies say nothing to compare, or that wait for others."""

KEYS: Final = {
    "string": (b"str:1", b"str:2"),
    "bitmap": (b"str:1", b"bits"),
    "hyperloglog": (b"hll:1", b"hll:2"),
    "list": (b"list:1", b"list:2"),
    "set": (b"set:1", b"set:2", b"set:3"),
    "sorted-set": (b"zset:1", b"zset:2", b"zset:3"),
    "geo": (b"geo:1", b"geo:2"),
    "hash": (b"hash:1", b"hash:2"),
    "stream": (b"stream:1", b"stream:2"),
}
ALL_KEYS: Final = tuple(dict.fromkeys(key for keys in KEYS.values() for key in keys)) + (b"", b"none")  # noqa: RUF005

NASTY: Final = (
    b"", b" ", b"0", b"-1", b"1", b"+1", b"01", b" 1", b"1 ", b"-0", b"1.0", b"1e3", b"abc", b"inf", b"nan", b"*", b"\x00\xff",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809", b"18446744073709551616",
)  # fmt: skip
SMALL: Final = tuple(b"%d" % number for number in range(-4, 6))
EDGES: Final = (
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"4294967296",
    b"x",
    b"",
    b"1.5",
    b"+2",
    b"007",
)
TEXTS: Final = (b"a", b"b", b"c", b"d", b"abc", b"1", b"2", b"-5", b"12", b"3.5", b"", b"hello world", b"\x00\x01\xff", b"A",
                b"9223372036854775807", b"x" * 70, b"01", b"10")  # fmt: skip
DOUBLES: Final = (
    b"0", b"-0", b"1", b"2", b"-1", b"1.5", b"3.14159265358979", b"0.1", b"1e20", b"1e-5", b"inf", b"-inf", b"+inf", b"nan", b"1e400",
    b"123456789012345680", b" 1", b"1 ", b"", b"x", b"1e", b".5", b"5.", b"1_0", b"2.5e3",
)  # fmt: skip
SCORE_BOUNDS: Final = (
    b"-inf",
    b"+inf",
    b"0",
    b"1",
    b"(1",
    b"2",
    b"(2",
    b"1.5",
    b"(inf",
    b"x",
    b"(",
    b"nan",
    b"[1",
)
LEX_BOUNDS: Final = (b"-", b"+", b"[a", b"(a", b"[b", b"(c", b"[", b"(", b"a", b"", b"[abc")
STREAM_IDS: Final = (b"1-1", b"1-2", b"2-0", b"3", b"3-5", b"4-*", b"0-0", b"0", b"5-1", b"6", b"7-7", b"x", b"-", b"+", b"1-1-1", b"",
                     b"18446744073709551615-18446744073709551615", b"18446744073709551616-1", b"$")  # fmt: skip
STREAM_BOUNDS: Final = (b"-", b"+", b"1-1", b"(1-1", b"2", b"(2-0", b"5", b"(", b"x", b"0-0", b"(-", b"18446744073709551615",
                        b"(18446744073709551615-18446744073709551615")  # fmt: skip
FAR: Final = (b"100", b"1000", b"100000")
LONG: Final = (b"100000", b"1000000", b"100000000")
PAST_AND_FAR: Final = (
    b"1",
    b"0",
    b"-1",
    b"4102444800",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"x",
    b"99999999999",
)
PAST_AND_FAR_MS: Final = (b"1", b"0", b"-1", b"4102444800000", b"9223372036854775807", b"x", b"", b"1.5")
BAD_TIMES: Final = (b"0", b"-1", b"9223372036854775807", b"x", b"", b"9223372036854775", b"1.5")
OFFSETS: Final = (
    b"0",
    b"1",
    b"5",
    b"7",
    b"8",
    b"100",
    b"-1",
    b"-8",
    b"4294967296",
    b"536870912",
    b"x",
    b"",
    b"#1",
    b"#0",
)

POOLS: Final[dict[str, tuple[bytes, ...]]] = {
    "pattern": (b"*", b"a*", b"?", b"[a-c]", b"[^a]*", b"\\*", b"", b"str:*", b"*1", b"#", b"w_*", b"hash:1->*", b"hash:*->a", b"["),
    "offset": OFFSETS,
    "increment": (*SMALL, *EDGES),
    "min": SCORE_BOUNDS, "max": SCORE_BOUNDS,
    "score": DOUBLES, "weight": DOUBLES,
    "encoding": (b"u8", b"i8", b"u1", b"i64", b"u63", b"u64", b"i65", b"u0", b"i5", b"x", b"", b"u", b"I8"),
    "bit": (b"0", b"1", b"2", b"x", b"-1"),
    "cursor": (b"0", b"0", b"0", b"0", b"x", b"-1", b"18446744073709551615", b"18446744073709551616", b""),
    "seconds": (*FAR, *FAR, *BAD_TIMES),
    "milliseconds": (*LONG, *LONG, *BAD_TIMES),
    "unix-time-seconds": PAST_AND_FAR, "unix-time-milliseconds": PAST_AND_FAR_MS,
    "timeout": (b"0.001", b"0.002", b"0.001", b"-1", b"x", b"", b"1e400", b"nan"),
    "min-idle-time": (b"0", b"0", b"100000000", b"-1", b"x"),
    "ms": (b"0", b"1000", b"-1", b"x"),
    "id": STREAM_IDS, "last-id": STREAM_IDS, "lastid": STREAM_IDS, "last-delivered-id": STREAM_IDS, "max-deleted-id": STREAM_IDS,
    "start": SMALL, "stop": SMALL, "end": SMALL,
    "threshold": (b"0", b"1", b"2", b"3", b"100", b"2-0", b"1-1", b"-1", b"x", b""),
    "group": (b"g1", b"g2", b""), "consumer": (b"c1", b"c2", b""),
    "longitude": (b"13.361389", b"15.087269", b"0", b"-180", b"180", b"181", b"x", b"2.5"),
    "latitude": (b"38.115556", b"37.502669", b"0", b"85.05112878", b"-85.05112878", b"86", b"x", b"1.5"),
    "radius": (b"0", b"1", b"200", b"5000", b"30000", b"-1", b"x"), "width": (b"0", b"400", b"30000", b"-1", b"x"),
    "height": (b"0", b"400", b"30000", b"-1", b"x"),
    "db": (b"0", b"1", b"2", b"16", b"-1", b"x"), "destination-db": (b"0", b"1", b"2", b"16", b"-1", b"x"),
    "type": (b"string", b"list", b"set", b"zset", b"hash", b"stream", b"HASH", b"x"),
    "rank": (*SMALL, b"-9223372036854775808", b"x"),
    "comparison-value": TEXTS, "value": TEXTS, "member": TEXTS[:12], "element": TEXTS, "field": TEXTS[:9],
}  # fmt: skip
POOLS_IN: Final[dict[str, dict[str, tuple[bytes, ...]]]] = {
    **dict.fromkeys(("zlexcount", "zrangebylex", "zrevrangebylex", "zremrangebylex"), {"min": LEX_BOUNDS, "max": LEX_BOUNDS}),  # noqa: RUF024
    **dict.fromkeys(("zrange", "zrangestore"), dict.fromkeys(("start", "stop", "min", "max"), (*SMALL, *SCORE_BOUNDS, *LEX_BOUNDS))),
    **dict.fromkeys(("xrange", "xrevrange", "xpending", "xautoclaim"), {"start": STREAM_BOUNDS, "end": STREAM_BOUNDS}),  # noqa: RUF024
    **dict.fromkeys(("xread", "xreadgroup"), {"milliseconds": (b"1", b"2", b"-1", b"x")}),  # noqa: RUF024
    **dict.fromkeys(("incrbyfloat", "hincrbyfloat"), {"increment": DOUBLES}),  # noqa: RUF024
    "geoadd": {"member": (b"Palermo", b"Catania", b"x")},
}  # fmt: skip
COUNTED: Final = frozenset({"numkeys", "numfields"})


def is_data_command(command: Command) -> bool:
    """Whether a command is one to send."""
    return (
        command.group in DATA_GROUPS
        and command.full_name not in LEFT_OUT
        and "admin" not in command.flags
        and not (command.subcommands or command.name == "help")
    )


class RequestGenerator:
    """Makes random requests for a set of commands."""

    def __init__(self, commands: list[Command], rng: Random) -> None:
        self._commands: Final = commands
        self._rng: Final = rng
        self._trees: Final = {each.full_name: arguments_of(each) for each in commands}

    def request(self) -> list[bytes]:
        """One request: mostly right in form."""
        command = self._rng.choice(self._commands)
        name = command.full_name.upper().encode().split(b"|")
        words = self._sequence(command, self._trees[command.full_name])
        if self._rng.random() < 0.12:
            self._spoil(words, gently=command.is_blocking)
        return [*name, *words]

    def _spoil(self, words: list[bytes], *, gently: bool) -> None:
        """Make something wrong. Gently: nothing that might let the real server wait for ever."""
        rng = self._rng
        if not words:
            return
        place = rng.randrange(len(words))
        kind = rng.randrange(1 if gently else 4)
        if kind == 0:
            del words[place]
        elif kind == 1:
            words[place] = rng.choice(NASTY)
        elif kind == 2:
            words.insert(place, words[place])
        else:
            words.append(rng.choice(NASTY))

    def _sequence(self, command: Command, arguments: tuple[Argument, ...]) -> list[bytes]:
        words: list[bytes] = []
        count_at = -1
        for argument in arguments:
            if argument.name in COUNTED and not argument.optional:
                words += [] if argument.token is None else [self._token(argument)]
                count_at = len(words)
                words.append(b"")
                continue
            before = len(words)
            times = self._argument(command, argument, words)
            if count_at >= 0 and len(words) > before:
                words[count_at] = (
                    b"%d" % times if self._rng.random() < 0.9 else self._rng.choice(SMALL + EDGES)
                )
                count_at = -1
        return words

    def _argument(self, command: Command, argument: Argument, words: list[bytes]) -> int:
        """Append an argument's words; how many times it was repeated."""
        rng = self._rng
        if argument.optional and rng.random() > 0.35:
            return 0
        times = rng.choice((1, 1, 2, 3)) if argument.multiple else 1
        for time in range(times):
            if argument.token is not None and (time == 0 or argument.multiple_token):
                words.append(self._token(argument))
            self._value(command, argument, words)
        return times

    def _token(self, argument: Argument) -> bytes:
        token = (argument.token or "").encode()
        return token.lower() if self._rng.random() < 0.5 else token

    def _value(self, command: Command, argument: Argument, words: list[bytes]) -> None:
        rng = self._rng
        if argument.type == "oneof":
            choices = [
                each for each in argument.arguments if each.token != "*"
            ]  # an id by the clock cannot be compared
            self._argument(command, rng.choice(choices), words)
        elif argument.type == "block":
            words += self._sequence(command, argument.arguments)
        elif argument.type != "pure-token":
            words.append(self._drawn(command, argument))

    def _drawn(self, command: Command, argument: Argument) -> bytes:
        rng, name = self._rng, argument.name
        if argument.type == "key":
            own = KEYS.get(command.group, ALL_KEYS)
            return rng.choice(own if rng.random() < 0.92 else ALL_KEYS)
        pool = POOLS_IN.get(command.full_name, {}).get(name) or POOLS.get(name)
        if pool is None:
            pool = {"integer": SMALL + EDGES[:3], "double": DOUBLES, "pattern": POOLS["pattern"]}.get(
                argument.type, TEXTS
            )
        return rng.choice(pool)
