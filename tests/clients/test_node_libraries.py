"""Node's clients, and what is built on them: a queue of jobs, and a chat whose servers speak through pub/sub.

`nox -s clients` installs the libraries from npm into a folder of its own and says in NODE_PATH where that is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS = 90
NODE = shutil.which("node")
FOLDER = Path(os.environ.get("NODE_PATH", "absent"))


def run(program: str, library: str, *arguments: str | int) -> None:
    """Run one of the programs beside this file; it checks everything itself."""
    if NODE is None:
        pytest.skip("node is not installed")
    if not (FOLDER / library).is_dir():
        pytest.skip(f"{library} is installed by `nox -s clients`")
    command = [NODE, str(HERE / program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("library", ["ioredis", "redis"])
def test_every_type_of_data(url: str, port: int, library: str, protocol: int) -> None:
    run("data_types.cjs", library, library, protocol, port)


def test_bullmq_does_its_jobs(url: str, port: int) -> None:
    run("jobs.cjs", "bullmq", port)


@pytest.mark.parametrize("kind", ["plain", "sharded"])
def test_socket_io_carries_messages_between_two_processes(url: str, port: int, kind: str) -> None:
    run("chat.cjs", "@socket.io/redis-adapter", port, kind)
