"""The examples in docstrings print what they say."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["cutaway.viz", "cutaway.viz.listpacks"])
def test_the_examples_of_a_module_are_true(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted
    assert not result.failed
