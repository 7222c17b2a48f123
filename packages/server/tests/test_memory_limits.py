"""`maxmemory` and `maxmemory-clients`, from outside: refusals, transactions and scripts, and clients that take too much."""

from __future__ import annotations

import contextlib
import re
import time

import pytest

from cutaway.testing import until

OOM = "OOM command not allowed when used memory > 'maxmemory'."


def listed(peer, name: str) -> dict[str, str] | None:
    """The line of CLIENT LIST about the client of this name."""
    for line in peer.ask("CLIENT", "LIST").decode().splitlines():
        fields = dict(word.split("=", 1) for word in line.split(" "))
        if fields["name"] == name:
            return fields
    return None


def info(peer, field: str) -> int:
    found = re.search(rf"^{field}:(\d+)", peer.ask("INFO", "everything").decode(), re.MULTILINE)
    assert found is not None
    return int(found[1])


@pytest.fixture
def peer(shared_server):
    peer = shared_server.connect()
    yield peer
    peer.ask("CONFIG", "SET", "maxmemory", "0", "maxmemory-clients", "0", "maxmemory-policy", "noeviction")
    peer.ask("FLUSHALL")


def test_a_command_that_needs_memory_spoils_a_transaction(shared_server, peer):
    other = shared_server.connect()
    peer.ask("MULTI")
    peer.ask("SET", "key", "value")
    other.ask("CONFIG", "SET", "maxmemory", "1")
    assert str(peer.ask("GET", "key")) == OOM, "even a reading command would be kept in the queue"
    assert str(peer.ask("EXEC")) == f"EXECABORT Transaction discarded because of: {OOM}"
    assert peer.ask("GET", "key") is None


def test_exec_is_refused_if_its_queue_needs_memory(shared_server, peer):
    other = shared_server.connect()
    peer.ask("MULTI")
    peer.ask("SET", "key", "value")
    other.ask("CONFIG", "SET", "maxmemory", "1")
    assert str(peer.ask("EXEC")) == f"EXECABORT Transaction discarded because of: {OOM}"
    peer.ask("CONFIG", "SET", "maxmemory", "0")
    peer.ask("MULTI")
    peer.ask("GET", "key")
    other.ask("CONFIG", "SET", "maxmemory", "1")
    assert peer.ask("EXEC") == [None]


def test_a_script_may_not_begin_to_write_but_may_end_what_it_began(peer):
    pytest.importorskip("lupa")
    peer.ask("RPUSH", "list", "element")
    peer.ask("CONFIG", "SET", "maxmemory", "1")
    assert str(peer.ask("EVAL", "return redis.call('set', 'a', 1)", 0)).startswith(OOM)
    assert str(peer.ask("EVAL", "return redis.pcall('set', 'a', 1)", 0)) == OOM
    assert peer.ask("EVAL", "return redis.call('get', 'a')", 0) is None
    begun = "redis.call('lpop', 'list') return redis.call('set', 'a', 1)"
    assert peer.ask("EVAL", begun, 0) == "OK"
    assert str(peer.ask("EVAL", "#!lua\nreturn 1", 0)) == OOM
    assert peer.ask("EVAL", "#!lua flags=no-writes\nreturn 1", 0) == 1
    assert peer.ask("EVAL", "#!lua flags=allow-oom\nreturn redis.call('set', 'b', 2)", 0) == "OK"


def test_eviction_keeps_memory_below_the_limit_and_counts(peer):
    peer.ask("CONFIG", "RESETSTAT")
    peer.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "500kb")
    for number in range(3000):
        assert peer.ask("SET", f"key:{number}", "v" * 200) == "OK"
    assert info(peer, "used_memory") < 520 * 1024
    assert info(peer, "evicted_keys") > 1000
    peer.ask("CONFIG", "SET", "maxmemory", "200kb")
    until(lambda: info(peer, "used_memory") < 220 * 1024)


def test_a_client_that_begins_too_large_a_request_is_closed(shared_server, peer):
    peer.ask("CONFIG", "RESETSTAT")
    peer.ask("CONFIG", "SET", "maxmemory-clients", "1mb")
    greedy = shared_server.connect()
    greedy.ask("CLIENT", "SETNAME", "greedy")
    with contextlib.suppress(OSError):
        greedy.socket.sendall(b"*1\r\n$2000000\r\n" + b"x" * 1_900_000)
    until(lambda: listed(peer, "greedy") is None)
    assert info(peer, "evicted_clients") == 1
    assert peer.ask("PING") == "PONG"


