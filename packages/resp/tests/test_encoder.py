"""The encoder: each value type in both protocols, as the specification and a real server write it."""

from __future__ import annotations

import itertools
import math
import random
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.resp import (
    NO_REPLY,
    NULL_ARRAY,
    Attributed,
    BigNumber,
    Encoder,
    MapReply,
    PairMap,
    Pairs,
    Push,
    Raw,
    Reply,
    ReplyError,
    ReplyParser,
    SetReply,
    Several,
    Verbatim,
    encode_request,
)
from cutaway.resp import encoder as encoder_module
from cutaway.resp.doubles import format_double

if TYPE_CHECKING:
    from cutaway.testing import RealServer


class Subclassed(list[bytes]):
    """A list of another type."""


CASES: list[tuple[Any, bytes, bytes]] = [
    (b"bar", b"$3\r\nbar\r\n", b"$3\r\nbar\r\n"),
    (b"", b"$0\r\n\r\n", b"$0\r\n\r\n"),
    (b"x" * 5000, b"$5000\r\n" + b"x" * 5000 + b"\r\n", b"$5000\r\n" + b"x" * 5000 + b"\r\n"),
    (bytearray(b"bar"), b"$3\r\nbar\r\n", b"$3\r\nbar\r\n"),
    ("OK", b"+OK\r\n", b"+OK\r\n"),
    ("two\r\nlines", b"+two  lines\r\n", b"+two  lines\r\n"),
    (0, b":0\r\n", b":0\r\n"),
    (-(2**63), b":-9223372036854775808\r\n", b":-9223372036854775808\r\n"),
    (1.5, b"$3\r\n1.5\r\n", b",1.5\r\n"),
    (True, b":1\r\n", b"#t\r\n"),
    (False, b":0\r\n", b"#f\r\n"),
    (None, b"$-1\r\n", b"_\r\n"),
    ([], b"*0\r\n", b"*0\r\n"),
    ([b"a", b"b"], b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
    ([b"a", bytearray(b"b")], b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
    ((b"a", None), b"*2\r\n$1\r\na\r\n$-1\r\n", b"*2\r\n$1\r\na\r\n_\r\n"),
    ([b"a", "s", 1], b"*3\r\n$1\r\na\r\n+s\r\n:1\r\n", b"*3\r\n$1\r\na\r\n+s\r\n:1\r\n"),
    (Subclassed([b"a"]), b"*1\r\n$1\r\na\r\n", b"*1\r\n$1\r\na\r\n"),
    (range(2), b"*2\r\n:0\r\n:1\r\n", b"*2\r\n:0\r\n:1\r\n"),
    ({b"k": 1}, b"*2\r\n$1\r\nk\r\n:1\r\n", b"%1\r\n$1\r\nk\r\n:1\r\n"),
    ({b"m"}, b"*1\r\n$1\r\nm\r\n", b"~1\r\n$1\r\nm\r\n"),
    (frozenset({b"m"}), b"*1\r\n$1\r\nm\r\n", b"~1\r\n$1\r\nm\r\n"),
    ({b"k": b"v"}.keys(), b"*1\r\n$1\r\nk\r\n", b"~1\r\n$1\r\nk\r\n"),
    (NULL_ARRAY, b"*-1\r\n", b"_\r\n"),
    (NO_REPLY, b"", b""),
    (Push([b"a", 1]), b"*2\r\n$1\r\na\r\n:1\r\n", b">2\r\n$1\r\na\r\n:1\r\n"),
    (Several([Push([b"a"]), 1]), b"*1\r\n$1\r\na\r\n:1\r\n", b">1\r\n$1\r\na\r\n:1\r\n"),
    (Several([]), b"", b""),
    (Pairs([(b"a", 1.0)]), b"*2\r\n$1\r\na\r\n$1\r\n1\r\n", b"*1\r\n*2\r\n$1\r\na\r\n,1\r\n"),
    (PairMap([(b"a", [1])]), b"*1\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n", b"%1\r\n$1\r\na\r\n*1\r\n:1\r\n"),
    (
        MapReply([([1], 2), ([1], 3)]),
        b"*4\r\n*1\r\n:1\r\n:2\r\n*1\r\n:1\r\n:3\r\n",
        b"%2\r\n*1\r\n:1\r\n:2\r\n*1\r\n:1\r\n:3\r\n",
    ),
    (SetReply([b"b", b"a"]), b"*2\r\n$1\r\nb\r\n$1\r\na\r\n", b"~2\r\n$1\r\nb\r\n$1\r\na\r\n"),
    (Verbatim(b"hi"), b"$2\r\nhi\r\n", b"=6\r\ntxt:hi\r\n"),
    (BigNumber(2**70), b"$22\r\n1180591620717411303424\r\n", b"(1180591620717411303424\r\n"),
    (Attributed({b"ttl": 1}, b"v"), b"$1\r\nv\r\n", b"|1\r\n$3\r\nttl\r\n:1\r\n$1\r\nv\r\n"),
    (Raw(b":9\r\n"), b":9\r\n", b":9\r\n"),
    (ReplyError("WRONGTYPE no"), b"-WRONGTYPE no\r\n", b"-WRONGTYPE no\r\n"),
    (ReplyError("ERR a\r\nb\r\n"), b"-ERR a  b\r\n", b"-ERR a  b\r\n"),
    (ReplyError("ERR \udcff"), b"-ERR \xff\r\n", b"-ERR \xff\r\n"),
    ([1, ReplyError("ERR in EXEC")], b"*2\r\n:1\r\n-ERR in EXEC\r\n", b"*2\r\n:1\r\n-ERR in EXEC\r\n"),
]


@pytest.fixture(params=["installed", "absent"], autouse=True)
def hiredis(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test with hiredis, if it is there, and without."""
    if request.param == "absent":
        monkeypatch.setattr(encoder_module, "_pack_command", None)


@pytest.mark.parametrize(("reply", "resp2", "resp3"), CASES, ids=lambda value: repr(value)[:30])
def test_each_value_has_one_form_per_protocol(reply: Reply, resp2: bytes, resp3: bytes) -> None:
    encoder = Encoder()
    assert encoder.encode(reply) == resp2
    encoder.protocol = 3
    assert encoder.encode(reply) == resp3
    out = bytearray(b"before")
    encoder.encode_into(reply, out)
    assert out == b"before" + resp3


def test_what_is_not_a_reply_is_refused() -> None:
    with pytest.raises(TypeError, match="not a reply"):
        Encoder().encode(object())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no such protocol"):
        Encoder(4)


def test_a_request_is_an_array_of_bulk_strings() -> None:
    assert encode_request([b"SET", b"k", b"\r\n"]) == b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\r\n\r\n"


@pytest.mark.xdist_group("resp-servers")
@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("string", b"Hello World"),
        ("integer", 12345),
        ("double", 3.141),
        ("null", None),
        ("array", [0, 1, 2]),
        ("set", SetReply([0, 1, 2])),
        ("map", MapReply([(0, False), (1, True), (2, False)])),
        (
            "attrib",
            Attributed({b"key-popularity": [b"key:123", 90]}, b"Some real reply following the attribute"),
        ),
        ("push", Push([b"server-cpu-usage", 42])),
        ("verbatim", Verbatim(b"This is a verbatim\nstring")),
        ("true", True),
        ("false", False),
        ("bignum", BigNumber(1234567999999999999999999999999999999)),
    ],
)
@pytest.mark.parametrize("protocol", [2, 3])
def test_a_real_server_writes_the_same(
    valkey_server: RealServer, name: str, reply: Reply, protocol: int
) -> None:
    if protocol == 2 and name == "push":
        pytest.skip("the server closes the connection: it never pushes in RESP2")
    answer = valkey_server.exchange(b"HELLO %d\r\nDEBUG PROTOCOL %s\r\n" % (protocol, name.encode()))
    expected = Encoder(protocol).encode(reply)
    if name == "push":  # which is not a reply, so the server sends one too
        expected = Encoder(protocol).encode(b"Some real reply following the push reply") + expected
    assert answer.endswith(expected)
    parser = ReplyParser()
    parser.feed(answer.removesuffix(expected))
    assert len(list(parser)) == 1  # the answer to HELLO, and nothing between


def some_doubles(count: int) -> list[float]:
    rng = random.Random(7)
    edges = [
        0.0,
        1e17,
        1e16,
        1e15,
        123456789012345680.0,
        1e-4,
        1e-5,
        1e-7,
        5e-324,
        1.7976931348623157e308,
    ]
    edges += [
        0.1,
        1 / 3,
        2.0**53,
        2.0**53 + 2,
        2.0**63,
        -(2.0**63),
        2.0**64,
        1e20,
        1e21,
        1e22,
        1e23,
        math.inf,
        -math.inf,
    ]
    edges += [1e-6, 1.5e-5, 12345e-9, 9007199254740993.0, 1e18, 9.5e17, 1234567890123456789.0, -1e19, 3e19]
    edges += [float(f"{mantissa}e{power}") for mantissa in (1, 1.25, -7.3) for power in range(-12, 26)]
    raw = [struct.unpack("d", rng.randbytes(8))[0] for _ in range(count)]
    scaled = [rng.uniform(-1, 1) * 10 ** rng.randint(-8, 22) for _ in range(count)]
    whole = [float(rng.randint(-(10**18), 10**18) >> rng.randint(0, 60)) for _ in range(count)]
    return edges + [value for value in raw + scaled + whole if not math.isnan(value)]


@pytest.mark.xdist_group("resp-servers")
@pytest.mark.parametrize("protocol", [2, 3])
def test_doubles_are_written_as_zscore_writes_them(valkey_server: RealServer, protocol: int) -> None:
    doubles = some_doubles(600)
    commands = [b"HELLO %d\r\nDEL z\r\n" % protocol]
    for number, double in enumerate(doubles):
        commands.append(b"ZADD z %s %d\r\nZSCORE z %d\r\n" % (repr(double).encode(), number, number))
    parts = valkey_server.exchange(b"".join(commands)).split(b":1\r\n")
    theirs = parts[-len(doubles) :]
    encoder = Encoder(protocol)
    differing = [
        (encoder.encode(value), text)
        for value, text in zip(doubles, theirs, strict=True)
        if encoder.encode(value) != text
    ]
    assert len(differing) < len(doubles) * 0.01  # where the server's digits are not the shortest or nearest
    for ours, text in differing:
        assert float(ours.split(b"\r\n")[-2].lstrip(b",")) == float(text.split(b"\r\n")[-2].lstrip(b","))


def test_the_layout_of_doubles_does_not_rest_on_a_server() -> None:
    texts = {
        -0.0: b"-0",
        1e17: b"100000000000000000",
        1e-7: b"1e-7",
        5e-324: b"5e-324",
        1e300: b"1e+300",
        0.1: b"0.1",
    }
    assert {value: format_double(value) for value in texts} == texts


scalars = st.one_of(
    st.binary(max_size=20),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=10),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
    st.builds(ReplyError, st.text("abc é", max_size=9)),
    st.builds(Verbatim, st.binary(max_size=9), st.sampled_from(["txt", "mkd"])),
    st.builds(BigNumber, st.integers()),
)
hashables = st.binary(max_size=5)
replies = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(hashables, inner, max_size=3),
        st.sets(hashables, max_size=4),
        st.builds(Push, st.lists(inner, max_size=3)),
        st.builds(Attributed, st.dictionaries(hashables, inner, max_size=2), inner),
    ),
    max_leaves=12,
)


@settings(max_examples=200)
@given(st.lists(replies, max_size=4), st.lists(st.integers(0, 500), max_size=5))
def test_parsing_a_reply_undoes_encoding_it_however_it_is_cut(sent: list[Reply], places: list[int]) -> None:
    encoder = Encoder(3)
    data = b"".join(encoder.encode(reply) for reply in sent)
    bounds = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    parser = ReplyParser()
    received: list[Reply] = []
    for start, end in itertools.pairwise(bounds):
        parser.feed(data[start:end])
        received += parser
    assert received == sent
    assert list(map(type, received)) == list(map(type, sent))


def test_a_push_for_many_is_encoded_once_for_each_protocol() -> None:
    push = Push([b"message", b"channel", b"hello"])
    for protocol in (2, 3):
        first, second = Encoder(protocol).encode(push), Encoder(protocol).encode(push)
        assert first is second
    assert Encoder(2).encode(push) != Encoder(3).encode(push)
    assert push == Push([b"message", b"channel", b"hello"])


strings = st.binary(min_size=3, max_size=3) | st.integers(0, 3000).map(bytes)


@settings(max_examples=200)
@given(
    st.lists(strings, min_size=1, max_size=40), st.lists(st.tuples(st.integers(0, 39), scalars), max_size=2)
)
def test_a_list_is_its_elements_one_after_the_other_however_many(
    items: list[Reply], others: list[tuple[int, Reply]]
) -> None:
    for place, other in others:
        items.insert(place, other)
    for encoder in (Encoder(2), Encoder(3)):
        expected = b"*%d\r\n" % len(items) + b"".join(encoder.encode(item) for item in items)
        assert encoder.encode(items) == expected


alike = st.sampled_from(
    [st.just("OK"), st.text("ab\r\n", max_size=4), st.binary(max_size=5), st.integers(), st.none()]
)


@settings(max_examples=200)
@given(
    alike.flatmap(lambda kind: st.lists(kind, max_size=20)),
    st.lists(st.tuples(st.integers(0, 20), replies), max_size=2),
)
def test_replies_in_a_row_are_what_each_is_alone(items: list[Reply], others: list[tuple[int, Reply]]) -> None:
    for place, other in others:
        items.insert(place, other)
    for encoder in (Encoder(2), Encoder(3)):
        assert encoder.encode_all(items) == b"".join(map(encoder.encode, items))
