"""Replaying an append-only directory: every command in order, and the decision about a torn tail.

A process that is killed, or a machine that loses power, can leave the last command half written. That is no
damage: the half command was never acknowledged (or the user chose not to wait for it), so it is cut off and
the rest counts. A transaction is torn as a whole: commands between MULTI and EXEC are held back until the
EXEC has been read, and if it is missing, the cut is made before the MULTI. Anything else that cannot be read
is damage: bytes in the middle that are no command, a file of the manifest that is missing or torn though it
is not the last. Then nobody but its owner can decide what to give up, and the error names file, offset and
the tool.

    AOFReplay(files, directory)     iterate over it: a `list[bytes]` is a command; `Entry`, `Library` and
                                    the other events of `rdb_reader` come from a base file in RDB format
    replay.file, replay.offset      where the present item stands
    replay.torn                     what was cut off, if anything was

A file that begins with the magic of an RDB file is one, and may have commands after its end: in the single
file of Redis 4 to 6 the "RDB preamble" stood before them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from .aof_directory import load_manifest
from .errors import AOFError, RDBError
from .rdb_format import MAGIC_REDIS, MAGIC_VALKEY
from .rdb_reader import Event, RDBReader
from .rdb_source import DEFAULT_SOURCE, Source
from .rdb_values import ValueOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .aof_manifest import AOFFile
    from .files import Files

TOOL: Final = "make a backup of your AOF file, then use python -m cutaway.persistence check --fix"
STAR: Final = ord("*")
DOLLAR: Final = ord("$")
LONGEST_COUNT: Final = 16
"""Bytes of a mark, a count and CRLF, up to which the quick way is tried."""
LONGEST_LINE: Final = 64 << 10
LONGEST_ARGUMENT: Final = 1 << 32
MOST_ARGUMENTS: Final = 1 << 31

TIMESTAMP: Final = b"#TS:"


class TornTail(NamedTuple):
    """What was at the end of a file and no whole command: `size` bytes from `offset` on."""

    file: str
    offset: int
    size: int


class TornError(Exception):
    """The input ended within a command, or a transaction."""


class AOFReplay:
    """Reads a directory once. With `load_truncated` a torn tail is noted; without, it is an error.

    The file itself is not touched: `cut_torn_tail` does that, when everything else has been loaded.
    `until` stops before the first command that a timestamp puts after so many seconds since the epoch.
    """

    __slots__ = (
        "_directory",
        "_files",
        "_options",
        "file",
        "load_truncated",
        "manifest",
        "offset",
        "stopped",
        "torn",
        "until",
    )

    def __init__(
        self,
        files: Files,
        directory: str,
        filename: str = "appendonly.aof",
        *,
        options: ValueOptions | None = None,
        load_truncated: bool = True,
        until: int | None = None,
    ) -> None:
        self._files = files
        self._directory = directory
        self._options = options or ValueOptions()
        self.manifest = load_manifest(files, directory, filename)
        self.load_truncated = load_truncated
        self.until = until
        self.file = ""
        self.offset = 0
        self.torn: TornTail | None = None
        self.stopped = False

    @property
    def size(self) -> int:
        """Total bytes to read. Raises AOFError if a file is missing."""
        return sum(self._size_of(file) for file in self.manifest.files)

    def __iter__(self) -> Iterator[list[bytes] | Event]:
        """Yield commands and RDB events. Raises AOFError. O(bytes)."""
        files = self.manifest.files
        for file in files:
            self._size_of(file)
        for file in files:
            yield from self._read(file)
            if self.torn is not None:
                self._judge_torn(is_last=file is files[-1])
            if self.torn is not None or self.stopped:
                return

    def cut_torn_tail(self) -> None:
        """Cut the torn tail off the file, so that appending can go on. Raises OSError."""
        if self.torn is None:
            return
        handle = self._files.open_append(f"{self._directory}/{self.torn.file}")
        try:
            handle.truncate(self.torn.offset)
            handle.fsync()
        finally:
            handle.close()

    def _size_of(self, file: AOFFile) -> int:
        size = self._files.size(f"{self._directory}/{file.name}")
        if size is None:
            text = f"{file.name} is in the manifest, but: No such file or directory"
            raise AOFError(text, file.name, 0)
        return size

    def _read(self, file: AOFFile) -> Iterator[list[bytes] | Event]:
        """Yield what one file holds; leave a torn tail in `torn`."""
        self.file = file.name
        self.offset = 0
        handle = self._files.open_read(f"{self._directory}/{file.name}")
        try:
            source = DEFAULT_SOURCE.factory(handle)
            if source.need(len(MAGIC_REDIS)) and source.data.startswith((MAGIC_REDIS, MAGIC_VALKEY)):
                yield from self._read_rdb(source)
            commands = DEFAULT_COMMANDS.factory(source, self.until)
            try:
                for argv in commands:
                    self.offset = commands.start
                    yield argv
                self.stopped = commands.stopped
            except TornError:
                self.torn = TornTail(file.name, commands.whole, self._size_of(file) - commands.whole)
            except RDBError as error:
                text = f"Bad file format reading the append only file: {error.text}; {TOOL}"
                raise AOFError(text, file.name, error.offset) from error
        finally:
            handle.close()

    def _read_rdb(self, source: Source) -> Iterator[Event]:
        """Yield the events of an RDB file at the start of this one."""
        try:
            for event in RDBReader(source, self._options).events():
                yield event
                self.offset = source.offset
        except RDBError as error:
            text = f"Error reading the RDB base file, AOF loading aborted: {error.text}"
            raise AOFError(text, self.file, error.offset) from error

    def _judge_torn(self, *, is_last: bool) -> None:
        """Raise AOFError if the torn tail is not to be accepted."""
        torn = self.torn
        if torn is None or (is_last and self.load_truncated):
            return
        text = (
            f"Unexpected end of file reading the append only file; {TOOL}, or set aof-load-truncated to yes"
        )
        if not is_last:
            text = f"the file is truncated, and it is not the last one; {TOOL}"
        raise AOFError(text, torn.file, torn.offset)


class CommandReader:
    """Iterates over the commands from where a source stands.

    `start` is the offset of the command that was yielded last, `whole` that behind the last one that may be
    counted: commands of a transaction count when its EXEC has been read.
    """

    __slots__ = ("_source", "_until", "start", "stopped", "whole")

    def __init__(self, source: Source, until: int | None = None) -> None:
        self._source = source
        self._until = until
        self.stopped = False
        self.start = source.offset
        self.whole = source.offset

    def __iter__(self) -> Iterator[list[bytes]]:
        """Yield the commands. Raises TornError at a torn tail, RDBError where there is no command."""
        source = self._source
        held: list[tuple[int, list[bytes]]] | None = None
        while True:
            start = source.offset
            argv = self._next(may_stop=held is None)
            if argv is None:
                if held is not None:
                    raise TornError
                return
            word = argv[0]
            is_edge = len(word) in (4, 5) and word.upper() in (b"MULTI", b"EXEC")
            if held is None and not (is_edge and len(word) == 5):
                self.start = start
                self.whole = source.offset
                yield argv
                continue
            held = [] if held is None else held
            held.append((start, argv))
            if is_edge and len(word) == 4:
                self.whole = source.offset
                for self.start, argv in held:
                    yield argv
                held = None

    def _next(self, *, may_stop: bool) -> list[bytes] | None:
        """Read one command, None at the end, or where a timestamp says that it is time to stop."""
        source = self._source
        while True:
            argv = self._whole_command()
            if argv is not None:
                return argv
            if not source.need(1):
                return None
            line = self._line()
            if not line.startswith(b"#"):
                break
            if may_stop and self._is_late(line):
                self.stopped = True
                return None
        if line[:1] != b"*":
            text = "a command was expected"
            raise RDBError(text, source.offset - len(line) - 2)
        count = _number(line[1:])
        if not 1 <= count <= MOST_ARGUMENTS:
            text = "a command with an impossible number of arguments"
            raise RDBError(text, source.offset - len(line) - 2)
        argv = []
        while len(argv) < count:
            argv.append(self._argument())
        return argv

    def _whole_command(self) -> list[bytes] | None:
        """Read a command if all of it is in the window and nothing about it is odd; else leave it alone.

        The common case at half the cost. What is cut off, annotated or wrong goes the way that can tell.
        """
        data, at = self._source.data, self._source.pos
        end = data.find(b"\r\n", at, at + LONGEST_COUNT)
        digits = data[at + 1 : end]
        if end < 0 or data[at] != STAR or not digits.isdigit():
            return None
        argv: list[bytes] = []
        at = end + 2
        for _ in range(int(digits)):
            end = data.find(b"\r\n", at, at + LONGEST_COUNT)
            digits = data[at + 1 : end]
            if end < 0 or data[at] != DOLLAR or not digits.isdigit():
                return None
            start = end + 2
            at = start + int(digits)
            if data[at : at + 2] != b"\r\n":
                return None
            argv.append(data[start:at])
            at += 2
        if argv:
            self._source.pos = at
        return argv or None

    def _is_late(self, line: bytes) -> bool:
        """Tell whether a line is a timestamp after the time at which to stop."""
        return self._until is not None and line.startswith(TIMESTAMP) and _number(line[4:]) > self._until

    def _line(self) -> bytes:
        """Return the next line without its end."""
        source = self._source
        end = source.data.find(b"\n", source.pos)
        size = source.pos
        while end < 0:
            have = len(source.data) - source.pos
            if have > LONGEST_LINE:
                text = "a line without end"
                raise source.error(text)
            if not source.need(have + 1):
                raise TornError
            end = source.data.find(b"\n", source.pos + have)
        size = end + 1 - source.pos
        line = source.take(size)
        if line[-2:] != b"\r\n":
            if line[:1] == b"#":
                return line
            text = "a line that does not end in CRLF"
            raise RDBError(text, source.offset - size)
        return line[:-2]

    def _argument(self) -> bytes:
        """Return the next argument."""
        source = self._source
        start = source.offset
        if not source.need(1):
            raise TornError
        line = self._line()
        length = _number(line[1:])
        if line[:1] != b"$" or not 0 <= length <= LONGEST_ARGUMENT:
            text = "an argument was expected"
            raise RDBError(text, start)
        try:
            argument = source.take(length)
            end = source.take(2)
        except RDBError as error:
            raise TornError from error
        if end != b"\r\n":
            text = "an argument that is longer than it says"
            raise RDBError(text, start)
        return argument


@dataclass(slots=True)
class CommandsChoice:
    """What reads the commands of append-only files: chosen where the server is composed."""

    factory: Callable[[Source, int | None], CommandReader]


DEFAULT_COMMANDS: Final = CommandsChoice(CommandReader)


def _number(digits: bytes) -> int:
    """Return a decimal number, or -1."""
    return int(digits) if digits.isdigit() and len(digits) < 20 else -1
