"""LZF: there and back, and what a hostile stream can do. Everything is asked of both bodies."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.datastructures import fast_lzf, lzf

needs_library = pytest.mark.skipif(not fast_lzf.AVAILABLE, reason="python-neo-lzf is not installed")
both = pytest.mark.parametrize("body", [lzf, pytest.param(fast_lzf, marks=needs_library)])

repetitive = st.builds(
    lambda words, picks: b"".join(words[pick % len(words)] for pick in picks),
    st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), max_size=200),
)


@both
@settings(max_examples=200, deadline=None)
@given(repetitive | st.binary(max_size=400))
def test_what_is_compressed_comes_back(body: ModuleType, data: bytes) -> None:
    compressed = body.compress(data, 2 * len(data) + 1)
    assert compressed is not None
    assert body.decompress(compressed, len(data)) == data


@both
@pytest.mark.parametrize("length", [2, 3, 31, 32, 33, 263, 264, 265, 266, 270, 530, 8191, 8192, 8193, 20000])
def test_a_run_of_one_byte_shrinks_to_about_a_ninetieth(body: ModuleType, length: int) -> None:
    data = b"a" * length
    compressed = body.compress(data, length + 10)
    assert compressed is not None
    assert len(compressed) <= 6 + 3 * (length // 264 + 1)
    assert body.decompress(compressed, length) == data


@both
def test_a_match_reaches_back_8192_bytes_and_no_further(body: ModuleType) -> None:
    word = b"0123456789abcdef"
    filler = bytes(range(256))
    for gap in (8192 - 16, 8192 - 15):
        data = word + (filler * 40)[:gap] + word
        compressed = body.compress(data, len(data))
        assert compressed is not None
        assert body.decompress(compressed, len(data)) == data


@both
def test_what_does_not_shrink_is_not_compressed(body: ModuleType) -> None:
    assert body.compress(bytes(range(256))) is None
    assert body.compress(b"") is None


@both
def test_a_stream_made_by_hand_is_read(body: ModuleType) -> None:
    # literal "ab", match of 3 from 2 back, match of 9 + 1 from 1 back
    assert body.decompress(b"\x01ab" + b"\x20\x01" + b"\xe0\x01\x00", 15) == b"ababa" + b"a" * 10


@both
@pytest.mark.parametrize(
    "stream",
    [b"\x05ab", b"\x00", b"\x20", b"\x00a\x20", b"\xe0", b"\x00a\xe0\x05", b"\x20\x00", b"\x00a\x20\x01"],
)
def test_a_broken_stream_is_refused_with_its_offset(body: ModuleType, stream: bytes) -> None:
    with pytest.raises(ValueError, match="offset"):
        body.decompress(stream, 1000)


@both
def test_output_is_bounded_by_the_declared_size(body: ModuleType) -> None:
    bomb = b"\x00a" + b"\xe0\xff\x00" * 1000
    with pytest.raises(ValueError, match="longer"):
        body.decompress(bomb, 500)


@both
@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 300))
def test_any_bytes_give_the_declared_size_or_an_error(body: ModuleType, stream: bytes, size: int) -> None:
    try:
        assert len(body.decompress(stream, size)) == size
    except ValueError as error:
        assert "offset" in str(error)  # noqa: PT017 - either way is right, a crash is not


@needs_library
@settings(max_examples=200, deadline=None)
@given(repetitive | st.binary(max_size=400))
def test_each_body_reads_what_the_other_wrote(data: bytes) -> None:
    for writer, reader in ((lzf, fast_lzf), (fast_lzf, lzf)):
        compressed = writer.compress(data, 2 * len(data) + 1)
        assert compressed is not None
        assert reader.decompress(compressed, len(data)) == data


@needs_library
@settings(max_examples=200, deadline=None)
@given(repetitive | st.binary(max_size=100), st.data())
def test_both_bodies_judge_a_damaged_stream_alike(data: bytes, draw: st.DataObject) -> None:
    stream = bytearray(lzf.compress(data, 2 * len(data) + 1) or b"")
    if stream:
        stream[draw.draw(st.integers(0, len(stream) - 1))] = draw.draw(st.integers(0, 255))
    verdicts = []
    for body in (lzf, fast_lzf):
        try:
            verdicts.append(body.decompress(bytes(stream), len(data)))
        except ValueError as error:
            verdicts.append(str(error).encode())
    assert verdicts[0] == verdicts[1]
