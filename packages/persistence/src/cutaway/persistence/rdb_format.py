"""The RDB format: the numbers that reader and writer share.

An RDB file is a snapshot of a keyspace, written front to back and read front to back, once. It holds no index
and no pointer to anywhere else in itself, and so it can be produced by a process that walks its tables, sent
down a socket while it is produced, and loaded by a process that keeps no more of it in memory than the key at
hand.

    "REDIS" "0010"                          magic, and the version as four decimal digits
    FA <name> <value>                       auxiliary fields: who wrote this, and when
    F5 <source>                             a function library
    FE <db>                                 the keys that follow are in this database
    FB <keys> <keys with an expiry>         a hint for sizing the tables
    [FC <8 bytes>] [F8 <idle> | F9 <freq>]  expiry and access hints of the next key
    <type> <key> <value>                    one key; the type byte says how the value is laid out
    FF <8 bytes>                            the end, and a CRC-64 of all bytes before it (zero: not computed)

**Lengths.** Most lengths are small, so the first two bits of a length say how long the length itself is:

    00xxxxxx                     6 bits, in this byte
    01xxxxxx xxxxxxxx            14 bits, big-endian
    10000000 + 4 bytes           32 bits, big-endian
    10000001 + 8 bytes           64 bits, big-endian
    11xxxxxx                     no length at all: the six bits name a special encoding of a string

**Strings** are a length and that many bytes, or one of the special encodings: an integer of 1, 2 or 4 bytes
(little-endian, standing for its decimal text), or LZF: compressed length, original length, compressed bytes.
Expiry times are little-endian, lengths big-endian; the mixture is history, and it is part of the format.

**Types.** A type number names a value's layout, not merely its kind. A small hash of Redis 2.2 is a zipmap,
of 2.6 a ziplist, of 7.0 a listpack: the flat structure goes into the file exactly as it stands in memory,
which makes saving it a copy. The price is that a reader has to know every layout there ever was.

**Versions.** The number in the header is the newest feature the file may use. A reader refuses numbers it has
not heard of, so a writer should claim no more than it needs:

    10   Redis 7.0: listpacks in hashes, sorted sets and lists; functions
    11   Redis 7.2: listpacks in sets; a consumer's active time in streams
    12+  Redis 7.4 and later, under another licence: Valkey calls these foreign, and so do we, and tries them
         only if `rdb-version-check` is "relaxed"
    80   Valkey 9: expiry times of single hash fields; the magic becomes "VALKEY" and three digits

Source: the RDB chapter of the Redis manual, `rdb.h` of Redis 7.2, and files that Valkey 9.1 wrote.
"""

from __future__ import annotations

from typing import Final

MAGIC_REDIS: Final = b"REDIS"
MAGIC_VALKEY: Final = b"VALKEY"
HEADER_LENGTH: Final = 9

VERSION_REDIS_7_0: Final = 10
VERSION_REDIS_7_2: Final = 11
VERSION_VALKEY_9: Final = 80
CHECKSUM_SINCE: Final = 5

LONGEST_6BIT: Final = 63
LEN_6BIT: Final = 0
LEN_14BIT: Final = 1
LEN_32BIT: Final = 0x80
LEN_64BIT: Final = 0x81
LEN_ENCODED: Final = 3

ENC_INT8: Final = 0
ENC_INT16: Final = 1
ENC_INT32: Final = 2
ENC_LZF: Final = 3

TYPE_STRING: Final = 0
TYPE_LIST: Final = 1
TYPE_SET: Final = 2
TYPE_ZSET: Final = 3
TYPE_HASH: Final = 4
TYPE_ZSET_2: Final = 5
TYPE_MODULE_PRE_GA: Final = 6
TYPE_MODULE_2: Final = 7
TYPE_HASH_ZIPMAP: Final = 9
TYPE_LIST_ZIPLIST: Final = 10
TYPE_SET_INTSET: Final = 11
TYPE_ZSET_ZIPLIST: Final = 12
TYPE_HASH_ZIPLIST: Final = 13
TYPE_LIST_QUICKLIST: Final = 14
TYPE_STREAM_LISTPACKS: Final = 15
TYPE_HASH_LISTPACK: Final = 16
TYPE_ZSET_LISTPACK: Final = 17
TYPE_LIST_QUICKLIST_2: Final = 18
TYPE_STREAM_LISTPACKS_2: Final = 19
TYPE_SET_LISTPACK: Final = 20
TYPE_STREAM_LISTPACKS_3: Final = 21
TYPE_HASH_2: Final = 22

