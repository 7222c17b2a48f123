"""What a module can hear of the server: the events, and what is told of each.

An event is a small value with a name and, where that is not enough, who or what it is about. They come from three places: the
engine (clients, databases, settings, the regular work), the registry of modules (who came, who went), and the server
around them, which alone knows of files and of its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SERVER_EVENTS: Final = {
    "connect": "a client came; `client_id`",
    "disconnect": "a client went; `client_id`",
    "cron": "the regular work, about ten times a second",
    "flush": "databases were emptied; `databases`",
    "swap": "two databases exchanged their contents; `databases`",
    "config": "CONFIG SET changed settings; `what` has their names",
    "loading": "data is about to be loaded from a file",
    "loaded": "the data is there, and clients are served",
    "saving": 'a file is begun; `what` is ("rdb",) or ("aof",)',
    "saved": "it is complete; `what`",
    "save failed": "it was given up; `what`",
    "module loaded": "another module came; `what` has its name",
    "module unloaded": "another module went; `what` has its name",
    "shutdown": "the server stops; what is still written reaches the log, not the last snapshot",
}
"""What `on_server_event` can hear of, with its meaning."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """Something that happened to the server."""

    name: str
    """One of `SERVER_EVENTS`."""
    client_id: int = 0
    databases: tuple[int, ...] = ()
    what: tuple[str, ...] = ()
