"""Which scripts stay: those of SCRIPT LOAD for good, those of EVAL as long as there is room for them."""

from __future__ import annotations

from hashlib import sha1

from cutaway.commands import Engine
from cutaway.scripting.room import PASSING_SCRIPTS, ROOM


def text(number: int) -> bytes:
    return b"return %d" % number


def name(number: int) -> bytes:
    return sha1(text(number)).hexdigest().encode()


def known(engine: Engine, *numbers: int) -> list[int]:
    reply = engine.do(b"SCRIPT", b"EXISTS", *map(name, numbers))
    assert isinstance(reply, list)
    return [number for number, is_there in zip(numbers, reply, strict=True) if is_there]


def fill(engine: Engine, *, leaving: int = 0) -> None:
    for number in range(1000, 1000 + PASSING_SCRIPTS - leaving):
        engine.do(b"EVAL", text(number), b"0")


def test_a_new_script_of_eval_takes_the_place_of_the_one_not_used_for_longest(engine: Engine) -> None:
    for number in (1, 2, 3):
        engine.do(b"EVAL", text(number), b"0")
    fill(engine, leaving=3)
    assert known(engine, 1, 2, 3) == [1, 2, 3]
    engine.do(b"EVALSHA", name(1), b"0")
    engine.do(b"EVAL", text(4), b"0")
    engine.do(b"EVAL", text(5), b"0")
    assert known(engine, 1, 2, 3, 4, 5) == [1, 4, 5]
    assert engine.extras[ROOM].evicted == 2


def test_a_script_that_was_loaded_stays_whichever_came_first(engine: Engine) -> None:
    engine.do(b"SCRIPT", b"LOAD", text(1))
    engine.do(b"EVAL", text(1), b"0")
    engine.do(b"EVAL", text(2), b"0")
    engine.do(b"SCRIPT", b"LOAD", text(2))
    fill(engine)
    assert known(engine, 1, 2) == [1, 2]
    assert engine.extras[ROOM].evicted == 0
    engine.do(b"EVAL", text(3), b"0")
    assert engine.extras[ROOM].evicted == 1
    assert known(engine, 1, 2, 3, 1000) == [1, 2, 3]


def test_a_flush_begins_anew(engine: Engine) -> None:
    fill(engine)
    engine.do(b"SCRIPT", b"FLUSH")
    fill(engine)
    assert engine.extras[ROOM].evicted == 0
