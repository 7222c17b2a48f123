"""A reader's own part in the running server."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cutaway.resp import NULL_ARRAY

PARSER = '''
"""A request parser of a reader's own: it counts, and shouts."""

from cutaway.resp import RequestParser


class Parser(RequestParser):
    def feed(self, data):
        return [[word.upper() if argv[0].upper() == b"ECHO" else word for word in argv] for argv in super().feed(data)]
'''

ENCODER = """
from cutaway.resp import Encoder as Original


class Encoder(Original):
    def encode(self, reply):
        return super().encode("MINE" if reply == "OK" else reply)
"""


def test_the_server_runs_on_a_parser_that_the_test_wrote(start, tmp_path):
    (tmp_path / "mine.py").write_text(PARSER)
    server = start("--save", "", "--use", f"resp.RequestParser={tmp_path}/mine.py:Parser")
    peer = server.connect()
    assert peer.ask("ECHO", "hello") == b"HELLO"
    assert peer.ask("SET", "k", "v") == "OK"


def test_the_server_runs_on_an_encoder_that_the_test_wrote(start, tmp_path):
    (tmp_path / "own.py").write_text(ENCODER)
    peer = start("--save", "", "--use", f"resp.Encoder={tmp_path}/own.py:Encoder").connect()
    assert peer.ask("SET", "k", "v") == "MINE"


INDEX = """
from pathlib import Path

from cutaway.datastructures import {name}


class Index({name}):
    def __init__(self):
        super().__init__()
        Path(__file__).with_suffix(".made").touch()
"""


@pytest.mark.parametrize("name", ["SkipList", "AVLTree", "SortedContainersIndex"])
def test_the_server_runs_on_each_of_the_sorted_set_indexes(start, tmp_path, name):
    (tmp_path / "index.py").write_text(INDEX.format(name=name))
    peer = start("--save", "", "--use", f"datastructures.SortedSetIndex={tmp_path}/index.py:Index").connect()
    for number in range(300):
        peer.ask("ZADD", "z", number, f"member:{number}")
    assert peer.ask("ZRANGE", "z", 298, -1) == [b"member:298", b"member:299"]
    assert peer.ask("OBJECT", "ENCODING", "z") == b"skiplist"
    assert (tmp_path / "index.made").exists()


DICT = """
from pathlib import Path

from cutaway.datastructures import Dict as Original


class Dict(Original):
    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        Path(__file__).with_suffix(".keys").open("ab").write(key)
"""


def test_the_server_keeps_its_keys_in_a_dict_that_the_test_wrote(start, tmp_path):
    (tmp_path / "table.py").write_text(DICT)
    peer = start("--save", "", "--use", f"datastructures.Dict={tmp_path}/table.py:Dict").connect()
    assert peer.ask("SET", "greeting", "hello") == "OK"
    assert peer.ask("GET", "greeting") == b"hello"
    assert (tmp_path / "table.keys").read_bytes() == b"greeting"


def test_a_part_that_there_is_not_is_a_clear_error():
    done = subprocess.run(
        [sys.executable, "-m", "server", "--use", "resp.Nothing=x.py:Y"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "no part is called 'resp.Nothing'" in done.stderr


POOL = """
from pathlib import Path

from cutaway.datastructures import EvictionPool


class Pool(EvictionPool):
    def take(self, exists):
        Path(__file__).with_suffix(".taken").touch()
        return super().take(exists)
"""


def test_the_server_evicts_from_a_pool_that_the_test_wrote(start, tmp_path):
    (tmp_path / "pool.py").write_text(POOL)
    peer = start("--save", "", "--use", f"datastructures.EvictionPool={tmp_path}/pool.py:Pool").connect()
    assert peer.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru") == "OK"
    for number in range(500):
        peer.ask("SET", number, "x" * 100)
    peer.ask("CONFIG", "SET", "maxmemory", "20kb")
    peer.ask("SET", "one", "more")
    assert peer.ask("DBSIZE") < 500
    assert (tmp_path / "pool.taken").exists()


WATCHES = """
from cutaway.transactions import Watches as Original


class Watches(Original):
    def is_touched(self, client):
        return True
"""


def test_exec_asks_a_record_of_watches_that_the_test_wrote(start, tmp_path):
    (tmp_path / "own.py").write_text(WATCHES)
    peer = start("--save", "", "--use", f"transactions.Watches={tmp_path}/own.py:Watches").connect()
    peer.ask("WATCH", "k")
    peer.ask("MULTI")
    assert peer.ask("EXEC") == NULL_ARRAY


MATCHES = """
def matches(pattern, text):
    return pattern[::-1] == text
"""


def test_messages_go_where_a_match_that_the_test_wrote_says(start, tmp_path):
    (tmp_path / "own.py").write_text(MATCHES)
    server = start("--save", "", "--use", f"pubsub.matches={tmp_path}/own.py:matches")
    listener, speaker = server.connect(), server.connect()
    listener.ask("PSUBSCRIBE", "swen")
    assert speaker.ask("PUBLISH", "news", "hi") == 1
    assert speaker.ask("PUBLISH", "swen", "hi") == 0


DEBUG = ("--enable-debug-command", "yes")

READ_STRING = """
def read_string(take):
    size = take(1)[0]
    if size >= 0xC0:
        return b"%d" % int.from_bytes(take(1 << (size - 0xC0)), "little")
    return take(size).replace(b"hello", b"HELLO")
"""


def test_a_snapshot_is_read_by_a_function_that_the_test_wrote(start, tmp_path):
    (tmp_path / "own.py").write_text(READ_STRING)
    peer = start(
        "--save", "", *DEBUG, "--use", f"persistence.read_string={tmp_path}/own.py:read_string"
    ).connect()
    peer.ask("SET", "greeting", "hello")
    peer.ask("RPUSH", "list", "hello")
    assert peer.ask("DEBUG", "RELOAD") == "OK"
    assert peer.ask("GET", "greeting") == b"HELLO"


REPLAY = """
def replay(data):
    commands = []
    at = 0
    while at < len(data):
        argv = []
        end = data.index(b"\\r\\n", at)
        for _ in range(int(data[at + 1:end])):
            start = end + 2
            end = data.index(b"\\r\\n", start)
            size = int(data[start + 1:end])
            argv.append(data[end + 2:end + 2 + size])
            end += 2 + size
        at = end + 2
        commands.append([word.replace(b"hello", b"HELLO") for word in argv])
    return commands, len(data)
"""


def test_the_log_is_replayed_by_a_function_that_the_test_wrote(start, tmp_path):
    (tmp_path / "own.py").write_text(REPLAY)
    use = f"persistence.replay={tmp_path}/own.py:replay"
    peer = start("--save", "", *DEBUG, "--appendonly", "yes", "--use", use).connect()
    peer.ask("SET", "greeting", "hello")
    assert peer.ask("DEBUG", "LOADAOF") == "OK"
    assert peer.ask("GET", "greeting") == b"HELLO"
