"""Real servers for the tests that compare bytes: a Redis, and then a Valkey, spoken to by redis-py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redis

from cutaway.testing.fixtures import real_or_skip

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=["redis", "valkey"])
def server(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """A client, in RESP2, of a server that compresses nothing."""
    with (
        real_or_skip(request.param, "--rdbcompression", "no") as running,
        redis.Redis(unix_socket_path=running.path, protocol=2) as client,
    ):
        yield client
