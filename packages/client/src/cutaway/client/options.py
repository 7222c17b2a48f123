"""The command line, with the options of redis-cli.

Options come first; the first word that is none begins the command, and after it nothing is an option: ``cutaway-cli INCRBY n -1``
needs no quotes. So an option is known by its exact name and there are no abbreviations, and the usual parser libraries, which
take options from anywhere in the line, are of no use.

One table says what there is. It makes the parser, and the text of ``--help``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cutaway.client.addresses import Address, Tls
from cutaway.client.formats import Format
from cutaway.resp.inline import split_inline


class UsageError(Exception):
    """The command line makes no sense; the text says why."""


@dataclass(slots=True)
class Options:
    """What was asked for on the command line."""

    address: Address = field(default_factory=Address)
    format: Format = field(default_factory=Format)
    command: list[bytes] = field(default_factory=list)
    mode: str = ""
    """What to do instead of a command or a conversation: "scan", "stat", "pipe", ..."""
    repeat: int = 1
    interval: float = 0.0
    """Seconds."""
    from_stdin: bool = False
    stdin_tag: str | None = None
    quoted_input: bool = False
    exit_on_error: bool = False
    show_pushes: bool = True
    insists_on_resp2: bool = False
    prefers_resp3: bool = False
    """HELLO 3 is tried, and its failure is no failure: --json."""
    ask_password: bool = False
    shows_password: bool = False
    """There is a password on the command line, where others of this machine can read it."""
    warns: bool = True
    wire: bool = False
    pattern: bytes | None = None
    count: int = 10
    key_type: str | None = None
    pipe_timeout: int = 30
    samples: int = 0
    script: str | None = None
    file: str | None = None
    """Where a snapshot goes, "-" for standard output."""
    seconds: int = 0
    """How long to measure the intrinsic latency."""


@dataclass(frozen=True, slots=True)
class _Option:
    """One option: its names, the word it takes, what it means, what it does."""

    names: str
    value: str
    meaning: str
    apply: Callable[[Options, str], None]


def _sets(**values: Any) -> Callable[[Options, str], None]:
    def apply(options: Options, _word: str) -> None:
        for name, value in values.items():
            setattr(options, name, value)

    return apply


def _stores(name: str, convert: Callable[[str], Any] = str) -> Callable[[Options, str], None]:
    return lambda options, word: setattr(options, name, convert(word))


def _address(**changes: Callable[[str], Any]) -> Callable[[Options, str], None]:
    def apply(options: Options, word: str) -> None:
        options.address = replace(options.address, **{name: make(word) for name, make in changes.items()})

    return apply


def _tls(**changes: Callable[[str], Any]) -> Callable[[Options, str], None]:
    def apply(options: Options, word: str) -> None:
        tls = replace(options.address.tls or Tls(), **{name: make(word) for name, make in changes.items()})
        options.address = replace(options.address, tls=tls)

    return apply


def _formats(name: str) -> Callable[[Options, str], None]:
    def apply(options: Options, _word: str) -> None:
        options.format.name = name
        options.prefers_resp3 = options.prefers_resp3 or "json" in name

    return apply


def _password(options: Options, word: str) -> None:
    options.address = replace(options.address, password=word)
    options.shows_password = True


def _url(options: Options, word: str) -> None:
    try:
        address = Address.from_url(word, options.address.protocol)
    except ValueError as error:
        raise UsageError(str(error)) from None
    options.shows_password = options.shows_password or address.password is not None
    options.address = replace(address, tls=address.tls and (options.address.tls or address.tls))


def _bytes(word: str) -> bytes:
    return os.fsencode(word)


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise ValueError("not a whole number") from None


def _seconds(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise ValueError("not a number of seconds") from None


def _pushes(options: Options, word: str) -> None:
    if word[:1].lower() not in ("y", "n"):
        raise UsageError(f"Unknown --show-pushes value '{word}' (valid: '[y]es', '[n]o')")
    options.show_pushes = word[:1].lower() == "y"


def _mode_with(mode: str, name: str, convert: Callable[[str], Any] = str) -> Callable[[Options, str], None]:
    """An option that chooses a mode and takes a word for it."""

    def apply(options: Options, word: str) -> None:
        options.mode = mode
        setattr(options, name, convert(word))

    return apply


def _ignore(_options: Options, _word: str) -> None:
    """For what redis-cli takes and what makes no difference here."""


def _quoted(word: str) -> bytes:
    try:
        (data,) = split_inline(os.fsencode(word))
    except ValueError:
        raise UsageError("Invalid quoted string specified for --quoted-pattern.") from None
    return data


# fmt: off
_TABLE: Final = {
    "Where": (
        _Option("-h", "<host>", "the server's host (127.0.0.1)", _address(host=str)),
        _Option("-p", "<port>", "its port (6379)", _address(port=_whole)),
        _Option("-s", "<path>", "the path of its unix socket", _address(path=str)),
        _Option("-u", "<url>", "all in one: redis://user:password@host:port/database", _url),
        _Option("-n", "<number>", "the database", _address(database=_whole)),
        _Option("-2", "", "speak RESP2 (the default)", _sets(insists_on_resp2=True)),
        _Option("-3", "", "speak RESP3", _address(protocol=lambda _: 3)),
    ),
    "Who": (
        _Option("-a --pass", "<password>", "the password; safer in the environment, as REDISCLI_AUTH", _password),
        _Option("--user", "<name>", "the user, if not the default one", _address(username=str)),
        _Option("--askpass", "", "ask for the password", _sets(ask_password=True)),
        _Option("--no-auth-warning", "", "do not warn of a password on the command line", _sets(warns=False)),
    ),
    "TLS": (
        _Option("--tls", "", "encrypt", _tls()),
        _Option("--cacert", "<file>", "who may vouch for the server", _tls(authorities=str)),
        _Option("--cacertdir", "<folder>", "a folder of such files", _tls(authorities_folder=str)),
        _Option("--cert", "<file>", "our certificate", _tls(certificate=str)),
        _Option("--key", "<file>", "our certificate's key", _tls(key=str)),
        _Option("--sni", "<name>", "the server's name, which is then checked", _tls(server_name=str)),
        _Option("--tls-ciphers", "<list>", "the ciphers for TLS 1.2 and below, as OpenSSL writes them", _tls(ciphers=str)),
        _Option("--insecure", "", "trust whoever answers", _tls(verify=lambda _: False)),
    ),
    "What is printed": (
        _Option("--wire", "", "the bytes of each request and reply, explained, on standard error", _sets(wire=True)),
        _Option("--raw", "", "plain values (the default unless a terminal reads them)", _formats("raw")),
        _Option("--no-raw", "", "types, quotes and numbers (the default at a terminal)", _formats("standard")),
        _Option("--csv", "", "comma-separated values", _formats("csv")),
        _Option("--json", "", "JSON, from RESP3 if the server speaks it", _formats("json")),
        _Option("--quoted-json", "", "JSON in ASCII", _formats("quoted-json")),
        _Option("-d", "<text>", "what parts elements in raw format (a line feed)",
                lambda o, w: setattr(o.format, "element_delimiter", _bytes(w))),
        _Option("-D", "<text>", "what ends a reply in raw format (a line feed)",
                lambda o, w: setattr(o.format, "reply_delimiter", _bytes(w))),
        _Option("--show-pushes", "<yes|no>", "print messages that come unasked (yes at a terminal)",
                _pushes),
    ),
    "How a command is run": (
        _Option("-r", "<times>", "run it so often; -1 for ever", _stores("repeat", _whole)),
        _Option("-i", "<seconds>", "pause between the times", _stores("interval", _seconds)),
        _Option("-x", "", "standard input is its last argument", _sets(from_stdin=True)),
        _Option("-X", "<tag>", "standard input is the argument written as the tag", _stores("stdin_tag")),
        _Option("-e", "", "an error reply ends the program, with status 1", _sets(exit_on_error=True)),
        _Option("--quoted-input", "", """arguments may be quoted: '"a\\x00b"' """, _sets(quoted_input=True)),
        _Option("--eval", "<file>", "run a Lua script; arguments: key key , argument argument", _stores("script")),
    ),
    "Instead of a command": (
        _Option("--scan", "", "print the names of the keys", _sets(mode="scan")),
        _Option("--pattern", "<glob>", "only those that match (--scan, --bigkeys, --memkeys)", _stores("pattern", _bytes)),
        _Option("--quoted-pattern", "<glob>", "the same, quoted", _stores("pattern", _quoted)),
        _Option("--type", "<type>", "only those of a type (--scan)", _stores("key_type")),
        _Option("--count", "<number>", "keys to ask for at a time (10)", _stores("count", _whole)),
        _Option("--bigkeys", "", "find the keys with the most elements", _sets(mode="bigkeys")),
        _Option("--memkeys", "", "find the keys with the most memory", _sets(mode="memkeys")),
        _Option("--memkeys-samples", "<number>", "the same, looking at so many elements of each",
                _mode_with("memkeys", "samples", _whole)),
        _Option("--hotkeys", "", "find the keys that are asked for most, under an LFU policy", _sets(mode="hotkeys")),
        _Option("--stat", "", "a line of statistics every second", _sets(mode="stat")),
        _Option("--latency", "", "measure how long PING takes", _sets(mode="latency")),
        _Option("--latency-history", "", "the same, a line for every 15 seconds", _sets(mode="latency-history")),
        _Option("--latency-dist", "", "the same as a spectrum: a line of colours every second", _sets(mode="latency-dist")),
        _Option("--intrinsic-latency", "<seconds>", "measure how long the machine itself keeps a process waiting",
                _mode_with("intrinsic-latency", "seconds", _whole)),
        _Option("--rdb", "<file>", "save a snapshot of the server; - for standard output", _mode_with("rdb", "file")),
        _Option("--functions-rdb", "<file>", "the same, functions only", _mode_with("functions-rdb", "file")),
        _Option("--replica", "", "pose as a replica and print every write", _sets(mode="replica")),
        _Option("--pipe", "", "send standard input, which is RESP, to the server", _sets(mode="pipe")),
        _Option("--pipe-timeout", "<seconds>", "how long to wait for the last reply; 0: for ever", _stores("pipe_timeout", _whole)),
    ),
    "About": (
        _Option("-c --verbose", "", "understood, for scripts written for redis-cli, and without effect: no cluster", _ignore),
        _Option("--help", "", "this text", _sets(mode="help")),
        _Option("-v --version", "", "the version", _sets(mode="version")),
    ),
}
# fmt: on
_BY_NAME: Final = {
    name: option for section in _TABLE.values() for option in section for name in option.names.split()
}


def parse(
    words: Sequence[str], environment: Mapping[str, str] = os.environ, *, is_terminal: bool | None = None
) -> Options:
    """Read a command line, without the program's name. Raises UsageError."""
    is_watched = sys.stdout.isatty() or "FAKETTY" in environment if is_terminal is None else is_terminal
    options = Options(format=Format("standard" if is_watched else "raw"), show_pushes=is_watched)
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position = _take(options, words, position)
    options.command = [_bytes(word) for word in words[position:]]
    if options.address.password is None and environment.get("REDISCLI_AUTH"):
        options.address = replace(options.address, password=environment["REDISCLI_AUTH"])
    if options.insists_on_resp2 and options.address.protocol == 3:
        raise UsageError("Options -2 and -3 are mutually exclusive.")
    options.prefers_resp3 = options.prefers_resp3 and not options.insists_on_resp2
    if options.from_stdin and options.stdin_tag is not None:
        raise UsageError("Options -x and -X are mutually exclusive.")
    return options


