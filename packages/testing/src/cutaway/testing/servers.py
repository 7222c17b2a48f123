"""A server of one's own: started, waited for, and ended.

To start a server for a test is five lines, and each of them can go wrong once in a hundred runs. The socket's file is there
before anybody listens on it. A port that was free is taken. The server listens, and answers everything with `-LOADING`. It
ends at once because of an option it does not know, and the test waits for a minute and then says nothing of it. It
outlives the test, and a later one meets it.

`ServerProcess` is those lines, once. It runs a command and waits until a PING is answered; if that does not come true, the
error has the server's own words. `RealServer` is a Redis or a Valkey, found on this machine, with a unix socket in a short
folder; `PortServer` is any server that takes their options, on a port. Each ends the process that it started, and no other: at `stop` or `kill`, at the end of a `with` block, or at
the latest when it is garbage or the interpreter ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cutaway.testing.binaries import Kind, require
from cutaway.testing.folders import short_folder
from cutaway.testing.peers import Address, Peer, exchange, open_socket
from cutaway.testing.waiting import Closing

START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 60.0
_PAUSE: Final = 0.01


class StartError(RuntimeError):
    """The server ended, or did not answer in time. The text has the command, and what the server `printed`."""

    def __init__(self, what: str, command: Sequence[str], printed: str) -> None:
        super().__init__(f"the server {what}: {' '.join(command)}\n{printed}")
        self.printed: Final = printed


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess(Closing):
    """A server started with a command of one's own, at an address that the command makes it listen at.

    `log` is the file for what it prints. `shelf` is a folder that is removed with the server; a temporary one, if none is
    given, with the log in it. Raises StartError.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        address: Address,
        *,
        log: Path | None = None,
        shelf: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.command: Final = [str(word) for word in command]
        self.address: Final = address
        self._environment: Final = {**os.environ, **(environment or {})}
        shelf = shelf or short_folder()
        self._remove: Final = weakref.finalize(self, shutil.rmtree, shelf, ignore_errors=True)
        self.log: Final = log or shelf / "log"
        self.start()

    def start(self) -> None:
        """Start the server, for the first time or again, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - to run what it is given is what it is for
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
            )
        self._end = weakref.finalize(self, _end, self.process)
        limit, said = time.monotonic() + START_SECONDS, 0
        while not self.is_ready():
            if (size := self.log.stat().st_size) > said:  # it is at work, and says how far it is
                limit, said = time.monotonic() + START_SECONDS, size
            status = self.process.poll()
            if status is not None or time.monotonic() > limit:
                self.kill()
                what = "did not answer" if status is None else f"ended with status {status}"
                raise StartError(what, self.command, self.printed())
            time.sleep(_PAUSE)

    def is_ready(self) -> bool:
        """Whether the server answers, and has loaded its files. An error is an answer too: NOAUTH, for one."""
        try:
            with open_socket(self.address, 1) as probe:
                probe.sendall(b"PING\r\n")
                answer = probe.recv(100)
        except OSError:
            return False
        return bool(answer) and not answer.startswith(b"-LOADING")

    def connect(self, timeout: float = 10.0) -> Peer:
        """Open a connection."""
        return Peer(self.address, timeout)

    def exchange(self, data: bytes, seconds: float = 5.0) -> bytes:
        """Send bytes on a connection of their own; return all that the server says until it closes. See `exchange`."""
        return exchange(self.address, data, seconds)

    def printed(self) -> str:
        """What the server has printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def resident_bytes(self) -> int:
        """Memory that the process has in use and not swapped out, as Linux's /proc tells; 0 elsewhere."""
        status = Path(f"/proc/{self.process.pid}/status")
        for line in status.read_text().splitlines() if status.exists() else ():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def stop(self) -> int:
        """End the server with SIGTERM, as an administrator does, and return its exit status. Its files stay."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End the server with SIGKILL, as the lack of memory does. Its files stay."""
        self._end()

    def close(self) -> None:
        """Kill the server, and remove its temporary folder."""
        self.kill()
        self._remove()


class RealServer(ServerProcess):
    """A Redis or a Valkey on a unix socket, with no port, no snapshots, and DEBUG allowed.

    The options are those of the command line (`"--appendonly", "yes"`); what they say counts. `folder` is where the server
    keeps its files, by default a temporary one. Raises MissingServerError, StartError.
    """

    def __init__(self, kind: Kind, *options: str, folder: Path | None = None) -> None:
        binary, shelf = require(kind), short_folder()
        self.kind: Final = "redis" if binary.name == "redis-server" else "valkey"
        self.path: Final = str(shelf / "socket")
        self.folder: Final = folder or shelf
        usual = ["--port", "0", "--unixsocket", self.path, "--dir", str(self.folder), "--save", ""]
        command = [str(binary), *usual, "--enable-debug-command", "yes", *options]
        super().__init__(command, self.path, shelf=shelf)


class PortServer(ServerProcess):
    """A server of any make on a free port of 127.0.0.1, with its files in a temporary folder, and no snapshots.

    For libraries that know no unix socket, and for measurements of what goes over the loopback interface. The command is one
    that takes Redis's options: `PortServer([sys.executable, "-m", "server"])`. Raises StartError.
    """

    def __init__(self, command: Sequence[str | Path], *options: str) -> None:
        self.port: Final = free_port()
        shelf = short_folder()
        usual = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(shelf), "--save", ""]
        super().__init__([*command, *usual, *options], ("127.0.0.1", self.port), shelf=shelf)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that we started, if it still runs."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()
