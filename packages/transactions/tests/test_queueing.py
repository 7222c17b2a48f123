"""What MULTI takes into its queue, and what spoils it: the texts and the rules of Redis 7.

Valkey 9 differs here: it names the command that is not allowed, and lets WATCH or MULTI within a transaction spoil it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cutaway.commands import Client, Command, CommandError, CommandTable, Engine
from cutaway.resp import NULL_ARRAY, Reply
from cutaway.transactions import install

ABORTED = "EXECABORT Transaction discarded because of previous errors."


@pytest.fixture
def engine(tables: Sequence[CommandTable]) -> Engine:
    engine = Engine(*tables)
    install(engine)
    return engine


def play(client: Client, *lines: str) -> list[object]:
    replies: list[Reply] = []
    for line in lines:
        client.engine.tick()
        replies.append(client.engine.execute(client, line.encode().split()))
    return [str(reply) if isinstance(reply, CommandError) else reply for reply in replies]


def test_watch_inside_is_refused_and_spoils_nothing(engine: Engine) -> None:
    client = engine.connect()
    assert play(client, "MULTI", "WATCH k", "MULTI", "PING", "EXEC") == [
        "OK", "ERR WATCH inside MULTI is not allowed", "ERR MULTI calls can not be nested", "QUEUED", ["PONG"],
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["NOSUCH", "GET", "CLIENT NOSUCH", "WATCH", "MULTI x", "CLIENT REPLY OFF"])
def test_what_spoils_a_transaction(engine: Engine, line: str) -> None:
    client = engine.connect()
    replies = play(client, "MULTI", "SET k 1", line, "SET k 2", "EXEC", "EXISTS k", "EXEC")
    assert replies[:2] == ["OK", "QUEUED"]
    assert str(replies[2]).startswith("ERR ")
    assert replies[3:] == ["QUEUED", ABORTED, 0, "ERR EXEC without MULTI"]


def test_a_spoilt_transaction_keeps_no_commands(engine: Engine) -> None:
    client = engine.connect()
    play(client, "MULTI", "PING", "NOSUCH", "PING", "PING")
    assert client.extras["transactions"].info()["multi"] == 1
    play(client, "DISCARD")
    assert "transactions" not in client.extras


def test_an_exec_that_is_refused_says_so_without_a_transaction_too(engine: Engine) -> None:
    client = engine.connect()
    refused = "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"
    assert play(client, "EXEC now") == [refused]
    assert play(client, "MULTI", "DISCARD", "EXEC now") == ["OK", "OK", refused]
    assert play(client, "DISCARD now") == ["ERR wrong number of arguments for 'discard' command"]


def test_a_gate_that_refuses_exec_ends_the_transaction(engine: Engine) -> None:
    """As when memory is short, or a script is busy: the client is not left inside."""
    client = engine.connect()
    play(client, "WATCH k", "MULTI", "SET k 1")

    def refuse(client: Client, command: Command, argv: Sequence[bytes]) -> Reply:
        return CommandError("OOM command not allowed") if "write" in client.queued_flags else None

    engine.gates = (refuse,)
    assert play(client, "EXEC") == ["EXECABORT Transaction discarded because of: OOM command not allowed"]
    engine.gates = ()
    assert play(client, "EXEC", "EXISTS k", "MULTI", "EXEC") == ["ERR EXEC without MULTI", 0, "OK", []]
    assert not engine.keyspace.on_change


def test_commands_run_with_the_permissions_of_the_moment(engine: Engine) -> None:
    client = engine.connect()
    play(client, "MULTI", "SET k 1", "GET k")
    engine.extras["may_still_run"] = lambda client, command, argv: (
        CommandError("NOPERM no") if command.name == "set" else None
    )
    refused, got = client.engine.execute(client, [b"EXEC"])  # type: ignore[misc, union-attr]
    assert str(refused) == "NOPERM no"
    assert got is None


def test_nothing_listens_once_nobody_watches(engine: Engine) -> None:
    one, other = engine.connect(), engine.connect()
    play(one, "WATCH a b")
    play(other, "WATCH b c")
    watches = engine.extras["transactions"]
    assert (watches.clients, watches.keys) == (2, 3)
    play(other, "SET b 1")
    assert (watches.clients, watches.keys) == (0, 0)  # both are marked: they need watch no more
    assert not engine.keyspace.on_change
    assert not engine.keyspace.on_replaced
    assert play(one, "MULTI", "PING", "EXEC")[-1] is NULL_ARRAY
    other.close()
    play(one, "WATCH a")
    one.close()
    assert watches.keys == 0
    assert not engine.keyspace.on_change
