"""The first line of an EVAL script says what the script promises, or why it is refused, as on a real server."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    "options",
    [
        "", "flags=", "flags= ", 'flags=""', "flags=,", "flags=no-writes", "flags=no-writes,", "flags=,no-writes",
        "flags=no-writes,,allow-oom", "flags=no-writes,allow-stale", "flags=no-writes flags=", "flags= flags=no-writes",
        "flags=no-cluster", "flags=allow-cross-slot-keys", "flags=nope", "flags", "FLAGS=", "name=a", "flags='", "flags=NO-WRITES",
    ],
)  # fmt: skip
def test_options_of_a_script(twins: Any, options: str) -> None:
    twins.lua(f"#!lua {options}\nreturn redis.call('set', 'x', 1)")
    twins.same("GET", "x")


@pytest.mark.parametrize(
    "body",
    ["#!lua", "#!", "#!lua\nreturn 1", "#!lua\n", " #!lua\nreturn 1"],
)
def test_the_line_itself(twins: Any, body: str) -> None:
    twins.lua(body)
