"""The servers that are measured, and how to start and end each of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cutaway.testing import binaries, free_port

FAKEREDIS = (
    "import sys; from fakeredis import TcpFakeServer; "
    "TcpFakeServer(('127.0.0.1', int(sys.argv[1])), server_type='redis').serve_forever()"
)
START_SECONDS = 60


@dataclass
class Rival:
    """A server process on loopback."""

    name: str
    command: Sequence[str]
    version: str = ""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[Rival]:
        """The server, started, answering, and ended again."""
        folder = tempfile.mkdtemp(prefix="bench-")
        words = [word.replace("PORT", str(self.port)) for word in self.command]
        with subprocess.Popen(
            words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            self.process = process
            try:
                self._wait()
                yield self
            finally:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                shutil.rmtree(folder, ignore_errors=True)

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if time.monotonic() > end:
                raise TimeoutError(f"{self.name} does not answer on port {self.port}")
            time.sleep(0.05)

    def processor_seconds(self) -> float:
        """How long the server has been on a processor so far."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """The process's resident memory."""
        assert self.process is not None
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0


def _version(binary: Path) -> str:
    words = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout.split()
    return next((word.removeprefix("v=") for word in words if word.startswith("v=")), "")


def rivals(names: Sequence[str], compiled: str = "") -> list[Rival]:
    """Those of the servers named that are installed here; redis-server, the yardstick, first.

    `compiled` is the Python of an environment with compiled wheels: one server more.
    """
    quiet = ["--port", "PORT", "--save", "", "--bind", "127.0.0.1"]
    found: list[Rival] = []
    for kind, binary in binaries().items():
        name = "redis-server" if kind == "redis" else kind
        found.append(Rival(name, [str(binary), *quiet], _version(binary)))
    found.append(Rival("cutaway", [sys.executable, "-m", "server", *quiet], "interpreted"))
    if compiled:
        found.append(Rival("compiled", [compiled, "-m", "server", *quiet], "cutaway"))
    with contextlib.suppress(ImportError):
        import fakeredis

        found.append(
            Rival(
                "fakeredis", [sys.executable, "-c", FAKEREDIS, "PORT"], getattr(fakeredis, "__version__", "")
            )
        )
    os.environ.setdefault("PYTHONHASHSEED", "random")
    return [rival for rival in found if rival.name in (*names, "compiled")]
