r"""Replies as text, exactly as ``redis-cli`` writes them.

Scripts read what a client prints, so this is a format like any other, with its own rules and accidents:

* **standard**, for a person at a terminal: types are named, strings quoted, elements numbered. A nested value begins on the
  line of its number and goes on indented by the width of the numbers; a map's value that needs several lines begins on
  a new one. ``1)`` is an array's element, ``1~`` a set's, ``1#`` a map's.
* **raw**, for a pipe: strings as they are, elements on a line each, nesting lost, nil an empty line. An error ends with a line
  feed of its own.
* **csv** and **json**. JSON's strings are the server's bytes, escaped only where JSON demands it; ``--quoted-json`` escapes
  everything that is not printable ASCII, twice.

All work on bytes and give bytes: a value need not be text in any encoding. The replies must be *exact* ones (see
`cutaway.resp.ReplyParser`), else maps, sets and doubles are not the server's to the byte.

Beyond the original: attributes and big numbers, on which redis-cli gives up, are shown too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cutaway.resp import (
    Attributed,
    BigNumber,
    Double,
    MapReply,
    NullArray,
    Push,
    Reply,
    SetReply,
    Several,
    Verbatim,
)

_NAMES: Final = {"n": 10, "r": 13, "t": 9, "a": 7, "b": 8, '"': 34, "\\": 92}
_QUOTED: Final = [bytes([code]) if 32 <= code < 127 else b"\\x%02x" % code for code in range(256)]
for _name, _code in _NAMES.items():
    _QUOTED[_code] = b"\\" + _name.encode()
_SPECIAL: Final = re.compile(rb"[^ !#-\[\]-~]")
_JSON_SPECIAL: Final = re.compile(rb'[\x00-\x1f"\\]')
_JSON_SHORT: Final = {b"\b": b"\\b", b"\f": b"\\f", b"\n": b"\\n", b"\r": b"\\r", b"\t": b"\\t"}


def quote(data: bytes) -> bytes:
    r"""Bytes in double quotes, as the server's own logs write them: ``"a\nb\x00"``. O(n)."""
    return b'"%b"' % _SPECIAL.sub(lambda match: _QUOTED[match[0][0]], data)


def text_of(reply: str | Exception) -> bytes:
    """The bytes of a simple string or an error, as the server sent them."""
    return str(reply).encode("utf-8", "surrogateescape")


@dataclass(slots=True)
class Format:
    """A way to write replies, and what the raw one puts between values."""

    name: str = "standard"
    """One of "standard", "raw", "csv", "json", "quoted-json"."""
    element_delimiter: bytes = b"\n"
    reply_delimiter: bytes = b"\n"

    def write(self, reply: Reply, *, as_is: bool = False) -> bytes:
        """A reply with its line end; `as_is` for the replies that are a page to be read (INFO): raw, and no line end."""
        if as_is:
            return raw(reply, self.element_delimiter)
        if self.name == "raw":
            return raw(reply, self.element_delimiter) + self.reply_delimiter
        return _WRITERS[self.name](reply)


def children(reply: Reply) -> list[Reply] | None:
    """The elements of an aggregate, keys and values of a map in turn; None for a scalar."""
    if isinstance(reply, (list, tuple)):
        return list(reply)
    if isinstance(reply, (SetReply, Push, Several)):
        return list(reply.items)
    if isinstance(reply, (set, frozenset)):
        return list(reply)
    if isinstance(reply, MapReply):
        return [each for pair in reply.items for each in pair]
    if isinstance(reply, dict):
        return [each for pair in reply.items() for each in pair]
    return None


def _is_map(reply: Reply) -> bool:
    return isinstance(reply, (MapReply, dict))


# ---- standard


def standard(reply: Reply, indent: bytes = b"") -> bytes:
    """For a person. Ends with a line feed. O(n), times the depth for the indent."""
    if isinstance(reply, Attributed):
        attributes = reply.attributes
        pairs = list(attributes.items()) if isinstance(attributes, dict) else list(attributes)
        head = standard(MapReply(pairs), indent + b"   ") if pairs else b"\n"
        return b"|  " + head + indent + standard(reply.reply, indent)
    elements = children(reply)
    if elements is None:
        return _scalar(reply) + b"\n"
    if not elements:
        return _empty(reply)
    if _is_map(reply):
        return _map(elements, indent)
    mark = b"~" if isinstance(reply, (SetReply, set, frozenset)) else b")"
    width = len(str(len(elements)))
    inner = indent + b" " * (width + 2)
    lines = []
    for number, element in enumerate(elements, 1):
        before = indent if number > 1 else b""
        lines.append(b"%b%*d%b %b" % (before, width, number, mark, standard(element, inner)))
    return b"".join(lines)


