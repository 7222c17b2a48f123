"""What is printed of a reply or a message, and in which order with what.

A printer knows the format, and the three exceptions to it: some replies are a page of text to be read, and shown as it is
(INFO); the confirmations of one SUBSCRIBE are several replies; and an invalidation, which a person should notice among
others, has a form of its own. If the wire is shown, its bytes come before what they mean.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from cutaway.client.conversations import Conversation
from cutaway.client.formats import Format
from cutaway.resp import NoReply, Push, Reply, Several

_PAGES: Final = {
    (b"info",),
    (b"lolwut",),
    (b"debug", b"htstats"),
    (b"debug", b"htstats-key"),
    (b"debug", b"client-eviction"),
    (b"memory", b"malloc-stats"),
    (b"memory", b"doctor"),
    (b"client", b"list"),
    (b"client", b"info"),
    (b"proxy", b"info"),
}
"""Commands whose replies are a page of text, to be shown as it is, whatever else they are given."""
_PAGES_OF_TWO: Final = {(b"cluster", b"nodes"), (b"cluster", b"info"), (b"latency", b"doctor")}


class Flushable(Protocol):
    """What has to be printed before a reply: the view of the wire."""

    def flush(self) -> None:
        """Print what there is so far."""


def stdout_bytes(data: bytes) -> None:
    """Print bytes as they are, at once."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def complain(text: str) -> None:
    """Say what went wrong where it does not mix with replies."""
    print(text, file=sys.stderr, flush=True)


class Printer:
    """Prints replies and messages in one format."""

    __slots__ = ("_wire", "_write", "format")

    def __init__(
        self, format: Format, wire: Flushable | None = None, write: Callable[[bytes], None] = stdout_bytes
    ) -> None:
        self.format: Final = format
        self._wire: Final = wire
        self._write: Final = write

    def reply(self, argv: Sequence[bytes], reply: Reply) -> None:
        """The reply to a command."""
        if isinstance(reply, Several):
            text = b"".join([self.format.write(each) for each in reply.items])
        elif isinstance(reply, NoReply):
            text = b""
        else:
            text = self.format.write(reply, as_is=is_page(argv))
        self.print(text)

    def message(self, message: Reply) -> None:
        """Something that came unasked."""
        keys = _invalidated(message) if self.format.name == "standard" else None
        if keys is not None:
            self.print(b"-> invalidate: %b\n" % b", ".join([b"'%b'" % key for key in keys]))
        else:
            self.print(self.format.write(message))

    def print(self, text: bytes) -> None:
        """Some text, after the bytes that brought it."""
        if self._wire is not None:
            self._wire.flush()
        if text:
            self._write(text)


def prompt(place: str, conversation: Conversation) -> str:
    """What stands before the cursor: where we are, and what decides how the next command will be taken."""
    database = f"[{conversation.database}]" if conversation.database else ""
    transaction = "(TX)" if conversation.in_multi else ""
    subscribed = "(subscribed mode)" if conversation.is_subscribed else ""
    monitoring = "(monitor mode)" if conversation.is_monitoring else ""
    return f"{place}{database}{transaction}{subscribed}{monitoring}> "


def _invalidated(message: Reply) -> list[bytes] | None:
    """The keys of an invalidation message, or None if it is another."""
    if not isinstance(message, Push) or len(message.items) != 2 or message.items[0] != b"invalidate":
        return None
    keys = message.items[1]
    return [key for key in keys if isinstance(key, bytes)] if isinstance(keys, list) else None


def is_page(argv: Sequence[bytes]) -> bool:
    """Whether the reply is a page of text, which quotes and escapes would spoil."""
    words = tuple(word.lower() for word in argv[:2])
    if words[:1] in _PAGES or words in _PAGES:
        return True
    if len(argv) == 3 and words == (b"latency", b"graph"):
        return True
    return len(argv) == 2 and words in _PAGES_OF_TWO
