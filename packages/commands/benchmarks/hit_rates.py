"""How many reads find their key: our eviction, exact caches, and redis-server, under the same traces.

    python packages/commands/benchmarks/hit_rates.py --save packages/commands/benchmarks/hit_rates.json

A cache in front of something slow: each access is a GET, and a SET if the key was not there. Three traces:

*zipf*      a few keys are asked for often, most of them hardly ever;
*scan*      the same, and every now and then somebody walks once through keys that nobody will ask for again;
*shifting*  what is popular changes every so often.

redis-server goes first, one for each policy, all of them in step, because its clock is the world's: an LRU clock has ticks of a
second, so how well it tells keys apart depends on how fast they are asked for. Then our engine runs the trace with a clock that
goes as fast as the world's did, and a limit for as many keys as redis-server held.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from cutaway.commands import Engine
from cutaway.commands.clocks import FakeClock
from cutaway.commands.eviction import Evictor
from cutaway.commands.expiring import generic
from cutaway.commands.sizes import entry_size
from cutaway.commands.strings import strings
from cutaway.config import Config
from cutaway.datastructures.caches import LFUCache, LRUCache
from cutaway.resp import encode_request
from cutaway.testing import MissingServerError, Peer, RealServer

POLICIES = (
    "allkeys-lru", "allkeys-lfu", "allkeys-random",
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
)  # fmt: skip
CAPACITY, KEYS, LENGTH, WARM = 2500, 20_000, 60_000, 20_000
VALUE = b"v" * 100
TICK = 500
"""The clock of our engine is set to the world's every so many accesses."""


# ---- traces


def zipf(rng: Random, length: int) -> list[int]:
    """So many accesses to the keys, the n-th key with a probability in proportion to 1/n."""
    return rng.choices(
        range(KEYS), cum_weights=list(accumulate(1 / rank for rank in range(1, KEYS + 1))), k=length
    )


def scan(rng: Random, length: int) -> list[int]:
    """Zipf, with a walk through 3,000 keys of no further use after every 7,000 accesses."""
    trace: list[int] = []
    fresh = KEYS
    while len(trace) < length:
        trace += zipf(rng, 7000)
        trace += range(fresh, fresh + 3000)
        fresh += 3000
    return trace[:length]


