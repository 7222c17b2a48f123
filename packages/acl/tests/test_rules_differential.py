"""Rules mean what they mean in a real server: the users they make are described, and refused, in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.commands import CommandTable

if TYPE_CHECKING:
    from conftest import UserTwins

RULES = """
on off nopass resetpass reset > >secret >a\tb < <secret # ! #abc !abc ON Off NoPass sanitize-payload skip-sanitize-payload
#e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 !e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
#E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
allkeys ~* %RW~* %r~* %R~* %W~* %WR~a %rw~a %RR~a %~a % %R %Ra ~ ~a ~a* ~b:* %R~a %W~a %R~b %W~b ~a% ALLKEYS resetkeys RESETKEYS
allchannels &* & &a &b* resetchannels alldbs resetdbs db=0 db=1 db=2,1 db=0,0 db= db=a db=-1 db=+1 db=2147483648 DB=3 db=1, db
+@all -@all allcommands nocommands +@read -@read +@READ +@write -@dangerous +@keyspace -@keyspace +@fast -@slow +@ -@ +@nosuch
+get -get +GET +set -set +nosuch -nosuch + - +get| +get|x -get|x +| +|x +select|0 +SELECT|Abc -select|0 +select -select
+config -config +config|get -config|get +config|set +CONFIG|GET +config|nosuch -config|nosuch +config|get|x +acl| +acl|list
+object|encoding -object +object +@read|x +@all|x xx ( ) () (a (+get) (+get (~a +get)x
""".split()  # noqa: SIM905 - a table of words
WITH_BLANKS = [
    "~a b", "&a b", "%R~a b", " ", "", "(+get ~a)", "( +get )", "(on)", "(>a)", "((+get))", '("+get")', "('+get' ~a)",
    "(~a &b db=2 +@read -get)", "(reset)", "(resetkeys)", "(+@all -get)", "(allkeys ~a)", "(%R~a %W~a)", "(&* &a)",
    "(alldbs)", "(clearselectors)", '(~a "b)', "(+get) ", "clearselectors", "+config get", "db=1 2", "db= 1",
]  # fmt: skip
WITH_ZEROS = [b"~a\0b", b"+get\0x", b"on\0", b">a\0b", b"&a\0", b"xx\0y", b"(+get\0 ~a)", b"db=1\0"]
ALL = [*(rule.encode() for rule in [*RULES, *WITH_BLANKS]), *WITH_ZEROS]


@pytest.mark.parametrize("rule", ALL, ids=repr)
def test_each_rule_by_itself_and_upon_others(twins: UserTwins, rule: bytes) -> None:
    for before in (
        [],
        ["on", ">secret", "~a", "%R~b", "&a", "+get", "-@read", "(~a +set)"],
        ["+@all", "~*", "&*", "nopass"],
    ):
        twins.same("ACL", "SETUSER", "u", "reset", *before)
        twins.same("ACL", "SETUSER", "u", rule)
        twins.same_users()


words = st.one_of(
    st.sampled_from(ALL), st.sampled_from([b"+get", b"-get", b"+@read", b"-@read", b"~a", b"(~b", b"+set)"])
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.lists(words, max_size=6), min_size=1, max_size=6),
    name=st.sampled_from(["u", "v", "default"]),
)
def test_any_sequence_of_rules(twins: UserTwins, steps: list[list[bytes]], name: str) -> None:
    twins.same("ACL", "SETUSER", name, "reset")
    for step in steps:
        twins.same("ACL", "SETUSER", name, *step)
        twins.same("ACL", "LIST")
        twins.same("ACL", "GETUSER", name)
    twins.reset_default()


@pytest.mark.parametrize("line", [
    "ACL SETUSER", "ACL SETUSER a", "ACL DELUSER", "ACL DELUSER nobody", "ACL DELUSER default", "ACL DELUSER u default",
    "ACL GETUSER", "ACL GETUSER nobody", "ACL GETUSER a b", "ACL LIST x", "ACL USERS", "ACL WHOAMI", "ACL CAT", "ACL CAT nosuch", "ACL CAT a b",
    "ACL GENPASS 0", "ACL GENPASS 4097", "ACL GENPASS -1", "ACL GENPASS a", "ACL GENPASS 1 2", "ACL LOG", "ACL LOG a", "ACL LOG -1", "ACL LOG 1 2",
    "ACL LOG RESET", "ACL NOSUCH", "ACL", "ACL DRYRUN", "ACL DRYRUN a get", "ACL DRYRUN a", "ACL DRYRUN nobody get x",
    "ACL DRYRUN a nosuch x", "ACL DRYRUN a config x", "ACL DRYRUN a config", "ACL DRYRUN a get x", "AUTH", "AUTH a", "AUTH a b", "AUTH a b c",
    "HELLO 2 AUTH a x", "HELLO 2 AUTH nobody b", "HELLO 3 AUTH a", "CLIENT KILL USER nobody",
])  # fmt: skip
def test_commands_and_their_errors(twins: UserTwins, line: str) -> None:
    twins.same("ACL", "SETUSER", "a", "on", ">b")
    twins.same(*line.split(), by=twins.connect())


@pytest.mark.parametrize("subcommand", [b"SAVE", b"LOAD"])
def test_without_a_file_nothing_is_loaded_or_saved(twins: UserTwins, subcommand: bytes) -> None:
    """Redis names itself in the error, Valkey does not."""
    ours, real = twins.ours.ask_bytes(b"ACL", subcommand), twins.real.ask_bytes(b"ACL", subcommand)
    assert ours.replace(b"Redis ", b"") == real


def test_a_user_is_a_map_in_resp3(twins: UserTwins) -> None:
    pair = twins.connect()
    for each in pair:
        each.ask_bytes(b"HELLO", b"3")
    twins.same("ACL", "SETUSER", "u", "on", ">a", "~a", "(+get %R~b)", "nopass", by=pair)
    twins.same("ACL", "GETUSER", "u", by=pair)


def test_categories_hold_the_same_commands(twins: UserTwins) -> None:
    """As far as the commands that this room's tests know go: all others are in categories of their own rooms' making."""
    known = {command.full_name.encode() for command in twins.access.accounts.catalogue}
    for category in (
        "read",
        "write",
        "keyspace",
        "string",
        "dangerous",
        "admin",
        "fast",
        "slow",
        "connection",
        "blocking",
        "geo",
        "stream",
    ):
        ours = twins.ours.ask_bytes(b"ACL", b"CAT", category.encode()).split(b"\r\n")
        real = twins.real.ask_bytes(b"ACL", b"CAT", category.encode()).split(b"\r\n")
        assert set(ours[2::2]) == set(real[2::2]) & known, category


def test_generated_passwords_have_the_length_asked_for(twins: UserTwins) -> None:
    for bits in ("1", "4", "5", "8", "255", "256", "4096"):
        ours, real = (
            twins.ours.ask_bytes(b"ACL", b"GENPASS", bits.encode()),
            twins.real.ask_bytes(b"ACL", b"GENPASS", bits.encode()),
        )
        assert len(ours) == len(real)
        assert ours.split(b"\r\n")[0] == real.split(b"\r\n")[0]


def test_commands_that_come_later_are_judged_by_the_rules_there_are(twins: UserTwins) -> None:
    """A module's commands: `+@all` means them too, and a category when they are in it."""
    table = CommandTable("generic")
    table.command("LATER", arity=1, flags="readonly")(lambda _client: "OK")
    for user, rules in (
        ("all", ["+@all"]),
        ("readers", ["+@read", "-keys"]),
        ("few", ["+get"]),
        ("writers", ["+@all", "-@read"]),
    ):
        twins.ours.ask_bytes(b"ACL", b"SETUSER", user.encode(), *(rule.encode() for rule in rules))
    assert twins.ours.ask_bytes(b"ACL", b"DRYRUN", b"all", b"later").startswith(b"-ERR Command")
    twins.engine.extend(list(table))
    allowed = {
        user: twins.ours.ask_bytes(b"ACL", b"DRYRUN", user, b"later") == b"+OK\r\n"
        for user in (b"all", b"readers", b"few", b"writers")
    }
    assert allowed == {b"all": True, b"readers": True, b"few": False, b"writers": False}
