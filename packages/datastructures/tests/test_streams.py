"""The stream against a plain list of entries, its nodes against a real server's bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cutaway.datastructures.limits import Limits
from cutaway.datastructures.listpacks import ListPack
from cutaway.datastructures.stream_nodes import MAX_ID, MIN_ID, UINT64_MAX, StreamID, StreamNode
from cutaway.datastructures.streams import Stream, next_id, pack_id, previous_id

# Few names, so that entries often share the master's fields; values that a listpack stores in different ways.
names = st.sampled_from([b"a", b"name", b"12", b""])
values = st.sampled_from([b"", b"7", b"-1", b"300", b"text", b"0012", b"x" * 70, b"9223372036854775808"])
fields = st.lists(st.tuples(names, values), min_size=1, max_size=3)
steps = st.sampled_from([(0, 1), (0, 2), (1, 0), (1, -5), (3, 2), (40_000, 0)])


def later(last: tuple[int, int], step: tuple[int, int]) -> tuple[int, int]:
    """Return an ID after `last`, at times with a smaller sequence."""
    if step[0] == 0:
        return last[0], last[1] + step[1]
    return last[0] + step[0], max(0, last[1] + step[1])


class StreamAgainstList(RuleBasedStateMachine):
    """Appends, deletions, trims and ranges, on nodes of very few entries."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = Stream(Limits(stream_node_max_entries=5, stream_node_max_bytes=256))
        self.model: list[tuple[tuple[int, int], list[tuple[bytes, bytes]]]] = []
        self.added = 0

    def an_id(self, data: st.DataObject) -> tuple[int, int]:
        """Return an ID near the entries: one of them, or a neighbour, or an end."""
        known = [entry_id for entry_id, _ in self.model] + [self.stream.last_id]
        chosen = data.draw(st.sampled_from([*known, MIN_ID, MAX_ID]))
        moved = data.draw(st.sampled_from([next_id(chosen), previous_id(chosen), chosen]))
        return chosen if moved is None else moved

    @rule(step=steps, entry=fields)
    def append(self, step: tuple[int, int], entry: list[tuple[bytes, bytes]]) -> None:
        entry_id = later(self.stream.last_id, step)
        self.stream.append(entry_id, entry)
        self.model.append((entry_id, entry))
        self.added += 1

    @rule(entry=fields, count=st.integers(2, 8))
    def append_alike(self, entry: list[tuple[bytes, bytes]], count: int) -> None:
        for _ in range(count):
            self.append((0, 1), entry)

    @rule(data=st.data())
    def refuse_an_old_id(self, data: st.DataObject) -> None:
        entry_id = self.an_id(data)
        if entry_id <= self.stream.last_id:
            with pytest.raises(ValueError, match="equal to or smaller"):
                self.stream.append(entry_id, [(b"a", b"b")])

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        entry_id = self.an_id(data)
        left = [entry for entry in self.model if entry[0] != entry_id]
        assert self.stream.delete(entry_id) == (len(left) < len(self.model))
        self.model = left

    @rule(maxlen=st.integers(0, 12))
    def trim_by_length(self, maxlen: int) -> None:
        kept = self.model[-maxlen:] if maxlen else []
        assert self.stream.trim_by_length(maxlen) == len(self.model) - len(kept)
        self.model = kept

    @rule(data=st.data())
    def trim_by_id(self, data: st.DataObject) -> None:
        minid = self.an_id(data)
        kept = [entry for entry in self.model if entry[0] >= minid]
        assert self.stream.trim_by_id(minid) == len(self.model) - len(kept)
        self.model = kept

    @rule(maxlen=st.integers(0, 12), limit=st.sampled_from([0, 3, 10]))
    def trim_roughly(self, maxlen: int, limit: int) -> None:
        before = len(self.model)
        dropped = self.stream.trim_by_length(maxlen, approx=True, limit=limit)
        assert 0 <= dropped <= max(0, before - maxlen)
        assert not limit or dropped <= limit
        self.model = self.model[dropped:]

    @rule(data=st.data(), limit=st.sampled_from([0, 3, 10]))
    def trim_roughly_by_id(self, data: st.DataObject, limit: int) -> None:
        minid = self.an_id(data)
        dropped = self.stream.trim_by_id(minid, approx=True, limit=limit)
        assert dropped <= sum(entry_id < minid for entry_id, _ in self.model)
        assert not limit or dropped <= limit
        self.model = self.model[dropped:]

    @rule(data=st.data(), count=st.sampled_from([None, 1, 2, 7, 20]), reverse=st.booleans())
    def read_a_range(self, data: st.DataObject, count: int | None, *, reverse: bool) -> None:
        start, end = self.an_id(data), self.an_id(data)
        expected = [entry for entry in self.model if start <= entry[0] <= end]
        if reverse:
            expected.reverse()
        assert list(self.stream.range(start, end, count, reverse=reverse)) == expected[:count]

    @rule(count=st.integers(1, 3))
    def follow_page_by_page(self, count: int) -> None:
        pages, start = [], MIN_ID
        while page := list(self.stream.range(start, MAX_ID, count)):
            pages += page
            following = next_id(page[-1][0])
            assert following is not None
            start = following
        assert pages == self.model

    @rule(data=st.data())
    def look_up(self, data: st.DataObject) -> None:
        entry_id = self.an_id(data)
        assert self.stream.get(entry_id) == dict(self.model).get(entry_id)
        assert (entry_id in self.stream) == (entry_id in dict(self.model))

    @rule()
    def copies_are_apart(self) -> None:
        twin = self.stream.copy()
        twin.check()
        assert list(twin) == self.model
        twin.append((twin.last_id[0] + 1, 0), [(b"only", b"here")])
        assert len(self.stream) == len(self.model)

    @rule()
    def nodes_travel_as_bytes(self) -> None:
        received = Stream(self.stream.limits)
        for key, pack in self.stream.nodes():
            received.add_node(key, ListPack.from_bytes(bytes(pack)))
        assert list(received) == self.model
        assert received.first_id == self.stream.first_id

    @invariant()
    def agrees(self) -> None:
        self.stream.check()
        assert len(self.stream) == len(self.model)
        assert self.stream.entries_added == self.added
        assert list(self.stream) == self.model
        assert list(self.stream.range(reverse=True)) == self.model[::-1]
        assert self.stream.last_entry_id() == (self.model[-1][0] if self.model else MIN_ID)


