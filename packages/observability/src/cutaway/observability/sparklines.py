"""A graph of a few characters: LATENCY GRAPH's picture of the last spikes.

Each sample is a column, four rows high. A row shows three heights, `_`, `o` and `#`, so there are twelve steps from the least to the
most; below a full cell the column goes on as `|`. Under the columns stand their labels, written downwards: how long ago. ::

      #
     _|
     ||
    _||

    321
    sss

Redis: `sparkline.c`. The output is the same to the byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

COLUMNS: Final = 80
ROWS: Final = 4
CELLS: Final = "_o#"
FILLED: Final = "|"


def sparkline(
    values: Sequence[float], labels: Sequence[str] = (), *, columns: int = COLUMNS, rows: int = ROWS
) -> str:
    """The graph, in blocks of `columns` samples below each other; each line ends with a newline. O(n * rows)."""
    if not values:
        return ""
    heights = _heights(values, rows * len(CELLS))
    blocks = [
        "".join(f"{line}\n" for line in _block(heights[at : at + columns], labels[at : at + columns], rows))
        for at in range(0, len(values), columns)
    ]
    return "\n".join(blocks)


def _heights(values: Sequence[float], steps: int) -> list[int]:
    """Each value as a step between the least and the most. Values all alike stand on the ground."""
    least = min(values)
    span = max(values) - least or 1
    return [min(int((value - least) * steps / span), steps - 1) for value in values]


def _block(heights: Sequence[int], labels: Sequence[str], rows: int) -> Iterator[str]:
    for row in range(rows):
        below = (rows - row - 1) * len(CELLS)
        yield "".join(_cell(height - below) for height in heights)
    if any(labels):
        yield " " * len(heights)
        yield from ("".join(letters) for letters in zip_longest(*labels, fillvalue=" "))


def _cell(height: int) -> str:
    """What a column shows in a row that begins `height` steps below its top."""
    if height < 0:
        return " "
    return CELLS[height] if height < len(CELLS) else FILLED


def ago(seconds: int) -> str:
    """A label: "7s", "3m", "2h", "9d"."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def latency_graph(event: str, samples: Sequence[tuple[int, int]], highest: int, now: int) -> str:
    """LATENCY GRAPH's answer: `samples` are (seconds since the epoch, milliseconds), the oldest first."""
    latencies = [latency for _, latency in samples]
    title = (
        f"{event} - high {max(latencies, default=0)} ms, low {min(latencies, default=0)} ms "
        f"(all time high {highest} ms)"
    )
    return f"{title}\n{'-' * COLUMNS}\n{sparkline(latencies, [ago(now - time) for time, _ in samples])}"
