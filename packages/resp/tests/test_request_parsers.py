"""Both bodies of the request parser: however a stream is cut, the same requests and the same error."""

from __future__ import annotations

import random
import sys
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cutaway.resp import (
    LONGEST_LONE,
    HiredisRequestParser,
    ProtocolError,
    QueryBufferError,
    RequestLimits,
    RequestParser,
    best_request_parser,
    encode_request,
    lone_name,
)
from cutaway.resp import fast_parser as fast_parser_module

if fast_parser_module.AVAILABLE:
    BODIES: list[type[RequestParser]] = [RequestParser, HiredisRequestParser]
else:
    BODIES = [RequestParser]

each_body = pytest.mark.parametrize("parser_class", BODIES)

# What a stream is made of, biased to what goes wrong: protocol characters where payloads and lines begin.
nasty_bytes = st.sampled_from(
    [
        b"",
        b"\r\n",
        b"\r",
        b"\n",
        b"\r\n+OK\r\n",
        b"\n=3",
        b"\n(1",
        b"\r\n$3\r\nabc",
        b"*1\r\n",
        b"\r\n*0\r\n",
        b"+",
        b"~",
        b"|",
        b"%",
        b">",
        b"#f",
        b":0",
        b"\n*",
        b"*99999",
        b"\x00",
        b"x" * 70,
        b"y" * 1100,
    ]
)
payloads = nasty_bytes | st.binary(max_size=12) | st.builds(bytes.__add__, nasty_bytes, nasty_bytes)
requests = st.lists(payloads, min_size=1, max_size=12)
multibulks = st.builds(encode_request, requests)
skipped = st.sampled_from([b"*0\r\n", b"*-1\r\n", b"*-7\r\n", b"\r\n", b"\n", b"   \r\n"])
inlines = st.sampled_from(
    [
        b"PING\r\n",
        b"set k v\n",
        b'ECHO "a\\x41 b"\r\n',
        b"ECHO 'it\\'s'\r\n",
        b"+PING\r\n",
        b":0\r\n",
        b"#f\r\n",
        b"$4\r\nPING\r\n",
        b"$0\r\n\r\n",
        b",0\r\n",
        b"_\r\n",
        b"(1\r\n",
        b"=4\r\n",
        b"-x\r\n",
        b"a\x00b\r\n",
        b'"" \r\n',
        b"~1\r\n$4\r\nPING\r\n",
        b">1\r\n$4\r\nPING\r\n",
        b"%1\r\n$1\r\na\r\n",
        b"|1\r\n$1\r\na\r\n$1\r\nb\r\n",
    ]
)
lenient = st.sampled_from([b"*1\r\n$4\r\nPINGxx", b"*1\rX$4\rYPING\r\n", b"*1\r\n$0\r\n\n*"])
broken = st.sampled_from(
    [
        b"*x\r\n",
        b"*01\r\n",
        b"*+1\r\n",
        b"* 1\r\n",
        b"*1_0\r\n",
        b"*\r\n",
        b"*-0\r\n",
        b"*2147483648\r\n",
        b"*99999999999999999999\r\n",
        b"*1\r\n*1\r\n$1\r\na\r\n",
        b"*1\r\n:1\r\n",
        b"*1\r\n+PING\r\n",
        b"*1\r\n\r\n\r\n",
        b"*1\r\n$-1\r\n",
        b"*1\r\n$\r\n",
        b"*1\r\n$01\r\n",
        b"*1\r\n$536870913\r\n",
        b"*2\r\n$1\r\na\r\n=5\r\ntxt:a\r\n",
        b'"open\r\n',
        b"'open\\'\r\n",
        b'"a"b\r\n',
        b"*1\r\n\xff\r\n",
        b"*1\r\n_\r\n",
        b"*1\r\n#t\r\n",
        b"*1\r\n(12\r\n",
    ]
)
pieces = st.one_of(multibulks, multibulks, multibulks, inlines, skipped, lenient, broken)
streams = st.lists(pieces, max_size=8).map(b"".join)
Outcome = tuple[list[list[bytes]], str | None]


def run(parser: RequestParser, chunks: list[bytes]) -> Outcome:
    """Feed chunks; return all requests and the error that ended it."""
    parsed: list[list[bytes]] = []
    for chunk in chunks:
        try:
            parsed += parser.feed(chunk)
        except ProtocolError as error:
            return parsed + error.requests, error.text
    return parsed, None