TYPE_NAMES: Final[dict[int, str]] = {
    TYPE_STRING: "string",
    TYPE_LIST: "list",
    TYPE_SET: "set",
    TYPE_ZSET: "zset with scores as text",
    TYPE_HASH: "hash",
    TYPE_ZSET_2: "zset",
    TYPE_MODULE_PRE_GA: "module value of a release candidate",
    TYPE_MODULE_2: "module value",
    TYPE_HASH_ZIPMAP: "hash as zipmap",
    TYPE_LIST_ZIPLIST: "list as ziplist",
    TYPE_SET_INTSET: "set as intset",
    TYPE_ZSET_ZIPLIST: "zset as ziplist",
    TYPE_HASH_ZIPLIST: "hash as ziplist",
    TYPE_LIST_QUICKLIST: "list as quicklist of ziplists",
    TYPE_STREAM_LISTPACKS: "stream",
    TYPE_HASH_LISTPACK: "hash as listpack",
    TYPE_ZSET_LISTPACK: "zset as listpack",
    TYPE_LIST_QUICKLIST_2: "list as quicklist of listpacks",
    TYPE_STREAM_LISTPACKS_2: "stream, version 2",
    TYPE_SET_LISTPACK: "set as listpack",
    TYPE_STREAM_LISTPACKS_3: "stream, version 3",
    TYPE_HASH_2: "hash with field expiry",
}
"""Every type number that Redis up to 7.2 and Valkey up to 9.1 write."""

OPCODE_SLOT_IMPORT: Final = 243
OPCODE_SLOT_INFO: Final = 244
OPCODE_FUNCTION2: Final = 245
OPCODE_FUNCTION_PRE_GA: Final = 246
OPCODE_MODULE_AUX: Final = 247
OPCODE_IDLE: Final = 248
OPCODE_FREQ: Final = 249
OPCODE_AUX: Final = 250
OPCODE_RESIZEDB: Final = 251
OPCODE_EXPIRETIME_MS: Final = 252
OPCODE_EXPIRETIME: Final = 253
OPCODE_SELECTDB: Final = 254
OPCODE_EOF: Final = 255

OPCODE_NAMES: Final[dict[int, str]] = {
    OPCODE_SLOT_IMPORT: "slot import",
    OPCODE_SLOT_INFO: "slot info",
    OPCODE_FUNCTION2: "function library",
    OPCODE_FUNCTION_PRE_GA: "function library of a release candidate",
    OPCODE_MODULE_AUX: "module data",
    OPCODE_IDLE: "idle time of the next key",
    OPCODE_FREQ: "access frequency of the next key",
    OPCODE_AUX: "auxiliary field",
    OPCODE_RESIZEDB: "size of the database",
    OPCODE_EXPIRETIME_MS: "expiry of the next key, in ms",
    OPCODE_EXPIRETIME: "expiry of the next key, in s",
    OPCODE_SELECTDB: "select database",
    OPCODE_EOF: "end of file",
}

QUICKLIST_NODE_PLAIN: Final = 1
QUICKLIST_NODE_PACKED: Final = 2

SCORE_NAN: Final = 253
SCORE_INFINITY: Final = 254
SCORE_MINUS_INFINITY: Final = 255

NO_EXPIRY: Final = -1

LZF_LONGEST_MATCH: Final = 264
LZF_LARGEST_RATIO: Final = 88
"""Three compressed bytes stand for at most 264; an original that claims to be longer is a lie."""


def is_readable(version: int, *, any_version: bool) -> bool:
    """Whether data of this version is ours to read; with `any_version` whatever may yet come, or comes from elsewhere, is tried."""
    return 1 <= version <= VERSION_REDIS_7_2 or version == VERSION_VALKEY_9 or (any_version and version > 0)


def header_of(version: int) -> bytes:
    """Return the nine bytes a file of `version` begins with."""
    if version >= VERSION_VALKEY_9:
        return b"%s%03d" % (MAGIC_VALKEY, version)
    return b"%s%04d" % (MAGIC_REDIS, version)


def encode_length(length: int) -> bytes:
    """Return `length` in the shortest of the forms above. Raises OverflowError from 2**64 on. O(1)."""
    if length < 1 << 6:
        return bytes((length,))
    if length < 1 << 14:
        return (length | LEN_14BIT << 14).to_bytes(2, "big")
    if length < 1 << 32:
        return b"\x80" + length.to_bytes(4, "big")
    return b"\x81" + length.to_bytes(8, "big")
