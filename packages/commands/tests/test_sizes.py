"""What MEMORY USAGE says of keys, against what a process really grows by that holds them.

Each kind of key is built in a process of its own: as many as take some ten megabytes, then the resident memory is compared with
the sum of the sizes. The first keys are built before the measuring begins, so that what the allocator had lying around is used up.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cutaway.commands import Engine
from cutaway.commands.keyspaces import Entry
from cutaway.commands.memory_commands import memory
from cutaway.commands.sizes import UNKNOWN_BYTES, entry_size, value_size
from cutaway.commands.strings import strings
from cutaway.datastructures.module_values import ModuleValue
from cutaway.resp import MapReply

MEASURE = """
import gc, sys
from random import Random
from pathlib import Path
from cutaway.commands import Engine
from cutaway.commands.blocking_lists import lists
from cutaway.commands.expiring import generic
from cutaway.commands.hash_expiry import hash_expiry
from cutaway.commands.hashes import hashes
from cutaway.commands.set_algebra import sets
from cutaway.commands.sizes import UNKNOWN_BYTES, entry_size, value_size
from cutaway.commands.sorted_set_algebra import sorted_sets
from cutaway.commands.stream_info import streams
from cutaway.commands.strings import strings

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

def words(form, count, repeat=1):
    return [form % number * repeat for number in range(count)]

def pairs(form, count, repeat=1):
    return [word for number in range(count) for word in (form % number * repeat, b"value:%d" % number * repeat)]

def scored(count):
    return [word for number in range(count) for word in (b"%d.25" % number, b"member:%d" % number)]

KINDS = {
    "int": (80_000, lambda key: [[b"SET", key, b"%d" % (10**6 + hash(key) % 10**6)]]),
    "embstr": (80_000, lambda key: [[b"SET", key, b"v" * 20]]),
    "raw": (20_000, lambda key: [[b"SET", key, b"v" * 500]]),
    "grown": (15_000, lambda key: [[b"SET", key, b"v" * 500], [b"APPEND", key, b"v" * 200]]),
    "expiring": (60_000, lambda key: [[b"SET", key, b"v" * 20, b"EX", b"%d" % (1000 + hash(key) % 10**6)]]),
    "list-listpack": (15_000, lambda key: [[b"RPUSH", key, *words(b"element:%d", 30)]]),
    "list-quicklist": (150, lambda key: [[b"RPUSH", key, *words(b"element:%d", 1500, 5)]]),
    "hash-listpack": (15_000, lambda key: [[b"HSET", key, *pairs(b"field:%d", 15)]]),
    "hash-hashtable": (60, lambda key: [[b"HSET", key, *pairs(b"field:%d", 1500, 3)]]),
    "hash-expiring": (60, lambda key: [[b"HSET", key, *pairs(b"field:%d", 600, 3)],
                                       [b"HEXPIRE", key, b"1000", b"FIELDS", b"600", *words(b"field:%d", 600, 3)]]),
    "set-intset": (15_000, lambda key: [[b"SADD", key, *words(b"%d", 100)]]),
    "set-listpack": (15_000, lambda key: [[b"SADD", key, *words(b"member:%d", 30)]]),
    "set-hashtable": (120, lambda key: [[b"SADD", key, *words(b"member:%d", 1500)]]),
    "zset-listpack": (10_000, lambda key: [[b"ZADD", key, *scored(30)]]),
    "zset-skiplist": (60, lambda key: [[b"ZADD", key, *scored(1500)]]),
    "stream": (8_000, lambda key: [[b"XADD", key, b"%d-1" % number, b"field", b"value"] for number in range(1, 60)]),
    "stream-pending": (80, lambda key: [
        *([b"XADD", key, b"%d-1" % number, b"field", b"value"] for number in range(1, 300)),
        [b"XGROUP", b"CREATE", key, b"group", b"0"],
        [b"XREADGROUP", b"GROUP", b"group", b"consumer", b"STREAMS", key, b">"]]),
}

count, requests = KINDS[sys.argv[1]]
engine = Engine(strings, lists, sets, hashes, hash_expiry, sorted_sets, streams, generic, rng=Random(1))
client = engine.connect()
engine.tick()
gc.disable()