def test_a_protected_client_stays_and_is_seen(shared_server, peer):
    peer.ask("CONFIG", "SET", "maxmemory-clients", "1mb")
    peer.ask("CLIENT", "NO-EVICT", "ON")
    spared = shared_server.connect()
    spared.ask("CLIENT", "SETNAME", "spared")
    spared.ask("CLIENT", "NO-EVICT", "ON")
    spared.socket.sendall(b"*2\r\n$2000000\r\n" + b"x" * 1_900_000)
    until(lambda: int((listed(peer, "spared") or {"tot-mem": 0})["tot-mem"]) > 1_900_000)
    spared.close()
    until(lambda: listed(peer, "spared") is None)
    peer.ask("CLIENT", "NO-EVICT", "OFF")


def test_a_request_that_waits_is_in_memory_and_is_seen(shared_server, peer):
    waiting = shared_server.connect()
    waiting.ask("CLIENT", "SETNAME", "waiting")
    before = int(listed(peer, "waiting")["tot-mem"])
    waiting.send("BLPOP", *(f"key:{number:04}" for number in range(100)), 0)
    until(lambda: "b" in listed(peer, "waiting")["flags"])
    seen = listed(peer, "waiting")
    assert int(seen["argv-mem"]) == len("BLPOP") + 100 * len("key:0000") + 1
    assert int(seen["tot-mem"]) > before + int(seen["argv-mem"])
    waiting.close()


def test_the_largest_clients_go_first_and_only_until_the_rest_fits(shared_server, peer):
    sizes = {"small": 100_000, "middle": 400_000, "large": 1_500_000}
    clients = {}
    for name, size in sizes.items():
        clients[name] = shared_server.connect()
        clients[name].ask("CLIENT", "SETNAME", name)
        clients[name].socket.sendall(b"*2\r\n$%d\r\n" % size + b"x" * size)
        until(lambda: int((listed(peer, name) or {"tot-mem": 0})["tot-mem"]) >= size)  # noqa: B023
    peer.ask("CONFIG", "SET", "maxmemory-clients", "1mb")
    until(lambda: listed(peer, "large") is None)
    assert listed(peer, "middle") is not None
    peer.ask("CONFIG", "SET", "maxmemory-clients", "300kb")
    until(lambda: listed(peer, "middle") is None)
    assert listed(peer, "small") is not None


def test_limits_beyond_what_a_transaction_queues(shared_server, peer):
    peer.ask("CONFIG", "SET", "maxmemory-clients", "1mb")
    hoarder = shared_server.connect()
    hoarder.ask("MULTI")

    def hoard() -> None:
        for _ in range(100):
            hoarder.ask("SET", "key", b"x" * 50_000)

    with pytest.raises(OSError, match=r"closed|reset|pipe"):
        hoard()


def test_the_refusals_are_those_of_a_real_server(start_real, peer):
    real = start_real("redis", "--maxmemory", "1").connect()
    peer.ask("CONFIG", "SET", "maxmemory", "1")
    for words in (
        ["SET", "k", "v"], ["GET", "k"], ["DEL", "k"], ["LPUSH", "k", "v"], ["EXPIRE", "k", "1"], ["PING"],
        ["HSET", "k", "f", "v"], ["SETRANGE", "k", "1", "v"], ["LPOP", "k"], ["XADD", "k", "*", "f", "v"],
        ["PUBLISH", "c", "m"], ["SORT", "k", "STORE", "d"], ["FLUSHALL"], ["RESTORE", "k", "0", "x"],
    ):  # fmt: skip
        ours, theirs = peer.ask(*words), real.ask(*words)
        if "OOM" in str(ours) or "OOM" in str(theirs):
            assert str(ours) == str(theirs), words


def test_who_exceeds_the_output_limit_is_gone_for_whoever_is_answered_in_the_same_turn(start):
    server = start(
        "--save", "", "--enable-debug-command", "yes", "--client-output-buffer-limit", "normal 100000 0 0"
    )
    peer, sleeper = server.connect(), server.connect()
    peer.ask("SET", "k", "x" * 10_000)
    for _ in range(5):
        greedy = server.connect()
        greedy.ask("CLIENT", "SETNAME", "greedy")
        sleeper.send("DEBUG", "SLEEP", 0.2)
        time.sleep(0.05)
        greedy.socket.sendall(b"GET k\r\n" * 15)
        assert peer.ask("PING") == "PONG"
        assert listed(peer, "greedy") is None
        assert sleeper.read() == "OK"
        greedy.close()
