"""The wire view: every byte has a place, secrets have none, and nothing it is shown breaks it."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cutaway.client.wire import MAX_PAYLOAD, MAX_ROWS, WireView, explain
from cutaway.resp import Encoder, encode_request


def drawn(data: bytes, *, is_request: bool = False) -> list[str]:
    return [line.plain.rstrip() for line in explain(data, is_request=is_request)]


def test_a_request_is_shown_value_by_value() -> None:
    assert drawn(encode_request([b"SET", b"greeting", b"h\r\ni"])) == [
        r"     0  *3\r\n                array of 3",
        r"     4    $3\r\nSET\r\n       bulk string of 3 bytes",
        r"    13    $8\r\ngreeting\r\n  bulk string of 8 bytes",
        r"    27    $4\r\nh\r\ni\r\n    bulk string of 4 bytes",
    ]


def test_maps_say_what_is_a_key_and_nesting_is_indented() -> None:
    assert drawn(Encoder(3).encode({b"k": [1, None, True, 0.5]})) == [
        r"     0  %1\r\n         map of 1 pair",
        r"     4    $1\r\nk\r\n  key: bulk string of 1 byte",
        r"    11    *4\r\n       value: array of 4",
        r"    15      :1\r\n     integer",
        r"    19      _\r\n      null",
        r"    22      #t\r\n     boolean",
        r"    26      ,0.5\r\n   double",
    ]


@pytest.mark.parametrize(
    ("data", "meaning"),
    [
        (b"$-1\r\n", "bulk string: null"),
        (b"*-1\r\n", "array: null"),
        (b"$0\r\n\r\n", "bulk string of 0 bytes"),
        (b"-ERR no\r\n", "error"),
        (b"PING x\r\n", "inline request"),
        (b"*1\r\n$3\r\nab", "bulk string of 2 bytes, incomplete"),
        (b"*1\r\n$", "array of 1, incomplete"),
        (b"*1\r\nx", "array of 1, malformed: no type is written 'x'"),
    ],
)
def test_what_there_is_besides(data: bytes, meaning: str) -> None:
    assert any(line.endswith(meaning) for line in drawn(data)), drawn(data)


@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from([b"*2\r\n", b"%1\r\n", b"$3\r\nabc\r\n", b"+", b"\r\n", b"$9\r\nx"])).map(
        b"".join
    )
)
def test_no_bytes_are_too_strange_to_be_shown(data: bytes) -> None:
    offsets = [int(re.match(r" *(\d+)", line)[1]) for line in drawn(data)]  # type: ignore[index]
    assert offsets == sorted(offsets)
    assert len(offsets) <= MAX_ROWS
    assert bool(offsets) == bool(data)


def test_long_replies_and_long_payloads_are_cut_and_counted() -> None:
    data = Encoder(2).encode([b"%d" % number for number in range(1000)])
    lines = drawn(data)
    assert len(lines) == MAX_ROWS - 1
    left = len(data) - data.index(b"$2\r\n37\r\n")
    assert lines[-1].endswith(f"… 963 more values, {left:,} bytes")
    assert drawn(b"$1000\r\n" + b"x" * 1000 + b"\r\n") == [
        rf"     0  $1000\r\n{'x' * MAX_PAYLOAD}…\r\n  bulk string of 1,000 bytes"
    ]


@pytest.mark.parametrize(
    "words",
    [
        "AUTH hunter2",
        "auth ada hunter2",
        "HELLO 3 AUTH ada hunter2",
        "CONFIG SET requirepass hunter2",
        "ACL SETUSER ada >hunter2",
        "MIGRATE h 1 k 0 10 AUTH hunter2",
    ],
)
def test_a_password_is_not_shown(words: str) -> None:
    text = "\n".join(drawn(encode_request([word.encode() for word in words.split()]), is_request=True))
    assert "hunter2" not in text
    assert "********" in text


class Screen:
    """A wire view, and what it has printed."""

    def __init__(self) -> None:
        self.file = io.StringIO()
        self.view = WireView(Console(file=self.file, soft_wrap=True))

    def headings(self) -> list[str]:
        return re.findall(r"^[→←] \w+, [\d,]+ bytes?", self.file.getvalue(), re.MULTILINE)


def test_a_reply_is_shown_once_it_is_complete_however_it_came() -> None:
    screen = Screen()
    screen.view.sent(encode_request([b"PING"]))
    screen.view.received(b"*2\r\n:1")
    screen.view.flush()
    screen.view.received(b"\r\n")
    screen.view.flush()
    assert screen.headings() == ["→ request, 14 bytes"]
    screen.view.received(b"$1\r\na\r\n+half")
    screen.view.flush()
    assert screen.headings() == ["→ request, 14 bytes", "← reply, 15 bytes"]
    screen.view.received(b"\r\n")
    screen.view.flush()
    assert screen.headings()[-1] == "← message, 7 bytes"


def test_what_is_switched_off_shows_nothing() -> None:
    screen = Screen()
    screen.view.is_on = False
    screen.view.sent(b"PING\r\n")
    screen.view.received(b"+PONG\r\n")
    screen.view.flush()
    assert screen.file.getvalue() == ""
