"""FUNCTION and FCALL: loading libraries, running their functions, moving them between servers.

What a library is, and what loading one means, is the theory of `function_libraries`. The commands that change libraries are
writes: they go to the log and to replicas as they were sent. What a function writes goes there as the commands it
ran, as with a script.
"""

from __future__ import annotations

from typing import Any, Final

from cutaway.commands import Client, CommandError, CommandTable, arguments
from cutaway.commands.helping import help_lines
from cutaway.config.glob import matches
from cutaway.resp import MapReply, Reply, SetReply
from cutaway.scripting import errors
from cutaway.scripting.function_libraries import Function, Libraries, Library
from cutaway.scripting.room import room
from cutaway.scripting.scripts import ALL_SHARDS, MAY_WRITE, READ_ONLY, READ_WRITE
from cutaway.scripting.scripts import FLAGS as SCRIPT_FLAGS
from cutaway.scripting.shebangs import FLAGS

functions: Final = CommandTable("scripting")

ENGINE: Final = b"LUA"
POLICIES: Final = (b"flush", b"append", b"replace")


def libraries(client: Client) -> Libraries:
    """The libraries of the client's engine."""
    return room(client).libraries


def _changed(client: Client) -> None:
    client.engine.keyspace.dirty += 1


def _key_count(text: bytes, rest: tuple[bytes, ...]) -> int:
    count = arguments.integer_or_none(text)
    if count is None:
        raise errors.BAD_KEY_COUNT
    if count > len(rest):
        raise errors.TOO_MANY_KEYS
    if count < 0:
        raise errors.NEGATIVE_KEYS
    return count


def _fcall(client: Client, name: bytes, count: bytes, rest: tuple[bytes, ...], *, read_only: bool) -> Reply:
    function = libraries(client).functions.get(name.lower().decode("utf-8", "surrogateescape"))
    if function is None:
        raise errors.NO_FUNCTION
    keys = _key_count(count, rest)
    word = b"fcall_ro" if read_only else b"fcall"
    return room(client).call(client, function, (word, name, count, *rest), keys, read_only=read_only)


@functions.command("FCALL", arity=-3, flags=MAY_WRITE, keys=READ_WRITE, since="7.0.0", transparent=True,
                   syntax="function numkeys [key [key ...]] [arg [arg ...]]")  # fmt: skip
def fcall(client: Client, function: bytes, numkeys: bytes, *rest: bytes) -> Reply:
    """Runs a function of a library. O(1) besides what the function does."""
    return _fcall(client, function, numkeys, rest, read_only=False)


@functions.command("FCALL_RO", arity=-3, flags=SCRIPT_FLAGS + " readonly", keys=READ_ONLY, since="7.0.0", transparent=True,
                   syntax="function numkeys [key [key ...]] [arg [arg ...]]")  # fmt: skip
def fcall_ro(client: Client, function: bytes, numkeys: bytes, *rest: bytes) -> Reply:
    """Runs a function that may not write. O(1) besides what the function does."""
    return _fcall(client, function, numkeys, rest, read_only=True)


functions.container("FUNCTION", arity=-2, since="7.0.0", acl="-scripting")


@functions.command("FUNCTION LOAD", arity=-3, flags="write denyoom noscript", since="7.0.0", tips=ALL_SHARDS,
                   syntax="[REPLACE] function-code")  # fmt: skip
def function_load(client: Client, *words: bytes) -> Reply:
    """Loads a library, and registers its functions. O(1) besides what the library's text does."""
    for word in words[:-1]:
        if word.lower() != b"replace":
            raise CommandError(f"ERR Unknown option given: {word.decode('latin-1')}")
    library = libraries(client).load(words[-1], replace=len(words) > 1)
    _changed(client)
    return library.name.encode("utf-8", "surrogateescape")


@functions.command("FUNCTION DELETE", arity=3, flags="write noscript", since="7.0.0", tips=ALL_SHARDS,
                   syntax="library-name")  # fmt: skip
def function_delete(client: Client, name: bytes) -> Reply:
    """Deletes a library with its functions. O(N) with N the number of its functions."""
    try:
        libraries(client).delete(name.decode("utf-8", "surrogateescape"))
    except KeyError:
        raise errors.NO_LIBRARY from None
    _changed(client)
    return "OK"


@functions.command("FUNCTION FLUSH", arity=-2, flags="write noscript", since="7.0.0", tips=ALL_SHARDS,
                   syntax="[ASYNC | SYNC]", skip=1)  # fmt: skip
