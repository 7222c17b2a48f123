"""What a message costs: one object for all who hear it, and one encoding for each version of the protocol."""

from __future__ import annotations

from typing import Any

import pytest

from cutaway.commands import Engine
from cutaway.commands.strings import strings
from cutaway.pubsub import install, pubsub, tracking_commands
from cutaway.resp import Encoder, Reply


@pytest.fixture
def engine() -> Engine:
    engine = Engine(strings, pubsub, tracking_commands)
    install(engine)
    return engine


def test_a_message_is_encoded_once_for_each_protocol(engine: Engine) -> None:
    payloads: list[bytes] = []
    for number in range(1000):
        protocol = 2 + number % 2
        encoder = Encoder(protocol)
        client = engine.connect(lambda reply, encoder=encoder: payloads.append(encoder.encode(reply)))
        client.choose_protocol(protocol)
        engine.execute(client, [b"SUBSCRIBE", b"news"])
    assert engine.do("PUBLISH", "news", "hello") == 1000
    assert len(payloads) == 1000
    assert len({id(payload) for payload in payloads}) == 2  # all of them are alive: no id is used twice
    assert {payload[:1] for payload in payloads} == {b"*", b">"}


def test_an_invalidation_is_encoded_once_for_all_who_have_read_the_key(engine: Engine) -> None:
    payloads: list[bytes] = []
    for _ in range(50):
        client = engine.connect(lambda reply: payloads.append(Encoder(3).encode(reply)))
        client.choose_protocol(3)
        engine.execute(client, [b"CLIENT", b"TRACKING", b"ON"])
        engine.execute(client, [b"GET", b"k"])
    engine.do("SET", "k", "v")
    assert payloads == [b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"] * 50
    assert len({id(payload) for payload in payloads}) == 1


def test_a_subscriber_that_is_closed_by_a_message_disturbs_no_other(engine: Engine) -> None:
    """As one that exceeds its output buffer limit is, in the middle of a PUBLISH."""
    heard: list[Reply] = []
    clients = [engine.connect(heard.append) for _ in range(3)]
    for client in clients:
        engine.execute(client, [b"SUBSCRIBE", b"news"])
    clients[1].deliver = lambda _reply: clients[1].close()
    assert engine.do("PUBLISH", "news", "one") == 3
    assert engine.do("PUBLISH", "news", "two") == 2
    assert len(heard) == 4
    engine.extras["pubsub"].check()


def test_nothing_listens_to_the_keyspace_unless_somebody_wants_to_hear(engine: Engine) -> None:
    inbox: list[Any] = []
    client = engine.connect(inbox.append)
    client.choose_protocol(3)
    assert not engine.keyspace.on_change
    engine.execute(client, [b"CLIENT", b"TRACKING", b"ON"])
    engine.execute(client, [b"GET", b"k"])
    assert engine.keyspace.on_change
    client.close()
    engine.do("SET", "k", "v")  # the table still knew the key; now it is empty
    assert not engine.keyspace.on_change
    assert not engine.on_call
    assert inbox == []
