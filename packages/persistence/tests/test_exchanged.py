"""A function of somebody's own in the place of ours: strings of a snapshot, commands of a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cutaway.persistence import AOFError, AOFReplay, DatabaseDump, MemoryDisk, RDBError, RDBReader, write_rdb
from cutaway.persistence.exchanged import exchange

Take = Callable[[int], bytes]
Replayed = tuple[list[list[bytes]], int]
NAME = "d/appendonly.aof.1.incr.aof"


@pytest.fixture(autouse=True)
def _ours_again() -> Iterator[None]:
    yield
    exchange()


def shouting(take: Take) -> bytes:
    return take(take(1)[0]).upper()


def snapshot() -> bytes:
    out = bytearray()
    entries = [(b"short", b"hello", None, None), (b"another", b"there", None, None)]
    write_rdb(out.extend, [DatabaseDump(0, 2, 0, entries)])
    return bytes(out)


def log(data: bytes) -> MemoryDisk:
    disk = MemoryDisk()
    disk.open_append("d/appendonly.aof.manifest").write(b"file appendonly.aof.1.incr.aof seq 1 type i\n")
    disk.open_append(NAME).write(data)
    return disk


def test_strings_are_read_by_the_function_short_ones_too() -> None:
    assert {entry.key: entry.value for entry in RDBReader(snapshot()).entries()} == {
        b"short": b"hello",
        b"another": b"there",
    }
    exchange(read_string=shouting)
    assert {entry.key: entry.value for entry in RDBReader(snapshot()).entries()} == {
        b"SHORT": b"HELLO",
        b"ANOTHER": b"THERE",
    }


@pytest.mark.parametrize("error", [ValueError("no"), EOFError("no")])
def test_what_the_function_cannot_read_is_an_error_of_the_file(error: Exception) -> None:
    def refuse(take: Take) -> bytes:
        raise error

    exchange(read_string=refuse)
    with pytest.raises(RDBError, match="no"):
        list(RDBReader(snapshot()).entries())


def test_a_file_that_ends_is_an_end_of_file_to_the_function() -> None:
    def greedy(take: Take) -> bytes:
        with pytest.raises(EOFError):
            take(10_000)
        return take(take(1)[0])

    exchange(read_string=greedy)
    assert len(list(RDBReader(snapshot()).entries())) == 2


def test_commands_and_the_cut_are_those_of_the_function() -> None:
    def first_line(data: bytes) -> Replayed:
        return [[b"SAID", data[:3]]], 3

    exchange(replay=first_line)
    replay = AOFReplay(log(b"abcdef"), "d")
    assert list(replay) == [[b"SAID", b"abc"]]
    assert replay.torn is not None
    assert (replay.torn.offset, replay.torn.size) == (3, 3)


def test_damage_is_what_the_function_says_is_damage() -> None:
    def refuse(data: bytes) -> Replayed:
        raise ValueError("no command at all")

    exchange(replay=refuse)
    with pytest.raises(AOFError, match="no command at all"):
        list(AOFReplay(log(b"*1\r\n$4\r\nPING\r\n"), "d"))
