"""The encodings of hashes and sets change where OBJECT ENCODING of a Valkey server says that they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cutaway.datastructures.hash_values import HashValue
from cutaway.datastructures.limits import Limits
from cutaway.datastructures.set_values import SetValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cutaway.testing import RealServer


@pytest.fixture(scope="module")
def server(valkey_server: RealServer) -> Iterator[Any]:
    redis = pytest.importorskip("redis", reason="the redis client drives the real server")
    with redis.Redis(unix_socket_path=valkey_server.path) as client:
        yield client


def encoding(server: Any) -> str:
    return str(server.object("ENCODING", "k").decode())


LONG, LIMIT = b"x" * 9, b"x" * 8


@pytest.mark.parametrize(("ints", "entries"), [(4, 3), (3, 4), (2, 30), (0, 3), (4, 0), (0, 0)])
@pytest.mark.parametrize(
    "batches",
    [
        [[b"1"], [b"2"], [b"3"], [b"4"], [b"5"]],
        [[b"1"], [b"2"], [b"x"], [b"y"], [b"z"]],
        [[b"1", b"2", b"3"], [b"x"]],
        [[b"1", b"2", b"3", b"4"], [b"5"]],
        [[b"1", b"2", b"3", b"4", b"5"], [b"x"]],
        [[b"x", b"1", b"2", b"3", b"4"]],
        [[b"1", b"1", b"1", b"1", b"1"]],
        [[b"x", b"x", b"x", b"x", b"x"]],
        [[b"x"], [b"x", b"x", b"x", b"x", b"x"]],
        [[b"1"], [b"1", b"1", b"1", b"1", b"1"], [b"x"]],
        [[b"a"], [LIMIT], [LONG]],
        [[b"1"], [LIMIT]],
        [[b"1"], [LONG]],
        [[b"1234567890", b"1"], [b"x"]],
        [[b"-1234567", b"1"], [b"x"]],
        [[b"-12345678", b"1"], [b"x"]],
        [[b"007"], [b"7"]],
    ],
)
def test_sets(server: Any, ints: int, entries: int, batches: list[list[bytes]]) -> None:
    server.config_set("set-max-intset-entries", ints)
    server.config_set("set-max-listpack-entries", entries)
    server.config_set("set-max-listpack-value", 8)
    server.delete("k")
    value = SetValue(
        Limits(set_max_intset_entries=ints, set_max_listpack_entries=entries, set_max_listpack_value=8)
    )
    for batch in batches:
        assert value.update(batch) == server.sadd("k", *batch)
        assert value.encoding == encoding(server), batch
    assert set(value) == server.smembers("k")


@pytest.mark.parametrize("entries", [0, 2, 3])
@pytest.mark.parametrize(
    "batches",
    [
        [[(b"a", b"1")], [(b"b", b"1")], [(b"c", b"1")], [(b"d", b"1")]],
        [[(b"a", b"1"), (b"a", b"2"), (b"a", b"3"), (b"a", b"4")]],
        [
            [(b"a", b"1"), (b"b", b"2")],
            [(b"a", b"1"), (b"b", b"3")],
            [(b"a", b"1"), (b"b", b"2"), (b"b", b"4")],
        ],
        [[(b"a", LIMIT)], [(b"a", LONG)], [(b"a", b"1")]],
        [[(LIMIT, b"1")], [(LONG, b"1")]],
    ],
)
def test_hashes(server: Any, entries: int, batches: list[list[tuple[bytes, bytes]]]) -> None:
    server.config_set("hash-max-listpack-entries", entries)
    server.config_set("hash-max-listpack-value", 8)
    server.delete("k")
    value = HashValue(Limits(hash_max_listpack_entries=entries, hash_max_listpack_value=8))
    for batch in batches:
        flat = [element for pair in batch for element in pair]
        assert value.update(batch) == server.execute_command("HSET", "k", *flat)
        assert value.encoding == encoding(server), batch
    assert dict(value.items()) == server.hgetall("k")


def test_a_hash_with_expiring_fields(server: Any) -> None:
    server.config_set("hash-max-listpack-entries", 512)
    server.delete("k")
    server.hset("k", mapping={"a": 1, "b": 2})
    value = HashValue()
    value.update([(b"a", b"1"), (b"b", b"2")])
    try:
        server.execute_command("HPEXPIREAT", "k", 2**42, "FIELDS", 1, "a")
    except Exception as error:  # noqa: BLE001 - whatever class the client has for it
        pytest.skip(f"no field expiry in this server: {error}")
    value.set_expiry(b"a", 2**42)

    def agree() -> None:
        assert value.encoding == encoding(server)
        times = server.execute_command("HPEXPIRETIME", "k", "FIELDS", 2, "a", "b")
        assert times == [value.expire_at(field) or -1 for field in (b"a", b"b")]

    agree()
    server.execute_command("HINCRBY", "k", "a", 1)
    value.set(b"a", b"2", keep_expiry=True)
    agree()
    server.hset("k", "a", 7)
    value.set(b"a", b"7")
    agree()