def run_raising(parser: RequestParser, chunks: list[bytes]) -> None:
    for chunk in chunks:
        parser.feed(chunk)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(bounds)]


@settings(max_examples=300)
@given(st.lists(requests, max_size=8), st.lists(st.integers(0, 4000), max_size=6))
def test_parsing_undoes_encoding_however_the_bytes_are_cut(
    sent: list[list[bytes]], places: list[int]
) -> None:
    chunks = cut(b"".join(map(encode_request, sent)), places)
    for parser_class in BODIES:
        parser = parser_class()
        assert run(parser, chunks) == (sent, None)
        assert parser.pending == 0


@settings(max_examples=600)
@given(streams, st.lists(st.integers(0, 4000), max_size=6), st.booleans())
@example(b"*1\r\n$4\r\nPING\r\n" * 5 + b"*3\r\n", [], True)  # ends after a header
@example(b"*1\r\n$4\r\nPING\r\n" * 5 + b"~1\r\n$4\r\nPING\r\n", [], True)
@example(b"*1\r\n$4\r\nPING\r\n" * 5 + b"$0\r\n\r\n", [], True)
@example(b"*1\r\n$4\r\nPING\r\n" * 5 + b"*1\r\n$4\r\nPINGxx~1\r\n$4\r\nPING\r\n", [], True)
def test_no_cut_and_no_body_changes_requests_or_error(
    data: bytes, places: list[int], authenticated: bool
) -> None:
    expected = run(RequestParser(RequestLimits(authenticated=authenticated)), [data])
    for parser_class in BODIES:
        for chunks in (cut(data, []), cut(data, places)):
            assert run(parser_class(RequestLimits(authenticated=authenticated)), chunks) == expected


@settings(max_examples=40)
@given(streams)
def test_one_byte_at_a_time_is_a_cut_like_any_other(data: bytes) -> None:
    expected = run(RequestParser(), [data])
    for parser_class in BODIES:
        assert run(parser_class(), [data[i : i + 1] for i in range(len(data))]) == expected


@each_body
def test_each_single_cut_of_a_pipeline_gives_the_same_requests(parser_class: type[RequestParser]) -> None:
    sent = [[b"SET", b"key:%d" % i, b"v" * i] for i in range(8)] + [[b"GET", b"\r\n*1\r\n"], [b""]]
    data = b"".join(map(encode_request, sent))
    for place in range(len(data) + 1):
        assert run(parser_class(), [data[:place], data[place:]]) == (sent, None)


@each_body
def test_requests_before_the_malformed_one_come_with_the_error(parser_class: type[RequestParser]) -> None:
    good = encode_request([b"SET", b"k", b"v"])
    with pytest.raises(ProtocolError, match="invalid multibulk length") as caught:
        parser_class().feed(good * 9 + b"*x\r\n")
    assert caught.value.requests == [[b"SET", b"k", b"v"]] * 9


@each_body
def test_an_error_in_the_cut_off_request_is_raised_at_once(parser_class: type[RequestParser]) -> None:
    good = encode_request([b"SET", b"k", b"v"])
    with pytest.raises(ProtocolError, match="expected") as caught:
        parser_class().feed(good * 9 + b"*2\r\n$1\r\na\r\n:1\r\n")
    assert caught.value.requests == [[b"SET", b"k", b"v"]] * 9


@each_body
def test_pending_counts_the_bytes_that_wait(parser_class: type[RequestParser]) -> None:
    parser = parser_class()
    assert parser.feed(b"*2\r\n$3\r\nGET\r\n$100\r\nabc") == []
    assert parser.pending == len(b"$100\r\nabc")
    parser.feed(b"x" * 97 + b"\r\n")
    assert parser.pending == 0


@each_body
def test_of_what_waits_the_header_that_is_read_can_be_told(parser_class: type[RequestParser]) -> None:
    parser = parser_class()
    parser.feed(b"*2\r\n$3\r\nGET\r\n$10")
    assert (parser.pending, parser.header_bytes) == (3, 0), "there may come another digit"
    parser.feed(b"0\r\n")
    assert (parser.pending, parser.header_bytes) == (6, 6)
    parser.feed(b"\r\n" * 40)
    assert (parser.pending, parser.header_bytes) == (86, 6), "a payload may look like a header's end"
    parser.feed(b"x" * 22 + b"*1")
    assert (parser.pending, parser.header_bytes) == (2, 0)


