"""Sick structures: a scan, a span, and two clocks."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from cutaway.datastructures import Dict, SkipList
from cutaway.datastructures.dicts import next_cursor
from cutaway.datastructures.eviction_clocks import (
    LFU_COUNTER_MAX,
    LRU_CLOCK_MAX,
    idle_time,
    lfu_counter,
    lfu_minutes_elapsed,
)
from cutaway.datastructures.skiplists import SkipListNode
from cutaway.learn.museum.exhibits import Exhibit

# ---- a scan that meets a rehash


class HastyDict(Dict[Any, Any]):
    """A table whose scan, while there are two tables, looks at one slot of each."""

    __slots__ = ()

    def _scan_step(self, cursor: int, items: list[tuple[Any, Any]]) -> int:
        mask = self._mask
        bucket = self._table[cursor & mask]
        if bucket is not None:
            items.extend(bucket.items())
        if self._old is not None:
            mask = min(mask, self._old_mask)
            bucket = self._old[cursor & self._old_mask]
            if bucket is not None:
                items.extend(bucket.items())
        return next_cursor(cursor, mask)


def find_hasty_scan(table_class: Any) -> None:
    """The hidden test of rehash-scan."""
    for size in range(1, 200):
        table = table_class()
        for n in range(size):
            table[n] = n
        seen, cursor = set(), 0
        while True:
            cursor, items = table.scan(cursor, 1)
            seen |= {key for key, _ in items}
            if not cursor:
                break
        assert seen == set(range(size))


# ---- a span that is one too long


class StretchedSkipList(SkipList):
    """A skip list that takes a node out of the lanes it stands in, and out of no other."""

    __slots__ = ()

    def _unlink(self, node: SkipListNode, turns: list[SkipListNode]) -> None:
        passing = [(lane, turn) for lane, turn in enumerate(turns) if turn.lanes[lane] is not node]
        super()._unlink(node, turns)
        for lane, turn in passing:
            if lane < len(turn.spans):
                turn.spans[lane] += 1


def find_stretched_span(index_class: Any) -> None:
    """The hidden test of skiplist-span."""
    index = index_class(Random(1))
    for n in range(200):
        index.insert(float(n), b"%d" % n)
    for n in range(0, 200, 2):
        index.remove(float(n), b"%d" % n)
    assert [index.rank(float(n), b"%d" % n) for n in range(1, 200, 2)] == list(range(100))


# ---- a clock of 24 bits


def naive_idle_time(accessed: int, clock: int) -> int:
    """Milliseconds since a key was last read: the clock less the key's stamp."""
    return max(clock - accessed, 0) * 1000


def find_wrapped_clock(idle: Any) -> None:
    """The hidden test of lru-clock."""
    assert idle(LRU_CLOCK_MAX - 5, 10) > 0


# ---- a counter of eight bits


def unsigned_lfu_counter(bits: int, minutes: int, decay_time: int) -> int:
    """The counter in a key's 24 bits, less one for each `decay_time` minutes, in eight bits."""
    counter = bits & LFU_COUNTER_MAX
    if not decay_time:
        return counter
    return counter - lfu_minutes_elapsed(bits >> 8, minutes) // decay_time & LFU_COUNTER_MAX


def find_underflow(counter: Any) -> None:
    """The hidden test of lfu-decay."""
    assert counter(5, 60, 1) == 0


EXHIBITS: Final = (
    Exhibit(
        name="rehash-scan",
        symptom="SCAN sometimes misses keys that were there all the time",
        report="A nightly job walks over all keys with SCAN and archives them. Now and then it misses some, always on nights when many keys were written; the same "
        "job an hour later finds them. Nobody deletes anything.",
        argument="Dict",
        contract="`Dict()` is the table of all keys. `table[key] = value` and `table.pop(key)` change it. `table.scan(cursor, count)` returns the next cursor and a list of items; "
        "begin with 0, until 0 comes back. `table.rehashing` says whether it is moving to a table of another size.",
        first_step="""
            table = Dict()
            for n in range(10):
                table[n] = n
            cursor, items = table.scan(0, 100)
            assert sorted(items) == [(n, n) for n in range(10)]
        """,
        healthy=Dict,
        sick=HastyDict,
        hidden=find_hasty_scan,
        diagnosis="While there are two tables, one slot of the smaller one corresponds to several slots of the larger one. Visit all of them before you move on; visiting one loses the others.",
    ),
    Exhibit(
        name="skiplist-span",
        symptom="the league table shows somebody on the wrong place",
        report="ZRANK says place 17, and counting in the output of ZRANGE gives 16. It was right in the morning. Players come and go all day; adding the same players to a new key "
        "makes it right again.",
        argument="SkipList",
        contract="`SkipList(Random(seed))` keeps pairs in order. `insert(score, member)`, `remove(score, member)`, `rank(score, member)`, `by_rank(rank)`; a list() of it gives (member, score).",
        first_step="""
            from random import Random

            index = SkipList(Random(1))
            for n in range(5):
                index.insert(float(n), b"%d" % n)
            assert [index.rank(float(n), b"%d" % n) for n in range(5)] == [0, 1, 2, 3, 4]
        """,
        healthy=SkipList,
        sick=StretchedSkipList,
        hidden=find_stretched_span,
        diagnosis="A link that passes over a removed node has one node less to pass, though nothing about the link itself changes. Forget that, and ranks are too high by one for all that come after "
        "it: only in lists with lanes, only after removals.",
    ),
    Exhibit(
        name="lru-clock",
        symptom="twice a year the cache throws out the keys that are in use",
        report="We run with allkeys-lru. On one day in spring and on one in autumn the hit rate falls to nothing for hours: old keys nobody reads stay, and busy ones are evicted.",
        argument="idle_time",
        contract="`idle_time(accessed, clock)` gives the milliseconds for which a key has not been read. Both arguments are the LRU clock at a moment: seconds, of which 24 bits are kept, so that it begins "
        "again at 0 after 194 days.",
        first_step="""
            assert idle_time(100, 160) == 60_000
        """,
        healthy=idle_time,
        sick=naive_idle_time,
        hidden=find_wrapped_clock,
        diagnosis="A clock that is behind the key's stamp has wrapped. Taken at face value, the oldest keys look as if they had just been read, and the youngest are the oldest that are left.",
    ),
    Exhibit(
        name="lfu-decay",
        symptom="a key nobody has read for a week counts as the most popular of all",
        report="With allkeys-lfu memory fills with keys from last week. OBJECT FREQ shows 250 and more for them, though nobody has read them since; keys that are read every second show 30.",
        argument="lfu_counter",
        contract="`lfu_counter(bits, minutes, decay_time)` gives a key's counter as it is now. `bits` are the 24 bits kept with the key: the minute of its last look, 16 bits, and the counter, 8 bits. `minutes` is the clock now; "
        "one is taken off for every `decay_time` minutes since.",
        first_step="""
            last_look, counter = 1000, 40
            assert lfu_counter(last_look << 8 | counter, 1010, 1) == 30
        """,
        healthy=lfu_counter,
        sick=unsigned_lfu_counter,
        hidden=find_underflow,
        diagnosis="The counter may be lowered to 0, not below. In eight bits without a sign, one below 0 is 255: whoever is forgotten long enough becomes a star.",
    ),
)  # fmt: skip
