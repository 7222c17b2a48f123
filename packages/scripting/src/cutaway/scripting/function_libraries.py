"""Function libraries: code that belongs to the data.

A script travels with every application that uses it, and the server may forget it any time. A library stays: it is loaded once,
saved with the data, logged, and moved from server to server. Its text begins with `#!lua name=<name>`. When it is loaded the
text runs once, in a world that holds hardly more than `redis.register_function`, and gives names to Lua functions; FCALL
runs these later, with all that scripts have.

All libraries share one interpreter, apart from that of EVAL. They cannot meet there: globals are read-only, and what
a library keeps in local variables is its own. Function names are shared by all, and so have to be unique.

Loading is all or nothing. A library whose text fails leaves what was there before as it was, and so does a set of
libraries that is restored together: it is first built aside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Final

from cutaway.commands import CommandError, Engine
from cutaway.scripting import lua_libraries
from cutaway.scripting.api import Api, define_log_levels
from cutaway.scripting.conversions import LuaValue
from cutaway.scripting.interpreter import Interpreter, LuaFunction
from cutaway.scripting.registrations import NAME_RULE, read_registration
from cutaway.scripting.shebangs import library_shebang

LOAD_MILLISECONDS: Final = 500
"""How long a library's text may run: it should do no more than register functions."""
LIBRARY_BYTES: Final = 512
FUNCTION_BYTES: Final = 256
"""What a library is taken to cost besides its text, and each of its functions: objects, names, places in tables."""
NAME: Final = re.compile(r"[A-Za-z0-9_]+\Z", re.ASCII)


class Function:
    """What a library registered under a name; FCALL runs it."""

    __slots__ = ("callback", "description", "flags", "name")

    def __init__(
        self, name: str, callback: LuaFunction, description: bytes | None, flags: frozenset[str]
    ) -> None:
        self.name: Final = name
        self.callback: Final = callback
        self.description: Final = description
        self.flags: Final = flags


class Library:
    """A library that was loaded."""

    __slots__ = ("functions", "name", "source")

    def __init__(self, name: str, source: bytes) -> None:
        self.name: Final = name
        self.source: Final = source
        self.functions: Final[dict[str, Function]] = {}


