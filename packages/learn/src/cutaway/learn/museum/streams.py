"""Sick readers: of a connection, of a log, of a pattern."""

from __future__ import annotations

from typing import Any, Final

from cutaway.config.glob import matches
from cutaway.learn.museum.exhibits import Exhibit
from cutaway.learn.solutions.persistence_aof_replay import Cursor, TornError, replay
from cutaway.resp import RequestParser

# ---- a read that ends in the wrong place


class ImpatientParser(RequestParser):
    """A parser that takes a line end at the end of a read for one that is complete."""

    __slots__ = ()

    def feed(self, data: bytes) -> list[list[bytes]]:
        """Take the next bytes of the stream; return the requests they complete."""
        if len(data) > 1 and data.endswith(b"\r"):
            data += b"\n"
        return super().feed(data)


def find_impatience(parser_class: Any) -> None:
    """The hidden test of partial-reads."""
    data = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
    for place in range(len(data)):
        parser = parser_class()
        assert parser.feed(data[:place]) + parser.feed(data[place:]) == [[b"GET", b"k"]]
        assert parser.feed(data) == [[b"GET", b"k"]]


# ---- half a transaction


def hasty_replay(data: bytes) -> tuple[list[list[bytes]], int]:
    """The commands that count, each as soon as it has been read, and the offset up to which the file does."""
    cursor, counted, whole = Cursor(data), [], 0
    try:
        while (argv := cursor.command()) is not None:
            counted.append(argv)
            whole = cursor.at
    except TornError:
        return counted, whole
    return counted, len(data)


def find_half_transaction(replay: Any) -> None:
    """The hidden test of torn-tail."""
    half = b"*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n"
    assert replay(half) == ([], 0)


# ---- a pattern that means itself


def simple_matches(pattern: bytes, text: bytes) -> bool:
    """Whether the text matches the pattern; backslashes are only there to be skipped."""
    return matches(pattern.replace(b"\\", b""), text)


def find_lost_escape(matches: Any) -> None:
    """The hidden test of pattern-escape."""
    assert not matches(rb"price\*", b"price per pound")


EXHIBITS: Final = (
    Exhibit(
        name="partial-reads",
        symptom="one client in ten thousand is cut off with a protocol error",
        report="On the loopback it never happens. Over the slow line to our warehouse a client is now and then thrown out: `Protocol error: expected '$'`. The trace shows nothing but good requests; "
        "the segments are cut at odd places, that is all.",
        argument="Parser",
        contract="`Parser()` is the parser of one connection. `parser.feed(data)` takes the next bytes and returns the requests they complete, each a list of its words.",
        first_step=r"""
            parser = Parser()
            assert parser.feed(b"*1\r\n$4\r\nPI") == []
            assert parser.feed(b"NG\r\n") == [[b"PING"]]
        """,
        healthy=RequestParser,
        sick=ImpatientParser,
        hidden=find_impatience,
        diagnosis="A read that ends between \\r and \\n: the parser adds the \\n it expects, and then it comes. There are only a few places in a request where a cut does harm, so a test that cuts at one place proves little. "
        "Cut at every place: a request has few bytes.",
    ),
    Exhibit(
        name="torn-tail",
        symptom="after a power cut, money had left one account and not arrived at the other",
        report="A transfer is MULTI, DECRBY a 100, INCRBY b 100, EXEC. The power went, the server came back from its append-only file without a complaint, and a hundred were gone.",
        argument="replay",
        contract="`replay(data)` takes the bytes of an append-only file and returns two things: the commands that count, each a list of its words, and how many bytes of the file they take.",
        first_step=r"""
            whole = b"*2\r\n$3\r\nDEL\r\n$1\r\na\r\n"
            torn = whole + b"*2\r\n$3\r\nDEL\r\n$1"
            assert replay(torn) == ([[b"DEL", b"a"]], len(whole))
        """,
        healthy=replay,
        sick=hasty_replay,
        hidden=find_half_transaction,
        diagnosis="The tail was cut behind the last whole command, and that command was in the middle of a transaction. What comes between MULTI and EXEC counts when EXEC has been read, and not before.",
    ),
    Exhibit(
        name="pattern-escape",
        symptom="a subscriber of one channel gets the messages of many",
        report=r"Our channels are named by users, who may use any character. We subscribe with PSUBSCRIBE and escape what is special: `price\*` for the channel named `price*`. The subscriber gets everything that begins with price.",
        argument="matches",
        contract="`matches(pattern, text)` says whether a channel's name matches a pattern; both are bytes.",
        first_step="""
            assert matches(b"news.*", b"news.weather")
            assert not matches(b"news.*", b"sports")
        """,
        healthy=matches,
        sick=simple_matches,
        hidden=find_lost_escape,
        diagnosis="The backslash was dropped and the star stayed a star. Taking the special meaning away is the one thing that a backslash is for.",
    ),
)  # fmt: skip
