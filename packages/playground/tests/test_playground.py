"""Terminals on one engine, as the page drives them: what is printed, what waits, what is drawn."""

from __future__ import annotations

import pytest

from cutaway.commands import Engine
from cutaway.playground import SMALL, Playground, Terminal


class Seat:
    """A terminal, and what it has printed."""

    def __init__(self, place: Playground) -> None:
        self.printed: list[str] = []
        self.terminal: Terminal = place.open(self.printed.append)

    def type(self, *lines: str) -> str:
        """Enter lines; return what was printed since the last time."""
        for line in lines:
            self.terminal.enter(line)
        text = "".join(self.printed)
        self.printed.clear()
        return text


@pytest.fixture
def place():
    return Playground()


@pytest.fixture
def ada(place):
    return Seat(place)


@pytest.fixture
def ben(place):
    return Seat(place)


def test_replies_look_as_redis_cli_prints_them(ada):
    assert ada.type("SET greeting hello", "GET greeting", "GET nothing") == 'OK\n"hello"\n(nil)\n'
    assert ada.type("RPUSH l a b", "LRANGE l 0 -1") == '(integer) 2\n1) "a"\n2) "b"\n'
    assert ada.type("LPUSH greeting x").startswith("(error) WRONGTYPE")
    assert ada.type('SET "unfinished') == "Invalid argument(s)\n"
    assert ada.type("", "   ") == ""
    assert ada.type("3 INCR n") == "(integer) 1\n(integer) 2\n(integer) 3\n"


def test_a_line_is_repeated_no_oftener_than_the_page_can_bear(ada):
    ada.type("1000000 INCR n")
    assert ada.type("GET n") == '"10000"\n'


def test_the_prompt_tells_the_state(ada):
    assert ada.terminal.prompt == "cutaway> "
    ada.type("SELECT 3", "MULTI")
    assert ada.terminal.prompt == "cutaway[3](TX)> "
    assert ada.type("SET k v", "EXEC") == "QUEUED\n1) OK\n"
    assert ada.terminal.prompt == "cutaway[3]> "


def test_who_waits_is_answered_by_somebody_else(ada, ben):
    assert ada.type("BLPOP jobs 0") == ""
    assert ada.terminal.is_waiting
    assert ada.type("GET k") == "", "nothing is taken while it waits"
    assert ben.type("RPUSH jobs sweep") == "(integer) 1\n"
    assert ada.type() == '1) "jobs"\n2) "sweep"\n'
    assert not ada.terminal.is_waiting


def test_who_waits_is_answered_by_the_passing_of_time(place, ada):
    now = [1_700_000_000_000]
    engine: Engine = place.engine
    engine.clock = lambda: now[0]
    assert ada.type("BLPOP jobs 1", "SET k v") == ""
    now[0] += 1001
    place.tick()
    assert ada.type() == "(nil)\n"
    ada.type("SET soon gone EX 5")
    place.tick()
    assert not place.tick(), "nothing has changed since"
    now[0] += 5001
    assert place.tick(), "a key has gone"
    assert "no key soon" in str(ada.terminal.structure)


def test_ctrl_c_ends_the_waiting_and_the_listening(ada, ben):
    ada.type("BLPOP jobs 0")
    ada.terminal.interrupt()
    assert not ada.terminal.is_waiting
    assert ada.type("PING") == "PONG\n"
    ada.type("SUBSCRIBE news")
    ada.terminal.interrupt()
    assert ben.type("PUBLISH news hi") == "(integer) 0\n"
    assert ada.type("PING") == "PONG\n"


def test_messages_come_unasked(ada, ben):
    assert ada.type("SUBSCRIBE a b") == (
        '1) "subscribe"\n2) "a"\n3) (integer) 1\n1) "subscribe"\n2) "b"\n3) (integer) 2\n'
    )
    assert ben.type("PUBLISH b hello") == "(integer) 1\n"
    assert ada.type() == '1) "message"\n2) "b"\n3) "hello"\n'
    assert ada.terminal.prompt == "cutaway(subscribed mode)> "


def test_the_manual_gives_help_hints_and_completions(ada):
    assert "Returns the string value of a key" in ada.type("help get")
    assert ada.terminal.hint("GET") == " key"
    assert ada.terminal.hint("") == ""
    assert ada.terminal.completions("zrangeby") == ["zrangebylex", "zrangebyscore"]
    assert "SET a b NX" in ada.terminal.completions("SET a b N")


def test_the_wire_shows_what_a_socket_would_have_carried(ada):
    ada.type("GET k")
    said = str(ada.terminal.wire)
    assert "sent, 20 bytes" in said
    assert "received, 5 bytes" in said
    ada.type("HELLO 3", "GET k")
    assert "received, 3 bytes" in str(ada.terminal.wire)


@pytest.mark.parametrize(
    ("few", "said_of_few", "more", "said_of_more"),
    [
        ("ZADD k 1 a 2 b", "held as listpack", "ZADD k 3 c 4 d 5 e", "lane 0"),
        ("RPUSH k a b", "held as listpack", "RPUSH k c d e f g", "7 elements in 2 nodes"),
        ("HSET k a 1", "held as listpack", "HSET k b 1 c 1 d 1 e 1", "held as hashtable"),
        ("SADD k 1 2", "held as intset", "SADD k x y z", "held as hashtable"),
        ("XADD k 1-1 a b", "1 entry", "5 XADD k * a b", "2 keys in 4 nodes"),
        ("SET k 12", "held as int", "APPEND k 3", "held as raw"),
    ],
)
def test_a_few_elements_show_how_a_value_changes_its_form(ada, few, said_of_few, more, said_of_more):
    ada.type(few)
    assert said_of_few in str(ada.terminal.structure)
    ada.type(more)
    assert said_of_more in str(ada.terminal.structure)
    assert ada.terminal.structure.html.startswith("<div")


def test_its_small_limits_can_be_seen_and_changed(ada):
    for name, value in SMALL.items():
        assert ada.type(f"CONFIG GET {name}").splitlines()[1] == f'2) "{value}"'
    ada.type("CONFIG SET zset-max-listpack-entries 128", "ZADD k 1 a 2 b 3 c 4 d 5 e")
    assert "held as listpack" in str(ada.terminal.structure)


def test_what_belongs_to_a_process_is_an_unknown_command(ada):
    for line in ("INFO", "SAVE", "MONITOR", "SHUTDOWN"):
        assert "unknown command" in ada.type(line)
