"""The page about directives is what the table says, and the table claims no effect that no code has."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).resolve().parent.parent / "tools" / "configuration.py"


@pytest.fixture(scope="module")
def tool() -> dict[str, Any]:
    return runpy.run_path(str(TOOL))


def test_the_page_is_up_to_date(tool: dict[str, Any]) -> None:
    assert tool["PAGE"].read_text(encoding="utf-8") == tool["page"](), "run tools/configuration.py"


def test_no_directive_is_said_to_work_that_no_code_names(tool: dict[str, Any]) -> None:
    assert list(tool["unfounded"]()) == []
