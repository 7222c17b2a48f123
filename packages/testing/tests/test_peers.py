"""A peer takes replies off a stream one by one, as values and as bytes; a splitter finds where each ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.resp import Encoder, Push, ReplyError, ReplyParser, Verbatim
from cutaway.testing import RealServer, ReplySplitter, encode_words

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=20)
    | st.text("abc \u00e9", max_size=9)
    | st.builds(ReplyError, st.text("ABC x", min_size=1, max_size=9))
    | st.builds(Verbatim, st.binary(max_size=9))
)
replies = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(Push)
        | st.dictionaries(st.binary(max_size=5), inner, max_size=4)
        | st.sets(st.binary(max_size=5), max_size=4)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(replies, max_size=5), st.sampled_from([2, 3]), st.lists(st.integers(1, 9), max_size=30))
def test_a_stream_is_cut_where_its_replies_end_however_it_arrives(values, protocol, sizes):
    pieces = [Encoder(protocol).encode(value) for value in values]
    stream = b"".join(pieces)
    splitter, found, start = ReplySplitter(), [], 0
    for size in [*sizes, len(stream)]:
        splitter.feed(stream[start : start + size])
        found += splitter
        start += size
    assert found == pieces
    assert splitter.rest() == b""


def test_an_attribute_belongs_to_the_reply_behind_it():
    data = b"|1\r\n+ttl\r\n:3\r\n*2\r\n|1\r\n+x\r\n*0\r\n+a\r\n$-1\r\n"
    splitter = ReplySplitter()
    splitter.feed(data + b"+next\r\n$3\r\nab")
    assert list(splitter) == [data, b"+next\r\n"]
    assert splitter.rest() == b"$3\r\nab"


def test_words_are_bytes_text_and_numbers():
    assert encode_words([b"\xff", "é", "\udcff", 7, 1.5]) == [b"\xff", "é".encode(), b"\xff", b"7", b"1.5"]


def test_values_and_bytes_may_be_asked_for_in_any_order(real_server: RealServer) -> None:
    with real_server.connect() as peer:
        peer.send_bytes(b"ECHO a\r\nECHO b\r\nECHO c\r\nNONSENSE\r\n")
        assert peer.read() == b"a"
        assert peer.read_bytes() == b"$1\r\nb\r\n"
        assert peer.ask_bytes("PING") == b"$1\r\nc\r\n", "the replies come in the order of the requests"
        assert isinstance(peer.read(), ReplyError)
        assert peer.read() == "PONG"


def test_many_requests_at_once_have_a_reply_each(real_server: RealServer) -> None:
    with real_server.connect() as peer:
        peer.ask("DEL", "l")
        found = peer.ask_all([["RPUSH", "l", *range(5000)], ["LRANGE", "l", 0, -1], ["DEL", "l"]])
    assert (found[0], found[2]) == (b":5000\r\n", b":1\r\n")
    parser = ReplyParser()
    parser.feed(found[1])
    assert parser.gets() == [b"%d" % number for number in range(5000)]


def test_what_nobody_asked_for_is_read_as_a_rest(real_server: RealServer) -> None:
    with real_server.connect() as peer:
        peer.send_bytes(b"PING\r\nPING\r\n")
        peer.read()
        assert peer.rest(silence=0.2) == b"+PONG\r\n"
        assert peer.ask("PING") == "PONG"


def test_a_closed_connection_is_an_error_that_has_what_came(real_server: RealServer) -> None:
    with real_server.connect() as peer, real_server.connect() as killer:
        killer.ask("CLIENT", "KILL", "ID", peer.ask("CLIENT", "ID"))
        with pytest.raises(ConnectionError):
            peer.ask("PING")
        assert not peer.is_open()


def test_silence_is_a_timeout(real_server: RealServer) -> None:
    with real_server.connect(timeout=0.05) as peer, pytest.raises(TimeoutError):
        peer.ask("BLPOP", "nothing", 0)
