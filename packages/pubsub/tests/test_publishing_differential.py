"""Publish/subscribe against a real server: the whole stream of every connection, byte by byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROTOCOLS = pytest.mark.parametrize("protocol", ["2", "3"])


@PROTOCOLS
def test_confirmations_count_channels_and_patterns_together(duo: Any, protocol: str) -> None:
    duo.hello(protocol, "a")
    duo.play("""
        a: SUBSCRIBE one two one
        a: PSUBSCRIBE n* one
        a: SSUBSCRIBE shard one
        a: UNSUBSCRIBE two absent
        a: PUNSUBSCRIBE
        a: SUNSUBSCRIBE one
        a: UNSUBSCRIBE
        a: SUNSUBSCRIBE
        a: UNSUBSCRIBE
        a: PUNSUBSCRIBE
        a: SUNSUBSCRIBE
        a: UNSUBSCRIBE x y
        a: GET x
    """)


@PROTOCOLS
def test_a_message_reaches_each_subscription_once(duo: Any, protocol: str) -> None:
    duo.hello(protocol, "a", "b")
    duo.play("""
        a: SUBSCRIBE news
        a: PSUBSCRIBE n*
        a: PSUBSCRIBE *x
        b: PSUBSCRIBE ne?s
        b: SSUBSCRIBE news
        c: PUBLISH news hello
        c: PUBLISH nothing hello
        c: PUBLISH elsewhere hello
        c: SPUBLISH news hello
        c: SPUBLISH elsewhere hello
        c: PUBLISH "" ""
        a: UNSUBSCRIBE news
        c: PUBLISH news again
        - b
        c: PUBLISH news again
    """)


def test_a_resp2_subscriber_may_do_little_else(duo: Any) -> None:
    duo.play("""
        a: SUBSCRIBE news
        a: GET x
        a: PUBLISH news x
        a: CLIENT INFO
        a: NOSUCH
        a: SUBSCRIBE
        a: PING
        a: PING hello
        a: PING a b
        a: PSUBSCRIBE x*
        a: UNSUBSCRIBE
        a: GET x
        a: PUNSUBSCRIBE
        a: GET x
        a: PING
        a: SSUBSCRIBE shard
        a: GET x
        a: RESET
        a: GET x
        b: PUBSUB CHANNELS
        b: PUBSUB SHARDCHANNELS
    """)


def test_a_resp3_subscriber_gets_messages_among_its_replies(duo: Any) -> None:
    duo.hello("3", "a")
    duo.play("""
        a: SUBSCRIBE news
        a: SET k v
        b: PUBLISH news hello
        a: GET k
        a: PUBLISH news to-myself
        a: PING hi
    """)


def test_a_resp3_subscriber_that_changes_to_resp2_is_restricted(duo: Any) -> None:
    duo.hello("3", "a")
    duo.play("a: SUBSCRIBE news")
    duo.hello("2", "a")
    duo.play("""
        a: GET k
        b: PUBLISH news x
        a: UNSUBSCRIBE
        a: GET k
    """)


@PROTOCOLS
def test_pubsub_tells_who_listens(duo: Any, protocol: str) -> None:
    duo.hello(protocol, "q")
    duo.play("""
        a: SUBSCRIBE news
        b: SUBSCRIBE news
        b: PSUBSCRIBE n*
        c: PSUBSCRIBE n*
        c: SSUBSCRIBE shard
        q: PUBSUB CHANNELS
        q: PUBSUB CHANNELS n*
        q: PUBSUB CHANNELS x*
        q: PUBSUB NUMSUB
        q: PUBSUB NUMSUB news n* shard
        q: PUBSUB NUMPAT
        q: PUBSUB SHARDCHANNELS
        q: PUBSUB SHARDCHANNELS q*
        q: PUBSUB SHARDNUMSUB shard news
        q: PUBSUB CHANNELS a b
        q: PUBSUB SHARDCHANNELS a b
        q: PUBSUB NUMPAT x
        q: PUBSUB NOSUCH
        q: PUBSUB
    """)


NAMES = [b"a", b"ab", b"b", b"", b"a*", b"?", b"\x00\r\n"]
SOME = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)
TWO = st.lists(st.sampled_from(NAMES), min_size=2, max_size=2)
REQUESTS = st.one_of(
    st.tuples(st.sampled_from([b"SUBSCRIBE", b"SSUBSCRIBE", b"UNSUBSCRIBE", b"SUNSUBSCRIBE"]), SOME),
    # A real server goes through its patterns in no order: with one, there is none to compare.
    st.tuples(st.sampled_from([b"PSUBSCRIBE", b"PUNSUBSCRIBE"]), st.just([b"a*"])),
    st.tuples(st.sampled_from([b"PUBLISH", b"SPUBLISH"]), TWO),
    st.just((b"PUBSUB", [b"NUMPAT"])),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from("abc"), REQUESTS), max_size=12))
def test_any_sequence_of_subscriptions_and_messages(make_duo: Callable[[], Any], steps: list[Any]) -> None:
    duo = make_duo()
    try:
        duo.hello("3", "a")
        for name, (command, arguments) in steps:
            duo.step(name, command, *arguments)
        duo.settle()
    finally:
        duo.close()
