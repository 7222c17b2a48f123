"""redis-py's building blocks: locks, pipelines, publish/subscribe and its own cache."""

from __future__ import annotations

import threading
import time

import pytest

redis = pytest.importorskip("redis")
SECONDS = 20


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def client(request, shared_server, peer):
    with redis.Redis(port=shared_server.port, protocol=request.param, socket_timeout=SECONDS) as made:
        yield made


def test_a_lock_is_held_by_one_at_a_time(client):
    inside, most = 0, 0

    def work():
        nonlocal inside, most
        for _ in range(5):
            with client.lock("door", timeout=SECONDS, sleep=0.005):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(SECONDS)
    assert most == 1
    assert client.exists("door") == 0


def test_a_lock_is_not_released_by_whoever_lost_it(client):
    lost = client.lock("door", timeout=0.03)
    assert lost.acquire()
    time.sleep(0.06)
    held = client.lock("door", timeout=SECONDS)
    assert held.acquire(blocking=False)
    with pytest.raises(redis.exceptions.LockError):
        lost.release()
    assert held.owned()
    assert held.extend(5)
    assert held.reacquire()
    held.release()


def test_a_transaction_tries_again_when_a_watched_key_was_touched(client):
    client.set("counter", 0)
    attempts = 0

    def increment(pipe):
        nonlocal attempts
        attempts += 1
        value = int(pipe.get("counter"))
        if attempts == 1:
            client.set("counter", 10)
        pipe.multi()
        pipe.set("counter", value + 1)

    client.transaction(increment, "counter")
    assert (attempts, client.get("counter")) == (2, b"11")


def test_a_pipeline_keeps_an_error_in_its_place(client):
    for transaction in (True, False):
        pipe = client.pipeline(transaction=transaction)
        replies = pipe.set("k", "v").lpush("k", "x").get("k").execute(raise_on_error=False)
        assert replies[0] is True
        assert isinstance(replies[1], redis.ResponseError)
        assert replies[2] == b"v"
    with pytest.raises(redis.ResponseError, match="unknown command"):
        client.pipeline().execute_command("NOSUCH").set("k", "w").execute()
    assert client.get("k") == b"v"


def test_messages_reach_channels_patterns_and_shard_channels(client):
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("news")
    listener.psubscribe("n*")
    listener.ssubscribe("shard")
    heard = []
    while client.pubsub_numpat() == 0 or client.pubsub_shardnumsub("shard") == [(b"shard", 0)]:
        listener.get_message(timeout=0.05)
    assert client.publish("news", "hello") == 2
    assert client.spublish("shard", "hi") == 1
    end = time.monotonic() + SECONDS
    while len(heard) < 3 and time.monotonic() < end:
        message = listener.get_message(timeout=0.5) or listener.get_sharded_message(timeout=0.1)
        if message is not None:
            heard.append((message["type"], message["channel"], message["data"]))
    assert sorted(heard) == [
        ("message", b"news", b"hello"), ("pmessage", b"news", b"hello"), ("smessage", b"shard", b"hi"),
    ]  # fmt: skip
    listener.close()


def test_its_cache_never_gives_what_has_changed(shared_server, peer, monkeypatch):
    cache = pytest.importorskip("redis.cache")
    # The library asks for Redis 7.4, though what it uses is as old as Redis 6.
    monkeypatch.setattr(redis.connection.CacheProxyConnection, "MIN_ALLOWED_VERSION", "7.0.0")
    with redis.Redis(port=shared_server.port, protocol=3, cache_config=cache.CacheConfig()) as client:
        peer.ask("SET", "k", "1")
        assert client.get("k") == b"1"
        assert client.get("k") == b"1"
        assert client.get_cache().size == 1
        for number in range(2, 30):
            peer.ask("SET", "k", number)
            assert client.get("k") == b"%d" % number
        peer.ask("FLUSHALL")
        assert client.get("k") is None
