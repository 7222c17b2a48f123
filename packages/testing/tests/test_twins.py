"""Twins are asked the same and must answer the same; a duo does so with several clients, step by step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cutaway.testing import RealServer

pytest.importorskip("cutaway.commands", reason="the extra `twins` is not installed")

from cutaway.commands import Client, CommandTable, Engine
from cutaway.testing.duos import Duo
from cutaway.testing.twins import EnginePeer, Twins, all_tables

wrong = CommandTable("wrong")


@wrong.command("DIFFER", arity=1, flags="readonly fast")
def differ(client: Client) -> bytes:
    """Says what no server says, because none has it. O(1)."""
    return b"wrong"


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def twins(request: pytest.FixtureRequest, real_server: RealServer) -> Iterator[Twins]:
    with Twins(Engine(*all_tables(wrong)), real_server, request.param) as pair:
        yield pair


@pytest.fixture
def duo(real_server: RealServer) -> Iterator[Duo]:
    with Duo(Engine(*all_tables(wrong)), real_server) as pair:
        yield pair


def test_what_is_the_same_comes_back_as_bytes(twins: Twins) -> None:
    assert twins.same("HSET", "h", "f", 1.5) == b":1\r\n"
    map_of_one = b"*2\r\n" if twins.protocol == 2 else b"%1\r\n"
    assert twins.same("HGETALL", "h") == map_of_one + b"$1\r\nf\r\n$3\r\n1.5\r\n"
    assert twins.same("GET", "h").startswith(b"-WRONGTYPE")


def test_what_differs_is_told_with_both_sides(twins: Twins) -> None:
    with pytest.raises(
        AssertionError, match=r"asked \('DIFFER',\)\n  ours b'\$5.*wrong.*\n  real b.-ERR unknown"
    ):
        twins.same("DIFFER")


def test_a_script_stops_where_the_two_part(twins: Twins) -> None:
    twins.script('SET k ""\nSTRLEN k\n\n  APPEND k x')
    with pytest.raises(AssertionError):
        twins.script("SET k y\nDIFFER\nSET k z")
    assert twins.same("GET", "k") == b"$1\r\ny\r\n"


def test_order_can_be_left_out_of_account_and_nothing_else(twins: Twins) -> None:
    twins.script("SADD s 3 1 2 x y")
    twins.same_sorted("SMEMBERS", "s")
    with pytest.raises(AssertionError):
        twins.same_sorted("DIFFER")


def test_a_derived_class_says_what_is_compared(real_server: RealServer) -> None:
    class Kinds(Twins):
        def seen(self, reply: bytes) -> bytes:
            return b"an error" if reply.startswith(b"-ERR") else b"a value"

    with Kinds(Engine(*all_tables(wrong)), real_server) as kinds:
        assert kinds.same("SET", "k", "v") == b"a value"
        assert kinds.same("NONSENSE") == b"an error"
        with pytest.raises(AssertionError):
            kinds.same("DIFFER")


def test_twins_begin_with_an_empty_server(real_server: RealServer) -> None:
    for _ in range(2):
        with Twins(Engine(*all_tables()), real_server) as twins:
            assert twins.same("SET", "k", "v", "NX") == b"+OK\r\n"


def test_a_waiting_client_of_ours_gets_its_reply_later() -> None:
    engine = Engine(*all_tables())
    waiting, other = EnginePeer(engine), EnginePeer(engine, protocol=3)
    assert waiting.ask_bytes("BLPOP", "l", 0) == b""
    assert other.ask_bytes("RPUSH", "l", "x", "y") == b":2\r\n"
    assert waiting.take() == b"*2\r\n$1\r\nl\r\n$1\r\nx\r\n"
    assert waiting.take() == b""


def test_a_scenario_has_all_clients_compared_after_each_line(duo: Duo) -> None:
    duo.play("""
        a: BLPOP l 0
        b: RPUSH l x y
        b: LRANGE l 0 -1
        b: SET "" 1
        - a
        b: PING
    """)
    assert list(duo.ours) == ["b"]
    with pytest.raises(AssertionError, match="wrong"):
        duo.play("b: DIFFER")


def test_clients_have_the_same_ids_and_can_be_named_by_them(duo: Duo) -> None:
    duo.play("a: CLIENT ID\nb: CLIENT UNBLOCK $a\nb: CLIENT ID")
    assert duo.ours["a"].received == b":%d\r\n" % duo.real["a"].identity


def test_settings_are_changed_on_both_and_changed_back(real_server: RealServer) -> None:
    engine = Engine(*all_tables())
    question = ("CONFIG", "GET", "list-max-listpack-size")
    with real_server.connect() as peer:
        before = peer.ask(*question)
        with Duo(engine, real_server) as duo:
            duo.config("list-max-listpack-size", "3")
            duo.play("a: RPUSH l 1 2 3 4\na: OBJECT ENCODING l")
            assert peer.ask(*question) == [b"list-max-listpack-size", b"3"]
        assert peer.ask(*question) == before


def test_clients_of_one_scenario_may_speak_different_protocols(duo: Duo) -> None:
    duo.hello(3, "a")
    duo.play("a: HSET h f v\na: HGETALL h\nb: HGETALL h")
    assert duo.ours["a"].received.endswith(b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n")
    assert duo.ours["b"].received == b"*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
