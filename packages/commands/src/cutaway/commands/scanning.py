"""SCAN and its family: an iteration that needs no memory on the server.

The cursor is a position in the hash table, counted in the order of `Dict.scan`; everything that is there for the whole scan is
returned, some of it perhaps twice. A small collection kept flat (listpack, intset) has no table: it is returned whole, and the
cursor is 0 at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.generic import generic
from cutaway.commands.keyspaces import type_name
from cutaway.config import matcher
from cutaway.resp import Reply

DEFAULT_COUNT: Final = 10
MAX_CURSOR: Final = 2**64 - 1
_STRTOULL: Final = re.compile(rb"[ \t-\r]*[+-]?[0-9]{1,4000}")

TYPE_NAMES: Final = frozenset({"string", "list", "set", "zset", "hash", "stream"})
_NO_VALUES: Final = {b"novalues": "HSCAN", b"noscores": "ZSCAN"}


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """MATCH, COUNT, TYPE, NOVALUES and NOSCORES."""

    pattern: bytes | None = None
    count: int = DEFAULT_COUNT
    kind: str | None = None
    values: bool = True


def parse_cursor(text: bytes) -> int:
    """A cursor is an unsigned 64-bit number: any canonical one, or else what C's strtoull makes of it."""
    cursor = arguments.integer_or_none(text)
    if cursor is None and _STRTOULL.fullmatch(text) and abs(int(text)) <= MAX_CURSOR:
        cursor = int(text) & MAX_CURSOR
    if cursor is None or cursor < 0:
        raise errors.INVALID_CURSOR
    return cursor


def parse_scan_options(
    words: Sequence[bytes], *, novalues: bytes = b"", kinds: Collection[str] = ()
) -> ScanOptions:
    """The options after the cursor; each command has some of them.

    `novalues` is the word that leaves out values (HSCAN's, ZSCAN's); `kinds` are the types that TYPE may name.
    """
    pattern: bytes | None = None
    count = DEFAULT_COUNT
    kind: str | None = None
    values = True
    position = 0
    while position < len(words):
        word = words[position].lower()
        if word in _NO_VALUES:
            if word != novalues:
                raise errors.CommandError(
                    f"ERR {word.decode().upper()} option can only be used in {_NO_VALUES[word]}"
                )
            values = False
            position += 1
            continue
        if position + 1 >= len(words):
            raise errors.SYNTAX
        value = words[position + 1]
        if word == b"count":
            count = arguments.integer(value)
            if count < 1:
                raise errors.SYNTAX
        elif word == b"match":
            pattern = None if value == b"*" else value
        elif word == b"type" and kinds:
            wanted = value.decode("latin-1").lower()
            kind = next((each for each in kinds if each.lower() == wanted), None)
            if kind is None:
                raise errors.CommandError(f"ERR unknown type name '{errors.printable(value)}'")
        else:
            raise errors.SYNTAX
        position += 2
    return ScanOptions(pattern, count, kind, values)


@generic.command("SCAN", arity=-2, flags="readonly", since="2.8.0",
                 syntax="cursor [MATCH pattern] [COUNT count] [TYPE type]",
                 tips=["nondeterministic_output", "request_policy:special", "response_policy:special"])  # fmt: skip
def scan(client: Client, cursor: bytes, *words: bytes) -> Reply:
    """Returns a part of the keys, and the cursor with which to ask for the next. O(1) for a call, O(n) for all n keys."""
    position = parse_cursor(cursor)
    options = parse_scan_options(words, kinds=(*TYPE_NAMES, *client.engine.extras.get("module_types", ())))
    db = client.db
    matches = None if options.pattern is None else matcher(options.pattern)
    following, items = db.keys.scan(position, options.count)
    now = db.keyspace.now
    found: list[Reply] = []
    for key, entry in items:
        if matches is not None and not matches(key):
            continue
        if entry.expire_at and entry.expire_at <= now:
            db.peek(key)
            continue
        if options.kind is None or type_name(entry.value) == options.kind:
            found.append(key)
    return [b"%d" % following, found]