def shifting(rng: Random, length: int) -> list[int]:
    """Zipf, with other keys at the top after every 10,000 accesses."""
    return [(key + 1777 * (place // 10_000)) % KEYS for place, key in enumerate(zipf(rng, length))]


TRACES: dict[str, Callable[[Random, int], list[int]]] = {"zipf": zipf, "scan": scan, "shifting": shifting}


def key_of(number: int) -> bytes:
    """The name of a key; all have the same length."""
    return b"key:%08d" % number


def set_request(number: int) -> list[bytes]:
    """The SET for a key, with an expiry that belongs to it: some hours, so that none is over meanwhile."""
    return [b"SET", key_of(number), VALUE, b"EX", b"%d" % (10_000 + number * 7919 % 100_000)]


# ---- redis-server


def set_limit(redis: Peer) -> None:
    """Grant as much memory as CAPACITY keys need."""
    for number in range(CAPACITY):
        redis.ask(*set_request(number))
    used = int(redis.ask_bytes("INFO", "memory").partition(b"used_memory:")[2].split()[0])
    redis.ask("FLUSHALL")
    redis.ask("CONFIG", "SET", "maxmemory", used)


def run_redis(trace: Sequence[int]) -> tuple[dict[str, float], int, list[float]]:
    """Hit rates by policy, how many keys were held, and when (in seconds) each TICK of accesses was done."""
    with ExitStack() as stack:
        try:
            servers = [
                stack.enter_context(RealServer("redis", "--maxmemory-policy", policy)) for policy in POLICIES
            ]
        except MissingServerError as error:
            raise SystemExit(str(error)) from None
        peers = [stack.enter_context(server.connect()) for server in servers]
        for peer in peers:
            set_limit(peer)
        hits = dict.fromkeys(POLICIES, 0)
        sizes: list[int] = []
        times: list[float] = []
        started = time.monotonic()
        for place, number in enumerate(trace):
            request = encode_request([b"GET", key_of(number)])
            for peer in peers:
                peer.send_bytes(request)
            found = [peer.read_bytes() != b"$-1\r\n" for peer in peers]
            if not all(found):
                request = encode_request(set_request(number))
                missing = [each for each, hit in zip(peers, found, strict=True) if not hit]
                for peer in missing:
                    peer.send_bytes(request)
                for peer in missing:
                    peer.read_bytes()
            if place >= WARM:
                for policy, hit in zip(POLICIES, found, strict=True):
                    hits[policy] += hit
            if place % TICK == 0:
                times.append(time.monotonic() - started)
            if place >= WARM and place % 5000 == 0:
                sizes += [int(peer.ask_bytes("DBSIZE")[1:]) for peer in peers]
        rates = {policy: count / (len(trace) - WARM) for policy, count in hits.items()}
        return rates, sum(sizes) // len(sizes), times


# ---- ours


def run_engine(trace: Sequence[int], policy: str, capacity: int, times: Sequence[float]) -> float:
    """The hit rate of our engine."""
    clock = FakeClock()
    start = clock.now
    engine = Engine(strings, generic, clock=clock, rng=Random(1), config=Config({"maxmemory-policy": policy}))
    Evictor(engine)
    client = engine.connect()
    for number in range(capacity):
        engine.execute(client, set_request(number))
    entries = engine.keyspace.databases[0].keys
    limit = sum(entry_size(key, entry) for key, entry in entries.items())
    engine.do("FLUSHALL")
    engine.config.set([("maxmemory", str(limit)), ("maxmemory-eviction-tenacity", "100")])
    hits = 0
    for place, number in enumerate(trace):
        if place % TICK == 0:
            clock.now = start + int(times[place // TICK] * 1000)
            engine.cron()
        if engine.execute(client, [b"GET", key_of(number)]) is not None:
            hits += place >= WARM
        else:
            engine.execute(client, set_request(number))
        if place % 10_000 == 0:
            for command in engine.commands.values():
                command.latencies.clear()
    return hits / (len(trace) - WARM)


def run_exact(trace: Sequence[int], cache: LRUCache[int, bool] | LFUCache[int, bool]) -> float:
    """The hit rate of an exact cache."""
    hits = 0
    for place, number in enumerate(trace):
        if cache.get(number):
            hits += place >= WARM
        else:
            cache.put(number, True)
    return hits / (len(trace) - WARM)


def main() -> None:
    """Run all traces and print, or save, the hit rates."""
    parser = argparse.ArgumentParser(description="Hit rates of the eviction policies.")
    parser.add_argument("--save", type=Path, help="write the results as JSON")
    parser.add_argument("--length", type=int, default=LENGTH)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for name, make in TRACES.items():
        trace = make(Random(42), options.length)
        theirs, capacity, times = run_redis(trace)
        ours = {policy: run_engine(trace, policy, capacity, times) for policy in POLICIES}
        exact = {
            "lru": run_exact(trace, LRUCache(capacity)),
            "lfu": run_exact(trace, LFUCache(capacity)),
        }
        results[name] = {
            "capacity": capacity, "seconds": round(times[-1], 1), "ours": ours, "redis": theirs, "exact": exact,
        }  # fmt: skip
        print(
            f"{name}: {capacity} keys, {times[-1]:.0f} s, exact LRU {exact['lru']:.1%}, exact LFU {exact['lfu']:.1%}"
        )
        for policy in POLICIES:
            difference = 100 * (ours[policy] - theirs[policy])
            print(
                f"  {policy:16} ours {ours[policy]:.1%}  redis-server {theirs[policy]:.1%}  {difference:+.1f}"
            )
    if options.save:
        options.save.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
