"""Replies to bytes, in RESP2 or RESP3.

Every RESP value begins with a byte that says what it is, and either ends at the next CRLF (``:42``,
``+OK``) or says how much follows (``$3``, ``*2``). Encoding is therefore a walk over the value that appends
as it goes. What makes it fast is to do as little as possible for the replies that servers send most:

* one dict lookup on the exact type of the value finds its encoder; an unknown type pays once for a look at
  its base classes;
* ``+OK``, the small integers and the headers of short strings are not formatted but looked up;
* a list of bytes, the reply of LRANGE or HGETALL, is never walked in Python: a short one has the form of a
  request, which ``hiredis``, where it is installed, packs in one call; of a long one the lengths are taken,
  turned to headers and laid between the elements by a few calls that each go over the whole list in C.

RESP3 differs from RESP2 only in the types it can name, so there is one table per protocol and a value type
appears in both, with another function where the shapes differ.

Specification: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, Final, TypeAlias

from cutaway.resp.doubles import format_double
from cutaway.resp.replies import (
    Attributed,
    BigNumber,
    Double,
    MapReply,
    NoReply,
    NullArray,
    PairMap,
    Pairs,
    Push,
    Raw,
    Reply,
    ReplyError,
    SetReply,
    Several,
    Verbatim,
)

Writer: TypeAlias = Callable[["Encoder", Any], bytes]


def _find_pack_command() -> Callable[[tuple[Any, ...]], bytes] | None:
    try:
        from hiredis import pack_command  # noqa: PLC0415 - absent from WebAssembly and from plain installs
    except ImportError:
        return None
    return pack_command


_pack_command: Final = _find_pack_command()

_SMALL: Final = 1024
_MANY: Final = 16
"""From so many elements on, the calls that go over a whole list pay."""
_SIZES: Final = [b"$%d" % n for n in range(_SMALL)]
_BULK_HEADERS: Final = [b"$%d\r\n" % n for n in range(_SMALL)]
_INTEGERS: Final = {n: b":%d\r\n" % n for n in range(-16, 10_000)}
_SIMPLE: Final = {"OK": b"+OK\r\n", "PONG": b"+PONG\r\n", "QUEUED": b"+QUEUED\r\n"}
_TO_SPACES: Final = {ord("\r"): " ", ord("\n"): " "}


class Encoder:
    """Encoder of replies for one connection; `protocol` is 2 or 3 and may change at any time (HELLO)."""

    __slots__ = ("_protocol", "_writers")

    def __init__(self, protocol: int = 2) -> None:
        self.protocol = protocol

    @property
    def protocol(self) -> int:
        """The protocol version replies are written in, 2 or 3."""
        return self._protocol

    @protocol.setter
    def protocol(self, version: int) -> None:
        if version not in _WRITERS:
            message = f"no such protocol: {version!r}"
            raise ValueError(message)
        self._protocol: int = version
        self._writers: dict[type, Writer] = _WRITERS[version]

    def encode(self, reply: Reply) -> bytes:
        """Return the bytes of a reply. Raises TypeError for a value that is not one. O(size)."""
        try:
            writer = self._writers[type(reply)]
        except KeyError:
            writer = self._writer_of_base(reply)
        return writer(self, reply)

    def encode_all(self, replies: list[Reply]) -> bytes:
        """Return the bytes of replies that follow one another. Raises TypeError as `encode` does. O(size).

        Those of a pipeline tend to be of one kind, and then a few calls in C write all of them.
        """
        kinds: list[type] = [*map(type, replies)]
        if kinds and kinds[0] in _IN_A_ROW and kinds.count(kinds[0]) == len(kinds):
            return _IN_A_ROW[kinds[0]](replies)
        return b"".join(map(self.encode, replies))

    def encode_into(self, reply: Reply, out: bytearray) -> None:
        """Append the bytes of a reply to `out`."""
        try:
            writer = self._writers[type(reply)]
        except KeyError:
            writer = self._writer_of_base(reply)
        out += writer(self, reply)

    def _writer_of_base(self, reply: object) -> Writer:
        """Find the writer of the nearest base class, and remember it; or of what the value behaves like."""
        for base in type(reply).__mro__:
            if base in self._writers:
                self._writers[type(reply)] = self._writers[base]
                return self._writers[base]
        if isinstance(reply, Mapping):
            return self._writers[dict]
        if isinstance(reply, AbstractSet):
            return self._writers[set]
        if isinstance(reply, Sequence):
            return self._writers[list]
        message = f"not a reply: {reply!r}"
        raise TypeError(message)


def encode_request(argv: Sequence[bytes]) -> bytes:
    """Return a request as a client sends it: an array of bulk strings. O(size)."""
    if _pack_command is not None:
        return _pack_command(tuple(argv))
    return _pack(argv)


def _pack(items: Sequence[bytes]) -> bytes:
    """Return an array of bulk strings. Raises TypeError if an item is not bytes."""
    parts = [b"*%d\r\n" % len(items)]
    for item in items:
        parts += (b"$%d\r\n" % len(item), item, b"\r\n")
    return b"".join(parts)


def _bulk(_encoder: Encoder, value: bytes | bytearray) -> bytes:
    length = len(value)
    header = _BULK_HEADERS[length] if length < _SMALL else b"$%d\r\n" % length
    return header + value + b"\r\n"


def _simple(_encoder: Encoder, value: str) -> bytes:
    return _simple_string(value)


def _simple_string(value: str) -> bytes:
    known = _SIMPLE.get(value)
    if known is not None:
        return known
    return b"+%b\r\n" % value.translate(_TO_SPACES).encode("utf-8", "surrogateescape")


def _integer(_encoder: Encoder, value: int) -> bytes:
    return _INTEGERS.get(value) or b":%d\r\n" % value


def _error(_encoder: Encoder, value: Exception) -> bytes:
    message = value.message if isinstance(value, ReplyError) else f"ERR {value}"
    return b"-%b\r\n" % message.strip("\r\n").translate(_TO_SPACES).encode("utf-8", "surrogateescape")


def _array(encoder: Encoder, items: Sequence[Reply]) -> bytes:
    if not items:
        return b"*0\r\n"
    if len(items) < _MANY and _pack_command is not None and type(items[0]) is type(items[-1]) is bytes:
        try:
            b"".join(items)  # type: ignore[arg-type] # fails on what pack_command would turn into text
            return _pack_command(tuple(items))
        except TypeError:
            pass  # not bytes alone
    return _sequence(encoder, b"*%d\r\n" % len(items), items)


def _bulks(items: Sequence[bytes]) -> bytes:
    """Many bulk strings in a row. Raises TypeError if an item is not bytes. O(size), all of it in C."""
    sizes = [*map(len, items)]
    if sizes.count(sizes[0]) == len(sizes):  # ids, counters, dates: then one header serves them all
        header = b"$%d\r\n" % sizes[0]
        return header + (b"\r\n" + header).join(items) + b"\r\n"
    parts = [b""] * (2 * len(items) + 1)
    parts[1::2] = items
    if max(sizes) < _SMALL:
        parts[:-1:2] = map(_SIZES.__getitem__, sizes)
    else:
        parts[:-1:2] = [b"$%d" % size for size in sizes]
    return b"\r\n".join(parts)


def _simples(items: Sequence[str]) -> bytes:
    """Many simple strings in a row; as a rule they are all OK. O(size)."""
    if items.count(items[0]) == len(items):
        return _simple_string(items[0]) * len(items)
    return b"".join(map(_simple_string, items))


def _integers(items: Sequence[int]) -> bytes:
    """Many integers in a row. O(size)."""
    return b":%d\r\n" * len(items) % tuple(items)


def _sequence(encoder: Encoder, header: bytes, items: Sequence[Reply]) -> bytes:
    if len(items) >= _MANY and type(items[0]) is bytes:
        try:
            return header + _bulks(items)  # type: ignore[arg-type] # fails on what is not bytes
        except TypeError:
            pass
    encode = encoder.encode
    return header + b"".join([encode(item) for item in items])


def _flatten(pairs: Iterable[tuple[Reply, Reply]]) -> list[Reply]:
    return list(chain.from_iterable(pairs))


def _none2(_encoder: Encoder, _: None) -> bytes:
    return b"$-1\r\n"


def _null3(_encoder: Encoder, _: NullArray | None) -> bytes:
    return b"_\r\n"


def _null_array2(_encoder: Encoder, _: NullArray) -> bytes:
    return b"*-1\r\n"


def _no_reply(_encoder: Encoder, _: NoReply) -> bytes:
    return b""


def _raw(_encoder: Encoder, value: Raw) -> bytes:
    return value.payload


def _bool2(_encoder: Encoder, value: bool) -> bytes:  # noqa: FBT001 - the value is the reply
    return b":1\r\n" if value else b":0\r\n"


def _bool3(_encoder: Encoder, value: bool) -> bytes:  # noqa: FBT001 - the value is the reply
    return b"#t\r\n" if value else b"#f\r\n"


def _double2(encoder: Encoder, value: float) -> bytes:
    return _bulk(encoder, format_double(value))


def _double3(_encoder: Encoder, value: float) -> bytes:
    return b",%b\r\n" % format_double(value)


def _digits2(encoder: Encoder, value: Double) -> bytes:
    return _bulk(encoder, value.text)


def _digits3(_encoder: Encoder, value: Double) -> bytes:
    return b",%b\r\n" % value.text


def _dict2(encoder: Encoder, value: Mapping[Any, Reply]) -> bytes:
    return _array(encoder, _flatten(value.items()))


def _dict3(encoder: Encoder, value: Mapping[Any, Reply]) -> bytes:
    return _sequence(encoder, b"%%%d\r\n" % len(value), _flatten(value.items()))


def _set2(encoder: Encoder, value: AbstractSet[Reply]) -> bytes:
    return _array(encoder, list(value))


def _set3(encoder: Encoder, value: AbstractSet[Reply]) -> bytes:
    return _sequence(encoder, b"~%d\r\n" % len(value), list(value))


def _set_reply2(encoder: Encoder, value: SetReply) -> bytes:
    return _array(encoder, value.items)


def _set_reply3(encoder: Encoder, value: SetReply) -> bytes:
    return _sequence(encoder, b"~%d\r\n" % len(value.items), value.items)


def _push2(encoder: Encoder, value: Push) -> bytes:
    payload = value.payload2
    if payload is None:
        payload = value.payload2 = _array(encoder, value.items)
    return payload


def _push3(encoder: Encoder, value: Push) -> bytes:
    payload = value.payload3
    if payload is None:
        payload = value.payload3 = _sequence(encoder, b">%d\r\n" % len(value.items), value.items)
    return payload


def _several(encoder: Encoder, value: Several) -> bytes:
    return b"".join([encoder.encode(item) for item in value.items])


def _flat2(encoder: Encoder, value: Pairs | MapReply) -> bytes:
    return _array(encoder, _flatten(value.items))


def _map3(encoder: Encoder, value: MapReply | PairMap) -> bytes:
    return _sequence(encoder, b"%%%d\r\n" % len(value.items), _flatten(value.items))


def _nested(encoder: Encoder, value: Pairs | PairMap) -> bytes:
    encode = encoder.encode
    pairs = [b"*2\r\n" + encode(first) + encode(second) for first, second in value.items]
    return b"*%d\r\n" % len(pairs) + b"".join(pairs)


def _verbatim2(encoder: Encoder, value: Verbatim) -> bytes:
    return _bulk(encoder, value.text)


def _verbatim3(_encoder: Encoder, value: Verbatim) -> bytes:
    return b"=%d\r\n%b:%b\r\n" % (len(value.text) + 4, value.format.encode(), value.text)


def _big_number2(encoder: Encoder, value: BigNumber) -> bytes:
    return _bulk(encoder, value.digits)


def _big_number3(_encoder: Encoder, value: BigNumber) -> bytes:
    return b"(%b\r\n" % value.digits


def _attributed2(encoder: Encoder, value: Attributed) -> bytes:
    return encoder.encode(value.reply)


def _attributed3(encoder: Encoder, value: Attributed) -> bytes:
    attributes = value.attributes
    pairs = list(attributes.items()) if isinstance(attributes, Mapping) else attributes
    return _sequence(encoder, b"|%d\r\n" % len(pairs), _flatten(pairs)) + encoder.encode(value.reply)


_BOTH: Final[dict[type, Writer]] = {
    bytes: _bulk,
    str: _simple,
    int: _integer,
    list: _array,
    tuple: _array,
    bytearray: _bulk,
    Exception: _error,
    ReplyError: _error,
    NoReply: _no_reply,
    Raw: _raw,
    Several: _several,
}
_IN_A_ROW: Final[dict[type, Callable[[Any], bytes]]] = {bytes: _bulks, int: _integers, str: _simples}
_WRITERS: Final[dict[int, dict[type, Writer]]] = {
    2: _BOTH
    | {
        type(None): _none2,
        bool: _bool2,
        float: _double2,
        dict: _dict2,
        set: _set2,
        frozenset: _set2,
        NullArray: _null_array2,
        Push: _push2,
        Pairs: _flat2,
        PairMap: _nested,
        MapReply: _flat2,
        SetReply: _set_reply2,
        Verbatim: _verbatim2,
        BigNumber: _big_number2,
        Double: _digits2,
        Attributed: _attributed2,
    },
    3: _BOTH
    | {
        type(None): _null3,
        bool: _bool3,
        float: _double3,
        dict: _dict3,
        set: _set3,
        frozenset: _set3,
        NullArray: _null3,
        Push: _push3,
        Pairs: _nested,
        PairMap: _map3,
        MapReply: _map3,
        SetReply: _set_reply3,
        Verbatim: _verbatim3,
        BigNumber: _big_number3,
        Double: _digits3,
        Attributed: _attributed3,
    },
}
