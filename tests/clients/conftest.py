"""The server as the libraries of others meet it. `SERVER=redis-server` runs the same tests on a real one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

START_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until a PING is answered."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as probe:
                probe.sendall(b"PING\r\n")
                if probe.recv(100) == b"+PONG\r\n":
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that the module has for itself."""
    number, folder = free_port(), tmp_path_factory.mktemp("server")
    program = [os.environ["SERVER"]] if "SERVER" in os.environ else [sys.executable, "-m", "server"]
    arguments = ["--port", str(number), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    with Path(folder / "log").open("wb") as log:
        process = subprocess.Popen([*program, *arguments], stdout=log, stderr=log)
    try:
        wait_for(number, process)
        yield number
    finally:
        process.terminate()
        process.wait(20)
    assert b"this is a bug" not in (folder / "log").read_bytes()


@pytest.fixture
def url(port: int) -> str:
    """An empty server's address."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(b"FLUSHALL\r\n")
        assert client.recv(100) == b"+OK\r\n"
    return f"redis://127.0.0.1:{port}/0"
