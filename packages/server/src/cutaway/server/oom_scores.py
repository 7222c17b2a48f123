"""Who is to go first when the machine is out of memory: `oom-score-adj`.

Linux then ends the process with the highest score. A snapshot's child can be made up for more easily than the server, so it can be
given a higher score: `oom-score-adj-values` has one for a primary, one for a replica and one for a child, absolute or relative to
the score that the process had when it was started. Switched off again, the process gets that one back.

To lower a score takes a privilege. CONFIG SET then fails, and nothing has changed.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cutaway.config import ConfigError

if TYPE_CHECKING:
    from cutaway.commands import Engine

log: Final = logging.getLogger("cutaway.server")

PRIMARY: Final = 0
CHILD: Final = 2
"""Where a kind of process has its value in `oom-score-adj-values`."""
HIGHEST: Final = 1000


class OomScore:
    """The score of this process and of its children."""

    __slots__ = ("_base", "_config", "_is_running")

    def __init__(self, engine: Engine) -> None:
        self._config: Final = engine.config
        self._base: int | None = None
        """The score before it was changed here; None while it is not."""
        self._is_running = False
        engine.extras["on_child"] = self.mark_child
        for name in ("oom-score-adj", "oom-score-adj-values"):
            engine.config.subscribe(name, self._follow)
        self._is_running = True

    def _follow(self, _value: Any) -> None:
        """Set the score as configured. Raises ConfigError, but not at the start: a server runs with any score."""
        try:
            if self._config.text("oom-score-adj") != "no":
                if self._base is None:
                    self._base = int(_file("self").read_text())
                self._write("self", PRIMARY)
            elif self._base is not None:
                _file("self").write_text(str(self._base))
                self._base = None
        except OSError as error:
            log.warning("Unable to write oom_score_adj: %s", error.strerror)
            if self._is_running:
                raise ConfigError("Failed to set current oom_score_adj. Check server logs.") from None

    def mark_child(self, pid: int) -> None:
        """A child was started that writes a file."""
        if self._base is not None:
            try:
                self._write(str(pid), CHILD)
            except OSError as error:
                log.warning("Unable to write oom_score_adj of the child %d: %s", pid, error.strerror)

    def _write(self, process: str, kind: int) -> None:
        values: Any = self._config["oom-score-adj-values"]
        base = self._base if self._base is not None and self._config.text("oom-score-adj") == "yes" else 0
        _file(process).write_text(str(max(-HIGHEST, min(base + values[kind], HIGHEST))))


def _file(process: str) -> Path:
    return Path("/proc") / process / "oom_score_adj"
