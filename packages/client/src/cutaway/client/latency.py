"""``--latency`` and ``--latency-history``: how long a PING takes, a hundred times a second.

At a terminal one line is rewritten in place. Elsewhere it samples for a second (or ``-i`` seconds) and prints the result once. With
history, the line is left standing every 15 seconds (or ``-i``) and a new one begun.

The unit is the millisecond. A server that is near answers in a fraction of one, so, unlike in redis-cli, all numbers have decimals.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from cutaway.client.clients import Client
from cutaway.client.options import Options

PAUSE: Final = 0.01
HISTORY: Final = 15.0
_FORMATS: Final = {
    "standard": "min: {min:.2f}, max: {max:.2f}, avg: {avg:.2f} ({count} samples)",
    "csv": "{min:.2f},{max:.2f},{avg:.2f},{count}",
    "raw": "{min:.2f} {max:.2f} {avg:.2f} {count}",
    "json": '{{"min": {min:.2f}, "max": {max:.2f}, "avg": {avg:.2f}, "count": {count}}}',
}


@dataclass(slots=True)
class Samples:
    """The times that were measured, in milliseconds."""

    count: int = 0
    total: float = 0.0
    shortest: float = 0.0
    longest: float = 0.0

    def add(self, milliseconds: float) -> None:
        """One more."""
        self.shortest = min(self.shortest, milliseconds) if self.count else milliseconds
        self.longest = max(self.longest, milliseconds)
        self.total += milliseconds
        self.count += 1

    def write(self, format: str) -> str:
        """The samples as a line of a format."""
        average = self.total / self.count if self.count else 0.0
        template = _FORMATS.get(format, _FORMATS["json"])
        return template.format(min=self.shortest, max=self.longest, avg=average, count=self.count)


def measure(client: Client, options: Options) -> int:
    """Measure until interrupted, or once where nobody watches."""
    keeps_history = options.mode == "latency-history"
    watched = options.format.name == "standard"
    span = options.interval or (HISTORY if keeps_history else 1.0)
    samples = Samples()
    began = time.monotonic()
    try:
        while True:
            started = time.perf_counter()
            client.call("PING")
            samples.add((time.perf_counter() - started) * 1000)
            elapsed = time.monotonic() - began
            if watched:
                print(f"\r\x1b[2K{samples.write('standard')}", end="", flush=True)
            if elapsed > span and (keeps_history or not watched):
                if not watched:
                    print(samples.write(options.format.name), end="" if keeps_history else "\n", flush=True)
                if not keeps_history:
                    return 0
                print(f" -- {elapsed:.2f} seconds range", flush=True)
                samples, began = Samples(), time.monotonic()
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        print()
        return 0
