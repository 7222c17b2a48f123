"""Transactions among the other rooms, against a real server: scripts, waiting clients, and what the log says of them."""

from __future__ import annotations

import shlex
import time

import pytest

from cutaway.resp import RequestParser
from cutaway.testing.fixtures import real_or_skip

LOGGING = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")


@pytest.fixture(scope="module")
def real():
    """A real server that logs."""
    with real_or_skip("any", *LOGGING) as server:
        yield server


@pytest.fixture(scope="module")
def logging_server(tmp_path_factory, make_running):
    """A server of ours that logs."""
    server = make_running(tmp_path_factory.mktemp("ours"), *LOGGING)
    yield server
    server.kill()


class Both:
    """The same steps for both servers, and the same replies from both."""

    def __init__(self, server, real):
        self._server = server
        self._real = real
        self._clients = {}
        self.play("z: FLUSHALL")
        self._logged = [len(log) for log in self._logs()]

    def _pair(self, name):
        if name not in self._clients:
            self._clients[name] = (self._server.connect(), self._real.connect())
        return self._clients[name]

    def play(self, text):
        """`a: COMMAND` asks and compares, `a> COMMAND` only asks, `a<` compares what comes, `wait 20` waits."""
        for line in filter(None, map(str.strip, text.splitlines())):
            if line.startswith("wait "):
                time.sleep(int(line[5:]) / 1000)
                continue
            name, sign, words = line[0], line[1], shlex.split(line[2:])
            pair = self._pair(name)
            if sign != "<":
                for each in pair:
                    each.send(*words)
            if sign != ">":
                ours, theirs = (each.read() for each in pair)
                assert repr(ours) == repr(theirs), line

    def _logs(self):
        for folder in (self._server.folder, self._real.folder):
            files = sorted(folder.glob("appendonlydir/*.incr.aof"))
            requests = [argv for file in files for argv in RequestParser().feed(file.read_bytes())]
            yield [b" ".join(argv) for argv in requests]

    def logged(self):
        """What each has logged since the beginning of the test."""
        return [log[start:] for log, start in zip(self._logs(), self._logged, strict=True)]

    def close(self):
        for pair in self._clients.values():
            for each in pair:
                each.close()


@pytest.fixture
def both(logging_server, real):
    pair = Both(logging_server, real)
    yield pair
    pair.close()


def test_a_script_that_writes_touches_what_is_watched(both):
    both.play("""
        a: SET k 1
        a: WATCH k
        b: EVAL "return redis.call('GET', KEYS[1])" 1 k
        a: MULTI
        a: PING
        a: EXEC
        a: WATCH k
        b: EVAL "return redis.call('SET', KEYS[1], 1)" 1 k
        a: MULTI
        a: PING
        a: EXEC
        a: WATCH k
        a: EVAL "redis.call('DEL', KEYS[1]); return redis.call('SET', KEYS[1], 1)" 1 k
        a: MULTI
        a: PING
        a: EXEC
    """)


def test_a_script_in_a_transaction_cannot_wait_and_its_error_stops_nothing(both):
    both.play("""
        a: MULTI
        a: EVAL "return redis.call('SET', KEYS[1], ARGV[1])" 1 k v
        a: EVAL "return redis.error_reply('MINE no')" 0
        a: EVAL "redis.call('SET', KEYS[1], 'w'); return redis.pcall('LPUSH', KEYS[1], 1)" 1 k
        a: BLPOP empty 0
        a: GET k
        a: EXEC
    """)
    assert both.logged()[0] == both.logged()[1]


def test_a_waiting_client_that_is_served_touches_what_is_watched(both):
    both.play("""
        w> BLMOVE from to LEFT RIGHT 0
        wait 50
        a: WATCH to
        b: RPUSH from x
        w<
        a: MULTI
        a: PING
        a: EXEC
    """)


def test_a_key_that_expires_in_the_background_touches_what_is_watched(both):
    both.play("""
        a: SET k v PX 30
        a: WATCH k
        wait 400
        a: MULTI
        a: PING
        a: EXEC
        a: HSET h f v g w
        a: HPEXPIRE h 30 FIELDS 1 f
        a: WATCH h
        wait 400
        a: HLEN h
        a: MULTI
        a: PING
        a: EXEC
    """)


def test_watching_from_several_databases(both):
    both.play("""
        a: SELECT 1
        a: WATCH k
        a: SELECT 0
        a: WATCH k
        b: SELECT 2
        b: SET k 1
        b: MOVE k 3
        a: MULTI
        a: PING
        a: EXEC
        a: SELECT 1
        a: WATCH k
        b: SELECT 3
        b: MOVE k 1
        a: MULTI
        a: PING
        a: EXEC
    """)


def test_reset_and_a_closed_connection_leave_nothing_behind(both):
    both.play("""
        a: WATCH k
        a: MULTI
        a: SET k 1
        a: RESET
        a: EXEC
        a: GET k
        a: MULTI
        a: SET k 2
        a: QUIT
        b: GET k
    """)


def test_what_a_transaction_wrote_is_logged_as_one_piece(both):
    both.play("""
        a: MULTI
        a: SET k 1
        a: GET k
        a: INCR k
        a: LPUSH k x
        a: SADD s one
        a: SPOP s
        a: SELECT 2
        a: SET m 1
        a: EXEC
        a: SELECT 0
        a: MULTI
        a: SET single 1
        a: EXEC
        a: MULTI
        a: GET k
        a: DEL absent
        a: EXEC
        a: EVAL "redis.call('SET', KEYS[1], 1); redis.call('INCRBYFLOAT', KEYS[1], 0.5)" 1 k
        a: MULTI
        a: EVAL "redis.call('SET', KEYS[1], 1); redis.call('INCR', KEYS[1])" 1 k
        a: PUBLISH news x
        a: RENAME k l
        a: EXEC
        w> BLPOP queue 0
        wait 50
        a: MULTI
        a: RPUSH queue a
        a: RPUSH queue b
        a: EXEC
        w<
    """)
    ours, theirs = both.logged()
    assert ours == theirs
    assert ours.count(b"MULTI") == ours.count(b"EXEC") == 4
