"""Every declaration against the real server's: arity, flags, keys, categories, tips, version, group, arguments."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import cutaway
from cutaway.commands import Command, CommandTable, Engine
from cutaway.commands.introspection import docs, info
from cutaway.resp import Encoder, Reply, ReplyParser

ROOMS = ("commands", "pubsub", "transactions", "scripting", "acl", "modules", "server")

EXTRA_COMMANDS = frozenset[str]()
"""Commands of ours that the real server does not have."""

NEW_FILTERS = "the filters that came with Valkey 9.0 are not there"
INTENDED: dict[tuple[str, str], str] = {
    ("client|kill", "syntax"): NEW_FILTERS,
    ("client|kill", "values"): NEW_FILTERS,
    ("client|list", "syntax"): NEW_FILTERS,
    ("client|list", "values"): NEW_FILTERS,
}
"""(command, fact) → why it is not as in the real server."""


def installed_tables() -> list[CommandTable]:
    """Every command table of every room that is installed."""
    tables: list[CommandTable] = []
    for room in pkgutil.iter_modules(cutaway.__path__):
        if room.name in ROOMS:
            package = importlib.import_module(f"cutaway.{room.name}")
            for module in pkgutil.iter_modules(package.__path__):
                if module.name != "__main__":
                    members = vars(importlib.import_module(f"cutaway.{room.name}.{module.name}")).values()
                    tables += [
                        m for m in members if isinstance(m, CommandTable) and not any(m is t for t in tables)
                    ]
    return tables


def declared() -> dict[str, Command]:
    """Our commands and subcommands by full name."""
    top = Engine(*installed_tables()).commands.values()
    return {each.full_name: each for parent in top for each in (parent, *parent.subcommands.values())}


OURS = declared()


def decoded(reply: Reply) -> Any:
    """A reply as a RESP2 client sees it."""
    parser = ReplyParser()
    parser.feed(Encoder(2).encode(reply))
    return next(iter(parser))


def pairs(flat: Sequence[Any]) -> dict[bytes, Any]:
    """A RESP2 map."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


class Facts:
    """What COMMAND INFO and COMMAND DOCS say of one command, in a form to compare."""

    def __init__(self, info_reply: list[Any], docs_reply: list[Any]) -> None:
        self.name, self.arity, flags, *legacy, categories, tips, specs, _ = info_reply
        self.flags = sorted(flags)
        self.legacy_keys = legacy
        self.categories = sorted(categories)
        self.tips = sorted(tips)
        self.key_specs = [{k: v for k, v in pairs(spec).items() if k != b"notes"} for spec in specs]
        documented = pairs(docs_reply)
        self.since = documented[b"since"]
        self.group = documented[b"group"]
        self.doc_flags = documented.get(b"doc_flags", [])
        self.deprecated = (documented.get(b"deprecated_since"), documented.get(b"replaced_by"))
        arguments = [pairs(each) for each in documented.get(b"arguments", [])]
        self.syntax = " ".join(map(written, arguments))
        self.values = [value for each in arguments for value in values_of(each)]

    FACTS = ("arity", "flags", "legacy_keys", "categories", "tips", "key_specs", "since", "group", "doc_flags",
             "deprecated", "syntax", "values")  # fmt: skip


def written(argument: dict[bytes, Any]) -> str:
    """An argument as the manual writes it, by the rules by which redis-cli makes its hints."""
    flags, kind = argument.get(b"flags", []), argument[b"type"]
    token = argument[b"token"].decode() or '""' if b"token" in argument else ""
    if kind == b"oneof":
        text = " | ".join(written(pairs(each)) for each in argument[b"arguments"])
        if token or "optional" not in flags or "multiple" in flags:
            text = f"<{text}>"
    elif kind == b"block":
        text = " ".join(written(pairs(each)) for each in argument[b"arguments"])
    else:
        text = "" if kind == b"pure-token" else argument[b"display_text"].decode()
    whole = f"{token} {text}".strip()
    if "multiple" in flags:
        whole += f" [{whole if 'multiple_token' in flags else text} ...]"
    return f"[{whole}]" if "optional" in flags else whole


def values_of(argument: dict[bytes, Any]) -> Iterator[tuple[str, str, int | None]]:
    """The values that are to be given: name, type, key spec."""
    for each in argument.get(b"arguments", []):
        yield from values_of(pairs(each))
    if argument[b"type"] not in {b"pure-token", b"oneof", b"block"}:
        kind = argument[b"type"].decode()
        # The real server gives a key spec to HEXPIRE's `numfields` too, which is neither a key nor makes one.
        is_key = kind in {"key", "pattern"}
        yield argument[b"display_text"].decode(), kind, argument.get(b"key_spec_index") if is_key else None


@pytest.fixture(scope="module")
def real_facts(real_client: Any) -> dict[str, Facts]:
    infos, documented = (real_client.ask("COMMAND", question) for question in ("INFO", "DOCS"))
    everyone = dict(zip(documented[::2], documented[1::2], strict=True))
    for each in documented[1::2]:
        below = pairs(each).get(b"subcommands", [])
        everyone |= dict(zip(below[::2], below[1::2], strict=True))
    commands = [each for parent in infos for each in (parent, *parent[9])]
    return {each[0].decode(): Facts(each, everyone[each[0]]) for each in commands}


@pytest.mark.parametrize("name", sorted(OURS))
def test_declaration_is_the_real_servers(name: str, real_facts: dict[str, Facts]) -> None:
    if name in EXTRA_COMMANDS:
        assert name not in real_facts
        return
    command = OURS[name]
    ours, real = Facts(decoded(info(command)), decoded(docs(command))), real_facts[name]
    differing = {fact for fact in Facts.FACTS if getattr(ours, fact) != getattr(real, fact)}
    intended = {fact for command_name, fact in INTENDED if command_name == name}
    assert {fact: (getattr(ours, fact), getattr(real, fact)) for fact in differing - intended} == {}
    assert intended <= differing, "this difference is no more: take it off the list"


@pytest.mark.parametrize("name", sorted(OURS))
def test_command_has_a_summary_and_a_cost(name: str) -> None:
    command = OURS[name]
    if command.subcommands and command.full_name != "command":
        return
    assert command.summary
    assert command.complexity.startswith("O("), name
