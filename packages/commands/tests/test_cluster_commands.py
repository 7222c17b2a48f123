"""A server outside a cluster: what its cluster commands answer, and the slots of keys."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.commands.cluster_commands import SLOTS, cluster_commands, key_slot


@pytest.mark.parametrize(
    "key", ["", "a", "{a}", "x{a}y", "{}", "{}{a}", "a}{b", "{a", "{a}{b}", "{{a}}", "}a{", "é{\r\n}"]
)
def test_a_key_has_the_slot_of_its_hash_tag(twins, key):
    twins.same("CLUSTER", "KEYSLOT", key)


@pytest.mark.parametrize(
    "command", [each for each in cluster_commands if each.max_argc > 1], ids=lambda each: each.full_name
)
def test_a_command_answers_as_the_real_server_without_a_cluster_does(twins, command):
    words = [command.container, command.name] if command.container else [command.name]
    for count in range(3):
        twins.same(*words, *["1"] * count)


def test_a_client_may_say_that_it_reads_from_replicas(twins):
    for command in ("READONLY", "READWRITE", "ASKING"):
        twins.same(command)
        twins.same(command, "x")


@settings(max_examples=200)
@given(
    st.binary(max_size=20).filter(lambda tag: b"}" not in tag and tag),
    st.binary(max_size=8),
    st.binary(max_size=8),
)
def test_keys_with_one_tag_share_a_slot(tag, before, after):
    before = before.replace(b"{", b"")
    slot = key_slot(b"%b{%b}%b" % (before, tag, after))
    assert slot == key_slot(b"{%b}" % tag) < SLOTS
