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


def test_clients_are_in_the_memory_in_use_with_a_limit_and_without(shared_server, peer):
    peer.ask("FLUSHALL", "SYNC")
    peer.ask("SCRIPT", "FLUSH", "SYNC")
    for limit in ("0", "1gb"):
        peer.ask("CONFIG", "SET", "maxmemory", limit)
        before = info(peer, "used_memory")
        assert before >= info(peer, "mem_clients_normal") > 0
        more = [shared_server.connect() for _ in range(10)]
        assert all(client.ask("PING") == "PONG" for client in more)
        assert info(peer, "used_memory") >= before + 10 * 1024
        assert info(peer, "used_memory") >= info(peer, "used_memory_overhead") > 0
        for client in more:
            client.close()


def test_a_new_limit_counts_clients_once(shared_server, peer):
    others = [shared_server.connect() for _ in range(50)]
    assert all(other.ask("PING") == "PONG" for other in others)
    peer.ask("FLUSHALL", "SYNC")
    clients = info(peer, "mem_clients_normal")
    peer.ask(
        "CONFIG",
        "SET",
        "maxmemory-policy",
        "allkeys-lru",
        "maxmemory",
        str(info(peer, "used_memory") + clients // 2),
    )
    assert peer.ask("SET", "key", "value") == "OK"
    assert peer.ask("GET", "key") == b"value", "nothing had to be evicted"
    for other in others:
        other.close()


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


# ---- who takes too much


def unread_replies(client):
    client.send_bytes(
        b"GET large\r\n" * 300
    )  # 30 MB: several of them the kernel takes, and they are not the server's


def many_small_unread_replies(client):
    client.send_bytes(b"*2\r\n$3\r\nGET\r\n$5\r\nsmall\r\n" * 150_000)


def a_large_argument(client):
    client.send_bytes(b"*1\r\n$5000000\r\n" + b"x" * 4_000_000)


def many_small_arguments(client):
    client.send_bytes(b"*1000000\r\n" + b"$1\r\nx\r\n" * 100_000)


def requests_behind_one_that_waits(client):
    client.send("BLPOP", "nothing", 0)
    client.send_bytes(b"*1\r\n$4\r\nPING\r\n" * 200_000)


def a_queue(client):
    client.ask("MULTI")
    client.send_bytes(b"SET key value\r\n" * 40_000)


def watched_keys(client):
    client.send("WATCH", *(f"{'k' * 1000}{number}" for number in range(3000)))


def subscriptions(client):
    client.send("SUBSCRIBE", *(f"{'c' * 1000}{number}" for number in range(3000)))


def awaited_keys(client):
    client.send("BLPOP", *(f"{'k' * 1000}{number}" for number in range(3000)), 0)


def tracked_prefixes(client):
    words = (word for number in range(3000) for word in ("PREFIX", f"{number:04}" * 300))
    client.send("CLIENT", "TRACKING", "ON", "BCAST", *words)


GREEDY = (
    unread_replies, many_small_unread_replies, a_large_argument, many_small_arguments, requests_behind_one_that_waits, a_queue,
    watched_keys, subscriptions, awaited_keys, tracked_prefixes,
)  # fmt: skip


@pytest.mark.parametrize("take", GREEDY, ids=lambda take: take.__name__)
def test_whoever_takes_too_much_goes_and_nobody_else(shared_server, peer, take):
    peer.ask("CONFIG", "RESETSTAT")
    peer.ask("MSET", "large", b"x" * 100_000, "small", b"x" * 100)
    peer.ask("CONFIG", "SET", "maxmemory-clients", "2mb")
    shared_server.log.write_bytes(b"")
    modest, greedy = shared_server.connect(), shared_server.connect()
    modest.ask("CLIENT", "SETNAME", "modest")
    modest.send_bytes(b"*1\r\n$200000\r\n" + b"x" * 100_000)
    greedy.ask("CLIENT", "SETNAME", "greedy")
    with contextlib.suppress(OSError):
        take(greedy)
    until(lambda: listed(peer, "greedy") is None)
    assert info(peer, "evicted_clients") == 1
    assert listed(peer, "modest") is not None
    until(lambda: info(peer, "mem_clients_normal") < 200_000)
    line = next(each for each in shared_server.log.read_text().splitlines() if "Evicting client" in each)
    assert re.search(
        r" \* Evicting client: id=\d+ addr=127\.0\.0\.1:\d+ .* name=greedy .* tot-mem=\d{7,} ", line
    )
    modest.close()


@pytest.mark.parametrize("take", GREEDY, ids=lambda take: take.__name__)
def test_whoever_is_spared_stays(shared_server, peer, take):
    peer.ask("MSET", "large", b"x" * 100_000, "small", b"x" * 100)
    peer.ask("CLIENT", "NO-EVICT", "ON")
    spared = shared_server.connect()
    spared.ask("CLIENT", "SETNAME", "spared")
    spared.ask("CLIENT", "NO-EVICT", "ON")
    peer.ask("CONFIG", "SET", "maxmemory-clients", "1mb")
    shared_server.log.write_bytes(b"")
    take(spared)
    until(lambda: int(listed(peer, "spared")["tot-mem"]) > 1_048_576)
    until(
        lambda: "Over client maxmemory after evicting all evictable clients" in shared_server.log.read_text()
    )
    assert listed(peer, "spared") is not None
    spared.close()
    until(lambda: listed(peer, "spared") is None)
    peer.ask("CLIENT", "NO-EVICT", "OFF")


def test_a_client_that_has_caught_up_is_not_closed(shared_server, peer):
    peer.ask("SET", "large", b"x" * 100_000)
    peer.ask("CONFIG", "SET", "maxmemory-clients", "20mb")
    for _ in range(3):
        reader = shared_server.connect()
        reader.ask("CLIENT", "SETNAME", "reader")
        reader.send_bytes(b"GET large\r\n" * 100)
        until(lambda: int(listed(peer, "reader")["omem"]) > 1_000_000)
        assert [reader.read() for _ in range(100)] == [b"x" * 100_000] * 100
        until(lambda: int(listed(peer, "reader")["tot-mem"]) < 20_000)
        reader.close()


def test_what_is_counted_of_a_request_that_comes_bit_by_bit(shared_server, peer):
    slow = shared_server.connect()
    slow.ask("CLIENT", "SETNAME", "slow")

    def fields() -> tuple[int, int]:
        seen = listed(peer, "slow")
        return int(seen["qbuf"]), int(seen["argv-mem"])

    slow.send_bytes(b"*3\r\n$3\r\nSET\r\n$4\r\nslow\r\n$30000")
    until(lambda: fields() == (len("$30000"), len("SETslow")))
    slow.send_bytes(b"0\r\n")
    until(lambda: fields() == (0, len("SETslow")))  # the header is read: what waits is the value
    slow.send_bytes(b"x" * 300_000)
    until(lambda: fields() == (300_000, len("SETslow")))
    assert info(peer, "client_recent_max_input_buffer") >= 300_000
    slow.send_bytes(b"\r\n")
    assert slow.read() == "OK"
    assert fields() == (0, 0)
    assert info(peer, "client_recent_max_input_buffer") >= 300_000, "not long ago"


@pytest.mark.parametrize("command", ["HRANDFIELD", "SRANDMEMBER", "ZRANDMEMBER"])
def test_a_reply_that_will_exceed_the_output_limit_is_not_begun(start, command):
    server = start("--save", "", "--client-output-buffer-limit", "normal 1mb 0 0")
    peer = server.connect()
    peer.ask("HSET", "HRANDFIELD", "field", "value")
    peer.ask("SADD", "SRANDMEMBER", "member")
    peer.ask("ZADD", "ZRANDMEMBER", 1, "member")
    assert len(peer.ask(command, command, -20_000)) == 20_000
    for count in (-1_000_000, -999_999_999):
        greedy = server.connect()
        greedy.send(command, command, count)
        assert greedy.socket.recv(100) == b""
    assert info(peer, "client_output_buffer_limit_disconnections") == 2
    peer.ask("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0")
    assert "a reply holds at most" in str(peer.ask(command, command, -999_999_999))
