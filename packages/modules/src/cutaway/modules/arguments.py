"""From bytes to what a function asks for, and the other way round.

A parameter annotated `int`, `float` or `str`, or with an alternative of None, is converted, and an argument that cannot be is
answered with the error that Redis has for it. From the same signature comes the arity.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final

from cutaway.commands import arguments, errors

Argument = bytes | str | int | float
"""What a module may give where a command wants bytes."""
Converter = Callable[[bytes], Any]


def as_bytes(argument: Argument) -> bytes:
    """An argument as it is sent."""
    return argument if isinstance(argument, bytes) else str(argument).encode("utf-8", "surrogateescape")


def _text(argument: bytes) -> str:
    return argument.decode("utf-8", "surrogateescape")


def _same(argument: bytes) -> bytes:
    return argument


def _double(argument: bytes) -> float:
    return arguments.number(argument)


_CONVERTERS: Final[dict[str, Converter]] = {
    "int": arguments.integer, "float": _double, "str": _text, "bytes": _same,
}  # fmt: skip


def signature(function: Callable[..., Any], *, words: int) -> tuple[tuple[Converter, ...], int]:
    """The converters of a function's parameters, and the arity that follows from them. Raises ValueError.

    The first parameter is the context; `words` is how many the command's name has.
    """
    parameters = list(inspect.signature(function).parameters.values())[1:]
    converters = []
    for parameter in parameters:
        hint = parameter.annotation
        name = hint if isinstance(hint, str) else getattr(hint, "__name__", str(hint))
        kind = "bytes" if hint is parameter.empty else name.replace(" ", "").removesuffix("|None")
        if kind not in _CONVERTERS:
            raise ValueError(
                f"{function.__name__}: a parameter cannot be {name}; it can be {', '.join(_CONVERTERS)}"
            )
        converters.append(_CONVERTERS[kind])
    required = words + sum(
        parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
        for parameter in parameters
    )
    is_open = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)
    is_fixed = required == words + len(parameters)
    if not is_open and converters:
        converters.append(_too_many)
    return tuple(converters), required if is_fixed else -required


def _too_many(_argument: bytes) -> Any:
    raise errors.SYNTAX


def convert(converters: Sequence[Converter], words: Sequence[bytes]) -> list[Any]:
    """The arguments as their function wants them. Raises CommandError. O(words)."""
    last = len(converters) - 1
    return [converters[min(place, last)](word) for place, word in enumerate(words)]
