"""What scripts find in `redis`, also called `server`: the functions by which they reach the engine.

Each is a method here and a C function there. It gets Lua's values, returns values that may cross (`conversions`), and raises
what `Interpreter.raise_table` or `raise_text` gives it: the first is how `redis.*` fails, the second how a library does.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from cutaway.commands import Client, CommandError, Engine
from cutaway.commands.connections import REDIS_VERSION
from cutaway.scripting import errors
from cutaway.scripting.conversions import LuaValue, as_argument
from cutaway.scripting.interpreter import Interpreter, ScriptError
from cutaway.scripting.lua_arguments import as_number
from cutaway.scripting.runs import Refused, Run

log: Final = logging.getLogger("cutaway.scripting")

LEVELS: Final = {0: logging.DEBUG, 1: logging.DEBUG + 5, 2: logging.INFO, 3: logging.WARNING}
LEVEL_NAMES: Final = ("DEBUG", "VERBOSE", "NOTICE", "WARNING")
REPLICATION: Final = {"REPL_NONE": 0, "REPL_AOF": 1, "REPL_SLAVE": 2, "REPL_REPLICA": 2, "REPL_ALL": 3}


def version_number(version: bytes) -> int:
    """A version as REDIS_VERSION_NUM has it: two hexadecimal digits for each part."""
    major, minor, patch = map(int, version.split(b"."))
    return major << 16 | minor << 8 | patch


class Api:
    """The functions of `redis` for one interpreter. `run` is the script that runs, None while none does."""

    __slots__ = ("_engine", "_lua", "run")

    def __init__(self, engine: Engine, lua: Interpreter) -> None:
        self._engine: Final = engine
        self._lua: Final = lua
        self.run: Run | None = None
        functions: dict[str, Callable[..., LuaValue]] = {
            "call": self.command, "pcall": self.protected_command, "log": self.log, "setresp": self.setresp, "sha1hex": self.sha1hex,
            "error_reply": self.error_reply, "status_reply": self.status_reply, "set_repl": self.set_repl,
            "acl_check_cmd": self.acl_check_cmd,
        }  # fmt: skip
        for name, function in functions.items():
            lua.define("redis", name, function)
        for name, constant in REPLICATION.items():
            lua.define_value("redis", name, constant)
        define_log_levels(lua)

    # ---- commands

    def command(self, *words: LuaValue) -> LuaValue:
        """`redis.call(name, ...)`: run a command; an error of its ends the script, unless it is caught."""
        return self._command(words, self._raise)

    def protected_command(self, *words: LuaValue) -> LuaValue:
        """`redis.pcall(name, ...)`: as `redis.call`, with an error as a result."""
        return self._command(words, self._return)

    def _command(self, words: Sequence[LuaValue], fail: Callable[[str, bool], LuaValue]) -> LuaValue:
        for word in words:
            if type(word) is not bytes:
                arguments = [as_argument(word) for word in words]
                if None in arguments:
                    return fail(errors.BAD_ARGUMENTS, False)
                words = arguments
                break
        if not words:
            return fail(errors.NO_ARGUMENTS, False)
        run = self.run
        if run is None:
            return fail("redis.call can only be called inside a script invocation", False)
        try:
            reply = run.command(words)
        except Refused as refused:
            return fail(refused.text, True)
        if type(reply) is bytes:
            return reply if self._lua.has_room(len(reply)) else fail(errors.OUT_OF_LUA_MEMORY, False)
        if isinstance(reply, CommandError):
            return fail("-" + reply.message, True)
        if not self._lua.has_room(0):
            return fail(errors.OUT_OF_LUA_MEMORY, False)
        return self._lua.to_lua.convert(reply, run.protocol)

    def _raise(self, text: str, was_counted: bool) -> LuaValue:  # noqa: FBT001
        raise self._lua.raise_table(error_text(text), was_counted=was_counted)

    def _return(self, text: str, was_counted: bool) -> LuaValue:  # noqa: FBT001
        return self._lua.to_lua.error(
            error_text(text).encode("utf-8", "surrogateescape"), was_counted=was_counted
        )

    # ---- the rest

    def log(self, *words: LuaValue) -> None:
        """`redis.log(level, text, ...)`."""
        write_log(self._lua, words)

    def sha1hex(self, *words: LuaValue) -> LuaValue:
        """`redis.sha1hex(text)`."""
        if len(words) != 1:
            raise self._lua.raise_table("ERR wrong number of arguments")
        return hashlib.sha1(as_text(words[0]), usedforsecurity=False).hexdigest().encode()

    def error_reply(self, *words: LuaValue) -> LuaValue:
        """`redis.error_reply(text)`: a table that is an error reply when the script returns it."""
        if len(words) != 1 or type(words[0]) is not bytes:
            text = "wrong number or type of arguments"
        else:
            text = "-" + words[0].partition(b"\0")[0].removeprefix(b"-").decode("utf-8", "surrogateescape")
        return self._lua.to_lua.single(b"err", error_text(text).encode("utf-8", "surrogateescape"))

    def status_reply(self, *words: LuaValue) -> LuaValue:
        """`redis.status_reply(text)`: a table that is a status reply when the script returns it."""
        if len(words) != 1 or type(words[0]) is not bytes:
            return self._lua.to_lua.single(b"err", b"ERR wrong number or type of arguments")
        return self._lua.to_lua.single(b"ok", words[0])

    def setresp(self, *words: LuaValue) -> None:
        """`redis.setresp(2 or 3)`: the protocol whose shapes replies have in this script."""
        if len(words) != 1:
            raise self._lua.raise_table("ERR redis.setresp() requires one argument.")
        version = as_int(words[0])
        if version not in (2, 3):
            raise self._lua.raise_table("ERR RESP version must be 2 or 3.")
        if self.run is not None:
            self.run.choose_protocol(version)

    def set_repl(self, *words: LuaValue) -> None:
        """`redis.set_repl(flags)`: whether writes go to the append-only file and to replicas."""
        if len(words) != 1:
            raise self._lua.raise_table("ERR redis.set_repl() requires one argument.")
        flags = as_int(words[0])
        if flags & ~3:
            raise self._lua.raise_table(
                "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE."
            )
        if self.run is not None:
            self.run.propagates = flags != 0

    def acl_check_cmd(self, *words: LuaValue) -> LuaValue:
        """`redis.acl_check_cmd(name, ...)`: whether the script's caller may run that command."""
        if not words:
            raise self._lua.raise_table(f"ERR {errors.NO_ARGUMENTS}")
        argv = [as_argument(word) for word in words]
        if None in argv:
            raise self._lua.raise_table(f"ERR {errors.BAD_ARGUMENTS}")
        command = self._engine.lookup(argv)  # type: ignore[arg-type] # there is no None in it
        if isinstance(command, CommandError):
            raise self._lua.raise_table("ERR Invalid command passed to redis.acl_check_cmd()")
        check: Callable[[Client, Any, Sequence[bytes]], bool] | None = self._engine.extras.get("acl_check")
        if check is None or self.run is None:
            return True
        return check(self.run.caller, command, argv)  # type: ignore[arg-type]


