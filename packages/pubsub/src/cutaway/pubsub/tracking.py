"""Client-side caching: who has read what, and must hear when it changes.

The fastest request is the one that is not sent. A client that keeps what it has read in its own memory needs
only one thing of the server: word when a copy has gone stale. CLIENT TRACKING arranges that, in one of two
ways.

*By memory* (the default). The server remembers, for each key that a tracking client reads, that it did. When
the key changes, expires or is evicted, whoever read it is told once, and forgotten: a client that wants to
hear of the next change has to read again. Clients hear of nothing that they do not hold, at the price of a
table in the server. The table maps keys to client ids, whichever database the key is in, and is not cleaned
up when a client goes: its id is met and skipped later. `tracking-table-max-keys` bounds it: beyond, random
keys are given up, their readers being told as if the key had changed. With OPTIN only what is read right
after CLIENT CACHING YES is remembered, with OPTOUT everything but what is read right after CLIENT CACHING NO.

*By broadcast* (BCAST). The server remembers nothing. A client names prefixes, and hears of every change to a
key that begins with one, read or not. Keys are gathered, and told once per turn of the event loop.

A message is a push `invalidate` with the keys, or with null when all of them are gone (FLUSHALL). RESP2 has
no pushes, so there a client names another connection by REDIRECT, which gets the messages on the channel
`__redis__:invalidate`. With NOLOOP a client does not hear of the changes that it makes itself.

There is a race to know about. Between the reply that carries a value and the message that it is stale
anything may happen, but the order on one connection is that of the events: a message never overtakes the
reply it refers to, since what a client's own command brings about follows that command's reply. With two
connections, a client has to check for itself.

Source: https://valkey.io/topics/client-side-caching/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from cutaway.datastructures import Dict
from cutaway.resp import Push

if TYPE_CHECKING:
    from cutaway.commands import Client, Command, Database, Engine
    from cutaway.config.values import Value

ROOM: Final = "tracking"
INVALIDATIONS: Final = b"__redis__:invalidate"
EFFORT: Final = 100
"""How many keys are given up after one command if the table is too large; more if that was not enough."""
PREFIX_BYTES: Final = 480
"""What a prefix takes besides its name, for the first who has it. Measured."""
NOBODYS: Final = frozenset({"expired", "evicted"})
"""Events that no client brings about."""
READ_ONLY_SCRIPTS: Final = frozenset({"eval_ro", "evalsha_ro", "fcall_ro"})
"""What a script reads is what its commands read; its own keys are only announced."""


class Tracked:
    """How one client wants to hear of changes."""

    __slots__ = (
        "broadcast",
        "caching",
        "is_broken",
        "name_bytes",
        "noloop",
        "optin",
        "optout",
        "prefixes",
        "redirect",
    )

    def __init__(self, *, broadcast: bool, optin: bool, optout: bool, noloop: bool, redirect: int) -> None:
        self.broadcast: Final = broadcast
        self.optin: Final = optin
        self.optout: Final = optout
        self.noloop: Final = noloop
        self.redirect: Final = redirect
        """The id of the client that gets the messages instead; 0 for the client itself."""
        self.prefixes: Final[dict[bytes, None]] = {}
        self.name_bytes = 0
        """The length of the prefixes, together."""
        self.caching = False
        """CLIENT CACHING was called: what is read next is an exception from the rule."""
        self.is_broken = False
        """The client that should get the messages is gone."""

    @property
    def remembers(self) -> bool:
        """Whether the keys of the command that runs are to be remembered."""
        return not self.broadcast and (self.caching if self.optin else not (self.optout and self.caching))

    def info(self) -> dict[str, int]:
        """For CLIENT LIST."""
        return {"redir": self.redirect}

    def memory_usage(self) -> int:
        """What the prefixes take, in bytes. O(1)."""
        return self.name_bytes + PREFIX_BYTES * len(self.prefixes)


class Prefix:
    """The clients that want to hear of all keys with one prefix, and the keys to tell them of."""

    __slots__ = ("changed", "clients")

    def __init__(self) -> None:
        self.clients: Final[dict[int, Client]] = {}
        self.changed: dict[bytes, Client | None] = {}
        """By key, who changed it last."""


class Message:
    """One invalidation, in the two forms that it may take; each is encoded once."""

    __slots__ = ("as_message", "as_push")

    def __init__(self, keys: Sequence[bytes] | None) -> None:
        self.as_push: Final = Push([b"invalidate", keys])
        self.as_message: Final = Push([b"message", INVALIDATIONS, keys])


class Tracking:
    """All tracking clients of one engine. It listens to the engine only while there is anything to do."""

    __slots__ = (
        "_changed",
        "_engine",
        "_given_up_in_vain",
        "_is_listening",
        "_lengths",
        "_prefixes",
        "_readers",
        "clients",
        "items",
        "max_keys",
    )

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._readers: Dict[bytes, dict[int, None]] = Dict()
        self._prefixes: Final[dict[bytes, Prefix]] = {}
        self._lengths: Final[dict[int, int]] = {}
        """How many prefixes there are of each length: a key is looked up once for each, however many prefixes there are."""
        self._changed: set[bytes] = set()
        """The prefixes with keys that have changed since the last broadcast."""
        self._is_listening = False
        self._given_up_in_vain = 0
        self.clients: Final[dict[int, Client]] = {}
        self.items = 0
        """How many ids the table holds, over all keys."""
        self.max_keys = 0
        engine.config.subscribe("tracking-table-max-keys", self._set_max_keys)

    def _set_max_keys(self, value: Value) -> None:
        assert isinstance(value, int)
        self.max_keys = value

    @property
    def keys(self) -> int:
        """How many keys the table holds."""
        return len(self._readers)

    @property
    def prefixes(self) -> int:
        """How many different prefixes are broadcast."""
        return len(self._prefixes)

    # ---- beginning and ending

    def start(self, client: Client, mode: Tracked, prefixes: Iterable[bytes]) -> None:
        """Let `client` hear of changes as `mode` says; BCAST adds `prefixes` to those it has. O(prefixes)."""
        old: Tracked | None = client.extras.get(ROOM)
        if old is None:
            client.on_close.append(self.stop)
            client.on_reset.append(self.stop)
        else:
            mode.prefixes.update(old.prefixes)
            mode.caching = old.caching
        client.extras[ROOM] = mode
        client.flags.difference_update("RB")
        client.flags.update("tB" if mode.broadcast else "t")
        self.clients[client.id] = client
        if mode.broadcast:
            for prefix in prefixes:
                mode.prefixes[prefix] = None
                self._state(prefix).clients[client.id] = client
        mode.name_bytes = sum(map(len, mode.prefixes))
        self._listen()

    def _state(self, prefix: bytes) -> Prefix:
        state = self._prefixes.get(prefix)
        if state is None:
            state = self._prefixes[prefix] = Prefix()
            self._lengths[len(prefix)] = self._lengths.get(len(prefix), 0) + 1
        return state

    def _drop(self, prefix: bytes) -> None:
        del self._prefixes[prefix]
        self._changed.discard(prefix)
        self._lengths[len(prefix)] -= 1
        if not self._lengths[len(prefix)]:
            del self._lengths[len(prefix)]

    def stop(self, client: Client) -> None:
        """Tell `client` nothing more. O(its prefixes)."""
        mode: Tracked | None = client.extras.pop(ROOM, None)
        if mode is None:
            return
        for prefix in mode.prefixes:
            state = self._prefixes[prefix]
            del state.clients[client.id]
            if not state.clients:
                self._drop(prefix)
        client.flags.difference_update("tRB")
        client.on_close.remove(self.stop)
        client.on_reset.remove(self.stop)
        del self.clients[client.id]
        self._rest()

    def _listen(self) -> None:
        engine = self._engine
        if not self._is_listening:
            self._is_listening = True
            engine.keyspace.listen(self._on_change)
            engine.keyspace.on_flushed = (*engine.keyspace.on_flushed, self._on_flushed)
            engine.on_call = (*engine.on_call, self._on_call)

    def _rest(self) -> None:
        """Stop listening, if nobody wants to hear and nothing is remembered."""
        engine = self._engine
        if self._is_listening and not self.clients and not self._readers:
            self._is_listening = False
            engine.keyspace.unlisten(self._on_change)
            engine.keyspace.on_flushed = tuple(
                each for each in engine.keyspace.on_flushed if each != self._on_flushed
            )
            engine.on_call = tuple(each for each in engine.on_call if each != self._on_call)

    # ---- remembering

    def _on_call(self, client: Client, command: Command, argv: Sequence[bytes], _nanoseconds: int) -> None:
        """After each command: remember what it read, for the client whose request it was part of. O(keys)."""
        reader = self._engine.caller
        mode: Tracked | None = None if reader is None else reader.extras.get(ROOM)
        if reader is not None and mode is not None:
            if mode.remembers and "readonly" in command.flags and command.name not in READ_ONLY_SCRIPTS:
                for key, _ in command.keys(argv):
                    self._remember(key, reader)
            if (
                mode.caching
                and client is reader
                and "x" not in client.flags
                and command.container != "client"
            ):
                mode.caching = False
        if not self._engine.nesting:
            self._keep_within_limit()

    def _remember(self, key: bytes, reader: Client) -> None:
        readers = self._readers.get(key)
        if readers is None:
            readers = self._readers[key] = {}
        if reader.id not in readers:
            readers[reader.id] = None
            self.items += 1

    def _keep_within_limit(self) -> None:
        """If too many keys are remembered, give up random ones, but not all at once."""
        if not 0 < self.max_keys < len(self._readers):
            self._given_up_in_vain = 0
            return
        for _ in range(EFFORT * (self._given_up_in_vain + 1)):
            key, _readers = self._readers.random_item(self._engine.keyspace.random)
            self._invalidate(key, None)
            if len(self._readers) <= self.max_keys:
                self._given_up_in_vain = 0
                return
        self._given_up_in_vain += 1

    # ---- telling

    def _on_change(self, _database: Database, key: bytes, event: str, modified: bool) -> None:  # noqa: FBT001
        if not modified:
            return
        if self._prefixes:
            author = None if event in NOBODYS else self._engine.caller
            for length in self._lengths:
                state = self._prefixes.get(key[:length])
                if state is not None:
                    state.changed[key] = author
                    self._changed.add(key[:length])
        if key in self._readers:
            self._invalidate(key, self._engine.caller)
            if not self.clients:
                self._rest()

    def _invalidate(self, key: bytes, author: Client | None) -> None:
        """Tell whoever read `key` that `author`, or nobody, has changed it, and forget them. O(readers)."""
        readers = self._readers.pop(key, {})
        self.items -= len(readers)
        message = Message([key])
        for identity in readers:
            client = self.clients.get(identity)
            if client is not None:
                mode: Tracked = client.extras[ROOM]
                if not mode.broadcast and not (mode.noloop and client is author):
                    self._send(client, mode, message)

    def _on_flushed(self, _databases: Sequence[int]) -> None:
        """All keys of a database are gone: say so in one word, and forget what anybody read. O(clients)."""
        message = Message(None)
        for client in list(self.clients.values()):
            self._send(client, client.extras[ROOM], message)
        self._readers = Dict()
        self.items = 0
        self._rest()

    def cron(self, _now: int) -> None:
        """The regular work: come closer to a limit that was lowered, and broadcast where no loop does."""
        self._keep_within_limit()
        self.broadcast()

    def broadcast(self) -> None:
        """Tell the clients in BCAST mode what has changed since the last time. O(changes)."""
        prefixes, self._changed = self._changed, set()
        for prefix in sorted(prefixes):
            state = self._prefixes.get(prefix)
            if state is None:  # who wanted to hear of it was closed meanwhile
                continue
            changed, state.changed = state.changed, {}
            keys = sorted(changed)
            message = Message(keys)
            for client in list(state.clients.values()):
                mode: Tracked = client.extras[ROOM]
                if not mode.noloop:
                    self._send(client, mode, message)
                elif others := [key for key in keys if changed[key] is not client]:
                    self._send(client, mode, Message(others))

    def _send(self, client: Client, mode: Tracked, message: Message) -> None:
        receiver: Client | None = client
        if mode.redirect:
            receiver = self._engine.clients.get(mode.redirect)
            if receiver is None:
                mode.is_broken = True
                client.flags.add("R")
                if client.protocol > 2:
                    client.deliver(Push([b"tracking-redir-broken", mode.redirect]))
                return
        assert receiver is not None
        if receiver.protocol > 2:
            receiver.deliver(message.as_push)
        elif mode.redirect and "P" in receiver.flags:
            receiver.deliver(message.as_message)

    def check(self) -> None:
        """Assert the invariants. O(everything)."""
        assert self.items == sum(len(readers) for _, readers in self._readers.items())
        assert all(client.extras[ROOM] and "t" in client.flags for client in self.clients.values())
        assert sum(self._lengths.values()) == len(self._prefixes)
        assert self._changed == {prefix for prefix, state in self._prefixes.items() if state.changed}
        for prefix, state in self._prefixes.items():
            assert state.clients, "a prefix that nobody wants is kept"
            assert all(prefix in client.extras[ROOM].prefixes for client in state.clients.values())
        assert self._is_listening or not (self.clients or self._readers)
