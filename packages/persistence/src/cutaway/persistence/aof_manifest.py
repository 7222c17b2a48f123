"""The manifest: which files an append-only file consists of, and in which order.

Since Redis 7 the append-only file is a directory. A *base* file (type b) holds the state at the last rewrite,
as an RDB file or as commands; *incremental* files (type i) hold the commands since; *history* files (type h)
are what a rewrite has made superfluous and are about to be removed. A line for each:

    file appendonly.aof.2.base.rdb seq 2 type b
    file appendonly.aof.1.base.rdb seq 1 type h
    file appendonly.aof.4.incr.aof seq 4 type i

One file is replaced atomically (write a temporary one, fsync, rename), and with it changes the meaning of all
the others. That is what lets a rewrite finish without stopping the server: the new incremental file was begun
when the rewrite began, and the commands of the time between go to it and to nowhere else. In the single file
of old they had to be kept in memory and appended to the new file at the end, with the server waiting.

Lines that begin with "#" are comments, keys that are not known are skipped, a name with spaces or controls is
quoted as redis-cli would. Names are names: a path could lead a reader out of the directory, and is refused.

Source: the persistence page of the Redis manual; what redis-server 7.0 writes and accepts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from .errors import AOFError

BASE: Final = "b"
INCREMENTAL: Final = "i"
HISTORY: Final = "h"

LONGEST_LINE: Final = 1024

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\a": "\\a", "\b": "\\b"}
_UNESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b"}
_TOKEN: Final = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']\S*))(?=\s|$)""", re.DOTALL
)
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_NUMBER: Final = re.compile(r"\s*[+-]?\d+")


@dataclass(frozen=True, slots=True)
class AOFFile:
    """One file of the directory."""

    name: str
    sequence: int
    kind: str

    def line(self) -> str:
        """Return the manifest's line about this file."""
        return f"file {_quoted(self.name)} seq {self.sequence} type {self.kind}\n"


@dataclass(slots=True)
class Manifest:
    """What a manifest says. Names of new files derive from `prefix`, which is `appendfilename`."""

    prefix: str = "appendonly.aof"
    base: AOFFile | None = None
    increments: list[AOFFile] = field(default_factory=list)
    history: list[AOFFile] = field(default_factory=list)

    @classmethod
    def parse(cls, data: bytes, prefix: str = "appendonly.aof") -> Manifest:
        """Read a manifest. Raises AOFError with the offset of the line that is wrong, in Redis's words."""
        name = f"{prefix}.manifest"
        if not data:
            text = "Found an empty AOF manifest"
            raise AOFError(text, name, 0)
        manifest = cls(prefix)
        offset = 0
        for line in data.splitlines(keepends=True):
            problem = "" if line.startswith(b"#") else manifest._add_line(line)
            if problem:
                raise AOFError(problem, name, offset)
            offset += len(line)
        return manifest

    def format(self) -> bytes:
        """Return the manifest's text."""
        files = [*([self.base] if self.base else []), *self.history, *self.increments]
        return "".join(file.line() for file in files).encode("utf-8", "surrogateescape")

    @property
    def name(self) -> str:
        """The manifest's own file name."""
        return f"{self.prefix}.manifest"

    @property
    def files(self) -> list[AOFFile]:
        """What has to be loaded, in order: the base and the increments."""
        return [*([self.base] if self.base else []), *self.increments]

    def copy(self) -> Manifest:
        """Return a manifest that can be changed on its own."""
        return replace(self, increments=list(self.increments), history=list(self.history))

    def next_base(self, *, rdb: bool) -> AOFFile:
        """Return the base file that a rewrite that begins now will write."""
        sequence = (self.base.sequence if self.base else 0) + 1
        return AOFFile(f"{self.prefix}.{sequence}.base.{'rdb' if rdb else 'aof'}", sequence, BASE)

    def next_increment(self) -> AOFFile:
        """Return the incremental file after the last one."""
        sequence = (self.increments[-1].sequence if self.increments else 0) + 1
        return AOFFile(f"{self.prefix}.{sequence}.incr.aof", sequence, INCREMENTAL)

    def rebase(self, base: AOFFile, *, keep: int) -> None:
        """Put a new base in place: it and the last `keep` increments stay, all others are history, the newest first."""
        cut = len(self.increments) - keep
        old = [*self.increments[:cut], *([self.base] if self.base else [])]
        self.history[:0] = [replace(file, kind=HISTORY) for file in old]
        self.increments = self.increments[cut:]
        self.base = base

    def _add_line(self, line: bytes) -> str:
        """Take in one line; return what is wrong with it, or nothing."""
        if len(line) > LONGEST_LINE or not line.endswith(b"\n"):
            return "The AOF manifest file contains too long line"
        words = _split(line.decode("utf-8", "surrogateescape").strip(" \t\r\n"))
        if words is None or len(words) < 6 or len(words) % 2:
            return "Invalid AOF manifest file format"
        fields = dict(zip((word.lower() for word in words[::2]), words[1::2], strict=True))
        number = _NUMBER.match(fields.get("seq", ""))
        sequence = int(number.group()) if number else 0
        file = AOFFile(fields.get("file", ""), sequence, fields.get("type", "")[:1])
        if "/" in file.name or "\\" in file.name:
            return "File can't be a path, just a filename"
        if not (file.name and file.sequence and file.kind):
            return "Invalid AOF manifest file format"
        return self._add(file)

    def _add(self, file: AOFFile) -> str:
        """Put a file in its place; return what is wrong with it, or nothing."""
        if file.kind == HISTORY:
            self.history.append(file)
        elif file.kind == BASE:
            if self.base is not None:
                return "Found duplicate base file information"
            self.base = file
        elif file.kind == INCREMENTAL:
            if file.sequence <= (self.increments[-1].sequence if self.increments else 0):
                return "Found a non-monotonic sequence number"
            self.increments.append(file)
        else:
            return "Unknown AOF file type"
        return ""


def _quoted(name: str) -> str:
    """Return `name`, in quotes if it has anything that a line or a word could end at."""
    raw = name.encode("utf-8", "surrogateescape").decode("latin-1")
    if all("!" <= char <= "~" and char not in "\"'\\" for char in raw):
        return name
    escaped = (_ESCAPES.get(c) or (c if " " <= c <= "~" else f"\\x{ord(c):02x}") for c in raw)
    return '"' + "".join(escaped) + '"'


def _split(line: str) -> list[str] | None:
    """Split a line at blanks, quotes respected. Returns None if they do not match."""
    words: list[str] = []
    pos = 0
    while pos < len(line):
        token = _TOKEN.match(line, pos)
        if token is None:
            return None
        double, single, plain = token.groups()
        if double is not None:
            words.append(_unescaped(double))
        else:
            words.append(plain if plain is not None else single.replace("\\'", "'"))
        pos = token.end()
    return words


def _unescaped(text: str) -> str:
    r"""Return what stands between double quotes with its escapes resolved; \\xNN are bytes of UTF-8."""

    def resolve(match: re.Match[str]) -> str:
        code = match.group(1)
        if len(code) == 3:
            return chr(int(code[1:], 16))
        return _UNESCAPES.get(code, code)

    if "\\" not in text:
        return text
    raw = _ESCAPE.sub(resolve, text.encode("utf-8", "surrogateescape").decode("latin-1"))
    return raw.encode("latin-1").decode("utf-8", "surrogateescape")
