"""Lines are counted wherever they run, and the same each time."""

from __future__ import annotations

import sys

import pytest

from cutaway.testing import lines_of


def three() -> int:
    one = 1
    two = one + one
    return one + two


def test_lines_are_those_that_run_in_all_functions_that_are_called() -> None:
    assert lines_of(three) == 3
    assert lines_of(lambda: three() + three()) == 7
    assert lines_of(three) == 3


def test_what_c_does_is_one_step() -> None:
    values = list(range(1000))
    assert lines_of(lambda: sum(values)) == 1


def test_who_traced_before_goes_on_whatever_happens() -> None:
    before = sys.gettrace()
    with pytest.raises(ZeroDivisionError):
        lines_of(lambda: 1 // 0)
    assert sys.gettrace() is before
