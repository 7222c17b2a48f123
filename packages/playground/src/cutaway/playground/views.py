"""Two views beside a terminal: what went over the wire, and what the key is made of now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from typing import Any, Final

from cutaway.commands import Database, Engine
from cutaway.datastructures import IntSet, ListPack, RadixSnapshot, SkipList
from cutaway.datastructures.stream_nodes import StreamNode
from cutaway.resp import Span
from cutaway.viz import Picture, annotated_bytes, dict_tables, listpack_spans, quicklist, radix_tree, skiplist

MOST_BYTES: Final = 600
"""Of longer messages and values only so much is drawn."""
MOST_NODES: Final = 60

_SAID: Final = {"request": "sent", "reply": "received"}


def wire_view(messages: Sequence[tuple[str, bytes]]) -> Picture:
    """The messages of a connection, ("request" or "reply", bytes), one below the other. O(bytes drawn)."""
    if not messages:
        return _note("Type a command: here are then the bytes that it sends, and the bytes of the answer.")
    pictures = [
        annotated_bytes(data[:MOST_BYTES], title=f"{_SAID[kind]}, {_size(len(data))}")
        for kind, data in messages[-6:]
    ]
    return _stacked(pictures)


def structure_view(engine: Engine, database: Database, key: bytes) -> Picture:
    """What holds the value at `key` of `database`. O(n) for what is drawn."""
    if not key:
        return _note(
            "Type a command with a key, such as ZADD heights 178 Ada: here is then what the key is made of."
        )
    entry = database.peek(key)
    name = key.decode("utf-8", "backslashreplace")
    if entry is None:
        return _note(f"There is no key {name}.")
    value = entry.value
    encoding = engine.do("OBJECT", "ENCODING", key) if database.index == 0 else getattr(value, "encoding", "")
    kind = getattr(value, "type_name", "string")
    said = encoding.decode() if isinstance(encoding, bytes) else str(encoding)
    title = f"{name}: {kind}, held as {said}"
    draw = _DRAWN.get(kind, _string)
    return draw(value, title)


# ---- one function for each type


def _string(value: Any, title: str) -> Picture:
    data = value if isinstance(value, (bytes, bytearray)) else str(value).encode()
    span = Span(0, min(len(data), MOST_BYTES), "bytes", None, None)
    return annotated_bytes(bytes(data[:MOST_BYTES]), [span], title=f"{title}, {_size(len(data))}")


def _list(value: Any, title: str) -> Picture:
    nodes = value.quicklist
    if nodes is not None:
        return quicklist(nodes.snapshot()[:MOST_NODES], title=title)
    (pack,) = value.nodes()
    return _pack(pack, title)


def _set(value: Any, title: str) -> Picture:
    return (
        _pack(value.pack, title)
        if value.pack is not None
        else dict_tables(value.table.snapshot(), title=title)
    )


def _sorted_set(value: Any, title: str) -> Picture:
    if value.pack is not None:
        return _pack(value.pack, title)
    index = value.index
    if isinstance(index, SkipList) and len(index) <= MOST_NODES:
        return skiplist(index.snapshot(), title=title)
    return _note(f"{title}, {len(value)} members: too many to draw.")


def _stream(value: Any, title: str) -> Picture:
    tree = radix_tree(
        _entries(value.tree.snapshot()), title=f"{title}: a tree of nodes, by the ID that each begins with"
    )
    packs = [pack for _, pack in value.nodes()]
    return _stacked([tree, _pack(packs[-1], "the last node")]) if packs else tree


_DRAWN: Final[dict[str, Callable[[Any, str], Picture]]] = {
    "list": _list, "set": _set, "hash": _set, "zset": _sorted_set, "stream": _stream,
}  # fmt: skip


def _pack(pack: ListPack | IntSet, title: str) -> Picture:
    data = bytes(pack)
    if isinstance(pack, IntSet):
        return annotated_bytes(data, _intset_spans(pack), title=f"{title}, {_size(len(data))}")
    if len(data) > MOST_BYTES:
        return _note(f"{title}, {_size(len(data))}: too many to draw.")
    return annotated_bytes(data, listpack_spans(data), title=f"{title}, {_size(len(data))}")


def _intset_spans(numbers: IntSet) -> list[Span]:
    """The header, and the numbers in ascending order, all of one width."""
    whole = Span(0, 8 + numbers.width * len(numbers), "intset", f"{len(numbers)} numbers", None)
    header = [Span(0, 4, "bytes a number", numbers.width, 0), Span(4, 8, "numbers", len(numbers), 0)]
    places = range(8, whole.end, numbers.width)
    return [whole, *header, *(
        Span(start, start + numbers.width, "number", number, 0) for start, number in zip(places, numbers, strict=True)
    )]  # fmt: skip


def _entries(node: RadixSnapshot) -> RadixSnapshot:
    """The tree of a stream with, for each node, how many entries it holds, in the place of the node."""
    live = node.value.live if isinstance(node.value, StreamNode) else 0
    value = f"{live} {'entry' if live == 1 else 'entries'}" if node.is_key else None
    return replace(node, value=value, children=tuple(map(_entries, node.children)))


def _size(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"


def _note(text: str) -> Picture:
    return Picture(f"<p>{escape(text)}</p>", text)


def _stacked(pictures: Sequence[Picture]) -> Picture:
    """Pictures one below the other, each with its title."""
    return Picture("".join(picture.framed for picture in pictures), "\n\n".join(map(str, pictures)))
