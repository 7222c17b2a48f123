"""Listpacks and intsets in an RDB file: strings that are structures, explained entry by entry for the view.

Without a trace these are two calls. With one, the string is opened up in the view: the length before it, the
structure's own header, and each entry with its value. A string that was compressed stays closed, since its
entries have no bytes of their own in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutaway.datastructures.intsets import HEADER as INTSET_HEADER
from cutaway.datastructures.intsets import IntSet
from cutaway.datastructures.listpacks import HEADER_SIZE, ListPack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rdb_source import Source

Part = tuple[int, int, str, object]
"""Start and end within the string, label, value."""


def read_listpack(source: Source, label: str = "listpack") -> ListPack:
    """Read a string that is a listpack. Raises RDBError and ValueError. O(bytes)."""
    return read_elements(source, label)[0]


def read_elements(source: Source, label: str = "listpack") -> tuple[ListPack, list[bytes]]:
    """Read a string that is a listpack, and give its elements, too. Raises RDBError and ValueError. O(bytes)."""
    if source.trace is None:
        return ListPack.read(source.string(label))
    start = source.offset
    data = _silently(source, label)
    pack, elements = ListPack.read(data)
    _note(source, start, label, len(data), _listpack_parts(pack))
    return pack, elements


def read_intset(source: Source) -> IntSet:
    """Read a string that is an intset. Raises RDBError and ValueError. O(bytes)."""
    start = source.offset
    data = _silently(source, "intset")
    ints = IntSet.from_bytes(data)
    if source.trace is not None:
        _note(source, start, "intset", len(data), _intset_parts(ints))
    return ints


def _silently(source: Source, label: str) -> bytes:
    """Read a string without a note of it."""
    trace, source.trace = source.trace, None
    try:
        return source.string(label)
    finally:
        source.trace = trace


def _note(source: Source, start: int, label: str, size: int, parts: Iterator[Part]) -> None:
    """Note a string that began at `start` and is `size` bytes long; its parts, if it was not compressed."""
    trace = source.trace
    assert trace is not None
    body = source.offset - size
    trace.open(start, label)
    if body <= start:
        trace.leaf(start, source.offset, "LZF", f"{size} bytes when decompressed")
    else:
        trace.leaf(start, body, "length", size)
        for part_start, part_end, name, value in parts:
            trace.leaf(body + part_start, body + part_end, name, value)
    trace.close(source.offset)


def _listpack_parts(pack: ListPack) -> Iterator[Part]:
    """Yield header, entries and end mark. Positions in a pack do not count its header."""
    end = pack.nbytes - 1
    yield 0, HEADER_SIZE, "bytes and entries", f"{pack.nbytes}, {len(pack)}"
    pos = pack.first()
    while pos >= 0:
        following = pack.next(pos)
        stop = following + HEADER_SIZE if following >= 0 else end
        yield pos + HEADER_SIZE, stop, "entry", pack.get_value(pos)
        pos = following
    yield end, end + 1, "end mark", None


def _intset_parts(ints: IntSet) -> Iterator[Part]:
    """Yield header and cells."""
    yield 0, INTSET_HEADER.size, "width and cells", f"{ints.width}, {len(ints)}"
    for index, value in enumerate(ints):
        start = INTSET_HEADER.size + index * ints.width
        yield start, start + ints.width, "integer", value
