"""MIGRATE: keys move to another server, from one moment to the next.

For each key the other server gets a RESTORE with the value as DUMP writes it and the time that is left; when it has answered
OK, the key is deleted here. Whatever goes wrong before that leaves the key where it was, and at worst on both servers, never on
none. As in Redis all other clients wait meanwhile, `timeout` milliseconds at most for each step: that is what makes
the move one moment for everybody.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cutaway.commands import RW, Client, CommandError, CommandTable, Entry, KeySpec, arguments, errors
from cutaway.commands.dumping import codec
from cutaway.resp import Reply, ReplyError, ReplyParser, encode_request

migrating: Final = CommandTable("generic")

KEY_AND_KEYS: Final = CommandError(
    "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
)
CANNOT_CONNECT: Final = CommandError("IOERR error or timeout connecting to the client")
CANNOT_WRITE: Final = CommandError("IOERR error or timeout writing to target instance")
CANNOT_READ: Final = CommandError("IOERR error or timeout reading to target instance")
THE_KEY: Final = RW(3, "access delete")
THE_KEYS: Final = RW(-2, "access delete incomplete", keyword="KEYS", last=-1)


def migrate_keys(argv: Sequence[bytes]) -> list[tuple[int, KeySpec]]:
    """Where MIGRATE's keys are: the one, or with an empty one those after KEYS. O(argv)."""
    if len(argv) > 3 and argv[3]:
        return [(3, THE_KEY)]
    for place in range(len(argv) - 1, 5, -1):
        if argv[place].upper() == b"KEYS":
            return [(key, THE_KEYS) for key in range(place + 1, len(argv))]
    return []


@dataclass(slots=True)
class Move:
    """What is to be moved, and how."""

    keys: list[bytes]
    copies: bool = False
    replaces: bool = False
    credentials: tuple[bytes, ...] = ()

    @classmethod
    def parse(cls, key: bytes, words: Sequence[bytes]) -> Move:
        """The key and the options. Raises CommandError."""
        move = cls([key])
        place = 0
        while place < len(words):
            word, left = words[place].upper(), len(words) - place - 1
            if word == b"COPY":
                move.copies = True
            elif word == b"REPLACE":
                move.replaces = True
            elif word in (b"AUTH", b"AUTH2") and left >= (count := 1 + (word == b"AUTH2")):
                move.credentials = tuple(words[place + 1 : place + 1 + count])
                place += count
            elif word == b"KEYS":
                if key:
                    raise KEY_AND_KEYS
                move.keys = list(words[place + 1 :])
                break
            else:
                raise errors.SYNTAX
            place += 1
        return move


class Target:
    """The other server, for the length of one command."""

    __slots__ = ("_parser", "_replies", "_socket")

    def __init__(self, host: bytes, port: bytes, seconds: float) -> None:
        """Connect. Raises CommandError."""
        try:
            self._socket = socket.create_connection((host.decode(), int(port)), seconds)
        except (OSError, ValueError, OverflowError):
            raise CANNOT_CONNECT from None
        self._parser = ReplyParser()
        self._replies: list[Reply] = []

    def send(self, *argv: bytes) -> None:
        """Send a request. Raises CommandError."""
        try:
            self._socket.sendall(encode_request(argv))
        except OSError:
            raise CANNOT_WRITE from None

    def reply(self) -> Reply:
        """The next reply. Raises CommandError if none comes in time."""
        while not self._replies:
            try:
                data = self._socket.recv(65536)
            except OSError:
                raise CANNOT_READ from None
            if not data:
                raise CANNOT_READ
            self._parser.feed(data)
            self._replies += self._parser
        return self._replies.pop(0)

    def expect_ok(self) -> None:
        """The next reply has to be no error. Raises CommandError that quotes it."""
        reply = self.reply()
        if isinstance(reply, ReplyError):
            raise CommandError(f"ERR Target instance replied with error: {reply.message}")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


@migrating.command(
    "MIGRATE",
    arity=-6,
    flags="write movablekeys",
    keys=(THE_KEY, THE_KEYS),
    key_finder=migrate_keys,
    acl="dangerous",
    since="2.6.0",
    syntax='host port <key | ""> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] [KEYS key [key ...]]',
    tips=["nondeterministic_output"],
    history=[
        ("3.0.0", "Added the `COPY` and `REPLACE` options."),
        ("3.0.6", "Added the `KEYS` option."),
        ("4.0.7", "Added the `AUTH` option."),
        ("6.0.0", "Added the `AUTH2` option."),
    ],
)
def migrate(
    client: Client, host: bytes, port: bytes, key: bytes, database: bytes, timeout: bytes, *words: bytes
) -> Reply:
    """Moves keys to another server, at once for everybody. O(size of the values), and the way there."""
    move = Move.parse(key, words)
    number, milliseconds = arguments.integer(database), arguments.integer(timeout)
    found = [(each, entry) for each in move.keys if (entry := client.db.lookup_read(each)) is not None]
    if not found:
        return "NOKEY"
    target = Target(host, port, (milliseconds if milliseconds > 0 else 1000) / 1000)
    try:
        _greet(target, move, number)
        _restore(client, target, move, found)
    finally:
        target.close()
    return "OK"


def _greet(target: Target, move: Move, number: int) -> None:
    if move.credentials:
        target.send(b"AUTH", *move.credentials)
        target.expect_ok()
    target.send(b"SELECT", b"%d" % number)
    target.expect_ok()


def _restore(client: Client, target: Target, move: Move, found: Sequence[tuple[bytes, Entry]]) -> None:
    """Hand over the values; delete here what has arrived there, even if a later one does not."""
    payloads, options = codec(client), (b"REPLACE",) if move.replaces else ()
    for key, entry in found:
        left = max(entry.expire_at - client.engine.keyspace.now, 1) if entry.expire_at else 0
        target.send(b"RESTORE", key, b"%d" % left, payloads.dump(entry.value), *options)
    gone: list[bytes] = []
    refusal: CommandError | None = None
    try:
        for key, _ in found:
            try:
                target.expect_ok()
            except CommandError as error:
                if error.code == "IOERR":
                    raise
                refusal = refusal or error
            else:
                gone.append(key)
    finally:
        _delete(client, move, gone)
    if refusal is not None:
        raise refusal


def _delete(client: Client, move: Move, keys: Sequence[bytes]) -> None:
    if keys and not move.copies:
        for key in keys:
            client.db.delete(key)
        client.engine.effect(b"DEL", *keys)
