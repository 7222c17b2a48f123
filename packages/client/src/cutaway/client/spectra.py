"""``--latency-dist``: latencies as a spectrum, and ``--intrinsic-latency``: what the machine alone costs.

A spectrum is one line a second (or ``-i`` seconds). From left to right it has a cell for each range of latencies, finer where
it matters; the more of the samples fall into a range, the brighter its cell. A server at rest gives a bright stripe on the left;
a second stripe is a population of slow answers, which no average would show. It needs a terminal of 256 colours.

The intrinsic latency needs no server: a loop asks for the time again and again, and whatever makes two answers lie far apart (another
process, the hypervisor) would do the same to a server. Python's loop is coarser than C's, so the average is larger than in
redis-cli; what is looked for, the worst case, is the same.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from typing import Final

from cutaway.client.clients import Client
from cutaway.client.latency import PAUSE
from cutaway.client.options import Options

_CELLS: Final = (
    (".", 0.01), ("-", 0.125), ("*", 0.25), ("#", 0.5), *((str(number), float(number)) for number in range(1, 10)),
    ("A", 10), ("B", 20), ("C", 30), ("D", 40), ("E", 50), ("F", 100), ("G", 200), ("H", 300), ("I", 400), ("J", 500),
    ("K", 1000), ("L", 2000), ("M", 4000), ("N", 8000), ("O", 16000), ("P", 30000), ("Q", 60000), ("?", math.inf),
)  # fmt: skip
"""The sign of each range and its upper end in milliseconds; signs and ranges are redis-cli's."""
_ENDS: Final = [end for _, end in _CELLS]
_PALETTE: Final = (
    0,
    233,
    234,
    235,
    237,
    239,
    241,
    243,
    245,
    247,
    144,
    143,
    142,
    184,
    226,
    214,
    208,
    202,
    196,
)
"""Colours of a 256-colour terminal, from nothing to everything: black, greys, yellow, red."""
_LEGEND: Final = (
    ". - * #          .01 .125 .25 .5 milliseconds",
    "1,2,3,...,9      from 1 to 9     milliseconds",
    "A,B,C,D,E        10,20,30,40,50  milliseconds",
    "F,G,H,I,J        .1,.2,.3,.4,.5       seconds",
    "K,L,M,N,O,P,Q,?  1,2,4,8,16,30,60,>60 seconds",
)
_LEGEND_EVERY: Final = 20


class Spectrum:
    """How many samples fell into each range."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: Final = [0] * len(_CELLS)

    def add(self, milliseconds: float) -> None:
        """One more sample. O(log ranges)."""
        self.counts[bisect_left(_ENDS, milliseconds)] += 1

    def line(self) -> str:
        """The samples as one line of coloured cells."""
        total = sum(self.counts) or 1
        cells = (
            _cell(_PALETTE[math.ceil(count / total * (len(_PALETTE) - 1))], sign)
            for count, (sign, _) in zip(self.counts, _CELLS, strict=True)
        )
        return "\x1b[38;5;0m" + "".join(cells) + "\x1b[0m"


def _cell(color: int, sign: str) -> str:
    return f"\x1b[48;5;{color}m{sign}"


def legend() -> str:
    """What the signs and the colours mean."""
    rule = "-" * len(_LEGEND[0])
    colors = "".join(_cell(color, " ") for color in _PALETTE)
    return "\n".join([rule, *_LEGEND, f"From 0 to 100%: {colors}\x1b[0m", rule])


def spectrum(client: Client, options: Options) -> int:
    """Print a line every `interval` seconds, until interrupted."""
    number = 0
    try:
        while True:
            if number % _LEGEND_EVERY == 0:
                print(legend())
            print(_sample(client, options.interval or 1.0).line(), flush=True)
            number += 1
    except KeyboardInterrupt:
        return 0


def _sample(client: Client, seconds: float) -> Spectrum:
    found = Spectrum()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.perf_counter()
        client.call("PING")
        found.add((time.perf_counter() - started) * 1000)
        time.sleep(PAUSE)
    return found


def intrinsic(options: Options) -> int:
    """Measure for as many seconds as asked how long this process is kept from running."""
    runs = worst = 0
    clock = time.perf_counter_ns
    began = before = clock()
    end = began + options.seconds * 10**9
    try:
        while before < end:
            now = clock()
            if now - before > worst:
                worst = now - before
                print(f"Max latency so far: {worst // 1000} microseconds.", flush=True)
                now = clock()  # printing is not what is measured
            before = now
            runs += 1
    except KeyboardInterrupt:
        pass
    average = (before - began) / max(runs, 1)
    print(
        f"\n{runs} total runs (avg latency: {average / 1000:.4f} microseconds / {average:.2f} nanoseconds per run).\n"
        f"Worst run took {worst / average if average else 0:.0f}x longer than the average latency."
    )
    return 0
