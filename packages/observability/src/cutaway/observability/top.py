"""`top`: look at a server again and again.

Two commands do it, and PING: INFO everything and SLOWLOG GET. Whoever runs this brings the connection (anything that sends a command and gives
the reply), the clock and the waiting; so a test can be all three.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.live import Live

from cutaway.observability.dashboards import Dashboard, Sample

Call = Callable[..., object]
"""Sends a command, its words as arguments, and gives the reply; raises OSError if the server has gone."""

SLOW_LOG_ENTRIES: Final = 5


def look(call: Call, clock: Callable[[], float]) -> Sample:
    """Ask a server how it is. Raises what `call` raises, ValueError where INFO is refused."""
    started = clock()
    call("PING")
    answered = clock()
    info = call("INFO", "everything")
    if not isinstance(info, (bytes, str)):
        text = getattr(info, "text", None)  # a RESP3 verbatim string
        if not isinstance(text, bytes):
            raise ValueError(f"INFO answered {info!r}")  # noqa: TRY004 - the server's answer, not the caller's mistake
        info = text
    slow = call("SLOWLOG", "GET", SLOW_LOG_ENTRIES)
    return Sample(
        time=answered,
        info=info if isinstance(info, str) else info.decode("utf-8", "replace"),
        ping_seconds=answered - started,
        slow_log=slow if isinstance(slow, list) else (),
    )


def watch(
    call: Call,
    where: str,
    console: Console,
    *,
    clock: Callable[[], float],
    wait: Callable[[float], object],
    interval: float = 1.0,
    count: int | None = None,
) -> None:
    """Show the dashboard until it was drawn `count` times, for ever if that is None; `where` is the server's address.

    On a terminal the picture stays in its place; elsewhere each is printed below the one before.
    """
    dashboard = Dashboard()
    drawn = 0
    with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while count is None or drawn < count:
            if drawn:
                wait(interval)
            dashboard.add(look(call, clock))
            live.update(dashboard.render(where, console.width), refresh=True)
            drawn += 1