def _map(elements: Sequence[Reply], indent: bytes) -> bytes:
    width = len(str(len(elements) // 2))
    inner = indent + b" " * (width + 2)
    lines = []
    for number, (key, value) in enumerate(zip(elements[::2], elements[1::2], strict=True), 1):
        before = indent if number > 1 else b""
        left = b"%b%*d# %b => " % (before, width, number, standard(key, inner)[:-1])
        break_ = b"\n" + inner if _needs_lines(value) else b""
        lines.append(left + break_ + standard(value, inner))
    return b"".join(lines)


def _needs_lines(reply: Reply) -> bool:
    elements = children(reply)
    if not elements:
        return False
    if len(elements) > (2 if _is_map(reply) else 1):
        return True
    return _needs_lines(elements[-1])


def _empty(reply: Reply) -> bytes:
    if _is_map(reply):
        return b"(empty hash)\n"
    if isinstance(reply, (SetReply, set, frozenset)):
        return b"(empty set)\n"
    return b"(empty push)\n" if isinstance(reply, Push) else b"(empty array)\n"


def _scalar(reply: Reply) -> bytes:
    match reply:
        case None | NullArray():
            return b"(nil)"
        case bool():
            return b"(true)" if reply else b"(false)"
        case bytes():
            return quote(reply)
        case str():
            return text_of(reply)
        case Exception():
            return b"(error) " + text_of(reply)
        case int():
            return b"(integer) %d" % reply
        case Double():
            return b"(double) " + reply.text
        case Verbatim():
            return reply.text
        case BigNumber():
            return b"(big number) " + reply.digits
        case _:
            return repr(reply).encode()


# ---- raw


def raw(reply: Reply, delimiter: bytes = b"\n") -> bytes:
    """For a pipe: the values and nothing else. O(n)."""
    if isinstance(reply, bytes):
        return reply
    if isinstance(reply, Attributed):
        return raw(reply.reply, delimiter)
    elements = children(reply)
    if elements is None:
        return text_of(reply) + b"\n" if isinstance(reply, Exception) else _raw_scalar(reply)
    parts = [raw(each, delimiter) for each in elements]
    if _is_map(reply):
        parts = [key + b" " + value for key, value in zip(parts[::2], parts[1::2], strict=True)]
    return delimiter.join(parts)


def _raw_scalar(reply: Reply) -> bytes:
    """The scalars that all the formats for programs write alike: numbers as digits, text as it is."""
    match reply:
        case None | NullArray():
            return b""
        case bool():
            return b"(true)" if reply else b"(false)"
        case int():
            return b"%d" % reply
        case Double() | Verbatim():
            return reply.text
        case BigNumber():
            return reply.digits
        case str():
            return text_of(reply)
        case _:
            return repr(reply).encode()


# ---- csv, json


def csv(reply: Reply) -> bytes:
    """One line, however the reply nests."""
    return _csv(reply) + b"\n"


def _csv(reply: Reply) -> bytes:
    if isinstance(reply, Attributed):
        return _csv(reply.reply)
    elements = children(reply)
    if elements is not None:
        return b",".join([_csv(each) for each in elements])
    if isinstance(reply, Exception):
        return b"ERROR," + quote(text_of(reply))
    if isinstance(reply, (bytes, str, Verbatim)):
        return quote(reply if isinstance(reply, bytes) else _raw_scalar(reply))
    return _constant(reply, b"NULL")


def json(reply: Reply) -> bytes:
    """One line of JSON, whose strings are the server's bytes."""
    return _json(reply, _json_string) + b"\n"


def quoted_json(reply: Reply) -> bytes:
    """One line of JSON in ASCII, whose strings are quoted as `quote` does."""
    return _json(reply, lambda data: quote(data).replace(b"\\", b"\\\\")) + b"\n"


def _json(reply: Reply, string: Callable[[bytes], bytes]) -> bytes:
    if isinstance(reply, Attributed):
        return _json(reply.reply, string)
    elements = children(reply)
    if elements is None:
        if isinstance(reply, Exception):
            return b"error:" + string(text_of(reply))
        if isinstance(reply, (bytes, str, Verbatim)):
            return string(reply if isinstance(reply, bytes) else _raw_scalar(reply))
        return _constant(reply, b"null")
    parts = [_json(each, string) for each in elements]
    if not _is_map(reply):
        return b"[%b]" % b",".join(parts)
    keys = [key if key[:1] in (b'"', b"e") else b'"%b"' % key for key in parts[::2]]
    return b"{%b}" % b",".join([b"%b:%b" % pair for pair in zip(keys, parts[1::2], strict=True)])


def _json_string(data: bytes) -> bytes:
    return b'"%b"' % _JSON_SPECIAL.sub(_escape_json, data)


def _escape_json(match: re.Match[bytes]) -> bytes:
    byte = match[0]
    if byte in b'"\\':
        return b"\\" + byte
    return _JSON_SHORT.get(byte) or b"\\u%04x" % byte[0]


def _constant(reply: Reply, null: bytes) -> bytes:
    if reply is None or isinstance(reply, NullArray):
        return null
    if isinstance(reply, bool):
        return b"true" if reply else b"false"
    return _raw_scalar(reply)


_WRITERS: Final[dict[str, Callable[[Reply], bytes]]] = {
    "standard": standard,
    "csv": csv,
    "json": json,
    "quoted-json": quoted_json,
}
