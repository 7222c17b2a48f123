"""Listpacks, intsets and lists against real servers: bytes of DUMP, and OBJECT ENCODING around the limits."""

from __future__ import annotations

import random

import pytest
import redis

from cutaway.datastructures import IntSet, ListPack, ListValue, lzf
from cutaway.datastructures.limits import Limits

FOOTER = 10  # RDB version and CRC64
LIST_NODES, INTSET, HASH_LISTPACK = 18, 11, 16
PACKED = 2


def read_length(dump: bytes, at: int) -> tuple[int, int]:
    """The RDB length at `at`, and where it ends."""
    first = dump[at]
    if first < 0x40:
        return first, at + 1
    if first < 0x80:
        return (first & 0x3F) << 8 | dump[at + 1], at + 2
    assert first == 0x80
    return int.from_bytes(dump[at + 1 : at + 5], "big"), at + 5


def read_string(dump: bytes, at: int) -> tuple[bytes, int]:
    size, at = read_length(dump, at)
    return dump[at : at + size], at + size


def packed_nodes(dump: bytes) -> list[bytes]:
    assert dump[0] == LIST_NODES
    number, at = read_length(dump, 1)
    nodes = []
    for _ in range(number):
        kind, at = read_length(dump, at)
        assert kind == PACKED
        node, at = read_string(dump, at)
        nodes.append(node)
    assert at + FOOTER == len(dump)
    return nodes


BOUNDS = [0, 127, 128, 4095, 4096, *((1 << bits) - low for bits in (15, 23, 31, 63) for low in (1, 0))]
ELEMENTS = [b"%d" % value for bound in BOUNDS for value in (bound, -bound, -bound - 1)]
ELEMENTS += [b"", b"xxx", b"-", b"-0", b"01", b" 1", b"\xff"] + [b"a" * n for n in (62, 63, 64, 126, 127)]


@pytest.mark.parametrize("extra", [[], [b"b" * 4095], [b"b" * 4096]])
def test_a_list_is_packed_into_the_same_bytes(server: redis.Redis, extra: list[bytes]) -> None:
    server.delete("l")
    server.rpush("l", *ELEMENTS, *extra)
    assert packed_nodes(server.dump("l")) == [bytes(ListPack.from_list(ELEMENTS + extra))]


def test_a_hash_is_packed_into_the_same_bytes(server: redis.Redis) -> None:
    server.delete("h")
    pack = ListPack()
    for number, value in enumerate(element for element in ELEMENTS if len(element) <= 64):
        server.hset("h", f"f{number}", value)
        pack.extend((b"f%d" % number, value))
    dump = server.dump("h")
    assert dump[0] == HASH_LISTPACK
    assert read_string(dump, 1)[0] == bytes(pack)


@pytest.mark.parametrize("size", [16376, 16377, 16378, 16379, 16380, 65000])
def test_the_lengths_behind_long_strings_are_the_same_bytes(server: redis.Redis, size: int) -> None:
    server.config_set("list-max-listpack-size", "-5")
    server.delete("l")
    server.rpush("l", b"a", b"b" * size)
    server.config_set("list-max-listpack-size", "-2")
    nodes = packed_nodes(server.dump("l"))
    ours = ListPack.from_list([b"a", b"b" * size])
    if size == 16378 and "valkey_version" in server.info("server"):
        assert nodes != [bytes(ours)], "newer Valkeys write this one backlen a byte shorter"
        nodes = [bytes(ListPack.from_bytes(node)) for node in nodes]
    assert nodes == [bytes(ours)]


def test_an_intset_is_the_same_bytes_at_every_width(server: redis.Redis) -> None:
    server.delete("s")
    intset = IntSet()
    for value in (5, -5, 32767, -32768, 32768, -7, 2147483648, 0, -(1 << 63), (1 << 63) - 1):
        server.sadd("s", value)
        intset.add(value)
        dump = server.dump("s")
        assert dump[0] == INTSET
        assert read_string(dump, 1)[0] == bytes(intset)


def test_a_string_the_server_compressed_is_read(server: redis.Redis) -> None:
    text = b"".join(b"line %d of the text\n" % (number % 17) for number in range(400))
    server.config_set("rdbcompression", "yes")
    server.set("k", text)
    dump = server.dump("k")
    server.config_set("rdbcompression", "no")
    assert dump[:2] == b"\x00\xc3"
    size, at = read_length(dump, 2)
    length, at = read_length(dump, at)
    assert lzf.decompress(dump[at : at + size], length) == text


def encoding(server: redis.Redis) -> str:
    return server.object("encoding", "l").decode()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [-1, -2, 1, 4, 128])
def test_a_list_changes_its_encoding_where_valkey_does(server: redis.Redis, size: int, seed: int) -> None:
    if "valkey_version" not in server.info("server"):
        pytest.skip("this server has quicklists only")
    server.config_set("list-max-listpack-size", size)
    server.delete("l")
    value = ListValue(Limits(list_max_listpack_size=size))
    rng = random.Random(seed)
    pool = [b"a", b"12", b"c" * 30, b"d" * 300, b"e" * 1000, b"f" * 4060, b"g" * 8200]
    for _ in range(250):
        element = rng.choice(pool)
        step = rng.choice(["right", "left", "right", "pop", "insert", "set", "remove", "trim"])
        if step == "right":
            server.rpush("l", element, element[:2])
            value.push_right((element, element[:2]))
        elif step == "left":
            server.lpush("l", element)
            value.push_left((element,))
        elif step == "pop":
            assert server.lpop("l") == (value.pop_left() if len(value) else None)
            assert server.rpop("l") == (value.pop_right() if len(value) else None)
        elif step == "insert":
            pivot, before = rng.choice(pool), rng.random() < 0.5
            server.linsert("l", "BEFORE" if before else "AFTER", pivot, element)
            value.insert(pivot, element, before=before)
        elif step == "set" and len(value):
            index = rng.randrange(len(value))
            server.lset("l", index, element)
            value.set(index, element)
        elif step == "remove":
            assert server.lrem("l", 2, element) == value.remove(element, 2)
        elif step == "trim" and len(value) > 20:
            server.ltrim("l", 3, len(value) - 4)
            value.trim(3, len(value) - 4)
        value.check()
        assert server.lrange("l", 0, -1) == list(value)
        if len(value):
            assert encoding(server) == value.encoding, step
        else:
            value = ListValue(Limits(list_max_listpack_size=size))
