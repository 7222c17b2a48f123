"""`check`: run a suite over an implementation, and turn the first broken rule into a lesson.

    check("resp.parser", MyParser)

The same call serves the command line, where the part comes from the reader's file, and a notebook, where it is the class of the
cell above. The result is a `Verdict`, true if all rules hold, and draws itself in either place.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import traceback
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from cutaway.learn.exercises import Exercise, find
from cutaway.learn.lessons import (
    Endless,
    Lesson,
    Place,
    Scene,
    Wrong,
    explain,
    is_readers,
    nearby,
    show,
)
from cutaway.learn.reference import ask_real_servers, tell_real_servers
from cutaway.learn.verdicts import Verdict

if TYPE_CHECKING:
    from cutaway.learn.rules import Rule

OWN_TESTS: Final = "The tests in your own file pass"
OWN_WHY: Final = "These come first: they are the smallest steps, and you decide what is in them."


def check(
    exercise: str | Exercise,
    part: Any,
    *,
    ask: bool = True,
    tests: Iterable[Callable[[], object]] = (),
    effort: float = 1.0,
) -> Verdict:
    """Check `part` against the rules of an exercise; `tests` are the reader's own, and run first.

    With `ask`, a real server is asked what it answers to the input that went wrong, if one is installed. `effort` scales the number
    of examples.
    Raises NoSuchExerciseError. Takes some seconds.
    """
    wanted = exercise if isinstance(exercise, Exercise) else find(exercise)
    verdict = Verdict(wanted.name, _subject(part))
    rules = wanted.suite.rules
    own = list(tests)
    if own:
        lesson = _run_own(own)
        if lesson is not None:
            return _broken(verdict, OWN_TESTS, OWN_WHY, lesson, len(rules))
        verdict.passed.append(OWN_TESTS)
    for number, rule in enumerate(rules):
        lesson = _run(rule, part, effort)
        if lesson is not None:
            if ask:
                _ask(lesson)
            return _broken(verdict, rule.title, rule.why, lesson, len(rules) - number - 1)
        verdict.passed.append(rule.title)
    return verdict


def _ask(lesson: Lesson) -> None:
    """Add what real servers say to it, if the reader's part has answered anything that could be compared."""
    if lesson.place is not None and "not written yet" in lesson.remark:
        return
    if lesson.ask:
        lesson.answers = ask_real_servers(lesson.ask, lesson.ask_shows)
    elif lesson.story:
        lesson.answers = tell_real_servers(lesson.story)


def _broken(verdict: Verdict, title: str, why: str, lesson: Lesson, waiting: int) -> Verdict:
    verdict.broken, verdict.why, verdict.lesson, verdict.waiting = title, why, lesson, waiting
    return verdict


def _run(rule: Rule, part: Any, effort: float) -> Lesson | None:
    try:
        rule.run(part, effort)
    except (Wrong, Endless) as error:
        return error.lesson
    except Exception as error:  # noqa: BLE001 - whatever it is, the reader wants a lesson and no traceback
        return _surprise(error)
    return None


def _surprise(error: BaseException) -> Lesson:
    """The lesson of an exception that no scene has caught: Hypothesis found the part to answer now this, now that, say."""
    name = type(error).__name__
    if name.startswith("Flaky"):
        return Lesson(
            remark="The same input gave two different results. Does something outside the instance remember what was "
            "fed to the one before, a class attribute or a default argument such as `[]`?"
        )
    return Lesson(remark=explain(error) if isinstance(error, Exception) else f"{name}: {error}")


def _subject(part: Any) -> str:
    """Where the reader's part is: its name and its file."""
    name = getattr(part, "__name__", type(part).__name__)
    try:
        source = inspect.getsourcefile(part) or ""
    except (TypeError, OSError):
        source = ""
    return f"{name} in {nearby(source)}" if source and not source.startswith("<") else name


# ---- the reader's own tests


def _run_own(tests: Iterable[Callable[[], object]]) -> Lesson | None:
    for test in tests:
        lesson = run_test(test)
        if lesson is not None:
            lesson.told.insert(0, ("test", f"{getattr(test, '__name__', test)}()"))
            return lesson
    return None


def run_test(test: Callable[[], object]) -> Lesson | None:
    """Run a test of the reader's; None if it passes, else the lesson."""
    try:
        with Scene():
            test()
    except Wrong as error:
        frame = _frame_of(error.__context__)
        if isinstance(error.__context__, AssertionError) and frame is not None:
            _explain_assertion(error.lesson, frame)
        return error.lesson
    except Endless as error:
        return error.lesson
    return None


def _frame_of(error: BaseException | None) -> FrameType | None:
    """The innermost frame of the reader's in which `error` was raised."""
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__ if error is not None else None):
        if is_readers(frame.f_code.co_filename):
            found = frame
    return found


def _explain_assertion(lesson: Lesson, frame: FrameType) -> None:
    """Show both sides of `assert got == [...]`, where they are plain: names and literals, nothing that runs again."""
    error_line = lesson.place.line if lesson.place is not None else frame.f_lineno
    file = frame.f_code.co_filename
    lesson.remark = "An assertion of your own test does not hold."
    lesson.place = lesson.place or Place(file, error_line, linecache.getline(file, error_line).strip())
    statement = _assertion_at("".join(linecache.getlines(file)), error_line)
    if not isinstance(statement, ast.Compare) or not isinstance(statement.ops[0], ast.Eq):
        return
    sides = [_value_of(side, frame) for side in (statement.left, statement.comparators[0])]
    if all(side is not None for side in sides):
        lesson.got, lesson.expected = sides


def _assertion_at(source: str, line: int) -> ast.expr | None:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and node.lineno <= line <= (node.end_lineno or line):
            return node.test
    return None


def _value_of(side: ast.expr, frame: FrameType) -> str | None:
    if isinstance(side, ast.Name):
        scope = {**frame.f_globals, **frame.f_locals}
        return show(scope[side.id]) if side.id in scope else None
    try:
        return show(ast.literal_eval(side))
    except ValueError:
        return None
