"""The slow log keeps little, whatever comes."""

from hypothesis import given
from hypothesis import strategies as st

from cutaway.observability.command_logs import CommandLog, trimmed

REQUESTS = st.lists(st.binary(max_size=300), min_size=1, max_size=70)


@given(st.lists(st.tuples(REQUESTS, st.integers(0, 10**9)), max_size=30), st.integers(0, 10))
def test_the_newest_entries_are_kept_and_numbered_without_a_gap(calls, limit):
    log = CommandLog(limit)
    for argv, value in calls:
        log.add(argv, value, time=1)
        log.check()
    assert len(log) == min(len(calls), limit)
    assert [entry.value for entry in log.newest(-1)] == [value for _, value in reversed(calls)][:limit]


@given(REQUESTS)
def test_an_entry_is_small_and_says_what_is_missing(argv):
    words = trimmed(argv)
    assert len(words) == min(len(argv), 32)
    assert all(len(word) <= 128 + len(b"... (4294967296 more bytes)") for word in words)
    if len(argv) > 32:
        assert words[-1] == b"... (%d more arguments)" % (len(argv) - 31)
    for word, shown in zip(argv, words[:31], strict=False):
        assert shown == word if len(word) <= 128 else shown.startswith(word[:128])


def test_numbers_go_on_after_a_reset_and_a_smaller_limit_waits_for_the_next_entry():
    log = CommandLog(3)
    for _ in range(3):
        log.add([b"PING"], 1, time=1)
    log.limit = 1
    assert len(log) == 3
    log.add([b"PING"], 1, time=1)
    assert [entry.id for entry in log.newest(-1)] == [3]
    log.clear()
    log.add([b"PING"], 1, time=1)
    assert [entry.id for entry in log.newest(10)] == [4]
