"""Where the log goes, and how it starts: `logfile`, `loglevel`, `log-format`, syslog, the terminal.

What a line looks like is `cutaway.observability`'s business; here the directives are followed. `loglevel`, `log-format` and
`log-timestamp-format` may change while the server runs.

A log file is opened anew when somebody has moved it away, so that whoever rotates logs needs no signal.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import platform
import sys
import syslog
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from cutaway.observability import VERSION
from cutaway.observability.log import FORMATTERS, LEVELS, LineFormatter, RedisFormatter

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.config import Config

log: Final = logging.getLogger("cutaway.server")


class SyslogHandler(logging.Handler):
    """Sends each record to the system's log (`syslog-enabled`)."""

    _PRIORITIES: Final = {"debug": syslog.LOG_DEBUG, "verbose": syslog.LOG_INFO, "notice": syslog.LOG_NOTICE}

    def __init__(self, ident: str, facility: str) -> None:
        """`ident` names the server in the log; `facility` is "user" or "local0" to "local7"."""
        super().__init__()
        number: int = getattr(syslog, f"LOG_{facility.upper()}")
        syslog.openlog(ident, syslog.LOG_PID | syslog.LOG_NDELAY | syslog.LOG_NOWAIT, number)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        for word, level in reversed(LEVELS.items()):
            if record.levelno >= level:
                syslog.syslog(self._PRIORITIES.get(word, syslog.LOG_WARNING), record.getMessage())
                return


class Logs:
    """The log of one run of the server."""

    __slots__ = ("_config", "_line_handler", "_path", "console")

    def __init__(self, config: Config) -> None:
        """Let the root logger write where `config` says. Raises OSError where the file cannot be opened."""
        self._config: Final = config
        self.console: Any = None
        """A rich console, where a person is looking on."""
        self._line_handler: logging.Handler | None = None
        self._path: Path | None = None
        root = logging.getLogger()
        for handler in root.handlers[:]:
            root.removeHandler(handler)
            handler.close()
        root.addHandler(self._main_handler())
        if config.boolean("syslog-enabled"):
            root.addHandler(SyslogHandler(config.text("syslog-ident"), config.text("syslog-facility")))
        for name in ("loglevel", "log-format", "log-timestamp-format"):
            config.subscribe(name, self._follow)

    def _main_handler(self) -> logging.Handler:
        path = self._config.text("logfile")
        if path:
            self._path = (Path(self._config.text("dir")) / path).absolute()
            self._line_handler = logging.handlers.WatchedFileHandler(self._path, encoding="utf-8")
            return self._line_handler
        if (
            sys.stdout.isatty()
            and not os.environ.get("NO_COLOR")
            and self._config.text("log-format") == "legacy"
        ):
            from cutaway.observability import terminal  # noqa: PLC0415 - optional, and only for a person

            self.console = terminal.console_for(sys.stdout, colour=True)
            return terminal.RichHandler(self.console, os.getpid())
        self._line_handler = logging.StreamHandler(sys.stdout)
        return self._line_handler

    def open_for_crashes(self) -> IO[Any]:
        """Where a dying process can still write: the log file, or standard output. It must stay open."""
        if self._path is None:
            return sys.stdout
        return self._path.open("a", encoding="utf-8")

    def _follow(self, _value: Any) -> None:
        config = self._config
        logging.getLogger().setLevel(LEVELS[config.text("loglevel")])
        if self._line_handler is not None:
            timestamps: Any = config.text("log-timestamp-format")
            make: type[LineFormatter] = FORMATTERS.get(config.text("log-format"), RedisFormatter)
            self._line_handler.setFormatter(make(timestamps, os.getpid()))


def announce(engine: Engine, logs: Logs | None) -> None:
    """The first words of a server: a banner for a person, plain lines for everybody else."""
    config = engine.config
    pid = os.getpid()
    if logs is not None and logs.console is not None:
        _show_banner(engine, logs.console)
        return
    log.info("oO0OoO0OoO0Oo Cutaway is starting oO0OoO0OoO0Oo")
    log.info(
        "Cutaway version=%s, bits=64, python=%s, pid=%d, just started",
        VERSION,
        platform.python_version(),
        pid,
    )
    log.info(
        "Running mode=standalone, port=%d, %d commands, PID: %d",
        config.integer("port"),
        _commands(engine),
        pid,
    )
    log.info("Server initialized")


def _commands(engine: Engine) -> int:
    return len(engine.commands)


def _show_banner(engine: Engine, console: Any) -> None:
    from cutaway.observability import terminal  # noqa: PLC0415 - optional, and only for a person

    config = engine.config
    port, path = config.integer("port"), config.text("unixsocket")
    hosts: Any = config["bind"]
    where = f"-p {port}" if port else f"-s {path}"
    facts = {
        "version": f"{VERSION}, Python {platform.python_version()}",
        "listens on": f"port {port} of {' '.join(hosts)}" if port else path,
        "pid": str(os.getpid()),
        "data in": config.text("dir"),
        "keeps": _durability(config),
        "commands": f"{_commands(engine)}, in {config.integer('databases')} databases",
    }
    tips = [
        (f"redis-cli {where}", "talk to it"),
        (f"python -m cutaway.observability top {where}", "watch it work"),
        ("Ctrl-C", "save and stop"),
    ]
    console.print(terminal.banner("Cutaway", facts, tips))


def _durability(config: Config) -> str:
    """What is kept on disk, in words."""
    points: Any = config["save"]
    snapshots = f"snapshots in {config.text('dbfilename')}" if points else ""
    writes = f"every write ({config.text('appendfsync')})" if config.boolean("appendonly") else ""
    return ", ".join(filter(None, (snapshots, writes))) or "nothing on disk"
