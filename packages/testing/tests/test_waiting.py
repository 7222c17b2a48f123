"""Waiting ends when the thing has happened, or says that it did not."""

from __future__ import annotations

import pytest

from cutaway.testing import Closing, until


def test_the_first_true_answer_is_returned() -> None:
    answers = iter([0, "", None, "yes", "later"])
    assert until(lambda: next(answers)) == "yes"
    assert next(answers) == "later"


def test_what_does_not_happen_is_told_with_the_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"within 0 seconds.*\[\]"):
        until(list, seconds=0)


def test_an_error_of_the_condition_is_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        until(lambda: 1 // 0)


def test_a_block_closes_what_it_opened_whatever_happens() -> None:
    class Door(Closing):
        is_open = True

        def close(self) -> None:
            self.is_open = False

    def look_and_fail(door: Door) -> None:
        with door as same:
            assert same is door
            assert door.is_open
            raise KeyError

    door = Door()
    with pytest.raises(KeyError):
        look_and_fail(door)
    assert not door.is_open
