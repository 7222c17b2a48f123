"""What `ps` and `top` call the process: `set-proc-title` and `proc-title-template`.

Several servers on one machine look all the same in a list of processes: `python -m server`, and a file. So a server writes over its own
command line, as Redis does, with what tells it from the others: how it was called, its address, its port, its file. The children that
write snapshots and logs say what they are doing.

The kernel reads a command line from the process's own memory, where the arguments were at its start. Python has no access to
it; the library `setproctitle` has. Where that is not installed the title stays as it was.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cutaway.config import Config
from cutaway.server.children import on_birth

NAME: Final = "cutaway-server"
"""How a server that was started with `python -m` is called; a script, or a link to one, is called by its path."""
VARIABLE: Final = re.compile(r"\{(?:(\{)|([^}]*)\})")
CHILDREN: Final = {"rdb": "redis-rdb-bgsave", "aof": "redis-aof-rewrite"}
"""The titles of children by their kind: the words that tools which watch a Redis look for."""


def expand(template: str, values: dict[str, str]) -> str:
    """The template with its variables filled in; `{{` stands for a brace. O(length)."""
    return VARIABLE.sub(lambda found: found[1] or values[found[2]], template).strip(" ")


def called(argument: str) -> str:
    """The title of a process whose `sys.argv[0]` this is."""
    return NAME if not argument or Path(argument).name == "__main__.py" else argument


class ProcessTitle:
    """The title of this process, and of its children."""

    __slots__ = ("_config", "_config_file", "_set")

    def __init__(
        self, config: Config, config_file: str | None = None, set_title: Callable[[str], None] | None = None
    ) -> None:
        """Set the title now, and with each CONFIG SET, if `set-proc-title` says so. `set_title` does it; the library's by default."""
        self._config: Final = config
        self._config_file: Final = config_file
        self._set: Final = set_title or _library()
        if self._set is not None and config.boolean("set-proc-title"):
            self._rename(called(sys.argv[0]))
            config.on_set = (*config.on_set, lambda _names: self._rename(called(sys.argv[0])))
            on_birth.append(lambda kind: self._rename(CHILDREN[kind]))

    def _rename(self, title: str) -> None:
        if self._set is not None:
            self._set(expand(self._config.text("proc-title-template"), self._values(title)))

    def _values(self, title: str) -> dict[str, str]:
        config = self._config
        hosts: Any = config["bind"]
        port, tls_port, path = config.integer("port"), config.integer("tls-port"), config.text("unixsocket")
        where = f"{hosts[0] if hosts else '*'}:{port or tls_port}"
        return {
            "title": title,
            "listen-addr": where if port or tls_port else f"unixsocket:{path}",
            "server-mode": "",
            "port": str(port),
            "tls-port": str(tls_port),
            "unixsocket": path,
            "config-file": self._config_file or "-",
        }


def _library() -> Callable[[str], None] | None:
    try:
        from setproctitle import setproctitle  # noqa: PLC0415 - optional: not every platform has it
    except ImportError:
        return None
    return setproctitle
