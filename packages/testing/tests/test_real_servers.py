"""A real server is started, waited for, spoken to and ended; and what goes wrong is told."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cutaway.testing import (
    MissingServerError,
    Peer,
    RealServer,
    ServerProcess,
    StartError,
    binaries,
    find,
    free_port,
    require,
    short_folder,
)
from cutaway.testing.folders import LONGEST_PATH

StartReal = Callable[..., RealServer]


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_server_answers_as_soon_as_it_is_there(start_real: StartReal, kind: str) -> None:
    server = start_real(kind)
    with server.connect() as peer:
        assert peer.ask("PING") == "PONG"
        assert (f"{kind}_version:".encode() in peer.ask_bytes("INFO", "server")) is True
    assert server.kind == kind


def test_any_is_valkey_for_choice(real_server: RealServer) -> None:
    assert real_server.kind == ("valkey" if find("valkey") else "redis")


def test_options_come_after_the_usual_ones_and_count(start_real: StartReal) -> None:
    with start_real("any", "--save", "60 1", "--appendonly", "yes").connect() as peer:
        assert peer.ask("CONFIG", "GET", "save") == [b"save", b"60 1"]
        assert peer.ask("CONFIG", "GET", "appendonly") == [b"appendonly", b"yes"]


def test_what_was_saved_in_a_folder_is_served_by_the_next_server_there(
    start_real: StartReal, tmp_path: Path
) -> None:
    server = start_real("any", folder=tmp_path)
    with server.connect() as peer:
        peer.ask("SET", "k", "v")
        assert peer.ask("SAVE") == "OK"
    assert server.stop() == 0
    assert not server.is_running()
    with start_real("any", folder=tmp_path).connect() as peer:
        assert peer.ask("GET", "k") == b"v"


def test_a_server_that_was_killed_starts_again_at_the_same_address(start_real: StartReal) -> None:
    server = start_real("any")
    first = server.process.pid
    server.kill()
    server.kill()
    assert not server.is_running()
    server.start()
    assert server.process.pid != first
    with server.connect() as peer:
        assert peer.ask("PING") == "PONG"


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    kind = next(iter(binaries()), None)
    if kind is None:
        pytest.skip("no real server here")
    with pytest.raises(StartError, match=r"ended with status 1: .*--nonsense[\s\S]*Bad directive"):
        RealServer(kind, "--nonsense", "yes")


def test_the_process_and_the_folder_go_with_the_server() -> None:
    if find("any") is None:
        pytest.skip("no real server here")
    with RealServer("any") as server:
        pid, folder = server.process.pid, Path(server.path).parent
        assert folder.is_dir()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    server = RealServer("any")
    pid, folder = server.process.pid, Path(server.path).parent
    del server
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_folder_that_somebody_gave_is_left(start_real: StartReal, tmp_path: Path) -> None:
    start_real("any", folder=tmp_path).close()
    assert tmp_path.is_dir()


def test_somebody_elses_command_and_a_port_will_do_too() -> None:
    binary = find("any")
    if binary is None:
        pytest.skip("no real server here")
    port = free_port()
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "x"]
    with ServerProcess(command, ("127.0.0.1", port)) as server:
        assert server.exchange(b"PING\r\n").startswith(b"-NOAUTH")
        assert str(port) in server.printed()
        assert server.process.returncode is None
        os.kill(server.process.pid, signal.SIGTERM)
        assert server.process.wait(20) == 0


def test_a_deep_temporary_folder_does_not_make_a_socket_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    folder = short_folder()
    try:
        assert len(os.fsencode(folder / "socket")) <= LONGEST_PATH
        assert not folder.is_relative_to(deep)
    finally:
        folder.rmdir()


def test_what_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert find("redis") is None
    assert "redis" not in binaries()
    with pytest.raises(MissingServerError, match=r"no redis-server .* install redis-server"):
        require("redis")
    with pytest.raises(MissingServerError):
        RealServer("redis")


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"PING\r\n", b"+PONG\r\n"),
        (b"*1\r\n$4\r\nPI", b""),
        (b"PING\r\n*1\r\n$4\r\nPI", b"+PONG\r\n"),
        (b"SET k v\r\nGET k\r\n", b"+OK\r\n$1\r\nv\r\n"),
        (b"PING\r\nBLPOP nothing 0\r\n", b"+PONG\r\n"),
        (b"*x\r\nPING\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
        (b"QUIT\r\nPING\r\n", b"+OK\r\n"),
        (b"", b""),
    ],
)
def test_bytes_are_exchanged_for_all_that_the_server_says(
    real_server: RealServer, sent: bytes, answered: bytes
) -> None:
    assert real_server.exchange(sent) == answered


def test_an_exchange_leaves_other_connections_alone(real_server: RealServer) -> None:
    with Peer(real_server.address) as peer:
        peer.send("CLIENT", "ID")
        real_server.exchange(b"*x\r\n")
        assert isinstance(peer.read(), int)
        assert peer.is_open()
