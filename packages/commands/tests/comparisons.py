"""How a reply of ours is compared with the real server's, where the bytes alone cannot decide.

Most replies are compared as bytes. The commands' own tips, and a few lists here, say which cannot be, and why:

=========  =========================================================================================================
exact      the same bytes
unordered  the same parts in any order (tip `nondeterministic_output_order`)
close      the same, but times may differ by some seconds: idle times and times to live (tip `nondeterministic_output`)
moments    the same, but the numbers that are times (by their names, or by their place in an entry) as in `close`
shape      random members: the same kind and number of things
encoding   the same name, embstr and raw being one: Valkey embeds longer strings
scan       a cursor and whatever came: the same parts if both say that was all
=========  =========================================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cutaway.commands import Command
from cutaway.commands.arguments import integer_or_none
from cutaway.resp import MapReply, ReplyError, ReplyParser

Request = Sequence[bytes]

TOLERANCE: Final = 10_000
"""Milliseconds, or seconds: by how much two servers' times may differ."""
RANDOM: Final = frozenset({"randomkey", "srandmember", "hrandfield", "zrandmember", "spop"})
SCANS: Final = frozenset({"scan", "sscan", "hscan", "zscan"})
UNORDERED: Final = frozenset({"sort", "sort_ro", "hgetall", "hkeys", "hvals"})
CLOSE: Final = frozenset({"expiretime", "pexpiretime", "hexpiretime", "hpexpiretime", "httl", "hpttl"})
EXACT: Final = frozenset({"xadd"})
MOMENTS: Final = frozenset({"idle", "inactive", "seen-time", "active-time"})
"""The fields of XINFO that are times."""
A_MOMENT: Final = 10**12
"""Numbers from here on are times in milliseconds: no count of this test gets there."""


def is_known(command: Command, request: Request) -> bool:
    """Whether a difference at this request is one that we want; each stands in docs/fidelity.md.

    * LSET cuts the index of a list down to 32 bits in C, so that 2**63 - 1 is the last element there.
    * Valkey looks for the word FIELDS from the key on: a hash of that name cannot be used there.
    * SORT BY ... ALPHA leaves the elements of equal weight in the order of C's quicksort, which is none.
    * A negative offset after LIMIT gives nothing in Redis, and something that depends on the encoding in Valkey 9.
    """
    words = [word.upper() for word in request]
    if command.name == "lset":
        index = integer_or_none(request[2]) if len(request) > 2 else None
        return index is not None and abs(index) >= 2**31
    if command.name in {"hgetex", "hsetex"}:
        return words[1] == b"FIELDS"
    if command.name.startswith("sort"):
        return b"BY" in words and b"ALPHA" in words
    if command.name.startswith("z"):
        limits = [place for place, word in enumerate(words) if word == b"LIMIT"]
        return any(words[place + 1].startswith(b"-") for place in limits if place + 1 < len(words))
    return False


def agree(command: Command, request: Request, ours: bytes, real: bytes) -> bool:
    """Whether two replies to a request that are not the same bytes say the same."""
    if is_known(command, request):
        return True
    if command.is_blocking and ours == b"$-1\r\n" and real == b"*-1\r\n":
        return True  # the one in MULTI, where we always are; the other at a timeout
    one, other = decoded(ours), decoded(real)
    how = kind_of(command)
    if isinstance(one, ReplyError) or isinstance(other, ReplyError) or how not in COMPARISONS:
        return False
    if how == "scan" and len(request) > 1 and request[1 + (command.name != "scan")] != b"0":
        return len(one) == len(other)  # a cursor that neither server gave
    return COMPARISONS[how](one, other)


def kind_of(command: Command) -> str:
    """How a command's replies are to be compared."""
    name = command.full_name
    if name in EXACT:
        return "exact"
    if name in RANDOM:
        return "shape"
    if name in SCANS:
        return "scan"
    if name == "object|encoding":
        return "encoding"
    if name in UNORDERED or "nondeterministic_output_order" in command.tips:
        return "unordered"
    if command.container == "xinfo" or name == "xpending":
        return "moments"
    return "close" if name in CLOSE or "nondeterministic_output" in command.tips else "exact"


def decoded(reply: bytes) -> Any:
    """A reply as Python values."""
    parser = ReplyParser()
    parser.feed(reply)
    return next(iter(parser))


def _plain(reply: Any) -> Any:
    """The same with nothing but lists, maps included."""
    if isinstance(reply, MapReply):
        reply = reply.items
    elif isinstance(reply, dict):
        reply = list(reply.items())
    if isinstance(reply, (list, tuple, set, frozenset)):
        return [_plain(each) for each in reply]
    return reply


def _flat(reply: Any) -> list[str]:
    """All leaves of a reply, in an order of their own."""
    reply = _plain(reply)
    if isinstance(reply, list):
        return sorted(repr(_flat(each)) for each in reply)
    return [repr(reply)]


def unordered(ours: Any, real: Any) -> bool:
    """The same parts, in any order; a flat array of pairs counts as its parts."""
    return _flat(ours) == _flat(real)


def near(ours: Any, real: Any) -> bool:
    """The same, or two times that are some seconds apart. Negative numbers have meanings of their own."""
    if isinstance(ours, int) and isinstance(real, int) and ours >= 0 and real >= 0:
        return abs(ours - real) <= TOLERANCE
    return type(ours) is type(real) and bool(ours == real)


def close(ours: Any, real: Any) -> bool:
    """The same, integers aside that differ by a little."""
    ours, real = _plain(ours), _plain(real)
    if isinstance(ours, list) and isinstance(real, list):
        return len(ours) == len(real) and all(map(close, ours, real))
    return near(ours, real)


def moments(ours: Any, real: Any) -> bool:
    """The same, times aside that differ by a little."""
    ours, real = _plain(ours), _plain(real)
    if not (isinstance(ours, list) and isinstance(real, list) and len(ours) == len(real)):
        return type(ours) is type(real) and bool(ours == real)
    for place, (one, other) in enumerate(zip(ours, real, strict=True)):
        if not (near(one, other) if _is_moment(ours, place) else moments(one, other)):
            return False
    return True


def _is_moment(items: list[Any], place: int) -> bool:
    """Whether an element is a time: large, after a name that says so, or where XPENDING has its idle times."""
    element = items[place]
    if not isinstance(element, int):
        return False
    before = items[place - 1] if place else None
    named = isinstance(before, bytes) and before.decode("latin-1") in MOMENTS
    pending = len(items) == 4 and place == 2 and isinstance(items[3], int) and isinstance(items[1], bytes)
    return element >= A_MOMENT or named or pending


def shape(ours: Any, real: Any) -> bool:
    """The same kind and number of things."""
    if isinstance(ours, (list, set, frozenset)) and isinstance(real, (list, set, frozenset)):
        return len(ours) == len(real)
    return type(ours) is type(real)


def scan(ours: Any, real: Any) -> bool:
    """A cursor and a batch; the same batch where both went through everything."""
    if ours[0] == real[0] == b"0":
        return unordered(ours[1], real[1])
    return len(ours) == len(real) == 2


def encoding(ours: Any, real: Any) -> bool:
    """The same name; but Valkey embeds longer strings than Redis, whose bound of 44 bytes is ours."""
    return {ours, real} == {b"embstr", b"raw"}


COMPARISONS: Final = {
    "unordered": unordered,
    "close": close,
    "moments": moments,
    "shape": shape,
    "scan": scan,
    "encoding": encoding,
}
