"""Every exercise can be solved, is not solved yet when it begins, and its contract is one that the house keeps itself."""

from __future__ import annotations

import importlib
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from cutaway.config.glob import matches
from cutaway.datastructures import AVLTree, Dict, EvictionPool, SkipList, SortedContainersIndex
from cutaway.learn import EXERCISES, Exercise, Verdict, check
from cutaway.learn.desk import own_tests
from cutaway.resp import Encoder, RequestParser
from cutaway.resp.fast_parser import AVAILABLE, HiredisRequestParser
from cutaway.transactions import Watches

each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)

HOUSE = [
    ("resp.parser", RequestParser),
    *([("resp.parser", HiredisRequestParser)] if AVAILABLE else []),
    ("resp.encoder", Encoder),
    ("datastructures.dict", Dict),
    ("datastructures.skiplist", SkipList),
    ("datastructures.skiplist", AVLTree),
    ("datastructures.skiplist", SortedContainersIndex),
    ("datastructures.lru", EvictionPool),
    ("pubsub.matching", matches),
    ("transactions.watch", Watches),
]


def module_of(exercise: Exercise, folder: str) -> Any:
    return importlib.import_module(f"cutaway.learn.{folder}.{exercise.module}")


def printed(verdict: Verdict, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(verdict)
    return console.file.getvalue()  # type: ignore[attr-defined] # it is the StringIO from above


@each_exercise
def test_the_solution_keeps_every_rule(exercise: Exercise) -> None:
    module = module_of(exercise, "solutions")
    own = own_tests(module_of(exercise, "skeletons"))
    assert own, "a skeleton has a test to begin with"
    verdict = check(exercise, getattr(module, exercise.attribute), ask=False, effort=0.3)
    assert verdict, printed(verdict)
    assert len(verdict.passed) == len(exercise.suite.rules) >= 5


@each_exercise
def test_the_skeleton_fails_with_a_lesson_and_no_traceback(exercise: Exercise) -> None:
    module = module_of(exercise, "skeletons")
    verdict = check(exercise, getattr(module, exercise.attribute), ask=False)
    assert not verdict
    assert verdict.broken == exercise.suite.rules[0].title
    assert verdict.why
    assert "Traceback" not in printed(verdict)
    assert verdict.lesson is not None
    assert verdict.lesson.place is not None, "the lesson says where to begin"
    assert verdict.lesson.place.file.endswith(f"{exercise.module}.py")


@each_exercise
def test_the_test_in_the_skeleton_fails_before_and_passes_after(exercise: Exercise) -> None:
    skeleton, solution = module_of(exercise, "skeletons"), module_of(exercise, "solutions")
    (test,) = own_tests(skeleton)
    with pytest.raises((NotImplementedError, TypeError)):
        test()
    scope = {**vars(skeleton), exercise.attribute: getattr(solution, exercise.attribute)}
    exec(test.__code__, scope)  # type: ignore[attr-defined] # a function


@each_exercise
def test_the_file_of_an_exercise_says_what_to_type(exercise: Exercise) -> None:
    assert f"check {exercise.name}" in exercise.skeleton
    assert (
        f"class {exercise.attribute}" in exercise.skeleton or f"def {exercise.attribute}" in exercise.skeleton
    )
    assert len(exercise.hints) >= 3
    assert all(exercise.hints)


@pytest.mark.parametrize(("name", "part"), HOUSE, ids=lambda value: getattr(value, "__name__", value))
def test_the_part_that_the_server_uses_keeps_the_contract_of_the_exercise(name: str, part: Any) -> None:
    verdict = check(name, part, ask=False, effort=0.25)
    assert verdict, printed(verdict)
