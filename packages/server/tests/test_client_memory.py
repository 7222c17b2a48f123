"""What is counted for a client, held against what the interpreter says it holds; and how what waits is counted."""

from __future__ import annotations

import gc
import tracemalloc
from collections import deque
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.config import Config
from cutaway.resp import RequestParser
from cutaway.resp.encoder import encode_request
from cutaway.server.app import compose
from cutaway.server.client_memory import WORD_BYTES, Backlogs, ClientMemory, parser_bytes, state_bytes
from cutaway.server.parts import default_parts

NUMBERS = [b"%07d" % number for number in range(6000)]

KEPT = {
    "watched keys": ([], [[b"WATCH", b"key:" + number] for number in NUMBERS]),
    "long watched keys": ([], [[b"WATCH", b"k" * 1000 + number] for number in NUMBERS[:2000]]),
    "channels": ([], [[b"SUBSCRIBE", b"channel:" + number] for number in NUMBERS]),
    "shard channels": ([], [[b"SSUBSCRIBE", b"channel:" + number] for number in NUMBERS]),
    "patterns": ([], [[b"PSUBSCRIBE", b"pattern:" + number] for number in NUMBERS]),
    "tracked prefixes": (
        [],
        [[b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"PREFIX", number] for number in NUMBERS[:1000]],
    ),
    "queued PINGs": ([[b"MULTI"]], [[b"PING"]] * 6000),
    "queued SETs": ([[b"MULTI"]], [[b"SET", b"key:" + number, b"v" * 20] for number in NUMBERS]),
    "long queued commands": ([[b"MULTI"]], [[b"DEL", *NUMBERS[:50]]] * 1000),
    "awaited keys": ([], [[b"BLPOP", *NUMBERS, b"0"]]),
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_is_kept_for_a_client_is_counted_within_a_quarter(kind):
    engine = compose(Config(), default_parts())
    client = engine.connect(lambda _reply: None)
    parser = RequestParser()
    before, requests = KEPT[kind]
    for words in before:
        engine.execute(client, words)
    data = [encode_request(words) for words in requests]
    counted = state_bytes(client)
    gc.collect()
    tracemalloc.start()
    held = tracemalloc.get_traced_memory()[0]
    for each in data:
        engine.execute(client, parser.feed(each)[0])
    gc.collect()
    held, counted = tracemalloc.get_traced_memory()[0] - held, state_bytes(client) - counted
    tracemalloc.stop()
    assert 0.75 < counted / held < 1.25, f"{counted / len(data):.0f} for {held / len(data):.0f} bytes each"


@pytest.mark.parametrize(
    ("make", "undo"),
    [
        ([b"WATCH", b"a", b"b", b"a"], [b"UNWATCH"]),
        ([b"SUBSCRIBE", b"a", b"b", b"a"], [b"UNSUBSCRIBE"]),
        ([b"PSUBSCRIBE", b"a", b"a"], [b"PUNSUBSCRIBE", b"a"]),
        ([b"SSUBSCRIBE", b"a"], [b"SUNSUBSCRIBE", b"a"]),
        ([b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"PREFIX", b"a"], [b"CLIENT", b"TRACKING", b"OFF"]),
        ([b"CLIENT", b"SETNAME", b"a" * 100], [b"RESET"]),
    ],
)
def test_what_is_given_up_is_counted_no_longer(make, undo):
    engine = compose(Config(), default_parts())
    client = engine.connect(lambda _reply: None)
    nothing = state_bytes(client)
    engine.execute(client, make)
    once = state_bytes(client)
    engine.execute(client, make)
    assert state_bytes(client) == once > nothing
    engine.execute(client, undo)
    assert state_bytes(client) == nothing


def test_a_request_of_many_small_words_takes_more_than_its_bytes():
    parser = RequestParser()
    parser.feed(b"*10001\r\n" + b"$1\r\nx\r\n" * 10_000)
    assert parser_bytes(parser) == 10_000 * (1 + WORD_BYTES)


# ---- requests that wait


@dataclass(eq=False)
class Waiter:
    """As much of a connection as `Backlogs` looks at."""

    waiting: deque[list[bytes]] = field(default_factory=deque)
    client: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(total_commands=0))

    def run(self, count: int) -> None:
        for _ in range(min(count, len(self.waiting))):
            self.waiting.popleft()
            self.client.total_commands += 1

    def size(self) -> int:
        return sum(len(word) + WORD_BYTES for argv in self.waiting for word in argv)


def requests_of(count: int, size: int) -> list[list[bytes]]:
    return [[b"SET", b"x" * size]] * count


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 1000)), max_size=20))
def test_requests_that_only_wait_are_counted_to_the_byte(chunks: list[tuple[int, int]]) -> None:
    backlogs, waiter = Backlogs(), Waiter()
    for count, size in chunks:
        waiter.waiting.extend(requests_of(count, size))
        assert backlogs.measure(waiter, waiter.waiting) == waiter.size()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 500)), max_size=30))
def test_requests_of_one_size_are_counted_to_the_byte_while_some_run(steps: list[tuple[bool, int]]) -> None:
    backlogs, waiter = Backlogs(), Waiter()
    for is_new, count in steps:
        if is_new:
            waiter.waiting.extend(requests_of(count, 10))
        else:
            waiter.run(count)
        assert backlogs.measure(waiter, waiter.waiting) == waiter.size()


def test_a_large_request_is_not_forgotten_among_small_ones_that_have_run():
    backlogs, waiter = Backlogs(), Waiter()
    waiter.waiting.extend(requests_of(10_000, 1))
    backlogs.measure(waiter, waiter.waiting)
    waiter.run(5000)
    waiter.waiting.extend(requests_of(1, 10_000_000))
    assert backlogs.measure(waiter, waiter.waiting) == waiter.size()


# ---- the largest buffers of late


def test_the_largest_buffers_are_remembered_for_eight_seconds():
    engine = compose(Config(), default_parts())
    memory = ClientMemory(engine, SimpleNamespace(connections=set()))
    start = engine.keyspace.now
    for second, incoming, outgoing in ((0, 500, 10), (0, 20, 900), (3, 300, 0), (5, 0, 700)):
        engine.keyspace.now = start + 1000 * second
        memory.note(incoming, outgoing)
    seen = []
    for second in range(5, 14):
        engine.keyspace.now = start + 1000 * second
        seen.append(memory.recent())
    assert seen == [(500, 900)] * 3 + [(300, 700)] * 3 + [(0, 700)] * 2 + [(0, 0)]
