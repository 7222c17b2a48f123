"""`python -m cutaway.client [options] [command ...]`, or `cutaway-cli`: what the command line asks for."""

from __future__ import annotations

import getpass
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from cutaway.client.clients import Client
from cutaway.client.options import Options, UsageError, parse, usage
from cutaway.client.printing import Printer, complain
from cutaway.client.runner import Runner, describe, say_refusal
from cutaway.resp.inline import split_inline

AUTH_WARNING: Final = (
    "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe."
)
_MODES: Final = {
    "scan": "keyspaces.scan",
    "bigkeys": "keyspaces.biggest",
    "memkeys": "keyspaces.biggest",
    "hotkeys": "hot_keys.hottest",
    "stat": "stats.roll",
    "latency": "latency.measure",
    "latency-history": "latency.measure",
    "latency-dist": "spectra.spectrum",
    "rdb": "replicas.fetch",
    "functions-rdb": "replicas.fetch",
    "replica": "replicas.follow",
    "pipe": "piping.pipe",
}
"""Who does what. Only what is needed is loaded: a command of a shell script should not wait for a prompt's libraries."""


def main() -> None:
    """Read the command line, do it, and exit with its status."""
    try:
        status = run(sys.argv[1:])
    except UsageError as error:
        complain(str(error))
        status = 1
    except BrokenPipeError:  # whoever reads our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except OSError as error:
        complain(describe(error))
        status = 1
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    sys.exit(status)


def run(words: Sequence[str]) -> int:
    """Do what the command line says; give the exit status. Raises UsageError, OSError."""
    options = parse(words)
    if options.mode == "help":
        print(usage())
        return 0
    if options.mode == "version":
        from importlib.metadata import version  # noqa: PLC0415 - slow to load, and only this asks

        print(f"cutaway-cli {version('cutaway-client')}")
        return 0
    if options.mode == "intrinsic-latency":
        return int(_load("spectra.intrinsic")(options))
    if options.shows_password and options.warns:
        complain(AUTH_WARNING)
    if options.ask_password:
        password = getpass.getpass("Please input password: ")
        options.address = replace(options.address, password=password)
    if not options.command and not options.mode and options.script is None and sys.stdin.isatty():
        return int(_load("shell.converse")(options))
    wire = _load("wire.WireView")() if options.wire else None
    with Client(options.address, exact=True, tap=wire, on_refusal=say_refusal) as client:
        if options.mode:
            return int(_load(_MODES[options.mode])(client, options))
        runner = Runner(client, options, Printer(options.format, wire))
        argv = command(options)
        return runner.run_once(argv) if argv else runner.run_lines(sys.stdin.buffer)


def _load(name: str) -> Callable[..., Any]:
    """Something of a module of this package, which is loaded now."""
    module, _, attribute = name.partition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(f"cutaway.client.{module}"), attribute)
    return found


def command(options: Options) -> list[bytes]:
    """The command that the command line spells out, with what comes from files. Raises UsageError."""
    argv = options.command
    if options.quoted_input:
        argv = [_unquote(word) for word in argv]
    if options.from_stdin:
        argv = [*argv, sys.stdin.buffer.read()]
    elif options.stdin_tag is not None:
        tag = os.fsencode(options.stdin_tag)
        if tag not in argv:
            raise UsageError("Using -X option but stdin tag not match.")
        position = argv.index(tag)
        argv = [*argv[:position], sys.stdin.buffer.read(), *argv[position + 1 :]]
    if options.script is not None:
        argv = _evaluation(options.script, argv)
    return argv


def _evaluation(path: str, words: list[bytes]) -> list[bytes]:
    """EVAL with a script from a file; a comma parts the keys from the arguments."""
    try:
        script = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"Can't open file '{path}': {error.strerror}") from None
    position = words.index(b",") if b"," in words else len(words)
    keys, arguments = words[:position], words[position + 1 :]
    return [b"EVAL", script, b"%d" % len(keys), *keys, *arguments]


def _unquote(word: bytes) -> bytes:
    if word[:1] not in (b'"', b"'"):
        return word
    try:
        (data,) = split_inline(word)
    except ValueError:
        raise UsageError("Invalid quoted string") from None
    return data


if __name__ == "__main__":
    main()
