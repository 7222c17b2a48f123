"""DUMP and RESTORE: one value as a string that another server can take.

    <type> <value as in an RDB file> <RDB version, u16 little-endian> <CRC-64 of all before it, 8 bytes>

The footer makes a payload self-contained: the version says who can read it, the checksum that it arrived as
it was sent. A payload carries neither its key nor the key's expiry; RESTORE is told both.

The version is the lowest that holds the value (see `rdb_writer`), so that Redis 7.0 and Valkey take what
Cutaway dumps, with one exception: a hash with field expiries, which only Valkey 9 has.
"""

from __future__ import annotations

from typing import Final

from . import rdb_format as rdb
from .crc64 import crc64
from .errors import DumpError, RDBError
from .rdb_encoder import ValueEncoder
from .rdb_source import Source
from .rdb_strings import StringEncoder
from .rdb_values import Value, ValueOptions, decode_value
from .rdb_writer import required_version

FOOTER: Final = 10
WRONG_CHECKSUM: Final = "DUMP payload version or checksum are wrong"
BAD_DATA: Final = "Bad data format"

_STRINGS: Final = StringEncoder(compression=True)


def dump(value: Value, version: int | None = None) -> bytes:
    """Return the DUMP payload of a value. O(bytes)."""
    if version is None:
        version = required_version((value,))
    encoder = ValueEncoder(version, _STRINGS)
    out = bytearray((encoder.type_of(value),))
    encoder.encode_into(out, value)
    out += version.to_bytes(2, "little")
    out += crc64(out).to_bytes(8, "little")
    return bytes(out)


def restore(payload: bytes, options: ValueOptions | None = None) -> Value:
    """Return the value of a DUMP payload. Raises DumpError with what RESTORE replies after ERR. O(bytes)."""
    if len(payload) < FOOTER or not _is_known(int.from_bytes(payload[-FOOTER:-8], "little")):
        raise DumpError(WRONG_CHECKSUM)
    body = memoryview(payload)[:-8]
    if crc64(body) != int.from_bytes(payload[-8:], "little"):
        raise DumpError(WRONG_CHECKSUM)
    source = Source(payload[:-FOOTER], checksum=False)
    try:
        value = decode_value(source, source.byte(), options or ValueOptions())
    except RDBError as error:
        raise DumpError(BAD_DATA) from error
    if not isinstance(value, (int, bytes, bytearray)) and value.type_name != "stream" and not len(value):
        raise DumpError(BAD_DATA)
    return value


def _is_known(version: int) -> bool:
    """Tell whether payloads of this version are ours to read."""
    return version <= rdb.VERSION_REDIS_7_2 or version == rdb.VERSION_VALKEY_9
