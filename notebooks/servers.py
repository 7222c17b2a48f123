"""A server in a process of its own, for notebooks that look at one from outside, or kill it.

    with Server("--maxclients", "10") as server:
        server.connect().call("PING")

It listens on a free port of this machine, and keeps its files in a folder that goes when it does.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from cutaway.client import Client

START_SECONDS = 60


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`python -m server`, with options of your own, in a folder that is gone when the server is."""

    def __init__(self, *options: str) -> None:
        self.options = options
        self._folder = TemporaryDirectory(ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self._log = self.folder / "log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()

    @property
    def log(self) -> str:
        """What it has written to its log so far."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start it, or start it again in the same folder, and return when it answers."""
        self.port = free_port()
        where = ["--port", str(self.port), "--dir", str(self.folder), "--save", ""]
        command = [sys.executable, "-m", "server", *where, *self.options]
        with self._log.open("ab") as log:
            started = log.tell()
            self.process = subprocess.Popen(  # noqa: S603 - it is this very Python
                command, stdout=log, stderr=log, env={**os.environ, "NO_COLOR": "1"}
            )
        for _ in range(START_SECONDS * 50):
            if b"Ready to accept connections" in self._log.read_bytes()[started:]:
                return
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1 / 50)
                break
        raise RuntimeError(f"the server did not start:\n{self.log}")

    def connect(self, **options: object) -> Client:
        """A client of it."""
        return Client(f"redis://127.0.0.1:{self.port}/0", timeout=10, **options)  # type: ignore[arg-type]

    def open_socket(self) -> socket.socket:
        """A connection without a client, for those who do not behave."""
        return socket.create_connection(("127.0.0.1", self.port), 10)

    def kill(self) -> None:
        """`kill -9`, without a word of warning."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
