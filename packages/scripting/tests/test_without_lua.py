"""A server without lupa: everything works but scripts, and these say what is missing."""

from __future__ import annotations

import sys

import pytest
from conftest import make_engine

import cutaway.scripting


def test_scripts_are_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lupa.lua51", None)  # an import of it fails now
    engine = make_engine()
    missing = "ERR Lua is not available: install the Python package lupa to run scripts"
    assert str(engine.do("EVAL", "return 1", 0)) == missing
    assert str(engine.do("SCRIPT", "LOAD", "return 1")) == missing
    assert str(engine.do("FUNCTION", "LOAD", "#!lua name=a\nx")) == missing
    assert engine.do("SET", "k", "v") == "OK"
    assert engine.do("SCRIPT", "EXISTS", "x") == [0]
    assert engine.do("FUNCTION", "LIST") == []


def test_the_room_does_not_import_lua_by_itself() -> None:
    assert cutaway.scripting.__doc__
    modules = [name for name in sys.modules if name.startswith("cutaway.scripting")]
    assert not any(hasattr(sys.modules[name], "LuaRuntime") for name in modules)
