"""Every client is an open file, and a process may have only so many: `maxclients` and the limit of the system brought together.

At the start the limit is raised as far as `maxclients` needs it. Where the system does not allow that, `maxclients` is lowered to
what it does allow, with a line in the log: a client who is told that there are too many knows more than one whose connection is
closed without a word. A later CONFIG SET that cannot be met is refused.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

from cutaway.config import ConfigError

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from cutaway.commands import Engine

RESERVED: Final = 32
"""Files that are no clients: listening sockets, logs, data files, the event loop's own."""
log: Final = logging.getLogger("cutaway.server")


def raised_to(wanted: int) -> int:
    """Let this process have `wanted` open files, if possible; how many it may have now."""
    if sys.platform == "win32":
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft in (resource.RLIM_INFINITY, -1) or soft >= wanted:
        return wanted
    most = wanted if hard in (resource.RLIM_INFINITY, -1) else min(wanted, hard)
    if most <= soft:
        return int(soft)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        return int(soft)
    log.info("Increased maximum number of open files to %d (it was originally set to %d).", most, soft)
    return most


def watch(engine: Engine) -> None:
    """Make room for `maxclients`, or lower it; from now on CONFIG SET can ask for no more than there is room for."""
    config = engine.config
    wanted = config.integer("maxclients")
    files = raised_to(wanted + RESERVED)
    if files < wanted + RESERVED:
        possible = max(files - RESERVED, 1)
        log.warning(
            "You requested maxclients of %d requiring at least %d max file descriptors, and %d is what the system allows. "
            "maxclients has been reduced to %d. If you need higher maxclients increase 'ulimit -n'.",
            wanted, wanted + RESERVED, files, possible,
        )  # fmt: skip
        config.assign("maxclients", possible)
    config.subscribe("maxclients", _make_room)


def _make_room(value: Any) -> None:
    files = raised_to(value + RESERVED)
    if files < value + RESERVED:
        raise ConfigError(
            "The operating system is not able to handle the specified number of clients, "
            f"try with {max(files - RESERVED, 1)}"
        )
