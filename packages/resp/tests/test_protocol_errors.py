"""Protocol errors, byte for byte what the real servers answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cutaway.resp import Encoder, ProtocolError, ReplyError, RequestLimits, best_request_parser

if TYPE_CHECKING:
    from cutaway.testing import RealServer

pytestmark = pytest.mark.xdist_group("resp-servers")

ON_BOTH = [
    b"a" * 70000,
    b"*" + b"1" * 70000,
    b"*1\r\n$" + b"1" * 70000,
    b"*x\r\n",
    b"*\r\n",
    b"*01\r\n",
    b"*-0\r\n",
    b"*+1\r\n",
    b"*2147483648\r\n",
    b"*9223372036854775808\r\n",
    b"*1\r\nfoo\r\n",
    b"*1\r\n\r\n\r\n",
    b"*1\r\n\n\r\n",
    b"*1\r\n\x01\r\n",
    b"*1\r\n\xff\r\n",
    b"*1\r\n\xc3\xa9\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$\r\n",
    b"*1\r\n$+4\r\nPING\r\n",
    b"*1\r\n$536870913\r\n",
    b'"a\r\n',
    b"'a\r\n",
    b'echo "a\\\r\n',
]
REDIS_ONLY = [b'echo "a"b\r\n', b"'a'b\r\n"]  # Valkey 9 lets a word go on after a closing quote
HARMLESS = [
    b"*0\r\n*-1\r\n*-5\r\n\r\n  \r\n\n",
    b"ECHO 'a\\'b\\n'\r\n",
    b'ECHO "\\x4g\\x41\\q\\\\\\n\\t\\a\\b\\r"\r\n',
    b'ECHO a"b c"\r\n',
    b"ECHO a\x0bb\r\n",
    b"\x0bECHO a\r\n",
    b"ECHO ''\r\n",
    b"\rPING\r\n",
    b"PING\r\r\n",
    b"*1\r\n$4\r\nPING\r\n",
]


def our_answer(data: bytes, *, authenticated: bool = True) -> tuple[list[list[bytes]], bytes]:
    parser = best_request_parser()(RequestLimits(authenticated=authenticated))
    try:
        return parser.feed(data), b""
    except ProtocolError as error:
        return error.requests, Encoder().encode(ReplyError(f"ERR {error.text}"))


@pytest.mark.parametrize("data", ON_BOTH + REDIS_ONLY, ids=lambda data: repr(data[:24]))
def test_malformed_input_gets_redis_s_error(redis_server: RealServer, data: bytes) -> None:
    requests, answer = our_answer(data)
    assert requests == []
    assert answer == redis_server.exchange(data)


@pytest.mark.parametrize("data", ON_BOTH, ids=lambda data: repr(data[:24]))
def test_malformed_input_gets_valkey_s_error(valkey_server: RealServer, data: bytes) -> None:
    assert our_answer(data)[1] == valkey_server.exchange(data)


@pytest.mark.parametrize("data", HARMLESS, ids=lambda data: repr(data[:24]))
def test_words_are_split_as_redis_splits_them(redis_server: RealServer, data: bytes) -> None:
    requests, error = our_answer(data)
    assert error == b""
    encoder = Encoder()
    expected = [encoder.encode(request[1] if len(request) > 1 else "PONG") for request in requests]
    assert redis_server.exchange(data) == b"".join(expected)


def test_strangers_may_promise_little(redis_server: RealServer) -> None:
    greeting = b"CONFIG SET requirepass secret\r\n"
    farewell = b"AUTH secret\r\nCONFIG SET requirepass ''\r\n"
    assert redis_server.exchange(greeting) == b"+OK\r\n"
    try:
        for data in (b"*11\r\n", b"*1\r\n$16385\r\n"):
            answer = our_answer(data, authenticated=False)[1]
            assert answer.startswith(b"-ERR Protocol error: unauthenticated")
            assert answer == redis_server.exchange(data)
        assert our_answer(b"*10\r\n$16384\r\n", authenticated=False) == ([], b"")
    finally:
        redis_server.exchange(farewell)
