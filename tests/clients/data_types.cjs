// Ordinary calls of ioredis and node-redis over every type of data, in RESP2 and RESP3.
// node data_types.cjs ioredis|redis 2|3 PORT: ends with status 0, or with the first difference.
"use strict";

const assert = require("node:assert/strict");

const equal = (reply, expected) => assert.deepEqual(reply, expected);
const plain = (reply) => JSON.parse(JSON.stringify(reply)); // node-redis's replies have no prototype

async function ioredis(port, protocol) {
  const Redis = require("ioredis");
  const make = () => new Redis({ port, host: "127.0.0.1", protocol });
  const redis = make();
  equal(await redis.set("s", "héllo"), "OK");
  equal(await redis.get("s"), "héllo");
  equal(await redis.append("s", "!"), 7);
  equal(await redis.mget("s", "absent"), ["héllo!", null]);
  equal(await redis.incrby("n", 41), 41);
  equal(await redis.incrbyfloat("f", 1.5), "1.5");
  equal(await redis.setbit("b", 7, 1), 0);
  equal(await redis.bitcount("b"), 1);
  equal(await redis.getBuffer("b"), Buffer.from([1]));
  equal(await redis.hset("h", { a: 1, b: 2 }), 2);
  equal(plain(await redis.hgetall("h")), { a: "1", b: "2" });
  equal(await redis.rpush("l", 1, 2, 3), 3);
  equal(await redis.lrange("l", 0, -1), ["1", "2", "3"]);
  equal(await redis.blpop("l", 1), ["l", "1"]);
  equal(await redis.sadd("set", 1, 2, 3), 3);
  equal([...(await redis.smembers("set"))].sort(), ["1", "2", "3"]);
  equal(await redis.zadd("z", 1, "a", 2.5, "b"), 2);
  equal((await redis.zrange("z", 0, -1, "WITHSCORES")).flat().map(String), ["a", "1", "b", "2.5"]);
  equal(String(await redis.zscore("z", "b")), "2.5");
  equal(await redis.xadd("x", "1-1", "f", "v"), "1-1");
  equal(await redis.xrange("x", "-", "+"), [["1-1", ["f", "v"]]]);
  equal(await redis.xgroup("CREATE", "x", "g", "0"), "OK");
  const read = await redis.xreadgroup("GROUP", "g", "me", "COUNT", 1, "STREAMS", "x", ">");
  equal(JSON.stringify(read).replace(/[^\w-]/g, ""), "x1-1fv");
  equal(await redis.xack("x", "g", "1-1"), 1);
  equal(await redis.geoadd("geo", 13.361389, 38.115556, "Palermo"), 1);
  equal(await redis.geosearch("geo", "FROMLONLAT", 13, 38, "BYRADIUS", 100, "km"), ["Palermo"]);
  equal(await redis.pfadd("hll", "a", "b"), 1);
  equal(await redis.pfcount("hll"), 2);
  equal(await redis.expire("s", 100), 1);
  equal(await redis.ttl("s"), 100);
  const seen = [];
  for await (const keys of redis.scanStream({ count: 2 })) seen.push(...keys);
  equal(new Set(seen), new Set(["s", "n", "f", "b", "h", "l", "set", "z", "x", "geo", "hll"]));
  const [set, incremented, refused] = await redis.multi().set("m", 1).incr("m").lpush("m", "x").exec();
  equal([set, incremented], [[null, "OK"], [null, 2]]);
  assert.match(refused[0].message, /WRONGTYPE/);
  equal(await redis.pipeline().get("m").incr("m").exec(), [[null, "2"], [null, 3]]);
  redis.defineCommand("twice", { numberOfKeys: 1, lua: "return redis.call('GET', KEYS[1]) * ARGV[1]" });
  equal(await redis.twice("m", 2), 6);
  await assert.rejects(redis.lpush("m", "x"), /WRONGTYPE/);
  const listener = make();
  const heard = new Promise((resolve) => listener.on("message", (...message) => resolve(message)));
  const heardPattern = new Promise((resolve) => listener.on("pmessage", (...message) => resolve(message)));
  equal(await listener.subscribe("news"), 1);
  equal(await listener.psubscribe("n*"), 2);
  equal(await redis.publish("news", "hello"), 2);
  equal(await heard, ["news", "hello"]);
  equal(await heardPattern, ["n*", "news", "hello"]);
  await Promise.all([redis.quit(), listener.quit()]);
}

