# ruff: noqa: D102 - the methods of each kind do what `Kind` says they do
"""Kinds that only one or two directives have, each with a little language of its own.

`save 3600 1 300 100` is a list of pairs and the one directive whose lines add up; a client's output buffer
limit names a class of client and changes that class alone; `notify-keyspace-events KEA` is a string of
letters of which one stands for many. All of them are given words that are already split, except where the C
server splits at single blanks, so that two blanks in a row make an empty word and a refusal.
"""

import re
from collections.abc import Sequence
from typing import Final

from cutaway.config.quoting import quote
from cutaway.config.values import (
    BufferLimit,
    ConfigError,
    Kind,
    RewriteLine,
    SavePoint,
    Value,
    format_size,
    parse_leniently,
    parse_size,
)

_WRONG_NUMBER: Final = "wrong number of arguments"
_NOTHING: Final = '""'


class Save(Kind):
    """Snapshot points: tuple of (seconds, changes). In a file the lines add up; `save ""` forgets them."""

    __slots__ = ()

    name = "save points"
    multiple = True

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        words = [] if list(arguments) == [""] else list(arguments)
        numbers = [parse_leniently(word) for word in words]
        if len(words) % 2 or not all(whole for _, whole in numbers):
            raise ConfigError("Invalid save parameters")
        points = [(numbers[at][0], numbers[at + 1][0]) for at in range(0, len(numbers), 2)]
        if any(seconds < 1 or changes < 0 for seconds, changes in points):
            raise ConfigError("Invalid save parameters")
        return tuple(points)

    def load(self, arguments: Sequence[str], current: Value, *, first: bool) -> Value:
        points = save_points(self.parse(arguments, current))
        return points if first or not points else save_points(current) + points

    def format(self, value: Value) -> str:
        return " ".join(f"{seconds} {changes}" for seconds, changes in save_points(value))

    def lines(self, name: str, value: Value, default: Value) -> list[RewriteLine]:  # noqa: ARG002
        return [(f"{name} {self.format(value) or _NOTHING}", True)]


def save_points(value: Value) -> tuple[SavePoint, ...]:
    """Return the value of `save` with its own type."""
    points = value if isinstance(value, tuple) else ()
    return tuple((item[0], item[1]) for item in points if isinstance(item, tuple))


CLIENT_CLASSES: Final = ("normal", "slave", "pubsub")
_CLASS_NAMES: Final = {"normal": 0, "slave": 1, "replica": 1, "pubsub": 2}
_WORDS_PER_LIMIT: Final = 4


