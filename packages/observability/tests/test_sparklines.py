"""The graph against a real server's: the same samples must give the same bytes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.observability.sparklines import COLUMNS, ago, latency_graph, sparkline


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=2 * COLUMNS + 5))
def test_every_line_of_a_block_is_as_wide_as_its_samples(values):
    blocks = sparkline(values, [ago(value) for value in values]).split("\n\n")
    assert len(blocks) == -(-len(values) // COLUMNS)
    widths = [min(COLUMNS, len(values) - at) for at in range(0, len(values), COLUMNS)]
    for block, width in zip(blocks, widths, strict=True):
        assert {len(line) for line in block.rstrip("\n").split("\n")} == {width}


def test_a_higher_value_is_never_drawn_lower():
    rows = sparkline(list(range(13))).split("\n")[:4]
    heights = [sum(rows[row][column] != " " for row in range(4)) for column in range(13)]
    assert heights == sorted(heights)
    assert heights[0] == 1
    assert heights[-1] == 4


def test_values_all_alike_stand_on_the_ground():
    assert sparkline([7, 7, 7]).split("\n")[:4] == ["   ", "   ", "   ", "___"]


@pytest.mark.parametrize(
    ("seconds", "label"), [(0, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (172800, "2d")]
)
def test_labels_say_how_long_ago(seconds, label):
    assert ago(seconds) == label


class Real:
    """A real server, spoken to with inline commands."""

    def __init__(self, binary: str, folder: Path) -> None:
        path = folder / "sock"
        self.process = subprocess.Popen(
            [binary, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder),
             "--enable-debug-command", "yes", "--latency-monitor-threshold", "1"],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 20
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        self.file = self.socket.makefile("rb")

    def ask(self, line: str) -> object:
        self.socket.sendall(f"{line}\r\n".encode())
        return self._read()

    def _read(self) -> object:
        kind, rest = (head := self.file.readline())[:1], head[1:-2]
        if kind == b"*":
            return [self._read() for _ in range(int(rest))]
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        return int(rest) if kind == b":" else rest


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        pytest.skip("there is no redis-server to compare with")
    server = Real(binary, tmp_path_factory.mktemp("real"))
    yield server
    server.process.kill()
    server.process.wait()


def test_the_graph_is_the_real_servers_to_the_byte(real):
    for milliseconds in (3, 30, 12):
        real.ask(f"DEBUG SLEEP {milliseconds / 1000}")
        time.sleep(1.01)
    for _ in range(5):
        before = int(time.time())
        picture = real.ask("LATENCY GRAPH command")
        if int(time.time()) == before:  # or else the labels are of another second
            break
    samples = [tuple(sample) for sample in real.ask("LATENCY HISTORY command")]
    latest = next(row for row in real.ask("LATENCY LATEST") if row[0] == b"command")
    assert latency_graph("command", samples, latest[3], before).encode() == picture
