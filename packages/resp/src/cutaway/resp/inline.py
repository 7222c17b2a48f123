r"""Inline requests: what a person types into telnet.

A request that does not begin with ``*`` is a line of words, so that ``PING`` and the return key are enough
to talk to a server. The words are split as the server's own configuration file is: blanks separate, a word
may be, or end in, a quoted part, and a closing quote must end the word.

* In double quotes ``\n \r \t \b \a`` are the control characters, ``\xHH`` is a byte, and a backslash
  before anything else stands for that character.
* In single quotes only ``\'`` is special.

Source: ``sdssplitargs()`` of Redis, whose rules the pattern below restates. It is possessive throughout
(``*+``): a line that does not fit fails at once instead of being tried again in every other way.
"""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(
    rb"""
    ([^ \n\r\t"']*+)                              # a plain beginning, perhaps empty,
    (?: " ( (?: \\. | [^"\\] )*+ ) "                # then perhaps a double-quoted
      | ' ( (?: \\' | [^'] )*+ ) '                  # or a single-quoted end,
    )?+
    (?= [ \t\n\v\f\r] | \Z )                        # and nothing after it but a blank
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_CONTROL: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
_BLANKS: Final = re.compile(rb"[ \t\n\v\f\r]*+")


def split_inline(line: bytes) -> list[bytes]:
    """Split a line into its words. Raises ValueError if its quotes are unbalanced. O(n)."""
    if b'"' not in line and b"'" not in line and b"\v" not in line and b"\f" not in line:
        return line.split()
    words: list[bytes] = []
    position = _skip_blanks(line, 0)
    while position < len(line):
        match = _WORD.match(line, position)
        if match is None:
            message = "unbalanced quotes"
            raise ValueError(message)
        plain, double, single = match.groups()
        words.append(plain + _unescape(double or b"") + (single or b"").replace(rb"\'", b"'"))
        position = _skip_blanks(line, match.end())
    return words


def _skip_blanks(line: bytes, position: int) -> int:
    match = _BLANKS.match(line, position)
    return match.end() if match else position


def _unescape(quoted: bytes) -> bytes:
    return _ESCAPE.sub(_unescape_one, quoted) if b"\\" in quoted else quoted


def _unescape_one(match: re.Match[bytes]) -> bytes:
    byte, char = match.groups()
    return bytes.fromhex(byte.decode()) if byte else _CONTROL.get(char, char)
