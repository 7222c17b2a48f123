"""CUSTOM.*, without a socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.commands import CommandError, Engine
from cutaway.commands.expiring import generic
from cutaway.custom import load, module, rewrite, save
from cutaway.modules import install


@pytest.fixture
def engine():
    engine = Engine(generic)
    install(engine).add(module)
    return engine


def test_set_get_exists_del_as_described(engine):
    assert engine.do("CUSTOM.SET", "greeting", "hello") == "OK"
    assert engine.do("CUSTOM.GET", "greeting") == b"hello"
    assert engine.do("CUSTOM.EXISTS", "greeting") == 1
    assert engine.do("CUSTOM.DEL", "greeting") == 1
    assert engine.do("CUSTOM.DEL", "greeting") == 0
    assert engine.do("CUSTOM.EXISTS", "greeting") == 0
    assert engine.do("CUSTOM.GET", "greeting") is None


def test_the_namespace_is_apart_from_the_keyspace(engine):
    engine.do("CUSTOM.SET", "a", "1")
    assert engine.do("EXISTS", "a") == 0
    engine.keyspace.flush(engine.keyspace.databases)
    assert engine.do("CUSTOM.GET", "a") == b"1"


def test_a_write_is_logged_and_a_read_or_a_vain_delete_is_not(engine):
    effects = []
    engine.on_propagate = (lambda pending: effects.extend(tuple(argv) for _, argv in pending),)
    engine.do("CUSTOM.SET", "a", "1")
    engine.do("CUSTOM.GET", "a")
    engine.do("CUSTOM.DEL", "b")
    engine.do("CUSTOM.DEL", "a")
    assert effects == [(b"CUSTOM.SET", b"a", b"1"), (b"CUSTOM.DEL", b"a")]


def test_wrong_numbers_of_arguments_are_refused(engine):
    for words in (["CUSTOM.SET", "a"], ["CUSTOM.SET", "a", "b", "c"], ["CUSTOM.GET"], ["CUSTOM.DEL"]):
        assert isinstance(engine.do(*words), CommandError)


@given(st.dictionaries(st.binary(), st.binary()))
def test_the_store_comes_back_from_its_tokens_and_its_commands(store):
    again: dict[bytes, bytes] = {}
    load(again, iter(list(save(store))), 0)
    assert again == store
    assert {key: value for _, key, value in rewrite(store)} == store


def test_tokens_of_something_else_are_an_error():
    with pytest.raises(TypeError):
        load({}, iter([1, b"key", 2.5]), 0)
