"""What a change of permissions does to clients that are connected, that wait in MULTI or on a key, that run scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import UserTwins


def test_exec_asks_again(twins: UserTwins) -> None:
    pytest.importorskip("cutaway.transactions")
    twins.same("ACL", "SETUSER", "u", "on", ">p", "~*", "+@all")
    pair = twins.connect()
    for line in ("AUTH u p", "MULTI", "SET a 1", "INCR b", "GET a"):
        twins.same(*line.split(), by=pair)
    twins.same("ACL", "SETUSER", "u", "-set", "resetkeys", "~a")
    twins.same("EXEC", by=pair)
    for line in ("MULTI", "SET a 1", "GET a", "EXEC", "MULTI", "GET b", "DISCARD", "GET a"):
        twins.same(*line.split(), by=pair)
    assert {entry.context for entry in twins.access.denials.entries} == {b"multi"}


def test_a_script_may_do_what_its_caller_may(twins: UserTwins) -> None:
    pytest.importorskip("cutaway.scripting")
    pytest.importorskip("lupa")
    twins.same("ACL", "SETUSER", "u", "on", ">p", "~a", "+@all", "-incr", "db=0")
    pair = twins.connect()
    twins.same("AUTH", "u", "p", by=pair)
    twins.same("EVAL", "return 1", "1", "b", by=pair)
    for body in (
        "return redis.call('set', KEYS[1], 1)",
        "return redis.acl_check_cmd('get', 'a')",
        "return redis.acl_check_cmd('get', 'b')",
        "return redis.acl_check_cmd('incr', 'a')",
        "return redis.acl_check_cmd('config', 'get', 'x')",
    ):
        twins.same("EVAL", body, "1", "a", by=pair)
    for body in (
        "return redis.pcall('get', 'b')",
        "return redis.pcall('incr', 'a')",
        "return redis.pcall('select', 1)",
    ):
        ours, real = (each.ask_bytes(b"EVAL", body.encode(), b"0") for each in pair)
        assert ours.split(b" script:")[0].rstrip() == real.split(b" script:")[0].rstrip()
    contexts = [(entry.context, entry.object) for entry in twins.access.denials.entries]
    assert contexts[:3] == [(b"lua", b"1"), (b"lua", b"incr"), (b"lua", b"b")]


def test_a_waiting_command_is_asked_again_when_it_runs(twins: UserTwins) -> None:
    """The reply of the one that waited comes when the key is there: not the value, but why there is none."""
    twins.same("ACL", "SETUSER", "u", "on", ">p", "~*", "+@all")
    ours, real = pair = twins.connect()
    twins.same("AUTH", "u", "p", by=pair)
    real.send(b"BLPOP", b"a", b"0")
    assert ours.ask_bytes(b"BLPOP", b"a", b"0") == b""
    twins.same("ACL", "SETUSER", "u", "resetkeys")
    twins.same("RPUSH", "a", "x")
    assert ours.take() == real.read_bytes()
    twins.same("LRANGE", "a", "0", "-1")


def test_who_is_deleted_is_closed(twins: UserTwins) -> None:
    twins.same("ACL", "SETUSER", "u", "on", ">p", "~*", "+@all")
    ours, _ = pair = twins.connect()
    twins.same("AUTH", "u", "p", by=pair)
    twins.same("ACL", "DELUSER", "u", "u", "nobody")
    assert ours.client.is_killed
    assert not ours.client.authenticated
    twins.same("ACL", "USERS")


def test_who_deletes_itself_gets_its_reply(twins: UserTwins) -> None:
    twins.same("ACL", "SETUSER", "u", "on", ">p", "~*", "+@all")
    ours, _ = pair = twins.connect()
    twins.same("AUTH", "u", "p", by=pair)
    twins.same("ACL", "DELUSER", "u", by=pair)
    assert ours.client.close_after_reply


@pytest.mark.parametrize(
    ("subscribe", "rules", "survives"),
    [
        ("SUBSCRIBE a", "resetchannels &a", True), ("SUBSCRIBE a", "resetchannels &b", False), ("SUBSCRIBE a", "resetchannels &a*", True),
        ("PSUBSCRIBE a*", "resetchannels &a*", True), ("PSUBSCRIBE a*", "resetchannels &*a*", False), ("SSUBSCRIBE a", "resetchannels", False),
        ("SUBSCRIBE a", "&a", True), ("SUBSCRIBE a", "allchannels", True), ("SUBSCRIBE a", "resetchannels (&a)", True), ("SUBSCRIBE a", "off", True),
    ],
)  # fmt: skip
def test_who_hears_what_it_no_longer_may_is_closed(
    twins: UserTwins, subscribe: str, rules: str, *, survives: bool
) -> None:
    pytest.importorskip("cutaway.pubsub")
    twins.same("ACL", "SETUSER", "u", "on", ">p", "~*", "+@all", "&a", "&a*", "&c")
    ours, real = pair = twins.connect()
    twins.same("AUTH", "u", "p", by=pair)
    twins.same(*subscribe.split(), by=pair)
    twins.same("ACL", "SETUSER", "u", *rules.split())
    assert ours.client.is_killed is not survives
    assert real.is_open() is survives


def test_strangers(twins: UserTwins) -> None:
    """A password for the default user: who is in stays in, who comes has to say it, and RESET makes a stranger again."""
    known = twins.connect()
    twins.same("PING", by=known)
    twins.same("CONFIG", "SET", "requirepass", "secret")
    twins.same("CONFIG", "GET", "requirepass")
    twins.same("ACL", "GETUSER", "default")
    twins.same("PING", by=known)
    stranger = twins.connect()
    for line in (
        "PING",
        "GET",
        "NOSUCH x",
        "HELLO",
        "HELLO 3",
        "ACL WHOAMI",
        "AUTH wrong",
        "AUTH default wrong",
        "CLIENT ID",
        "AUTH secret",
        "PING",
    ):
        twins.same(*line.split(), by=stranger)
    twins.same("RESET", by=known)
    twins.same("PING", by=known)
    twins.same("AUTH", "default", "secret", by=known)
    twins.same("PING", by=known)
    stranger = twins.connect()
    twins.same("PING", by=stranger)
    twins.same("ACL", "SETUSER", "default", "nopass")
    twins.same("CONFIG", "GET", "requirepass")
    twins.same("PING", by=stranger)
    twins.same("AUTH", "anything", by=stranger)
    twins.same("AUTH", "default", "anything", by=stranger)
    twins.same("ACL", "SETUSER", "default", "off")
    stranger = twins.connect()
    twins.same("PING", by=stranger)
    twins.same("AUTH", "default", "anything", by=stranger)
    twins.same("ACL", "SETUSER", "default", "on", "resetpass")
    twins.same("AUTH", "anything", by=stranger)
    twins.same("CONFIG", "SET", "requirepass", "")
    twins.same("ACL", "GETUSER", "default")


def test_channels_by_default(twins: UserTwins) -> None:
    twins.same("CONFIG", "SET", "acl-pubsub-default", "allchannels")
    for rules in (
        [],
        ["(+get)"],
        ["resetchannels", "(&a)"],
        ["reset"],
        ["resetchannels", "&a", "reset", "(-@all)"],
    ):
        twins.same("ACL", "SETUSER", "u", *rules)
        twins.same_users()
    twins.same("CONFIG", "SET", "acl-pubsub-default", "resetchannels")
    twins.same("ACL", "SETUSER", "u", "(+get)")
    twins.same("ACL", "SETUSER", "v", "reset")
    twins.same_users()
