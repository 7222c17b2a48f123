"""Waiting for what another process does, and ending what was begun.

A test that sleeps for as long as something usually takes fails on the day when the machine is busy, and wastes the time on all
others. So it asks, again and again, whether the thing has happened, up to a bound that only a failure reaches: no test says
how long something may take.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TypeVar

Value = TypeVar("Value")

PATIENCE: Final = 60.0
_PAUSE: Final = 0.02


def until(condition: Callable[[], Value], seconds: float = PATIENCE) -> Value:
    """Ask until the answer is true, and return it. Raises AssertionError when it is not, after so many seconds."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(
                f"it did not happen within {seconds:g} seconds: the last answer was {answer!r}"
            )
        time.sleep(_PAUSE)
    return answer


class Closing(ABC):
    """What is closed at the end of a `with` block."""

    @abstractmethod
    def close(self) -> None:
        """End it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
