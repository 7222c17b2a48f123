"""The disk in memory forgets what a real one may forget, and nothing else."""

from cutaway.persistence import AOFReplay, AppendOnlyFile, Files, MemoryDisk, write_aof
from cutaway.persistence.aof import NO


def test_bytes_last_from_fsync_on() -> None:
    disk = MemoryDisk()
    file = disk.open_append("a")
    disk.sync_directory("")
    file.write(b"one")
    file.fsync()
    file.write(b"two")
    assert disk.open_read("a").read() == b"onetwo"
    disk.lose_power()
    assert disk.open_read("a").read() == b"one"
    assert disk.size("a") == 3


def test_names_last_from_the_sync_of_their_directory_on() -> None:
    disk = MemoryDisk()
    disk.open_append("old").write(b"old")
    disk.open_append("old").fsync()
    disk.sync_directory("")
    disk.open_append("new").fsync()
    disk.replace("old", "renamed")
    assert disk.size("old") is None
    disk.lose_power()
    assert disk.size("new") is None
    assert disk.size("renamed") is None
    assert disk.open_read("old").read() == b"old"


def test_a_log_on_this_disk_comes_back_as_far_as_it_was_synced() -> None:
    disk = MemoryDisk()
    files: Files = disk
    aof = AppendOnlyFile(files, "appendonlydir", fsync_policy=NO)
    aof.open(lambda path: write_aof(disk.open_append(path).write, []), rdb=False)
    aof.feed(0, [b"SET", b"a", b"1"])
    aof.flush()
    aof.fsync()
    aof.feed(0, [b"SET", b"b", b"2"])
    aof.flush()
    disk.lose_power()
    replayed = [list(command) for command in AOFReplay(files, "appendonlydir")]
    assert replayed[-1] == [b"SET", b"a", b"1"]
