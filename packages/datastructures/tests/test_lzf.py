"""LZF: there and back, and what a hostile stream can do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.datastructures import lzf

repetitive = st.builds(
    lambda words, picks: b"".join(words[pick % len(words)] for pick in picks),
    st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), max_size=200),
)


@settings(max_examples=200, deadline=None)
@given(repetitive | st.binary(max_size=400))
def test_what_is_compressed_comes_back(data: bytes) -> None:
    compressed = lzf.compress(data, 2 * len(data) + 1)
    assert compressed is not None
    assert lzf.decompress(compressed, len(data)) == data


@pytest.mark.parametrize("length", [2, 3, 31, 32, 33, 263, 264, 265, 266, 270, 530, 8191, 8192, 8193, 20000])
def test_a_run_of_one_byte_shrinks_to_about_a_ninetieth(length: int) -> None:
    data = b"a" * length
    compressed = lzf.compress(data, length + 10)
    assert compressed is not None
    assert len(compressed) <= 6 + 3 * (length // 264 + 1)
    assert lzf.decompress(compressed, length) == data


def test_a_match_reaches_back_8192_bytes_and_no_further() -> None:
    word = b"0123456789abcdef"
    filler = bytes(range(256))
    for gap in (8192 - 16, 8192 - 15):
        data = word + (filler * 40)[:gap] + word
        compressed = lzf.compress(data, len(data))
        assert compressed is not None
        assert lzf.decompress(compressed, len(data)) == data


def test_what_does_not_shrink_is_not_compressed() -> None:
    assert lzf.compress(bytes(range(256))) is None
    assert lzf.compress(b"") is None


def test_a_stream_made_by_hand_is_read() -> None:
    # literal "ab", match of 3 from 2 back, match of 9 + 1 from 1 back
    assert lzf.decompress(b"\x01ab" + b"\x20\x01" + b"\xe0\x01\x00", 15) == b"ababa" + b"a" * 10


@pytest.mark.parametrize(
    "stream",
    [b"\x05ab", b"\x00", b"\x20", b"\x00a\x20", b"\xe0", b"\x00a\xe0\x05", b"\x20\x00", b"\x00a\x20\x01"],
)
def test_a_broken_stream_is_refused_with_its_offset(stream: bytes) -> None:
    with pytest.raises(ValueError, match="offset"):
        lzf.decompress(stream, 1000)


def test_output_is_bounded_by_the_declared_size() -> None:
    bomb = b"\x00a" + b"\xe0\xff\x00" * 1000
    with pytest.raises(ValueError, match="longer"):
        lzf.decompress(bomb, 500)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 300))
def test_any_bytes_give_the_declared_size_or_an_error(stream: bytes, size: int) -> None:
    try:
        assert len(lzf.decompress(stream, size)) == size
    except ValueError as error:
        assert "offset" in str(error)  # noqa: PT017 - either way is right, a crash is not
