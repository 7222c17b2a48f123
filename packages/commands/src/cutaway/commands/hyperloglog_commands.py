"""PFADD, PFCOUNT, PFMERGE: counting different elements, roughly, in little memory.

How a HyperLogLog counts is told in `cutaway.datastructures.hyperloglogs`. To the keyspace it is a string
like any other: GET shows it, SET restores it, and so every command first looks whether the string can be
one. The PF is for Philippe Flajolet, who invented it.

PFCOUNT of one key only reads, and yet it may write: the estimate is kept in the string's header, until an
element that changes a register makes it stale. That is why its key counts as written, and why the write is
propagated like others, but is no event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from cutaway.commands import errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import RO, RW
from cutaway.commands.keyspaces import Entry
from cutaway.commands.strings import as_buffer, grow
from cutaway.commands.tables import CommandTable
from cutaway.datastructures import hyperloglogs as hll
from cutaway.resp import Reply

hyperloglog: Final = CommandTable("hyperloglog")

NO_KEY: Final = errors.CommandError("ERR The specified key does not exist")
NOT_SPARSE: Final = errors.CommandError("ERR HLL encoding is not sparse")
SILENT: Final = ""
"""The event of a change that nobody is told of."""


@contextmanager
def _broken_ones_answered() -> Iterator[None]:
    """Turn what the data structure says of a broken string into the reply."""
    try:
        yield
    except hll.HyperLogLogError as error:
        raise errors.CommandError(str(error)) from None


def _checked(entry: Entry) -> bytes | bytearray:
    """The entry's string, which can be a HyperLogLog; raises otherwise."""
    value = as_buffer(entry.value)
    hll.validate(value)
    return value


def _writable(entry: Entry) -> bytearray:
    _checked(entry)
    return grow(entry)


def _sparse_max_bytes(client: Client) -> int:
    return client.engine.config.integer("hll-sparse-max-bytes")


@hyperloglog.command("PFADD", arity=-2, flags="write denyoom fast", keys=RW(1, "insert"), since="2.8.9",
                     syntax="key [element [element ...]]")  # fmt: skip
def pfadd(client: Client, key: bytes, *elements: bytes) -> Reply:
    """Counts elements into a HyperLogLog; tells whether a register changed. O(1) to add every element."""
    db = client.db
    entry = db.lookup_write(key)
    limit = _sparse_max_bytes(client)
    with _broken_ones_answered():
        if entry is None:
            registers = hll.create()
            db.add(key, registers)
        else:
            registers = _writable(entry)
        changes = (entry is None) + sum(hll.add(registers, element, limit) for element in elements)
    if changes:
        hll.invalidate(registers)
        db.changed(key, "pfadd", changes)
    return 1 if changes else 0


@hyperloglog.command(
    "PFCOUNT", arity=-2, flags="readonly may_replicate", since="2.8.9", syntax="key [key ...]",
    keys=RW(
        1, "access", last=-1,
        notes="RW because it may change the internal representation of the key, and propagate to replicas",
    ),
)  # fmt: skip
def pfcount(client: Client, *keys: bytes) -> Reply:
    """Estimates how many different elements were counted into HyperLogLogs.

    O(1) with a very small average constant time when called with a single key. O(N) with N being the number
    of keys, and much bigger constant times, when called with multiple keys.
    """
    with _broken_ones_answered():
        if len(keys) == 1:
            return _count_one(client, keys[0])
        return hll.union_cardinality(_sources(client, keys))


def _sources(client: Client, keys: Sequence[bytes]) -> Iterator[bytes | bytearray]:
    for key in keys:
        entry = client.db.lookup_read(key)
        if entry is not None:
            yield _checked(entry)


def _count_one(client: Client, key: bytes) -> int:
    entry = client.db.lookup_read(key)
    if entry is None:
        return 0
    registers = _writable(entry)
    is_stale = hll.is_stale(registers)
    count = hll.cardinality(registers)
    if is_stale:
        client.db.changed(key, SILENT)
    return count


@hyperloglog.command(
    "PFMERGE", arity=-2, flags="write denyoom", keys=(RW(1, "access insert"), RO(2, last=-1)), since="2.8.9",
    syntax="destkey [sourcekey [sourcekey ...]]",
)  # fmt: skip
def pfmerge(client: Client, destkey: bytes, *sourcekeys: bytes) -> Reply:
    """Merges HyperLogLogs into one. O(N) to merge N HyperLogLogs, but with high constant times."""
    db = client.db
    with _broken_ones_answered():
        sources = list(_sources(client, (destkey, *sourcekeys)))
        entry = db.lookup_write(destkey)
        target = hll.create() if entry is None else grow(entry)
        hll.merge(target, sources, _sparse_max_bytes(client))
    if entry is None:
        db.add(destkey, target)
    db.changed(destkey, "pfadd")
    return "OK"


@hyperloglog.command("PFDEBUG", arity=3, flags="write denyoom admin", keys=RW(2, "access"), since="2.8.9",
                     syntax="subcommand key", doc_flags="syscmd")  # fmt: skip
def pfdebug(client: Client, subcommand: bytes, key: bytes) -> Reply:
    """Shows the inside of a HyperLogLog: GETREG, DECODE, ENCODING, or makes it dense: TODENSE. O(1), registers being 16,384."""
    entry = client.db.lookup_write(key)
    if entry is None:
        raise NO_KEY
    with _broken_ones_answered():
        registers = _writable(entry)
        name = subcommand.upper()
        if name == b"ENCODING":
            return hll.encoding_of(registers)
        if name == b"DECODE":
            if hll.encoding_of(registers) != "sparse":
                raise NOT_SPARSE
            return hll.decode(registers)
        if name not in (b"GETREG", b"TODENSE"):
            raise errors.CommandError(f"ERR Unknown PFDEBUG subcommand '{errors.printable(subcommand)}'")
        was_sparse = hll.to_dense(registers)
        client.engine.keyspace.dirty += was_sparse
        return list(hll.registers(registers)) if name == b"GETREG" else int(was_sparse)


@hyperloglog.command("PFSELFTEST", arity=1, flags="admin", since="2.8.9", doc_flags="syscmd")
def pfselftest(client: Client) -> Reply:
    """Tests the registers of HyperLogLogs, and their estimates against the truth. O(1), with some hundred thousand steps."""
    failure = hll.self_test(client.engine.keyspace.random)
    if failure is not None:
        raise errors.CommandError(failure)
    return "OK"
