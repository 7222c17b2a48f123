"""One Lua interpreter with its sandbox closed: text in, functions out, results as replies.

Everything that touches lupa is here. Lua's side of the sandbox is `lua/sandbox.lua`, which says how it works. On Python's
side four rules keep the two worlds apart:

* no builtins, no eval, and an attribute filter that refuses every attribute of every object: should an object get
  through in spite of the other rules, it would be a stone;
* a callable that is given to Lua becomes a C function there, with no way back to the object;
* what a callable returns is bytes, a number, a boolean, None, or a value of Lua's own (`conversions`);
* what a callable raises is `ScriptError`; the sandbox asks what was meant and shows the script a string or a table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.resources import files
from typing import Any, Final

from cutaway.commands import CommandError
from cutaway.scripting import errors
from cutaway.scripting.conversions import CHUNK, LuaValue, ToLua

MEMORY_LIMIT: Final = 1024 * 1024 * 1024
"""Bytes that scripts may use, all together. Redis has no such limit."""

RESERVE: Final = 64 * 1024 * 1024
"""Bytes of the limit that a script can use, but the host does not: what it hands over has to fit."""

LuaFunction = Callable[..., Any]


class ScriptError(Exception):
    """A host function refuses: Lua sees an error, of which `Interpreter` keeps what it says."""


def _refuse(_object: object, name: object, _is_setting: bool) -> str:  # noqa: FBT001 - lupa's signature
    raise AttributeError(f"no attributes here: {name!r}")


def source(name: str) -> bytes:
    """The text of one of the package's Lua files."""
    return files("cutaway.scripting").joinpath("lua", name).read_bytes()


