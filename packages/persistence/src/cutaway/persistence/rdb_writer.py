"""Writing an RDB file: bytes out, a chunk at a time, while somebody walks the keyspace.

`RDBWriter` is given a `write` and called in the order of the file: `begin`, `library`, `database`, `end`. It
never holds more than a chunk. `write_rdb` makes these calls for whoever has everything at hand.

**Which version?** A reader refuses a number it does not know, so the writer claims the lowest that holds the
data:

- 10 by default. Redis 7.0, 7.2, 7.4 and Valkey load it. What 7.2 added to the format is a shorter layout for
  small sets (they are written element by element, and the reader chooses the listpack again) and the time at
  which a stream's consumer last got an entry. That one time is not in version 10; a reader takes the time the
  consumer was last seen for it, as Redis 7.2 does with files of 7.0.
- 80, Valkey 9's, as soon as one hash has a field with an expiry: no older version has a place for it, and to
  drop it would turn a field that expires into one that lives for ever. Redis 7.0 cannot load such a file; it
  could not honour it either. The header comes first, so this must be known beforehand: `required_version`
  looks at the values, one type test each.

`version=11` can be asked for, and keeps the active times.

Integrity is a CRC-64 over all bytes, or a zero where `rdbchecksum no` finds it too slow. The order of keys
within a database means nothing, and is whatever the items come in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cutaway.datastructures.hash_values import HashValue

from . import rdb_format as rdb
from .fast_crc64 import crc64
from .rdb_encoder import ValueEncoder
from .rdb_format import encode_length
from .rdb_modules import encode_module_data
from .rdb_strings import StringEncoder
from .rdb_values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cutaway.datastructures.module_values import Token

CHUNK: Final = 1 << 17
"""Bytes gathered before they are written."""

Item = tuple[bytes, Value, int | None, int | None]
"""Key, value, expiry in milliseconds since the epoch, access hint: see `RDBWriter.hints`."""

_STRING: Final = bytes((rdb.TYPE_STRING,))
_EXPIRE: Final = bytes((rdb.OPCODE_EXPIRETIME_MS,))
_IDLE: Final = bytes((rdb.OPCODE_IDLE,))
_FREQ: Final = bytes((rdb.OPCODE_FREQ,))


class DatabaseDump(NamedTuple):
    """One database on its way into a file: number, count of keys, count of those that expire, items."""

    number: int
    size: int
    expires: int
    items: Iterable[Item]


def info_fields(
    server_version: str, now: int, used_memory: int, *, aof_base: bool = False
) -> dict[bytes, bytes]:
    """Return the auxiliary fields that Redis writes; `now` in seconds since the epoch, memory in bytes."""
    return {
        b"redis-ver": server_version.encode(),
        b"redis-bits": b"64",
        b"ctime": b"%d" % now,
        b"used-mem": b"%d" % used_memory,
        b"aof-base": b"%d" % aof_base,
    }


def required_version(values: Iterable[Value]) -> int:
    """Return the lowest version that can hold all of these values. O(values)."""
    for value in values:
        if type(value) is HashValue and value.has_expiries:
            return rdb.VERSION_VALKEY_9
    return rdb.VERSION_REDIS_7_0


class RDBWriter:
    """Writes one file. `write` takes all it is given; the bytearray is used again when it returns.

    `hints` says what an item's access hint is: "idle", seconds since the last access (an LRU policy), or
    "freq", the logarithmic counter from 0 to 255 (an LFU policy). Items whose hint is None have none.
    """

    __slots__ = ("_checksum", "_crc", "_out", "_strings", "_values", "_write", "hints", "version", "written")

    def __init__(
        self,
        write: Callable[[bytes | bytearray], object],
        *,
        version: int = rdb.VERSION_REDIS_7_0,
        compression: bool = True,
        checksum: bool = True,
        hints: str = "idle",
    ) -> None:
        self.version = version
        self.hints = hints
        self.written = 0
        self._write = write
        self._checksum = checksum
        self._crc = 0
        self._out = bytearray()
        self._strings = StringEncoder(compression=compression)
        self._values = ValueEncoder(version, self._strings)

    def begin(self, aux: Mapping[bytes, bytes]) -> None:
        """Write the header and auxiliary fields; Redis has redis-ver, ctime, used-mem and more."""
        self._out += rdb.header_of(self.version)
        for name, value in aux.items():
            self._out.append(rdb.OPCODE_AUX)
            self._out += self._strings.encode(name)
            self._out += self._strings.encode(value)

    def library(self, source: bytes) -> None:
        """Write a function library: its source, with the `#!` line."""
        self._out.append(rdb.OPCODE_FUNCTION2)
        self._out += self._strings.encode(source)
        self._flush(CHUNK)

    def module_data(self, name: str, version: int, tokens: Iterable[Token]) -> None:
        """Write data of a module that belongs to no key; `name` is a type's, of nine characters."""
        encode_module_data(self._out, name, version, tokens, self._strings)
        self._flush(CHUNK)

    def database(self, dump: DatabaseDump) -> int:
        """Write a database, unless it is empty; return how many keys. O(bytes)."""
        if not dump.size:
            return 0
        out = self._out
        out.append(rdb.OPCODE_SELECTDB)
        out += encode_length(dump.number)
        out.append(rdb.OPCODE_RESIZEDB)
        out += encode_length(dump.size)
        out += encode_length(dump.expires)
        return self._items(dump.items)

    def _items(self, items: Iterable[Item]) -> int:
        """Write keys: the loop that a save spends its time in."""
        out = self._out
        encode_string = self._strings.encode
        encode_value = self._values.encode_into
        hint_of = _idle_hint if self.hints == "idle" else _freq_hint
        count = 0
        for key, value, expire_at, hint in items:
            count += 1
            if expire_at is not None:
                out += _EXPIRE + expire_at.to_bytes(8, "little", signed=True)
            if hint is not None:
                out += hint_of(hint)
            if type(value) is bytes:
                out += _STRING + encode_string(key) + encode_string(value)
            else:
                out.append(self._values.type_of(value))
                out += encode_string(key)
                encode_value(out, value)
            if len(out) > CHUNK:
                self._flush(CHUNK)
        return count

    def end(self) -> int:
        """Write the end mark and the checksum; return the size of the file in bytes."""
        self._out.append(rdb.OPCODE_EOF)
        self._flush(0)
        self._out += self._crc.to_bytes(8, "little")
        self._flush(0)
        return self.written

    def _flush(self, limit: int) -> None:
        """Write what has been gathered if it is more than `limit` bytes."""
        out = self._out
        if len(out) <= limit:
            return
        if self._checksum:
            self._crc = crc64(out, self._crc)
        self._write(out)
        self.written += len(out)
        out.clear()


def _idle_hint(hint: int) -> bytes:
    return _IDLE + encode_length(hint)


def _freq_hint(hint: int) -> bytes:
    return _FREQ + bytes((hint & 0xFF,))


def write_rdb(
    write: Callable[[bytes | bytearray], object],
    databases: Iterable[DatabaseDump],
    *,
    aux: Mapping[bytes, bytes] | None = None,
    libraries: Iterable[bytes] = (),
    module_data: Iterable[tuple[str, int, Iterable[Token]]] = (),
    version: int = rdb.VERSION_REDIS_7_0,
    compression: bool = True,
    checksum: bool = True,
    hints: str = "idle",
) -> int:
    """Write a whole file; return its size in bytes. See `RDBWriter`, and `required_version` for `version`."""
    writer = RDBWriter(write, version=version, compression=compression, checksum=checksum, hints=hints)
    writer.begin(aux or {})
    for name, number, tokens in module_data:
        writer.module_data(name, number, tokens)
    for source in libraries:
        writer.library(source)
    for dump in databases:
        writer.database(dump)
    return writer.end()
