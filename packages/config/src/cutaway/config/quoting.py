r"""How a line of `redis.conf` is split into words, and how a word is quoted so that it comes back the same.

Words stand between blanks. Inside double quotes a backslash starts an escape: `\n \r \t \b \a`, `\xHH` for
a byte, and any other character for itself. Inside single quotes only `\'` is one. Quoted and plain pieces
that touch are one word, as in a shell: so does Valkey 9.1, while Redis 7 refuses a line where anything but
a blank follows a closing quote. Quotes that stay open make the whole line unreadable.

Source: `sdssplitargs` and `sdscatrepr` in `sds.c` of Redis 7.2, compared with Valkey 9.1.
"""

import re
from typing import Final

_BLANKS: Final = b" \t\n\v\f\r"
_WORD_ENDS: Final = b" \t\n\r\0"
_PLAIN: Final = re.compile(rb"[^ \t\n\r\0\"']*")
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
_DOUBLE: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SINGLE: Final = re.compile(rb"'((?:[^'\\]|\\'|\\(?!'))*)'", re.DOTALL)
_DOUBLE_ESCAPE: Final = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_REPRESENTED: Final = {
    ord("\\"): "\\\\",
    ord('"'): '\\"',
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    ord("\a"): "\\a",
    ord("\b"): "\\b",
}


def split(line: str) -> list[str] | None:
    """Return the words of a line, or None if its quotes are not balanced. O(n)."""
    data = line.encode("utf-8", "surrogateescape").partition(b"\0")[0]
    words: list[str] = []
    at = 0
    while True:
        while at < len(data) and data[at] in _BLANKS:
            at += 1
        if at == len(data):
            return words
        word, at = _word(data, at)
        if word is None:
            return None
        words.append(word.decode("utf-8", "surrogateescape"))


def _word(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Return the word that starts at `at`, and the index after it; no word if a quote is out of place."""
    pieces: list[bytes] = []
    while at < len(data) and data[at] not in _WORD_ENDS:
        if data[at] not in b"\"'":
            plain = _PLAIN.match(data, at)
            assert plain is not None
            pieces.append(plain[0])
            at = plain.end()
            continue
        double = data[at] == ord('"')
        quoted = (_DOUBLE if double else _SINGLE).match(data, at)
        if quoted is None:
            return None, at
        pieces.append(_DOUBLE_ESCAPE.sub(_unescape, quoted[1]) if double else quoted[1].replace(b"\\'", b"'"))
        at = quoted.end()
    return b"".join(pieces), at


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return bytes.fromhex(match[1].decode())
    return _ESCAPED.get(match[2], match[2])


def quote(text: str) -> str:
    """Put `text` in double quotes, with everything that is not printable ASCII escaped. O(n)."""
    return f'"{"".join(map(_represent, text.encode("utf-8", "surrogateescape")))}"'


def _represent(byte: int) -> str:
    if byte in _REPRESENTED:
        return _REPRESENTED[byte]
    return chr(byte) if ord(" ") <= byte <= ord("~") else f"\\x{byte:02x}"
