"""Every error text of the engine, in one place, to the byte as Redis writes it.

Clients match on these texts. The first word is the error's code: clients turn it into an exception class, and the
server counts errors by it (`INFO errorstats`). A text that a command builds from its arguments is a function here;
a fixed one is a constant, made once: raising it again costs no formatting.
"""

from __future__ import annotations

from typing import Final

from cutaway.resp import ReplyError


class CommandError(ReplyError):
    """What a command answers instead of a result. Its text starts with the code ("ERR ...", "WRONGTYPE ...")."""

    @property
    def code(self) -> str:
        """The first word of the text: "ERR", "WRONGTYPE", "NOSCRIPT" ..."""
        return self.message.partition(" ")[0]


def printable(text: bytes, limit: int | None = None) -> str:
    """An argument as an error shows it: up to the first zero byte, as C prints it, and `limit` bytes at most."""
    return text.partition(b"\0")[0][:limit].decode("utf-8", "surrogateescape")


WRONG_TYPE: Final[CommandError] = CommandError(
    "WRONGTYPE Operation against a key holding the wrong kind of value"
)
SYNTAX: Final[CommandError] = CommandError("ERR syntax error")
NOT_AN_INTEGER: Final[CommandError] = CommandError("ERR value is not an integer or out of range")
NOT_A_FLOAT: Final[CommandError] = CommandError("ERR value is not a valid float")
NOT_POSITIVE: Final[CommandError] = CommandError("ERR value is out of range, must be positive")
OUT_OF_RANGE: Final[CommandError] = CommandError("ERR value is out of range")
INDEX_OUT_OF_RANGE: Final[CommandError] = CommandError("ERR index out of range")
NO_SUCH_KEY: Final[CommandError] = CommandError("ERR no such key")
SAME_OBJECT: Final[CommandError] = CommandError("ERR source and destination objects are the same")
DB_INDEX_OUT_OF_RANGE: Final[CommandError] = CommandError("ERR DB index is out of range")
OVERFLOW: Final[CommandError] = CommandError("ERR increment or decrement would overflow")
NAN_OR_INFINITY: Final[CommandError] = CommandError("ERR increment would produce NaN or Infinity")
STRING_TOO_LONG: Final[CommandError] = CommandError(
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
)
OFFSET_OUT_OF_RANGE: Final[CommandError] = CommandError("ERR offset is out of range")
BIT_OFFSET: Final[CommandError] = CommandError("ERR bit offset is not an integer or out of range")
BIT_VALUE: Final[CommandError] = CommandError("ERR bit is not an integer or out of range")
TIMEOUT_NOT_A_FLOAT: Final[CommandError] = CommandError("ERR timeout is not a float or out of range")
TIMEOUT_NOT_AN_INTEGER: Final[CommandError] = CommandError("ERR timeout is not an integer or out of range")
TIMEOUT_NEGATIVE: Final[CommandError] = CommandError("ERR timeout is negative")
TIMEOUT_OUT_OF_RANGE: Final[CommandError] = CommandError("ERR timeout is out of range")
INVALID_CURSOR: Final[CommandError] = CommandError("ERR invalid cursor")
MIN_OR_MAX_NOT_A_FLOAT: Final[CommandError] = CommandError("ERR min or max is not a float")
MIN_OR_MAX_NOT_A_LEX_RANGE: Final[CommandError] = CommandError("ERR min or max not valid string range item")
SCORE_NAN: Final[CommandError] = CommandError("ERR resulting score is not a number (NaN)")
NO_AUTH: Final[CommandError] = CommandError("NOAUTH Authentication required.")
NO_PROTO: Final[CommandError] = CommandError("NOPROTO unsupported protocol version")
LOADING: Final[CommandError] = CommandError("LOADING Redis is loading the dataset in memory")
OUT_OF_MEMORY: Final[CommandError] = CommandError("OOM command not allowed when used memory > 'maxmemory'.")
READ_ONLY: Final[CommandError] = CommandError("READONLY You can't write against a read only replica.")
UNBLOCKED: Final[CommandError] = CommandError("UNBLOCKED client unblocked via CLIENT UNBLOCK")
KEY_GONE_WHILE_BLOCKED: Final[CommandError] = CommandError("UNBLOCKED the stream key no longer exists")


def unknown_command(name: bytes, arguments: list[bytes]) -> CommandError:
    """No such command; the text shows the start of its arguments, as much of them as 128 bytes hold."""
    shown = b""
    for argument in arguments:
        if len(shown) >= 128:
            break
        shown += b"'%b' " % argument.partition(b"\0")[0][: 128 - len(shown)]
    return CommandError(
        f"ERR unknown command '{printable(name, 128)}', with args beginning with: {printable(shown)}"
    )


def unknown_subcommand(name: bytes, container: str) -> CommandError:
    """A container command, such as CONFIG, got a subcommand that it does not have."""
    return CommandError(f"ERR unknown subcommand '{printable(name, 128)}'. Try {container.upper()} HELP.")


def wrong_arity(full_name: str) -> CommandError:
    """Too few or too many arguments. `full_name` is lower case: "get", "config|set"."""
    return CommandError(f"ERR wrong number of arguments for '{full_name}' command")


def invalid_expire(full_name: str) -> CommandError:
    """An expiry that is not positive, or too far away for 64 bits of milliseconds."""
    return CommandError(f"ERR invalid expire time in '{full_name}' command")


def out_of_range(low: int, high: int) -> CommandError:
    """An integer outside the bounds that an argument has."""
    return CommandError(f"ERR value is out of range, value must between {low} and {high}")
