"""SESSION.*: sessions of users, on top of the module `custom`. What one module can ask of another.

A session has an id, belongs to a user key, and holds data, pairs of key and value. In CUSTOM.* the user key leads to the
session's id; the sessions themselves are keys of a type of this module's own, `session:<id>` in database 0, so that expiry,
eviction, DUMP, SAVE and replication come from the keyspace and cost no line here.

Two things show how a module thinks of the log of commands. SESSION.CREATE draws an id at random, so it does not log what was
sent but `SESSION.CREATE user_key ID <id> …`, which makes the same session again. And a session can end without a command,
by expiry: the module listens for that event and takes the entry in CUSTOM.* away, by a command that is logged.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from cutaway.modules import CommandError, Context, Key, Module, ModuleValue, Reply, ServerEvent, Token

PREFIX: Final = b"session:"
NO_SESSION: Final = CommandError("ERR no such session")
SYNTAX: Final = CommandError("ERR syntax error")
INVALID_EXPIRY: Final = CommandError("ERR invalid expire time in 'session.create' command")
MOST_SECONDS: Final = 2**63 // 1000 - 2**42

module: Final = Module("sessions", version=1, requires=("custom",), state=dict)
"""Its state says which user a session belonged to: when one has expired, its value can no longer be asked."""


@module.data_type
class Session(ModuleValue, type_name="cutsessio", version=0):
    """A session's value: whose it is, when it was made, what it holds."""

    __slots__ = ("created_at", "data", "user_key")

    def __init__(self, user_key: bytes, created_at: int) -> None:
        self.user_key: Final = user_key
        self.created_at: Final = created_at
        self.data: Final[dict[bytes, bytes]] = {}

    def save(self) -> Iterator[Token]:
        """User, moment, then key, value, key, value …."""
        yield self.user_key
        yield self.created_at
        for key, value in self.data.items():
            yield key
            yield value

    @classmethod
    def load(cls, tokens: Iterator[Token], _version: int) -> Session:
        """The reverse. Raises TypeError if the tokens are another type's."""
        user_key, created_at = next(tokens), next(tokens)
        if not isinstance(user_key, bytes) or not isinstance(created_at, int):
            raise TypeError("not a session")
        session = cls(user_key, created_at)
        for key in tokens:
            value = next(tokens)
            if not isinstance(key, bytes) or not isinstance(value, bytes):
                raise TypeError("not a session's data")
            session.data[key] = value
        return session


def _key(ctx: Context, identity: bytes) -> Key:
    return ctx.open_key(PREFIX + identity, database=0)


def _session(ctx: Context, identity: bytes) -> Session:
    session = _key(ctx, identity).get(Session)
    if session is None:
        raise NO_SESSION
    return session


@module.command(
    "SESSION.CREATE", flags="write denyoom", syntax="user_key [EX seconds | PXAT milliseconds] [ID id]"
)
def create(ctx: Context, user_key: bytes, *options: bytes) -> Reply:
    """Begins a session for a user and returns its id; an earlier session of the user ends. O(1)."""
    identity, expire_at = _creation_options(ctx, options)
    earlier = ctx.call("CUSTOM.GET", user_key)
    if isinstance(earlier, bytes):
        _end(ctx, earlier, user_key)
    ctx.call("CUSTOM.SET", user_key, identity)
    _key(ctx, identity).set(Session(user_key, ctx.now), "session.create", expire_at=expire_at)
    ctx.state[identity] = user_key
    expiry: Sequence[bytes] = (b"PXAT", b"%d" % expire_at) if expire_at else ()
    ctx.replicate(b"SESSION.CREATE", user_key, *expiry, b"ID", identity)
    return f"Session created: {identity.decode()}"


def _creation_options(ctx: Context, words: Sequence[bytes]) -> tuple[bytes, int]:
    """The id and the moment of expiry (0: never) that the options say."""
    identity, expire_at = b"", 0
    if len(words) % 2:
        raise SYNTAX
    for name, value in zip(words[::2], words[1::2], strict=True):
        match name.upper():
            case b"ID" if value:
                identity = value
            case b"EX" | b"PXAT" as unit:
                number = int(value) if value.isdigit() and len(value) < 20 else 0
                if not 0 < number < (MOST_SECONDS if unit == b"EX" else 2**63):
                    raise INVALID_EXPIRY
                expire_at = ctx.now + number * 1000 if unit == b"EX" else number
            case _:
                raise SYNTAX
    return identity or str(uuid.UUID(int=ctx.random.getrandbits(128), version=4)).encode(), expire_at


