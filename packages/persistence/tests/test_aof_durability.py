"""Whatever fails and whenever the process dies: what was acknowledged is there, in order, exactly once."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from cutaway.datastructures.list_values import ListValue
from cutaway.persistence import AOFReplay, AppendOnlyFile, DatabaseDump, Entry, write_rdb
from cutaway.persistence.aof_replay import CommandReader
from cutaway.persistence.rdb_source import Source
from cutaway.resp import encode_request

_spec = importlib.util.spec_from_file_location("persistence_fakes", Path(__file__).with_name("conftest.py"))
assert _spec is not None
assert _spec.loader is not None
fakes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fakes)


class Durability(RuleBasedStateMachine):
    """A log of numbers, each pushed to a list; the model is the list itself."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = fakes.Disk()
        self.log: list[bytes] = []
        self.acknowledged = 0
        self.temporary = ""

    @initialize()
    def start(self):
        self.open()

    def open(self):
        self.aof = AppendOnlyFile(self.disk, "d")
        self.aof.open(self.write_base)
        self.temporary = ""

    def write_base(self, path):
        """Write the present state, as a list, as a child process would: to a disk that works."""
        value = ListValue()
        value.push_right(self.log)
        out = bytearray()
        items = [(b"log", value, None, None)] if self.log else []
        write_rdb(out.extend, [DatabaseDump(0, len(items), 0, items)])
        self.disk.data[path] = out

    @rule(database=st.integers(0, 1))
    def push(self, database):
        number = b"%d" % len(self.log)
        self.log.append(number)
        self.aof.feed(database, [b"RPUSH", b"log", number])

    @rule()
    def flush(self):
        if self.aof.flush():
            assert not self.aof.pending
            self.acknowledged = len(self.log)

    @rule(room=st.integers(0, 90))
    def fill_disk(self, room):
        self.disk.room = room

    @rule(call=st.sampled_from(("write", "truncate", "open", "replace", "remove", "sync_directory")))
    def break_call(self, call):
        self.disk.fail = call

    @rule()
    def repair(self):
        self.disk.room = 1 << 40
        self.disk.fail = ""

    @precondition(lambda self: not self.aof.rewriting)
    @rule()
    def begin_rewrite(self):
        try:
            self.temporary = self.aof.begin_rewrite()
        except OSError:
            assert not self.aof.rewriting
        else:
            self.acknowledged = len(self.log)
            self.write_base(self.temporary)

    @precondition(lambda self: self.aof.rewriting)
    @rule(success=st.booleans())
    def end_rewrite(self, success):
        if not success:
            self.aof.abort_rewrite()
            return
        try:
            self.aof.finish_rewrite(self.temporary)
        except OSError:
            assert not self.aof.rewriting

    @rule()
    def die_and_start_again(self):
        self.repair()
        replay = AOFReplay(self.disk, "d")
        found: list[bytes] = []
        for item in replay:
            if isinstance(item, Entry):
                assert isinstance(item.value, ListValue)
                found += item.value
            elif isinstance(item, list) and item[0] == b"RPUSH":
                found.append(item[2])
        assert found == self.log[: len(found)]
        assert len(found) >= self.acknowledged
        replay.cut_torn_tail()
        self.log = found
        self.acknowledged = len(found)
        self.open()

    def teardown(self):
        if hasattr(self, "aof"):
            self.die_and_start_again()


TestDurability = Durability.TestCase
TestDurability.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


class Trickle:
    """A source that gives few bytes at a time."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data = io.BytesIO(data)
        self._sizes = sizes

    def read(self, size: int, /) -> bytes:
        self._sizes.append(self._sizes.pop(0))
        return self._data.read(min(size, self._sizes[0]))


commands = st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=5), max_size=10)


@given(commands, st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_commands_are_the_same_however_the_bytes_arrive(argvs, sizes):
    argvs = [argv for argv in argvs if argv[0].upper() not in (b"MULTI", b"EXEC")]
    data = b"#TS:5\r\n".join(map(encode_request, argvs))
    assert list(CommandReader(Source(Trickle(data, sizes)))) == argvs
    assert list(CommandReader(Source(data))) == argvs
