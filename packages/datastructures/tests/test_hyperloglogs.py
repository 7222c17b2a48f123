"""HyperLogLogs: the very bytes and counts of a real server, and the error that theory promises."""

from __future__ import annotations

from math import sqrt
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.datastructures import hyperloglogs as hll

REGISTER_VALUES = st.lists(st.tuples(st.integers(0, hll.REGISTERS - 1), st.integers(1, 40)), max_size=60)


@given(REGISTER_VALUES, st.sampled_from([30, 60, 3000]))
@settings(max_examples=150, deadline=None)
def test_sparse_and_dense_hold_the_same_registers(changes: list[tuple[int, int]], limit: int) -> None:
    sparse, dense, model = hll.create(), hll.create(), bytearray(hll.REGISTERS)
    hll.to_dense(dense)
    for index, run in changes:
        raised = run > model[index]
        model[index] = max(model[index], run)
        assert hll.set_register(sparse, index, run, limit) == raised
        assert hll.set_register(dense, index, run) == raised
    assert hll.registers(sparse) == hll.registers(dense) == model
    assert len(sparse) <= limit or hll.encoding_of(sparse) == "dense"


@given(st.lists(st.integers(0, 300), max_size=80), st.integers(1, 3))
@settings(max_examples=100, deadline=None)
def test_crowded_sparse_registers_split_and_join(indexes: list[int], run: int) -> None:
    """Neighbours with equal values exercise the runs of VAL opcodes."""
    string, model = hll.create(), bytearray(hll.REGISTERS)
    for index in indexes:
        hll.set_register(string, index, run)
        model[index] = max(model[index], run)
        run = run % 3 + 1
    assert hll.registers(string) == model


@given(st.lists(st.binary(max_size=20), max_size=40), st.lists(st.binary(max_size=20), max_size=40))
@settings(max_examples=40, deadline=None)
def test_a_merge_counts_like_the_union(left: list[bytes], right: list[bytes]) -> None:
    one, two, both = hll.create(), hll.create(), hll.create()
    for element in left:
        hll.add(one, element)
        hll.add(both, element)
    for element in right:
        hll.add(two, element)
        hll.add(both, element)
    assert hll.union_cardinality([one, two]) == hll.cardinality(both)
    hll.merge(one, [two])
    assert hll.registers(one) == hll.registers(both)


def test_an_element_seen_again_changes_nothing() -> None:
    string = hll.create()
    assert hll.add(string, b"a")
    before = bytes(string)
    assert not hll.add(string, b"a")
    assert bytes(string) == before
    assert hll.cardinality(string) == 1


@pytest.mark.parametrize(
    "value", [b"", 12, b"HYLL", b"hyll\x01" + bytes(13), b"HYLL\x02" + bytes(13), b"HYLL\x00" + bytes(100)]
)
def test_a_string_of_another_kind_is_refused(value: object) -> None:
    with pytest.raises(hll.HyperLogLogError, match=r"^WRONGTYPE"):
        hll.validate(value)


def test_broken_opcodes_are_reported_and_never_misread() -> None:
    for body in (b"", b"\x00", b"\x7f\xff\x00", b"\x7f", b"\x80" * 3):
        string = bytearray(b"HYLL\x01" + bytes(10) + b"\x80" + body)
        with pytest.raises(hll.HyperLogLogError, match=r"^INVALIDOBJ"):
            hll.cardinality(string)
    with pytest.raises(hll.HyperLogLogError, match=r"^INVALIDOBJ"):
        hll.set_register(bytearray(b"HYLL\x01" + bytes(11) + b"\x00"), 5, 1)


def test_self_test_passes() -> None:
    assert hll.self_test(Random(1), cycles=1, elements=10_000) is None


def test_the_estimate_keeps_to_the_standard_error() -> None:
    """Over some sets the root mean square of the relative error is near 0.81 %; twice that is a defect."""
    rng = Random(7)
    errors = []
    for _ in range(8):
        string = hll.create()
        hll.to_dense(string)
        for _ in range(4000):
            hll.add(string, rng.randbytes(8))
        errors.append(hll.cardinality(string) / 4000 - 1)
    assert sqrt(sum(error * error for error in errors) / len(errors)) < 2 * hll.STANDARD_ERROR


@pytest.mark.parametrize("size", [0, 1, 10, 300, 1500, 6000])
def test_strings_and_counts_are_a_real_servers(server: Any, size: int) -> None:
    server.flushall()
    rng = Random(size)
    string = hll.create()
    hll.invalidate(string)
    elements = [rng.randbytes(rng.randrange(20)) for _ in range(size)]
    server.execute_command("PFADD", "k")
    for start in range(0, size, 500):
        server.execute_command("PFADD", "k", *elements[start : start + 500])
    for element in elements:
        hll.add(string, element)
    assert server.get("k") == bytes(string)
    assert server.execute_command("PFCOUNT", "k") == hll.cardinality(string)
    assert server.get("k") == bytes(string)
    if hll.encoding_of(string) == "sparse":
        assert server.execute_command("PFDEBUG", "DECODE", "k") == hll.decode(string)
    assert server.execute_command("PFDEBUG", "GETREG", "k") == list(hll.registers(string))


@pytest.mark.parametrize("sizes", [(5, 5), (300, 20), (900, 900), (20, 4000)])
def test_merges_are_a_real_servers(server: Any, sizes: tuple[int, int]) -> None:
    server.flushall()
    rng = Random(sum(sizes))
    strings = []
    for name, size in zip("ab", sizes, strict=True):
        string = hll.create()
        elements = [rng.randbytes(8) for _ in range(size)]
        server.execute_command("PFADD", name, *elements)
        for element in elements:
            hll.add(string, element)
        strings.append(string)
    assert server.execute_command("PFCOUNT", "a", "b") == hll.union_cardinality(strings)
    server.execute_command("PFMERGE", "a", "b")
    hll.merge(strings[0], strings[1:])
    assert server.get("a") == bytes(strings[0])
