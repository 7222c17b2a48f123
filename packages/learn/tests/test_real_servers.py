"""A real server has its say in a lesson, and what it says is what the lesson expects."""

from __future__ import annotations

from typing import Any

import pytest

from cutaway.learn import check
from cutaway.learn.reference import ask_real_servers, tell_real_servers
from cutaway.learn.solutions import persistence_rdb_string, pubsub_matching, resp_encoder, transactions_watch
from cutaway.testing import binaries

pytestmark = pytest.mark.skipif(not binaries(), reason="no real server on this machine")


class NullsOfOld(resp_encoder.Encoder):
    def encode(self, reply: Any) -> bytes:
        return b"$-1\r\n" if reply is None else super().encode(reply)


def test_servers_that_agree_are_named_together() -> None:
    ((names, answer),) = ask_real_servers(b"PING\r\n")
    assert answer == b"+PONG\r\n"
    assert len(names.split(" and ")) == len(binaries())


def test_the_encoder_is_told_what_a_real_server_writes() -> None:
    lesson = check("resp.encoder", NullsOfOld).lesson
    assert lesson is not None
    assert {answer for _, answer in lesson.answers} == {b"_\r\n"}


def test_the_reader_of_strings_is_told_what_a_real_server_reads() -> None:
    def unsigned(take: Any) -> bytes:
        text = persistence_rdb_string.read_string(take)
        return b"%d" % (int(text) + 256) if text == b"-1" else text

    lesson = check("persistence.rdb-string", unsigned).lesson
    assert lesson is not None
    assert {answer for _, answer in lesson.answers} == {b"$2\r\n-1\r\n"}


def test_the_matcher_is_told_to_how_many_a_real_server_sent() -> None:
    def never(pattern: bytes, text: bytes) -> bool:
        return pubsub_matching.matches(pattern, text) and b"*" not in pattern

    lesson = check("pubsub.matching", never).lesson
    assert lesson is not None
    assert lesson.expected == "True"
    assert lesson.answers
    assert all(answer.startswith((b">4", b":1")) for _, answer in lesson.answers)


def test_a_story_of_two_clients_is_played_to_a_real_server() -> None:
    class Deaf(transactions_watch.Watches):
        def changed(self, place: Any) -> None:
            pass

    lesson = check("transactions.watch", Deaf).lesson
    assert lesson is not None
    assert {answer for _, answer in lesson.answers} == {b"*-1\r\n"}


def test_time_passes_in_a_story() -> None:
    story = [("a", "SET k v PX 10"), ("time", "20"), ("a", "EXISTS k")]
    assert {answer for _, answer in tell_real_servers(story)} == {b":0\r\n"}
