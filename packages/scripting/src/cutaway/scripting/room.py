"""The room's state: the interpreter of EVAL, the scripts it knows, the script that runs.

`engine.extras["scripting"]` holds it. The interpreter is made when the first script comes: a server that runs none
pays nothing, and one without Lua says so only then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from cutaway.commands import Client, Command, CommandError, Engine
from cutaway.commands.errors import OUT_OF_MEMORY
from cutaway.resp import Reply
from cutaway.scripting import errors, lua_libraries
from cutaway.scripting.api import Api, define_script_functions
from cutaway.scripting.conversions import FromLua
from cutaway.scripting.function_libraries import Function, Libraries
from cutaway.scripting.interpreter import Interpreter, LuaFunction
from cutaway.scripting.runs import Run
from cutaway.scripting.shebangs import Shebang, script_shebang

ROOM: Final = "scripting"


PASSING_SCRIPTS: Final = 500
"""So many scripts are kept that came with EVAL and not with SCRIPT LOAD, as in the real server."""


class Script:
    """A script that was loaded."""

    __slots__ = ("body", "function", "sha", "shebang")

    def __init__(self, sha: bytes, body: bytes, function: LuaFunction, shebang: Shebang) -> None:
        self.sha: Final = sha
        self.body: Final = body
        self.function: Final = function
        self.shebang: Final = shebang


def sha1(body: bytes) -> bytes:
    """The name of a script: the SHA1 of its text, in hexadecimal."""
    return hashlib.sha1(body, usedforsecurity=False).hexdigest().encode()


class Scripting:
    """One for each engine."""

    __slots__ = (
        "_api",
        "_client",
        "_interpreter",
        "_passing",
        "_threshold",
        "engine",
        "evicted",
        "libraries",
        "run",
        "scripts",
        "yield_to_others",
    )

    def __init__(self, engine: Engine) -> None:
        self.engine: Final = engine
        self.scripts: Final[dict[bytes, Script]] = {}
        self._passing: Final[dict[bytes, None]] = {}
        """The scripts that only EVAL has brought, by SHA1, the one not used for longest first."""
        self.evicted = 0
        """How many of those had to go."""
        self.run: Run | None = None
        """The script or function that is running."""
        self.yield_to_others: Callable[[], None] | None = None
        self._interpreter: Interpreter | None = None
        self._api: Api | None = None
        self._client: Client | None = None
        self._threshold = 0
        self.libraries: Final = Libraries(engine, self.interrupt)
        engine.config.subscribe("busy-reply-threshold", self._set_threshold)
        engine.extras.setdefault("on_resetstat", []).append(self._reset)

    def _set_threshold(self, milliseconds: Any) -> None:
        self._threshold = milliseconds

    # ---- scripts

    @property
    def lua(self) -> Interpreter:
        """The interpreter of EVAL. Raises if there is no Lua."""
        if self._interpreter is None:
            lua = Interpreter(self.interrupt)
            self._api = Api(self.engine, lua)
            define_script_functions(lua)
            lua_libraries.define(lua)
            lua.seal()
            self._interpreter = lua
        return self._interpreter

    @property
    def vm_memory(self) -> int:
        """Bytes that the interpreter of EVAL holds; 0 as long as no script has come."""
        return 0 if self._interpreter is None else self._interpreter.used_memory

    def info(self) -> dict[str, int]:
        """What INFO tells of the functions. O(libraries)."""
        libraries = self.libraries
        return {
            "number_of_functions": len(libraries.functions),
            "number_of_libraries": len(libraries.libraries),
            "used_memory_functions": libraries.memory,
        }

    def load(self, body: bytes, *, keep: bool = False) -> Script:
        """The script with this text, compiled if it is new. Raises CommandError if Lua cannot read it. O(length).

        With `keep` it stays until SCRIPT FLUSH. The others make room for each other: a program that writes its values into
        its scripts, and so sends a new one each time, does not fill the memory.
        """
        sha = sha1(body)
        script = self.scripts.get(sha)
        if script is None:
            shebang = script_shebang(body)
            lua = self.lua
            try:
                function = lua.compile(body[shebang.length :], b"@user_script")
            except CommandError as error:
                raise CommandError(f"ERR Error compiling script (new function): {error.message}") from None
            script = self.scripts[sha] = Script(sha, body, function, shebang)
            if not keep:
                self._make_room()
                self._passing[sha] = None
        if keep:
            self._passing.pop(sha, None)
        return script

    def _make_room(self) -> None:
        while len(self._passing) >= PASSING_SCRIPTS:
            oldest = next(iter(self._passing))
            del self._passing[oldest], self.scripts[oldest]
            self.evicted += 1

    def _reset(self) -> None:
        """CONFIG RESETSTAT."""
        self.evicted = 0

    def promises(self, command: Command, argv: Sequence[bytes]) -> frozenset[str]:
        """The flags of the script or function that a request would run; none if it has none, or is not known. O(1)."""
        name = argv[1] if len(argv) > 1 else b""
        if command.name in ("fcall", "fcall_ro"):
            function = self.libraries.functions.get(name.decode("utf-8", "surrogateescape"))
            return function.flags if function is not None else frozenset()
        try:
            script = self.scripts.get(name.lower())
            shebang = script_shebang(name) if script is None else script.shebang
        except CommandError:
            return frozenset()
        return shebang.flags or frozenset()

    def flush(self) -> None:
        """Forget all scripts, and begin with a fresh interpreter."""
        self.scripts.clear()
        self._passing.clear()
        self._interpreter = self._api = None

    # ---- running

    def evaluate(
        self, client: Client, script: Script, argv: Sequence[bytes], key_count: int, *, read_only: bool
    ) -> Reply:
        """Run a script for a client. `argv` is the request: command, script, number of keys, keys, arguments."""
        if script.sha in self._passing:  # to the end of the line
            del self._passing[script.sha]
            self._passing[script.sha] = None
        run = self.prepare(client, script.sha, argv, script.shebang.flags, read_only=read_only, is_eval=True)
        assert self._api is not None
        return self.execute(run, self.lua, self._api, script.function, argv, key_count)

    def call(
        self, client: Client, function: Function, argv: Sequence[bytes], key_count: int, *, read_only: bool
    ) -> Reply:
        """Run a function of a library for a client, as `evaluate` runs a script."""
        name = function.name.encode("utf-8", "surrogateescape")
        run = self.prepare(client, name, argv, function.flags, read_only=read_only, is_eval=False)
        lua, api = self.libraries.lua, self.libraries.api
        return self.execute(run, lua, api, function.callback, argv, key_count)

    def prepare(
        self,
        client: Client,
        name: bytes,
        argv: Sequence[bytes],
        flags: frozenset[str] | None,
        *,
        read_only: bool,
        is_eval: bool,
    ) -> Run:
        """What the flags promise against what is asked for. Raises CommandError if the script may not run."""
        if flags is not None and "no-writes" not in flags and read_only:
            raise errors.WRITE_FLAG_IN_RO
        may_exceed = flags is not None and not flags.isdisjoint(("allow-oom", "no-writes"))
        if flags is not None and self.engine.is_out_of_memory and not may_exceed:
            raise errors.OUT_OF_MEMORY if self.engine.nesting else OUT_OF_MEMORY
        if self._client is None:
            self._client = Client(self.engine, 0)
            self._client.deny_blocking = True
        no_writes = read_only or (flags is not None and "no-writes" in flags)
        return Run(
            client,
            self._client,
            name,
            argv,
            read_only=no_writes,
            may_exceed_memory=may_exceed,
            is_eval=is_eval,
        )

    def execute(
        self,
        run: Run,
        lua: Interpreter,
        api: Api,
        function: LuaFunction,
        argv: Sequence[bytes],
        key_count: int,
    ) -> Reply:
        """Run `function`, and make a reply of what it returns."""
        engine = self.engine
        self.run = api.run = run
        try:
            with engine.unit():
                answer = lua.run(
                    function, argv[3 : 3 + key_count], argv[3 + key_count :],
                    watched=self._threshold > 0, as_function=not run.is_eval,
                )  # fmt: skip
        finally:
            self.run = api.run = None
        if answer[0]:
            return FromLua(answer[1:], run.protocol, run.note_error).read()
        return self._failed(run, answer)

    def _failed(self, run: Run, answer: Sequence[object]) -> CommandError:
        if len(answer) == 2:
            return CommandError(f"ERR Error running script {_text(run.name)}, {_text(answer[1])[:100]}")
        _, text, source, line, was_counted = answer
        message = _text(text) if text is not None else "ERR unknown error"
        if source is not None and line is not None:
            message += f" script: {_text(run.name)}, on {_text(source)}:{line}."
        error = CommandError(message)
        run.note_error(error, bool(was_counted))
        return error

    def interrupt(self) -> bytes | None:
        """Called from time to time while a script runs; the text of the error that ends it, if it has to end."""
        run = self.run
        if run is None:
            return self.libraries.overdue()
        if self.yield_to_others is not None and run.milliseconds >= self._threshold:
            now = self.engine.keyspace.now
            self.yield_to_others()
            self.engine.keyspace.now = now
        return errors.KILLED.encode() if run.killed else None

    def kill(self, *, is_eval: bool) -> Reply:
        """SCRIPT KILL and FUNCTION KILL. Raises CommandError if there is nothing to kill, or it must not be killed."""
        run = self.run
        if run is None:
            raise errors.NOT_BUSY
        if run.has_written:
            raise errors.UNKILLABLE
        if run.is_eval != is_eval:
            raise errors.BUSY_SCRIPT if run.is_eval else errors.BUSY_FUNCTION
        run.killed = True
        return "OK"

    def gate(self, _client: Client, command: Command, argv: Sequence[bytes]) -> Reply:
        """While a script is running too long, others may do little more than kill it."""
        run = self.run
        if run is None:
            return None
        if command.name == "shutdown":
            allowed = any(word.lower() == b"nosave" for word in argv[1:])
        else:
            allowed = "allow_busy" in command.flags
        if allowed:
            return None
        return errors.BUSY_SCRIPT if run.is_eval else errors.BUSY_FUNCTION


def room(client: Client) -> Scripting:
    """The room of the client's engine."""
    state: Scripting = client.engine.extras[ROOM]
    return state


def _text(value: object) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
