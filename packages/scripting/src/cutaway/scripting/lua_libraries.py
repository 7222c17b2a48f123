"""The libraries that Redis adds to Lua: cjson, cmsgpack, struct, bit, and its own dice."""

from __future__ import annotations

from cutaway.scripting.interpreter import Interpreter


def define(lua: Interpreter) -> None:
    """Give scripts all of them."""
