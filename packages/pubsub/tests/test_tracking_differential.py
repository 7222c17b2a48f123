"""Client-side caching against a real server: who is told of which key, when, and in which form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_whoever_has_read_a_key_is_told_once(duo: Any) -> None:
    duo.hello("3", "a", "c")
    duo.play("""
        a: CLIENT TRACKING ON
        c: CLIENT TRACKING ON
        a: GET k
        a: MGET k l m
        c: GET k
        b: SET k 1
        b: SET k 2
        b: DEL l
        a: GET k
        b: SET other 1
        b: MSET k 3 m 3
        c: GET k
        - c
        b: SET k 4
        a: STRLEN k
        a: CLIENT TRACKING OFF
        b: SET k 5
    """)


def test_what_a_command_of_its_own_changes_follows_the_reply(duo: Any) -> None:
    duo.hello("3", "a")
    duo.play("""
        a: CLIENT TRACKING ON
        a: GET k
        a: SET k 1
        a: GET k
        a: INCR k
        a: GET k
        a: FLUSHALL
        a: SUBSCRIBE news
        a: PUBLISH news x
    """)


def test_keys_that_expire_and_keys_that_are_flushed(duo: Any) -> None:
    duo.hello("3", "a", "c")
    duo.play("""
        a: CLIENT TRACKING ON
        c: CLIENT TRACKING ON BCAST
        b: SET k 1 PX 30
        a: GET k
        wait 60
        b: GET k
        b: SET k 1 PX 30
        a: GET k
        wait 60
        a: GET k
        a: GET x
        b: FLUSHDB
        b: SET x 1
        b: SWAPDB 0 1
        b: FLUSHALL ASYNC
    """)


def test_broadcast_by_prefix(duo: Any) -> None:
    duo.hello("3", "a", "c")
    duo.play("""
        a: CLIENT TRACKING ON BCAST PREFIX user: PREFIX item:
        c: CLIENT TRACKING ON BCAST NOLOOP
        b: MSET user:2 x user:1 y item:1 z other w
        a: SET user:3 x
        c: SET user:3 x
        c: MSET user:4 x user:5 x
        b: SET user x
        a: CLIENT TRACKING ON BCAST PREFIX oth
        a: CLIENT TRACKINGINFO
        b: SET other x
        a: CLIENT TRACKING ON BCAST PREFIX user:1
        a: CLIENT TRACKING ON BCAST PREFIX z PREFIX y PREFIX zz
        a: CLIENT TRACKING ON
        a: CLIENT TRACKING OFF
        a: CLIENT TRACKINGINFO
        b: SET user:1 x
    """)


def test_opt_in_and_opt_out(duo: Any) -> None:
    duo.hello("3", "a")
    duo.play("""
        a: CLIENT CACHING YES
        a: CLIENT TRACKING ON OPTIN
        a: GET k
        b: SET k 1
        a: CLIENT CACHING YES
        a: CLIENT TRACKINGINFO
        a: GET k
        a: GET l
        b: MSET k 2 l 2
        a: CLIENT CACHING NO
        a: CLIENT CACHING MAYBE
        a: CLIENT TRACKING ON OPTOUT
        a: CLIENT TRACKING OFF
        a: CLIENT TRACKING ON OPTOUT
        a: CLIENT CACHING NO
        a: CLIENT TRACKINGINFO
        a: GET k
        a: GET l
        b: MSET k 2 l 2
        a: CLIENT CACHING YES
        a: CLIENT TRACKING ON OPTIN
    """)


def test_noloop(duo: Any) -> None:
    duo.hello("3", "a", "c")
    duo.play("""
        a: CLIENT TRACKING ON NOLOOP
        c: CLIENT TRACKING ON
        a: GET k
        c: GET k
        a: SET k 1
        b: SET k 2
        a: CLIENT TRACKINGINFO
    """)


def test_redirect_to_a_resp2_subscriber(duo: Any) -> None:
    duo.play("""
        r: SUBSCRIBE __redis__:invalidate
        a: CLIENT TRACKING ON REDIRECT $r
        a: CLIENT GETREDIR
        a: CLIENT TRACKINGINFO
        a: GET k
        b: SET k 1
        a: GET k
        a: SET k 2
        b: FLUSHALL
        c: CLIENT TRACKING ON BCAST REDIRECT $r
        b: MSET k 1 l 2
        r: UNSUBSCRIBE
        b: MSET k 1 l 2
        a: CLIENT TRACKING OFF
        a: CLIENT GETREDIR
    """)


def test_a_redirection_that_breaks(duo: Any) -> None:
    duo.hello("3", "a", "r")
    duo.play("""
        a: CLIENT TRACKING ON REDIRECT $r
        a: GET k
        b: SET k 1
        a: GET k
        - r
        b: SET k 2
        a: CLIENT TRACKINGINFO
        a: GET k
        b: FLUSHALL
        a: CLIENT TRACKING ON
        a: CLIENT TRACKINGINFO
    """)


def test_errors(duo: Any) -> None:
    duo.play("""
        a: CLIENT TRACKING
        a: CLIENT TRACKING MAYBE
        a: CLIENT TRACKING ON NOSUCH
        a: CLIENT TRACKING ON PREFIX x
        a: CLIENT TRACKING ON PREFIX
        a: CLIENT TRACKING ON REDIRECT
        a: CLIENT TRACKING ON REDIRECT x
        a: CLIENT TRACKING ON REDIRECT 987654321
        a: CLIENT TRACKING ON REDIRECT $a REDIRECT $a
        a: CLIENT TRACKING ON BCAST OPTIN
        a: CLIENT TRACKING ON OPTIN OPTOUT
        a: CLIENT TRACKING OFF BCAST OPTIN
        a: CLIENT CACHING
        a: CLIENT GETREDIR x
        a: CLIENT TRACKINGINFO
        a: CLIENT TRACKING ON
        a: CLIENT CACHING YES
    """)


def test_the_table_is_kept_within_its_limit(duo: Any) -> None:
    duo.config("tracking-table-max-keys", "1")
    duo.hello("3", "a")
    duo.play("""
        a: CLIENT TRACKING ON
        a: GET k
        a: GET k
    """)
    before = len(duo.ours["a"].received)
    for wire in (duo.ours["a"], duo.real["a"]):
        wire.send(b"GET", b"l")
        wire.send(b"PING")
    ours = duo.ours["a"].received[before:]
    real = duo.real["a"].read(before + len(ours))[before:]
    either = [real, real.replace(b"\nk\r", b"\nl\r"), real.replace(b"\nl\r", b"\nk\r")]
    assert ours in either
    duo.ours["a"].received = duo.real["a"].received = b""


def test_a_limit_that_is_lowered_is_reached_by_and_by(duo: Any) -> None:
    duo.hello("3", "a")
    duo.play("a: CLIENT TRACKING ON")
    for number in range(250):
        duo.step("a", b"GET", b"%d" % number)
    wire, table = duo.ours["a"], duo.engine.extras["tracking"]
    before = len(wire.received)
    duo.config("tracking-table-max-keys", "1")
    for left in (150, 1, 1):
        duo.engine.cron()
        assert table.keys == left
    assert wire.received.count(b"invalidate", before) == 249
    real = duo.real["a"].read(
        len(wire.received)
    )  # its cron has the same to do; which key is left, chance says
    assert real.count(b"invalidate", before) == 249
    wire.received = duo.real["a"].received = b""


def test_what_a_waiting_client_brings_about_follows_its_reply(duo: Any) -> None:
    duo.hello("3", "a")
    duo.play("""
        a: CLIENT TRACKING ON
        a: RPUSH to x
        a: GET to
        a: LLEN from
    """)
    for wire in (duo.ours["a"], duo.real["a"]):
        wire.send(b"BLMOVE", b"from", b"to", b"LEFT", b"RIGHT", b"0")
    duo.play("""
        wait 20
        b: RPUSH from y
    """)


KEYS = st.sampled_from([b"a", b"ab", b"b"])
MODES = [b"", b"BCAST", b"NOLOOP", b"OPTIN", b"OPTOUT", b"BCAST NOLOOP", b"BCAST PREFIX a", b"OPTIN NOLOOP"]
STEPS = st.one_of(
    st.tuples(st.just(b"GET"), KEYS),
    st.tuples(st.just(b"MGET"), KEYS, KEYS),
    st.tuples(st.just(b"SET"), KEYS, st.just(b"1")),
    st.tuples(st.just(b"DEL"), KEYS, KEYS),
    st.tuples(st.just(b"RENAME"), KEYS, KEYS),
    st.tuples(st.just(b"FLUSHALL")),
    st.sampled_from(MODES).map(lambda mode: (b"CLIENT", b"TRACKING", b"ON", *mode.split())),
    st.just((b"CLIENT", b"TRACKING", b"OFF")),
    st.sampled_from([b"YES", b"NO"]).map(lambda choice: (b"CLIENT", b"CACHING", choice)),
    st.just((b"CLIENT", b"TRACKINGINFO")),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from("aab"), STEPS), max_size=20))
def test_any_sequence_of_modes_reads_and_writes(make_duo: Callable[[], Any], steps: list[Any]) -> None:
    duo = make_duo()
    try:
        duo.hello("3", "a", "b")
        for name, argv in steps:
            duo.step(name, *argv)
        duo.settle()
    finally:
        duo.close()
