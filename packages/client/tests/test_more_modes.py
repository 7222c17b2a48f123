"""What redis-cli can do instead of a command, and we too: hot keys, spectra, snapshots, the stream of writes."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cutaway.client import Address, Client
from cutaway.client.hot_keys import KEPT, Hottest
from cutaway.client.options import UsageError, parse
from cutaway.client.replicas import MARK_BYTES, Master
from cutaway.client.spectra import Spectrum, legend
from cutaway.testing import RealServer

OURS = [sys.executable, "-m", "cutaway.client"]
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


# ---- hot keys


def test_the_hottest_keys_are_kept_and_no_more() -> None:
    found = Hottest()
    counters = [number * 7 % 101 for number in range(100)]
    for counter in counters:
        found.take(b"k%d" % counter, counter)
    assert [counter for counter, _ in found.keys] == sorted(counters)[-KEPT:]
    assert not found.take(b"cold", 0)
    assert not found.take(b"lukewarm", 1)


def test_hotkeys_comes_to_the_same_as_redis_cli(server: RealServer, redis_cli: list[str], run: Run) -> None:
    with Client(Address(path=server.path)) as client:
        client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
        for number in range(8):
            client.call("SET", f"key {number}", "v")
        client.pipeline([("GET", "key 3")] * 200)
        try:
            expected, found = (
                run(program, "-s", server.path, "--hotkeys").stdout.partition(b"-------- summary")[2]
                for program in (redis_cli, OURS)
            )
        finally:
            client.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert sorted(found.splitlines()) == sorted(expected.splitlines())
    assert found.splitlines()[3].endswith(b'keyname: "key 3"')


def test_without_an_lfu_policy_hotkeys_says_what_the_server_says(server: RealServer, run: Run) -> None:
    with Client(Address(path=server.path)) as client:
        client.call("SET", "k", "v")
    done = run(OURS, "-s", server.path, "--hotkeys")
    assert done.returncode == 1
    assert b"LFU maxmemory policy is not selected" in done.stderr


# ---- spectra


def test_a_spectrum_has_a_cell_for_each_range_and_the_fullest_is_the_brightest() -> None:
    spectrum = Spectrum()
    for milliseconds in (0.2, 0.2, 0.2, 7.5, math.inf):
        spectrum.add(milliseconds)
    line = spectrum.line()
    assert "\x1b[48;5;184m*" not in line
    cells = {
        cell[-1]: int(cell[:-1].rstrip("m")) for cell in line.removesuffix("\x1b[0m").split("\x1b[48;5;")[1:]
    }
    assert len(cells) == 31
    assert cells["."] == cells["A"] == 0
    assert 0 < cells["8"] == cells["?"] != cells["*"]
    assert legend().count("\n") == 7


def test_the_intrinsic_latency_needs_no_server(run: Run) -> None:
    done = run(OURS, "-p", "1", "--intrinsic-latency", "1")
    assert done.returncode == 0
    assert b"Max latency so far: " in done.stdout
    assert b"total runs (avg latency: " in done.stdout


# ---- posing as a replica


def test_a_snapshot_is_fetched_and_a_real_server_finds_no_fault_in_it(
    server: RealServer, run: Run, tmp_path: Path
) -> None:
    with Client(Address(path=server.path)) as client:
        client.pipeline([("SET", f"k{number}", "x" * 1000) for number in range(300)])
    file = tmp_path / "dump.rdb"
    done = run(OURS, "-s", server.path, "--rdb", str(file))
    assert done.returncode == 0
    assert f"success after {file.stat().st_size} bytes" in done.stderr.decode()
    assert [each.name for each in tmp_path.iterdir()] == ["dump.rdb"]
    data = file.read_bytes()
    assert data[:5] in (b"REDIS", b"VALKE")
    assert data[-9] == 0xFF
    piped = run(OURS, "-s", server.path, "--rdb", "-").stdout
    assert piped[:5] == data[:5]
    functions = run(OURS, "-s", server.path, "--functions-rdb", "-").stdout
    assert len(functions) < len(data)


def test_a_server_without_replication_is_named_as_such(run: Run, tmp_path: Path, server: RealServer) -> None:
    with Client(Address(path=server.path)) as client:
        client.call("ACL", "SETUSER", "ada", "on", ">secret", "+@all", "-@dangerous", "~*")
    words = ["--user", "ada", "--pass", "secret", "--no-auth-warning"]
    done = run(OURS, "-s", server.path, *words, "--rdb", str(tmp_path / "x.rdb"))
    assert done.returncode == 1
    assert done.stderr.startswith(b"SYNC with master failed: NOPERM")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_the_mark_that_ends_a_snapshot_may_be_cut_anywhere(cut: int) -> None:
    mark = b"m" * 39 + b"!"
    assert len(mark) == MARK_BYTES
    sent = b"REDIS" + b"m" * 50 + mark + b"*1\r\n"
    pieces = [sent[place : place + cut] for place in range(0, len(sent), cut)]

    class Fed(Master):
        def __init__(self) -> None:
            self._buffer = b""

        def _receive(self) -> bytes:
            return pieces.pop(0)

    master = Fed()
    assert b"".join(master._until(mark)) == b"REDIS" + b"m" * 50
    assert (master._buffer + b"".join(pieces)) == b"*1\r\n"


def test_writes_are_shown_as_they_happen(server: RealServer) -> None:
    process = subprocess.Popen(
        [*OURS, "-s", server.path, "--replica"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    assert process.stdout is not None
    while b"Logging commands" not in process.stderr.readline():
        assert process.poll() is None
    with Client(Address(path=server.path)) as client:
        client.call("SET", "a b", 'say "hi"')
    seen = b""
    while b'"SET","a b","say \\"hi\\""\n' not in seen:
        line = process.stdout.readline()
        assert line
        seen += line
    process.terminate()
    process.communicate(timeout=10)


# ---- the command line


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-p", "abc"], "-p abc: not a whole number"),
        (["-i", "soon"], "-i soon: not a number of seconds"),
        (["--show-pushes", "maybe"], "Unknown --show-pushes value 'maybe' (valid: '[y]es', '[n]o')"),
        (["-u", "http://x"], "Invalid URI scheme"),
        (["-u", "redis://x:port"], "Port could not be cast"),
    ],
)
def test_a_word_that_makes_no_sense_is_named(words: list[str], complaint: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(words, {}, is_terminal=False)
    assert str(raised.value).startswith(complaint)


def test_options_that_only_redis_cli_needs_do_no_harm() -> None:
    options = parse(["-c", "--verbose", "--tls", "--tls-ciphers", "HIGH", "PING"], {}, is_terminal=False)
    assert options.command == [b"PING"]
    assert options.address.tls is not None
    assert options.address.tls.ciphers == "HIGH"
