"""What was typed before: kept in a file, passwords left out.

The file is the one that ``REDISCLI_HISTFILE`` names, else ``.cutaway_history`` in the home directory; ``/dev/null`` keeps it in memory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from cutaway.client.passwords import is_secret
from cutaway.resp.inline import split_inline


class CarefulHistory(FileHistory):
    """A history that forgets at once what holds a password."""

    def append_string(self, string: str) -> None:
        """Remember a line, unless it is secret."""
        try:
            argv = split_inline(os.fsencode(string))
        except ValueError:
            argv = []
        if not is_secret(argv):
            super().append_string(string)


def open_history(environment: Mapping[str, str] = os.environ) -> History:
    """The history of this user, or one in memory if it cannot be kept."""
    path = Path(environment.get("REDISCLI_HISTFILE") or Path.home() / ".cutaway_history")
    folder = path.parent
    if path == Path(os.devnull) or not folder.is_dir() or not os.access(folder, os.W_OK):
        return InMemoryHistory()
    return CarefulHistory(str(path))
