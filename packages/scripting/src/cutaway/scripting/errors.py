"""Error texts of scripts and functions, as Redis 7.2 writes them."""

from __future__ import annotations

from typing import Final

from cutaway.commands import CommandError

NO_SCRIPT: Final = CommandError("NOSCRIPT No matching script. Please use EVAL.")
NOT_BUSY: Final = CommandError("NOTBUSY No scripts in execution right now.")
BUSY_SCRIPT: Final = CommandError(
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
)
BUSY_FUNCTION: Final = CommandError(
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
)
UNKILLABLE: Final = CommandError(
    "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script "
    "termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
)
TOO_MANY_KEYS: Final = CommandError("ERR Number of keys can't be greater than number of args")
NEGATIVE_KEYS: Final = CommandError("ERR Number of keys can't be negative")
BAD_KEY_COUNT: Final = CommandError("ERR Bad number of keys provided")
WRITE_FLAG_IN_RO: Final = CommandError("ERR Can not execute a script with write flag using *_ro command.")
NO_LUA: Final = CommandError("ERR Lua is not available: install the Python package lupa to run scripts")
OUT_OF_MEMORY: Final = CommandError(
    "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
)

# What a script is told of a command that it may not call, without a code: Lua's side adds "ERR".
NO_ARGUMENTS: Final = "Please specify at least one argument for this redis lib call"
BAD_ARGUMENTS: Final = "Lua redis lib command arguments must be strings or integers"
UNKNOWN_COMMAND: Final = "Unknown Redis command called from script"
WRONG_ARITY: Final = "Wrong number of args calling Redis command from script"
NOT_FROM_SCRIPT: Final = "This Redis command is not allowed from script"
READ_ONLY_SCRIPT: Final = "Write commands are not allowed from read-only scripts."
KILLED: Final = "ERR Script killed by user with SCRIPT KILL..."
OUT_OF_LUA_MEMORY: Final = "not enough memory"
NO_FUNCTION: Final = CommandError("ERR Function not found")
NO_LIBRARY: Final = CommandError("ERR Library not found")
NO_CODEC: Final = CommandError("ERR this server was composed without a codec for FUNCTION DUMP payloads")


def wrong_function_subcommand(word: bytes) -> CommandError:
    """A subcommand of FUNCTION was given more words than it takes; `word` is its name as it was sent."""
    name = word.decode("utf-8", "surrogateescape")
    return CommandError(
        f"ERR unknown subcommand or wrong number of arguments for '{name}'. Try FUNCTION HELP."
    )
