"""Append-only directories between Cutaway and real servers, both ways."""

from __future__ import annotations

import subprocess
import time
from shutil import which

import pytest

from cutaway.datastructures.set_values import SetValue
from cutaway.persistence import (
    AOFReplay,
    AppendOnlyFile,
    DatabaseDump,
    DumpError,
    Entry,
    Library,
    OSFiles,
    RDBReader,
    crc64,
    dump,
    required_version,
    restore,
    write_aof,
    write_rdb,
)

KINDS = ("redis", "valkey")
AOF_ON = ("--appendonly", "yes", "--appendfsync", "always")


def populate(server) -> None:
    server("SET", "s", "x" * 50)
    server("SET", "n", 12345678901)
    server("SET", "e", "x", "PXAT", 32_503_680_000_000)
    server("RPUSH", "l", *range(200))
    server("SADD", "i", 1, 2, 3)
    server("SADD", "t", *[f"m{n}" for n in range(150)])
    server("ZADD", "z", *[x for n in range(150) for x in (n / 4, f"m{n}")])
    server("ZADD", "zs", "inf", "a", "-inf", "b", 1, "c")
    server("HSET", "h", *[x for n in range(100) for x in (f"f{n}", n)])
    for n in range(120):
        server("XADD", "x", f"{n + 1}-1", "f", n)
    server("XDEL", "x", "3-1")
    server("XGROUP", "CREATE", "x", "g", "0")
    server("XREADGROUP", "GROUP", "g", "c", "COUNT", 5, "STREAMS", "x", ">")
    server("XGROUP", "CREATECONSUMER", "x", "g", "lazy")
    if server.kind == "valkey":
        server("HSET", "hf", "a", 1, "b", 2)
        server("HPEXPIREAT", "hf", 32_503_680_000_000, "FIELDS", 1, "a")
    server("XADD", "xe", "5-5", "a", "b")
    server("XDEL", "xe", "5-5")
    server("SELECT", 3)
    server("SET", "three", "3")
    server("SELECT", 0)
    server("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")


def dumps_of(events):
    entries = [event for event in events if isinstance(event, Entry)]
    return [
        DatabaseDump(number, len(mine), 0, [(e.key, e.value, e.expire_at, None) for e in mine])
        for number in sorted({e.db for e in entries})
        for mine in [[e for e in entries if e.db == number]]
    ]