def build(first, last):
    for number in range(first, last):
        for argv in requests(b"key:%d" % number):
            reply = engine.execute(client, [bytes(bytearray(word)) for word in argv])  # no two keys share a word
            assert not isinstance(reply, Exception), reply

build(0, count // 4)
before, start = resident(), set(engine.keyspace.databases[0].keys)
build(count // 4, count)
growth = resident() - before
sizes = sum(entry_size(key, entry) for key, entry in engine.keyspace.databases[0].keys.items() if key not in start)
print(sizes / growth)
"""

KINDS = [
    "int", "embstr", "raw", "grown", "expiring", "list-listpack", "list-quicklist", "hash-listpack", "hash-hashtable",
    "hash-expiring", "set-intset", "set-listpack", "set-hashtable", "zset-listpack", "zset-skiplist", "stream", "stream-pending",
]  # fmt: skip


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="needs Linux's /proc to see the process's memory"
)
@pytest.mark.parametrize("kind", KINDS)
def test_the_sizes_of_keys_add_up_to_what_the_process_grows_by(kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE, kind], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(1, abs=0.25)


def test_a_few_samples_speak_for_the_others() -> None:
    from cutaway.datastructures import HashValue

    value = HashValue()
    for number in range(5000):
        value.set(b"field:%d" % number, b"v" * 50)
    entry = Entry(value, 0)
    exact = entry_size(b"key", entry, 0)
    assert entry_size(b"key", entry) == pytest.approx(exact, rel=0.15)


def test_usage_takes_samples_and_refuses_what_is_none() -> None:
    engine = Engine(strings, memory)
    engine.do("SET", "key", "value")
    usage = engine.do("MEMORY", "USAGE", "key")
    assert usage == engine.do("MEMORY", "USAGE", "key", "SAMPLES", 0)
    assert engine.do("MEMORY", "USAGE", "none") is None
    for words, text in (
        (["SAMPLES", "-1"], "ERR syntax error"),
        (["SAMPLES", "x"], "ERR value is not an integer or out of range"),
        (["SAMPLES"], "ERR syntax error"),
        (["LIMIT", 1], "ERR syntax error"),
    ):
        assert str(engine.do("MEMORY", "USAGE", "key", *words)) == text


def test_usage_is_no_use_of_the_key() -> None:
    engine = Engine(strings, memory)
    engine.do("SET", "key", "value")
    entry = engine.keyspace.databases[0].peek(b"key")
    assert entry is not None
    entry.access = 5
    engine.do("MEMORY", "USAGE", "key")
    assert entry.access == 5


def test_stats_have_the_fields_of_a_real_server(real_client) -> None:  # type: ignore[no-untyped-def]
    from cutaway.commands.eviction import Evictor

    engine = Engine(strings, memory)
    Evictor(engine)
    for number in range(100):
        engine.do("SET", f"key:{number}", "value" * 50)
    real_client.ask("FLUSHALL")
    real_client.ask("SET", "key", "value")
    told = real_client.ask("MEMORY", "STATS")
    reply = engine.do("MEMORY", "STATS")
    assert isinstance(reply, MapReply)
    real = told[::2]  # a real server remembers the databases that others have used
    others = {b"db.%d" % number for number in range(1, 16)}
    assert [name for name, _ in reply.items] == [name for name in real if name not in others]
    fields = dict(reply.items)
    assert fields[b"keys.count"] == 100
    assert fields[b"total.allocated"] >= fields[b"dataset.bytes"] > 0
    real_client.ask("DEL", "key")


def test_a_modules_value_that_cannot_tell_its_size_has_one_all_the_same():
    class Broken(ModuleValue, type_name="broken-on"):
        def save(self):
            raise RuntimeError

        @classmethod
        def load(cls, tokens, version):
            return cls()

    assert value_size(Broken()) == UNKNOWN_BYTES


def test_a_modules_type_says_how_to_save_and_load():
    with pytest.raises(TypeError, match="how to save and how to load"):
        type("Silent", (ModuleValue,), {}, type_name="silent-on")
