"""The contract of a reply encoder: one value, and for each protocol one spelling of it.

What is expected is what the house's own encoder writes. A real server can be asked as well, by a script that returns the value.
"""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from cutaway.learn.carets import first_difference
from cutaway.learn.lessons import Scene, show
from cutaway.learn.rules import Suite
from cutaway.learn.suites.streams import payloads
from cutaway.resp import (
    NULL_ARRAY,
    MapReply,
    PairMap,
    Pairs,
    Push,
    Reply,
    ReplyError,
    SetReply,
    encode_request,
)
from cutaway.resp import Encoder as House

suite: Final = Suite("resp.encoder")

texts = st.sampled_from(["OK", "PONG", "QUEUED", "", "a b", "line\r\nbreak", "naïve"])
integers = st.sampled_from([0, 1, -1, 9, 10, 1000, 2**63 - 1, -(2**63)]) | st.integers(-300, 300)
doubles = st.sampled_from([0.0, 1.0, -1.5, 0.1, 3.25, 1e17, float("inf"), float("-inf")])
errors = st.sampled_from(
    [ReplyError("WRONGTYPE not that kind"), ReplyError("ERR two\r\nlines"), ValueError("no such value")]
)
scalars = payloads | integers | st.none()
flat = st.lists(scalars, max_size=3)
pairs = st.lists(st.tuples(payloads, scalars), max_size=3)


def judge(part: Any, reply: Reply, protocol: int) -> None:
    """Compare what the reader's encoder writes with what ours does."""
    expected = House(protocol).encode(reply)
    with Scene(ask=question(reply, protocol), ask_shows=1) as scene:
        scene.tell("protocol", f"RESP{protocol}")
        scene.tell("encode", show(reply))
        got = part(protocol).encode(reply)
        if not isinstance(got, (bytes, bytearray)):
            scene.fail("encode() returns bytes.", expected=expected, got=got)
        if bytes(got) != expected:
            at = first_difference(expected, bytes(got))
            scene.mark("expected", expected, at, "from here on they differ")
            scene.mark("got", bytes(got), at)
            scene.fail("")


def question(reply: Reply, protocol: int) -> bytes:
    """Requests that make a real server send this reply, by a script that returns it; none if a script cannot."""
    try:
        script = f"redis.setresp(3); return {_lua(reply)}"
    except TypeError:
        return b""
    return encode_request([b"HELLO", b"%d" % protocol]) + encode_request([b"EVAL", script.encode(), b"0"])


def _lua(reply: Reply) -> str:
    """A reply as Lua writes it. Raises TypeError for what Lua cannot say."""
    if reply is None:
        return "nil"
    if isinstance(reply, bool):
        return "true" if reply else "false"
    if isinstance(reply, bytes):
        return '"' + "".join(f"\\{byte:03d}" for byte in reply) + '"'
    if isinstance(reply, int) and abs(reply) < 2**53:
        return str(reply)
    if isinstance(reply, float) and abs(reply) < 1e15:
        return f"{{double={reply!r}}}"
    if isinstance(reply, str) and reply.isprintable():
        return f'{{ok="{reply}"}}'
    if isinstance(reply, ReplyError) and reply.message.isprintable():
        return f'{{err="{reply.message}"}}'
    if isinstance(reply, list) and None not in reply:
        return "{" + ",".join(map(_lua, reply)) + "}"
    if (
        isinstance(reply, MapReply)
        and all(value is not None for _, value in reply.items)
        and len(reply.items) == 1
    ):
        ((key, value),) = reply.items
        return f"{{map={{[{_lua(key)}]={_lua(value)}}}}}"
    raise TypeError


@suite.rule(
    "bytes are a bulk string: the length, then the bytes",
    "`$5\\r\\nhello\\r\\n`. Because the length comes first, nothing in the bytes has to be escaped, and an empty string is `$0` "
    "with two line ends.",
    value=payloads,
    examples=60,
)
def bulk_strings(part: Any, value: bytes) -> None:
    judge(part, value, 2)


