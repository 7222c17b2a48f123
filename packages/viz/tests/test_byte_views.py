"""Every byte is drawn exactly once, whatever the spans say, and every span is named."""

import re
import xml.etree.ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.datastructures import ListPack
from cutaway.resp import Span, annotate, encode_request
from cutaway.viz import annotated_bytes, listpack_spans

FEW = settings(max_examples=50, deadline=None)


def boxes(html: str) -> list[tuple[int, int]]:
    """The start and size of each box, as its hint says."""
    tree = ET.fromstring(html)
    hints = [e.get("title", "") for e in tree.iter("div") if "cv-cell" in e.get("class", "")]
    found = [re.search(r"(\d+) bytes? at (\d+)$", hint) for hint in hints]
    return [(int(match[2]), int(match[1])) for match in found if match]


def is_tiled(html: str, size: int) -> bool:
    """Whether the boxes follow each other from the first byte to the last."""
    end = 0
    for start, length in boxes(html):
        if start != end:
            return False
        end += length
    return end == size


@FEW
@given(st.one_of(st.binary(max_size=60), st.lists(st.binary(max_size=9), min_size=1).map(encode_request)))
def test_any_bytes_taken_for_resp_are_tiled_by_boxes(data: bytes) -> None:
    picture = annotated_bytes(data)
    assert is_tiled(picture.html, len(data))
    for span in annotate(data):
        assert span.label in picture.text


@FEW
@given(
    st.lists(
        st.one_of(st.binary(max_size=80), st.integers(-(1 << 63), (1 << 63) - 1).map(lambda n: b"%d" % n))
    )
)
def test_the_spans_of_a_listpack_tile_it_and_name_each_element(elements: list[bytes]) -> None:
    data = bytes(ListPack.from_list(elements))
    spans = listpack_spans(data)
    leaves = [span for index, span in enumerate(spans) if index not in {other.parent for other in spans}]
    assert b"".join(data[span.start : span.end] for span in leaves) == data
    entries = [span for span in spans if span.parent == 0 and span.label in {"string", "integer"}]
    values = [span.value if isinstance(span.value, bytes) else b"%d" % span.value for span in entries]  # type: ignore[str-bytes-safe]
    assert values == elements
    assert all(any(span.start <= leaf.start and leaf.end <= span.end for leaf in leaves) for span in entries)
    assert is_tiled(annotated_bytes(data, spans).html, len(data))


@FEW
@given(st.binary(max_size=40))
def test_bytes_that_are_no_listpack_are_said_to_be_malformed(junk: bytes) -> None:
    spans = listpack_spans(junk)
    assert not junk or max(span.end for span in spans) == len(junk)
    assert is_tiled(annotated_bytes(junk, spans).html, len(junk))


def test_what_no_span_explains_is_shown_without_a_label() -> None:
    data = b"abcdefgh"
    spans = [Span(1, 6, "whole", None, None), Span(2, 3, "part", None, 0)]
    picture = annotated_bytes(data, spans)
    assert boxes(picture.html) == [(0, 1), (1, 1), (2, 1), (3, 3), (6, 2)]
    assert [line.split() for line in str(picture).splitlines()] == [
        ["0", "a", "?"],
        ["1", "whole"],
        ["1", "b", "?"],
        ["2", "c", "part"],
        ["3", "def", "?"],
        ["6", "gh", "?"],
    ]


def test_the_text_of_a_request_reads_as_a_list() -> None:
    lines = str(annotated_bytes(encode_request([b"GET", b"k"]), title="A request")).splitlines()
    assert lines[:2] == ["A request", ""]
    assert [line.split() for line in lines[2:9]] == [
        ["0", "array", "2"],
        ["0", "*", "type", "*"],
        ["1", "2", "length", "2"],
        ["2", r"\r\n", "terminator"],
        ["4", "bulk", "string", '"GET"'],
        ["4", "$", "type", "$"],
        ["5", "3", "length", "3"],
    ]
