"""The contract of a request parser: however a stream is cut, the same requests and the same error.

What is expected is what the house's own parser gives for the same bytes in one piece.
"""

from __future__ import annotations

import tracemalloc
from typing import Any, Final

from hypothesis import strategies as st

from cutaway.learn.carets import first_difference
from cutaway.learn.lessons import Said, Scene
from cutaway.learn.rules import Suite
from cutaway.learn.suites.streams import cut, encoded, payloads, plain_requests, requests
from cutaway.resp import ProtocolError, RequestLimits, RequestParser, annotate

suite: Final = Suite("resp.parser")

Outcome = tuple[list[list[bytes]], str | None]


def play(parser: Any, chunks: list[bytes], scene: Scene) -> Outcome:
    """Feed the chunks; all requests, and the text of the error that ended it."""
    got: list[list[bytes]] = []
    for chunk in chunks:
        scene.tell("feed", chunk)
        try:
            new = parser.feed(chunk)
        except ProtocolError as error:
            scene.lesson.told.append(("raised", f"ProtocolError {error.text!r}, after {error.requests!r}"))
            return got + error.requests, error.text
        scene.gave(new)
        if new is None:
            scene.fail(
                "feed() returned None. It returns a list: of the requests that are complete, or an empty one."
            )
        got += new
    return got, None


def judge(part: Any, chunks: list[bytes], limits: RequestLimits | None = None) -> None:
    """Compare the reader's parser, fed with chunks, with ours, fed at once."""
    data = b"".join(chunks)
    expected = play(RequestParser(limits), [data], Scene())
    with Scene(ask=data) as scene:
        got = play(part(limits), chunks, scene)
        if got[0] != expected[0]:
            scene.mark(
                "the bytes, and where it goes wrong", data, *blame(part, chunks, expected[0], got[0], limits)
            )
        scene.expect(expected[0], got[0])
        if got[1] != expected[1]:
            scene.fail(
                "The requests are right, the error is not: its text is what the client will read.",
                expected=Said(expected[1] or "no error"),
                got=Said(got[1] or "no error"),
            )


def judge_each_cut(part: Any, data: bytes) -> None:
    """Cut the stream in two, at every place. Drawing the place would be cheaper, and the failures would not shrink as well."""
    for place in range(len(data)):
        judge(part, cut(data, place))


def blame(
    part: Any,
    chunks: list[bytes],
    expected: list[list[bytes]],
    got: list[list[bytes]],
    limits: RequestLimits | None,
) -> tuple[int | None, str]:
    """The offset of the first byte that was misunderstood, and how. O(bytes)."""
    read = first_wrong_read(part, chunks, limits)
    if read:
        return len(b"".join(chunks[:read])), "the read that begins here gave something else"
    data = b"".join(chunks)
    spans = annotate(data)
    tops = [(number, span) for number, span in enumerate(spans) if span.parent is None and span.value]
    index = next(
        (at for at, wanted in enumerate(expected) if at >= len(got) or got[at] != wanted), len(expected)
    )
    if index < min(len(got), len(expected), len(tops)):
        number, _ = tops[index]
        bulks = [span for span in spans if span.parent == number and span.label == "bulk string"]
        for place, (wanted, bulk) in enumerate(zip(expected[index], bulks, strict=False)):
            have = got[index][place] if place < len(got[index]) else None
            if have != wanted:
                shift = first_difference(wanted, bytes(have)) if isinstance(have, (bytes, bytearray)) else 0
                return bulk.end - 2 - len(wanted) + shift, f"argument {place + 1} goes wrong here"
    if index < len(tops):
        return tops[index][1].start, f"request {index + 1} begins here, and did not come out right"
    return None, ""


def first_wrong_read(part: Any, chunks: list[bytes], limits: RequestLimits | None) -> int:
    """The number of the read whose result differs from ours, given the same reads before it; 0 if it is the first."""
    parser, reference = part(limits), RequestParser(limits)
    for number, chunk in enumerate(chunks):
        if play(parser, [chunk], Scene()) != play(reference, [chunk], Scene()):
            return number
    return 0


@suite.rule(
    "A request comes out as the list of its arguments",
    "`*2` announces two arguments, `$3` one of three bytes. Read a header, take as many bytes as it says, hop over the line "
    "end, and do that again.",
    sent=plain_requests,
    examples=50,
)
def whole_request(part: Any, sent: list[bytes]) -> None:
    judge(part, [encoded([sent])])


@suite.rule(
    "A payload is as long as its header says, whatever is in it",
    "The length comes first so that nobody has to look at the payload. It may be empty, and it may hold line ends or things "
    "that look like headers. A parser that searches for the next line end instead of counting goes wrong here.",
    sent=requests,
)
def binary_payloads(part: Any, sent: list[bytes]) -> None:
    judge(part, [encoded([sent])])


@suite.rule(
    "Requests that come in one read come out together, in order",
    "A client may send a hundred commands without waiting for a reply (pipelining). One feed() then returns a hundred "
    "requests.",
    sent=st.lists(requests, min_size=2, max_size=5),
)
def pipelines(part: Any, sent: list[list[bytes]]) -> None:
    judge(part, [encoded(sent)])


