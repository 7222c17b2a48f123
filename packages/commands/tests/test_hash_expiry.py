"""Fields of hashes that expire, compared with a real Valkey 9."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.commands import Engine, FakeClock
from cutaway.commands.expiring import generic
from cutaway.commands.hash_expiry import hash_expiry
from cutaway.commands.hashes import hashes
from cutaway.resp import MapReply

FAR = "9999999999499"


@pytest.fixture
def valkey(twins):
    """`twins`, where the real one knows fields that expire."""
    if b"ERR unknown command" in twins.real.ask_bytes(b"HTTL", b"h", b"FIELDS", b"1", b"f"):
        pytest.skip("the real server has no field expiration: it takes Valkey 9")
    return twins


def test_setting_and_telling_an_expiry(valkey):
    valkey.script(
        f"""
        HSET h a 1 b 2 c 3
        OBJECT ENCODING h
        HPEXPIREAT h {FAR} FIELDS 2 a nope
        OBJECT ENCODING h
        HEXPIRETIME h FIELDS 3 a b nope
        HPEXPIRETIME h FIELDS 3 a b nope
        HEXPIREAT h 9999999999 FIELDS 1 b
        HPEXPIRETIME h FIELDS 2 a b
        HTTL h FIELDS 2 c nope
        HPTTL h FIELDS 2 c nope
        HTTL none FIELDS 2 c nope
        HEXPIRETIME none FIELDS 1 c
        HPERSIST h FIELDS 3 a c nope
        HPERSIST none FIELDS 2 a c
        HEXPIRE none 10 FIELDS 2 a c
        HEXPIRE h 1000 FIELDS 1 a
        HTTL h FIELDS 1 a
        HPEXPIRE h 1000600 FIELDS 1 a
        HTTL h FIELDS 1 a
        HSET h a 2
        HTTL h FIELDS 1 a
        HEXPIRE h 1000 FIELDS 1 a
        HINCRBY h a 1
        HINCRBYFLOAT h a 1.5
        HSETNX h a 9
        HTTL h FIELDS 1 a
        HPEXPIREAT h 9223372036854775807 FIELDS 1 c
        HEXPIRETIME h FIELDS 1 c
        HEXPIREAT h 9223372036854775 FIELDS 1 c
        """
    )


def test_conditions(valkey):
    valkey.script(
        """
        HSET h a 1 b 2
        HEXPIRE h 1000 XX FIELDS 1 a
        HEXPIRE h 1000 GT FIELDS 1 a
        HEXPIRE h 1000 NX FIELDS 1 a
        HEXPIRE h 1000 NX FIELDS 1 a
        HEXPIRE h 2000 XX FIELDS 2 a b
        HEXPIRE h 1000 GT FIELDS 2 a b
        HEXPIRE h 3000 GT FIELDS 2 a b
        HEXPIRE h 4000 LT FIELDS 2 a b
        HEXPIRE h 1000 LT FIELDS 2 a b
        HEXPIRE h 1000 XX LT FIELDS 2 a b
        HEXPIRE h 1000 NX NX FIELDS 1 a
        HEXPIRE h 500 lt XX fields 2 a a
        HTTL h FIELDS 2 a b
        """
    )


def test_a_moment_that_is_over_deletes_the_field(valkey):
    valkey.script(
        """
        HSET h a 1 b 2 c 3 d 4
        HEXPIRE h 0 GT FIELDS 1 a
        HEXPIRE h 0 FIELDS 3 a a nope
        HEXPIREAT h 1 FIELDS 1 b
        HGETEX h PXAT 1 FIELDS 2 c nope
        HSETEX h EXAT 1 FIELDS 2 x 1 d 5
        EXISTS h
        HSETEX h EX 0 FIELDS 1 x 1
        EXISTS h
        HSET h a 1
        HEXPIRE h 0 FIELDS 1 a
        EXISTS h
        """
    )


def test_setting_with_an_expiry(valkey):
    valkey.script(
        f"""
        HSETEX h EX 1000 FIELDS 2 a 1 b 2
        HTTL h FIELDS 2 a b
        HSETEX h KEEPTTL FIELDS 2 a 3 c 4
        HTTL h FIELDS 3 a b c
        HSETEX h FIELDS 1 a 5
        HTTL h FIELDS 1 a
        HSETEX h PXAT {FAR} FIELDS 1 a 5
        HPEXPIRETIME h FIELDS 1 a
        HSETEX h NX FIELDS 1 a 6
        HSETEX h XX FIELDS 1 a 6
        HSETEX none XX FIELDS 1 a 6
        HSETEX new NX FNX FIELDS 1 a 6
        HSETEX h FNX FIELDS 2 z 1 a 1
        HSETEX h FNX FIELDS 2 z 1 y 1
        HSETEX h FXX FIELDS 2 z 1 nope 1
        HSETEX h FXX FIELDS 2 z 1 y 1
        HSETEX none FXX FIELDS 1 a 1
        HSETEX twice EX 100 FIELDS 2 a 1 a 2
        HGETALL twice
        HSETEX h NX EX x FIELDS 1 a b
        HSETEX h XX EX x FIELDS 1 a b
        HSETEX h FNX EX -1 FIELDS 1 a b
        HSETEX h FNX EX 0 FIELDS 1 a b
        HSETEX h NX XX FIELDS 1 a b
        HSETEX h FNX FXX FIELDS 1 a b
        HSETEX h EX 10 PX 10 FIELDS 1 a b
        HSETEX h EX 10 KEEPTTL FIELDS 1 a b
        HSETEX h EX 10 EX 2000 FIELDS 1 a b
        HSETEX h EX FIELDS 1 a b
        HSETEX h EX FIELDS FIELDS 1 a b
        HSETEX h FOO FIELDS 5 a b
        HSETEX h EX x FIELDS 5 a b
        HSETEX h a b c d
        HSETEX h FIELDS 1 a b EX 10
        HSETEX h FIELDS 0 a b
        HSETEX h FIELDS x a b
        HSETEX h FIELDS 2 a b c
        HSETEX h EX 9223372036854775807 FIELDS 1 a b
        HSETEX h PERSIST FIELDS 1 a b
        HSETEX h FIELDS 1
        """
    )
    valkey.same_sorted("HGETALL", "h")


def test_getting_with_an_expiry_and_getting_for_the_last_time(valkey):
    valkey.script(
        """
        HSET h a 1 b 2 c 3
        HGETEX h FIELDS 2 a nope
        HGETEX h EX 1000 FIELDS 3 a nope a
        HTTL h FIELDS 2 a b
        HGETEX h PERSIST FIELDS 2 a b
        HTTL h FIELDS 2 a b
        HGETEX none EX 10 FIELDS 2 a b
        HGETEX none EX x FIELDS 1 a
        HGETEX h EX x FIELDS 1 a
        HGETEX h PX -1 FIELDS 1 a
        HGETEX h EX 10 PERSIST FIELDS 1 a
        HGETEX h KEEPTTL FIELDS 1 a
        HGETEX h NX FIELDS 1 a
        HGETEX h FIELDS 2 a
        HGETEX h FIELDS 1 a b
        HGETEX h FIELDS 0 a
        HGETEX h FIELDS x a
        HGETEX h a FIELDS 1
        HGETEX h EX FIELDS 1
        HGETEX h a b c
        HGETDEL h FIELDS 3 a nope a
        HGETDEL none FIELDS 1 a
        HGETDEL h FOO 1 a
        HGETDEL h FOO x a
        HGETDEL h FIELDS 2 a
        HGETDEL h FIELDS 0 a
        HGETDEL h FIELDS x a
        HGETDEL h FIELDS 1 a b
        HGETDEL h FIELDS 2 b c
        EXISTS h
        """
    )


def test_what_is_refused(valkey):
    valkey.script(
        """
        SET s v
        HSET h a 1
        HEXPIRE h 10 FIELDS 2 a
        HEXPIRE h 10 FIELDS 0 a
        HEXPIRE h 10 FIELDS -1 a
        HEXPIRE h 10 FIELDS x a
        HEXPIRE h 10 FIELDS 9999999999999999999 a
        HEXPIRE h 10 NX FIELDS 1
        HEXPIRE h 10 NX GT FIELDS
        HEXPIRE h 10 FIELDS 1
        HEXPIRE h 10 a b c d
        HEXPIRE h 10 FOO FIELDS 5 a
        HEXPIRE h 10 NX XX FIELDS 5 a
        HEXPIRE h 10 GT LT FIELDS 1 a
        HEXPIRE h x FIELDS 5 a
        HEXPIRE h x FIELDS 1 a
        HEXPIRE h -1 FIELDS 1 a
        HEXPIRE none -1 FIELDS 1 a
        HEXPIRE h 9223372036854775807 FIELDS 1 a
        HPEXPIRE h 9223372036854775807 FIELDS 1 a
        HEXPIREAT h 9223372036854776 FIELDS 1 a
        HEXPIRE s 10 FIELDS 1 a
        HEXPIRE s x FIELDS 1 a
        HEXPIRE s 10 FIELDS 2 a
        HTTL h FOO 1 a
        HTTL h FOO x a
        HTTL h FIELDS 2 a
        HTTL h FIELDS 0 a
        HTTL h FIELDS x a
        HTTL s FIELDS 1 a
        HTTL s FIELDS 2 a
        HTTL h FIELDS 1
        HPERSIST h FIELDS 2 a
        HPERSIST h FIELDS x a
        HPERSIST h FOO 1 a
        HPERSIST s FIELDS 1 a
        HSETEX s EX x FIELDS 1 a b
        HSETEX s EX 10 FIELDS 2 a b
        HSETEX s NX FIELDS 1 a b
        HGETEX s EX x FIELDS 1 a
        HGETEX s FIELDS 2 a
        HGETDEL s FIELDS 1 a
        """
    )


KEYS = st.just("h")
FIELDS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3)
WORDS = st.lists(
    st.sampled_from(["NX", "XX", "GT", "LT", "FNX", "FXX", "KEEPTTL", "PERSIST", "EX 1000", "PXAT 1", "FOO"]),
    max_size=2,
)
AMOUNTS = st.sampled_from(["0", "500", "1000", "2000", "-1", "x", "9223372036854775807"])
REQUESTS = st.one_of(
    st.tuples(st.just("HSET h"), FIELDS.map(lambda fields: " ".join(f"{field} 7" for field in fields))),
    st.tuples(st.just("HDEL h"), FIELDS.map(" ".join)),
    st.tuples(st.just("HEXPIRE h"), AMOUNTS, WORDS.map(" ".join), FIELDS.map(lambda fields: f"FIELDS {len(fields)} {' '.join(fields)}")),
    st.tuples(
        st.sampled_from(["HTTL h", "HPERSIST h", "HGETDEL h", "HGETEX h", "HGETEX h EX 700", "HGETEX h PERSIST", "HGETEX h EX 0"]),
        FIELDS.map(lambda fields: f"FIELDS {len(fields)} {' '.join(fields)}"),
    ),
    st.tuples(
        st.just("HSETEX h"), WORDS.map(" ".join),
        FIELDS.map(lambda fields: f"FIELDS {len(fields)} " + " ".join(f"{field} {number}" for number, field in enumerate(fields))),
    ),
    st.tuples(st.sampled_from(["HINCRBY h a 1", "HINCRBYFLOAT h b 1.5", "HSETNX h c 3", "HLEN h", "EXISTS h", "HMGET h a b c"])),
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=st.lists(REQUESTS, max_size=25), protocol=st.sampled_from([2, 3]))
def test_random_sequences_answer_the_same_bytes(valkey, make_twins, requests, protocol):
    pair = make_twins(protocol)
    for request in requests:
        pair.same(*" ".join(request).split())
    value = pair.engine.keyspace.databases[0].peek(b"h")
    registered = b"h" in pair.engine.keyspace.databases[0].volatile_fields
    assert registered == (value is not None and value.value.has_expiries)
    pair.real.close()


# ---- the passing of time, with a clock that stands still


@pytest.fixture
def engine():
    engine = Engine(hashes, hash_expiry, generic, clock=FakeClock())
    engine.do("HSET", "h", "a", "1", "b", "2")
    return engine


def propagated(engine):
    sent = []
    engine.on_propagate = (lambda effects: sent.extend(tuple(argv) for _, argv in effects),)
    return sent


def test_an_expired_field_is_invisible_before_it_is_reclaimed(engine):
    engine.do("HPEXPIRE", "h", "10", "FIELDS", "1", "a")
    engine.clock.advance(10)
    assert engine.do("HGET", "h", "a") == b"1"
    engine.clock.advance(1)
    assert engine.do("HGET", "h", "a") is None
    assert engine.do("HLEN", "h") == 1
    assert engine.do("HGETALL", "h") == MapReply([(b"b", b"2")])
    assert engine.do("HSETNX", "h", "a", "3") == 1
    assert engine.do("HTTL", "h", "FIELDS", "1", "a") == [-1]


def test_the_last_field_to_expire_takes_the_key_along(engine):
    engine.do("HPEXPIRE", "h", "10", "FIELDS", "2", "a", "b")
    engine.clock.advance(11)
    sent = propagated(engine)
    assert engine.do("HSETEX", "h", "XX", "FIELDS", "1", "a", "1") == 0
    assert engine.do("EXISTS", "h") == 0
    assert sent == [(b"HDEL", b"h", b"a", b"b")]
    assert not engine.keyspace.databases[0].volatile_fields


def test_fields_that_nobody_asks_for_are_removed_in_the_background(engine):
    engine.do("HPEXPIRE", "h", "10", "FIELDS", "1", "a")
    engine.clock.advance(11)
    sent = propagated(engine)
    engine.cron()
    assert sent == [(b"HDEL", b"h", b"a")]
    assert len(engine.keyspace.databases[0].peek(b"h").value) == 1


def test_a_replica_hides_expired_fields_but_does_not_remove_them(engine):
    engine.do("HPEXPIRE", "h", "10", "FIELDS", "1", "a")
    engine.clock.advance(11)
    engine.keyspace.may_expire = False
    assert engine.do("HGET", "h", "a") == b"1"
    engine.keyspace.hides_expired = True
    assert engine.do("HGET", "h", "a") is None
    assert engine.do("HLEN", "h") == 1
    assert len(engine.keyspace.databases[0].peek(b"h").value) == 2


def test_what_is_propagated_means_the_same_at_any_time(engine):
    sent = propagated(engine)
    now = engine.clock()
    engine.do("HEXPIRE", "h", "10", "NX", "FIELDS", "2", "a", "nope")
    engine.do("HINCRBY", "h", "a", "1")
    engine.do("HGETEX", "h", "PX", "5", "FIELDS", "2", "a", "nope")
    engine.do("HSETEX", "h", "FXX", "EX", "1", "FIELDS", "1", "a", "5")
    engine.do("HGETEX", "h", "PERSIST", "FIELDS", "2", "a", "b")
    engine.do("HEXPIRE", "h", "0", "FIELDS", "1", "a")
    engine.do("HSETEX", "h", "EXAT", "1", "FIELDS", "2", "b", "1", "c", "1")
    assert [b" ".join(argv).decode() for argv in sent] == [
        f"HPEXPIREAT h {now + 10000} FIELDS 1 a",
        f"HSETEX h PXAT {now + 10000} FIELDS 1 a 2",
        f"HPEXPIREAT h {now + 5} FIELDS 1 a",
        f"HSETEX h FXX PXAT {now + 1000} FIELDS 1 a 5",
        "HPERSIST h FIELDS 1 a",
        "HDEL h a",
        "HDEL h b",
    ]


def test_events_are_those_of_a_real_server(engine):
    events = []
    engine.keyspace.listen(lambda _database, _key, event, _modified: events.append(event))
    engine.do("HEXPIRE", "h", "10", "FIELDS", "1", "a")
    engine.do("HPERSIST", "h", "FIELDS", "1", "a")
    engine.do("HSETEX", "h", "EX", "10", "FIELDS", "1", "a", "1")
    engine.do("HGETEX", "h", "EX", "0", "FIELDS", "1", "a")
    engine.do("HGETDEL", "h", "FIELDS", "1", "b")
    engine.do("HSETEX", "h", "EX", "0", "FIELDS", "1", "a", "1")
    assert events == [
        "hexpire", "hpersist", "hset", "hexpire", "hexpired", "hdel", "del", "new", "hset", "hexpire", "hexpired", "del"
    ]  # fmt: skip
