"""The digest of a data set: twenty bytes that two servers agree on if, and only if, they hold the same data.

DEBUG DIGEST and DEBUG DIGEST-VALUE are for tests: after a reload, a replay or a replication the digests have to be equal. So
ours are a real server's to the byte. Two ways to add something to a digest make that possible whatever order a
server keeps its data in:

* *mixing*: the digest becomes SHA-1(digest xor SHA-1(something)); the order of what is mixed matters. For the elements of a
  list, the fields of an entry, a field and its value.
* *adding*: the digest becomes digest xor SHA-1(something); the order does not matter. For the members of a set, the
  pairs of a hash, the keys of a database.

Encodings, cursors, access stamps and consumer groups leave no trace. Of an expiry only that there is one does, not when.

Source: `xorObjectDigest` in `debug.c` of Redis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

from cutaway.commands.keyspaces import Entry, Keyspace, type_name
from cutaway.resp.doubles import format_double

SIZE: Final = 20
TYPE_NUMBERS: Final = {"string": 0, "list": 1, "set": 2, "zset": 3, "hash": 4, "module": 5, "stream": 6}
EXPIRE_MARK: Final = b"!!expire!!"


class Digest:
    """Twenty bytes that things are mixed into or added to."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = 0

    def add(self, data: bytes) -> None:
        """Add `data`, in whatever order. O(len(data))."""
        self._state ^= int.from_bytes(_sha1(data), "big")

    def mix(self, data: bytes) -> None:
        """Mix in `data`, whose place in the order matters. O(len(data))."""
        self.add(data)
        self._state = int.from_bytes(_sha1(bytes(self)), "big")

    def __bytes__(self) -> bytes:
        return self._state.to_bytes(SIZE, "big")

    def hex(self) -> str:
        """The digest in hexadecimal."""
        return bytes(self).hex()


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def add_entry(digest: Digest, entry: Entry) -> None:
    """Mix a key's value, and whether it expires, into `digest`. O(size of the value)."""
    value = entry.value
    kind = type_name(value)
    digest.mix(TYPE_NUMBERS.get(kind, TYPE_NUMBERS["module"]).to_bytes(4, "big"))
    _ADDERS.get(kind, _add_module_value)(digest, value)
    if entry.expire_at:
        digest.add(EXPIRE_MARK)


def dataset_digest(keyspace: Keyspace) -> Digest:
    """The digest of all databases. O(size of the data)."""
    whole = Digest()
    for database in keyspace.databases:
        if len(database.keys):
            whole.mix(database.index.to_bytes(4, "big"))
            for key, entry in database.keys.items():
                single = Digest()
                single.mix(key)
                add_entry(single, entry)
                whole.add(bytes(single))
    return whole


def _add_string(digest: Digest, value: int | bytes | bytearray) -> None:
    digest.mix(b"%d" % value if isinstance(value, int) else bytes(value))


def _add_list(digest: Digest, value: Any) -> None:
    for element in value:
        digest.mix(element)


def _add_set(digest: Digest, value: Any) -> None:
    for member in value:
        digest.add(member)


def _add_pairs(digest: Digest, *pair: bytes) -> None:
    single = Digest()
    for part in pair:
        single.mix(part)
    digest.add(bytes(single))


def _add_sorted_set(digest: Digest, value: Any) -> None:
    for member, score in value.items():
        _add_pairs(digest, member, format_double(score))


def _add_hash(digest: Digest, value: Any) -> None:
    for field, content in value.items():
        _add_pairs(digest, field, content)


def _add_stream(digest: Digest, value: Any) -> None:
    for (milliseconds, sequence), fields in value:
        digest.mix(b"%d.%d" % (milliseconds, sequence))
        for field, content in fields:
            digest.mix(field)
            digest.mix(content)


def _add_module_value(digest: Digest, value: Any) -> None:
    for part in value.digest():
        digest.mix(part)


_ADDERS: Final[dict[str, Callable[[Digest, Any], None]]] = {
    "string": _add_string,
    "list": _add_list,
    "set": _add_set,
    "zset": _add_sorted_set,
    "hash": _add_hash,
    "stream": _add_stream,
}
