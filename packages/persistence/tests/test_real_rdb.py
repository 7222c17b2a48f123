"""RDB files between Cutaway and real servers, both ways, for every type and encoding at its threshold."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from shutil import which

import pytest

from cutaway.datastructures.hash_values import HashValue
from cutaway.persistence import (
    Aux,
    DatabaseDump,
    Entry,
    Library,
    RDBReader,
    Value,
    ValueOptions,
    crc64,
    info_fields,
    required_version,
    restore,
    write_rdb,
)
from cutaway.persistence.errors import DumpError

KINDS = ("redis", "valkey")

FAR = 32_503_680_000_000
"""An expiry in the year 3000."""


def populate(server) -> None:
    """Make keys of every type and encoding, at and across their thresholds."""
    for text in (
        b"",
        b"0",
        b"-1",
        b"127",
        b"128",
        b"-129",
        b"32767",
        b"-32769",
        b"2147483647",
        b"2147483648",
    ):
        server("SET", b"string:" + text, text)
    for text in (
        b"9223372036854775807",
        b"9223372036854775808",
        b"007",
        b"-0",
        b"+1",
        b" 1",
        b"1.0",
        b"\x00\xff\r\n",
    ):
        server("SET", b"string:" + text, text)
    for size in (11, 20, 21, 44, 45, 63, 64, 16383, 16384, 70000):
        server("SET", f"string:run:{size}", b"a" * size)
        server("SET", f"string:mixed:{size}", bytes(range(256)) * (size // 256) + bytes(range(size % 256)))
    server("APPEND", "string:raw", "ab")
    server("SET", "string:expires", "x", "PXAT", FAR)
    for count in (1, 127, 128, 129, 511, 512, 513, 1500):
        numbers = range(count)
        server("RPUSH", f"list:{count}", *numbers)
        server("SADD", f"set:int:{count}", *numbers)
        server("SADD", f"set:text:{count}", *[f"m{n}" for n in numbers])
        server("ZADD", f"zset:{count}", *[x for n in numbers for x in (n / 4 - 20, f"m{n}")])
        server("HSET", f"hash:{count}", *[x for n in numbers for x in (f"f{n}", n * 7)])
    for size in (63, 64, 65, 5000, 9000):
        blob = b"%d:" % size + b"x" * (size - 3 - len(str(size - 0)) + 2)
        server("RPUSH", f"list:long:{size}", "a", blob, "b", blob)
        server("SADD", f"set:long:{size}", "a", blob)
        server("ZADD", f"zset:long:{size}", 1, "a", 2, blob)
        server("HSET", f"hash:long:{size}", "a", blob, blob, "b")
    for width, number in (("16", 1000), ("32", 100_000), ("64", 1 << 40)):
        server("SADD", f"set:int{width}", -number, 0, 1, number)
    server("ZADD", "zset:scores", "-inf", "a", "inf", "b", "0.1", "c", "1e300", "d", "-5e-324", "e", "3", "f")
    server(
        "ZADD",
        "zset:scores:large",
        *[x for n in range(200) for x in (n / 3, f"m{n}")],
        "inf",
        "i",
        "-inf",
        "j",
    )
    for n in range(250):
        server("XADD", "stream", f"{1000 + n}-{n % 3}", "a", n, "b", "x" * (n % 50))
    server("XADD", "stream", "2000-1", "other", "fields")
    server("XDEL", "stream", "1005-2", "1100-1")
    server("XGROUP", "CREATE", "stream", "g", "0")
    server("XGROUP", "CREATE", "stream", "idle", "$", "ENTRIESREAD", "7")
    server("XREADGROUP", "GROUP", "g", "alice", "COUNT", "7", "STREAMS", "stream", ">")
    server("XREADGROUP", "GROUP", "g", "bob", "COUNT", "3", "STREAMS", "stream", ">")
    server("XACK", "stream", "g", "1001-1")
    server("XGROUP", "CREATECONSUMER", "stream", "g", "lazy")
    server("XADD", "stream:empty", "1-1", "a", "b")
    server("XDEL", "stream:empty", "1-1")
    server("SELECT", 9)
    server("SET", "other", "database")
    server("SELECT", 0)


def as_server_says(server, key: bytes) -> object:
    """Return what the server replies for a key, with scores as numbers: 7.0 prints them with 17 digits."""
    match server("TYPE", key):
        case "string":
            return server("GET", key)
        case "list":
            return server("LRANGE", key, 0, -1)
        case "set":
            return sorted(server("SMEMBERS", key))
        case "zset":
            reply = server("ZRANGE", key, 0, -1, "WITHSCORES")
            return [float(x) if at % 2 else x for at, x in enumerate(reply)]
        case "hash":
            reply = server("HGETALL", key)
            return dict(zip(reply[::2], reply[1::2], strict=True))
        case "stream":
            return server("XRANGE", key, "-", "+")


def as_we_say(value: Value) -> object:
    """Return a value in the shape of a server's reply."""
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    match value.type_name:
        case "list":
            return list(value)
        case "set":
            return sorted(value)
        case "hash":
            return dict(value.items())
        case "stream":
            return [[b"%d-%d" % i, [x for pair in fields for x in pair]] for i, fields in value]
        case _:
            return [x for pair in value.items() for x in pair]


