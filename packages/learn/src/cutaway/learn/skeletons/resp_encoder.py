r"""Exercise resp.encoder: how does a value become bytes, in two protocols?

A command returns a Python value and does not know what protocol its client speaks. The encoder does, and nobody else.

The contract
    value                     RESP2                                RESP3
    bytes b"hi"               $2\r\nhi\r\n                         the same
    str "OK"                  +OK\r\n    (a line end in it becomes a space)   the same
    int 42                    :42\r\n                              the same
    ReplyError("WRONG x")     -WRONG x\r\n                         the same
    another exception         -ERR its text\r\n                    the same
    list, tuple               *2\r\n and the items                 the same
    None                      $-1\r\n                              _\r\n
    NULL_ARRAY                *-1\r\n                              _\r\n
    True, False               :1\r\n  :0\r\n                       #t\r\n  #f\r\n
    float                     a bulk string of format_double(x)    ,3.25\r\n
    dict, MapReply            a flat array of keys and values      %1\r\n and the pairs
    set, frozenset, SetReply  an array                             ~2\r\n and the items
    Push                      an array                             >2\r\n and the items
    Pairs                     a flat array                         an array of arrays of two
    PairMap                   an array of arrays of two            %1\r\n and the pairs

MapReply, Pairs and PairMap have `.items`, a list of pairs; SetReply and Push have `.items`, a list. In an error, line ends at
either end go, others become spaces. Whatever else a server may reply is rare: hand it to `encode_rare`.

Check yourself:   python -m cutaway.learn check resp.encoder
Stuck?            python -m cutaway.learn hint resp.encoder
"""

from __future__ import annotations

from cutaway.learn.rest import encode_rare  # noqa: F401 - all of these will be needed
from cutaway.resp import NULL_ARRAY, MapReply, PairMap, Pairs, Push, Reply, ReplyError, SetReply  # noqa: F401
from cutaway.resp.doubles import format_double  # noqa: F401


class Encoder:
    """An encoder for one connection; `protocol` is 2 or 3, and may change at any time."""

    def __init__(self, protocol: int = 2) -> None:
        self.protocol = protocol

    def encode(self, reply: Reply) -> bytes:
        """Return the bytes of a reply."""
        raise NotImplementedError  # and for what is rare, at the end: return encode_rare(reply, self.encode, self.protocol)


def test_a_string() -> None:
    """The first step."""
    got = Encoder(2).encode(b"hello")
    assert got == b"$5\r\nhello\r\n"
