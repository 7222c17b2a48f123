"""A server without lupa: everything works but scripts, and these say what is missing."""

from __future__ import annotations

import sys

import pytest

from cutaway.commands import Engine


def test_scripts_are_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch, bare_engine: Engine) -> None:
    monkeypatch.setitem(sys.modules, "lupa.lua51", None)  # an import of it fails now
    engine = bare_engine
    missing = "ERR Lua is not available: install the Python package lupa to run scripts"
    assert str(engine.do("EVAL", "return 1", 0)) == missing
    assert str(engine.do("SCRIPT", "LOAD", "return 1")) == missing
    assert str(engine.do("FUNCTION", "LOAD", "#!lua name=a\nx")) == missing
    assert engine.do("SET", "k", "v") == "OK"
    assert engine.do("SCRIPT", "EXISTS", "x") == [0]
    assert engine.do("FUNCTION", "LIST") == []
