"""EVAL and its relatives, and SCRIPT: running and keeping scripts.

A script is known by the SHA1 of its text. EVAL runs a text and keeps it, among the last 500; SCRIPT LOAD keeps it for good; EVALSHA
runs what is kept. The keys that a script
works on are passed apart from its other arguments, so that a cluster can see where they live; nothing enforces it here.

The commands are transparent: what goes to the log is not the script but the commands it ran that changed something,
in MULTI and EXEC if there are several. A script need not be deterministic for that, and can be read in a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import Client, CommandError, CommandTable, arguments
from cutaway.commands.helping import help_lines
from cutaway.commands.key_specs import RO, RW
from cutaway.resp import Reply
from cutaway.scripting import errors
from cutaway.scripting.room import Script, room

scripting: Final = CommandTable("scripting")

_WORST: Final = "We cannot tell how the keys will be used so we assume the worst, "
READ_WRITE: Final = RW(2, "access update", key_count=0, notes=_WORST + "RW and UPDATE")
READ_WRITE_BY_SHA: Final = RW(2, "access update", key_count=0)
READ_ONLY: Final = RO(2, key_count=0, notes=_WORST + "RO and ACCESS")
READ_ONLY_BY_SHA: Final = RO(2, key_count=0)
FLAGS: Final = "noscript stale skip_monitor no_mandatory_keys movablekeys"
MAY_WRITE: Final = f"{FLAGS} may_replicate"
ALL_NODES: Final = ("request_policy:all_nodes", "response_policy:all_succeeded")
ALL_SHARDS: Final = ("request_policy:all_shards", "response_policy:all_succeeded")


def key_count(text: bytes, rest: Sequence[bytes]) -> int:
    """How many of the arguments are keys. Raises CommandError."""
    count = arguments.integer(text)
    if count > len(rest):
        raise errors.TOO_MANY_KEYS
    if count < 0:
        raise errors.NEGATIVE_KEYS
    return count


def _eval(client: Client, body: bytes, count: bytes, rest: tuple[bytes, ...], *, read_only: bool) -> Reply:
    keys = key_count(count, rest)
    state = room(client)
    script = state.load(body)
    word = b"eval_ro" if read_only else b"eval"
    return state.evaluate(client, script, (word, body, count, *rest), keys, read_only=read_only)


def _eval_sha(client: Client, sha: bytes, count: bytes, rest: tuple[bytes, ...], *, read_only: bool) -> Reply:
    if len(sha) != 40:
        raise errors.NO_SCRIPT
    keys = key_count(count, rest)
    state = room(client)
    script = _find(client, sha)
    if script is None:
        raise errors.NO_SCRIPT
    word = b"evalsha_ro" if read_only else b"evalsha"
    return state.evaluate(client, script, (word, sha, count, *rest), keys, read_only=read_only)


def _find(client: Client, sha: bytes) -> Script | None:
    scripts = room(client).scripts
    return scripts.get(sha) or scripts.get(sha.lower())


@scripting.command("EVAL", arity=-3, flags=MAY_WRITE, keys=READ_WRITE, since="2.6.0", transparent=True,
                   syntax="script numkeys [key [key ...]] [arg [arg ...]]")  # fmt: skip
def eval_(client: Client, script: bytes, numkeys: bytes, *rest: bytes) -> Reply:
    """Runs a Lua script, and keeps it. O(1) besides what the script does."""
    return _eval(client, script, numkeys, rest, read_only=False)


@scripting.command("EVALSHA", arity=-3, flags=MAY_WRITE, keys=READ_WRITE_BY_SHA, since="2.6.0", transparent=True,
                   syntax="sha1 numkeys [key [key ...]] [arg [arg ...]]")  # fmt: skip
def evalsha(client: Client, sha: bytes, numkeys: bytes, *rest: bytes) -> Reply:
    """Runs a Lua script that the server knows, by the SHA1 of its text. O(1) besides what the script does."""
    return _eval_sha(client, sha, numkeys, rest, read_only=False)


@scripting.command("EVAL_RO", arity=-3, flags=FLAGS + " readonly", keys=READ_ONLY, since="7.0.0", transparent=True,
                   syntax="script numkeys [key [key ...]] [arg [arg ...]]")  # fmt: skip
def eval_ro(client: Client, script: bytes, numkeys: bytes, *rest: bytes) -> Reply:
    """Runs a Lua script that may not write. O(1) besides what the script does."""
    return _eval(client, script, numkeys, rest, read_only=True)


@scripting.command("EVALSHA_RO", arity=-3, flags=FLAGS + " readonly", keys=READ_ONLY_BY_SHA, since="7.0.0", transparent=True,
                   syntax="sha1 numkeys [key [key ...]] [arg [arg ...]]")  # fmt: skip
def evalsha_ro(client: Client, sha: bytes, numkeys: bytes, *rest: bytes) -> Reply:
    """Runs a known Lua script, by SHA1, that may not write. O(1) besides what the script does."""
    return _eval_sha(client, sha, numkeys, rest, read_only=True)


scripting.container("SCRIPT", arity=-2, since="2.6.0", acl="-scripting")


@scripting.command(
    "SCRIPT LOAD", arity=3, flags="noscript stale", since="2.6.0", tips=ALL_NODES, syntax="script"
)
def script_load(client: Client, body: bytes) -> Reply:
    """Compiles a script and keeps it for EVALSHA. O(N) with N the length of the script."""
    return room(client).load(body, keep=True).sha


@scripting.command("SCRIPT EXISTS", arity=-3, flags="noscript stale", since="2.6.0", syntax="sha1 [sha1 ...]",
                   tips=("request_policy:all_shards", "response_policy:agg_logical_and"))  # fmt: skip
def script_exists(client: Client, *shas: bytes) -> Reply:
    """Tells which of the scripts are known. O(N) with N the number of scripts asked for."""
    return [int(_find(client, sha) is not None) for sha in shas]


@scripting.command("SCRIPT FLUSH", arity=-2, flags="noscript stale", since="2.6.0", tips=ALL_NODES, syntax="[ASYNC | SYNC]",
                   history=(("6.2.0", "Added the `ASYNC` and `SYNC` flushing mode modifiers."),))  # fmt: skip
def script_flush(client: Client, *mode: bytes) -> Reply:
    """Forgets all scripts. O(N) with N the number of scripts."""
    if len(mode) > 1 or (mode and mode[0].lower() not in (b"sync", b"async")):
        raise CommandError("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
    room(client).flush()
    return "OK"


@scripting.command("SCRIPT SHOW", arity=3, flags="noscript stale", since="8.0.0", syntax="sha1")
def script_show(client: Client, sha: bytes) -> Reply:
    """Returns the text of a script. O(1)."""
    script = _find(client, sha) if len(sha) == 40 else None
    if script is None:
        raise errors.NO_SCRIPT
    return script.body


@scripting.command("SCRIPT KILL", arity=2, flags="noscript allow_busy", since="2.6.0",
                   tips=("request_policy:all_shards", "response_policy:one_succeeded"))  # fmt: skip
def script_kill(client: Client) -> Reply:
    """Ends the script that is running, unless it has written. O(1)."""
    return room(client).kill(is_eval=True)


@scripting.command(
    "SCRIPT DEBUG", arity=-3, flags="noscript", since="3.2.0", syntax="<YES | SYNC | NO> [engine]"
)
def script_debug(_client: Client, mode: bytes, *engine: bytes) -> Reply:
    """Would switch the debugger on, if there were one. O(1)."""
    if len(engine) > 1 or mode.lower() not in (b"yes", b"sync", b"no"):
        raise CommandError("ERR Use SCRIPT DEBUG YES/SYNC/NO")
    if mode.lower() != b"no":
        raise CommandError("ERR The Lua debugger is not available on this server")
    return "OK"


@scripting.command("SCRIPT HELP", arity=2, flags="loading stale", since="5.0.0")
def script_help(client: Client) -> Reply:
    """Lists the subcommands. O(1)."""
    return help_lines(client, "script")
