"""What a call costs, in a unit that does not depend on the machine.

That something is O(log n) is a claim about how a number grows, and seconds are a bad number to look at: they depend on the machine, on
who else uses it, and on chance. The lines of Python that a call runs do not. What C does in one step counts as one, however
long it is; so this finds a loop that somebody wrote in Python where none should be, and it does not find a `list.insert` at
the front of a long list.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_of(call: Callable[[], object]) -> int:
    """Count the lines of Python that a call runs, in all functions that it calls. It takes some ten times as long.

    The collector of garbage rests meanwhile: the lines that it would have run are not the call's.
    """
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    is_collecting = gc.isenabled()
    gc.disable()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
        if is_collecting:
            gc.enable()
    return count