class Libraries:
    """The libraries of an engine, and the interpreter they share."""

    __slots__ = (
        "_api",
        "_engine",
        "_interpreter",
        "_interrupt",
        "_loading",
        "_started_at",
        "functions",
        "libraries",
    )

    def __init__(self, engine: Engine, interrupt: Callable[[], bytes | None]) -> None:
        self.libraries: dict[str, Library] = {}
        self.functions: dict[str, Function] = {}
        """By name in lower case: FCALL does not mind capitals."""
        self._engine: Final = engine
        self._interrupt: Final = interrupt
        self._interpreter: Interpreter | None = None
        self._api: Api | None = None
        self._loading: Library | None = None
        self._started_at = 0

    @property
    def lua(self) -> Interpreter:
        """The interpreter of all libraries. Raises CommandError if there is no Lua."""
        if self._interpreter is None:
            lua = Interpreter(self._interrupt)
            self._api = Api(self._engine, lua)
            lua_libraries.define(lua)
            lua.define("library", "register_function", self._register)
            lua.define("library", "log", self._api.log)
            define_log_levels(lua, "library")
            lua.seal()
            self._interpreter = lua
        return self._interpreter

    @property
    def api(self) -> Api:
        """What the functions find in `redis`."""
        assert self._api is not None
        return self._api

    @property
    def vm_memory(self) -> int:
        """Bytes that the interpreter of the libraries holds; 0 as long as there was no library."""
        return 0 if self._interpreter is None else self._interpreter.used_memory

    @property
    def memory(self) -> int:
        """Bytes that the libraries are taken to cost beside the interpreter: their texts and tables. O(libraries)."""
        texts = sum(len(library.source) for library in self.libraries.values())
        return texts + LIBRARY_BYTES * len(self.libraries) + FUNCTION_BYTES * len(self.functions)

    def sources(self) -> list[bytes]:
        """The text of every library: what is saved. O(libraries)."""
        return [library.source for library in self.libraries.values()]

    # ---- loading

    def load(self, source: bytes, *, replace: bool = False) -> Library:
        """Load a library's text. Raises CommandError, and then nothing has changed. O(length)."""
        name = _checked_name(source)
        before = self.libraries.get(name)
        if before is not None and not replace:
            raise CommandError(f"ERR Library '{name}' already exists")
        library = self._run(name, source)
        replaced = {function.lower() for function in before.functions} if before is not None else set()
        self._refuse_twins(library.functions, replaced)
        if before is not None:
            self.delete(name)
        self._link(library)
        return library

    def restore_all(self, sources: Iterable[bytes], policy: bytes) -> None:
        """Load libraries from elsewhere: `policy` is b"flush", b"append" or b"replace". Raises CommandError. O(length)."""
        restored = self._apart(sources)
        if policy == b"flush":
            self.libraries, self.functions = restored.libraries, restored.functions
            return
        if policy == b"append":
            for name in restored.libraries:
                if name in self.libraries:
                    raise CommandError(f"ERR Library {name} already exists")
        replaced = {
            function.lower()
            for name in restored.libraries
            if name in self.libraries
            for function in self.libraries[name].functions
        }
        self._refuse_twins((function.name for function in restored.functions.values()), replaced)
        for name, library in restored.libraries.items():
            if name in self.libraries:
                self.delete(name)
            self._link(library)

    def _apart(self, sources: Iterable[bytes]) -> Libraries:
        """Load libraries beside those that are there, in the same interpreter."""
        aside = Libraries(self._engine, self._interrupt)
        for source in sources:
            name = _checked_name(source)
            if name in aside.libraries:
                raise CommandError(f"ERR Library '{name}' already exists")
            library = self._run(name, source)
            aside._refuse_twins(library.functions, frozenset())
            aside._link(library)
        return aside

    def _run(self, name: str, source: bytes) -> Library:
        """Run a library's text; what it registers is the library's, and not to be called yet."""
        lua = self.lua
        library = self._loading = Library(name, source)
        self._started_at = self._engine.stopwatch()
        try:
            lua.load_library(source[source.index(b"\n") :])
        finally:
            self._loading = None
        if not library.functions:
            raise CommandError("ERR No functions registered")
        return library

    def _refuse_twins(self, names: Iterable[str], replaced: Collection[str]) -> None:
        for name in names:
            if name.lower() in self.functions and name.lower() not in replaced:
                raise CommandError(f"ERR Function {name} already exists")

    def _link(self, library: Library) -> None:
        self.libraries[library.name] = library
        self.functions |= {name.lower(): function for name, function in library.functions.items()}

    def overdue(self) -> bytes | None:
        """The error that ends a library's text that runs for too long."""
        elapsed = (self._engine.stopwatch() - self._started_at) // 1_000_000
        return (
            b"ERR FUNCTION LOAD timeout"
            if self._loading is not None and elapsed > LOAD_MILLISECONDS
            else None
        )

    def _register(self, *words: LuaValue) -> None:
        """`redis.register_function`, in both forms."""
        lua, library = self.lua, self._loading
        if library is None:
            raise lua.raise_table("ERR redis.register_function can only be called on FUNCTION LOAD command")
        try:
            name, callback, description, flags = read_registration(words)
        except ValueError as error:
            raise lua.raise_table(f"ERR {error}") from None
        if not NAME.match(name):
            raise lua.raise_table(f"ERR {NAME_RULE}")
        if name in library.functions:
            raise lua.raise_table("ERR Function already exists in the library")
        library.functions[name] = Function(name, callback, description, flags)

    # ---- forgetting

    def delete(self, name: str) -> None:
        """Forget a library and its functions. Raises KeyError. O(functions of the library)."""
        for function in self.libraries.pop(name).functions:
            self.functions.pop(function.lower(), None)

    def flush(self) -> None:
        """Forget everything, and begin with a fresh interpreter."""
        self.libraries, self.functions = {}, {}
        self._interpreter = self._api = None


def _checked_name(source: bytes) -> str:
    engine, name, _ = library_shebang(source)
    if not NAME.match(name):
        raise CommandError(f"ERR {NAME_RULE}")
    if engine.lower() != "lua":
        raise CommandError(f"ERR Engine '{engine}' not found")
    return name
