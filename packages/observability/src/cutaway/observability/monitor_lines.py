r"""MONITOR's lines: every command that runs, as it comes, for whoever wants to watch.

    1339518083.107412 [0 127.0.0.1:60866] "keys" "*"

The time in seconds with microseconds, the database, who sent it, and the words, each in double quotes with what does not print as in
C: `\n`, `\"`, `\x00`. A command of a script comes from `lua`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_ESCAPED: Final = {0x5C: "\\\\", 0x22: '\\"', 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x07: "\\a", 0x08: "\\b"}
_QUOTED: Final = [
    _ESCAPED.get(byte, chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}") for byte in range(256)
]


def quoted(word: bytes) -> str:
    """A word in double quotes, printable, on one line. O(n)."""
    return '"' + "".join([_QUOTED[byte] for byte in word]) + '"'


def monitor_line(microseconds: int, database: int, source: str, argv: Sequence[bytes]) -> str:
    """The line for one command, without a line end; `microseconds` since the epoch. O(bytes)."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    return f"{seconds}.{fraction:06d} [{database} {source}] {' '.join(map(quoted, argv))}"
