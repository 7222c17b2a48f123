"""`maxclients` and the system's limit of open files."""

from __future__ import annotations

import sys

import pytest

resource = pytest.importorskip("resource", reason="there is no such limit on this system")


@pytest.fixture
def limited():
    """Servers that are started may open 200 files at first, and no more than 300."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[0] < 300:
        pytest.skip("the limit is low already")

    def lower(process: int) -> None:
        resource.prlimit(process, resource.RLIMIT_NOFILE, (200, 300))

    return lower


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets one set another process's limits")
def test_config_set_asks_for_no_more_clients_than_there_can_be_files(start, limited):
    server = start("--save", "", "--maxclients", "100")
    limited(server.process.pid)
    peer = server.connect()
    assert peer.ask("CONFIG", "SET", "maxclients", "250") == "OK"
    assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0] == 282
    refused = str(peer.ask("CONFIG", "SET", "maxclients", "5000"))
    assert refused == (
        "ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able to handle "
        "the specified number of clients, try with 268"
    )
    assert peer.ask("CONFIG", "GET", "maxclients") == [b"maxclients", b"250"]


def test_at_the_start_maxclients_is_lowered_to_what_is_possible(tmp_path, monkeypatch):
    from cutaway.config import Config
    from cutaway.server import descriptors
    from cutaway.server.app import compose
    from cutaway.server.parts import default_parts

    engine = compose(Config({"maxclients": "5000"}), default_parts())
    monkeypatch.setattr(descriptors, "raised_to", lambda wanted: min(wanted, 1000))
    descriptors.watch(engine)
    assert engine.config.integer("maxclients") == 968


def test_the_limit_is_raised_where_it_may_be(start):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 700:
        pytest.skip("the limit cannot be raised")
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, hard))
    try:
        server = start("--save", "", "--maxclients", "650")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert server.connect().ask("CONFIG", "GET", "maxclients") == [b"maxclients", b"650"]
    assert "Increased maximum number of open files to 682 (it was originally set to 600)." in server.printed()