@pytest.mark.parametrize("rdb", [True, False], ids=["rdb", "aof"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_directory_of_ours_starts_a_real_server(start, tmp_path, kind, rdb):
    origin = start(kind)
    populate(origin)
    events = list(RDBReader(origin.save()).events())
    libraries = [event.source for event in events if isinstance(event, Library)]

    def write_base(path):
        with open(path, "wb") as file:  # noqa: PTH123 - as a server would
            if rdb:
                version = required_version(event.value for event in events if isinstance(event, Entry))
                write_rdb(file.write, dumps_of(events), libraries=libraries, version=version)
            else:
                write_aof(file.write, dumps_of(events), libraries=libraries)

    directory = str(tmp_path / "appendonlydir")
    aof = AppendOnlyFile(OSFiles(), directory, timestamps=True)
    aof.open(write_base, rdb=rdb)
    aof.feed(0, [b"SET", b"after", b"1"], 1_700_000_000)
    path = aof.begin_rewrite(rdb=rdb)
    aof.feed(0, [b"MULTI"])
    aof.feed(0, [b"INCR", b"after"])
    aof.feed(4, [b"SET", b"four", b"4"])
    aof.feed(4, [b"EXEC"])
    write_base(path)
    aof.abort_rewrite()
    aof.close()
    origin("SET", "after", 2)
    origin("SELECT", 4)
    origin("SET", "four", 4)
    origin("SELECT", 0)
    loaded = start(kind, *AOF_ON, folder=tmp_path)
    assert loaded("DEBUG", "DIGEST") == origin("DEBUG", "DIGEST")
    assert loaded("XINFO", "STREAM", "xe")[:16] == origin("XINFO", "STREAM", "xe")[:16]
    assert loaded("XINFO", "GROUPS", "x") == origin("XINFO", "GROUPS", "x")
    assert loaded("FCALL", "f", 0) == 1
    if kind == "valkey":
        assert loaded("HPEXPIRETIME", "hf", "FIELDS", 2, "a", "b") == [32_503_680_000_000, -1]
    if (tool := which("redis-check-aof")) and kind == "redis":
        done = subprocess.run(
            [tool, f"{directory}/appendonly.aof.manifest"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
        assert "is valid" in done.stdout


@pytest.mark.parametrize("preamble", ["yes", "no"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_directory_of_a_real_server_is_replayed(start, kind, preamble):
    server = start(kind, *AOF_ON, "--aof-use-rdb-preamble", preamble, "--aof-timestamp-enabled", "yes")
    populate(server)
    server("BGREWRITEAOF")
    for _ in range(200):
        if b"aof_rewrite_in_progress:0" in server("INFO", "persistence"):
            break
        time.sleep(0.02)
    server("SET", "late", "1")
    server("MULTI")
    server("INCR", "late")
    server("EXEC")
    replay = AOFReplay(OSFiles(), str(server.folder / "appendonlydir"))
    assert replay.size > 0
    items = list(replay)
    assert replay.torn is None
    keys = {item.key for item in items if isinstance(item, Entry)} | {
        i[1] for i in items if isinstance(i, list) and len(i) > 2
    }
    assert keys >= {b"s", b"n", b"e", b"l", b"i", b"t", b"z", b"h", b"x", b"late", b"three"}
    assert any(item == [b"INCR", b"late"] for item in items)
    target = start(kind)
    for item in items:
        if isinstance(item, Entry):
            target("SELECT", item.db)
            assert target("RESTORE", item.key, item.expire_at or 0, dump(item.value), "ABSTTL") == "OK"
        elif isinstance(item, Library):
            target("FUNCTION", "LOAD", item.source)
        elif isinstance(item, list):
            reply = target(*item)
            assert not isinstance(reply, Exception), (item, reply)
    assert target("DEBUG", "DIGEST") == server("DEBUG", "DIGEST")


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("origin", KINDS)
def test_payloads_travel_between_all_of_us(start, origin, target):
    server, other = start(origin), start(target)
    populate(server)
    for key in set(server("KEYS", "*")) - ({b"hf"} if target == "redis" else set()):
        value = restore(server("DUMP", key))
        payload = dump(value)
        expires = max(0, server("PEXPIRETIME", key))
        assert other("RESTORE", key, expires, payload, "ABSTTL") == "OK", key
        again = restore(other("DUMP", key))
        if isinstance(value, SetValue):
            assert isinstance(again, SetValue)
            assert set(value) == set(again)
        else:
            assert dump(again) == payload
        if origin == target:
            assert other("DEBUG", "DIGEST-VALUE", key) == server("DEBUG", "DIGEST-VALUE", key)


@pytest.mark.parametrize("kind", KINDS)
def test_payloads_are_refused_in_the_words_of_the_server(start, kind):
    server = start(kind)
    server("RPUSH", "l", *range(50))
    good = server("DUMP", "l")
    footer = good[-10:-8]
    bad = [b"", good[:9], good[:-1], good[:-1] + bytes((good[-1] ^ 1,)), good[:-10] + b"\xff\xff" + good[-8:]]
    bodies = (b"\x12\x01\x02\xc3\x05", b"\x63\x01a", b"\x01\x00", b"\x00\x40\x50abc", b"\x07\x00")
    bad += [body + footer + crc64(body + footer).to_bytes(8, "little") for body in bodies]
    for payload in bad:
        reply = server("RESTORE", "k", 0, payload)
        with pytest.raises(DumpError) as caught:
            restore(payload)
        assert str(reply) == f"ERR {caught.value}", payload


def test_a_hash_with_field_expiries_travels_to_valkey(start):
    server = start("valkey")
    server("HSET", "h", "a", 1, "b", 2)
    server("HPEXPIREAT", "h", 32_503_680_000_000, "FIELDS", 1, "a")
    payload = dump(restore(server("DUMP", "h")))
    assert server("RESTORE", "copy", 0, payload) == "OK"
    assert server("HPEXPIRETIME", "copy", "FIELDS", 2, "a", "b") == [32_503_680_000_000, -1]
