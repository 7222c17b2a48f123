"""Finding the keys of those few commands whose key specs cannot say where they are, or what is done with them.

A key spec is data, and data has limits: SORT's STORE may stand anywhere among options of different lengths, and SET only
writes unless it is told to GET as well. Each of these commands comes with a function that looks at the whole request.
What they find is what COMMAND GETKEYS answers and what an ACL rule is checked against.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands.key_specs import OW, RO, RW, KeySpec

Found = list[tuple[int, KeySpec]]

_READ: Final = RO(1)
_WRITTEN: Final = OW(1)
_CHANGED: Final = RW(1, "access update")
_TAKEN_AWAY: Final = RW(1, "access delete")


def set_keys(argv: Sequence[bytes]) -> Found:
    """SET overwrites its key; with GET it also shows what was there."""
    return [(1, _CHANGED if any(word.upper() == b"GET" for word in argv[3:]) else _WRITTEN)]


def bitfield_keys(argv: Sequence[bytes]) -> Found:
    """BITFIELD reads if all it does is GET, and otherwise changes its key."""
    position = 2
    while position < len(argv):
        word, left = argv[position].upper(), len(argv) - position - 1
        if word == b"GET" and left >= 2:
            position += 3
        elif word == b"OVERFLOW" and left >= 1:
            position += 2
        else:
            return [(1, _CHANGED)]
    return [(1, _READ)]


def sort_keys(argv: Sequence[bytes]) -> Found:
    """SORT reads its key and overwrites the last STORE's; the keys its patterns make depend on the data."""
    found: Found = [(1, _READ)]
    position = 2
    while position < len(argv):
        word = argv[position].upper()
        if word == b"STORE" and position + 1 < len(argv):
            found[1:] = [(position + 1, _WRITTEN)]
        position += {b"LIMIT": 3, b"GET": 2, b"BY": 2}.get(word, 1)
    return found


def sort_ro_keys(_argv: Sequence[bytes]) -> Found:
    """SORT_RO reads its key."""
    return [(1, _READ)]


def georadius_keys(argv: Sequence[bytes]) -> Found:
    """GEORADIUS and GEORADIUSBYMEMBER read a key, and overwrite that of the last STORE or STOREDIST."""
    found: Found = [(1, _READ)]
    position = 5
    while position < len(argv) - 1:
        if argv[position].upper() in {b"STORE", b"STOREDIST"}:
            position += 1
            found[1:] = [(position, _WRITTEN)]
        position += 1
    return found


def migrate_keys(argv: Sequence[bytes]) -> Found:
    """MIGRATE takes away one key, the third argument, or where that is empty all that follow KEYS."""
    position = 6
    while position < len(argv):
        word = argv[position].upper()
        if word == b"KEYS":
            return [] if argv[3] else [(place, _TAKEN_AWAY) for place in range(position + 1, len(argv))]
        position += {b"AUTH": 2, b"AUTH2": 3}.get(word, 1)
    return [(3, _TAKEN_AWAY)]