StreamAgainstList.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestStream = StreamAgainstList.TestCase


def test_an_entry_that_shares_its_fields_holds_only_values() -> None:
    stream = Stream()
    stream.append((1000, 5), [(b"name", b"ann"), (b"age", b"30")])
    stream.append((1001, 2), [(b"name", b"bob"), (b"age", b"31")])
    stream.append((1001, 3), [(b"other", b"x")])
    stream.delete((1001, 2))
    ((key, pack),) = stream.nodes()
    assert key == pack_id(1000, 5)
    master = [b"2", b"1", b"2", b"name", b"age", b"0"]
    first = [b"2", b"0", b"0", b"ann", b"30", b"5"]
    second = [b"3", b"1", b"-3", b"bob", b"31", b"5"]
    third = [b"0", b"1", b"-2", b"1", b"other", b"x", b"6"]
    assert pack.to_list() == master + first + second + third


def test_a_node_closes_when_it_has_its_bytes_or_its_entries() -> None:
    by_entries = Stream(Limits(stream_node_max_entries=3, stream_node_max_bytes=0))
    by_bytes = Stream(Limits(stream_node_max_entries=0, stream_node_max_bytes=100))
    for seq in range(1, 8):
        by_entries.append((0, seq), [(b"f", b"v" * 50)])
        by_bytes.append((0, seq), [(b"f", b"v" * 20)])
    assert by_entries.node_count == 3
    assert next(len(pack) for _, pack in by_bytes.nodes()) == 5 + 3 * 5
    assert all(pack.nbytes < 120 for _, pack in by_bytes.nodes())


