"""The intset against a plain set, against hostile bytes, and its widths."""

from __future__ import annotations

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cutaway.datastructures import IntSet

BOUNDS = [0, 1 << 15, 1 << 31, 1 << 63]
VALUES = [v for b in BOUNDS for v in (b, b - 1, -b, -b - 1, -b + 1) if -(1 << 63) <= v < 1 << 63]
values = st.one_of(st.sampled_from(VALUES), st.integers(-20, 20), st.integers(-(1 << 63), (1 << 63) - 1))


class IntSetMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.intset = IntSet()
        self.model: set[int] = set()
        self.width = 2

    @rule(value=values)
    def add(self, value: int) -> None:
        assert self.intset.add(value) == (value not in self.model)
        self.model.add(value)
        bits = max(value, ~value).bit_length() + 1
        self.width = max(self.width, 2 if bits <= 16 else 4 if bits <= 32 else 8)

    @rule(value=values)
    def discard(self, value: int) -> None:
        assert self.intset.discard(value) == (value in self.model)
        self.model.discard(value)

    @invariant()
    def holds_the_same(self) -> None:
        self.intset.check()
        assert list(self.intset) == sorted(self.model)
        assert self.intset.width == self.width, "widened by the widest member ever, never narrowed"
        assert all(value in self.intset for value in self.model)
        assert self.intset.nbytes == len(bytes(self.intset))
        assert IntSet.from_bytes(bytes(self.intset)) == self.intset == self.intset.copy()


IntSetMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestIntSetMachine = IntSetMachine.TestCase


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1])
def test_what_does_not_fit_in_64_bits_is_refused_and_not_contained(value: int) -> None:
    intset = IntSet([1, 2])
    with pytest.raises(OverflowError):
        intset.add(value)
    assert value not in intset
    assert not intset.discard(value)
    assert list(intset) == [1, 2]


def test_a_random_member_can_be_any_member() -> None:
    intset = IntSet(range(5))
    rng = random.Random(1)
    assert {intset.random(rng) for _ in range(200)} == set(range(5))
    with pytest.raises(IndexError):
        IntSet().random(rng)


@pytest.mark.parametrize("wire", [bytes(IntSet(of)) for of in ([1, 2, 300], [-5, 70000], [1 << 40, 7])])
def test_changed_or_truncated_bytes_are_refused_or_sound(wire: bytes) -> None:
    for size in range(len(wire)):
        with pytest.raises(ValueError, match="offset"):
            IntSet.from_bytes(wire[:size])
    for at in range(len(wire)):
        for value in range(256):
            changed = wire[:at] + bytes((value,)) + wire[at + 1 :]
            try:
                intset = IntSet.from_bytes(changed)
            except ValueError:
                continue
            intset.check()
            assert bytes(intset) == changed