def define_script_functions(lua: Interpreter) -> None:
    """What EVAL scripts have besides: remains of the debugger and of an older way to replicate."""
    lua.define("redis", "breakpoint", lambda *_: False)
    lua.define("redis", "debug", lambda *_: ())
    lua.define("redis", "replicate_commands", lambda *_: True)


def define_log_levels(lua: Interpreter, library: str = "redis") -> None:
    """The constants that go with `redis.log`, and the version that scripts may ask for."""
    for number, name in enumerate(LEVEL_NAMES):
        lua.define_value(library, f"LOG_{name}", number)
    lua.define_value(library, "REDIS_VERSION", REDIS_VERSION)
    lua.define_value(library, "REDIS_VERSION_NUM", version_number(REDIS_VERSION))


def write_log(lua: Interpreter, words: Sequence[LuaValue]) -> None:
    """Write a script's line to the server's log."""
    if len(words) < 2:
        raise lua.raise_table("ERR redis.log() requires two arguments or more.")
    number = as_number(words[0])
    if number is None:
        raise lua.raise_table("ERR First argument must be a number (log level).")
    level = LEVELS.get(int(number))
    if level is None:
        raise lua.raise_table("ERR Invalid debug level.")
    texts = [as_argument(word) for word in words[1:]]
    log.log(level, "%s", b" ".join(text for text in texts if text is not None).decode("utf-8", "replace"))


def error_text(text: str) -> str:
    """An error's text with its code: "-CODE text" has one, any other text gets ERR."""
    if not text.startswith("-"):
        return "ERR " + text.strip("\r\n")
    code, space, rest = text[1:].partition(" ")
    return f"{code} {rest.strip(chr(13) + chr(10))}" if space else f"ERR {code}"


def as_int(value: LuaValue) -> int:
    """As C casts a double to int; 0 for what is no number."""
    number = as_number(value)
    return 0 if number is None or math.isnan(number) or abs(number) > 2**31 else int(number)


def as_text(value: LuaValue) -> bytes:
    """A string or a number as Lua's `tostring` has it; anything else is an empty text."""
    if type(value) is bytes:
        return value
    return b"%.14g" % value if type(value) in (int, float) else b""


__all__ = ["Api", "ScriptError", "define_script_functions", "error_text"]
