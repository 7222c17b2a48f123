"""Exercises that check themselves: write a layer of the server, and run the server on it.

    python -m cutaway.learn list
    python -m cutaway.learn start resp.parser

In a notebook the last line of a cell does the same for a class of the cell above:

    from cutaway.learn import check
    check("resp.parser", MyParser)
"""

from cutaway.learn.checking import check
from cutaway.learn.exercises import EXERCISES, Exercise, NoSuchExerciseError
from cutaway.learn.lessons import Lesson, Marked, Wrong
from cutaway.learn.verdicts import Verdict

__all__ = [
    "EXERCISES",
    "Exercise",
    "Lesson",
    "Marked",
    "NoSuchExerciseError",
    "Verdict",
    "Wrong",
    "check",
]
