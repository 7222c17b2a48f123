"""EVAL, functions and the Lua sandbox. Start with `scripts` (what the commands do) and `lua/sandbox.lua` (what Lua may)."""

from cutaway.commands import Engine
from cutaway.scripting.room import ROOM, Scripting
from cutaway.scripting.scripts import scripting

__all__ = ["Scripting", "install", "scripting"]


def install(engine: Engine) -> None:
    """Give `engine` a place for its scripts."""
    engine.extras[ROOM] = Scripting(engine)
