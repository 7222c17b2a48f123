"""The values a command can reply with.

A reply is a plain Python value wherever Python has one that says the same thing:

=====================  ==========================  =============================
Python value           RESP3                       RESP2
=====================  ==========================  =============================
``bytes``, bytearray   bulk string ``$``           bulk string ``$``
``str``                simple string ``+``         simple string ``+``
``int``                integer ``:``               integer ``:``
``float``              double ``,``                bulk string ``$``
``bool``               boolean ``#``               integer ``:1`` or ``:0``
``None``               null ``_``                  null bulk string ``$-1``
``list``, ``tuple``    array ``*``                 array ``*``
``dict``               map ``%``                   flat array of keys and values
``set``, frozenset     set ``~``                   array ``*``
``Exception``          simple error ``-``          simple error ``-``
=====================  ==========================  =============================

So a handler that returns ``b"bar"`` is readable, can be tested with ``==``, and does not know which
protocol the client speaks. What Python cannot say is said by the value types below. Most exist because the
two protocols give one reply two shapes: the scores of ``ZRANGE … WITHSCORES`` are a flat array in RESP2 and
an array of pairs in RESP3 (`Pairs`), while ``XREAD`` has it the other way round (`PairMap`). The value
names the meaning, and the `Encoder` alone knows the shapes.

The types are ordinary slotted classes, not dataclasses: a command builds one per reply, and a plain
``__init__`` is the cheapest constructor that a compiler also understands. They compare by type and content
and, being mutable containers of mutable things, they are not hashable.

Specification: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Final, TypeAlias


class ReplyValue:
    """Base of the value types: equality by type and slots, and a repr that could be typed back in."""

    __slots__ = ()
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def _contents(self) -> tuple[object, ...]:
        names: tuple[str, ...] = type(self).__slots__
        return tuple(getattr(self, name) for name in names)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, ReplyValue):
            return NotImplemented
        return self._contents() == other._contents()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._contents()))})"


class NullArray(ReplyValue):
    """The absent array: ``*-1`` in RESP2, the one null of RESP3. Use the instance `NULL_ARRAY`."""

    __slots__ = ()


class NoReply(ReplyValue):
    """Nothing at all is sent (``CLIENT REPLY OFF``, a blocked client). Use the instance `NO_REPLY`."""

    __slots__ = ()


NULL_ARRAY: Final = NullArray()
NO_REPLY: Final = NoReply()


class Push(ReplyValue):
    """An out-of-band message: push ``>`` in RESP3, array in RESP2.

    The same message often goes to many clients, so it is encoded once for each protocol and then remembered: do not
    change the items after it was first sent.
    """

    __slots__ = ("items", "payload2", "payload3")

    def __init__(self, items: Sequence[Reply]) -> None:
        self.items = items
        self.payload2: bytes | None = None
        self.payload3: bytes | None = None

    def _contents(self) -> tuple[object, ...]:
        return (self.items,)


class Several(ReplyValue):
    """Replies that follow one another in answer to one command: the confirmations of ``SUBSCRIBE a b c``."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[Reply]) -> None:
        self.items = items


class Pairs(ReplyValue):
    """Pairs that RESP3 nests (an array of two-element arrays) and RESP2 flattens: scores, random fields."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[tuple[Reply, Reply]]) -> None:
        self.items = items


class PairMap(ReplyValue):
    """Pairs that are a map in RESP3 and an array of two-element arrays in RESP2: the streams of XREAD."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[tuple[Reply, Reply]]) -> None:
        self.items = items


class MapReply(ReplyValue):
    """A map given as pairs, for what a dict cannot hold: repeated or unhashable keys, a fixed order."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[tuple[Reply, Reply]]) -> None:
        self.items = items


class SetReply(ReplyValue):
    """A set whose members come in the given order: set ``~`` in RESP3, array in RESP2."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[Reply]) -> None:
        self.items = items


class Verbatim(ReplyValue):
    """Text for humans with a format of three letters (``txt``, ``mkd``): ``=`` in RESP3, bulk in RESP2."""

    __slots__ = ("format", "text")

    def __init__(self, text: bytes, format: str = "txt") -> None:
        self.text = text
        self.format = format

    def __repr__(self) -> str:
        return f"Verbatim({self.text!r}, {self.format!r})"


class BigNumber(ReplyValue):
    """An integer outside 64 bits: ``(`` in RESP3, bulk string in RESP2.

    A script may call any text a number; then `value` is that text, without line ends.
    """

    __slots__ = ("value",)

    def __init__(self, value: int | bytes) -> None:
        self.value = value

    @property
    def digits(self) -> bytes:
        """The number as it is written."""
        return self.value if isinstance(self.value, bytes) else b"%d" % self.value


class Double(ReplyValue):
    """A double given by its digits (``3.10``, ``inf``), for whoever shows them as the server wrote them."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text

    def __float__(self) -> float:
        return float(self.text)


class Attributed(ReplyValue):
    """A reply with a map of attributes before it: ``|`` and the reply in RESP3, the reply alone in RESP2."""

    __slots__ = ("attributes", "reply")

    def __init__(self, attributes: Mapping[Any, Reply] | Sequence[tuple[Reply, Reply]], reply: Reply) -> None:
        self.attributes = attributes
        self.reply = reply


class Raw(ReplyValue):
    """Bytes that are RESP already and are sent as they are, in either protocol."""

    __slots__ = ("payload",)

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


class ReplyError(Exception):
    """An error as a value: `message` is the text after the ``-``, its code first (``WRONGTYPE …``)."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def code(self) -> str:
        """The first word of the message, which clients switch on."""
        return self.message.partition(" ")[0]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, ReplyError) and self.message == other.message

    def __hash__(self) -> int:
        return hash(self.message)


Reply: TypeAlias = (
    bytes
    | bytearray
    | str
    | int
    | float
    | bool
    | Sequence["Reply"]
    | Mapping[Any, "Reply"]
    | AbstractSet["Reply"]
    | ReplyValue
    | Exception
    | None
)
