"""Hints and completion, from the manual of a real server."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from cutaway.client import Address, Client
from cutaway.client.completion import ManualCompleter
from cutaway.client.helping import help_text
from cutaway.client.hints import hint, tokens_after
from cutaway.client.manual import Argument, Manual, Page
from cutaway.testing import RealServer


@pytest.fixture(scope="module")
def manual(redis_server: RealServer) -> Manual:
    with Client(Address(path=redis_server.path), timeout=10) as client:
        return Manual.read(client.call("COMMAND", "DOCS"))


EXPIRIES = "[EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET ", "key"),
        ("GET abc ", ""),
        ("get abc", ""),
        ("GET", " key"),
        ("LPOP key ", "[count]"),
        ("XRANGE k 4 2 COUNT ", "count"),
        ("SET key value ", f"[NX|XX] [GET] {EXPIRIES}"),
        ("SET key value nx ", f"[GET] {EXPIRIES}"),
        ("SET key value EX ", "seconds [NX|XX] [GET]"),
        ("SET key value EX 10 GET ", "[NX|XX]"),
        ("SET key value EX", " seconds [NX|XX] [GET]"),
        ("SET key value E", f" [NX|XX] [GET] {EXPIRIES}"),
        ("SET key value EX soon ", ""),
        ("SET key value WHAT ", ""),
        ("SCAN 2 COUNT ", "count [MATCH pattern] [TYPE type]"),
        ("MGET a b ", "[key ...]"),
        ("CONFIG SET a b ", "[parameter value ...]"),
        ("CONFIG SET a ", "value [parameter value ...]"),
        ("ZADD key CH LT ", "[NX|XX] [INCR] score member [score member ...]"),
        ("ZADD key 0 ", "member [score member ...]"),
        ("ZADD key x ", ""),
        ("ZRANDMEMBER k 3 ", "[WITHSCORES]"),
        ("BLMOVE src dst LEFT ", "LEFT|RIGHT timeout"),
        ("ZRANGE k 1 2 limit 2 4 ", "[BYSCORE|BYLEX] [REV] [WITHSCORES]"),
        ("BITFIELD_RO k GET u8 ", "offset [GET encoding offset ...]"),
        ("GEORADIUS_RO key 1 2 3 M COUNT 12 ", "[ANY] [WITHCOORD] [WITHDIST] [WITHHASH] [ASC|DESC]"),
        ("GEORADIUS_RO key 1 2 3 M COUNT 12 ASC ", "[WITHCOORD] [WITHDIST] [WITHHASH]"),
        ('SET "a b" ', f"value [NX|XX] [GET] {EXPIRIES}"),
        ('SET "a b', ""),
        ("NOSUCHCOMMAND ", ""),
        ("", ""),
    ],
)
def test_a_hint_is_what_remains_of_the_syntax(manual: Manual, line: str, expected: str) -> None:
    assert hint(manual, line) == expected


def test_the_manual_is_the_same_in_both_protocols(redis_server: RealServer, manual: Manual) -> None:
    with Client(Address(path=redis_server.path, protocol=3), timeout=10) as client:
        assert Manual.read(client.call("COMMAND", "DOCS")) == manual
    with Client(Address(path=redis_server.path, protocol=3), timeout=10, exact=True) as client:
        assert Manual.read(client.call("COMMAND", "DOCS")) == manual


def test_every_command_of_the_server_has_a_hint_that_can_be_followed(manual: Manual) -> None:
    assert len(manual.pages) > 300
    for name, page in manual.pages.items():
        assert hint(manual, f"{name} ") == page.syntax


@settings(max_examples=200)
@given(data=st.data())
def test_no_line_is_too_strange_for_a_hint(manual: Manual, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(manual.pages)))
    words = data.draw(
        st.lists(st.sampled_from(["EX", "GET", "1", "x", "''", '"', "LEFT", "0.5", "*", "\x00"]), max_size=8)
    )
    hint(manual, " ".join([name, *words]) + data.draw(st.sampled_from(["", " "])))


def test_tokens_are_those_that_fit_next(manual: Manual) -> None:
    assert tokens_after(manual, "SET k ") == []
    assert tokens_after(manual, "SET k v ") == ["NX", "XX", "GET", "EX", "PX", "EXAT", "PXAT", "KEEPTTL"]
    assert tokens_after(manual, "BLMOVE a b ") == ["LEFT", "RIGHT"]
    assert tokens_after(manual, "SET k v EX ") == []


def completions(manual: Manual, text: str) -> list[str]:
    found = ManualCompleter(lambda: manual).get_completions(Document(text), CompleteEvent())
    return [text[: len(text) + each.start_position] + each.text for each in found]


def test_completion_offers_commands_subcommands_options_and_topics(manual: Manual) -> None:
    assert completions(manual, "GETE") == ["GETEX"]
    assert completions(manual, "config g") == ["config get"]
    assert completions(manual, "SET k v X") == ["SET k v XX"]
    assert completions(manual, "set k v ex") == ["set k v ex", "set k v exat"]
    assert completions(manual, "HELP @hyper") == ["HELP @hyperloglog"]
    assert completions(manual, "help hgeta") == ["help hgetall"]


def test_help_knows_commands_groups_and_its_limits(manual: Manual) -> None:
    text = help_text(manual, ["getex"], styled=False)
    assert text.startswith("\n  GETEX key [EX seconds|")
    assert "  since: 6.2.0" in text
    assert "HGETALL" in help_text(manual, ["@hash"], styled=False)
    assert "CONFIG SET" in help_text(manual, ["config"], styled=False)
    assert "No help for nosuch" in help_text(manual, ["nosuch"], styled=False)
    assert "@hash" in help_text(manual, [], styled=False)


def test_a_server_without_docs_still_gives_names() -> None:
    manual = Manual.of_names([[b"get", 2, [], 1, 1, 1], [b"set", -3]])
    assert manual.pages == {"GET": Page("GET"), "SET": Page("SET")}
    assert Manual.read(b"nonsense") == Manual()


def test_an_empty_token_is_shown_as_a_pair_of_quotes() -> None:
    choice = Argument(
        "key", "oneof", children=(Argument("key", "key"), Argument("empty", "pure-token", token='""'))
    )
    manual = Manual({"M": Page("M", arguments=(choice, Argument("n", "integer")))})
    assert hint(manual, "M ") == 'key|"" n'
