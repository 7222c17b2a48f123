"""Fixtures of pytest: a real server for the tests of a module, or some for one test.

The package declares this module as a plugin, so the fixtures are there wherever it is installed. Servers are shared by a
module and no further: to start one takes some forty milliseconds, to find out which test of another module has left a setting
behind takes longer. A room that needs a server with options of its own makes a fixture, of any scope, from `real_or_skip`; one that derives a class from `RealServer`, from `or_skip`:

    @pytest.fixture(scope="module")
    def server():
        with real_or_skip("redis", "--appendonly", "yes") as server:
            yield server
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from cutaway.testing.binaries import Kind, MissingServerError
from cutaway.testing.folders import short_folder
from cutaway.testing.servers import RealServer, ServerProcess

Arguments = ParamSpec("Arguments")
Server = TypeVar("Server", bound=ServerProcess)
StartReal = Callable[..., RealServer]
"""`start_real("redis", "--appendonly", "yes", folder=…)`: kind, options, and where the files are."""


def or_skip(start: Callable[Arguments, Server], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Server:
    """Call what starts a real server; skip the test if this machine has none. One that does not start is a failure."""
    try:
        return start(*args, **kwargs)
    except MissingServerError as missing:
        pytest.skip(str(missing))


def real_or_skip(kind: Kind, *options: str, folder: Path | None = None) -> RealServer:
    """Start a real server; skip the test if this machine has none."""
    return or_skip(RealServer, kind, *options, folder=folder)


@pytest.fixture
def start_real() -> Iterator[StartReal]:
    """A function that starts real servers, which end with the test."""
    with ExitStack() as started:

        def start(kind: Kind, *options: str, folder: Path | None = None) -> RealServer:
            return started.enter_context(real_or_skip(kind, *options, folder=folder))

        yield start


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RealServer]:
    """A Redis for the tests of a module. Leave it as you would like to find it."""
    with real_or_skip("redis") as server:
        yield server


@pytest.fixture(scope="module")
def valkey_server() -> Iterator[RealServer]:
    """A Valkey for the tests of a module. Leave it as you would like to find it."""
    with real_or_skip("valkey") as server:
        yield server


@pytest.fixture(scope="module")
def real_server() -> Iterator[RealServer]:
    """The reference for the tests of a module: a Valkey, or else a Redis."""
    with real_or_skip("any") as server:
        yield server


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """An empty folder whose path is short enough for a unix socket."""
    folder = short_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
