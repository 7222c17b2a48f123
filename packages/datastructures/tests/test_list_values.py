"""List and quicklist against a plain list, with limits so small that all conversions and splits happen."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cutaway.datastructures import ListPack, ListValue, QuickList
from cutaway.datastructures.limits import Limits
from cutaway.datastructures.quicklists import CompressedNode, PlainNode

POOL = [b"a", b"bb", b"7", b"-300", b"", b"x" * 20, b"y" * 60, b"z" * 100, b"w" * 1500, b"l" * 5000]
elements = st.sampled_from(POOL)
limits = st.builds(
    Limits,
    list_max_listpack_size=st.sampled_from([-1, 0, 1, 2, 3, 8]),
    list_compress_depth=st.sampled_from([0, 0, 1, 2]),
    list_packed_threshold=st.sampled_from([0, 0, 50]),
)


class ListMachine(RuleBasedStateMachine):
    @initialize(limits=limits)
    def start(self, limits: Limits) -> None:
        self.value = ListValue(limits)
        self.model: list[bytes] = []

    @rule(several=st.lists(elements, min_size=1, max_size=5))
    def push_left(self, several: list[bytes]) -> None:
        self.value.push_left(several)
        self.model[:0] = several[::-1]

    @rule(several=st.lists(elements, min_size=1, max_size=5))
    def push_right(self, several: list[bytes]) -> None:
        self.value.push_right(several)
        self.model += several

    @rule()
    def pop(self) -> None:
        for pop, index in ((self.value.pop_left, 0), (self.value.pop_right, -1)):
            if self.model:
                assert pop() == self.model.pop(index)
            else:
                with pytest.raises(IndexError):
                    pop()

    @rule(number=st.integers(0, 6))
    def pop_many(self, number: int) -> None:
        assert self.value.pop_left_many(number) == self.model[:number]
        del self.model[:number]
        assert self.value.pop_right_many(number) == self.model[::-1][:number]
        del self.model[max(0, len(self.model) - number) :]

    @rule(index=st.integers(-20, 20), element=elements)
    def set(self, index: int, element: bytes) -> None:
        if -len(self.model) <= index < len(self.model):
            self.value.set(index, element)
            self.model[index] = element
            assert self.value.index(index) == element
        else:
            assert self.value.index(index) is None
            with pytest.raises(IndexError):
                self.value.set(index, element)

    @rule(pivot=elements, element=elements, before=st.booleans())
    def insert(self, pivot: bytes, element: bytes, before: bool) -> None:
        assert self.value.insert(pivot, element, before=before) == (pivot in self.model)
        if pivot in self.model:
            self.model.insert(self.model.index(pivot) + (not before), element)

    @rule(element=elements, count=st.integers(-3, 3))
    def remove(self, element: bytes, count: int) -> None:
        hits = [index for index, other in enumerate(self.model) if other == element]
        if count:
            hits = hits[:count] if count > 0 else hits[count:]
        assert self.value.remove(element, count) == len(hits)
        self.model = [other for index, other in enumerate(self.model) if index not in hits]

    @rule(start=st.integers(0, 5), stop=st.integers(0, 40))
    def trim(self, start: int, stop: int) -> None:
        stop = min(stop, len(self.model) - 1)
        self.value.trim(start, stop)
        self.model = self.model[start : stop + 1]

    @rule(start=st.integers(-40, 30), stop=st.integers(-40, 40))
    def range(self, start: int, stop: int) -> None:
        size = len(self.model)
        first, last = (index + size if index < 0 else index for index in (start, stop))
        expected = [each for index, each in enumerate(self.model) if first <= index <= last]
        assert self.value.range(start, stop) == expected

    @rule(element=elements, limit=st.integers(0, 20))
    def positions(self, element: bytes, limit: int) -> None:
        size = len(self.model)
        hits = [index for index, other in enumerate(self.model) if other == element]
        forward = [index for index in hits if not limit or index < limit]
        backward = [index for index in reversed(hits) if not limit or index >= size - limit]
        assert list(self.value.positions(element, limit=limit)) == forward
        assert list(self.value.positions(element, limit=limit, reverse=True)) == backward

    @invariant()
    def holds_the_same(self) -> None:
        self.value.check()
        assert len(self.value) == len(self.model)
        assert list(self.value) == list(self.value.copy()) == self.model
        assert list(self.value.reverse_iter()) == self.model[::-1]
        assert list(ListValue.from_nodes(self.value.copy().nodes())) == self.model


ListMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestListMachine = ListMachine.TestCase


@given(
    limits=limits,
    before=st.lists(elements, max_size=30),
    added=st.lists(elements, min_size=1, max_size=20),
    left=st.booleans(),
)
@example(limits=Limits(list_max_listpack_size=-1), before=[b"z" * 100] * 39, added=[b"a"] * 40, left=False)
@example(limits=Limits(list_max_listpack_size=-1), before=[b"z" * 100] * 41, added=[b"a"] * 40, left=True)
@example(
    limits=Limits(list_max_listpack_size=-1, list_packed_threshold=50),
    before=[b"w" * 49] * 90,
    added=[b"y" * 60],
    left=False,
)
def test_to_push_singly_leaves_what_as_many_pushes_leave(
    limits: Limits, before: list[bytes], added: list[bytes], left: bool
) -> None:
    at_once, one_by_one = ListValue(limits), ListValue(limits)
    for element in before:
        at_once.push_right((element,))
        one_by_one.push_right((element,))
    length = (at_once.push_left_singly if left else at_once.push_right_singly)(added)
    for element in added:
        (one_by_one.push_left if left else one_by_one.push_right)((element,))
    at_once.check()
    assert length == len(at_once) == len(one_by_one)
    assert at_once.encoding == one_by_one.encoding
    assert [*map(node_bytes, at_once.nodes())] == [*map(node_bytes, one_by_one.nodes())]


HEADS = [b"<%d>" % length for length in range(17)]
even_elements = st.integers(1, 20).flatmap(
    lambda size: st.lists(
        st.text("ab5\x00\x83\x05", min_size=size, max_size=size).map(str.encode), max_size=60
    )
)


@given(
    limits=limits,
    contents=even_elements | st.lists(elements, max_size=30),
    start=st.integers(-70, 70),
    stop=st.integers(-70, 70),
)
@example(limits=Limits(), contents=[b"abc"] * 60, start=3, stop=-4)
@example(limits=Limits(list_max_listpack_size=4), contents=[b"abc"] * 60, start=3, stop=-4)
@example(limits=Limits(list_max_listpack_size=4), contents=[b"abc"] * 8 + [b"abcd"] * 4, start=0, stop=-1)
@example(
    limits=Limits(list_max_listpack_size=4, list_compress_depth=1), contents=[b"a" * 16] * 60, start=0, stop=3
)
@example(limits=Limits(), contents=[b"a" * 17] * 4, start=0, stop=-1)
@example(limits=Limits(), contents=[b"12"] * 4, start=0, stop=-1)
def test_elements_in_frames_are_those_of_the_range(
    limits: Limits, contents: list[bytes], start: int, stop: int
) -> None:
    value = ListValue(limits)
    for element in contents:
        value.push_right((element,))
    found = value.range(start, stop)
    framed = value.framed(start, stop, HEADS, b";")
    if framed is not None:
        assert framed == (len(found), b"".join(b"<%d>%b;" % (len(each), each) for each in found))
    is_even = len({*map(len, found)}) == 1 and all(
        0 < len(each) < 17 and not each[-1:].isdigit() for each in found
    )
    if is_even and not limits.list_compress_depth and limits.list_packed_threshold > 100:
        assert framed is not None


def node_bytes(node: ListPack | PlainNode) -> bytes:
    return node.element if isinstance(node, PlainNode) else bytes(node)


def quicklist(size: int, limits: Limits) -> QuickList:
    made = QuickList(limits)
    for number in range(size):
        made.append(b"%d" % number)
    return made


def test_only_inner_nodes_are_compressed() -> None:
    made = QuickList(Limits(list_max_listpack_size=4, list_compress_depth=2))
    for _ in range(40):
        made.append(b"a" * 100)
    kinds = [isinstance(node, CompressedNode) for node in made.nodes]
    assert kinds == [False] * 2 + [True] * 6 + [False] * 2
    while made.count:
        assert made.pop_first() == b"a" * 100
        made.check()


def test_an_insertion_in_a_full_node_splits_it_and_merges_what_fits() -> None:
    made = quicklist(12, Limits(list_max_listpack_size=4))
    made.insert(5, b"new", before=True)
    assert [node.count for node in made.nodes] == [4, 2, 3, 4]
    made.insert(5, b"more", before=False)
    assert [node.count for node in made.nodes] == [4, 3, 3, 4]
    made.check()


def test_trimming_drops_whole_nodes() -> None:
    made = quicklist(100, Limits(list_max_listpack_size=10))
    kept = made.nodes[4]
    made.drop_first(40)
    made.drop_last(50)
    assert list(made.nodes) == [kept]
    made.check()


def test_a_long_element_is_a_plain_node_and_can_become_a_short_one() -> None:
    made = quicklist(9, Limits(list_max_listpack_size=-1))
    made.replace(4, b"x" * 5000)
    assert [type(node) for node in made.nodes] == [ListPack, PlainNode, ListPack]
    made.replace(4, b"4")
    made.check()
    assert list(made) == [b"%d" % number for number in range(9)]


def test_the_packed_threshold_can_be_changed_under_a_living_list() -> None:
    limits = Limits()
    made = quicklist(3, limits)
    limits.list_packed_threshold = 2
    made.append(b"long")
    assert isinstance(made.nodes[-1], PlainNode)
    limits.list_packed_threshold = 0
    made.append(b"longer")
    assert isinstance(made.nodes[-1], ListPack)


def test_a_long_list_comes_back_in_order() -> None:
    value = ListValue()
    numbers = [b"%d" % number for number in range(200_000)]
    value.push_right(numbers)
    assert value.encoding == "quicklist"
    assert value.range(99_990, 100_010) == numbers[99_990:100_011]
    assert value.index(-5) == numbers[-5]
    assert value.pop_left_many(150_000) == numbers[:150_000]
    assert next(value.positions(b"199999", reverse=True)) == 49_999
    assert list(value) == numbers[150_000:]
    assert value.memory_usage() > 50_000
