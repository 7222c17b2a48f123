"""What modules keep in an RDB file: values of their own types, and data that belongs to no key.

Both are the id of a type and then tokens, each behind a length that says its kind, up to an end mark:

    <2> <length>             a whole number (1: one that was meant as signed)
    <4> <8 bytes>            a double, little-endian (3: a single float, 4 bytes)
    <5> <string>             a string
    <0>                      the end

So the tokens can be read without the module; what they mean cannot be known.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.module_values import ModuleValue, Token, type_id, type_name_of

from . import rdb_format as rdb
from .errors import RDBError
from .rdb_format import encode_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .rdb_source import Source
    from .rdb_strings import StringEncoder

END: Final = 0
SIGNED: Final = 1
UNSIGNED: Final = 2
FLOAT: Final = 3
DOUBLE: Final = 4
STRING: Final = 5

BEFORE_KEYS: Final = 1
"""When a module's data that belongs to no key is loaded: before the keys, or (2) after them."""

_DOUBLE: Final = Struct("<d")
_FLOAT: Final = Struct("<f")
_SIGN: Final = 2**63


def read_tokens(source: Source) -> list[Token]:
    """Read tokens up to their end mark. Raises RDBError. O(bytes)."""
    tokens: list[Token] = []
    while (kind := source.length("kind")) != END:
        if kind in (SIGNED, UNSIGNED):
            number = source.length("number")
            tokens.append(number - 2 * _SIGN if kind == SIGNED and number >= _SIGN else number)
        elif kind == DOUBLE:
            tokens.append(_DOUBLE.unpack(source.take(8))[0])
        elif kind == FLOAT:
            tokens.append(_FLOAT.unpack(source.take(4))[0])
        elif kind == STRING:
            tokens.append(source.string("string"))
        else:
            text = f"a module's data has a token of the unknown kind {kind}"
            raise source.error(text)
    return tokens


def encode_tokens(out: bytearray, tokens: Iterable[Token], strings: StringEncoder) -> None:
    """Append tokens and their end mark. Raises TypeError or OverflowError for what is none. O(bytes)."""
    for token in tokens:
        if isinstance(token, int):
            if not -_SIGN <= token < 2 * _SIGN:
                text = f"a module saves a whole number of more than 64 bits: {token}"
                raise OverflowError(text)
            out.append(UNSIGNED if token >= _SIGN else SIGNED)
            out += encode_length(token % (2 * _SIGN))
        elif isinstance(token, float):
            out.append(DOUBLE)
            out += _DOUBLE.pack(token)
        elif isinstance(token, (bytes, bytearray)):
            out.append(STRING)
            out += strings.encode(bytes(token))
        else:
            text = f"a module saves numbers and bytes, not {type(token).__name__}"
            raise TypeError(text)
    out.append(END)


def read_module_value(source: Source, types: Mapping[str, type[ModuleValue]], key: bytes) -> ModuleValue:
    """Read a value of a module's type. Raises RDBError, which names the type if nobody knows it. O(bytes)."""
    start = source.offset
    name, version = type_name_of(source.length("module"))
    known = types.get(name)
    if known is None:
        text = f"key {key!r} holds a value of module type '{name}', which is not loaded"
        raise RDBError(text, start)
    if version > known.type_version:
        text = (
            f"key {key!r} holds version {version} of module type '{name}'; only {known.type_version} is known"
        )
        raise RDBError(text, start)
    try:
        return known.load(iter(read_tokens(source)), version)
    except RDBError:
        raise
    except Exception as error:
        text = f"module type '{name}' does not understand its value at key {key!r}: {error or type(error).__name__}"
        raise RDBError(text, start) from error


def encode_module_value(out: bytearray, value: ModuleValue, strings: StringEncoder) -> None:
    """Append a module's value. O(bytes)."""
    out += encode_length(type_id(value.type_name, value.type_version))
    encode_tokens(out, value.save(), strings)


def encode_module_data(
    out: bytearray, name: str, version: int, tokens: Iterable[Token], strings: StringEncoder
) -> None:
    """Append data of a module that belongs to no key. O(bytes)."""
    out.append(rdb.OPCODE_MODULE_AUX)
    out += encode_length(type_id(name, version))
    out.append(UNSIGNED)
    out += encode_length(BEFORE_KEYS)
    encode_tokens(out, tokens, strings)