class Interpreter:
    """A Lua state, the sandbox in it, and what Python needs of both."""

    __slots__ = ("_called_name", "_ceiling", "_compile", "_define", "_define_value", "_error", "_functions", "_load_library", "_memory_used", "_module", "_run", "_run_function", "_run_with_tables",
                 "_runtime", "_where", "interrupt", "null", "to_lua")  # fmt: skip

    def __init__(self, interrupt: Callable[[], bytes | None], memory: int = MEMORY_LIMIT) -> None:
        try:
            lua51: Any = import_module("lupa.lua51")  # here, since only a server that runs scripts needs Lua
        except ImportError as missing:
            raise errors.NO_LUA from missing
        self._runtime: Final[Any] = lua51.LuaRuntime(
            encoding=None, source_encoding="latin-1", register_eval=False, register_builtins=False, unpack_returned_tuples=True,
            attribute_filter=_refuse, max_memory=memory,
        )  # fmt: skip
        self._ceiling: Final = memory - RESERVE
        self._memory_used: Final[Callable[[], int]] = self._runtime.get_memory_used
        self.interrupt = interrupt
        functions = self._functions = self._load(b"sandbox.lua", source("sandbox.lua"))()
        self._run: Final[LuaFunction] = functions[b"run"]
        self._run_function: Final[LuaFunction] = functions[b"run_function"]
        self._run_with_tables: Final[LuaFunction] = functions[b"run_with_tables"]
        self._compile: Final[LuaFunction] = functions[b"compile"]
        self._load_library: Final[LuaFunction] = functions[b"load_library"]
        self._define: Final[LuaFunction] = functions[b"define"]
        self._define_value: Final[LuaFunction] = functions[b"define_value"]
        self._where: Final[LuaFunction] = functions[b"where"]
        self._called_name: Final[LuaFunction] = functions[b"called_name"]
        self._module: Final[LuaFunction] = functions[b"module"]
        self.null: Final[LuaValue] = functions[b"null"]
        self.to_lua: Final = ToLua(*(functions[name] for name in (b"pack", b"extend", b"single", b"put")))
        self._error: tuple[bool, bytes, bool] = (True, b"unknown error", False)
        functions[b"set_host"](self._take_error, lambda: self.interrupt())  # noqa: PLW0108

    def _load(self, name: bytes, text: bytes) -> LuaFunction:
        loadstring: LuaFunction = self._runtime.globals()[b"loadstring"]
        return loadstring(text, b"@" + name.removesuffix(b".lua"))  # type: ignore[no-any-return]

    # ---- what scripts see

    def define(self, library: str, name: str, function: Callable[..., LuaValue]) -> None:
        """Give scripts `library.name`, a function of the host's."""
        self._define(library.encode(), name.encode(), function)

    def define_value(self, library: str, name: str, value: LuaValue) -> None:
        """Give scripts the constant `library.name`."""
        self._define_value(library.encode(), name.encode(), value)

    def module(self, members: dict[str, Any]) -> LuaValue:
        """A table of functions of the host's, and other values."""
        return self._module(*(each for name, member in members.items() for each in (name.encode(), member)))

    def seal(self) -> None:
        """Lock what has been defined; from here on scripts may run."""
        self._functions[b"seal"]()

    # ---- errors

    def raise_text(self, text: bytes) -> ScriptError:
        """The error that C's `luaL_error` raises: a string that begins with the place the script is at."""
        place = self._where()
        if place is not None:
            text = b"%s:%d: %s" % (*place, text)
        self._error = (True, text, False)
        return ScriptError()

    def raise_plain(self, text: bytes) -> ScriptError:
        """The error that Lua itself raises within a C function: a string that names no place."""
        self._error = (True, text, False)
        return ScriptError()

    def called_name(self) -> str:
        """The name by which a script called the host's function that is running, "?" if it has none."""
        return bytes(self._called_name()).decode("utf-8", "surrogateescape")

    def raise_table(self, text: str, *, was_counted: bool = False) -> ScriptError:
        """The error that `redis.call` raises: a table with the text in `err`."""
        self._error = (False, text.encode("utf-8", "surrogateescape"), was_counted)
        return ScriptError()

    def _take_error(self) -> tuple[bool, bytes, bool]:
        return self._error

    # ---- running

    def compile(self, text: bytes, name: bytes) -> LuaFunction:
        """A function of a script's text. Raises CommandError with Lua's own message."""
        chunk, problem = _pair(self._compile(text, name))
        if not chunk:
            raise CommandError(bytes(problem).decode("utf-8", "surrogateescape"))
        return chunk  # type: ignore[no-any-return]

    def load_library(self, text: bytes) -> None:
        """Run a function library's text, so that it registers its functions. Raises CommandError."""
        is_syntax, problem = _pair(self._load_library(text))
        if problem is not None:
            what = "Error compiling function" if is_syntax else "Error registering functions"
            raise CommandError(f"ERR {what}: {bytes(problem).decode('latin-1')}")

    def run(
        self,
        function: LuaFunction,
        keys: Sequence[bytes],
        arguments: Sequence[bytes],
        *,
        watched: bool,
        as_function: bool,
    ) -> Sequence[LuaValue]:
        """Run it; what comes back is described in `sandbox.lua`: True and a flat list, or False and the error's parts."""
        if len(keys) + len(arguments) <= CHUNK:
            run = self._run_function if as_function else self._run
            answer = run(function, watched, len(keys), *keys, *arguments)
        else:
            array = self.to_lua.array
            answer = self._run_with_tables(function, watched, as_function, array(keys), array(arguments))
        if len(answer) == 2 and answer[0] is True:
            return (True, *answer[1].values())
        return answer  # type: ignore[no-any-return]

    @property
    def used_memory(self) -> int:
        """Bytes that Lua holds."""
        return int(self._memory_used())

    def has_room(self, size: int) -> bool:
        """Whether a value of `size` bytes can be handed over. It must not fail half way: no exception can leave Lua's allocator."""
        return self._memory_used() + size < self._ceiling


def _pair(answer: Any) -> tuple[Any, Any]:
    return answer if isinstance(answer, tuple) else (answer, None)
