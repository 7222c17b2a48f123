from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from cutaway.persistence import crc64 as crc64_of
from cutaway.persistence.crc64 import (
    _FOLDS,
    SPARSE_DISTANCE,
    SPARSE_EXPONENTS,
    _by_table,
    power_of_x,
)


def test_check_value_of_redis():
    assert crc64_of(b"123456789") == 0xE9C6D914C4B8D9CA


def test_the_sparse_relation_holds_and_all_its_squares():
    for distance, exponents in _FOLDS:
        assert reduce(lambda a, b: a ^ b, map(power_of_x, exponents)) == power_of_x(distance)
    assert len(SPARSE_EXPONENTS) == 8
    assert (SPARSE_DISTANCE, SPARSE_EXPONENTS) in _FOLDS


@given(st.binary(max_size=300), st.integers(0, 5000), st.integers(0, 2**64 - 1))
def test_folding_agrees_with_the_table(piece, repeat, start):
    data = (piece * repeat)[:20_000] + piece
    assert crc64_of(data, start) == _by_table(data, start)


@given(st.binary(max_size=2000), st.integers(0, 2000))
def test_a_checksum_may_be_computed_in_pieces(data, cut):
    assert crc64_of(data[cut:], crc64_of(data[:cut])) == crc64_of(data)


def test_lengths_around_the_chunk():
    for extra in (-9, -1, 0, 1, 7, 8, 129):
        data = bytes(range(251)) * 1050
        data = data[: (1 << 18) + extra]
        assert crc64_of(data) == _by_table(data, 0)
