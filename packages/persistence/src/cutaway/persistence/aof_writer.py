"""The base file as commands, for `aof-use-rdb-preamble no`: a short list of commands that makes each value.

Collections are written in batches of 64 elements, so that no command grows without bounds. The commands are
those of Redis's own rewrite; a reader needs to know nothing but commands, which is what makes this form fit
for eyes, `sed` and servers of any version.

A stream needs most of them: an XADD for each entry, an XSETID for the numbers that outlive entries, and for
each group XGROUP CREATE, CREATECONSUMER and, for each pending entry, an XCLAIM that claims it by force and
leaves its count alone. An empty stream is made by adding an entry and trimming it away at once. Two things no
command can say, and so they are lost, as in Redis: when a consumer was last seen or active, and pending
entries whose stream entry has been deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cutaway.datastructures.hash_values import HashValue
from cutaway.datastructures.list_values import ListValue
from cutaway.datastructures.module_values import ModuleValue
from cutaway.datastructures.set_values import SetValue
from cutaway.datastructures.sorted_set_listpacks import score_text
from cutaway.datastructures.sorted_set_values import SortedSetValue
from cutaway.resp import encode_request

from .dumps import dump

if TYPE_CHECKING:
    from cutaway.datastructures.stream_groups import ConsumerGroup
    from cutaway.datastructures.stream_nodes import StreamID
    from cutaway.datastructures.streams import Stream

    from .rdb_values import Value
    from .rdb_writer import DatabaseDump

BATCH: Final = 64
"""Elements in one command (Redis's AOF_REWRITE_ITEMS_PER_CMD)."""

CHUNK: Final = 1 << 17

Command = Sequence[bytes]


def commands_for(key: bytes, value: Value, expire_at: int | None = None) -> Iterator[Command]:
    """Yield the commands that make a key; `expire_at` is milliseconds since the epoch. O(bytes)."""
    if isinstance(value, int):
        yield b"SET", key, b"%d" % value
    elif isinstance(value, (bytes, bytearray)):
        yield b"SET", key, bytes(value)
    elif isinstance(value, ListValue):
        yield from _batches(b"RPUSH", key, value, 1)
    elif isinstance(value, SetValue):
        yield from _batches(b"SADD", key, value, 1)
    elif isinstance(value, SortedSetValue):
        yield from _batches(b"ZADD", key, _scores_first(value), 2)
    elif isinstance(value, HashValue):
        yield from _batches(b"HMSET", key, _flat(value.items()), 2)
        yield from _field_expiries(key, value)
    elif isinstance(value, ModuleValue):
        commands = value.rewrite(key)
        yield from [(b"RESTORE", key, b"0", dump(value))] if commands is None else commands
    else:
        yield from _stream(key, value)
    if expire_at is not None:
        yield b"PEXPIREAT", key, b"%d" % expire_at


def _batches(name: bytes, key: bytes, elements: Iterable[bytes], width: int) -> Iterator[Command]:
    """Yield commands of up to 64 elements, each of them `width` arguments."""
    batch = [name, key]
    full = BATCH * width + 2
    for element in elements:
        batch.append(element)
        if len(batch) == full:
            yield batch
            batch = [name, key]
    if len(batch) > 2:
        yield batch


def _flat(pairs: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    for pair in pairs:
        yield from pair


def _scores_first(value: SortedSetValue) -> Iterator[bytes]:
    for member, score in value.items():
        yield score_text(score)
        yield member


def _field_expiries(key: bytes, value: HashValue) -> Iterator[Command]:
    """Yield an HPEXPIREAT for each field that expires."""
    for name, time in sorted(value.expiries()):
        yield b"HPEXPIREAT", key, b"%d" % time, b"FIELDS", b"1", name


def _stream(key: bytes, stream: Stream) -> Iterator[Command]:
    """Yield the commands that make a stream with its groups."""
    for entry_id, fields in stream:
        yield b"XADD", key, _id(entry_id), *_flat(fields)
    if not stream.length:
        yield b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"
    numbers = (b"ENTRIESADDED", b"%d" % stream.entries_added, b"MAXDELETEDID", _id(stream.max_deleted_id))
    yield b"XSETID", key, _id(stream.last_id), *numbers
    for name in sorted(stream.groups):
        yield from _group(key, name, stream.groups[name])


def _group(key: bytes, name: bytes, group: ConsumerGroup) -> Iterator[Command]:
    """Yield the commands that make a consumer group."""
    read = b"%d" % group.entries_read
    yield b"XGROUP", b"CREATE", key, name, _id(group.last_id), b"ENTRIESREAD", read
    for consumer in group.sorted_consumers():
        yield b"XGROUP", b"CREATECONSUMER", key, name, consumer.name
        for entry_id, entry in consumer.pending.items():
            times = (b"TIME", b"%d" % entry.delivery_time, b"RETRYCOUNT", b"%d" % entry.delivery_count)
            yield b"XCLAIM", key, name, consumer.name, b"0", _id(entry_id), *times, b"JUSTID", b"FORCE"


def _id(entry_id: StreamID) -> bytes:
    return b"%d-%d" % entry_id


def write_aof(
    write: Callable[[bytes | bytearray], object],
    databases: Iterable[DatabaseDump],
    *,
    libraries: Iterable[bytes] = (),
    commands: Iterable[Command] = (),
) -> int:
    """Write a base file of commands; return its size. `write` takes all of the bytearray it is given.

    `commands` come first: what modules keep beside the keys.
    """
    out = bytearray()
    written = 0
    for command in commands:
        out += encode_request(command)
    for source in libraries:
        out += encode_request((b"FUNCTION", b"LOAD", source))
    for database in databases:
        if database.size:
            out += encode_request((b"SELECT", b"%d" % database.number))
        for key, value, expire_at, _ in database.items:
            for command in commands_for(key, value, expire_at):
                out += encode_request(command)
            if len(out) > CHUNK:
                write(out)
                written += len(out)
                out.clear()
    if out:
        write(out)
    return written + len(out)