@each_body
def test_the_arguments_of_a_request_under_way_are_measured_as_they_come(
    parser_class: type[RequestParser],
) -> None:
    parser = parser_class()
    for number in range(
        1, 5
    ):  # the same words twice: what was measured of one request says nothing of the next
        parser.feed(b"*3\r\n$1\r\na\r\n")
        assert (parser.argument_count, parser.argument_bytes) == (1, 1)
        word = b"b" * 10 * number
        parser.feed(b"$%d\r\n%s\r\n$3\r\ncc" % (len(word), word))
        assert (parser.argument_count, parser.argument_bytes) == (2, 1 + len(word))
        assert parser.feed(b"c\r\n") == [[b"a", word, b"ccc"]]
        if number % 2:
            assert (parser.argument_count, parser.argument_bytes) == (0, 0)


@each_body
def test_nothing_of_a_complete_request_is_kept(parser_class: type[RequestParser]) -> None:
    parser = parser_class()
    assert parser.feed(b"*2\r\n$3\r\nGET\r\n$1") == []
    (request,) = parser.feed(b"\r\nk\r\n")
    assert sys.getrefcount(request) == 2, "this name and the call that counts"


@each_body
def test_a_query_buffer_beyond_its_limit_is_an_error_of_its_own(parser_class: type[RequestParser]) -> None:
    parser = parser_class(RequestLimits(max_query_buffer=1024 * 1024))
    parser.feed(encode_request([b"PING"]) + b"*1\r\n$400000000\r\n")
    with pytest.raises(QueryBufferError):
        run_raising(parser, [b"x" * 65536] * 20)


@each_body
def test_a_promise_of_much_reserves_nothing(parser_class: type[RequestParser]) -> None:
    import tracemalloc

    tracemalloc.start()
    try:
        for _ in range(100):
            assert parser_class().feed(b"*2147483647\r\n$536870912\r\n" + b"x" * 64) == []
            assert parser_class().feed(encode_request([b"PING"]) * 9 + b"*200000000\r\n") == [[b"PING"]] * 9
            for start in (b"*1\r\n", b"*1\r\n$64\r\n" + b"x" * 64 + b"\r\n*2\r\n"):
                for kind in b"*~>%|":
                    run(parser_class(), [start + b"%c200000000\r\n" % kind])
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@each_body
def test_a_huge_bulk_in_small_reads_arrives_whole(parser_class: type[RequestParser]) -> None:
    payload = random.Random(1).randbytes(1 << 20) * 32
    data = encode_request([b"SET", b"k", payload]) + encode_request([b"PING"]) * 20
    chunks = [data[start : start + 16384] for start in range(0, len(data), 16384)]
    parsed, error = run(parser_class(), chunks)
    assert error is None
    assert parsed[0][2] == payload
    assert parsed[1:] == [[b"PING"]] * 20


class CopyCounter(bytearray):
    """A bytearray that counts the bytes taken out of it."""

    taken = 0

    def __bytes__(self) -> bytes:
        self.taken += len(self)
        return bytes(memoryview(self))


def test_a_huge_bulk_is_copied_a_fixed_number_of_times() -> None:
    parser = RequestParser()
    parser._tail = tail = CopyCounter()
    parser.feed(b"*1\r\n$8000000\r\n")
    for _ in range(8000):
        parser.feed(b"x" * 1000)
    parser.feed(b"\r\n")
    assert 0 < tail.taken < 3 * 8_000_000


@each_body
def test_a_line_is_too_big_or_not_however_it_is_cut(parser_class: type[RequestParser]) -> None:
    for size, too_big in ((65535, False), (65537, True)):
        line = b"a" * size + b"\n"
        outcomes = [run(parser_class(), cut(line, places)) for places in ([], [100], [65536], [size])]
        assert all(outcome == outcomes[0] for outcome in outcomes)
        assert (outcomes[0][1] == "Protocol error: too big inline request") == too_big


def test_the_best_parser_is_the_fast_one_where_hiredis_is_installed() -> None:
    assert best_request_parser() is (HiredisRequestParser if fast_parser_module.AVAILABLE else RequestParser)


