"""Lines are counted wherever they run, and the same each time."""

from __future__ import annotations

import gc
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


def test_what_a_collection_of_garbage_runs_is_not_counted() -> None:
    def collected(_phase: str, _facts: dict[str, int]) -> None:
        many.append(())

    many = [()] * 10_000  # and as many new lists: enough for several collections
    gc.callbacks.append(collected)
    try:
        assert lines_of(lambda: list(map(list, many))) == 1
        assert gc.isenabled()
    finally:
        gc.callbacks.remove(collected)


def test_who_traced_before_goes_on_whatever_happens() -> None:
    before = sys.gettrace()
    with pytest.raises(ZeroDivisionError):
        lines_of(lambda: 1 // 0)
    assert sys.gettrace() is before
