"""Random requests, made from what the commands' own declarations say about their arguments.

A new command needs nothing here: its syntax line is parsed to a tree (`cutaway.commands.syntaxes`), and a walk through the tree
gives a request that is right in form, over a small set of keys that hold each type. Each value is drawn from a `Pool`: mostly
from what makes sense, now and then from what has gone wrong somewhere before: the edges of 64 bits, spellings that one parser of
numbers takes and another does not, empty strings. Then a share of the requests is spoilt: an argument dropped, doubled,
replaced by something nasty.

Commands that find nothing compare little. So requests come in blocks: each begins with a prologue that fills the keys, and takes
most of its commands from one group, so that a key's story is long enough to be interesting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from cutaway.commands import Command
from cutaway.commands.syntaxes import Argument, arguments_of

DATA_GROUPS: Final = (
    "string", "list", "set", "sorted-set", "hash", "bitmap", "hyperloglog", "geo", "stream", "generic",
)  # fmt: skip
LEFT_OUT: Final = frozenset(
    ["dump", "restore", "migrate", "wait", "waitaof", "object", "object|help", "object|refcount", "xgroup|help",
     "xinfo|help", "pfdebug", "pfselftest"]
)  # fmt: skip
"""Data commands whose replies say nothing to compare, that wait for others, or that are asked for otherwise."""

KEYS: Final = {
    "string": (b"str:1", b"str:2"),
    "bitmap": (b"str:1", b"bits", b"bits:2"),
    "hyperloglog": (b"hll:1", b"hll:2"),
    "list": (b"list:1", b"list:2"),
    "set": (b"set:1", b"set:2", b"set:3"),
    "sorted-set": (b"zset:1", b"zset:2", b"zset:3", b"set:1"),
    "geo": (b"geo:1", b"geo:2"),
    "hash": (b"hash:1", b"hash:2"),
    "stream": (b"stream:1", b"stream:2"),
}
LEX_KEYS: Final = (b"lex:1", b"lex:2")
"""Sorted sets whose scores are all 0: only there BYLEX means something. No other command writes to them."""
LEX_COMMANDS: Final = frozenset({"zlexcount", "zrangebylex", "zrevrangebylex", "zremrangebylex"})
SORTED: Final = (b"list:1", b"list:1", b"set:1", b"zset:1", b"list:2")
"""What SORT is for."""
ALL_KEYS: Final = (*dict.fromkeys(key for keys in KEYS.values() for key in keys), b"", b"none")

PROLOGUE: Final = """
    SET str:1 hello
    SET str:2 10
    SET bits abcdefgh
    SETBIT bits:2 70 1
    RPUSH list:1 a b c 1 2 a b 3.5 d abc
    RPUSH list:2 12 -5 1 2
    SADD set:1 1 2 12 -5
    SADD set:2 a b c 1 2
    SADD set:3 a d abc
    ZADD zset:1 1 a 2 b 2 c 3.5 d -5 abc
    ZADD zset:2 0 a 0 b 0 c 0 d 0 abc
    ZADD lex:1 0 a 0 b 0 c 0 d 0 abc
    ZADD lex:2 0 abc 0 1
    ZADD zset:3 inf a -inf b 1 1
    GEOADD geo:1 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 2.5 48.8 Paris
    GEOADD geo:2 13.5 38.1 a -122.4 37.8 b
    HSET hash:1 a 1 b 2 c x 1 10
    HSET hash:2 a 1 b 2 c 3 d 4 abc hello
    PFADD hll:1 a b c
    PFADD hll:2 c d
    XADD stream:1 1-1 a 1
    XADD stream:1 1-2 a 2 b 3
    XADD stream:1 2-0 a 1
    XADD stream:1 3-5 c x
    XADD stream:2 1-0 a 1
    XGROUP CREATE stream:1 g1 0
    XGROUP CREATE stream:1 g2 1-2
    XGROUP CREATE stream:2 g1 $
    XREADGROUP GROUP g1 c1 COUNT 2 STREAMS stream:1 >
    XREADGROUP GROUP g1 c2 COUNT 1 STREAMS stream:1 >
