"""Measuring a call: with a clock that tells the truth, and with one that seldom moves."""

from __future__ import annotations

import pytest

from cutaway.viz import nanoseconds


@pytest.mark.parametrize("step", [1e-9, 1e-3])
def test_a_call_takes_as_long_however_coarse_the_clock_is(step):
    calls = 0

    def call() -> None:
        nonlocal calls
        calls += 1

    def clock() -> float:
        return calls * 2e-6 // step * step  # two microseconds a call

    assert nanoseconds(call, 0.05, clock) == pytest.approx(2000, rel=0.3)
