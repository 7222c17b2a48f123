"""A reader's own part in the running server."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
