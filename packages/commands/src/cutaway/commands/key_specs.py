"""Where a command's keys are, as data.

Every command says which of its arguments are keys, in the two-step form of Redis 7: first *where to begin* (an index,
or just after a keyword such as STREAMS), then *how to find the keys from there* (a range with a step, or a count that
stands before them). COMMAND INFO publishes it, cluster clients route by it, ACL rules check by it, and WATCH-like
bookkeeping needs no code in any command.

Flags say what the command does with a key: RO only reads, RW reads and writes, OW overwrites, RM removes; and with
its value: access (the user learns of the value), update, insert, delete. `not_key`, `incomplete` and `variable_flags`
are as in the manual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cutaway.commands.arguments import integer_or_none


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

    @property
    def is_plain_range(self) -> bool:
        """Whether the keys stand at fixed places: the only kind of spec that clients older than Redis 7 understand."""
        return not self.unknown and not self.keyword and self.key_count is None

    def locate(self, argv: Sequence[bytes]) -> range | None:
        """The positions of this group's keys in `argv`, empty if its keyword is not there, None if they make no sense. O(argv)."""
        if self.unknown:
            return None
        begin = self._begin(argv)
        if begin is None:
            return range(0)
        places = self._range(begin, len(argv)) if self.key_count is None else self._counted(begin, argv)
        if places is None or begin >= len(argv) or not places or places.stop > len(argv):
            return None
        return places

    def _begin(self, argv: Sequence[bytes]) -> int | None:
        if not self.keyword:
            return self.index
        word = self.keyword.encode()
        if self.index > 0:
            places = range(self.index, len(argv) - 1)
        else:
            places = range(len(argv) + self.index, 1, -1)
        return next((place + 1 for place in places if argv[place].upper() == word), None)

    def _range(self, begin: int, length: int) -> range:
        if self.last >= 0:
            end = begin + self.last
        elif self.limit:
            end = begin + (length - begin) // self.limit + self.last
        else:
            end = length + self.last
        return range(begin, end + 1, self.step)

    def _counted(self, begin: int, argv: Sequence[bytes]) -> range | None:
        assert self.key_count is not None
        place = begin + self.key_count
        count = integer_or_none(argv[place]) if place < len(argv) else None
        if count is None or count < 0:
            return None
        first = begin + self.first_key
        return range(first, first + count * self.step, self.step)


def legacy_range(specs: Sequence[KeySpec]) -> tuple[int, int, int, bool]:
    """What clients older than key specs are told: first key, last key, step, and whether that is not all. O(specs).

    One range can say only so much: consecutive plain ranges with step 1 are joined to one, everything else is left
    out and makes the keys "movable", which tells a client to ask COMMAND GETKEYS.
    """
    if len(specs) == 1 and specs[0].is_plain_range:
        only = specs[0]
        last = only.index + only.last if only.last >= 0 else only.last
        return only.index, last, only.step, "incomplete" in only.flags
    first = last = 0
    movable = False
    for spec in specs:
        if not spec.is_plain_range or spec.step != 1 or (last and last != spec.index - 1):
            movable = True
            continue
        movable = movable or "incomplete" in spec.flags
        first = min(first, spec.index) if first else spec.index
        # A negative end counts from the last argument, so it lies behind every positive one.
        ends = (last, spec.index + spec.last if spec.last >= 0 else spec.last)
        last = max((end for end in ends if end < 0), default=max(ends))
    return first, last, 1 if first else 0, movable


def _spec(access: str, index: int, flags: str, **place: int | str | bool | None) -> KeySpec:
    return KeySpec((access, *flags.lower().split()), index, **place)  # type: ignore[arg-type]


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
