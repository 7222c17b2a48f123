"""What a module may answer: checked at the border, where its author is told, and not in the encoder, where nobody would be."""

from __future__ import annotations

from typing import Any, Final

from cutaway.resp import ReplyValue

_PLAIN: Final = (bytes, bytearray, str, int, float, type(None), ReplyValue, BaseException)


def check(answer: Any) -> None:
    """Raise TypeError if `answer`, or something in it, is no reply. O(size)."""
    if isinstance(answer, _PLAIN):
        return
    if isinstance(answer, dict):
        for key, value in answer.items():
            check(key)
            check(value)
    elif isinstance(answer, (list, tuple, set, frozenset)):
        for value in answer:
            check(value)
    else:
        raise TypeError(f"{type(answer).__name__} is not a reply")
