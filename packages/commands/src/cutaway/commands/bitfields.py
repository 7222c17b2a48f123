"""BITFIELD: integers of any width, at any bit of a string.

A field is `i5` or `u12` (signed or not, 1 to 64 bits, 63 if unsigned, because a reply is a signed 64-bit
integer) at an offset in bits; `#3` is the third offset of fields that lie side by side. One call may read
and write many fields, in turn, and is atomic.

What a value becomes that does not fit is the OVERFLOW rule in force: WRAP keeps the lowest bits, as
processors do; SAT stops at the greatest or least value; FAIL writes nothing and answers nil. In C each case
of overflow has to be foreseen; here the sum is exact, and one comparison finds out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from cutaway.commands import arguments, errors
from cutaway.commands.arguments import INT64_MAX
from cutaway.commands.bitmaps import Buffer, bit_offset, bitmaps, writable
from cutaway.commands.clients import Client
from cutaway.commands.key_finders import bitfield_keys
from cutaway.commands.key_specs import RO, RW
from cutaway.commands.strings import read_buffer
from cutaway.resp import Reply

INVALID_TYPE: Final = errors.CommandError(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
)
INVALID_OVERFLOW: Final = errors.CommandError("ERR Invalid OVERFLOW type specified")
ONLY_GET: Final = errors.CommandError("ERR BITFIELD_RO only supports the GET subcommand")

_WORDS: Final = {b"GET": 2, b"SET": 3, b"INCRBY": 3, b"OVERFLOW": 1}
"""How many words follow each subcommand."""


class Field(NamedTuple):
    """Where an integer stands, and how wide it is, in bits."""

    offset: int
    width: int
    is_signed: bool

    @property
    def last(self) -> int:
        """The last of its bits."""
        return self.offset + self.width - 1

    def read(self, data: Buffer) -> int:
        """The integer in `data`, which goes on with zeros beyond its end."""
        start, stop = self.offset >> 3, (self.last >> 3) + 1
        number = int.from_bytes(data[start:stop].ljust(stop - start, b"\0"), "big") >> 7 - (self.last & 7)
        number &= (1 << self.width) - 1
        return number - (1 << self.width) if self.is_signed and number >> self.width - 1 else number

    def write(self, buffer: bytearray, value: int) -> None:
        """Put an integer that fits into `buffer`, which is long enough."""
        start, stop = self.offset >> 3, (self.last >> 3) + 1
        shift = 7 - (self.last & 7)
        mask = (1 << self.width) - 1
        number = int.from_bytes(buffer[start:stop], "big") & ~(mask << shift) | (value & mask) << shift
        buffer[start:stop] = number.to_bytes(stop - start, "big")

    def fitted(self, value: int, overflow: bytes) -> int | None:
        """What is to be stored for `value` under an OVERFLOW rule; None for nothing."""
        low = -(1 << self.width - 1) if self.is_signed else 0
        high = low + (1 << self.width) - 1
        if low <= value <= high:
            return value
        if overflow == b"WRAP":
            return (value - low) % (1 << self.width) + low
        if overflow == b"SAT":
            return high if value > high else low
        return None


class Operation(NamedTuple):
    """One GET, SET or INCRBY, the OVERFLOW rule that was in force with it."""

    name: bytes
    field: Field
    operand: int
    overflow: bytes


def _parse(client: Client, words: Sequence[bytes]) -> list[Operation]:
    operations: list[Operation] = []
    overflow = b"WRAP"
    at = 0
    while at < len(words):
        name = words[at].upper()
        rest = words[at + 1 : at + 1 + _WORDS.get(name, len(words))]
        if name not in _WORDS or len(rest) < _WORDS[name]:
            raise errors.SYNTAX
        at += 1 + len(rest)
        if name == b"OVERFLOW":
            overflow = rest[0].upper()
            if overflow not in (b"WRAP", b"SAT", b"FAIL"):
                raise INVALID_OVERFLOW
            continue
        field = _parse_field(client, rest[0], rest[1])
        operand = arguments.integer(rest[2]) if name != b"GET" else 0
        operations.append(Operation(name, field, operand, overflow))
    return operations


def _parse_field(client: Client, kind: bytes, offset: bytes) -> Field:
    is_signed = kind[:1] == b"i"
    if not is_signed and kind[:1] != b"u":
        raise INVALID_TYPE
    width = arguments.integer_between(kind[1:], 1, 64 if is_signed else 63, INVALID_TYPE)
    if offset[:1] == b"#":
        return Field(bit_offset(client, offset[1:], width), width, is_signed)
    return Field(bit_offset(client, offset), width, is_signed)


def _as_c_sees_it(value: int, field: Field) -> int:
    """The value of a SET in 64 bits: for the real server, a very low one may be very high.

    An unsigned field takes a negative value for the unsigned number with the same bits. A signed one looks at
    the distance to its greatest value: if its sign is lost in 64 bits, SAT takes the wrong end.
    """
    if not field.is_signed or (field.width < 64 and (1 << field.width - 1) - 1 - value > INT64_MAX):
        return value & (1 << 64) - 1
    return value


def _read(client: Client, key: bytes, operations: Sequence[Operation]) -> Reply:
    data = read_buffer(client, key) or b""
    return [operation.field.read(data) for operation in operations]


OPERATION: Final = (
    "<GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] "
    "<SET encoding offset value | INCRBY encoding offset increment>>"
)


@bitmaps.command(
    "BITFIELD", arity=-2, flags="write denyoom", since="3.2.0", key_finder=bitfield_keys,
    keys=RW(1, "access update variable_flags",
            notes="This command allows both access and modification of the key"),
    syntax=f"key [{OPERATION} [{OPERATION} ...]]",
)  # fmt: skip
def bitfield(client: Client, key: bytes, *words: bytes) -> Reply:
    """Reads, sets and increments integers of any width in a string. O(1) for each subcommand specified."""
    operations = _parse(client, words)
    writes = [operation.field.last for operation in operations if operation.name != b"GET"]
    if not writes:
        return _read(client, key, operations)
    buffer, is_longer = writable(client, key, max(writes))
    replies: list[Reply] = []
    changes = 0
    for name, field, operand, overflow in operations:
        previous = field.read(buffer)
        if name == b"GET":
            replies.append(previous)
            continue
        if name == b"INCRBY":
            operand += previous  # noqa: PLW2901 - the sum is what is to be stored
        else:
            operand = _as_c_sees_it(operand, field)  # noqa: PLW2901
        value = field.fitted(operand, overflow)
        if value is None:
            replies.append(None)
            continue
        field.write(buffer, value)
        changes += is_longer or value != previous
        replies.append(value if name == b"INCRBY" else previous)
    if changes:
        client.db.changed(key, "setbit", changes)
    return replies


@bitmaps.command("BITFIELD_RO", arity=-2, flags="readonly fast", keys=RO(1), since="6.0.0",
                 syntax="key [GET encoding offset [GET encoding offset ...]]")  # fmt: skip
def bitfield_ro(client: Client, key: bytes, *words: bytes) -> Reply:
    """Reads integers of any width in a string. O(1) for each subcommand specified."""
    operations = _parse(client, words)
    if any(operation.name != b"GET" for operation in operations):
        raise ONLY_GET
    return _read(client, key, operations)
