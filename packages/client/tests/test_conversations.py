"""Which reply answers which request, whatever comes in between and however it is cut."""

from __future__ import annotations

import doctest
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.client import Conversation
from cutaway.resp import NO_REPLY, Encoder, Push, ReplyError, RequestParser, Several

REPLIES = st.recursive(
    st.none() | st.integers(-9, 9) | st.binary(max_size=8) | st.sampled_from(["OK", "QUEUED"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


def talk(*requests: list[bytes]) -> tuple[Conversation, list]:
    conversation = Conversation()
    return conversation, [conversation.ask(argv) for argv in requests]


@settings(max_examples=100)
@given(replies=st.lists(REPLIES, min_size=1, max_size=6), data=st.data())
def test_replies_answer_the_requests_in_order_however_they_are_cut(
    replies: list, data: st.DataObject
) -> None:
    conversation, requests = talk(*[[b"ECHO", b"%d" % number] for number in range(len(replies))])
    stream = b"".join(Encoder(2).encode(reply) for reply in replies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        conversation.receive(stream[start:end])
    assert [request.reply for request in requests] == replies
    assert not conversation.requests
    assert not conversation.messages


def test_what_is_sent_is_what_a_server_reads() -> None:
    _, (request,) = talk([b"SET", b"k", b"\r\n\x00"])
    assert RequestParser().feed(request.payload) == [[b"SET", b"k", b"\r\n\x00"]]


@settings(max_examples=60)
@given(positions=st.lists(st.integers(0, 3), max_size=6))
def test_a_push_is_a_message_wherever_it_comes(positions: list[int]) -> None:
    conversation, requests = talk([b"A"], [b"B"], [b"C"])
    push = b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n"
    for number in range(4):
        conversation.receive(push * positions.count(number))
        if number < 3:
            conversation.receive(b":%d\r\n" % number)
    assert [request.reply for request in requests] == [0, 1, 2]
    assert len(conversation.messages) == len(positions)


def test_confirmations_answer_a_subscription_and_messages_between_them_do_not() -> None:
    conversation, (subscribing, ping) = talk([b"SUBSCRIBE", b"a", b"b"], [b"PING"])
    first, second = [b"subscribe", b"a", 1], [b"subscribe", b"b", 2]
    message = [b"message", b"a", b"hello"]
    encode = Encoder(2).encode
    conversation.receive(encode(first) + encode(message) + encode(second) + encode([b"pong", b""]))
    assert subscribing.reply == Several([Push(first), Push(second)])
    assert list(conversation.messages) == [Push(message)]
    assert ping.reply == [b"pong", b""]
    assert conversation.is_subscribed


def test_unsubscribing_from_everything_has_as_many_confirmations_as_there_were_channels() -> None:
    conversation, _ = talk([b"SUBSCRIBE", b"a", b"b"])
    encode = Encoder(2).encode
    conversation.receive(encode([b"subscribe", b"a", 1]) + encode([b"subscribe", b"b", 2]))
    request = conversation.ask([b"UNSUBSCRIBE"])
    conversation.receive(encode([b"unsubscribe", b"b", 1]))
    assert not request.is_answered
    conversation.receive(encode([b"unsubscribe", b"a", 0]))
    assert request.is_answered
    assert not conversation.is_subscribed
    nothing = conversation.ask([b"UNSUBSCRIBE"])
    conversation.receive(encode([b"unsubscribe", None, 0]))
    assert nothing.is_answered


def test_an_array_that_looks_like_a_message_is_a_reply_to_who_has_not_subscribed() -> None:
    conversation, (request,) = talk([b"LRANGE", b"list", b"0", b"-1"])
    conversation.receive(Encoder(2).encode([b"message", b"a", b"b"]))
    assert request.reply == [b"message", b"a", b"b"]


def test_a_refused_subscription_is_answered_by_its_error() -> None:
    conversation, (request, ping) = talk([b"SUBSCRIBE", b"a"], [b"PING"])
    conversation.receive(b"-NOAUTH no\r\n+PONG\r\n")
    assert request.reply == ReplyError("NOAUTH no")
    assert ping.reply == "PONG"


def test_lines_of_monitor_are_messages_and_replies_still_find_their_requests() -> None:
    conversation, (monitor,) = talk([b"MONITOR"])
    conversation.receive(b"+OK\r\n")
    ping = conversation.ask([b"PING"])
    conversation.receive(b'+1.5 [0 unix:x] "ping"\r\n+PONG\r\n+1.6 [0 unix:x] "get" "k"\r\n')
    assert monitor.reply == "OK"
    assert ping.reply == "PONG"
    assert list(conversation.messages) == ['1.5 [0 unix:x] "ping"', '1.6 [0 unix:x] "get" "k"']


def test_nobody_waits_for_what_client_reply_has_silenced() -> None:
    conversation, requests = talk(
        [b"CLIENT", b"REPLY", b"SKIP"], [b"PING"], [b"ECHO", b"a"],
        [b"CLIENT", b"REPLY", b"OFF"], [b"PING"], [b"CLIENT", b"REPLY", b"ON"], [b"ECHO", b"b"],
    )  # fmt: skip
    conversation.receive(b"$1\r\na\r\n+OK\r\n$1\r\nb\r\n")
    assert [request.reply for request in requests] == [
        NO_REPLY,
        NO_REPLY,
        b"a",
        NO_REPLY,
        NO_REPLY,
        "OK",
        b"b",
    ]


def test_the_database_follows_select_and_a_transaction_that_comes_to_nothing_takes_it_back() -> None:
    conversation, _ = talk([b"SELECT", b"2"], [b"SELECT", b"99"], [b"MULTI"], [b"select", b"3"])
    conversation.receive(b"+OK\r\n-ERR out of range\r\n+OK\r\n+QUEUED\r\n")
    assert (conversation.database, conversation.in_multi) == (3, True)
    conversation.ask([b"EXEC"])
    conversation.receive(b"*-1\r\n")
    assert (conversation.database, conversation.in_multi) == (2, False)


def test_reset_ends_everything() -> None:
    conversation, _ = talk([b"HELLO", b"3"], [b"SELECT", b"4"], [b"MULTI"], [b"RESET"])
    conversation.receive(b"%1\r\n+proto\r\n:3\r\n+OK\r\n+OK\r\n+RESET\r\n")
    assert (conversation.protocol, conversation.database, conversation.in_multi) == (2, 0, False)


def test_the_example_in_the_docstring_is_true() -> None:
    assert doctest.testmod(sys.modules[Conversation.__module__]).failed == 0
