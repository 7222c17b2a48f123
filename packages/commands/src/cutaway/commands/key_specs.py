"""Where a command's keys are, as data.

Every command says which of its arguments are keys, in the two-step form of Redis 7: first *where to begin* (an index,
or just after a keyword such as STREAMS), then *how to find the keys from there* (a range with a step, or a count that
stands before them). COMMAND INFO publishes it, cluster clients route by it, ACL rules check by it, and WATCH-like
bookkeeping needs no code in any command.

Flags say what the command does with a key: RO only reads, RW reads and writes, OW overwrites, RM removes; and with
its value: ACCESS (the user learns of the value), UPDATE, INSERT, DELETE. `NOT_KEY`, `INCOMPLETE` and `VARIABLE_FLAGS`
are as in the manual.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One group of keys in a command's arguments. Positions count the command's name as 0."""

    flags: tuple[str, ...]
    index: int = 0
    """The position of the first key, where there is no keyword."""
    keyword: str = ""
    """Begin just after this word; `index` is then where the search for it starts (negative: backwards, from the end)."""
    last: int = 0
    """Range: the last key's position relative to the first; -1 the last argument, -2 the one before it."""
    step: int = 1
    limit: int = 0
    """Range with last=-1: how much of the rest holds keys: 2 for a half of it (XREAD), 0 and 1 for all."""
    key_count: int | None = None
    """Where the number of keys stands, relative to the beginning; the keys then begin `first_key` after it."""
    first_key: int = 1
    unknown: bool = False
    """The keys cannot be described (SORT's BY and GET patterns): the command has to find them itself."""
    notes: str = ""

    def positions(self, argv: Sequence[bytes]) -> Iterator[int]:
        """The positions of this group's keys in `argv`; none where the arguments make no sense. O(keys)."""
        begin = self._begin(argv)
        if begin is None or begin >= len(argv):
            return iter(())
        if self.key_count is None:
            return iter(self._range(begin, len(argv)))
        return iter(self._counted(begin, argv))

    def _begin(self, argv: Sequence[bytes]) -> int | None:
        if self.unknown:
            return None
        if not self.keyword:
            return self.index
        word = self.keyword.encode()
        if self.index >= 0:
            places = range(self.index, len(argv))
        else:
            places = range(len(argv) + self.index, 0, -1)
        return next((place + 1 for place in places if argv[place].upper() == word), None)

    def _range(self, begin: int, length: int) -> range:
        if self.last >= 0:
            end = begin + self.last
        elif self.limit > 1:
            end = begin + (length - begin) // self.limit + self.last
        else:
            end = length + self.last
        return range(begin, min(end, length - 1) + 1, self.step)

    def _counted(self, begin: int, argv: Sequence[bytes]) -> range:
        assert self.key_count is not None
        place = begin + self.key_count
        try:
            count = int(argv[place])
        except (IndexError, ValueError):
            return range(0)
        first = begin + self.first_key
        end = first + count * self.step
        if count < 0 or end > len(argv):
            return range(0)
        return range(first, end, self.step)


def _spec(access: str, index: int, flags: str, **place: int | str | bool | None) -> KeySpec:
    return KeySpec((access, *flags.upper().split()), index, **place)  # type: ignore[arg-type]


def RO(index: int, flags: str = "access", **place: int | str | bool | None) -> KeySpec:  # noqa: N802 - the manual's spelling
    """Keys that are only read: `RO(1)`, `RO(1, last=-1)`, `RO(1, keyword="STREAMS", last=-1, limit=2)`."""
    return _spec("RO", index, flags, **place)


def RW(index: int, flags: str = "update", **place: int | str | bool | None) -> KeySpec:  # noqa: N802
    """Keys that are read and written."""
    return _spec("RW", index, flags, **place)


def OW(index: int, flags: str = "update", **place: int | str | bool | None) -> KeySpec:  # noqa: N802
    """Keys that are overwritten, whatever they held."""
    return _spec("OW", index, flags, **place)


def RM(index: int, flags: str = "delete", **place: int | str | bool | None) -> KeySpec:  # noqa: N802
    """Keys that are removed."""
    return _spec("RM", index, flags, **place)
