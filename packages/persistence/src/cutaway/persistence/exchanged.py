"""Two parts of this room that can be exchanged for a function of somebody's own, and what fits such a function in.

Reading is a chain of small classes; whoever wants to write one of its links should not have to write the class around it.

    read_string(take) -> bytes                the next string of a snapshot; take(n) gives exactly n bytes, or raises EOFError
    replay(data) -> (commands, offset)        the commands of an append-only file that count, and up to where they do

Both raise ValueError for what cannot be read. `exchange` puts them in place, for all readers that are made from then on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .aof_replay import DEFAULT_COMMANDS, CommandReader, TornError
from .errors import RDBError
from .rdb_source import DEFAULT_SOURCE, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    ReadString = Callable[[Callable[[int], bytes]], bytes]
    Replay = Callable[[bytes], tuple[list[list[bytes]], int]]


class StringSource(Source):
    """A source that leaves the reading of strings to a function."""

    __slots__ = ("_read_string",)

    def __init__(self, read_string: ReadString, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type] # handed through
        self._read_string = read_string

    def string_or_int(self, label: str) -> bytes | int:
        """Return a string, as the function reads it. Raises RDBError."""
        start = self.offset
        try:
            value = self._read_string(self._take)
        except (ValueError, EOFError) as error:
            raise RDBError(f"{label}: {error}", start) from error
        if self.trace is not None:
            self.trace.leaf(start, self.offset, label, value)
        return value

    def _take(self, size: int) -> bytes:
        try:
            return self.take(size)
        except RDBError as error:
            raise EOFError(error.text) from error


class ReplayedCommands(CommandReader):
    """The commands that a function finds in what is left of a source, all at once."""

    __slots__ = ("_replay",)

    def __init__(self, replay: Replay, source: Source, until: int | None = None) -> None:
        super().__init__(source, until)
        self._replay = replay

    def __iter__(self) -> Iterator[list[bytes]]:
        """Yield the commands. Raises TornError at a torn tail, RDBError where there is no command."""
        source, begin = self._source, self.start
        while source.need(len(source.data) - source.pos + 1):
            pass
        data = source.take(len(source.data) - source.pos)
        try:
            commands, offset = self._replay(data)
        except ValueError as error:
            raise RDBError(str(error), begin) from error
        self.whole = begin + offset
        yield from commands
        if offset < len(data):
            raise TornError


def exchange(read_string: ReadString | None = None, replay: Replay | None = None) -> None:
    """Let these functions do their part in all readers that are made from now on; None: ours do."""
    DEFAULT_SOURCE.factory = Source if read_string is None else partial(StringSource, read_string)
    DEFAULT_COMMANDS.factory = CommandReader if replay is None else partial(ReplayedCommands, replay)
