"""Walks over all keys: ``--scan`` names them, ``--bigkeys`` and ``--memkeys`` find the largest of each type.

SCAN gives a batch and a cursor for the next one, so the server is never busy with us for long. The types and sizes of a
batch are asked for in one pipeline each.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cutaway.client.clients import Client
from cutaway.client.formats import quote
from cutaway.client.options import Options
from cutaway.client.printing import complain, stdout_bytes
from cutaway.resp import Reply, ReplyError


@dataclass(slots=True)
class _Kind:
    """What was found of one type."""

    name: str
    size_command: str = ""
    unit: str = "?"
    count: int = 0
    total: int = 0
    biggest: int = 0
    biggest_key: bytes = b""


_KINDS: Final = (
    ("string", "STRLEN", "bytes"),
    ("list", "LLEN", "items"),
    ("set", "SCARD", "members"),
    ("hash", "HLEN", "fields"),
    ("zset", "ZCARD", "members"),
    ("stream", "XLEN", "entries"),
)


def scan(client: Client, options: Options) -> int:
    """Print the name of every key that matches; give the exit status."""
    try:
        for keys in batches(client, options):
            names = [quote(key) for key in keys] if options.format.name == "standard" else keys
            stdout_bytes(b"".join([name + b"\n" for name in names]))
            if options.interval:
                time.sleep(options.interval)
    except ReplyError as error:
        complain(f"SCAN error: {error}")
        return 1
    return 0


def batches(client: Client, options: Options) -> Iterator[list[bytes]]:
    """Yield the keys as SCAN gives them. Raises ReplyError, OSError."""
    filters: list[bytes | str | int] = []
    if options.pattern is not None:
        filters += ["MATCH", options.pattern]
    filters += ["COUNT", options.count]
    if options.key_type is not None:
        filters += ["TYPE", options.key_type]
    cursor = b"0"
    while True:
        reply = client.call("SCAN", cursor, *filters)
        assert isinstance(reply, list)
        after, keys = reply
        assert isinstance(after, bytes)
        assert isinstance(keys, list)
        cursor = after
        yield [key for key in keys if isinstance(key, bytes)]
        if cursor == b"0":
            return


class Census:
    """The largest key of each type, and the sums."""

    def __init__(self, client: Client, options: Options) -> None:
        self._client: Final = client
        self._options: Final = options
        self._by_memory: Final = options.mode == "memkeys"
        self._kinds: Final = {name: _Kind(name, command, unit) for name, command, unit in _KINDS}
        self._key_bytes = 0
        self._sampled = 0
        self._expected = 0

    def take(self) -> None:
        """Look at all keys, and tell of each record. Raises ReplyError, OSError."""
        size = self._client.call("DBSIZE")
        self._expected = size if isinstance(size, int) else 0
        for number, keys in enumerate(batches(self._client, self._options), 1):
            percent = 100 * self._sampled / self._expected if self._expected else 100.0
            names = self._client.pipeline([("TYPE", key) for key in keys])
            found = [(key, self._kind(str(name))) for key, name in zip(keys, names, strict=True)]
            known = [(key, kind) for key, kind in found if kind is not None]
            for (key, kind), size_ in zip(known, self._sizes(known), strict=True):
                self._count(key, kind, size_, percent)
            if self._options.interval and number % 100 == 0:
                time.sleep(self._options.interval)

    def _kind(self, name: str) -> _Kind | None:
        """The kind of a type, new ones (modules') included; None for a key that is gone."""
        if name == "none":
            return None
        return self._kinds.setdefault(name, _Kind(name))

    def _sizes(self, keys: Sequence[tuple[bytes, _Kind]]) -> list[int]:
        requests: list[tuple[bytes | str | int, ...]] = []
        for key, kind in keys:
            if self._by_memory:
                samples = ("SAMPLES", self._options.samples) if self._options.samples else ()
                requests.append(("MEMORY", "USAGE", key, *samples))
            else:
                requests.append((kind.size_command, key) if kind.size_command else ("ECHO", "0"))
        return [_size(reply) for reply in self._client.pipeline(requests)]

    def _count(self, key: bytes, kind: _Kind, size: int, percent: float) -> None:
        kind.count += 1
        kind.total += size
        self._key_bytes += len(key)
        self._sampled += 1
        if size > kind.biggest:
            kind.biggest, kind.biggest_key = size, quote(key)
            shown = kind.biggest_key.decode()
            print(
                f"[{percent:05.2f}%] Biggest {kind.name:<6} found so far '{shown}' with {size} {self._unit(kind)}"
            )

    def _unit(self, kind: _Kind) -> str:
        return "bytes" if self._by_memory else kind.unit

    def report(self) -> None:
        """Print the summary."""
        keys, length = self._sampled, self._key_bytes
        print("\n-------- summary -------\n")
        print(f"Sampled {keys} keys in the keyspace!")
        print(f"Total key length in bytes is {length} (avg len {length / keys if keys else 0:.2f})\n")
        for kind in self._kinds.values():
            if kind.biggest_key:
                shown = kind.biggest_key.decode()
                print(f"Biggest {kind.name:>6} found '{shown}' has {kind.biggest} {self._unit(kind)}")
        print()
        for kind in self._kinds.values():
            share = 100 * kind.count / keys if keys else 0
            average = kind.total / kind.count if kind.count else 0
            print(
                f"{kind.count} {kind.name}s with {kind.total} {self._unit(kind)} "
                f"({share:05.2f}% of keys, avg size {average:.2f})"
            )


def biggest(client: Client, options: Options) -> int:
    """Find the largest keys; an interrupt ends the search and shows what was found. Gives the exit status."""
    print("\n# Scanning the entire keyspace to find biggest keys as well as")
    print("# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec")
    print("# per 100 SCAN commands (not usually needed).\n")
    census = Census(client, options)
    try:
        census.take()
    except ReplyError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        pass
    census.report()
    sys.stdout.flush()
    return 0


def _size(reply: Reply) -> int:
    """A size; 0 for a key that has become another type meanwhile."""
    return reply if isinstance(reply, int) else 0
