"""LCS: the longest common subsequence of two strings.

A subsequence is what is left of a string when some of its bytes are struck out: of "ohmytext" and
"mynewtext" the longest that both have is "mytext". The textbook fills a table, `L[i][j]` = the length for the
first i bytes of one and the first j of the other, and walks back from its last corner. Redis does that, and
so its answer, where several are equally long, is that of its walk: diagonally where two bytes are equal,
else to the greater neighbour, and along the second string if neither is.

The table of two strings of 10,000 bytes has a hundred million cells: far too many for a loop in Python. But
two neighbours in a row differ by 0 or 1, so a row is a row of bits, and one row follows from the one before
it by an addition, whose carries run through all of it (Hyyrö, "Bit-parallel LCS-length computation
revisited", 2004). Rows are Python integers here, along the longer of the two strings: n rows of m bits,
each made by a handful of operations on an integer of m bits.

The walk needs only those bits. Where a bit is 0, L does not change along the long string, and the walk goes
that way until it meets a bit that is 1 or a byte that is equal: one look at the integer's length finds it.
Only in a tie does it matter which of the two strings is the long one; then the lengths are counted (the
ones in a row, up to a column).

Redis refuses a table that would not fit proto-max-bulk-len, at 4 bytes a cell. We need 1/32 of that, but
refuse the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from cutaway.commands import errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import RO
from cutaway.commands.options import Options
from cutaway.commands.strings import as_bytes
from cutaway.commands.tables import CommandTable
from cutaway.resp import MapReply, Reply

subsequences: Final = CommandTable("string")

OPTIONS: Final = Options("LEN", "IDX", "MINMATCHLEN:int", "WITHMATCHLEN")
CELL_BYTES: Final = 4
NOT_STRINGS: Final = errors.CommandError("ERR The specified keys must contain string values")
LENGTH_AND_INDEXES: Final = errors.CommandError(
    "ERR If you want both the length and indexes, please just use IDX."
)
TABLE_TOO_LARGE: Final = errors.CommandError(
    "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
)


class Match(NamedTuple):
    """A run of equal bytes: where it starts in the one string and in the other, and its length."""

    first: int
    second: int
    length: int


class Table:
    """The table L, as bits. O(n m / 64) to make, the shorter string having n bytes, the longer one m."""

    __slots__ = ("_equal", "_first_is_long", "_long", "_rows", "_short")

    def __init__(self, first: bytes, second: bytes) -> None:
        self._first_is_long: Final = len(first) > len(second)
        self._short, self._long = (second, first) if self._first_is_long else (first, second)
        self._equal: Final = {byte: _positions(self._long, byte) for byte in set(self._short)}
        self._rows: Final = self._build()

    def _build(self) -> list[int]:
        """For each prefix of the short string the bits at which its L grows along the long one."""
        everything = (1 << len(self._long)) - 1
        rows = [0]
        same = everything
        for byte in self._short:
            equal = same & self._equal[byte]
            same = (same + equal | same - equal) & everything
            rows.append(same ^ everything)
        return rows

    def length(self) -> int:
        """The length of the longest common subsequence. O(m)."""
        return self._rows[-1].bit_count()

    def matches(self) -> Iterator[Match]:
        """The runs of bytes that make it up, the last one first. O(n m / 64)."""
        row, column = len(self._short), len(self._long)
        while row and column:
            run = 0
            while row and column and self._short[row - 1] == self._long[column - 1]:
                row -= 1
                column -= 1
                run += 1
            if run:
                first, second = (column, row) if self._first_is_long else (row, column)
                yield Match(first, second, run)
            elif self._goes_along(row, column):
                row_or_match = self._rows[row] | self._equal[self._short[row - 1]]
                column = (row_or_match & (1 << column) - 1).bit_length()
            else:
                row -= 1

    def _goes_along(self, row: int, column: int) -> bool:
        """Whether the walk, at two bytes that differ, goes on along the long string."""
        bits = self._rows[row]
        if bits >> column - 1 & 1:
            return False
        if not self._first_is_long:
            return True
        below = (1 << column) - 1
        return (self._rows[row - 1] & below).bit_count() < (bits & below).bit_count()


def _positions(text: bytes, byte: int) -> int:
    """A bit for each byte of `text`, the first one lowest: whether it is `byte`. O(len)."""
    flags = bytearray(b"0" * 256)
    flags[byte] = ord("1")
    return int(text[::-1].translate(bytes(flags)), 2) if text else 0


@subsequences.command("LCS", arity=-3, flags="readonly", keys=RO(1, last=1), since="7.0.0",
                      syntax="key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]")  # fmt: skip
def lcs(client: Client, key1: bytes, key2: bytes, *tail: bytes) -> Reply:
    """Finds the longest common subsequence of two strings. O(n*m) for strings of n and m bytes."""
    entries = [client.db.lookup_read(key) for key in (key1, key2)]
    values = [b"" if entry is None else entry.value for entry in entries]
    if not all(isinstance(value, (bytes, bytearray, int)) for value in values):
        raise NOT_STRINGS
    options = OPTIONS.parse(tail)
    if "LEN" in options and "IDX" in options:
        raise LENGTH_AND_INDEXES
    first, second = as_bytes(values[0]), as_bytes(values[1])
    if (len(first) + 1) * (len(second) + 1) * CELL_BYTES > client.engine.max_string_length:
        raise TABLE_TOO_LARGE
    table = Table(first, second)
    if "IDX" in options:
        return _indexes(table, options.get("MINMATCHLEN", 0), with_length="WITHMATCHLEN" in options)
    if "LEN" in options:
        return table.length()
    parts = [first[match.first : match.first + match.length] for match in table.matches()]
    return b"".join(reversed(parts))


def _indexes(table: Table, minimum: int, *, with_length: bool) -> Reply:
    """The reply to IDX: first and last offset of each run in both strings, the last run first."""
    runs: list[Reply] = []
    for first, second, length in table.matches():
        if length >= minimum:
            run: list[Reply] = [[first, first + length - 1], [second, second + length - 1]]
            runs.append([*run, length] if with_length else run)
    return MapReply([(b"matches", runs), (b"len", table.length())])
