from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.persistence import fast_crc64
from cutaway.persistence.crc64 import (
    _FOLDS,
    SPARSE_DISTANCE,
    SPARSE_EXPONENTS,
    _by_table,
    crc64,
    power_of_x,
)

needs_library = pytest.mark.skipif(not fast_crc64.AVAILABLE, reason="anycrc is not installed")
both = pytest.mark.parametrize("crc64_of", [crc64, pytest.param(fast_crc64.crc64, marks=needs_library)])


@both
def test_check_value_of_redis(crc64_of):
    assert crc64_of(b"123456789") == 0xE9C6D914C4B8D9CA


def test_the_sparse_relation_holds_and_all_its_squares():
    for distance, exponents in _FOLDS:
        assert reduce(lambda a, b: a ^ b, map(power_of_x, exponents)) == power_of_x(distance)
    assert len(SPARSE_EXPONENTS) == 8
    assert (SPARSE_DISTANCE, SPARSE_EXPONENTS) in _FOLDS


@both
@given(st.binary(max_size=300), st.integers(0, 5000), st.integers(0, 2**64 - 1))
def test_folding_agrees_with_the_table(crc64_of, piece, repeat, start):
    data = (piece * repeat)[:20_000] + piece
    assert crc64_of(data, start) == _by_table(data, start)


@both
@given(st.binary(max_size=2000), st.integers(0, 2000))
def test_a_checksum_may_be_computed_in_pieces(crc64_of, data, cut):
    assert crc64_of(data[cut:], crc64_of(data[:cut])) == crc64_of(data)


@both
def test_lengths_around_the_chunk(crc64_of):
    for extra in (-9, -1, 0, 1, 7, 8, 129):
        data = bytes(range(251)) * 1050
        data = data[: (1 << 18) + extra]
        assert crc64_of(data) == _by_table(data, 0)


@both
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_run_of_bytes_has_a_checksum(crc64_of, kind):
    assert crc64_of(kind(b"123456789")) == 0xE9C6D914C4B8D9CA
    assert crc64_of(kind(b""), 7) == 7
