"""Who listens to what: channels, patterns, shard channels, and the way of a message.

Publish/subscribe joins strangers. Whoever publishes names a channel, not a receiver, and gets back how many
heard it; whoever subscribes learns what is said from then on. Nothing is stored: a message for which nobody
listens is gone, and so is one that was sent while a subscriber was away. That makes it cheap, and makes it a
wire, not a queue (a queue is a stream).

There are three separate sets of names:

* *Channels*, matched exactly. One lookup finds the subscribers.
* *Patterns*, globs such as `news.*`. A message's channel is tried against every pattern that somebody
  subscribed to, so a PUBLISH costs O(patterns) whether they match or not. A client that subscribed to a
  channel and to two patterns that match gets the message three times.
* *Shard channels* (SSUBSCRIBE), as channels, but in a cluster bound to the slot of their name and heard only
  there. They know no patterns, and are counted apart.

Each name maps to its subscribers, and each client to its names: the first serves PUBLISH, the second the end
of a connection. Dicts stand for sets, because they keep the order in which clients came.

One message goes to all its subscribers as one `Push`, which is encoded once for each protocol version, at
most twice: a thousand subscribers cost a thousand appends to output buffers, not a thousand encodings. A
pattern's message names the pattern, and so there is one more for each pattern that matches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cutaway.commands import PASS, CommandError
from cutaway.config.glob import matcher, matches
from cutaway.resp import Push

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutaway.commands import Client, Command, Engine
    from cutaway.resp import Reply

ROOM: Final = "pubsub"
MakeMatcher = Callable[[bytes], Callable[[bytes], object]]
"""What makes of a pattern the test for it, whose answer counts by its truth."""
ALLOWED_WHILE_LISTENING: Final = frozenset({
    "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe",
    "ping", "quit", "reset",
})  # fmt: skip

CHANNEL_BYTES: Final = 320
PATTERN_BYTES: Final = 640
"""What a subscription takes besides its name: its place in the tables, and what a pattern was made into. Measured."""

Listeners = dict[bytes, dict[int, "Client"]]


class Subscriptions:
    """What one client listens to."""

    __slots__ = ("channels", "name_bytes", "patterns", "shard_channels")

    def __init__(self) -> None:
        self.name_bytes = 0
        """The length of all names, together."""
        self.channels: Final[dict[bytes, None]] = {}
        self.patterns: Final[dict[bytes, None]] = {}
        self.shard_channels: Final[dict[bytes, None]] = {}

    def __bool__(self) -> bool:
        return bool(self.channels or self.patterns or self.shard_channels)

    def info(self) -> dict[str, int]:
        """For CLIENT LIST."""
        return {"sub": len(self.channels), "psub": len(self.patterns), "ssub": len(self.shard_channels)}

    def memory_usage(self) -> int:
        """What the subscriptions take, in bytes. O(1)."""
        channels = len(self.channels) + len(self.shard_channels)
        return self.name_bytes + CHANNEL_BYTES * channels + PATTERN_BYTES * len(self.patterns)


class Names:
    """One of the three sets of names: who listens to which, and what its confirmations are called."""

    __slots__ = ("joined", "left", "listeners", "of", "total")

    def __init__(
        self,
        joined: bytes,
        left: bytes,
        of: Callable[[Subscriptions], dict[bytes, None]],
        total: Callable[[Subscriptions], int],
    ) -> None:
        self.joined: Final = joined
        self.left: Final = left
        self.of: Final = of
        """This set's part of a client's subscriptions."""
        self.total: Final = total
        """How many subscriptions a confirmation reports."""
        self.listeners: Final[Listeners] = {}

    def join(self, client: Client, own: Subscriptions, name: bytes) -> Push:
        """Let `client` listen to `name`; the confirmation. O(1)."""
        names = self.of(own)
        if name not in names:
            names[name] = None
            own.name_bytes += len(name)
        self.listeners.setdefault(name, {})[client.id] = client
        return Push([self.joined, name, self.total(own)])

    def leave(self, client: Client, own: Subscriptions, name: bytes) -> Push:
        """Let `client` no longer listen to `name`, if it did; the confirmation. O(1)."""
        if self.of(own).pop(name, b"") is None:
            own.name_bytes -= len(name)
            listeners = self.listeners[name]
            del listeners[client.id]
            if not listeners:
                del self.listeners[name]
        return Push([self.left, name, self.total(own)])

    def leave_all(self, client: Client, own: Subscriptions) -> list[Push]:
        """Leave every name; with none to leave, a confirmation that names none. O(names)."""
        confirmations = [self.leave(client, own, name) for name in list(self.of(own))]
        return confirmations or [Push([self.left, None, self.total(own)])]

    def names(self, pattern: bytes | None) -> list[bytes]:
        """The names that somebody listens to, those that match `pattern`. O(names)."""
        if pattern is None:
            return list(self.listeners)
        return [name for name in self.listeners if matches(pattern, name)]

    def count(self, name: bytes) -> int:
        """How many clients listen to `name`. O(1)."""
        return len(self.listeners.get(name, ()))


class Hub:
    """All subscriptions of one engine."""

    __slots__ = ("_make_matcher", "_matchers", "channels", "patterns", "shard_channels")

    def __init__(self, make_matcher: MakeMatcher = matcher) -> None:
        self._make_matcher: Final = make_matcher
        self.channels: Final = Names(b"subscribe", b"unsubscribe", lambda own: own.channels, _ordinary)
        self.patterns: Final = Names(b"psubscribe", b"punsubscribe", lambda own: own.patterns, _ordinary)
        self.shard_channels: Final = Names(
            b"ssubscribe",
            b"sunsubscribe",
            lambda own: own.shard_channels,
            lambda own: len(own.shard_channels),
        )
        self._matchers: Final[dict[bytes, Callable[[bytes], object]]] = {}

    # ---- subscribing

    def subscribe(self, client: Client, names: Names, wanted: Sequence[bytes]) -> list[Push]:
        """Let `client` listen to all of `wanted`; a confirmation each. O(wanted)."""
        own: Subscriptions | None = client.extras.get(ROOM)
        if own is None:
            own = client.extras[ROOM] = Subscriptions()
            client.on_close.append(self.forget)
            client.on_reset.append(self.forget)
        confirmations = [names.join(client, own, name) for name in wanted]
        if names is self.patterns:
            for pattern in wanted:
                self._matchers[pattern] = self._make_matcher(pattern)
        client.flags.add("P")
        if client.intercept is None:
            client.intercept = only_while_listening
        return confirmations

    def unsubscribe(self, client: Client, names: Names, unwanted: Sequence[bytes]) -> list[Push]:
        """Let `client` leave `unwanted`, or all names of this set; a confirmation each. O(names left)."""
        own: Subscriptions = client.extras.get(ROOM) or Subscriptions()
        if unwanted:
            confirmations = [names.leave(client, own, name) for name in unwanted]
        else:
            confirmations = names.leave_all(client, own)
        if names is self.patterns:
            for _, pattern, _ in (push.items for push in confirmations):
                if pattern not in names.listeners:
                    self._matchers.pop(pattern, None)  # type: ignore[arg-type] # a name, or the None of no name
        if not own:
            self._silence(client)
        return confirmations

    def forget(self, client: Client) -> None:
        """The connection is closed or reset: it listens to nothing, and is not told. O(subscriptions)."""
        for names in (self.channels, self.patterns, self.shard_channels):
            self.unsubscribe(client, names, ())
        client.extras.pop(ROOM, None)
        if self.forget in client.on_close:
            client.on_close.remove(self.forget)
            client.on_reset.remove(self.forget)

    @staticmethod
    def _silence(client: Client) -> None:
        """The client listens to nothing any more."""
        client.flags.discard("P")
        if client.intercept is only_while_listening:
            client.intercept = None

    # ---- publishing

    def publish(self, channel: bytes, message: bytes) -> int:
        """Send `message` to all who listen to `channel`, by its name or by patterns; how often. O(those)."""
        receivers = 0
        listeners = self.channels.listeners.get(channel)
        if listeners is not None:
            receivers = _deliver(listeners, Push([b"message", channel, message]))
        for pattern, fits in self._matchers.items():
            if fits(channel):
                push = Push([b"pmessage", pattern, channel, message])
                receivers += _deliver(self.patterns.listeners[pattern], push)
        return receivers

    def publish_to_shard(self, channel: bytes, message: bytes) -> int:
        """Send `message` to all who listen to the shard channel; how many. O(those)."""
        listeners = self.shard_channels.listeners.get(channel)
        return 0 if listeners is None else _deliver(listeners, Push([b"smessage", channel, message]))

    def __bool__(self) -> bool:
        """Whether a message could reach anybody; shard channels aside."""
        return bool(self.channels.listeners or self.patterns.listeners)

    def check(self) -> None:
        """Assert the invariant: names to clients and clients to names say the same. O(subscriptions)."""
        for names in (self.channels, self.patterns, self.shard_channels):
            assert all(names.listeners.values()), "a name without listeners is kept"
            for name, clients in names.listeners.items():
                for client in clients.values():
                    assert name in names.of(client.extras[ROOM])
                    assert "P" in client.flags
        assert self._matchers.keys() == self.patterns.listeners.keys()


def _ordinary(own: Subscriptions) -> int:
    return len(own.channels) + len(own.patterns)


def _deliver(listeners: dict[int, Client], push: Push) -> int:
    # A client that is over its output buffer limit may be closed, and so leave, while we go through them.
    clients = list(listeners.values())
    for client in clients:
        client.deliver(push)
    return len(clients)


def only_while_listening(client: Client, command: Command, _argv: Sequence[bytes]) -> Reply:
    """A subscriber's `intercept`: in RESP2 a reply looks like a message, so hardly any command may run."""
    if client.protocol > 2 or command.name in ALLOWED_WHILE_LISTENING or "P" not in client.flags:
        return PASS
    text = (
        f"ERR Can't execute '{command.full_name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
        "RESET are allowed in this context"
    )
    return client.engine.refuse(client, command, CommandError(text))


def hub_of(engine: Engine) -> Hub:
    """The engine's subscriptions."""
    hub: Hub = engine.extras[ROOM]
    return hub