async function nodeRedis(port, protocol) {
  const { createClient } = require("redis");
  const make = () => createClient({ socket: { port, host: "127.0.0.1" }, RESP: protocol }).connect();
  const redis = await make();
  equal(await redis.set("s", "héllo"), "OK");
  equal(await redis.get("s"), "héllo");
  equal(await redis.append("s", "!"), 7);
  equal(await redis.mGet(["s", "absent"]), ["héllo!", null]);
  equal(await redis.incrBy("n", 41), 41);
  equal(await redis.incrByFloat("f", 1.5), "1.5");
  equal(await redis.setBit("b", 7, 1), 0);
  equal(await redis.bitCount("b"), 1);
  equal(await redis.hSet("h", { a: 1, b: 2 }), 2);
  equal(plain(await redis.hGetAll("h")), { a: "1", b: "2" });
  equal(await redis.rPush("l", ["1", "2", "3"]), 3);
  equal(await redis.lRange("l", 0, -1), ["1", "2", "3"]);
  equal(plain(await redis.blPop("l", 1)), { key: "l", element: "1" });
  equal(await redis.sAdd("set", ["1", "2", "3"]), 3);
  equal([...(await redis.sMembers("set"))].sort(), ["1", "2", "3"]);
  equal(await redis.zAdd("z", [{ score: 1, value: "a" }, { score: 2.5, value: "b" }]), 2);
  equal(plain(await redis.zRangeWithScores("z", 0, -1)), [{ value: "a", score: 1 }, { value: "b", score: 2.5 }]);
  equal(await redis.zScore("z", "b"), 2.5);
  equal(await redis.xAdd("x", "1-1", { f: "v" }), "1-1");
  equal((await redis.xRange("x", "-", "+")).map((entry) => [entry.id, entry.message.f]), [["1-1", "v"]]);
  equal(await redis.xGroupCreate("x", "g", "0"), "OK");
  const read = await redis.xReadGroup("g", "me", { key: "x", id: ">" }, { COUNT: 1 });
  assert.match(JSON.stringify(read), /"1-1"/);
  equal(await redis.xAck("x", "g", "1-1"), 1);
  equal(await redis.geoAdd("geo", { longitude: 13.361389, latitude: 38.115556, member: "Palermo" }), 1);
  equal(await redis.geoSearch("geo", { longitude: 13, latitude: 38 }, { radius: 100, unit: "km" }), ["Palermo"]);
  equal(await redis.pfAdd("hll", ["a", "b"]), 1);
  equal(await redis.pfCount("hll"), 2);
  equal(await redis.expire("s", 100), 1);
  equal(await redis.ttl("s"), 100);
  const seen = [];
  for await (const keys of redis.scanIterator({ COUNT: 2 })) seen.push(...[keys].flat());
  equal(new Set(seen), new Set(["s", "n", "f", "b", "h", "l", "set", "z", "x", "geo", "hll"]));
  equal(await redis.multi().set("m", "1").incr("m").exec(), ["OK", 2]);
  await assert.rejects(redis.lPush("m", "x"), /WRONGTYPE/);
  equal(await redis.eval("return redis.call('GET', KEYS[1]) * ARGV[1]", { keys: ["m"], arguments: ["2"] }), 4);
  const listener = await make();
  const heard = new Promise((resolve) => listener.subscribe("news", (...message) => resolve(message)));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const heardPattern = new Promise((resolve) => listener.pSubscribe("n*", (...message) => resolve(message)));
  while ((await redis.pubSubNumPat()) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  equal(await redis.publish("news", "hello"), 2);
  equal(await heard, ["hello", "news"]);
  equal(await heardPattern, ["hello", "news"]);
  redis.destroy();
  listener.destroy();
}

const [library, protocol, port] = process.argv.slice(2);
const run = library === "ioredis" ? ioredis : nodeRedis;
run(Number(port), Number(protocol)).then(
  () => process.exit(0),
  (error) => { console.error(error); process.exit(1); },
);