def rewritten(data: bytes, version: int | None = None) -> bytes:
    """Read a file and write it again."""
    events = list(RDBReader(data).events())
    entries = [event for event in events if isinstance(event, Entry)]
    libraries = [event.source for event in events if isinstance(event, Library)]
    numbers = sorted({entry.db for entry in entries})
    dumps = [
        DatabaseDump(
            n,
            len(mine),
            sum(e.expire_at is not None for e in mine),
            [(e.key, e.value, e.expire_at, e.idle) for e in mine],
        )
        for n in numbers
        for mine in [[entry for entry in entries if entry.db == n]]
    ]
    out = bytearray()
    least = required_version(entry.value for entry in entries)
    write_rdb(
        out.extend,
        dumps,
        aux=info_fields("7.0.0", 1_700_000_000, 1 << 20),
        libraries=libraries,
        version=version or least,
    )
    return bytes(out)


@pytest.mark.parametrize("kind", KINDS)
def test_every_encoding_a_real_server_saves_is_read_as_the_server_tells_it(start, kind):
    server = start(kind)
    populate(server)
    entries = [entry for entry in RDBReader(server.save()).entries() if entry.db == 0]
    assert len(entries) == server("DBSIZE")
    for entry in entries:
        assert as_we_say(entry.value) == as_server_says(server, entry.key), entry.key
        expires = server("PEXPIRETIME", entry.key)
        assert (entry.expire_at or -1) == expires
        if not isinstance(entry.value, (int, bytes, bytearray)):
            entry.value.check()
            if kind == "valkey":
                assert entry.value.encoding.encode() == server("OBJECT", "ENCODING", entry.key), entry.key


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("origin", KINDS)
def test_a_file_of_ours_is_loaded_with_nothing_lost(start, tmp_path, origin, target):
    server = start(origin)
    populate(server)
    (tmp_path / "dump.rdb").write_bytes(rewritten(server.save()))
    loaded = start(target, folder=tmp_path)
    assert loaded("DBSIZE") == server("DBSIZE")
    for key in server("KEYS", "*"):
        assert loaded("PEXPIRETIME", key) == server("PEXPIRETIME", key)
        assert as_server_says(loaded, key) == as_server_says(server, key), key
    assert loaded("XINFO", "STREAM", "stream")[:18] == server("XINFO", "STREAM", "stream")[:18]
    assert loaded("XINFO", "GROUPS", "stream") == server("XINFO", "GROUPS", "stream")
    pending = ("XPENDING", "stream", "g", "-", "+", 100)
    assert [row[:2] + row[3:] for row in loaded(*pending)] == [row[:2] + row[3:] for row in server(*pending)]
    if origin == target:
        assert loaded("DEBUG", "DIGEST") == server("DEBUG", "DIGEST")


@pytest.mark.parametrize("version", [11, 80])
def test_newer_layouts_are_loaded_by_valkey_with_the_active_times(start, tmp_path, version):
    server = start("valkey")
    populate(server)
    (tmp_path / "dump.rdb").write_bytes(rewritten(server.save(), version))
    loaded = start("valkey", folder=tmp_path)
    assert loaded("DEBUG", "DIGEST") == server("DEBUG", "DIGEST")
    consumers = [
        dict(zip(row[::2], row[1::2], strict=True)) for row in loaded("XINFO", "CONSUMERS", "stream", "g")
    ]
    assert [row[b"inactive"] >= 0 for row in consumers] == [True, True, False]