class OutputBufferLimits(Kind):
    """Limits of output buffers. Value: (hard bytes, soft bytes, soft seconds) for normal, replica, pubsub."""

    __slots__ = ()

    name = "buffer limits"
    multiple = True

    def parse(self, arguments: Sequence[str], current: Value) -> Value:
        if len(arguments) % _WORDS_PER_LIMIT:
            raise ConfigError("Wrong number of arguments in buffer limit configuration.")
        limits = list(buffer_limits(current))
        for at in range(0, len(arguments), _WORDS_PER_LIMIT):
            client_class = _CLASS_NAMES.get(arguments[at].lower())
            if client_class is None:
                raise ConfigError("Invalid client class specified in buffer limit configuration.")
            limits[client_class] = self._limit(*arguments[at + 1 : at + _WORDS_PER_LIMIT])
        return tuple(limits)

    def _limit(self, hard_text: str, soft_text: str, seconds_text: str) -> BufferLimit:
        hard, soft = parse_size(hard_text), parse_size(soft_text)
        seconds, whole = parse_leniently(seconds_text)
        if hard is None or soft is None or not whole or seconds < 0:
            raise ConfigError("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
        return hard, soft, seconds

    def format(self, value: Value) -> str:
        limits = zip(CLIENT_CLASSES, buffer_limits(value), strict=True)
        return " ".join(f"{name} {hard} {soft} {seconds}" for name, (hard, soft, seconds) in limits)

    def lines(self, name: str, value: Value, default: Value) -> list[RewriteLine]:
        names = ("normal", "replica", "pubsub")
        return [
            (
                f"{name} {client_class} {format_size(limit[0])} {format_size(limit[1])} {limit[2]}",
                limit != usual,
            )
            for client_class, limit, usual in zip(
                names, buffer_limits(value), buffer_limits(default), strict=True
            )
        ]


def buffer_limits(value: Value) -> tuple[BufferLimit, ...]:
    """Return the value of `client-output-buffer-limit` with its own type."""
    limits = value if isinstance(value, tuple) else ()
    return tuple((item[0], item[1], item[2]) for item in limits if isinstance(item, tuple) and len(item) == 3)


class OomScores(Kind):
    """Scores for the out-of-memory killer: of a master, a replica, a child. Value: tuple of int."""

    __slots__ = ()

    name = "three integers"
    multiple = True

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        if len(arguments) != 3:
            raise ConfigError(_WRONG_NUMBER)
        scores = [parse_leniently(word) for word in arguments]
        if any(not whole or abs(score) > 2000 for score, whole in scores):
            raise ConfigError("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
        return tuple(score for score, _ in scores)

    def format(self, value: Value) -> str:
        return " ".join(str(score) for score in value) if isinstance(value, tuple) else ""


ALL_EVENTS: Final = "g$lshzxetd"
"""The classes that `A` stands for: everything but `m` (key miss) and `n` (new key)."""
_OTHER_EVENTS: Final = "nKEm"


class KeyspaceEvents(Kind):
    """Letters that choose keyspace notifications. Value: str, in Redis's own order, `A` for `g$lshzxetd`.

    `n` next to `A` is obeyed but not printed: so does the C server, and a rewritten file forgets it.
    """

    __slots__ = ()

    name = "event classes"

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        if len(arguments) != 1:
            raise ConfigError(_WRONG_NUMBER)
        letters = set(arguments[0])
        if not letters <= set("A" + ALL_EVENTS + _OTHER_EVENTS):
            raise ConfigError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        if "A" in letters or letters >= set(ALL_EVENTS):
            chosen = "A"
        else:
            chosen = "".join(letter for letter in ALL_EVENTS if letter in letters)
        return chosen + "".join(letter for letter in _OTHER_EVENTS if letter in letters)

    def format(self, value: Value) -> str:
        letters = str(value)
        return letters.replace("n", "") if "A" in letters else letters

    def lines(self, name: str, value: Value, default: Value) -> list[RewriteLine]:
        return [(f'{name} "{self.format(value)}"', value != default)]


class Addresses(Kind):
    """Addresses to listen at; `-` before one that may be missing. Value: tuple of str."""

    __slots__ = ()

    name = "addresses"
    multiple = True

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        if len(arguments) > 16:
            raise ConfigError("Too many bind addresses specified.")
        return () if list(arguments) == [""] else tuple(arguments)

    def format(self, value: Value) -> str:
        return " ".join(str(address) for address in value) if isinstance(value, tuple) else ""

    def lines(self, name: str, value: Value, default: Value) -> list[RewriteLine]:
        return [] if value == default else [(f"{name} {self.format(value) or _NOTHING}", True)]


class Master(Kind):
    """The master to follow: a host and a port, or `no one`. Value: ("", 0) or (host, port)."""

    __slots__ = ()

    name = "host and port"
    multiple = True

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        if len(arguments) != 2:
            raise ConfigError(_WRONG_NUMBER)
        host, port_text = arguments
        if host.lower() == "no" and port_text.lower() == "one":
            return "", 0
        port, whole = parse_leniently(port_text)
        if not whole or not 0 <= port <= 65535:
            raise ConfigError("Invalid primary port")
        return host, port

    def format(self, value: Value) -> str:
        return f"{value[0]} {value[1]}" if isinstance(value, tuple) and value[0] else ""

    def lines(self, name: str, value: Value, default: Value) -> list[RewriteLine]:
        return [] if value == default else [(f"{name} {self.format(value)}", True)]


_FLOAT = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|infinity)\Z", re.IGNORECASE)


class Percentiles(Kind):
    """Percentiles of latency that INFO prints. Value: tuple of float between 0 and 100."""

    __slots__ = ()

    name = "percentiles"
    multiple = True

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        if list(arguments) == [""]:
            return ()
        return tuple(self._percentile(word) for word in arguments)

    def _percentile(self, word: str) -> float:
        if not _FLOAT.match(word):
            raise ConfigError("Invalid latency-tracking-info-percentiles parameters")
        percentile = float(word)
        if not 0.0 <= percentile <= 100.0:
            raise ConfigError("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
        return percentile

    def format(self, value: Value) -> str:
        percentiles = value if isinstance(value, tuple) else ()
        return " ".join(f"{percentile:f}".rstrip("0").rstrip(".") for percentile in percentiles)

    def lines(self, name: str, value: Value, default: Value) -> list[RewriteLine]:  # noqa: ARG002
        return [(f"{name} {self.format(value) or _NOTHING}", True)]


class Directory(Kind):
    """The working directory. Value: str. Whether it exists is for the server to say, as a subscriber."""

    __slots__ = ()

    name = "directory"

    def parse(self, arguments: Sequence[str], current: Value) -> Value:  # noqa: ARG002
        if len(arguments) != 1:
            raise ConfigError(_WRONG_NUMBER)
        return arguments[0]

    def lines(self, name: str, value: Value, default: Value) -> list[RewriteLine]:  # noqa: ARG002
        return [(f"{name} {quote(str(value))}", True)]
