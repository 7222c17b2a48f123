r"""Which reply answers which request: a client without a socket.

A server answers in the order in which it was asked, so a queue of what was asked and a parser of what comes back are nearly
all there is to a client. The rest of this module is what "nearly" hides:

* **Messages** come unasked. RESP3 marks them (``>``). RESP2 does not: there a message is an array that begins with
  ``message``, and only the fact that we have subscribed tells it from a reply.
* **Confirmations.** ``SUBSCRIBE a b`` has no reply but a message per channel, between which other messages may come; we give
  the confirmations together, as `Several`. ``UNSUBSCRIBE`` alone has as many as there are subscriptions, but at least one.
* **Monitoring.** After ``MONITOR`` every command of every client arrives as a line of text.
* **Silence.** After ``CLIENT REPLY OFF`` or ``SKIP`` there is nothing to wait for.
* **State.** Which database is selected, whether a transaction is open, which protocol is spoken: the server does not tell, so
  who wants to show it has to follow the commands and their replies.

`ask` makes the bytes to send, `receive` takes the bytes that came: whoever owns a socket does the carrying. `Client` does it
by blocking, `AsyncClient` in an event loop, and a test by hand:

    >>> talk = Conversation()
    >>> request = talk.ask([b"GET", b"k"])
    >>> request.payload
    b'*2\r\n$3\r\nGET\r\n$1\r\nk\r\n'
    >>> talk.receive(b"$1\r\nv\r\n")
    >>> request.reply
    b'v'
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from cutaway.resp import (
    NO_REPLY,
    MapReply,
    NullArray,
    Push,
    Reply,
    ReplyError,
    ReplyParser,
    Several,
    encode_request,
)

Argument: TypeAlias = bytes | str | int | float
"""A word of a request. Text is sent as UTF-8, numbers in decimal."""

_SUBSCRIBING: Final = {
    b"subscribe": b"subscribe",
    b"psubscribe": b"psubscribe",
    b"ssubscribe": b"ssubscribe",
    b"unsubscribe": b"subscribe",
    b"punsubscribe": b"psubscribe",
    b"sunsubscribe": b"ssubscribe",
}
"""Each command that is answered by messages, and the kind of subscription that it begins or ends."""
_MESSAGES: Final = frozenset((b"message", b"pmessage", b"smessage"))
_MONITOR_LINE: Final = re.compile(r"\d+\.\d+ \[")


def as_bytes(word: Argument) -> bytes:
    """A word as it is sent."""
    return word if isinstance(word, bytes) else str(word).encode("utf-8", "surrogateescape")


class Request:
    """Something that was asked: the bytes to send, and, once `is_answered`, the reply."""

    __slots__ = ("_confirmations", "argv", "expected", "is_answered", "name", "on_answer", "payload", "reply")

    def __init__(self, argv: Sequence[bytes]) -> None:
        self.argv: Final = argv
        self.name: Final = argv[0].lower()
        self.payload: Final = encode_request(argv)
        self.reply: Reply = NO_REPLY
        self.is_answered = False
        self.on_answer: Callable[[], None] | None = None
        self.expected = 0
        """How many confirmations answer it; 0 for a request with an ordinary reply."""
        self._confirmations: Final[list[Reply]] = []

    def answer(self, reply: Reply) -> None:
        """This is the reply."""
        self.reply = reply
        self.is_answered = True
        if self.on_answer is not None:
            self.on_answer()

    def confirm(self, message: Reply) -> bool:
        """Take one confirmation; true if it was the last."""
        self._confirmations.append(message)
        if len(self._confirmations) < self.expected:
            return False
        self.answer(Several(self._confirmations))
        return True


class Conversation:
    """The requests under way on one connection, and what the server said beside its replies."""

    __slots__ = (
        "_before_multi", "_is_silent", "_parser", "_skips", "database", "in_multi", "is_monitoring",
        "messages", "protocol", "requests", "subscriptions",
    )  # fmt: skip

    def __init__(self, *, exact: bool = False) -> None:
        self._parser: Final = ReplyParser(exact=exact)
        self.requests: Final[deque[Request]] = deque()
        """Those not yet answered, the oldest first."""
        self.messages: Final[deque[Reply]] = deque()
        """What came unasked: `Push`, and `str` for the lines of MONITOR. Whoever reads them takes them out."""
        self.protocol = 2
        self.database = self._before_multi = 0
        self.in_multi = False
        self.subscriptions: Final[dict[bytes, set[bytes]]] = {kind: set() for kind in _SUBSCRIBING.values()}
        self.is_monitoring = False
        self._is_silent = False
        self._skips = 0

    @property
    def is_subscribed(self) -> bool:
        """Whether there is any channel or pattern that we listen to."""
        return any(self.subscriptions.values())

    def ask(self, argv: Sequence[bytes]) -> Request:
        """Make a request; its `payload` has to be sent before that of the next. O(bytes)."""
        request = Request(argv)
        if kind := _SUBSCRIBING.get(request.name):
            request.expected = len(argv) - 1 or max(1, len(self.subscriptions[kind]))
        if self._stays_unanswered(request):
            request.answer(NO_REPLY)
        else:
            self.requests.append(request)
        return request

    def receive(self, data: bytes) -> None:
        """Take bytes from the server. Raises ReplyProtocolError. O(bytes)."""
        self._parser.feed(data)
        for value in self._parser:
            self._place(value)

    def _stays_unanswered(self, request: Request) -> bool:
        mode = request.argv[2].lower() if _is_client_reply(request) else b""
        if mode == b"on":
            self._is_silent = False
        elif mode == b"off":
            self._is_silent = True
        elif mode == b"skip" and not self._is_silent:
            self._skips = 2  # this one and the next
        if self._skips:
            self._skips -= 1
            return True
        return self._is_silent

    def _place(self, value: Reply) -> None:
        """Decide what a value is: a reply, a part of one, or a message."""
        kind = self._kind_of_message(value)
        if kind is None:
            if self.requests:
                request = self.requests.popleft()
                self._learn(request, value)
                request.answer(value)
            else:
                self.messages.append(value)
            return
        message = value if isinstance(value, (Push, str)) else Push(value)  # type: ignore[arg-type]
        if kind in _SUBSCRIBING and isinstance(message, Push):
            self._note_subscription(kind, message)
        if self.requests and self.requests[0].expected and self.requests[0].name == kind:
            if self.requests[0].confirm(message):
                self.requests.popleft()
        else:
            self.messages.append(message)

    def _kind_of_message(self, value: Reply) -> bytes | None:
        """The first word of a message, b"" if it has none, or None if the value is a reply."""
        if isinstance(value, Push):
            return value.items[0] if value.items and isinstance(value.items[0], bytes) else b""
        if isinstance(value, str):
            return b"" if self.is_monitoring and _MONITOR_LINE.match(value) else None
        if self.protocol != 2 or not isinstance(value, list) or len(value) < 3:
            return None
        kind = value[0]
        if not isinstance(kind, bytes):
            return None
        if kind in _SUBSCRIBING:
            is_asked = bool(self.requests) and self.requests[0].name == kind
            return kind if is_asked or self.is_subscribed else None
        return kind if kind in _MESSAGES and self.is_subscribed else None

    def _note_subscription(self, kind: bytes, message: Push) -> None:
        channels = self.subscriptions[_SUBSCRIBING[kind]]
        channel = message.items[1] if len(message.items) > 1 else None
        if not isinstance(channel, bytes):
            channels.clear()  # "unsubscribe" of nothing: there was nothing left
        elif b"un" in kind:
            channels.discard(channel)
        else:
            channels.add(channel)

    def _learn(self, request: Request, reply: Reply) -> None:
        """Some commands change how the conversation goes on."""
        name, argv = request.name, request.argv
        if name == b"exec" and self.in_multi and len(argv) == 1:
            self.in_multi = False
            if reply is None or isinstance(reply, (NullArray, ReplyError)):
                self.database = self._before_multi
        elif isinstance(reply, ReplyError):
            return
        elif name == b"select" and len(argv) == 2:
            self.database = int(argv[1])
        elif name == b"multi":
            self.in_multi = True
            self._before_multi = self.database
        elif name == b"discard":
            self.in_multi = False
            self.database = self._before_multi
        elif name == b"hello":
            self.protocol = 3 if isinstance(reply, (dict, MapReply)) else 2
        elif name == b"monitor" and reply == "OK":
            self.is_monitoring = True
        elif name == b"reset" and reply == "RESET":
            self.protocol, self.database = 2, 0
            self.in_multi = self.is_monitoring = False
            for channels in self.subscriptions.values():
                channels.clear()


def _is_client_reply(request: Request) -> bool:
    return request.name == b"client" and len(request.argv) == 3 and request.argv[1].lower() == b"reply"
