"""EVAL, functions and the Lua sandbox. Start with `scripts` (what the commands do) and `lua/sandbox.lua` (what Lua may)."""

from cutaway.commands import Engine
from cutaway.scripting.functions import functions
from cutaway.scripting.room import ROOM, Scripting
from cutaway.scripting.scripts import scripting

__all__ = ["Scripting", "functions", "install", "scripting"]


def install(engine: Engine) -> None:
    """Give `engine` a place for its scripts and functions, and whoever saves and loads it their sources."""
    room = engine.extras[ROOM] = Scripting(engine)
    engine.extras["function_libraries"] = room.libraries.sources
    engine.extras["load_library"] = room.libraries.load
    engine.extras["flush_libraries"] = room.libraries.flush
    engine.info_sections["memory:scripting"] = room.info
