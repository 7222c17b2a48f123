"""The nodes of a stream, and what its groups have pending, are those of a real server that did the same."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from cutaway.datastructures import ConsumerGroup, ListPack, Stream
from cutaway.datastructures.limits import Limits
from cutaway.datastructures.stream_nodes import MAX_ID, MIN_ID

STREAM_TYPES = (15, 19, 21)  # the type bytes of "stream listpacks" and its two successors in an RDB file


def read_length(dump: bytes, at: int) -> tuple[int, int]:
    """Return (length, offset behind it) of an RDB length."""
    first = dump[at]
    match first >> 6:
        case 0:
            return first, at + 1
        case 1:
            return (first & 63) << 8 | dump[at + 1], at + 2
    width = 4 if first == 0x80 else 8
    return int.from_bytes(dump[at + 1 : at + 1 + width], "big"), at + 1 + width


def dumped_nodes(dump: bytes) -> list[tuple[bytes, bytes]]:
    """Return (key, listpack) of each node in a DUMP of a stream."""
    assert dump[0] in STREAM_TYPES
    count, at = read_length(dump, 1)
    nodes = []
    for _ in range(count):
        parts = []
        for _ in range(2):
            size, at = read_length(dump, at)
            parts.append(dump[at : at + size])
            at += size
        nodes.append((parts[0], parts[1]))
    return nodes


def test_ids_far_from_the_master_wrap_at_64_bits(server: Any) -> None:
    server.flushall()
    server.config_set("stream-node-max-entries", 100)
    stream = Stream(Limits())
    for entry_id in [(0, 2**64 - 1), (6, 0), (2**63 - 1, 5), (2**63, 2**63), (2**64 - 1, 2**64 - 1)]:
        stream.append(entry_id, [(b"a", b"b")])
        server.execute_command("XADD", "k", text(entry_id), "a", "b")
    dump = server.dump("k")
    assert [(key, bytes(pack)) for key, pack in stream.nodes()] == dumped_nodes(dump)
    assert [entry_id for entry_id, _ in stream.range()][-1] == (2**64 - 1, 2**64 - 1)


def text(entry_id: tuple[int, int]) -> str:
    """Return an ID as commands take it."""
    return f"{entry_id[0]}-{entry_id[1]}"


def parsed(entry_id: bytes) -> tuple[int, int]:
    """Return the ID that a reply holds."""
    ms, seq = entry_id.split(b"-")
    return int(ms), int(seq)


@pytest.mark.parametrize("seed", range(8))
def test_nodes_are_a_real_servers_after_any_history(server: Any, seed: int) -> None:
    server.flushall()
    rng = Random(seed)
    max_entries, max_bytes = rng.choice([(100, 4096), (5, 4096), (0, 300), (7, 0), (1, 4096)])
    server.config_set("stream-node-max-entries", max_entries)
    server.config_set("stream-node-max-bytes", max_bytes)
    stream = Stream(Limits(stream_node_max_entries=max_entries, stream_node_max_bytes=max_bytes))
    names = [[b"a"], [b"a", b"b"], [b"1", b"name"], [b"a"]]
    values = [b"", b"12", b"-5000", b"x" * 80, b"hello", b"99999999999"]
    for _ in range(250):
        action = rng.random()
        if action < 0.7:
            ms, seq = stream.last_id
            entry_id = rng.choice([(ms, seq + 1), (ms + rng.randrange(1, 400), rng.randrange(3))])
            fields = [(name, rng.choice(values)) for name in rng.choice(names)]
            stream.append(entry_id, fields)
            server.execute_command("XADD", "k", text(entry_id), *(part for pair in fields for part in pair))
        elif action < 0.85:
            entry_id = (rng.randrange(stream.last_id[0] + 1), rng.randrange(3))
            entry_id = rng.choice([entry_id, *(found for found, _ in stream.range(entry_id, count=1))])
            assert stream.delete(entry_id) == server.execute_command("XDEL", "k", text(entry_id))
        elif action < 0.92:
            maxlen = max(0, len(stream) - rng.randrange(12))
            approx = rng.random() < 0.5
            options = ["~", maxlen, "LIMIT", 20] if approx else ["=", maxlen]
            dropped = stream.trim_by_length(maxlen, approx=approx, limit=20 if approx else 0)
            assert dropped == server.execute_command("XTRIM", "k", "MAXLEN", *options)
        else:
            near = next(iter(stream.range(count=1)), (MIN_ID, []))[0]
            minid = (near[0] + rng.randrange(300), near[1])
            dropped = stream.trim_by_id(minid)
            assert dropped == server.execute_command("XTRIM", "k", "MINID", "=", text(minid))
        stream.check()
    dump = server.dump("k")
    assert [(key, bytes(pack)) for key, pack in stream.nodes()] == dumped_nodes(dump)
    reply = raw(server, "XINFO", "STREAM", "k")
    facts = {key.decode(): value for key, value in zip(reply[::2], reply[1::2], strict=True)}
    assert facts["length"] == len(stream)
    assert facts["radix-tree-keys"] == stream.node_count
    assert facts["radix-tree-nodes"] == stream.tree.packed_node_count()
    assert facts["entries-added"] == stream.entries_added
    assert parsed(facts["max-deleted-entry-id"]) == stream.max_deleted_id
    assert parsed(facts["recorded-first-entry-id"]) == stream.first_id
    assert parsed(facts["last-generated-id"]) == stream.last_id
    read_back = Stream()
    for key, pack in dumped_nodes(dump):
        read_back.add_node(key, ListPack.from_bytes(pack))
    assert list(read_back) == list(stream)


def raw(server: Any, *argv: object) -> Any:
    """Return the reply to a command as it is on the wire."""
    pool = server.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_command(*argv)
        return connection.read_response()
    finally:
        pool.release(connection)


@pytest.mark.parametrize("seed", range(6))
def test_groups_deliver_claim_and_lag_like_a_real_servers(server: Any, seed: int) -> None:
    server.flushall()
    server.config_set("stream-node-max-entries", 4)
    rng = Random(seed)
    stream = Stream(Limits(stream_node_max_entries=4))
    group = stream.groups[b"g"] = ConsumerGroup()
    server_facts = server.info("server")
    raw(server, "XGROUP", "CREATE", "k", "g", "0", "MKSTREAM")
    now = 1_000_000
    for _ in range(150):
        action = rng.choice(
            ["add", "add", "read", "read", "ack", "del", "claim", "auto", "history", "setid", "leave"]
        )
        name = rng.choice([b"alice", b"bob"])
        some_id = (rng.randrange(1, stream.last_id[0] + 2), 0)
        if action == "add":
            stream.append((stream.last_id[0] + 1, 0), [(b"f", b"v")])
            raw(server, "XADD", "k", text(stream.last_id), "f", "v")
        elif action == "read":
            count = rng.randrange(1, 4)
            noack = rng.random() < 0.3
            consumer, _ = group.see_consumer(name, now)
            mine = group.read_new(stream, consumer, now, count, noack=noack)
            flag = ["NOACK"] if noack else []
            reply = raw(server, "XREADGROUP", "GROUP", "g", name, "COUNT", count, *flag, "STREAMS", "k", ">")
            theirs = [parsed(entry[0]) for entry in reply[0][1]] if reply else []
            assert [entry_id for entry_id, _ in mine] == theirs
        elif action == "ack":
            assert group.acknowledge(some_id) == raw(server, "XACK", "k", "g", text(some_id))
        elif action == "del":
            assert stream.delete(some_id) == raw(server, "XDEL", "k", text(some_id))
        elif action == "claim":
            force, justid = rng.random() < 0.5, rng.random() < 0.5
            consumer, _ = group.see_consumer(name, now)
            outcome = group.claim(stream, consumer, [some_id], now, force=force, justid=justid)
            ours = [claimed[0] for claimed in outcome.claimed]
            options = ["FORCE"] * force + ["JUSTID"] * justid
            reply = raw(server, "XCLAIM", "k", "g", name, 0, text(some_id), *options)
            assert ours == [parsed(entry if justid else entry[0]) for entry in reply]
        elif action == "auto":
            count = rng.randrange(1, 4)
            consumer, _ = group.see_consumer(name, now)
            outcome = group.auto_claim(stream, consumer, some_id, now, count=count)
            reply = raw(server, "XAUTOCLAIM", "k", "g", name, 0, text(some_id), "COUNT", count)
            assert outcome.cursor == parsed(reply[0])
            assert [claimed[0] for claimed in outcome.claimed] == [parsed(entry[0]) for entry in reply[1]]
            assert [deleted[0] for deleted in outcome.deleted] == [parsed(entry) for entry in reply[2]]
        elif action == "history":
            consumer, _ = group.see_consumer(name, now)
            history = group.read_history(stream, consumer, (some_id[0], 1), now, 2)
            reply = raw(server, "XREADGROUP", "GROUP", "g", name, "COUNT", 2, "STREAMS", "k", text(some_id))
            assert [(entry_id, fields is None) for entry_id, fields in history] == [
                (parsed(entry[0]), entry[1] is None) for entry in reply[0][1]
            ]
        elif action == "setid" and rng.random() < 0.2:
            group.last_id, group.entries_read = some_id, -1
            raw(server, "XGROUP", "SETID", "k", "g", text(some_id))
        elif action == "leave" and rng.random() < 0.2:
            theirs = raw(server, "XGROUP", "DELCONSUMER", "k", "g", name)
            assert (group.delete_consumer(name) or 0) == theirs
        group.check()
        assert [[row.entry_id, row.consumer, row.delivery_count] for row in details(group, now)] == [
            [parsed(row[0]), row[1], row[3]] for row in raw(server, "XPENDING", "k", "g", "-", "+", 1000)
        ]
        if "valkey_version" not in server_facts:
            continue  # Redis 7 counts on where Valkey 9 does not: over tombstones, and what was trimmed
        facts = raw(server, "XINFO", "GROUPS", "k")[0]
        facts = dict(zip(facts[::2], facts[1::2], strict=True))
        assert (facts[b"entries-read"], facts[b"lag"]) == (
            None if group.entries_read < 0 else group.entries_read,
            group.lag(stream),
        )
    summary = group.pending_summary()
    theirs = raw(server, "XPENDING", "k", "g")
    assert summary.count == theirs[0]
    assert summary.consumers == [(owner, int(count)) for owner, count in theirs[3] or []]


def details(group: ConsumerGroup, now: int) -> list[Any]:
    """Return everything pending."""
    return group.pending_range(MIN_ID, MAX_ID, 1000, now)