def test_field_expiries_go_both_ways_and_only_into_a_file_that_has_a_place_for_them(start, tmp_path):
    server = start("valkey")
    server("HSET", "h", "a", "1", "b", "2", "c", "3")
    server("HPEXPIREAT", "h", FAR, "FIELDS", 1, "b")
    server("SET", "s", "x")
    data = server.save()
    values = {entry.key: entry.value for entry in RDBReader(data).entries()}
    value = values[b"h"]
    assert isinstance(value, HashValue)
    assert [value.expire_at(name) for name in (b"a", b"b", b"c")] == [None, FAR, None]
    again = rewritten(data)
    assert again.startswith(b"VALKEY080")
    (tmp_path / "dump.rdb").write_bytes(again)
    loaded = start("valkey", folder=tmp_path)
    assert loaded("HPEXPIRETIME", "h", "FIELDS", 3, "a", "b", "c") == [-1, FAR, -1]
    with pytest.raises(ValueError, match="no place for the expiry"):
        rewritten(data, 10)


@pytest.mark.parametrize("kind", KINDS)
def test_function_libraries_and_access_hints_survive(start, tmp_path, kind):
    server = start(kind, "--maxmemory-policy", "allkeys-lru")
    code = "#!lua name=lib\nredis.register_function('f', function() return 1 end)"
    server("FUNCTION", "LOAD", code)
    server("SET", "k", "v")
    events = list(RDBReader(server.save()).events())
    assert [e.source for e in events if isinstance(e, Library)] == [code.encode()]
    assert [e.idle for e in events if isinstance(e, Entry)] == [0]
    out = bytearray()
    write_rdb(out.extend, [DatabaseDump(0, 1, 0, [(b"k", b"v", None, 77)])], libraries=[code.encode()])
    (tmp_path / "dump.rdb").write_bytes(out)
    loaded = start(kind, "--maxmemory-policy", "allkeys-lru", folder=tmp_path)
    assert 77 <= loaded("OBJECT", "IDLETIME", "k") <= 79
    assert loaded("FCALL", "f", 0) == 1
    out.clear()
    write_rdb(out.extend, [DatabaseDump(0, 1, 0, [(b"k", b"v", None, 99)])], hints="freq")
    (tmp_path / "second.rdb").write_bytes(out)
    other = start(kind, "--maxmemory-policy", "allkeys-lfu", "--dbfilename", "second.rdb", folder=tmp_path)
    assert other("OBJECT", "FREQ", "k") == 99
    assert [e.freq for e in RDBReader(other.save() and (tmp_path / "second.rdb").read_bytes()).entries()] == [
        99
    ]


def test_the_file_of_a_cluster_node_is_read(start):
    server = start("valkey", "--cluster-enabled", "yes")
    server("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    for _ in range(300):
        if server("SET", "k", "v") == "OK":
            break
        time.sleep(0.02)
    events = list(RDBReader(server.save()).events())
    assert [event.key for event in events if isinstance(event, Entry)] == [b"k"]
    assert b"slot-info" in [event.name for event in events if isinstance(event, Aux)]


def test_the_checking_tool_of_redis_accepts_our_file(start, tmp_path):
    tool = which("redis-check-rdb")
    if tool is None:
        pytest.skip("no redis-check-rdb here")
    server = start("redis")
    populate(server)
    path = Path(tmp_path / "ours.rdb")
    path.write_bytes(rewritten(server.save()))
    done = subprocess.run([tool, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "Checksum OK" in done.stdout


@pytest.mark.parametrize("choice", ["strict", "relaxed"])
@pytest.mark.parametrize("version", [0, 11, 12, 79, 80, 81, 999])
def test_a_real_server_takes_and_refuses_the_same_versions(start, choice, version):
    server = start("valkey", "--rdb-version-check", choice)
    body = b"\x00\x01v" + version.to_bytes(2, "little")
    payload = body + crc64(body).to_bytes(8, "little")
    try:
        ours = restore(payload, ValueOptions(any_version=choice == "relaxed"))
    except DumpError:
        ours = None
    assert (server("RESTORE", "k", 0, payload) == "OK") is (ours == b"v")