def function_flush(client: Client, word: bytes, *mode: bytes) -> Reply:
    """Deletes all libraries. O(N) with N the number of functions."""
    if len(mode) > 1:
        raise errors.wrong_function_subcommand(word)
    if mode and mode[0].lower() not in (b"sync", b"async"):
        raise CommandError("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
    libraries(client).flush()
    _changed(client)
    return "OK"


@functions.command("FUNCTION LIST", arity=-2, flags="noscript", since="7.0.0", tips=("nondeterministic_output_order",),
                   syntax="[LIBRARYNAME library-name-pattern] [WITHCODE]")  # fmt: skip
def function_list(client: Client, *words: bytes) -> Reply:
    """Describes the libraries, all or those whose name matches. O(N) with N the number of functions."""
    pattern: bytes | None = None
    with_code = False
    remaining = list(words)
    while remaining:
        word = remaining.pop(0)
        if word.lower() == b"withcode" and not with_code:
            with_code = True
        elif word.lower() == b"libraryname" and pattern is None:
            if not remaining:
                raise CommandError("ERR library name argument was not given")
            pattern = remaining.pop(0)
        else:
            raise CommandError(f"ERR Unknown argument {word.decode('latin-1')}")
    return [
        _described(library, with_code=with_code)
        for name, library in libraries(client).libraries.items()
        if pattern is None or matches(pattern, name.encode("utf-8", "surrogateescape"), nocase=True)
    ]


def _described(library: Library, *, with_code: bool) -> Reply:
    items: list[tuple[Reply, Reply]] = [
        (b"library_name", library.name.encode("utf-8", "surrogateescape")),
        (b"engine", ENGINE),
        (b"functions", [_function(each) for each in library.functions.values()]),
    ]
    if with_code:
        items.append((b"library_code", library.source))
    return MapReply(items)


def _function(function: Function) -> Reply:
    return MapReply(
        [
            (b"name", function.name.encode("utf-8", "surrogateescape")),
            (b"description", function.description),
            (b"flags", SetReply([flag for flag in FLAGS if flag in function.flags])),
        ]
    )


@functions.command("FUNCTION DUMP", arity=2, flags="noscript", since="7.0.0")
def function_dump(client: Client) -> Reply:
    """Returns all libraries in a form that FUNCTION RESTORE takes. O(N) with N the length of the libraries."""
    payload: bytes = _codec(client).dump_functions(libraries(client).sources())
    return payload


@functions.command("FUNCTION RESTORE", arity=-3, flags="write denyoom noscript", since="7.0.0", tips=ALL_SHARDS,
                   syntax="serialized-value [FLUSH | APPEND | REPLACE]", skip=1)  # fmt: skip
def function_restore(client: Client, word: bytes, payload: bytes, *policy: bytes) -> Reply:
    """Loads the libraries that FUNCTION DUMP returned here or elsewhere. O(N) with N the length of the libraries."""
    if len(policy) > 1:
        raise errors.wrong_function_subcommand(word)
    chosen = policy[0].lower() if policy else b"append"
    if chosen not in POLICIES:
        raise CommandError("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
    libraries(client).restore_all(_codec(client).restore_functions(payload), chosen)
    _changed(client)
    return "OK"


def _codec(client: Client) -> Any:
    codec = client.engine.extras.get("codec")
    if codec is None:
        raise errors.NO_CODEC
    return codec


@functions.command("FUNCTION KILL", arity=2, flags="noscript allow_busy", since="7.0.0",
                   tips=("request_policy:all_shards", "response_policy:one_succeeded"))  # fmt: skip
def function_kill(client: Client) -> Reply:
    """Ends the function that is running, unless it has written. O(1)."""
    return room(client).kill(is_eval=False)


@functions.command("FUNCTION STATS", arity=2, flags="noscript allow_busy", since="7.0.0",
                   tips=("nondeterministic_output", "request_policy:all_shards", "response_policy:special"))  # fmt: skip
def function_stats(client: Client) -> Reply:
    """Tells which function is running and for how long, and how many there are. O(1)."""
    state, store = room(client), libraries(client)
    run = state.run
    running: Reply = None
    if run is not None:
        if run.is_eval:
            raise errors.BUSY_SCRIPT
        running = MapReply(
            [(b"name", run.name), (b"command", list(run.argv)), (b"duration_ms", run.milliseconds)]
        )
    counts = [(b"libraries_count", len(store.libraries)), (b"functions_count", len(store.functions))]
    engines = MapReply([(ENGINE, MapReply(counts))])
    return MapReply([(b"running_script", running), (b"engines", engines)])


@functions.command("FUNCTION HELP", arity=2, flags="loading stale", since="7.0.0")
def function_help(client: Client) -> Reply:
    """Lists the subcommands. O(1)."""
    return help_lines(client, "function")
