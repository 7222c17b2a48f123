"""What goes to the log: a transaction is one piece of it, between one MULTI and one EXEC, or is not in it at all."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.commands import Client, CommandTable, Engine
from cutaway.transactions import install

MULTI, EXEC = (0, (b"MULTI",)), (0, (b"EXEC",))
Piece = list[tuple[int, tuple[bytes, ...]]]


class Logged:
    """An engine, and the pieces that its log was handed, one list for each outermost unit."""

    def __init__(self, tables: Sequence[CommandTable]) -> None:
        self.now = 1_700_000_000_000
        self.engine = Engine(*tables, clock=lambda: self.now)
        install(self.engine)
        self.pieces: list[Piece] = []
        self.engine.on_propagate = (self._take,)

    def _take(self, effects: Sequence[tuple[int, Sequence[bytes]]]) -> None:
        self.pieces.append([(index, tuple(argv)) for index, argv in effects])

    def play(self, client: Client, *lines: str) -> list[object]:
        self.engine.tick()
        return [self.engine.execute(client, line.encode().split()) for line in lines]


@pytest.fixture
def logged(tables: Sequence[CommandTable]) -> Logged:
    return Logged(tables)


def test_several_writes_are_one_piece(logged: Logged) -> None:
    client = logged.engine.connect()
    logged.play(client, "MULTI", "SET a 1", "GET a", "INCR a", "LPUSH l x", "EXEC")
    writes = [(0, (b"SET", b"a", b"1")), (0, (b"INCR", b"a")), (0, (b"LPUSH", b"l", b"x"))]
    assert logged.pieces == [[MULTI, *writes, EXEC]]


def test_a_single_write_needs_no_brackets(logged: Logged) -> None:
    client = logged.engine.connect()
    logged.play(client, "MULTI", "GET a", "SET a 1", "EXEC")
    assert logged.pieces == [[(0, (b"SET", b"a", b"1"))]]


@pytest.mark.parametrize(
    "lines",
    [
        ("MULTI", "EXEC"),
        ("MULTI", "GET a", "PING", "EXEC"),
        ("MULTI", "DEL absent", "LPOP absent", "SREM absent x", "EXEC"),
        ("MULTI", "SET a 1", "DISCARD"),
        ("MULTI", "SET a 1", "NOSUCH", "EXEC"),
        ("WATCH k", "MULTI", "UNWATCH", "EXEC"),
    ],
)
def test_what_wrote_nothing_is_not_logged(logged: Logged, lines: tuple[str, ...]) -> None:
    logged.play(logged.engine.connect(), *lines)
    assert logged.pieces == []


def test_a_touched_transaction_is_not_logged(logged: Logged) -> None:
    one, other = logged.engine.connect(), logged.engine.connect()
    logged.play(one, "WATCH k", "MULTI", "SET k mine")
    logged.play(other, "SET k theirs")
    logged.play(one, "EXEC")
    assert logged.pieces == [[(0, (b"SET", b"k", b"theirs"))]]


def test_a_command_that_fails_leaves_the_others_in_the_log(logged: Logged) -> None:
    client = logged.engine.connect()
    logged.play(client, "MULTI", "SET a x", "INCR a", "LPUSH a y", "SET b 1", "EXEC")
    assert logged.pieces == [[MULTI, (0, (b"SET", b"a", b"x")), (0, (b"SET", b"b", b"1")), EXEC]]


def test_each_write_keeps_the_database_it_was_made_in(logged: Logged) -> None:
    client = logged.engine.connect()
    logged.play(client, "SELECT 3", "MULTI", "SET a 1", "SELECT 5", "SET b 2", "MOVE b 1", "EXEC")
    (piece,) = logged.pieces
    assert [index for index, argv in piece if argv[0] not in (b"MULTI", b"EXEC")] == [3, 5, 5]
    assert [argv[0] for _, argv in piece] == [b"MULTI", b"SET", b"SET", b"MOVE", b"EXEC"]


def test_effects_take_the_place_of_what_depends_on_time_or_chance(logged: Logged) -> None:
    client = logged.engine.connect()
    logged.play(client, "SADD s one", "MULTI", "SET a 1 EX 100", "SPOP s", "INCRBYFLOAT f 0.5", "EXEC")
    moment = b"%d" % (logged.now + 100_000)
    assert [argv for _, argv in logged.pieces[1]] == [
        (b"MULTI",), (b"SET", b"a", b"1", b"PXAT", moment), (b"SREM", b"s", b"one"),
        (b"SET", b"f", b"0.5", b"KEEPTTL"), (b"EXEC",),
    ]  # fmt: skip


def test_a_key_that_expires_within_the_transaction_is_deleted_within_its_piece(logged: Logged) -> None:
    client = logged.engine.connect()
    logged.play(client, "SET k v PX 10")
    logged.now += 20
    logged.play(client, "MULTI", "GET k", "SET other 1", "EXEC")
    begin, (_, (word, key)), *rest = logged.pieces[1]
    assert word in (b"DEL", b"UNLINK")  # `lazyfree-lazy-expire` decides
    assert key == b"k"
    assert [begin, *rest] == [MULTI, (0, (b"SET", b"other", b"1")), EXEC]


def test_whoever_waited_is_served_after_the_piece(logged: Logged) -> None:
    waiting, client = logged.engine.connect(), logged.engine.connect()
    logged.play(waiting, "BLPOP l 0")
    logged.play(client, "MULTI", "RPUSH l a", "RPUSH l b", "EXEC")
    first, second = logged.pieces
    assert first == [MULTI, (0, (b"RPUSH", b"l", b"a")), (0, (b"RPUSH", b"l", b"b")), EXEC]
    assert second == [(0, (b"LPOP", b"l"))]


WRITES = st.sampled_from(
    ["SET k 1", "INCR k", "LPUSH k x", "LPUSH l x", "LPOP l", "DEL k", "GET k", "SADD s a b", "SPOP s",
     "EXPIRE k 100", "RENAME k m", "FLUSHDB", "MULTI", "NOSUCH", "SELECT 1", "SELECT 0"]
)  # fmt: skip


@pytest.fixture(scope="module")
def pair(tables: Sequence[CommandTable]) -> tuple[Logged, Logged]:
    return Logged(tables), Logged(tables)


def contents(engine: Engine) -> dict[tuple[int, bytes], object]:
    """Every key of every database, and its value as DUMP gives it."""
    reader = engine.connect()
    found: dict[tuple[int, bytes], object] = {}
    for reader.db in engine.keyspace.databases:
        keys = engine.execute(reader, [b"KEYS", b"*"])
        assert isinstance(keys, list)
        for key in keys:
            assert isinstance(key, bytes)
            found[reader.db.index, key] = engine.execute(reader, [b"DUMP", key])
    reader.close()
    return found


@settings(max_examples=150, deadline=None)
@given(transactions=st.lists(st.lists(WRITES, max_size=6), max_size=6))
def test_whoever_replays_the_log_has_the_same_data(
    pair: tuple[Logged, Logged], transactions: list[list[str]]
) -> None:
    logged, copy = pair
    client, reader = logged.engine.connect(), copy.engine.connect()
    for each, own in ((logged, client), (copy, reader)):
        each.play(own, "FLUSHALL")
        each.pieces.clear()
    for lines in transactions:
        logged.play(client, "MULTI", *lines, "EXEC")
    for piece in logged.pieces:
        words = [argv[0] for _, argv in piece]
        assert words.count(b"MULTI") == words.count(b"EXEC") == (1 if len(piece) > 1 else 0)
        for index, argv in piece:
            copy.play(reader, f"SELECT {index}")
            copy.engine.execute(reader, argv)
    assert contents(logged.engine) == contents(copy.engine)
    client.close()
    reader.close()
