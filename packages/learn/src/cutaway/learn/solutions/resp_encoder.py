"""A solution of resp.encoder: one question after the other, the types that stand for others last."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain

from cutaway.learn.rest import encode_rare
from cutaway.resp import MapReply as Map
from cutaway.resp import NullArray, PairMap, Pairs, Push, Reply, ReplyError, SetReply
from cutaway.resp.doubles import format_double


class Encoder:
    """An encoder for one connection; `protocol` is 2 or 3, and may change at any time."""

    def __init__(self, protocol: int = 2) -> None:
        self.protocol = protocol

    def encode(self, reply: Reply) -> bytes:
        """Return the bytes of a reply."""
        is_new = self.protocol == 3
        if isinstance(reply, (bytes, bytearray)):
            return b"$%d\r\n" % len(reply) + bytes(reply) + b"\r\n"
        if isinstance(reply, str):
            return line("+", reply)
        if isinstance(reply, bool):  # before int: True is one
            return (b"#t\r\n" if reply else b"#f\r\n") if is_new else b":%d\r\n" % reply
        if isinstance(reply, int):
            return b":%d\r\n" % reply
        if isinstance(reply, Exception):
            text = reply.message if isinstance(reply, ReplyError) else f"ERR {reply}"
            return line("-", text.strip("\r\n"))
        if reply is None or isinstance(reply, NullArray):
            return b"_\r\n" if is_new else (b"$-1\r\n" if reply is None else b"*-1\r\n")
        if isinstance(reply, float):
            digits = format_double(reply)
            return b",%b\r\n" % digits if is_new else self.encode(digits)
        return self.container(reply)

    def container(self, reply: Reply) -> bytes:
        """What holds other values."""
        is_new = self.protocol == 3
        if isinstance(reply, (list, tuple)):
            return self.several("*", reply)
        if isinstance(reply, dict):
            return self.container(Map(list(reply.items())))
        if isinstance(reply, (set, frozenset)):
            return self.several("~" if is_new else "*", reply)
        if isinstance(reply, SetReply):
            return self.several("~" if is_new else "*", reply.items)
        if isinstance(reply, Push):
            return self.several(">" if is_new else "*", reply.items)
        if isinstance(reply, (Map, Pairs, PairMap)):
            if isinstance(reply, Pairs if is_new else PairMap):
                return self.several("*", [list(pair) for pair in reply.items])
            flat = list(chain.from_iterable(reply.items))
            return self.several("%", flat, len(reply.items)) if is_new else self.several("*", flat)
        return encode_rare(reply, self.encode, self.protocol)

    def several(self, mark: str, items: Collection[Reply], count: int | None = None) -> bytes:
        """A mark, how many, and each of them."""
        header = f"{mark}{len(items) if count is None else count}\r\n".encode()
        return header + b"".join(self.each(items))

    def each(self, items: Iterable[Reply]) -> Iterable[bytes]:
        """The items, encoded."""
        return map(self.encode, items)


def line(mark: str, text: str) -> bytes:
    """A mark and one line of text."""
    text = text.replace("\r", " ").replace("\n", " ")
    return f"{mark}{text}\r\n".encode("utf-8", "surrogateescape")
