"""The first line of a script or a library: `#!lua flags=no-writes,allow-stale` or `#!lua name=mylib`.

Without one, an EVAL script runs as scripts did before Redis 7: it may do anything, and each of its commands is checked
when it comes. With one, the script says beforehand what it needs, and is refused as a whole if it cannot have that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cutaway.commands import CommandError
from cutaway.resp.inline import split_inline

FLAGS: Final = ("no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys")


@dataclass(frozen=True, slots=True)
class Shebang:
    """What a script's first line says. `flags` is None if there is no such line."""

    flags: frozenset[str] | None
    length: int = 0
    """Where the script proper begins: at the line's end, so that line numbers stay."""


NO_SHEBANG: Final = Shebang(None)


def _words(body: bytes, problem: str) -> tuple[list[bytes], int]:
    end = body.find(b"\n")
    if end < 0:
        raise CommandError(f"ERR {problem}")
    try:
        return split_inline(body[:end].partition(b"\0")[0]), end
    except ValueError:
        return [], end


def script_shebang(body: bytes) -> Shebang:
    """What the first line of an EVAL script says. Raises CommandError."""
    if not body.startswith(b"#!"):
        return NO_SHEBANG
    words, end = _words(body, "Invalid script shebang")
    if not words:
        raise CommandError("ERR Invalid engine in script shebang")
    if words[0] != b"#!lua":
        raise CommandError(f"ERR Unexpected engine in script shebang: {words[0].decode('latin-1')}")
    flags: set[str] = set()
    for word in words[1:]:
        text = word.decode("utf-8", "surrogateescape")
        if not text.startswith("flags="):
            raise CommandError(f"ERR Unknown lua shebang option: {text}")
        listed = text.removeprefix("flags=")
        for flag in listed.split(",") if listed else ():
            if flag not in FLAGS:
                raise CommandError(f"ERR Unexpected flag in script shebang: {flag}")
            flags.add(flag)
    return Shebang(frozenset(flags), end)


def library_shebang(code: bytes) -> tuple[str, str, int]:
    """A library's engine, its name, and where its code begins. Raises CommandError."""
    if not code.startswith(b"#!"):
        raise CommandError("ERR Missing library metadata")
    words, end = _words(code, "Invalid library metadata")
    if not words:
        raise CommandError("ERR Invalid library metadata")
    engine, *options = (word.decode("utf-8", "surrogateescape") for word in words)
    name: str | None = None
    for option in options:
        if option[:5].lower() != "name=":
            raise CommandError(f"ERR Invalid metadata value given: {option}")
        if name is not None:
            raise CommandError("ERR Invalid metadata value, name argument was given multiple times")
        name = option[5:]
    if name is None:
        raise CommandError("ERR Library name was not given")
    return engine.removeprefix("#!"), name, end
