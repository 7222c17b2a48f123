"""Which words of a request no log may show.

Passwords travel as arguments: of AUTH and HELLO, of ACL SETUSER, of CONFIG SET requirepass. Whatever keeps or
shows requests (the slow log, MONITOR, a client's last command) asks here first and gets them with
`(redacted)` in those places. The names of users count as secret where the real server thinks so too.

An argument is hidden by its place, before it is known whether it makes sense: a mistyped AUTH holds a
password all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from cutaway.commands.tables import Command
from cutaway.config import Config, ConfigError

HIDDEN: Final = b"(redacted)"

Secrets = Callable[[Config, Sequence[bytes]], Iterable[int]]


def redacted(config: Config, command: Command, argv: Sequence[bytes]) -> Sequence[bytes]:
    """The request as a log may show it; `argv` itself if there is nothing to hide. O(argv) for the few that hide something."""
    secrets = SECRETS.get(command.full_name)
    if secrets is None:
        return argv
    shown = list(argv)
    for place in secrets(config, argv):
        if place < len(shown):
            shown[place] = HIDDEN
    return shown


def _from(first: int) -> Secrets:
    return lambda _config, argv: range(first, len(argv))


def _of_hello(_config: Config, argv: Sequence[bytes]) -> Iterable[int]:
    """User and password behind each AUTH."""
    place = 2
    while place < len(argv):
        word = argv[place].upper()
        if word == b"AUTH":
            yield from (place + 1, place + 2)
        place += {b"AUTH": 3, b"SETNAME": 2}.get(word, 1)


def _of_migrate(_config: Config, argv: Sequence[bytes]) -> Iterable[int]:
    """The password behind AUTH, user and password behind AUTH2."""
    for place in range(6, len(argv)):
        word = argv[place].upper()
        if word == b"KEYS":
            return
        yield from range(place + 1, place + 1 + {b"AUTH": 1, b"AUTH2": 2}.get(word, 0))


def _of_config_set(config: Config, argv: Sequence[bytes]) -> Iterable[int]:
    """The values of the directives that hold a secret."""
    for place in range(2, len(argv), 2):
        try:
            if config.directive(argv[place].decode("utf-8", "surrogateescape")).sensitive:
                yield place + 1
        except ConfigError:
            continue


SECRETS: Final[dict[str, Secrets]] = {
    "auth": _from(1),
    "hello": _of_hello,
    "migrate": _of_migrate,
    "config|set": _of_config_set,
    "acl|setuser": _from(2),
    "acl|deluser": _from(2),
    "acl|getuser": _from(2),
}
