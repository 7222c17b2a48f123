"""Which commands hold a password: they are kept out of the history, and their arguments are not shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_SECRET_SETTINGS: Final = {b"masterauth", b"masteruser", b"requirepass"}


def is_secret(argv: Sequence[bytes]) -> bool:
    """Whether a command holds a password, and so has no place in the history."""
    words = [word.lower() for word in argv]
    match words:
        case [b"auth", *_] | [b"acl", b"setuser", *_]:
            return True
        case [b"config", b"set", *settings]:
            return not _SECRET_SETTINGS.isdisjoint(settings[::2])
        case [b"hello", _, *options]:
            return b"auth" in options
        case [b"migrate", _, _, _, _, _, *options]:
            return b"auth" in options or b"auth2" in options
        case _:
            return False