@pytest.mark.skipif(not fast_parser_module.AVAILABLE, reason="hiredis is not installed")
def test_the_fast_body_really_reads_a_plain_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> int:
        pytest.fail("the readable parser was asked")

    parser = HiredisRequestParser()
    monkeypatch.setattr(RequestParser, "_parse", slow)
    for word in (b"value", b"a+b=c\n#1", b"a*b"):
        sent = [[b"SET", b"key", word]] * 16
        assert parser.feed(b"".join(map(encode_request, sent))) == sent
        assert parser.read_each([encode_request(sent[0])] * 2) == sent[:2] or b"*" in word
        assert parser.read_each([encode_request(sent[0])]) == sent[:1] or b"*" in word


# ---- requests that come alone


@each_body
def test_where_one_request_ends_and_the_next_begins(parser_class: type[RequestParser]) -> None:
    parser = parser_class()
    data = encode_request([b"GET", b"key"]) + b"PING\r\n" + encode_request([b"", b"word" * 20])
    ends, said = {0}, b""
    for place, requests in ((end, parser.feed(data[end - 1 : end])) for end in range(1, len(data) + 1)):
        said += b"".join(map(encode_request, requests))
        if requests:
            ends.add(place)
        assert parser.is_between_requests is (place in ends), data[:place]
    assert len(ends) == 4


def test_the_name_of_a_request_that_comes_alone() -> None:
    for count in (1, 2, 99):
        assert lone_name(encode_request([b"GET"] * count)) == b"GET"
    whole = encode_request([b"GET", b"key"])
    for data in (
        b"",
        b"*",
        b"GET\r\n",
        whole + whole,
        encode_request([b"GET", b"*"]),
        encode_request([b"GET"] * 100),
        b" " + whole,
    ):
        assert lone_name(data) is None
    longest = encode_request([b"GET", b"k" * (LONGEST_LONE - 22)])
    assert lone_name(longest) == b"GET"
    assert len(longest) == LONGEST_LONE
    assert lone_name(longest + b"k") is None


lone_chunks = (multibulks | pieces | streams).filter(lambda data: lone_name(data) is not None)


@st.composite
def arrivals(draw: st.DrawFn) -> list[bytes]:
    """Chunks that may be requests: most of them are, some are parts of one, cut anywhere."""
    chunks = draw(st.lists(lone_chunks, min_size=1, max_size=6))
    if draw(st.booleans()):
        stream = b"".join(chunks)
        places = draw(st.lists(st.integers(0, len(stream)), max_size=4))
        chunks = [stream[start:end] for start, end in pairwise(sorted({0, len(stream), *places}))]
    return [chunk for chunk in chunks if lone_name(chunk) is not None]


@pytest.mark.skipif(not fast_parser_module.AVAILABLE, reason="hiredis is not installed")
@settings(deadline=None, max_examples=300)
@example(chunks=[b"*2\r\n$4\r\nPING\r\n", b"*1\r\n$4\r\nPING\r\n"])
@example(chunks=[b"*1\r\n$4\r\nPING\r\n$1\r\na\r\n"])
@example(chunks=[b"*2\r\n$4\r\nECHO\r\n:1\r\n", b"*1\r\n$4\r\nPING\r\n"])
@given(chunks=arrivals())
def test_each_of_them_is_what_feeding_it_gives(chunks: list[bytes]) -> None:
    parser = HiredisRequestParser()
    requests = parser.read_each(chunks) if chunks else None
    if requests is not None:
        outcomes = []
        for chunk in chunks:
            readable = RequestParser()
            outcomes.append(run(readable, [chunk]))
            assert readable.is_between_requests
        assert outcomes == [([argv], None) for argv in requests]
    assert parser.feed(encode_request([b"PING"])) == [[b"PING"]], "it is as it was"


@pytest.mark.skipif(not fast_parser_module.AVAILABLE, reason="hiredis is not installed")
@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 99])
@pytest.mark.parametrize("word", [b"word\r\n$1", b"a+b=c|d"])
def test_ordinary_requests_are_known_at_a_glance(count: int, word: bytes) -> None:
    parser = HiredisRequestParser()
    argv = [b"word", *[word] * (count - 1)]
    data = encode_request(argv)
    assert parser.read_each([data, data, data]) == [argv] * 3
    assert parser.read_each([data]) == [argv]
    assert parser.read_each([data, data[:-1], data]) is None
    assert parser.read_each([data[:-1]]) is None
    assert parser.read_each([data + b"\r\n"]) is None
    assert parser.read_each([data + b"\r\n", data]) is None
