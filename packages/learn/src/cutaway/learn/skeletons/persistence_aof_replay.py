r"""Exercise persistence.aof-replay: the power went while a command was being written. What counts?

An append-only file holds every write since it was begun, as requests:

    *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n

At the start the server runs them all again. But the last one may be there by half.

The contract
  * `replay(data)` returns (commands, offset): the commands that count, each a list of its words, and how many bytes of the file
    they take. If all of it counts, that is len(data); otherwise the server cuts the file there and appends behind.
  * A command that is cut off by the end of the file does not count.
  * Commands from MULTI to EXEC count together, with both of them; if the file ends before EXEC, none counts, and the offset is that
    of MULTI. The words may be written in any case.
  * A line that begins with `#` is a remark, and is passed over. (If the tail is torn, the offset is where the last command that counts
    ends; remarks behind it go too.)
  * Anything else that is no command raises ValueError: a line that does not begin with `*`, a count below 1, a length that is
    no number, a payload that is not followed by \r\n.

Check yourself:   python -m cutaway.learn check persistence.aof-replay
Stuck?            python -m cutaway.learn hint persistence.aof-replay
"""

from __future__ import annotations


def replay(data: bytes) -> tuple[list[list[bytes]], int]:
    """The commands that count, and the offset up to which the file does."""
    raise NotImplementedError


def test_one_command() -> None:
    """The first step."""
    data = b"*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n"
    got = replay(data)
    assert got == ([[b"DEL", b"k"]], 20)
