"""The process and whoever started it: going into the background, the pid file, the service manager.

A server can be started by three kinds of starters, and each wants to know something else.

* A person, or a script of old, with `daemonize yes`: the call returns at once, and the server lives on without a terminal, in
  a session of its own. What it had to say to the terminal goes nowhere, so such a server has a `logfile`. Where it is to be
  found is in the `pidfile`, which is there as long as the server is.
* systemd, with `Type=notify` and `supervised systemd`: the server stays in the foreground and sends a datagram to the socket
  that NOTIFY_SOCKET names, `READY=1`, once the data is loaded. What depends on the server is started then and not before.
* upstart, its predecessor: the process stops itself, and upstart lets it go on.

`supervised auto` looks at the environment. Under a service manager `daemonize` does nothing: it would lose sight of the server.

Forking comes first, before there is a thread, a loop or a log.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cutaway.config import Config

log: Final = logging.getLogger("cutaway.server")

PID_FILE: Final = "/var/run/cutaway.pid"
"""Where a server in the background writes its number if it is not told."""
VARIABLES: Final = {"upstart": "UPSTART_JOB", "systemd": "NOTIFY_SOCKET"}


class Supervisor:
    """Whoever started this process, and what it is told."""

    __slots__ = ("_config", "_environment", "_pid_file", "kind")

    def __init__(self, config: Config, environment: MutableMapping[str, str] = os.environ) -> None:
        """Find out who it is, from `supervised` and the environment."""
        self._config: Final = config
        self._environment: Final = environment
        self._pid_file: Path | None = None
        self.kind: Final = self._recognise(config.text("supervised"))
        """"upstart", "systemd" or "no", as INFO says."""

    def _recognise(self, wanted: str) -> str:
        kinds = list(VARIABLES) if wanted == "auto" else [wanted]
        return next((kind for kind in kinds if self._environment.get(VARIABLES.get(kind, ""))), "no")

    def detach(self) -> None:
        """Go into the background, if that is asked for and nobody supervises. Raises OSError where the system refuses."""
        if self.kind == "no" and self._config.boolean("daemonize"):
            go_into_the_background()
            if not self._config.text("pidfile"):
                self._config.assign("pidfile", PID_FILE)

    def attend(self) -> None:
        """The server begins to load: write the pid file, and let the supervisor know."""
        wanted = self._config.text("supervised")
        if wanted in VARIABLES and self.kind == "no":
            log.warning("supervised %s: but %s is not in the environment", wanted, VARIABLES[wanted])
        if path := self._config.text("pidfile"):
            self._write_pid(Path(path))
        if self.kind == "upstart":
            del self._environment["UPSTART_JOB"]
            os.kill(os.getpid(), signal.SIGSTOP)
        self._notify("STATUS=Loading the data")

    def ready(self) -> None:
        """The data is loaded, and clients are served."""
        self._notify("STATUS=Ready to accept connections\nREADY=1")

    def stopping(self) -> None:
        """The server is about to end."""
        self._notify("STOPPING=1")

    def leave(self) -> None:
        """The server has ended: nobody shall look for it."""
        if self._pid_file is not None:
            with contextlib.suppress(OSError):
                self._pid_file.unlink()

    def _write_pid(self, path: Path) -> None:
        try:
            path.write_text(f"{os.getpid()}\n", encoding="ascii")
        except OSError as error:
            log.warning("Could not write the pid file %s: %s", path, error.strerror)
        else:
            self._pid_file = path.absolute()

    def _notify(self, message: str) -> None:
        """One datagram to systemd, as sd_notify(3) sends it. An address that begins with @ is in no file system."""
        if self.kind != "systemd":
            return
        address = self._environment["NOTIFY_SOCKET"]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.connect(f"\0{address[1:]}" if address.startswith("@") else address)
                sock.sendall(message.encode())
        except OSError as error:
            log.warning("Could not notify systemd at %s: %s", address, error.strerror)


def go_into_the_background() -> None:
    """End the process that was called, and go on in a child that has no terminal. Raises OSError."""
    if os.fork():
        os._exit(0)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    if nothing > 2:
        os.close(nothing)
