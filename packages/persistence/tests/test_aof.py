from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.persistence import (
    ALWAYS,
    AOFError,
    AOFReplay,
    AppendOnlyFile,
    DatabaseDump,
    Entry,
    upgrade_single_file,
    write_rdb,
)
from cutaway.resp import encode_request

EMPTY = "*0"


def base_writer(disk, items=()):
    """Return a function that writes a base file of `items`."""

    def write(path):
        out = bytearray()
        write_rdb(out.extend, [DatabaseDump(0, len(items), 0, list(items))])
        disk.data[path] = out

    return write


def opened(disk, **options):
    aof = AppendOnlyFile(disk, "d", **options)
    aof.open(base_writer(disk))
    return aof


def replayed(disk, **options):
    """Return the commands of a replay, SELECT left out, and the replay."""
    replay = AOFReplay(disk, "d", **options)
    return [item for item in replay if isinstance(item, list) and item[0] != b"SELECT"], replay


def test_a_new_directory_gets_a_base_an_increment_and_a_manifest(disk):
    opened(disk)
    assert sorted(disk.data) == [
        "d/appendonly.aof.1.base.rdb",
        "d/appendonly.aof.1.incr.aof",
        "d/appendonly.aof.manifest",
    ]
    assert disk.data["d/appendonly.aof.manifest"] == (
        b"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    )


def test_a_log_that_begins_in_the_middle_uses_no_numbers_up_while_its_base_fails(disk):
    aof = AppendOnlyFile(disk, "d")
    base_writer(disk)(aof.open_anew())
    for _ in range(2):
        aof.feed(0, [b"SET", b"k", b"old"])
        aof.flush()
        aof.abort_rewrite()
        temporary = aof.begin_rewrite()
        assert disk.data["d/appendonly.aof.1.incr.aof"] == b""
    assert "d/appendonly.aof.manifest" not in disk.data
    aof.feed(0, [b"SET", b"k", b"new"])
    base_writer(disk)(temporary)
    aof.finish_rewrite(temporary)
    aof.flush()
    assert disk.data["d/appendonly.aof.manifest"] == (
        b"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    )
    commands, _ = replayed(disk)
    assert commands == [[b"SET", b"k", b"new"]]


def test_select_is_written_when_the_database_changes_and_first_in_each_file(disk):
    aof = opened(disk)
    for database in (0, 0, 2, 0):
        aof.feed(database, [b"SET", b"k", b"v"])
    assert aof.flush()
    names = [
        item[0] if item[0] != b"SELECT" else b" ".join(item)
        for item in AOFReplay(disk, "d")
        if isinstance(item, list)
    ]
    assert names == [b"SELECT 0", b"SET", b"SET", b"SELECT 2", b"SET", b"SELECT 0", b"SET"]
    aof.begin_rewrite()
    aof.feed(0, [b"SET", b"k", b"v"])
    aof.flush()
    assert disk.data["d/appendonly.aof.2.incr.aof"].startswith(b"*2\r\n$6\r\nSELECT")


def test_timestamps_precede_the_first_command_of_each_second(disk):
    aof = opened(disk, timestamps=True)
    for second in (10, 10, 11):
        aof.feed(0, [b"PING"], second)
    aof.flush()
    assert bytes(disk.data["d/appendonly.aof.1.incr.aof"]).count(b"#TS:") == 2
    assert len(replayed(disk)[0]) == 3
    assert len(replayed(disk, until=10)[0]) == 2
    assert replayed(disk, until=9)[0] == []


def test_stopping_at_a_time_waits_for_the_end_of_a_transaction_and_ends_the_replay(disk):
    aof = opened(disk, timestamps=True)
    for second, name in ((1, b"MULTI"), (1, b"INCR"), (9, b"INCR"), (9, b"EXEC"), (10, b"DEL")):
        aof.feed(0, [name], second)
    aof.begin_rewrite()
    aof.feed(0, [b"SET"])
    aof.flush()
    commands, replay = replayed(disk, until=8)
    assert [command[0] for command in commands] == [b"MULTI", b"INCR", b"INCR", b"EXEC"]
    assert replay.stopped
    assert replay.torn is None


def test_a_base_that_failed_at_the_very_end_is_not_written_over(disk):
    aof = opened(disk)
    for fails in (True, False):
        disk.fail = ""
        path = aof.begin_rewrite()
        base_writer(disk)(path)
        disk.fail = "sync_directory" if fails else ""
        if fails:
            with pytest.raises(OSError, match="failed"):
                aof.finish_rewrite(path)
        else:
            aof.finish_rewrite(path)
    assert aof.manifest.base is not None
    assert aof.manifest.base.sequence == 3


def test_a_write_that_does_not_fit_is_taken_back_and_tried_again(disk):
    aof = opened(disk)
    aof.feed(0, [b"SET", b"a", b"1"])
    assert aof.flush()
    size = aof.size
    disk.room = 20
    aof.feed(0, [b"SET", b"b", b"2" * 100])
    assert not aof.flush()
    assert aof.error is not None
    assert aof.error.errno == 28
    assert aof.size == size
    assert len(replayed(disk)[0]) == 1
    disk.room = 1 << 20
    assert aof.flush()
    assert aof.error is None
    assert [command[1] for command in replayed(disk)[0]] == [b"a", b"b"]


def test_if_the_half_cannot_be_taken_back_the_rest_follows_it(disk):
    aof = opened(disk)
    disk.room, disk.fail = 20, "truncate"
    aof.feed(0, [b"SET", b"b", b"2" * 100])
    assert not aof.flush()
    commands, replay = replayed(disk)
    assert commands == []
    assert replay.torn is not None
    disk.room, disk.fail = 1 << 20, ""
    assert aof.flush()
    assert [command[1] for command in replayed(disk)[0]] == [b"b"]


def test_policy_always_reports_an_fsync_that_fails(disk):
    aof = opened(disk, fsync_policy=ALWAYS)
    disk.fail_fsync = True
    aof.feed(0, [b"SET", b"a", b"1"])
    assert not aof.flush()
    assert aof.error is not None
    disk.fail_fsync = False
    assert aof.flush()
    assert aof.error is None


def test_an_fsync_in_a_thread_outlives_the_turn_to_a_new_file(disk):
    aof = opened(disk)
    aof.feed(0, [b"SET", b"a", b"1"])
    aof.flush()
    job = aof.begin_fsync()
    assert job is not None
    assert aof.begin_fsync() is None
    aof.begin_rewrite()
    assert not job.handle.closed
    aof.feed(0, [b"SET", b"b", b"1"])
    aof.flush()
    job.run()
    assert aof.end_fsync(job)
    assert job.handle.closed
    assert aof.fsync_due


def test_a_rewrite_replaces_what_came_before_and_keeps_what_came_since(disk):
    aof = opened(disk)
    aof.feed(0, [b"SET", b"old", b"1"])
    aof.flush()
    path = aof.begin_rewrite()
    assert aof.rewriting
    aof.feed(0, [b"SET", b"new", b"2"])
    aof.flush()
    base_writer(disk, [(b"old", 1, None, None)])(path)
    aof.finish_rewrite(path)
    assert sorted(disk.data) == [
        "d/appendonly.aof.2.base.rdb",
        "d/appendonly.aof.2.incr.aof",
        "d/appendonly.aof.manifest",
    ]
    items = [item for item in AOFReplay(disk, "d") if isinstance(item, (Entry, list))]
    assert items[0][1:3] == (b"old", 1)
    assert items[2] == [b"SET", b"new", b"2"]
    assert aof.base_size == aof.size
    assert aof.growth() == 0


@pytest.mark.parametrize("call", ["open", "replace", "sync_directory", "write"])
def test_a_rewrite_that_fails_at_any_call_loses_nothing(disk, call):
    aof = opened(disk)
    aof.feed(0, [b"SET", b"a", b"1"])
    aof.flush()
    disk.fail = call
    with pytest.raises(OSError, match="failed"):
        aof.begin_rewrite()
    disk.fail = ""
    aof.feed(0, [b"SET", b"b", b"1"])
    assert aof.flush()
    path = aof.begin_rewrite()
    aof.feed(0, [b"SET", b"c", b"1"])
    assert aof.flush()
    base_writer(disk, [(b"a", 1, None, None)])(path)
    disk.fail = call
    if call in ("open", "replace", "sync_directory", "write"):
        with pytest.raises(OSError, match="failed"):
            aof.finish_rewrite(path)
    disk.fail = ""
    keys = [
        item[1] for item in AOFReplay(disk, "d") if isinstance(item, (Entry, list)) and item[0] != b"SELECT"
    ]
    assert sorted(set(keys)) == [b"a", b"b", b"c"] or keys == [b"a", b"c"]
    again = opened(disk)
    assert not again.rewriting


def test_an_aborted_rewrite_leaves_both_increments(disk):
    aof = opened(disk)
    aof.feed(0, [b"SET", b"a", b"1"])
    aof.begin_rewrite()
    aof.abort_rewrite()
    aof.feed(0, [b"SET", b"b", b"1"])
    aof.close()
    assert [command[1] for command in replayed(disk)[0]] == [b"a", b"b"]
    assert len(AOFReplay(disk, "d").manifest.increments) == 2


def test_growth_decides_about_a_rewrite(disk):
    aof = opened(disk)
    base = aof.base_size
    assert not aof.wants_rewrite(100, 0)
    aof.feed(0, [b"SET", b"a", b"x" * base * 2])
    aof.flush()
    assert aof.wants_rewrite(100, 0)
    assert not aof.wants_rewrite(0, 0)
    assert not aof.wants_rewrite(100, 1 << 20)
    aof.begin_rewrite()
    assert not aof.wants_rewrite(100, 0)


def test_the_single_file_of_old_becomes_the_base(disk):
    rdb = bytearray()
    write_rdb(rdb.extend, [DatabaseDump(0, 1, 0, [(b"k", b"v", None, None)])])
    disk.data["./appendonly.aof"] = rdb + encode_request([b"SET", b"a", b"1"])
    assert upgrade_single_file(disk, ".", "d")
    assert not upgrade_single_file(disk, ".", "d")
    items = [item for item in AOFReplay(disk, "d") if isinstance(item, (Entry, list))]
    assert [item[1] for item in items] == [b"k", b"a"]
    aof = opened(disk)
    aof.feed(0, [b"SET", b"b", b"1"])
    aof.close()
    assert [command[1] for command in replayed(disk)[0]] == [b"a", b"b"]


def test_an_upgrade_that_was_cut_short_is_finished(disk):
    disk.data["./appendonly.aof"] = bytearray(encode_request([b"SET", b"a", b"1"]))
    disk.data["d/appendonly.aof.manifest"] = bytearray(b"file appendonly.aof seq 1 type b\n")
    assert upgrade_single_file(disk, ".", "d")
    assert len(replayed(disk)[0]) == 1


COMMANDS = [
    [b"SET", b"a", b"1\r\n*3"],
    [b"MULTI"],
    [b"DEL", b"a"],
    [b"INCR", b"b"],
    [b"EXEC"],
    [b"SET", b"", b""],
]
RUN = b"".join(map(encode_request, COMMANDS))
ENDS = [len(b"".join(map(encode_request, COMMANDS[:n]))) for n in range(7)]


def with_increment(disk, data):
    disk.data["d/appendonly.aof.manifest"] = bytearray(b"file x seq 1 type i\n")
    disk.data["d/x"] = bytearray(data)


@pytest.mark.parametrize("cut", range(len(RUN) + 1))
def test_a_file_cut_anywhere_ends_with_the_last_whole_command_or_transaction(disk, cut):
    with_increment(disk, RUN[:cut])
    whole = max(end for n, end in enumerate(ENDS) if end <= cut and n not in (2, 3, 4))
    replay = AOFReplay(disk, "d")
    assert list(replay) == COMMANDS[: ENDS.index(whole)]
    assert (replay.torn is None) == (cut == whole)
    if replay.torn is not None:
        assert replay.torn == ("x", whole, cut - whole)
        with pytest.raises(AOFError, match="Unexpected end of file"):
            list(AOFReplay(disk, "d", load_truncated=False))
    replay.cut_torn_tail()
    assert disk.data["d/x"] == RUN[:whole]


@pytest.mark.parametrize(
    "damage", [b"garbage\r\n", b"*0\r\n", b"*-1\r\n", b"*1\r\nx\r\n", b"*1\r\n$1\r\nabc", b"\0" * 30 + b"\n"]
)
def test_damage_in_the_middle_names_file_offset_and_tool(disk, damage):
    with_increment(disk, RUN + damage + RUN)
    with pytest.raises(AOFError, match=r"x: Bad file format.*check --fix") as caught:
        list(AOFReplay(disk, "d"))
    assert caught.value.file == "x"
    assert len(RUN) <= caught.value.offset < len(RUN + damage)


def test_only_the_last_file_may_be_torn_and_none_may_be_missing(disk):
    with_increment(disk, RUN[:-3])
    disk.data["d/y"] = bytearray(RUN)
    disk.data["d/appendonly.aof.manifest"] += b"file y seq 2 type i\n"
    with pytest.raises(AOFError, match="not the last one"):
        list(AOFReplay(disk, "d"))
    del disk.data["d/y"]
    with pytest.raises(AOFError, match="No such file or directory"):
        list(AOFReplay(disk, "d"))


def test_a_huge_argument_is_a_torn_tail_and_costs_nothing(disk):
    with_increment(disk, RUN + b"*1\r\n$4294967296\r\nabc")
    replay = AOFReplay(disk, "d")
    assert list(replay) == COMMANDS
    assert replay.torn == ("x", len(RUN), 20)


@given(st.data())
@settings(max_examples=150)
def test_any_flip_is_an_error_a_torn_tail_or_other_commands(data):
    from contextlib import suppress

    disk = FakeFiles()
    run = bytearray(RUN)
    run[data.draw(st.integers(0, len(run) - 1))] ^= data.draw(st.integers(1, 255))
    disk.data["d/appendonly.aof.manifest"] = bytearray(b"file x seq 1 type i\n")
    disk.data["d/x"] = run
    with suppress(AOFError):
        for command in AOFReplay(disk, "d"):
            assert command


class FakeFiles:
    """Just enough of a disk to read from."""

    def __init__(self):
        self.data = {}

    def size(self, path):
        return len(self.data[path]) if path in self.data else None

    def open_read(self, path):
        import io

        return io.BytesIO(self.data[path])
