"""Several requests of one command at once: what becomes of them is what becomes of them one after the other."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cutaway.commands import Engine, FakeClock
from cutaway.commands.counters import counters
from cutaway.commands.generic import generic
from cutaway.commands.hashes import hashes
from cutaway.commands.keyspaces import encoding
from cutaway.commands.lists import lists
from cutaway.commands.strings import strings
from cutaway.commands.tables import CommandTable
from cutaway.datastructures.limits import Limits
from cutaway.resp import Encoder, Raw

KEYS = [b"a", b"b", b"soon", b"later", b"hash", b"grown", b"last", b"first", b"list", b"short", b"none"]
VALUES = [b"", b"x", b"7", b"-1", b"007", b"9223372036854775807", b"y" * 30, b"z" * 200]
keys, values = st.sampled_from(KEYS), st.sampled_from(VALUES)


def fixed(name: bytes, *columns):
    """Requests of one command: mostly with one key, as pipelines have them, else with others in between."""
    return st.lists(st.tuples(st.just(name), *columns), min_size=1, max_size=9)


def to_one_key(name: bytes, *columns):
    some = st.sampled_from([b"list", b"short", b"none", b"hash"])
    return some.flatmap(lambda key: fixed(name, st.just(key), *columns))


limits_of_ranges = st.sampled_from([b"0", b"1", b"-1", b"-2", b"what"])
pipelines = st.lists(
    st.one_of(
        fixed(b"GET", keys),
        fixed(b"SET", keys, values),
        fixed(b"set", keys, values),
        fixed(b"INCR", keys),
        fixed(b"DECR", keys),
        to_one_key(b"LPUSH", values),
        to_one_key(b"RPUSH", values),
        to_one_key(b"LPOP"),
        to_one_key(b"RPOP"),
        fixed(b"RPUSH", keys, values),
        fixed(b"LPOP", keys),
        fixed(b"SET", keys, values, st.sampled_from([b"NX", b"XX", b"what"])),
        fixed(b"MGET", keys, keys, keys),
        fixed(b"MSET", keys, values, keys, values),
        fixed(b"GET"),
        fixed(b"HGET", keys, values),
        fixed(b"DEL", keys),
        fixed(
            b"LRANGE", st.sampled_from([b"list", b"words", b"none", b"a"]), limits_of_ranges, limits_of_ranges
        ),
    ),
    min_size=1,
    max_size=6,
).map(lambda groups: [list(request) for group in groups for request in group])


def prepared(limits: Limits) -> Engine:
    clock = FakeClock()
    engine = Engine(
        strings, counters, lists, hashes, generic, clock=clock, stopwatch=lambda: 0, limits=limits
    )
    for request in (
        "SET a 1",
        "SET b text",
        "SET soon 5 PX 10",
        "SET later 6 PX 100000",
        "HSET hash f v",
        "APPEND grown 12",
        "SET last 9223372036854775805",
        "SET first -9223372036854775806",
        "RPUSH list 1 2 3 4 5 six seven eight nine ten",
        "RPUSH short one 2",
        "RPUSH words one two six ten",
    ):
        engine.do(*request.split())
    for name in (b"GET", b"SET", b"set", b"INCR", b"DECR", b"LPUSH", b"RPUSH", b"LPOP", b"RPOP", b"LRANGE"):
        engine.lookup([name])  # a command that was never asked for runs alone
    clock.advance(1_000)
    engine.tick()
    return engine


def outcome(engine: Engine, replies: list) -> tuple:
    database = engine.keyspace.databases[0]
    encode = Encoder().encode
    return (
        [*map(encode, replies)],
        {key: state(entry) for key, entry in database.keys.items()},
        sorted(key for key, _ in database.expires.items()),
        (engine.keyspace.dirty, engine.keyspace.hits, engine.keyspace.misses, engine.keyspace.expired_keys),
        {name: (command.calls, command.failed_calls, command.rejected_calls) for name, command in engine.commands.items()},
        engine.errors_by_code,
    )  # fmt: skip


def state(entry) -> tuple:
    value = entry.value
    body = (
        [getattr(node, "element", None) or bytes(node) for node in value.nodes()]
        if encoding(value) in {"listpack", "quicklist"} and hasattr(value, "nodes")
        else None
    )
    held = value if isinstance(value, (int, bytes, bytearray)) else None
    return type(value), encoding(value), held, body, entry.expire_at, entry.access


@settings(deadline=None, max_examples=300)
@example(requests=[[b"LPOP", b"short"]] * 2, size=-2, stride=2)
@example(requests=[[b"RPOP", b"short"]] * 2, size=-2, stride=2)
@given(requests=pipelines, size=st.sampled_from([-2, 3, 8]), stride=st.integers(1, 40))
def test_a_pipeline_runs_as_its_requests_do_one_by_one(requests: list, size: int, stride: int):
    limits = Limits(list_max_listpack_size=size)
    together, one_by_one = prepared(limits), prepared(limits)
    client, answers, done = together.connect(), [], 0
    while done < len(requests):
        replies: list = []
        together.run(client, requests[done : done + stride], replies)
        answers += replies
        done += len(replies)
    other = one_by_one.connect()
    single = [one_by_one.execute(other, request) for request in requests]
    assert outcome(together, answers) == outcome(one_by_one, single)


def test_what_is_ready_for_the_wire_is_for_the_wire_alone():
    engine = prepared(Limits())
    client, replies = engine.connect(), []
    engine.run(client, [[b"LRANGE", b"words", b"0", b"1"]], replies)
    assert isinstance(replies[0], Raw)
    assert replies[0].payload == b"*2\r\n$3\r\none\r\n$3\r\ntwo\r\n"
    assert engine.execute(client, [b"LRANGE", b"words", b"0", b"1"]) == [b"one", b"two"]


def engine_that_notes_calls(many=None) -> tuple[Engine, list]:
    calls: list = []
    table = CommandTable("string")

    def several(_client, keys, values):
        calls.append((keys, values))
        return [1] * len(keys) if many is None else many(keys)

    @table.command("PUT", arity=-3, flags="write", many=several)
    def put(_client, key, value, *rest):
        """Notes that it was called."""
        calls.append((key, value, *rest))
        return 1

    return Engine(table, strings, stopwatch=lambda: 0), calls


def run(engine: Engine, *requests: str) -> list:
    pipeline = [request.encode().split() for request in requests]
    for argv in pipeline:
        engine.lookup(argv)  # a command that was never asked for runs alone
    replies: list = []
    engine.run(engine.connect(), pipeline, replies)
    return replies


def test_requests_of_one_command_come_at_once_and_by_place():
    engine, calls = engine_that_notes_calls()
    assert run(engine, "PUT a 1", "PUT b 2", "PUT c 3") == [1, 1, 1]
    assert calls == [((b"a", b"b", b"c"), (b"1", b"2", b"3"))]
    assert engine.commands[b"put"].calls == 3


@pytest.mark.parametrize(
    "requests",
    [
        ["PUT a 1"],
        ["PUT a 1", "PUT b 2 3"],
        ["PUT a 1 2", "PUT b 2 3"],
        ["PUT a 1", "put b 2", "PUT c 3"],
        ["PUT a 1", "SET b 2", "PUT c 3"],
        ["PUT a 1", "GET b", "PUT c 3"],
    ],
)
def test_others_come_one_by_one(requests: list[str]):
    engine, calls = engine_that_notes_calls()
    assert len(run(engine, *requests)) == len(requests)
    assert calls == [tuple(each.encode().split()[1:]) for each in requests if each.lower().startswith("put")]


def test_what_is_left_over_comes_one_by_one():
    engine, calls = engine_that_notes_calls(many=lambda keys: [7] * (len(keys) - 2))
    assert run(engine, "PUT a 1", "PUT b 2", "PUT c 3") == [7, 1, 1]
    assert calls[1:] == [(b"b", b"2"), (b"c", b"3")]


def observe(engine: Engine) -> None:
    engine.keyspace.listen(lambda *_: None)


def follow_an_lfu_policy(engine: Engine) -> None:
    engine.keyspace.access_for = lambda stamp: stamp + 1


def propagate(engine: Engine) -> None:
    engine.on_propagate = (lambda *_: None,)


def monitor(engine: Engine) -> None:
    engine.on_call = (lambda *_: None,)


def ask(engine: Engine) -> None:
    engine.gates = (lambda *_: None,)


def log_all(engine: Engine) -> None:
    engine.slow_after = 0


@pytest.mark.parametrize("occupy", [observe, follow_an_lfu_policy, propagate, monitor, ask, log_all])
def test_while_somebody_wants_to_hear_of_each_they_come_one_by_one(occupy):
    engine, calls = engine_that_notes_calls()
    occupy(engine)
    assert run(engine, "PUT a 1", "PUT b 2") == [1, 1]
    assert calls == [(b"a", b"1"), (b"b", b"2")]


def test_a_bug_costs_the_replies_but_not_the_client(caplog: pytest.LogCaptureFixture):
    engine, calls = engine_that_notes_calls(many=lambda keys: [1 // 0 for _ in keys])
    replies = run(engine, "PUT a 1", "PUT b 2")
    assert [str(reply) for reply in replies] == ["ERR internal error, see the server's log"] * 2
    assert len(calls) == 1
    assert "ZeroDivisionError" in caplog.text


def test_a_long_time_is_shared_and_told_to_the_slow_log():
    times = iter(range(0, 10**12, 50_000_000))
    engine = Engine(strings, stopwatch=lambda: next(times))
    slow: list = []
    engine.slow_after = 10_000_000
    engine.on_slow = lambda _client, _command, argv, elapsed: slow.append((argv, elapsed))
    assert run(engine, "SET a 1", "SET b 2") == ["OK", "OK"]
    assert slow == [([b"SET", b"b", b"2"], 50_000_000)]
    assert engine.commands[b"set"].nanoseconds == 50_000_000
