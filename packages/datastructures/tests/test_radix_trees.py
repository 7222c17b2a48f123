"""The radix tree against the plainest model there is: a dict whose keys are sorted on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cutaway.datastructures.radix_trees import RadixSnapshot, RadixTree, SeekOperator

if TYPE_CHECKING:
    from random import Random

# Short words over a small alphabet make shared prefixes, splits and joins common; the extreme
# bytes are there for the edges of the byte order, the long label for cuts inside it.
keys = st.one_of(
    st.text("ab", max_size=6).map(str.encode),
    st.lists(st.sampled_from([b"\x00", b"\xff", b"a", b"prefix"]), max_size=5).map(b"".join),
)
OPERATORS: list[SeekOperator] = ["^", "$", "=", ">=", ">", "<=", "<"]


def model_seek(model: dict[bytes, int], operator: SeekOperator, key: bytes) -> tuple[bytes, int] | None:
    """Answer a seek by looking at every key."""
    ordered = sorted(model)
    matching = {
        "^": ordered[:1],
        "$": ordered[-1:],
        "=": [k for k in ordered if k == key],
        ">=": [k for k in ordered if k >= key][:1],
        ">": [k for k in ordered if k > key][:1],
        "<=": [k for k in ordered if k <= key][-1:],
        "<": [k for k in ordered if k < key][-1:],
    }[operator]
    return (matching[0], model[matching[0]]) if matching else None


class RadixTreeAgainstDict(RuleBasedStateMachine):
    """Every operation on the tree and on a dict, with the same answers."""

    def __init__(self) -> None:
        super().__init__()
        self.tree: RadixTree[int] = RadixTree()
        self.model: dict[bytes, int] = {}

    @rule(key=keys, value=st.integers())
    def insert(self, key: bytes, value: int) -> None:
        assert self.tree.insert(key, value) == (key not in self.model)
        self.model[key] = value

    @rule(key=keys)
    def remove(self, key: bytes) -> None:
        assert self.tree.remove(key) == (self.model.pop(key, None) is not None)

    @rule(data=st.data())
    def remove_a_present_key(self, data: st.DataObject) -> None:
        if self.model:
            key = data.draw(st.sampled_from(sorted(self.model)))
            assert self.tree.remove(key)
            del self.model[key]

    @rule(key=keys)
    def look_up(self, key: bytes) -> None:
        assert self.tree.get(key) == self.model.get(key)
        assert (key in self.tree) == (key in self.model)

    @rule(key=keys, operator=st.sampled_from(OPERATORS))
    def seek(self, key: bytes, operator: SeekOperator) -> None:
        assert self.tree.seek(operator, key) == model_seek(self.model, operator, key)

    @rule(key=keys)
    def walk_both_ways(self, key: bytes) -> None:
        ordered = sorted(self.model.items())
        assert list(self.tree.items(key)) == [pair for pair in ordered if pair[0] >= key]
        assert list(self.tree.items(key, reverse=True)) == [p for p in reversed(ordered) if p[0] <= key]

    @invariant()
    def agrees(self) -> None:
        self.tree.check()
        assert len(self.tree) == len(self.model)
        assert list(self.tree.items()) == sorted(self.model.items())
        assert list(self.tree.items(reverse=True)) == sorted(self.model.items(), reverse=True)


RadixTreeAgainstDict.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRadixTree = RadixTreeAgainstDict.TestCase


@given(st.lists(keys, unique=True, max_size=9), st.randoms(use_true_random=False), st.lists(keys, max_size=6))
@settings(max_examples=100, deadline=None)
def test_shape_depends_on_the_keys_and_not_on_their_history(
    words: list[bytes], random: Random, passers_by: list[bytes]
) -> None:
    """Insertion order, and keys that came and went, leave no trace."""
    straight: RadixTree[None] = RadixTree()
    for word in words:
        straight[word] = None
    shuffled = list(words)
    random.shuffle(shuffled)
    winding: RadixTree[None] = RadixTree()
    for word in passers_by + shuffled:
        winding[word] = None
    for word in set(passers_by) - set(words):
        del winding[word]
    assert winding.snapshot() == straight.snapshot()


def test_common_prefixes_are_stored_once() -> None:
    tree: RadixTree[int] = RadixTree()
    for number, word in enumerate([b"foot", b"footer", b"foo", b"bar"]):
        tree[word] = number
    er = RadixSnapshot(b"er", is_key=True, value=1, children=())
    t = RadixSnapshot(b"t", is_key=True, value=0, children=(er,))
    foo = RadixSnapshot(b"foo", is_key=True, value=2, children=(t,))
    bar = RadixSnapshot(b"bar", is_key=True, value=3, children=())
    assert tree.snapshot() == RadixSnapshot(b"", is_key=False, value=None, children=(bar, foo))
    assert tree.node_count() == 5


def test_sequential_identifiers_walk_in_numeric_order() -> None:
    tree: RadixTree[int] = RadixTree()
    numbers = [*range(600), 2**32, 2**64 - 1]
    for number in reversed(numbers):
        tree[number.to_bytes(8, "big")] = number
    tree.check()
    assert list(tree.values()) == numbers
    assert tree.seek("<", (600).to_bytes(8, "big")) == ((599).to_bytes(8, "big"), 599)


def test_none_is_a_value_like_any_other() -> None:
    tree: RadixTree[None] = RadixTree()
    tree[b"k"] = None
    assert b"k" in tree
    assert tree[b"k"] is None
    assert tree.get(b"absent", 7) == 7


def test_a_missing_key_is_an_error_where_one_is_asked_for() -> None:
    tree: RadixTree[int] = RadixTree()
    tree[b"foot"] = 1
    for absent in (b"", b"f", b"foo", b"foots", b"x"):
        with pytest.raises(KeyError):
            tree[absent]
        with pytest.raises(KeyError):
            del tree[absent]
    tree.clear()
    assert not tree
    assert tree.first() is None
    assert tree.last() is None