@suite.rule(
    "str is a simple string, int an integer: one line each",
    "`+OK\\r\\n`, `:42\\r\\n`. A simple string has no length, so it must not contain a line end: what would be one is written as "
    "a space.",
    value=texts | integers,
    examples=80,
)
def lines(part: Any, value: Reply) -> None:
    judge(part, value, 2)


@suite.rule(
    "An exception is an error: `-`, and one line",
    "A ReplyError brings its whole text, code included (`WRONGTYPE ...`). Of any other exception the text is all there is, and the "
    "code is ERR. Line ends become spaces here too, and those at either end go.",
    value=errors,
    examples=20,
)
def error_lines(part: Any, value: Exception) -> None:
    judge(part, value, 2)


@suite.rule(
    "RESP2 has two nulls: None is the string that is not there, NULL_ARRAY the array",
    "`$-1\\r\\n` and `*-1\\r\\n`, from the days when the type of a reply was fixed by its command.",
    value=st.sampled_from([None, NULL_ARRAY]),
    examples=4,
)
def nulls(part: Any, value: Reply) -> None:
    judge(part, value, 2)


@suite.rule(
    "A list is an array: how many, then each of them",
    "`*2\\r\\n` and two values, of any type, other lists among them. There is no end mark; the count says it all.",
    value=st.recursive(flat, lambda inner: st.lists(inner | scalars, max_size=3), max_leaves=6),
)
def arrays(part: Any, value: list[Reply]) -> None:
    judge(part, value, 2)


@suite.rule(
    "What RESP2 has no type for is written with those it has",
    "True and False are 1 and 0. A float is a bulk string of its digits (`format_double` writes them). MapReply and Pairs are flat "
    "arrays, key, value, key, value. A PairMap is an array of arrays of two. SetReply and Push are arrays.",
    value=st.booleans()
    | doubles
    | st.builds(MapReply, pairs)
    | st.builds(Pairs, pairs)
    | st.builds(PairMap, pairs)
    | st.builds(SetReply, flat)
    | st.builds(Push, flat),
)
def without_types(part: Any, value: Reply) -> None:
    judge(part, value, 2)


@suite.rule(
    "RESP3 has one null, and types for booleans and numbers",
    "`_\\r\\n`, `#t\\r\\n`, `,3.25\\r\\n`. A client no longer has to know the command to understand the reply.",
    value=st.none() | st.just(NULL_ARRAY) | st.booleans() | doubles,
    examples=60,
)
def scalars_of_resp3(part: Any, value: Reply) -> None:
    judge(part, value, 3)


@suite.rule(
    "RESP3 has types for maps, sets and messages out of turn",
    "`%` counts pairs, not elements: a map of one pair is `%1` and two values. MapReply and PairMap are maps, SetReply is `~`, Push "
    "is `>`. Pairs, here, are an array of arrays of two: where there is an order, a map would lose it.",
    value=st.builds(MapReply, pairs)
    | st.builds(Pairs, pairs)
    | st.builds(PairMap, pairs)
    | st.builds(SetReply, flat)
    | st.builds(Push, flat),
)
def containers_of_resp3(part: Any, value: Reply) -> None:
    judge(part, value, 3)


@suite.rule(
    "Plain dicts and sets are maps and sets, and what is inside follows the protocol too",
    "A None inside a list inside a map is still `_` in RESP3 and `$-1` in RESP2: encoding walks down with the same rules.",
    value=st.dictionaries(payloads, flat, max_size=2) | st.lists(st.dictionaries(payloads, scalars, max_size=1), max_size=2)
    | st.frozensets(payloads, max_size=1),
    protocol=st.sampled_from([2, 3]),
)  # fmt: skip
def plain_containers(part: Any, value: Reply, protocol: int) -> None:
    judge(part, value, protocol)


@suite.rule(
    "`protocol` may change between two replies",
    "HELLO 3 switches a connection that is in use. The encoder is the same object before and after.",
)
def switching(part: Any) -> None:
    with Scene() as scene:
        encoder = part(2)
        for protocol in (2, 3, 2):
            encoder.protocol = protocol
            scene.tell("protocol =", str(protocol))
            scene.tell("encode", "None")
            scene.expect(House(protocol).encode(None), encoder.encode(None))
