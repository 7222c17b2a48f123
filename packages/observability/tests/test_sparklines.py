"""The graph against a real server's: the same samples must give the same bytes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.observability.sparklines import COLUMNS, ago, latency_graph, sparkline
from cutaway.testing.fixtures import real_or_skip


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


@pytest.fixture(scope="module")
def real():
    with real_or_skip("redis", "--latency-monitor-threshold", "1") as server, server.connect() as peer:
        yield peer


def test_the_graph_is_the_real_servers_to_the_byte(real):
    for milliseconds in (3, 30, 12):
        real.ask("DEBUG", "SLEEP", milliseconds / 1000)
        time.sleep(1.01)
    for _ in range(5):
        before = int(time.time())
        picture = real.ask("LATENCY", "GRAPH", "command")
        if int(time.time()) == before:  # or else the labels are of another second
            break
    samples = [tuple(sample) for sample in real.ask("LATENCY", "HISTORY", "command")]
    latest = next(row for row in real.ask("LATENCY", "LATEST") if row[0] == b"command")
    assert latency_graph("command", samples, latest[3], before).encode() == picture
