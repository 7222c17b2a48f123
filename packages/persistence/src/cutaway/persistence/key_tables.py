"""The keys of a file as a table for people: one line each, or one key with all it holds.

Names are quoted as redis-cli quotes them, but text in any alphabet stays text. Sizes are bytes for strings and elements for
everything else. The lines come one by one, so that a file of any size can be listed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.hash_values import HashValue
from cutaway.datastructures.list_values import ListValue
from cutaway.datastructures.module_values import ModuleValue
from cutaway.datastructures.sorted_set_values import SortedSetValue
from cutaway.datastructures.streams import Stream

from .checks import type_name
from .rdb_values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rdb_reader import Entry

LONGEST_EMBSTR: Final = 44
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HEAD: Final = f"{'db':>2}  {'key':<40}  {'type':<6}  {'encoding':<10}  {'size':>8}  expires"

_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\a": "\\a", "\b": "\\b", '"': '\\"', "\\": "\\\\"}


def quoted(data: bytes) -> str:
    r"""Return bytes between quotes; what is not printable text, a byte that is no UTF-8 too, as \\xNN or the like."""
    text = data.decode("utf-8", "surrogateescape")
    return f'"{"".join(char if char.isprintable() and char not in _ESCAPES else _escaped(char) for char in text)}"'


def _escaped(char: str) -> str:
    raw = char.encode("utf-8", "surrogateescape")
    return _ESCAPES.get(char) or "".join(f"\\x{byte:02x}" for byte in raw)


def moment(milliseconds: int) -> str:
    """Return a time in milliseconds since the epoch as a date, in UTC; as a number if no calendar reaches so far."""
    try:
        return f"{EPOCH + timedelta(milliseconds=milliseconds):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return f"{milliseconds} ms after 1970"


def key_line(entry: Entry) -> str:
    """Return database, name, type, encoding, size and expiry of a key."""
    value = entry.value
    if isinstance(value, int):
        size, encoding = len(str(value)), "int"
    elif isinstance(value, (bytes, bytearray)):
        size, encoding = len(value), "embstr" if len(value) <= LONGEST_EMBSTR else "raw"
    else:
        size = value.memory_usage() if isinstance(value, ModuleValue) else len(value)
        encoding = value.encoding
    expiry = "" if entry.expire_at is None else moment(entry.expire_at)
    line = (
        f"{entry.db:>2}  {quoted(entry.key):<40}  {type_name(value):<6}  {encoding:<10}  {size:>8}  {expiry}"
    )
    return line.rstrip()


def elements(value: Value) -> Iterator[str]:
    """Yield what a value holds, an element a line, numbered where order means something."""
    if isinstance(value, int):
        yield str(value)
    elif isinstance(value, (bytes, bytearray)):
        yield quoted(bytes(value))
    elif isinstance(value, ModuleValue):
        yield from map(repr, value.save())
    elif isinstance(value, HashValue):
        for name, content in value.items():
            yield f"{quoted(name)}: {quoted(content)}"
    elif isinstance(value, SortedSetValue):
        for member, score in value.items():
            yield f"{score:g}  {quoted(member)}"
    elif isinstance(value, Stream):
        for (milliseconds, sequence), fields in value:
            pairs = ", ".join(f"{quoted(name)}: {quoted(content)}" for name, content in fields)
            yield f"{milliseconds}-{sequence}  {pairs}"
    else:
        for number, element in enumerate(value):
            yield f"{f'{number})' if isinstance(value, ListValue) else '-'} {quoted(element)}"
