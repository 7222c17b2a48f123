"""Work, counted in lines of Python that run: a measure that is the same on every machine, however busy it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class TooManyStepsError(BaseException):
    """`steps` has counted as far as it was told to."""


def steps(call: Callable[[], object], most: int = sys.maxsize) -> int:
    """How many lines of Python `call` runs, itself not included. It is stopped when there were more than `most`."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        if event == "line":
            count += 1
            if count > most:
                raise TooManyStepsError
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except TooManyStepsError:
        pass
    finally:
        sys.settrace(before)
    return count