@suite.rule(
    "A request may be cut at any byte",
    "TCP is a stream: a read may end in the middle of a payload, of a header, even between \\r and \\n. What is not complete "
    "yet has to wait for the next feed(), and nothing of it may be lost or taken twice.",
    sent=st.lists(requests, min_size=1, max_size=2),
    examples=80,
)
def any_cut(part: Any, sent: list[list[bytes]]) -> None:
    judge_each_cut(part, encoded(sent))


@suite.rule(
    "One byte at a time is a cut like any other",
    "The slowest network there is. Whatever state the parser keeps between two reads is in use at every single byte.",
    sent=st.lists(requests, min_size=1, max_size=2),
    examples=60,
)
def byte_by_byte(part: Any, sent: list[list[bytes]]) -> None:
    data = encoded(sent)
    judge(part, [data[at : at + 1] for at in range(len(data))])


INLINE: Final = (
    b"PING\r\n", b"set k v\n", b'ECHO "a b"\r\n', b"ECHO 'it\\'s'\r\n", b"  GET   k  \r\n", b"$4\r\n", b"+PING\r\n",
)  # fmt: skip


@suite.rule(
    "A line of words is a request too",
    "Whoever has only telnet types `PING` and Enter. A request that does not begin with `*` ends at the next \\n, a \\r before "
    "it does not count, and `split_inline` takes the line apart.",
    lines=st.lists(
        st.sampled_from(INLINE) | requests.map(lambda sent: encoded([sent])), min_size=1, max_size=3
    ),
    examples=60,
)
def inline_requests(part: Any, lines: list[bytes]) -> None:
    judge_each_cut(part, b"".join(lines))


EMPTY: Final = (b"*0\r\n", b"*-1\r\n", b"\r\n", b"\n", b"   \r\n")


@suite.rule(
    "A request of no arguments is no request",
    "`*0`, `*-1` and an empty line are skipped without a word. The server would not know what to reply to.",
    pieces=st.lists(
        st.sampled_from(EMPTY) | requests.map(lambda sent: encoded([sent])), min_size=1, max_size=4
    ),
    examples=60,
)
def empty_requests(part: Any, pieces: list[bytes]) -> None:
    judge_each_cut(part, b"".join(pieces))


BROKEN: Final = (
    b"*x\r\n", b"*1x\r\n", b"*2147483648\r\n", b"*1\r\n:1\r\n", b"*1\r\n+PING\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$x\r\n",
    b"*1\r\n$536870913\r\n", b"*2\r\n$1\r\na\r\n*1\r\n", b'"open\r\n',
)  # fmt: skip


@suite.rule(
    "What is malformed raises ProtocolError, with the requests that came before it",
    "After a bad header nobody knows where the next request begins, so the connection ends: the server runs what was complete, "
    "sends the error and closes. The four texts are in the contract at the head of your file; use them to the letter.",
    before=st.lists(plain_requests, max_size=2),
    broken=st.sampled_from(BROKEN),
)
def protocol_errors(part: Any, before: list[list[bytes]], broken: bytes) -> None:
    judge(part, [encoded(before) + broken])


@suite.rule(
    "`pending` and `argument_bytes` say what waits",
    "CLIENT LIST shows them, and a client that lets too much wait is closed. Bytes that are not yet part of a complete argument "
    "are pending; arguments that are complete, of a request that is not, count in argument_bytes.",
    sent=st.lists(payloads, min_size=1, max_size=3),
    at=st.integers(0, 200),
)
def what_waits(part: Any, sent: list[bytes], at: int) -> None:
    data = encoded([sent])
    first = data[: at % (len(data) + 1)]
    with Scene() as scene:
        parser = part(None)
        scene.tell("feed", first)
        scene.gave(parser.feed(first))
        reference = RequestParser()
        reference.feed(first)
        waiting = parser.pending + parser.argument_bytes
        most = len(first)
        if (waiting == 0) != (reference.pending + reference.argument_bytes == 0) and sum(map(len, sent)):
            scene.fail(
                "pending + argument_bytes should be 0 exactly when nothing waits.",
                expected=reference.pending + reference.argument_bytes,
                got=waiting,
            )
        if waiting > most:
            scene.fail("More waits than has ever arrived.", expected=Said(f"at most {most}"), got=waiting)


@suite.rule(
    "A length is a promise, not a reason to reserve memory",
    "`$536870912` costs a stranger twelve bytes to send. A parser that makes room for half a gigabyte on the strength of that "
    "can be brought down by anybody.",
)
def no_room_on_credit(part: Any) -> None:
    data = b"*2\r\n$3\r\nSET\r\n$536870912\r\nabc"
    with Scene() as scene:
        parser = part(None)
        scene.tell("feed", data)
        tracemalloc.start()
        try:
            got = parser.feed(data)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        scene.expect([], got)
        if peak > 1 << 20:
            scene.fail(f"Memory rose by {peak >> 20} MiB while feed() read {len(data)} bytes.")
