"""Every bug of the museum can be found, and is not found by the test that the reader begins with."""

from __future__ import annotations

import pytest

from cutaway.learn.museum import EXHIBITS, Exhibit
from cutaway.learn.museum.visits import HEALTHY, SICK, visit

each_exhibit = pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)


def first_test(exhibit: Exhibit):
    scope: dict[str, object] = {}
    exec(exhibit.skeleton, scope)
    return scope["test"]


def test_there_are_eight_bugs_at_least_and_no_two_of_one_name() -> None:
    assert len(EXHIBITS) >= 8
    assert len({exhibit.name for exhibit in EXHIBITS}) == len(EXHIBITS)


@each_exhibit
def test_the_hidden_test_passes_on_the_healthy_part_and_fails_on_the_sick_one(exhibit: Exhibit) -> None:
    exhibit.hidden(exhibit.healthy)
    verdict = visit(exhibit, exhibit.hidden)
    assert verdict
    assert verdict.passed == [HEALTHY, SICK]


@each_exhibit
def test_the_first_test_passes_on_both_and_so_has_found_nothing(exhibit: Exhibit) -> None:
    verdict = visit(exhibit, first_test(exhibit))
    assert verdict.passed == [HEALTHY]
    assert verdict.broken == SICK


def test_a_test_that_fails_on_the_healthy_part_finds_nothing() -> None:
    def complains(part: object) -> None:
        assert part is None

    verdict = visit(EXHIBITS[0], complains)
    assert verdict.broken == HEALTHY
    assert verdict.lesson is not None
    assert verdict.lesson.place is not None


@each_exhibit
def test_the_sick_part_is_shown_when_it_has_been_found(exhibit: Exhibit) -> None:
    assert "class " in exhibit.source or "def " in exhibit.source
    assert "hidden" not in exhibit.source
    assert len(exhibit.source.splitlines()) < 25, "a planted bug is small"


def test_a_bug_is_not_told_by_the_name_of_the_error() -> None:
    """A report speaks of what users saw, not of where the bug is."""
    assert not any(exhibit.diagnosis in exhibit.skeleton for exhibit in EXHIBITS)
