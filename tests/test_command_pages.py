"""The command reference: every command of the server has its section, and what it says is what the server says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))

import command_pages

from cutaway.commands.tables import compose
from cutaway.server.app import TABLES


@pytest.fixture(scope="module")
def pages():
    return command_pages.pages()


def test_every_command_has_a_section_and_is_listed(pages):
    for top in compose(TABLES).values():
        for command in (top, *top.subcommands.values()):
            if command.subcommands and not command.syntax:
                continue
            name = command_pages.title(command)
            assert f"\n## {name} {{ #{command_pages.anchor(command)} }}\n" in pages[command.group]
            assert f"[`{name}`]" in pages["index"]


def test_a_section_tells_what_is_declared(pages):
    section = pages["sorted-set"].partition("## ZADD ")[2].partition("\n## ")[0]
    for said in (
        "<b>ZADD</b> key [NX | XX]",
        "O(log(n))",
        "**Since** 1.2.0",
        "`@sortedset`",
        "**6.2.0**",
        "**Fidelity**",
    ):
        assert said in section


def test_each_group_has_a_name_and_a_page(pages):
    assert set(pages) == {"index", *command_pages.GROUPS}
