"""`python -m server [redis.conf] [--directive value ...] [--use part=path:Name]`, as `redis-server` takes its arguments."""

from __future__ import annotations

import glob
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cutaway.commands.connections import REDIS_VERSION
from cutaway.config import Config, ConfigError
from cutaway.config.parser import ConfigFileError, Settings, parse_arguments, read_file
from cutaway.observability import VERSION
from cutaway.server import metrics
from cutaway.server.app import Application
from cutaway.server.logs import Logs
from cutaway.server.parts import PartError, Parts, default_parts, use
from cutaway.server.supervision import Supervisor

DEFAULTS: Final = {"bind": ("127.0.0.1", "-::1")}
"""Where ours differ from Redis's: we listen on loopback until told otherwise."""

USAGE: Final = """\
Usage: python -m server [/path/to/redis.conf] [options] [-] [--use part=path:Name]
       python -m server -                  read the configuration from standard input
       python -m server -v | --version
       python -m server -h | --help

Options are the directives of redis.conf, with two dashes in front. Without any, the server listens on port 6379 of this
machine alone, and keeps its data in the working directory.

Examples:
       python -m server --port 7777
       python -m server redis.conf --loglevel verbose
       python -m server --appendonly yes --dir /var/lib/cutaway
       echo 'maxmemory 128mb' | python -m server -
       python -m server --metrics-port 9121
       python -m server --use resp.RequestParser=./mine.py:Parser"""


def main() -> None:
    """Read the arguments, run the server, and exit with its status."""
    first = sys.argv[1] if len(sys.argv) == 2 else ""
    if first in ("-h", "--help"):
        print(USAGE)
        return
    if first in ("-v", "--version"):
        print(f"Cutaway server v={VERSION} python={platform.python_version()} redis={REDIS_VERSION.decode()}")
        return
    arguments, choices = _take_choices(sys.argv[1:])
    try:
        parts = default_parts()
        for choice in choices:
            parts = use(parts, choice)
        settings = read_settings(arguments)
    except ConfigFileError as error:
        sys.exit(error.report("Cutaway"))
    except (ConfigError, PartError) as error:
        sys.exit(f"cutaway: {error}")
    sys.exit(start(settings, parts, parse_arguments(arguments)[0]))


def start(settings: Settings, parts: Parts, config_file: str | None = None) -> int:
    """Run the server on settings that were read, the first of them from `config_file`."""
    supervisor = Supervisor(settings.config)
    try:
        supervisor.detach()
    except OSError as error:
        sys.exit(f"cutaway: can't go into the background: {error.strerror}")
    try:
        logs = Logs(settings.config)
    except OSError as error:
        sys.exit(f"cutaway: can't open the log file: {error.strerror}")
    try:
        return Application(
            settings.config, parts, logs=logs, config_file=config_file, users=settings.users, modules=settings.modules,
            module_directives=settings.module_directives, renamed=settings.renamed, supervisor=supervisor,
        ).run()  # fmt: skip
    finally:
        supervisor.leave()


def _take_choices(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split off `--use part=path:Name`, which is ours alone."""
    rest: list[str] = []
    choices: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--use":
            choices.append(next(words, ""))
        elif word.startswith("--use="):
            choices.append(word.removeprefix("--use="))
        else:
            rest.append(word)
    return rest, choices


def read_settings(arguments: Sequence[str]) -> Settings:
    """The configuration file, standard input and options that `arguments` name, in that order. Raises ConfigError."""
    path, from_stdin, options = parse_arguments(arguments)
    settings = Settings(metrics.register(Config(DEFAULTS)))
    text = read_file(path, _read) if path is not None else ""
    if from_stdin:
        text += "\n" + sys.stdin.read()
    settings.load(f"{text}\n{options}", _read, lambda pattern: sorted(glob.glob(pattern)))  # noqa: PTH207
    return settings


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="surrogateescape")


if __name__ == "__main__":
    main()
