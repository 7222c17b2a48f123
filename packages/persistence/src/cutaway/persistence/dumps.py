"""DUMP and RESTORE: one value as a string that another server can take.

    <type> <value as in an RDB file> <RDB version, u16 little-endian> <CRC-64 of all before it, 8 bytes>

The footer makes a payload self-contained: the version says who can read it, the checksum that it arrived as
it was sent. A payload carries neither its key nor the key's expiry; RESTORE is told both.

The version is the lowest that holds the value (see `rdb_writer`), so that Redis 7.0 and Valkey take what
Cutaway dumps, with one exception: a hash with field expiries, which only Valkey 9 has.

FUNCTION DUMP's payload has the same footer, and before it the function libraries as an RDB file has them: each
library an opcode and its source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import rdb_format as rdb
from .errors import DumpError, RDBError
from .fast_crc64 import crc64
from .rdb_encoder import ValueEncoder
from .rdb_source import Source
from .rdb_strings import StringEncoder
from .rdb_values import Value, ValueOptions, decode_value, is_empty
from .rdb_writer import required_version

if TYPE_CHECKING:
    from collections.abc import Iterable

FOOTER: Final = 10
WRONG_CHECKSUM: Final = "DUMP payload version or checksum are wrong"
BAD_DATA: Final = "Bad data format"
NOT_A_FUNCTION: Final = "given type is not a function"
PRE_GA: Final = "Pre-GA function format not supported"
BAD_LIBRARY: Final = "Failed loading library payload"

_STRINGS: Final = StringEncoder(compression=True)


def dump(value: Value, version: int | None = None) -> bytes:
    """Return the DUMP payload of a value. O(bytes)."""
    if version is None:
        version = required_version((value,))
    encoder = ValueEncoder(version, _STRINGS)
    out = bytearray((encoder.type_of(value),))
    encoder.encode_into(out, value)
    return _with_footer(out, version)


def _with_footer(out: bytearray, version: int) -> bytes:
    out += version.to_bytes(2, "little")
    out += crc64(out).to_bytes(8, "little")
    return bytes(out)


def restore(payload: bytes, options: ValueOptions | None = None) -> Value:
    """Return the value of a DUMP payload. Raises DumpError with what RESTORE replies after ERR. O(bytes)."""
    options = options or ValueOptions()
    source = _without_footer(payload, any_version=options.any_version)
    try:
        value = decode_value(source, source.byte(), options)
    except RDBError as error:
        raise DumpError(BAD_DATA) from error
    if is_empty(value):
        raise DumpError(BAD_DATA)
    return value


def dump_functions(sources: Iterable[bytes]) -> bytes:
    """Return the payload of FUNCTION DUMP for the sources of all libraries. O(bytes)."""
    out = bytearray()
    for source in sources:
        out.append(rdb.OPCODE_FUNCTION2)
        out += _STRINGS.encode(source)
    return _with_footer(out, rdb.VERSION_REDIS_7_0)


def restore_functions(payload: bytes, *, any_version: bool = False) -> list[bytes]:
    """Return the sources in a payload of FUNCTION DUMP. Raises DumpError with what FUNCTION RESTORE replies. O(bytes)."""
    source = _without_footer(payload, any_version=any_version)
    sources: list[bytes] = []
    while source.pos < len(payload) - FOOTER:
        opcode = source.byte()
        if opcode != rdb.OPCODE_FUNCTION2:
            raise DumpError(PRE_GA if opcode == rdb.OPCODE_FUNCTION_PRE_GA else NOT_A_FUNCTION)
        try:
            sources.append(source.string("function library"))
        except RDBError as error:
            raise DumpError(BAD_LIBRARY) from error
    return sources


def _without_footer(payload: bytes, *, any_version: bool) -> Source:
    """What stands before the footer. Raises DumpError if the footer does not fit it."""
    version = int.from_bytes(payload[-FOOTER:-8], "little")
    if len(payload) < FOOTER or not rdb.is_readable(version, any_version=any_version):
        raise DumpError(WRONG_CHECKSUM)
    if crc64(memoryview(payload)[:-8]) != int.from_bytes(payload[-8:], "little"):
        raise DumpError(WRONG_CHECKSUM)
    return Source(payload[:-FOOTER], checksum=False)