def test_a_header_that_grows_moves_the_entries_and_not_the_reader() -> None:
    """The counts in a node's header take one byte up to 127 and two beyond."""
    stream = Stream(Limits(stream_node_max_entries=0, stream_node_max_bytes=0))
    for seq in range(1, 127):
        stream.append((0, seq), [(b"f", b"v")])
    stream.trim_by_length(120)
    assert len(list(stream.range((0, 50), MAX_ID, 3))) == 3
    for seq in range(127, 400):
        stream.append((0, seq), [(b"f", b"v")])
        assert [entry_id for entry_id, _ in stream.range((0, 53), (0, 54))] == [(0, 53), (0, 54)]
    stream.trim_by_length(30)
    stream.check()
    assert [entry_id[1] for entry_id, _ in stream] == list(range(370, 400))


def test_ids_follow_the_clock_and_never_turn_back() -> None:
    stream = Stream()
    assert stream.generate_id(1000) == (1000, 0)
    stream.append((1000, 0), [(b"f", b"v")])
    assert stream.generate_id(999) == (1000, 1)
    assert stream.generate_sequence(1000) == (1000, 1)
    assert stream.generate_sequence(2000) == (2000, 0)
    stream.set_id((1000, UINT64_MAX))
    assert stream.generate_id(1000) == (1001, 0)
    assert stream.generate_sequence(1000) is None
    stream.set_id(MAX_ID)
    assert stream.generate_id(1000) is None


def test_a_deleted_id_is_remembered_and_a_trimmed_one_is_not() -> None:
    stream = Stream()
    for seq in range(1, 6):
        stream.append((0, seq), [(b"f", b"v")])
    stream.trim_by_length(4)
    assert stream.max_deleted_id == MIN_ID
    assert stream.first_id == (0, 2)
    stream.delete((0, 3))
    assert stream.max_deleted_id == (0, 3)
    assert stream.edge_id() == (0, 1)
    with pytest.raises(ValueError, match="smaller"):
        stream.set_id((0, 2))


@given(st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_bytes_that_are_no_node_are_refused(junk: bytes) -> None:
    pack = ListPack.from_list([junk, b"0", b"1", b"f", b"0", b"2", b"0", b"0", b"v", b"4"])
    stream = Stream()
    if junk == b"1":
        stream.add_node(pack_id(1, 1), pack)
    else:
        with pytest.raises(ValueError, match=r"stream node 1-1"):
            stream.add_node(pack_id(1, 1), pack)


@pytest.mark.parametrize("entries", [100, 1_000, 10_000])
def test_an_entry_is_found_by_few_looks_at_ids(monkeypatch: pytest.MonkeyPatch, entries: int) -> None:
    """Reading, finding and deleting in the midst of a node bisect it: steps are counted, not seconds."""
    stream = Stream(Limits(stream_node_max_entries=0, stream_node_max_bytes=0))
    for seq in range(1, entries + 1):
        stream.append((0, seq), [(b"f", b"v")])
    assert stream.node_count == 1
    looks = [0]
    look = StreamNode._id_at

    def counted(node: StreamNode, position: int) -> StreamID:
        looks[0] += 1
        return look(node, position)

    monkeypatch.setattr(StreamNode, "_id_at", counted)
    few = entries.bit_length() + 2
    middle = (0, entries // 2)
    for task in (
        lambda: stream.get(middle),
        lambda: list(stream.range(middle, count=3)),
        lambda: list(stream.range(end=middle, count=3, reverse=True)),
        lambda: stream.delete(middle),
    ):
        looks[0] = 0
        assert task()
        assert looks[0] <= few