def _take(options: Options, words: Sequence[str], position: int) -> int:
    """Apply the option at `position`; give the position after it and its value."""
    option = _BY_NAME.get(words[position])
    if option is None or (option.value and position + 1 == len(words)):
        raise UsageError(f"Unrecognized option or bad number of args for: '{words[position]}'")
    value = words[position + 1] if option.value else ""
    try:
        option.apply(options, value)
    except ValueError as error:
        raise UsageError(f"{words[position]} {value}: {error}") from None
    return position + (2 if option.value else 1)


def usage() -> str:
    """The text of --help."""
    lines = [
        "Usage: cutaway-cli [options] [command [argument ...]]",
        "",
        "Without a command: a conversation, with completion, hints and history. Type help there.",
    ]
    for title, section in _TABLE.items():
        lines += ["", f"{title}:"]
        for option in section:
            left = f"{', '.join(option.names.split())} {option.value}".rstrip()
            lines.append(f"  {left:<28} {option.meaning}")
    lines += [
        "",
        "Examples:",
        "  cutaway-cli SET greeting hello EX 60",
        "  cutaway-cli --wire -3 HGETALL user:1",
        "  cat photo.jpg | cutaway-cli -x SET photo",
        "  cutaway-cli --scan --pattern 'user:*'",
        "  cutaway-cli -r 100 -i 1 INFO memory | grep used_memory_human",
    ]
    return "\n".join(lines)
