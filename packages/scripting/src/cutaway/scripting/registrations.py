"""`redis.register_function(name, callback)`, and `redis.register_function{function_name=, callback=, description=, flags=}`.

The second form is the only one that can say what the function promises (`flags`). Both are read here, from Lua's values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from cutaway.scripting.conversions import LuaValue, as_argument
from cutaway.scripting.lua_arguments import type_name
from cutaway.scripting.shebangs import FLAGS

NAME_RULE: Final = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"


class Registration(NamedTuple):
    """What a library says of a function."""

    name: str
    callback: Any
    description: bytes | None
    flags: frozenset[str]


def read_registration(words: Sequence[LuaValue]) -> Registration:
    """The registration that these arguments ask for. Raises ValueError."""
    if len(words) == 1:
        return _named(words[0])
    if len(words) != 2:
        raise ValueError("wrong number of arguments to redis.register_function")
    name = _string(words[0], "first argument to")
    if type_name(words[1]) != "function":
        raise ValueError("second argument to redis.register_function must be a function")
    return Registration(name.decode("utf-8", "surrogateescape"), words[1], None, frozenset())


def _named(table: LuaValue) -> Registration:
    if type_name(table) != "table":
        raise ValueError(
            "calling redis.register_function with a single argument is only applicable to Lua table "
            "(representing named arguments)."
        )
    name = callback = description = None
    flags: frozenset[str] = frozenset()
    for key, value in table.items():
        match _word(key):
            case "function_name":
                name = _string(value, "function_name argument given to")
            case "description":
                description = _string(value, "description argument given to")
            case "callback":
                if type_name(value) != "function":
                    raise ValueError("callback argument given to redis.register_function must be a function")
                callback = value
            case "flags":
                flags = _flags(value)
            case _:
                raise ValueError("unknown argument given to redis.register_function")
    if name is None:
        raise ValueError("redis.register_function must get a function name argument")
    if callback is None:
        raise ValueError("redis.register_function must get a callback argument")
    return Registration(name.decode("utf-8", "surrogateescape"), callback, description, flags)


def _word(key: LuaValue) -> str:
    if type(key) in (int, float):
        return str(key)
    if type(key) is not bytes:
        raise ValueError("named argument key given to redis.register_function is not a string")
    return key.decode("utf-8", "surrogateescape").lower()


def _string(value: LuaValue, what: str) -> bytes:
    text = as_argument(value)  # a number will do: Lua converts it
    if text is None:
        raise ValueError(f"{what} redis.register_function must be a string")
    return text


def _flags(table: LuaValue) -> frozenset[str]:
    if type_name(table) != "table":
        raise ValueError(
            "flags argument to redis.register_function must be a table representing function flags"
        )
    flags: set[str] = set()
    position = 1
    while (value := table[position]) is not None:
        flag = value.decode("utf-8", "surrogateescape").lower() if type(value) is bytes else ""
        if flag not in FLAGS:
            raise ValueError("unknown flag given")
        flags.add(flag)
        position += 1
    return frozenset(flags)