"""
COUNTED: Final = frozenset({"numkeys", "numfields"})


@dataclass(frozen=True, slots=True)
class Pool:
    """The values of an argument: what makes sense, and what is rare, odd or wrong."""

    good: tuple[bytes, ...]
    rare: tuple[bytes, ...] = ()

    def draw(self, rng: Random) -> bytes:
        """One of the good ones, or in one case of ten one of the others."""
        return rng.choice(self.rare if self.rare and rng.random() < 0.1 else self.good)


def pool(good: str, rare: str = "", *, also: tuple[bytes, ...] = (b"",)) -> Pool:
    """A pool from two lines of words; the empty string is always among the rare."""
    return Pool(tuple(good.encode().split()), (*rare.encode().split(), *also))


NASTY: Final = (
    b"", b" ", b"0", b"-1", b"1", b"+1", b"01", b" 1", b"1 ", b"-0", b"1.0", b"1e3", b"abc", b"inf", b"nan", b"*", b"\x00\xff",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809", b"18446744073709551616",
)  # fmt: skip
NUMBERS: Final = pool(
    "-4 -3 -2 -1 0 1 2 3 4 5",
    "9223372036854775807 -9223372036854775808 9223372036854775808 4294967296 2147483648 x 1.5 +2 007",
)
TEXTS: Final = pool(
    "a b c d abc 1 2 -5 12 3.5 10",
    "A 01 9223372036854775807 -9223372036854775808 3.0e3 " + "x" * 70,
    also=(b"", b"hello world", b"\x00\x01\xff", b" 1"),
)
FIELDS: Final = (b"a", b"b", b"c", b"d", b"abc", b"1", b"2", b"")
DOUBLES: Final = pool(
    "0 -0 1 2 -1 1.5 3.14159265358979 0.1 1e20 1e-5 2.5e3 123456789012345680 .5",
    "inf -inf +inf nan 1e400 x 1e 5. 1_0",
    also=(b" 1", b"1 ", b""),
)
SCORE_BOUNDS: Final = pool("-inf +inf 0 1 (1 2 (2 1.5 (inf -5", "x ( nan [1")
LEX_BOUNDS: Final = pool("- + [a (a [b (c [abc [d", "[ ( a")
STREAM_IDS: Final = pool(
    "1-1 1-2 2-0 3 3-5 0-0 0 5-1 6", "7-7 x - + $ 1-1-1 18446744073709551615-1 18446744073709551616-1"
)
STREAM_BOUNDS: Final = pool(
    "- + 1-1 (1-1 2 (2-0 5 0-0 18446744073709551615",
    "( x (- (18446744073709551615-18446744073709551615 1-1-1",
)
UNIX_SECONDS: Final = pool(
    "4102444800 4102444801 99999999999", "1 0 -1 9223372036854775807 -9223372036854775808 x"
)
UNIX_MILLISECONDS: Final = pool("4102444800000 4102444801000", "1 0 -1 9223372036854775807 x 1.5")

POOLS: Final[dict[str, Pool]] = {
    "pattern": Pool((b"*", b"a*", b"?", b"[a-c]", b"[^a]*", b"str:*", b"*1", b"#", b"w_*", b"hash:1->*", b"hash:*->a"),
                    (b"\\*", b"", b"[", b"[a", b"a\\", b"hash:*->", b"*->*")),
    "offset": pool("0 1 5 7 8 100 #1 #0", "-1 -8 4294967296 100000 x"),
    "increment": NUMBERS, "decrement": NUMBERS, "rank": NUMBERS,
    "min": SCORE_BOUNDS, "max": SCORE_BOUNDS,
    "score": DOUBLES, "weight": DOUBLES,
    "encoding": pool("u8 i8 u1 i64 u63 i5 u16", "u64 i65 u0 x u I8"),
    "bit": pool("0 1", "2 x -1"),
    "cursor": pool("0", "x -1 18446744073709551615 18446744073709551616"),
    "seconds": pool("100 1000 100000", "0 -1 9223372036854775807 x 9223372036854775 1.5"),
    "milliseconds": pool("100000 1000000 100000000", "0 -1 9223372036854775807 x 9223372036854775 1.5"),
    "unix-time-seconds": UNIX_SECONDS, "unix-time-milliseconds": UNIX_MILLISECONDS,
    "timeout": pool("0.001 0.002", "-1 x 1e400 nan"),
    "min-idle-time": pool("0", "100000000 -1 x"), "ms": pool("0 1000", "-1 x"),
    "id": STREAM_IDS, "last-id": STREAM_IDS, "lastid": STREAM_IDS, "last-delivered-id": STREAM_IDS,
    "max-deleted-id": pool("0-0 1-1 2-0", "x 9-9"),
    "start": NUMBERS, "stop": NUMBERS, "end": NUMBERS,
    "threshold": pool("0 1 2 3 100 2-0 1-1", "-1 x"),
    "group": pool("g1 g2", "g3"), "consumer": pool("c1 c2 c3"),
    "longitude": pool("13.361389 15.087269 0 2.5", "-180 180 181 x"),
    "latitude": pool("38.115556 37.502669 0 48.8", "85.05112878 -85.05112878 86 x"),
    "radius": pool("1 200 5000 30000", "0 -1 x"), "width": pool("400 3000 30000", "0 -1 x"), "height": pool("400 3000 30000", "0 -1 x"),
    "db": pool("0 1 2", "16 -1 x"), "destination-db": pool("0 1 2", "16 -1 x"),
    "type": pool("string list set zset hash stream HASH", "x"),
    "count": pool("0 1 2 3 5 100", "-1 -3 9223372036854775807 -9223372036854775808 x"),
    "num-matches": pool("0 1 2 5", "-1 x"), "len": pool("0 1 3", "-1 x"), "maxlen": pool("0 1 3", "-1 x"),
    "field": Pool(FIELDS),
    "member": Pool(TEXTS.good[:8], TEXTS.rare), "element": Pool(TEXTS.good[:8], TEXTS.rare), "pivot": Pool(TEXTS.good[:8], TEXTS.rare),
}  # fmt: skip
_RANGE_BOUNDS: Final = Pool(
    NUMBERS.good, (*SCORE_BOUNDS.good, *LEX_BOUNDS.good, *SCORE_BOUNDS.rare, *LEX_BOUNDS.rare)
)
POOLS_IN: Final[dict[str, dict[str, Pool]]] = {
    **{name: {"min": LEX_BOUNDS, "max": LEX_BOUNDS} for name in ("zlexcount", "zrangebylex", "zrevrangebylex", "zremrangebylex")},
    **{name: dict.fromkeys(("start", "stop"), _RANGE_BOUNDS) for name in ("zrange", "zrangestore")},
    **{name: {"start": STREAM_BOUNDS, "end": STREAM_BOUNDS} for name in ("xrange", "xrevrange", "xpending", "xautoclaim")},
    "xread": {"milliseconds": pool("1 2", "-1 x"), "id": pool("0 1-1 2-0 $ +", "x >")},
    "xreadgroup": {"milliseconds": pool("1 2", "-1 x"), "id": pool("> > > 0 1-1", "x $ +")},
    "incrbyfloat": {"increment": DOUBLES}, "hincrbyfloat": {"increment": DOUBLES},
    "setbit": {"value": pool("0 1", "2 x -1")}, "bitfield": {"value": Pool((*NUMBERS.good, b"255", b"-129", b"1000"), NUMBERS.rare)},
    **{name: {"member": pool("Palermo Catania Paris a b", "x")} for name in (
        "geoadd", "geodist", "geopos", "geohash", "georadiusbymember", "georadiusbymember_ro", "geosearch", "geosearchstore")},
    "linsert": {"element": Pool(TEXTS.good, TEXTS.rare)},
}  # fmt: skip
BOUNDS_BY: Final = {"BYSCORE": SCORE_BOUNDS, "BYLEX": LEX_BOUNDS}
"""ZRANGE's bounds are of another kind after these words."""


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
        self._favourites = commands
        self._rng: Final = rng
        self._trees: Final = {each.full_name: arguments_of(each) for each in commands}
        self._next_milliseconds = 4

    def begin(self) -> Iterator[list[bytes]]:
        """Begin a block: choose the group that it is about, and give most of the prologue."""
        group = self._rng.choice([*DATA_GROUPS, ""])
        self._favourites = [each for each in self._commands if each.group == group] or self._commands
        self._next_milliseconds = 4
        for line in PROLOGUE.split("\n"):
            if line.strip() and self._rng.random() < 0.8:
                yield line.encode().split()

    def request(self) -> list[bytes]:
        """One request: mostly right in form."""
        if self._rng.random() < 0.02:
            return [b"ZADD", self._rng.choice(LEX_KEYS), b"0", POOLS["member"].draw(self._rng)]
        command = self._rng.choice(self._favourites if self._rng.random() < 0.85 else self._commands)
        name = command.full_name.upper().encode().split(b"|")
        words = self._sequence(command, self._trees[command.full_name])
        if self._rng.random() < 0.06:
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
        """The words of some arguments in their order; one that counts others is filled in when they are there."""
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
                words[count_at] = b"%d" % times if self._rng.random() < 0.95 else NUMBERS.draw(self._rng)
                count_at = -1
        if command.name in {"zrange", "zrangestore"} and len(words) > 3:
            self._redraw_bounds(words)
        return words

    def _redraw_bounds(self, words: list[bytes]) -> None:
        """ZRANGE's bounds, mostly in the form that BYSCORE or BYLEX wants, which stands behind them."""
        for place, word in enumerate(words):
            bounds = BOUNDS_BY.get(word.decode("latin-1").upper())
            if bounds is None or place < 3:
                continue
            if bounds is LEX_BOUNDS:
                words[place - 3] = self._rng.choice(LEX_KEYS)
            if self._rng.random() < 0.9:
                words[place - 2 : place] = [bounds.draw(self._rng), bounds.draw(self._rng)]

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
            # An ID by the clock cannot be compared.
            choices = [each for each in argument.arguments if each.token != "*"]
            self._argument(command, rng.choice(choices), words)
        elif argument.type == "block":
            words += self._sequence(command, argument.arguments)
        elif argument.type != "pure-token":
            words.append(self._drawn(command, argument))

    def _drawn(self, command: Command, argument: Argument) -> bytes:
        rng, name = self._rng, argument.name
        if argument.type == "key":
            if command.name in LEX_COMMANDS:
                return rng.choice(LEX_KEYS)
            own = SORTED if command.name.startswith("sort") else KEYS.get(command.group, ALL_KEYS)
            return rng.choice(own if rng.random() < 0.96 else ALL_KEYS)
        if command.name == "xadd" and name == "id" and rng.random() < 0.9:
            self._next_milliseconds += rng.choice((0, 1, 1, 2))
            return b"%d-%s" % (self._next_milliseconds, rng.choice((b"*", b"*", b"0", b"1", b"2")))
        chosen = POOLS_IN.get(command.full_name, {}).get(name) or POOLS.get(name)
        if chosen is None:
            chosen = {"integer": NUMBERS, "double": DOUBLES, "pattern": POOLS["pattern"]}.get(
                argument.type, TEXTS
            )
        return chosen.draw(rng)
