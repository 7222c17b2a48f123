"""Ordinary use of every group of commands through redis-py: what it makes of our replies is what it makes of the real server's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis.exceptions import RedisError, WatchError

from cutaway.testing import RealServer


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    """The exception that a call raises, to compare."""
    with pytest.raises(RedisError) as caught:
        call()
    return type(caught.value).__name__, str(caught.value)


# Each of these yields what its calls return. Replies in no order are sorted, and what depends on the clock is cut off.


def strings(r: Any) -> Iterator[Any]:
    yield r.set("k", "v")
    yield r.set("k", "w", nx=True), r.set("k", "w", xx=True, get=True), r.get("k"), r.get("none")
    yield r.set("k", "v", ex=100), r.ttl("k") > 90, r.getex("k", persist=True), r.ttl("k")
    yield (
        r.setex("s", 10, "x"),
        r.psetex("p", 10_000, "x"),
        r.setnx("s", "y"),
        r.getdel("s"),
        r.getset("p", "q"),
    )
    yield r.mset({"a": 1, "b": 2}), r.mget("a", "b", "none"), r.msetnx({"a": 3, "c": 4})
    yield r.incr("n"), r.incrby("n", 5), r.decr("n"), r.decrby("n", 3), r.incrbyfloat("n", 0.1)
    yield (
        r.append("k", "abc"),
        r.strlen("k"),
        r.getrange("k", 1, 2),
        r.setrange("k", 6, "xyz"),
        r.substr("k", 0, 1),
    )
    yield r.lcs("k", "p", idx=True), r.lcs("a", "b", len=True)
    yield refusal(lambda: r.incr("k"))


def bitmaps(r: Any) -> Iterator[Any]:
    yield (
        r.setbit("bits", 7, 1),
        r.getbit("bits", 7),
        r.bitcount("bits"),
        r.bitcount("bits", 0, 5, "BIT"),
        r.bitpos("bits", 1),
    )
    yield r.set("other", "\xff\x0f"), r.bitop("AND", "out", "bits", "other"), r.get("out")
    yield (
        r.bitfield("fields").set("u8", 0, 200).incrby("u8", 0, 100, overflow="SAT").get("u4", "#1").execute()
    )
    yield r.bitfield_ro("fields", "u8", 0)


def lists(r: Any) -> Iterator[Any]:
    yield r.rpush("l", *"abcdef"), r.lpush("l", "z"), r.lpushx("none", "x"), r.rpushx("l", "y"), r.llen("l")
    yield (
        r.lrange("l", 0, -1),
        r.lindex("l", 2),
        r.lset("l", 2, "B"),
        r.linsert("l", "before", "B", "x"),
        r.lrem("l", 0, "x"),
    )
    yield (
        r.lpop("l"),
        r.rpop("l", 2),
        r.lpop("none"),
        r.lpos("l", "c"),
        r.lpos("l", "none"),
        r.ltrim("l", 0, 3),
    )
    yield (
        r.lmove("l", "m", "LEFT", "RIGHT"),
        r.blmove("l", "m", 1),
        r.rpoplpush("l", "m"),
        r.brpoplpush("l", "m", 1),
    )
    yield (
        r.blpop(["l", "m"], 1),
        r.brpop("m", 1),
        r.blpop("none", 0.01),
        r.lmpop(2, "l", "m", direction="LEFT", count=2),
    )
    yield (
        r.rpush("l", 3, 1, 2),
        r.blmpop(1, 1, "l", direction="RIGHT"),
        r.sort("l", desc=True),
        r.sort("l", store="sorted"),
    )
    yield r.sort_ro("l"), r.lmpop(1, "none", direction="LEFT"), refusal(lambda: r.lset("none", 0, "x"))


def sets(r: Any) -> Iterator[Any]:
    yield (
        r.sadd("s", "a", "b", "c"),
        r.sadd("t", "b", "c", "d"),
        r.scard("s"),
        r.sismember("s", "a"),
        r.smismember("s", ["a", "z"]),
    )
    yield (
        sorted(r.smembers("s")),
        sorted(r.sinter("s", "t")),
        sorted(r.sunion("s", "t")),
        sorted(r.sdiff("s", "t")),
    )
    yield (
        r.sinterstore("u", "s", "t"),
        r.sunionstore("u", "s", "t"),
        r.sdiffstore("u", "s", "t"),
        r.sintercard(2, ["s", "t"]),
    )
    yield (
        r.smove("s", "t", "a"),
        r.srem("s", "b", "x"),
        r.srandmember("s"),
        r.srandmember("s", 2),
        r.spop("s"),
        r.spop("none"),
    )
    yield sorted(r.sscan_iter("t")), type(r.spop("t", 2))


def hashes(r: Any) -> Iterator[Any]:
    yield (
        r.hset("h", "f", "v"),
        r.hset("h", mapping={"a": 1, "b": 2}),
        r.hget("h", "f"),
        r.hmget("h", "a", "none"),
        r.hlen("h"),
    )
    yield (
        sorted(r.hgetall("h").items()),
        sorted(r.hkeys("h")),
        sorted(r.hvals("h")),
        r.hexists("h", "a"),
        r.hstrlen("h", "f"),
    )
    yield (
        r.hincrby("h", "a", 4),
        r.hincrbyfloat("h", "a", 0.5),
        r.hsetnx("h", "a", 1),
        r.hdel("h", "f", "none"),
    )
    yield (
        sorted(r.hscan_iter("h")),
        sorted(r.hscan_iter("h", no_values=True)),
        r.hrandfield("none"),
        len(r.hrandfield("h", 2, withvalues=True)),
    )
    yield (
        r.hexpire("h", 100, "a", "none"),
        r.httl("h", "a", "b")[1],
        r.hpersist("h", "a"),
        r.hpexpire("h", 100_000, "a"),
    )
    yield (
        r.hexpireat("h", 4_102_444_800, "a"),
        r.hexpiretime("h", "a"),
        r.hpexpiretime("h", "a"),
        r.hpttl("none", "a"),
    )
    yield r.hgetex("h", "a", ex=100), r.hsetex("h", "x", "y", ex=100), r.hgetdel("h", "x")


def sorted_sets(r: Any) -> Iterator[Any]:
    yield (
        r.zadd("z", {"a": 1, "b": 2.5, "c": 3}),
        r.zadd("z", {"a": 5}, gt=True, ch=True),
        r.zadd("z", {"a": 1}, incr=True),
    )
    yield (
        r.zcard("z"),
        r.zscore("z", "b"),
        r.zmscore("z", ["a", "x"]),
        r.zrank("z", "b"),
        r.zrevrank("z", "b"),
        r.zrank("z", "x"),
    )
    yield (
        r.zrank("z", "b", withscore=True),
        r.zrange("z", 0, -1),
        r.zrange("z", 0, -1, withscores=True),
        r.zrevrange("z", 0, 1, withscores=True),
    )
    yield (
        r.zrangebyscore("z", 1, "+inf", withscores=True),
        r.zrevrangebyscore("z", "+inf", "(2.5", start=0, num=1),
        r.zcount("z", 1, 3),
    )
    yield (
        r.zrange("z", "-inf", "inf", byscore=True, offset=0, num=2),
        r.zrangestore("y", "z", 0, 1),
        r.zincrby("z", 2, "b"),
    )
    yield (
        r.zunion({"z": 2, "y": 1}, withscores=True),
        r.zinter(["z", "y"], withscores=True),
        r.zdiff(["z", "y"]),
        r.zintercard(2, ["z", "y"]),
    )
    yield (
        r.zunionstore("u", ["z", "y"], aggregate="MAX"),
        r.zinterstore("u", ["z", "y"]),
        r.zdiffstore("u", ["z", "y"]),
    )
    yield (
        r.zadd("lex", dict.fromkeys("abcd", 0)),
        r.zrangebylex("lex", "[b", "+"),
        r.zrevrangebylex("lex", "+", "(b"),
        r.zlexcount("lex", "-", "+"),
    )
    yield r.zremrangebylex("lex", "[a", "[b"), r.zremrangebyrank("lex", 0, 0), r.zremrangebyscore("lex", 0, 0)
    yield (
        r.zpopmin("z"),
        r.zpopmax("z", 2),
        r.zadd("z", {"m": 1, "n": 2}),
        r.bzpopmin("z", 1),
        r.bzpopmax(["none", "z"], 1),
        r.bzpopmin("z", 0.01),
    )
    yield (
        r.zadd("z", {"m": 1, "n": 2}),
        r.zmpop(1, ["z"], min=True),
        r.bzmpop(1, 1, ["z"], max=True),
        r.zrandmember("none"),
        sorted(r.zscan_iter("y")),
    )


def streams(r: Any) -> Iterator[Any]:
    yield (
        r.xadd("x", {"a": 1}, id="1-1"),
        r.xadd("x", {"a": 2, "b": 3}, id="2-0", maxlen=10),
        r.xadd("none", {"a": 1}, nomkstream=True),
    )
    yield (
        r.xlen("x"),
        r.xrange("x"),
        r.xrevrange("x", count=1),
        r.xread({"x": "0"}, count=1),
        r.xread({"x": "$"}, block=10),
    )
    yield (
        r.xgroup_create("x", "g", id="0"),
        r.xgroup_createconsumer("x", "g", "c"),
        r.xreadgroup("g", "c", {"x": ">"}, count=1),
    )
    yield (
        r.xpending("x", "g"),
        [each["message_id"] for each in r.xpending_range("x", "g", "-", "+", 10)],
        r.xack("x", "g", "1-1"),
    )
    yield (
        r.xreadgroup("g", "c", {"x": ">"}),
        r.xclaim("x", "g", "d", 0, ["2-0"]),
        r.xautoclaim("x", "g", "e", 0),
        r.xautoclaim("x", "g", "e", 0, justid=True),
    )
    yield (
        r.xinfo_stream("x"),
        r.xinfo_groups("x"),
        [each["name"] for each in r.xinfo_consumers("x", "g")],
        r.xgroup_setid("x", "g", "1-1"),
    )
    yield (
        r.xgroup_delconsumer("x", "g", "e"),
        r.xgroup_destroy("x", "g"),
        r.xdel("x", "1-1"),
        r.xtrim("x", maxlen=0, approximate=False),
    )
    yield refusal(lambda: r.xgroup_create("none", "g")), refusal(lambda: r.xadd("x", {"a": 1}, id="1-1"))


def hyperloglogs(r: Any) -> Iterator[Any]:
    yield (
        r.pfadd("p", *range(1000)),
        r.pfcount("p"),
        r.pfadd("q", "a"),
        r.pfmerge("m", "p", "q"),
        r.pfcount("p", "q"),
    )


def places(r: Any) -> Iterator[Any]:
    yield (
        r.geoadd("g", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")),
        r.geodist("g", "Palermo", "Catania", "km"),
    )
    yield r.geopos("g", "Palermo", "none"), r.geohash("g", "Palermo", "Catania")
    yield r.geosearch(
        "g",
        longitude=15,
        latitude=37,
        radius=200,
        unit="km",
        sort="ASC",
        withdist=True,
        withcoord=True,
        withhash=True,
    )
    yield (
        r.geosearch("g", member="Palermo", width=400, height=400, unit="km", count=1),
        r.geosearchstore("d", "g", longitude=15, latitude=37, radius=200, unit="km"),
    )
    yield (
        r.georadius("g", 15, 37, 100, unit="km", withdist=True),
        r.georadiusbymember("g", "Palermo", 200, unit="km", sort="ASC"),
    )


def keys(r: Any) -> Iterator[Any]:
    yield (
        r.set("k", "v"),
        r.exists("k", "none"),
        r.type("k"),
        r.expire("k", 100),
        r.expire("k", 50, gt=True),
        r.pexpire("k", 60_000),
        r.persist("k"),
    )
    yield (
        r.expireat("k", 4_102_444_800),
        r.pexpireat("k", 4_102_444_800_000),
        r.expiretime("k"),
        r.pexpiretime("k"),
        r.pttl("k") > 0,
    )
    yield (
        r.rename("k", "l"),
        r.set("m", 1),
        r.renamenx("l", "m"),
        r.copy("l", "n"),
        r.move("n", 3),
        r.touch("l", "m"),
        r.unlink("l"),
        r.delete("m", "l"),
    )
    yield (
        r.set("k", "v"),
        sorted(r.keys("*")),
        sorted(r.scan_iter(match="k*")),
        r.randomkey(),
        r.dbsize(),
        r.object("encoding", "k"),
    )
    yield (
        r.object("idletime", "k"),
        r.restore("copy", 0, r.dump("k")),
        r.get("copy"),
        refusal(lambda: r.rename("none", "x")),
    )
    yield r.wait(0, 10), r.swapdb(0, 3), r.dbsize(), r.flushdb()


def transactions(r: Any) -> Iterator[Any]:
    with r.pipeline() as pipe:
        yield pipe.set("k", 1).incr("k").lpush("k", "x").get("k").execute(raise_on_error=False)[:2]
    with r.pipeline() as pipe:
        pipe.watch("k")
        r.set("k", "changed")
        pipe.multi()
        pipe.get("k")
        with pytest.raises(WatchError):
            pipe.execute()
    yield r.transaction(lambda pipe: (pipe.multi(), pipe.incr("n")), "n")
    with r.pipeline(transaction=False) as pipe:
        yield pipe.get("k").hset("h", "a", 1).hgetall("h").execute()
    with r.lock("lock", timeout=5):
        yield r.exists("lock")


def scripts(r: Any) -> Iterator[Any]:
    yield (
        r.eval("return {KEYS[1], ARGV[1], 3.9, {true, false}}", 1, "k", "a"),
        r.eval("return redis.status_reply('fine')", 0),
    )
    sha = r.script_load("return redis.call('incrby', KEYS[1], ARGV[1])")
    yield (
        sha,
        r.evalsha(sha, 1, "n", 5),
        r.script_exists(sha, "0" * 40),
        r.register_script("return ARGV[1]")(args=["x"]),
    )
    yield r.function_load(
        "#!lua name=lib\nredis.register_function('f', function(keys, args) return args[1] end)", replace=True
    )
    yield r.fcall("f", 0, "x"), r.function_list(), r.function_delete("lib"), r.script_flush()
    yield (
        refusal(lambda: r.evalsha("0" * 40, 0))[0],
        refusal(lambda: r.eval("return redis.call('nope')", 0))[0],
    )


def publishing(r: Any) -> Iterator[Any]:
    with r.pubsub() as listener:
        listener.subscribe("c")
        listener.psubscribe("c*")
        yield [listener.get_message(timeout=5) for _ in range(2)]
        yield r.publish("c", "hello"), r.pubsub_channels(), r.pubsub_numsub("c", "d"), r.pubsub_numpat()
        yield [listener.get_message(timeout=5) for _ in range(2)]
        listener.unsubscribe("c")
        yield listener.get_message(timeout=5)


def administration(r: Any) -> Iterator[Any]:
    yield (
        r.ping(),
        r.echo("x"),
        r.client_setname("me"),
        r.client_getname(),
        r.client_id() > 0,
        r.client_info()["name"],
        r.client_no_evict("ON"),
    )
    yield (
        [each["name"] for each in r.client_list() if each["name"]],
        r.client_kill_filter(_id=99_999_999),
        r.client_unblock(1),
    )
    yield (
        r.config_set("maxmemory-samples", 7),
        r.config_get("maxmemory-samples"),
        r.config_set("maxmemory-samples", 5),
        r.config_resetstat(),
    )
    yield (
        r.command_count() > 200,
        r.command_getkeys("SET", "k", "v"),
        r.command_list(pattern="get*") != [],
    )
    yield (
        r.info("server")["redis_version"],
        "used_memory" in r.info("memory"),
        r.info("replication")["role"],
        r.info("keyspace"),
        type(r.time()),
    )
    yield (
        r.slowlog_reset(),
        r.slowlog_len(),
        r.slowlog_get(),
        r.latency_reset(),
        r.latency_latest(),
        r.latency_history("command"),
    )
    yield (
        r.set("k", "v"),
        r.memory_usage("k") > 0,
        r.memory_usage("none"),
        r.dbsize(),
        r.lastsave() is not None,
        r.flushall(),
    )
    yield (
        r.acl_whoami(),
        sorted(r.acl_cat())[:3],
        r.acl_users(),
        len(r.acl_genpass()),
        r.acl_setuser("ann", enabled=True, passwords=["+secret"], commands=["+@read"], keys=["a:*"]),
    )
    yield (
        sorted(r.acl_getuser("ann")["flags"]),
        r.acl_getuser("ann")["keys"],
        r.acl_list()[0][:9],
        r.acl_dryrun("ann", "GET", "a:1"),
        r.acl_deluser("ann"),
        r.acl_getuser("ann"),
    )
    yield (
        r.role()[:1],
        refusal(lambda: r.execute_command("NOSUCH", "x")),
        refusal(lambda: r.execute_command("GET")),
    )


GROUPS = [strings, bitmaps, lists, sets, hashes, sorted_sets, streams, hyperloglogs, places, keys, transactions, scripts, publishing,
          administration]  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 3], ids=["resp2", "resp3"])
@pytest.mark.parametrize("group", GROUPS, ids=[each.__name__ for each in GROUPS])
def test_ordinary_use_gives_what_a_real_server_gives(
    shared_server: Any, valkey_server: RealServer, group: Callable[[Any], Iterator[Any]], protocol: int
) -> None:
    with (
        redis.Redis(port=shared_server.port, protocol=protocol) as ours,
        redis.Redis(unix_socket_path=valkey_server.path, protocol=protocol) as real,
    ):
        for client in (ours, real):
            client.flushall()
        for found, expected in zip(group(ours), group(real), strict=True):
            assert found == expected
