"""Values on their way into an RDB file or a DUMP payload: type number and layout.

The layout follows the encoding: a value that is a listpack or an intset in memory goes out as it stands, the
others element by element. Which layouts there are to choose from depends on the version of the file.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.hash_values import HashValue
from cutaway.datastructures.intsets import IntSet
from cutaway.datastructures.list_values import ListValue
from cutaway.datastructures.module_values import ModuleValue
from cutaway.datastructures.quicklists import PlainNode
from cutaway.datastructures.set_values import SetValue
from cutaway.datastructures.sorted_set_values import SortedSetValue

from . import rdb_format as rdb
from .rdb_format import encode_length
from .rdb_modules import encode_module_value
from .rdb_streams import WITH_ACTIVE_TIME, WITH_FIRST_ID, encode_stream
from .rdb_strings import StringEncoder, encode_integer

if TYPE_CHECKING:
    from .rdb_values import Value

_DOUBLE: Final = Struct("<d")
_NO_EXPIRY: Final = rdb.NO_EXPIRY.to_bytes(8, "little", signed=True)


class ValueEncoder:
    """Encodes values for files of one version."""

    __slots__ = ("_strings", "version")

    def __init__(self, version: int, strings: StringEncoder) -> None:
        self.version = version
        self._strings = strings

    def type_of(self, value: Value) -> int:
        """Return the type number of a value. Raises ValueError if the version has no layout for it. O(1)."""
        if isinstance(value, (int, bytes, bytearray)):
            return rdb.TYPE_STRING
        if isinstance(value, ListValue):
            return rdb.TYPE_LIST_QUICKLIST_2
        if isinstance(value, HashValue):
            return self._hash_type(value)
        if isinstance(value, SetValue):
            return self._set_type(value)
        if isinstance(value, SortedSetValue):
            return rdb.TYPE_ZSET_2 if value.pack is None else rdb.TYPE_ZSET_LISTPACK
        if isinstance(value, ModuleValue):
            return rdb.TYPE_MODULE_2
        return rdb.TYPE_STREAM_LISTPACKS_3 if self._is_new else rdb.TYPE_STREAM_LISTPACKS_2

    @property
    def _is_new(self) -> bool:
        """Whether the layouts of Redis 7.2 are there."""
        return self.version >= rdb.VERSION_REDIS_7_2

    def _hash_type(self, value: HashValue) -> int:
        if value.has_expiries:
            if self.version < rdb.VERSION_VALKEY_9:
                msg = f"RDB version {self.version} has no place for the expiry of a hash field"
                raise ValueError(msg)
            return rdb.TYPE_HASH_2
        return rdb.TYPE_HASH if value.pack is None else rdb.TYPE_HASH_LISTPACK

    def _set_type(self, value: SetValue) -> int:
        pack = value.pack
        if isinstance(pack, IntSet):
            return rdb.TYPE_SET_INTSET
        return rdb.TYPE_SET if pack is None or not self._is_new else rdb.TYPE_SET_LISTPACK

    def encode_into(self, out: bytearray, value: Value) -> None:
        """Append a value, without its type number. O(bytes)."""
        if isinstance(value, int):
            out += encode_integer(value)
        elif isinstance(value, (bytes, bytearray)):
            out += self._strings.encode(value)
        elif isinstance(value, ListValue):
            self._list(out, value)
        elif isinstance(value, HashValue):
            self._hash(out, value)
        elif isinstance(value, SetValue):
            self._set(out, value)
        elif isinstance(value, SortedSetValue):
            self._sorted_set(out, value)
        elif isinstance(value, ModuleValue):
            encode_module_value(out, value, self._strings)
        else:
            encode_stream(out, value, WITH_ACTIVE_TIME if self._is_new else WITH_FIRST_ID, self._strings)

    def _list(self, out: bytearray, value: ListValue) -> None:
        """Append a quicklist: its nodes, which are listpacks or single long elements."""
        encode = self._strings.encode
        nodes = list(value.nodes())
        out += encode_length(len(nodes))
        for node in nodes:
            if isinstance(node, PlainNode):
                out.append(rdb.QUICKLIST_NODE_PLAIN)
                out += encode(node.element)
            else:
                out.append(rdb.QUICKLIST_NODE_PACKED)
                out += encode(bytes(node))

    def _hash(self, out: bytearray, value: HashValue) -> None:
        """Append a hash: a listpack, or fields with values, and with expiries if there are any."""
        encode = self._strings.encode
        pack = value.pack
        if pack is not None:
            out += encode(bytes(pack))
            return
        out += encode_length(len(value))
        expires = value.has_expiries
        for name, content in value.items():
            out += encode(name) + encode(content)
            if expires:
                time = value.expire_at(name)
                out += _NO_EXPIRY if time is None else time.to_bytes(8, "little", signed=True)

    def _set(self, out: bytearray, value: SetValue) -> None:
        """Append a set: an intset, a listpack, or members."""
        encode = self._strings.encode
        pack = value.pack
        if pack is not None and (self._is_new or isinstance(pack, IntSet)):
            out += encode(bytes(pack))
            return
        out += encode_length(len(value))
        for member in value:
            out += encode(member)

    def _sorted_set(self, out: bytearray, value: SortedSetValue) -> None:
        """Append a sorted set: a listpack, or members with scores.

        The greatest comes first: a skip list that is loaded in this order inserts every element at its head.
        """
        encode = self._strings.encode
        pack = value.pack
        if pack is not None:
            out += encode(bytes(pack))
            return
        out += encode_length(len(value))
        double = _DOUBLE.pack
        for member, score in value.reverse_items():
            out += encode(member) + double(score)
