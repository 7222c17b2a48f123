"""The reply parser: types, nulls, nesting and what it refuses."""

from __future__ import annotations

import pytest

from cutaway.resp import (
    NO_REPLY,
    NULL_ARRAY,
    Attributed,
    Double,
    Encoder,
    MapReply,
    Push,
    Reply,
    ReplyError,
    ReplyParser,
    ReplyProtocolError,
    SetReply,
)


def parse(data: bytes) -> list[Reply]:
    parser = ReplyParser()
    parser.feed(data)
    return list(parser)


def test_both_nulls_of_resp2_are_told_apart() -> None:
    assert parse(b"$-1\r\n*-1\r\n_\r\n") == [None, NULL_ARRAY, None]


def test_a_bulk_error_is_an_error() -> None:
    assert parse(b"!9\r\nERR a\r\nb!\r\n") == [ReplyError("ERR a\r\nb!")]


def test_keys_that_python_confuses_or_cannot_hash_keep_the_map_as_pairs() -> None:
    assert parse(b"%2\r\n:1\r\n:5\r\n#t\r\n:6\r\n") == [MapReply([(1, 5), (True, 6)])]
    assert parse(b"%1\r\n*1\r\n:1\r\n:5\r\n") == [MapReply([([1], 5)])]
    assert parse(b"~2\r\n:1\r\n#t\r\n") == [SetReply([1, True])]


def test_an_exact_parser_keeps_the_order_and_the_digits_of_the_server() -> None:
    data = b"*3\r\n%1\r\n+k\r\n,1.10\r\n~2\r\n:2\r\n:1\r\n|1\r\n+ttl\r\n:3\r\n,inf\r\n"
    parser = ReplyParser(exact=True)
    parser.feed(data)
    (reply,) = parser
    assert reply == [
        MapReply([("k", Double(b"1.10"))]),
        SetReply([2, 1]),
        Attributed([("ttl", 3)], Double(b"inf")),
    ]
    assert Encoder(3).encode(reply) == data
    assert Encoder(2).encode(Double(b"1.10")) == b"$4\r\n1.10\r\n"


def test_attributes_describe_the_value_after_them_even_inside_an_array() -> None:
    data = b"*2\r\n|1\r\n+ttl\r\n:3\r\n:7\r\n:8\r\n"
    assert parse(data) == [[Attributed({"ttl": 3}, 7), 8]]


def test_a_push_between_replies_is_a_value_of_its_own() -> None:
    assert parse(b"+OK\r\n>2\r\n+message\r\n+hi\r\n:1\r\n") == ["OK", Push(["message", "hi"]), 1]


def test_gets_gives_one_reply_at_a_time() -> None:
    parser = ReplyParser()
    parser.feed(b":1\r\n$-1\r\n:2")
    assert [parser.gets(), parser.gets(), parser.gets()] == [1, None, NO_REPLY]
    parser.feed(b"\r\n")
    assert parser.gets() == 2


@pytest.mark.parametrize("bomb", [b"*1\r\n", b"%1\r\n", b"|1\r\n", b">1\r\n", b"*1\r\n|1\r\n:1\r\n:1\r\n"])
def test_a_nesting_bomb_is_a_clear_error(bomb: bytes) -> None:
    with pytest.raises(ReplyProtocolError, match="nests deeper than 128 levels"):
        parse(bomb * 100_000)


def test_as_deep_as_allowed_is_allowed() -> None:
    (reply,) = parse(b"*1\r\n" * 128 + b":1\r\n")
    for _ in range(128):
        assert isinstance(reply, list)
        (reply,) = reply
    assert reply == 1


@pytest.mark.parametrize(
    "data",
    [
        b"?\r\n",
        b"$?\r\n",
        b"*?\r\n",
        b"$-2\r\n",
        b":x\r\n",
        b"#x\r\n",
        b",x\r\n",
        b"\r\n",
        b"*" + b"9" * 5000 + b"\r\n",
    ],
)
def test_what_is_not_resp_is_refused(data: bytes) -> None:
    with pytest.raises(ReplyProtocolError):
        parse(data)
