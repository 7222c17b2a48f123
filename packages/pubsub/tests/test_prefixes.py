"""Broadcasts by prefix, against the plain way: look at each prefix, for each key."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.commands import CommandError, Engine
from cutaway.commands.strings import strings
from cutaway.pubsub import install, pubsub, tracking_commands
from cutaway.pubsub.tracking_commands import _check_prefixes
from cutaway.resp import Push

NAMES = st.text("ab", max_size=4).map(str.encode)


def overlap(one: bytes, other: bytes) -> bool:
    return one.startswith(other) or other.startswith(one)


@given(st.lists(NAMES, max_size=6), st.sets(NAMES.map(lambda name: b"c" + name), max_size=3))
def test_the_first_prefix_that_overlaps_is_named_and_the_first_that_it_overlaps_with(
    prefixes: Sequence[bytes], existing: set[bytes]
) -> None:
    old = sorted(each for each in existing if not any(overlap(each, more) for more in existing - {each}))
    pairs = [
        (prefix, other)
        for place, prefix in enumerate(prefixes)
        for other in [*old, *prefixes[place + 1 :]]
        if overlap(prefix, other)
    ]
    if not pairs:
        _check_prefixes(prefixes, old)
        return
    with pytest.raises(CommandError) as caught:
        _check_prefixes(prefixes, old)
    prefix, other = (each.decode() for each in pairs[0])
    kind = "an existing" if pairs[0][1] in old else "another provided"
    assert f"Prefix '{prefix}' overlaps with {kind} prefix '{other}'" in str(caught.value)


@given(st.lists(st.tuples(st.integers(0, 2), NAMES), max_size=8), st.lists(NAMES, min_size=1, max_size=8))
def test_whoever_named_a_prefix_of_a_key_hears_of_the_key(
    wishes: list[tuple[int, bytes]], keys: list[bytes]
) -> None:
    engine = Engine(strings, pubsub, tracking_commands)
    install(engine)
    heard: list[list[Push]] = [[], [], []]
    clients = [engine.connect(inbox.append) for inbox in heard]
    wanted: list[list[bytes]] = [[], [], []]
    for number, prefix in wishes:
        clients[number].choose_protocol(3)
        reply = engine.execute(clients[number], [b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"PREFIX", prefix])
        assert isinstance(reply, CommandError) == any(overlap(prefix, each) for each in wanted[number])
        if not isinstance(reply, CommandError):
            wanted[number].append(prefix)
    for _ in range(2):
        for inbox in heard:
            inbox.clear()
        for key in keys:
            engine.do("SET", key, "x")
        tracking = engine.extras["tracking"]
        tracking.check()
        tracking.broadcast()
        tracking.check()
        for inbox, prefixes in zip(heard, wanted, strict=True):
            told = [sorted({key for key in keys if key.startswith(prefix)}) for prefix in sorted(prefixes)]
            assert [push.items[1] for push in inbox] == [each for each in told if each]
        if wishes:  # and again, when one of them is gone
            gone = wishes[0][0]
            engine.execute(clients[gone], [b"CLIENT", b"TRACKING", b"OFF"])
            wanted[gone] = []
    tracking.check()
