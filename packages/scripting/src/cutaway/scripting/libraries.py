"""The libraries that Redis adds to Lua: cjson, cmsgpack, struct, bit, and its own dice."""

from __future__ import annotations

from cutaway.commands import Engine
from cutaway.scripting.interpreter import Interpreter


def define(lua: Interpreter, engine: Engine) -> None:
    """Give scripts all of them."""
