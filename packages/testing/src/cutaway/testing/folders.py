"""Folders whose path is short enough for a unix socket.

The address of a unix socket is a field of fixed size, 108 bytes on Linux and 104 on macOS, and the path has to fit into it with a zero
byte at its end. Temporary folders are often deeper than that: pytest's `tmp_path` repeats the name of the test, a CI
runner's TMPDIR lies below the checkout. What binds such a path fails with "AF_UNIX path too long", and only there. So a
socket gets a folder of its own, as near to the root as the machine allows.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

LONGEST_PATH: Final = 103
"""Bytes that a socket's path may have, with the smallest of the limits."""

ROOM: Final = 40
"""Bytes kept free for what comes below the temporary folder: `/cutaway-xxxxxxxx`, and names of files in it."""


def short_folder() -> Path:
    """Make an empty folder for a socket and return it; whoever asked removes it.

    It is in the system's temporary folder if that is short enough, otherwise in /tmp or /var/tmp. Raises OSError.
    """
    return Path(tempfile.mkdtemp(prefix="cutaway-", dir=_short_place()))


def _short_place() -> str | None:
    """Return a folder that a short path can begin with; None for the usual one if there is no better."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - a folder of its own is made in it
        if len(os.fsencode(place)) <= LONGEST_PATH - ROOM and os.access(place, os.W_OK | os.X_OK):
            return place
    return None
