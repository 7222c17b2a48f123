"""Running a reader's test on both versions of an exhibit, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cutaway.learn.checking import run_test
from cutaway.learn.lessons import Lesson
from cutaway.learn.museum.exhibits import Exhibit
from cutaway.learn.verdicts import Verdict

HEALTHY = "Your test passes on the healthy version"
SICK = "Your test fails on the sick version"
HEALTHY_WHY = "A test that complains about what is right finds a bug everywhere."
SICK_WHY = "The bug is still hiding: the sick version does all that your test asks. Read the report again. What was different on that day?"


def visit(exhibit: Exhibit, test: Callable[[Any], object], subject: str = "") -> Verdict:
    """Run `test` on the healthy and on the sick version. The verdict is true if it passes on the first and fails on the second."""
    verdict = Verdict(exhibit.name, subject or getattr(test, "__name__", "test"))
    complaint = run_test(lambda: test(exhibit.healthy))
    if complaint is not None:
        verdict.broken, verdict.why, verdict.lesson, verdict.waiting = HEALTHY, HEALTHY_WHY, complaint, 1
        return verdict
    verdict.passed.append(HEALTHY)
    symptom = run_test(lambda: test(exhibit.sick))
    if symptom is None:
        verdict.broken, verdict.why, verdict.lesson = SICK, SICK_WHY, Lesson()
        return verdict
    verdict.passed.append(SICK)
    return verdict
