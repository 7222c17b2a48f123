"""The view that explains bytes: nothing left out, nothing said twice, never an exception."""

from __future__ import annotations

import doctest
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.resp import Span, annotate, encode_request

resp_like = st.lists(
    st.sampled_from(
        [
            b"*2\r\n",
            b"%1\r\n",
            b"|1\r\n",
            b"$3\r\nabc\r\n",
            b"$9\r\nab",
            b"+OK\r\n",
            b":1\r\n",
            b"_\r\n",
            b"$-1\r\n",
            b"*-1\r\n",
            b"PING 'a'\r\n",
            b'"\n',
            b"\r\n",
            b"*x\r\n",
            b"*1\r\n" * 200,
            b"$" + b"9" * 5000 + b"\r\n",
            b"\xff",
        ]
    )
    | st.binary(max_size=6),
    max_size=8,
).map(b"".join)


def leaves(spans: list[Span]) -> list[Span]:
    parents = {span.parent for span in spans}
    return [span for index, span in enumerate(spans) if index not in parents]


@given(resp_like)
def test_the_innermost_spans_cover_every_byte_once(data: bytes) -> None:
    position = 0
    for span in leaves(annotate(data)):
        assert span.start == position < span.end
        position = span.end
    assert position == len(data)


@given(resp_like)
def test_every_span_lies_in_its_parent_and_comes_after_it(data: bytes) -> None:
    spans = annotate(data)
    for index, span in enumerate(spans):
        if span.parent is not None:
            parent = spans[span.parent]
            assert span.parent < index
            assert parent.start <= span.start <= span.end <= parent.end


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=5))
def test_the_payload_spans_of_a_request_are_its_arguments(argv: list[bytes]) -> None:
    spans = annotate(encode_request(argv))
    assert [span.value for span in spans if span.label == "bulk string"] == argv


@pytest.mark.parametrize(
    ("data", "label"),
    [
        (b"*2\r\n$3\r\nab", "incomplete"),
        (b"*1\r\nx", "malformed: no type is written 'x'"),
        (b"*x\r\n", "malformed: not a length"),
    ],
)
def test_what_cannot_be_explained_is_named(data: bytes, label: str) -> None:
    assert annotate(data)[-1].label == label
    assert annotate(data)[-1].end == len(data)


def test_the_example_in_the_docstring_is_true() -> None:
    assert doctest.testmod(sys.modules[annotate.__module__]).failed == 0
