"""A consumer group against a dict from ID to owner and number of deliveries."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cutaway.datastructures import ConsumerGroup, Stream
from cutaway.datastructures.stream_nodes import MAX_ID, MIN_ID

names = st.sampled_from([b"alice", b"bob", b"carol"])
sequences = st.integers(1, 15)


class GroupAgainstDict(RuleBasedStateMachine):
    """Deliver, acknowledge, claim, and lose consumers and entries."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = Stream()
        self.group = ConsumerGroup(entries_read=0)
        self.now = 0
        self.model: dict[tuple[int, int], tuple[bytes, int, int]] = {}

    @rule(count=st.integers(1, 4))
    def add(self, count: int) -> None:
        for _ in range(count):
            self.stream.append((0, self.stream.last_id[1] + 1), [(b"f", b"v")])

    @rule(name=names, count=st.integers(1, 3), pause=st.integers(0, 50))
    def read_new(self, name: bytes, count: int, pause: int) -> None:
        self.now += pause
        consumer, _ = self.group.see_consumer(name, self.now)
        expected = list(self.stream.range((0, self.group.last_id[1] + 1), MAX_ID, count))
        assert self.group.read_new(self.stream, consumer, self.now, count) == expected
        self.model.update({entry_id: (name, 1, self.now) for entry_id, _ in expected})

    @rule(seq=sequences)
    def acknowledge(self, seq: int) -> None:
        assert self.group.acknowledge((0, seq)) == (self.model.pop((0, seq), None) is not None)

    @rule(seq=sequences)
    def delete_entry(self, seq: int) -> None:
        self.stream.delete((0, seq))

    @rule(name=names, seq=sequences, min_idle=st.integers(0, 60))
    def claim(self, name: bytes, seq: int, min_idle: int) -> None:
        consumer, _ = self.group.see_consumer(name, self.now)
        outcome = self.group.claim(self.stream, consumer, [(0, seq)], self.now, min_idle=min_idle)
        known = self.model.get((0, seq))
        if known is not None and (0, seq) not in self.stream:
            assert [deleted[0] for deleted in outcome.deleted] == [(0, seq)]
            del self.model[0, seq]
        elif known is not None and self.now - known[2] >= min_idle:
            assert [claimed[0] for claimed in outcome.claimed] == [(0, seq)]
            self.model[0, seq] = (name, known[1] + 1, self.now)
        else:
            assert outcome.claimed == outcome.deleted == []

    @rule(name=names, min_idle=st.integers(0, 60), count=st.integers(1, 3))
    def auto_claim_to_the_end(self, name: bytes, min_idle: int, count: int) -> None:
        consumer, _ = self.group.see_consumer(name, self.now)
        cursor, first = MIN_ID, True
        while first or cursor != MIN_ID:
            first = False
            outcome = self.group.auto_claim(
                self.stream, consumer, cursor, self.now, min_idle=min_idle, count=count, justid=True
            )
            assert len(outcome.claimed) + len(outcome.deleted) <= count
            cursor = outcome.cursor
        for entry_id, (_, deliveries, delivered) in list(self.model.items()):
            if entry_id not in self.stream:
                del self.model[entry_id]
            elif self.now - delivered >= min_idle:
                self.model[entry_id] = (name, deliveries, self.now)

    @rule(name=names)
    def leave(self, name: bytes) -> None:
        held = [entry_id for entry_id, known in self.model.items() if known[0] == name]
        assert (self.group.delete_consumer(name) or 0) == len(held)
        for entry_id in held:
            del self.model[entry_id]

    @rule()
    def copies_are_apart(self) -> None:
        twin = self.group.copy()
        twin.check()
        for name in list(twin.consumers):
            twin.delete_consumer(name)
        assert not len(twin.pending)
        assert len(self.group.pending) == len(self.model)

    @invariant()
    def agrees(self) -> None:
        self.group.check()
        found = self.group.pending_range(MIN_ID, MAX_ID, 1000, self.now)
        expected = [(i, name, self.now - at, times) for i, (name, times, at) in sorted(self.model.items())]
        assert [(row.entry_id, row.consumer, row.idle, row.delivery_count) for row in found] == expected
        summary = self.group.pending_summary()
        assert summary.count == len(self.model) == sum(count for _, count in summary.consumers)


GroupAgainstDict.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestConsumerGroup = GroupAgainstDict.TestCase


def test_lag_is_known_until_a_tombstone_hides_it() -> None:
    stream, group = Stream(), ConsumerGroup()
    for seq in range(1, 6):
        stream.append((0, seq), [(b"f", b"v")])
    consumer, _ = group.see_consumer(b"c", 0)
    assert group.lag(stream) == 5
    group.read_new(stream, consumer, 0, 2)
    assert (group.entries_read, group.lag(stream)) == (2, 3)
    stream.delete((0, 4))
    assert group.lag(stream) is None
    group.read_new(stream, consumer, 0)
    assert (group.entries_read, group.lag(stream)) == (5, 0)