@module.command("SESSION.GET", flags="readonly", syntax="session_id")
def get(ctx: Context, session_id: bytes) -> Reply:
    """Returns what is known of a session: its id, its user, when it was made and when it ends. O(1)."""
    session = _session(ctx, session_id)
    key = _key(ctx, session_id)
    return {
        b"id": session_id,
        b"user_key": session.user_key,
        b"created_at": session.created_at,
        b"expires_at": key.expire_at or None,
        b"data": dict(session.data),
    }


@module.command("SESSION.LIST", flags="readonly")
def list_(ctx: Context) -> Reply:
    """Returns the ids of all sessions. O(N) where N is the number of sessions."""
    return [identity for identity in ctx.state if _key(ctx, identity).type_name != "none"]


@module.command("SESSION.ADD_DATA", flags="write denyoom fast", syntax="session_id key value")
def add_data(ctx: Context, session_id: bytes, key: bytes, value: bytes) -> Reply:
    """Keeps a value in a session. O(1)."""
    opened = _key(ctx, session_id)
    session = opened.edit(Session)
    if session is None:
        raise NO_SESSION
    session.data[key] = value
    opened.changed("session.add_data")
    return "OK"


@module.command("SESSION.GET_DATA", flags="readonly fast", syntax="session_id key")
def get_data(ctx: Context, session_id: bytes, key: bytes) -> Reply:
    """Returns a value that a session keeps, or nil. O(1)."""
    return _session(ctx, session_id).data.get(key)


@module.command("SESSION.DELETE", flags="write", syntax="session_id")
def delete(ctx: Context, session_id: bytes) -> Reply:
    """Ends a session: 1, or 0 if there was none. O(1)."""
    session = _key(ctx, session_id).get(Session)
    if session is None:
        return 0
    _end(ctx, session_id, session.user_key)
    return 1


def _end(ctx: Context, identity: bytes, user_key: bytes) -> None:
    """Remove a session, and the way to it from its user; that first, so that `ended` has nothing left to do."""
    _forget(ctx, identity, user_key)
    _key(ctx, identity).delete()


def _forget(ctx: Context, identity: bytes, user_key: bytes) -> None:
    ctx.state.pop(identity, None)
    if ctx.call("CUSTOM.GET", user_key) == identity:
        ctx.call("CUSTOM.DEL", user_key)


@module.on_key_event("expired", "evicted", "del")
def ended(ctx: Context, _event: str, key: bytes) -> None:
    """A session has ended without SESSION.DELETE: by expiry, eviction or a plain DEL."""
    identity = key.removeprefix(PREFIX)
    if identity in ctx.state and key.startswith(PREFIX):
        _forget_if_gone(ctx, identity)


@module.on_server_event("flush")
def flushed(ctx: Context, _event: ServerEvent) -> None:
    """A database was emptied, and perhaps the one with the sessions."""
    for identity in list(ctx.state):
        _forget_if_gone(ctx, identity)


def _forget_if_gone(ctx: Context, identity: bytes) -> None:
    if _key(ctx, identity).type_name == "none":
        _forget(ctx, identity, ctx.state[identity])


@module.on_server_event("loaded")
def loaded(ctx: Context, _event: ServerEvent) -> None:
    """The data is back: know the sessions again, and whose they are."""
    ctx.state.clear()
    cursor: Reply = b"0"
    while True:
        answer = ctx.call(
            "SCAN", _text(cursor), "MATCH", PREFIX + b"*", "COUNT", 1000, "TYPE", Session.type_name
        )
        assert isinstance(answer, (list, tuple))
        cursor, keys = answer
        assert isinstance(keys, (list, tuple))
        for key in keys:
            assert isinstance(key, bytes)
            session = ctx.open_key(key, database=0).get(Session)
            if session is not None:
                ctx.state[key.removeprefix(PREFIX)] = session.user_key
        if _text(cursor) == b"0":
            return


def _text(cursor: Reply) -> bytes:
    return cursor if isinstance(cursor, bytes) else str(cursor).encode()
