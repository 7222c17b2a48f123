"""CLIENT LIST's lines, and the filters that CLIENT LIST and CLIENT KILL share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client

TYPES = (b"normal", b"master", b"replica", b"slave", b"pubsub")


def describe(client: Client) -> bytes:
    """The client in CLIENT LIST's format: `id=3 addr=127.0.0.1:50000 …`, without a line end. O(1)."""
    now = client.engine.keyspace.now
    info = {
        "sub": 0, "psub": 0, "ssub": 0, "multi": -1, "watch": 0, "qbuf": 0, "qbuf-free": 0, "argv-mem": 0,
        "multi-mem": 0, "rbs": 0, "rbp": 0, "obl": 0, "oll": 0, "omem": 0, "tot-mem": 0, "fd": -1, "redir": -1,
        "tot-net-in": 0, "tot-net-out": 0,
        **client.transport_info(),
        **{name: value for extra in client.extras.values() for name, value in getattr(extra, "info", dict)().items()},
    }  # fmt: skip
    user = getattr(client.user, "name", b"default")
    values: list[tuple[str, object]] = [
        ("id", client.id), ("addr", client.address), ("laddr", client.local_address), ("fd", info["fd"]),
        ("name", client.name.decode("latin-1")), ("age", (now - client.created_at) // 1000),
        ("idle", max(now - client.last_interaction, 0) // 1000), ("flags", _flags(client)),
        ("capa", ""), ("db", client.db.index),
        *((name, info[name]) for name in (
            "sub", "psub", "ssub", "multi", "watch", "qbuf", "qbuf-free", "argv-mem", "multi-mem", "rbs", "rbp", "obl",
            "oll", "omem", "tot-mem",
        )),
        ("events", "r"), ("cmd", "NULL" if client.command is None else client.command.full_name),
        ("user", user.decode("latin-1") if isinstance(user, bytes) else user),
        ("redir", info["redir"]), ("resp", client.protocol),
        ("lib-name", client.library_name.decode("latin-1")), ("lib-ver", client.library_version.decode("latin-1")),
        ("tot-net-in", info["tot-net-in"]), ("tot-net-out", info["tot-net-out"]), ("tot-cmds", client.total_commands),
    ]  # fmt: skip
    return " ".join(f"{name}={value}" for name, value in values).encode("latin-1")


def _flags(client: Client) -> str:
    letters = set(client.flags)
    if client.blocked is not None:
        letters.add("b")
    if client.no_evict:
        letters.add("e")
    if client.no_touch:
        letters.add("T")
    if client.is_killed or client.close_after_reply:
        letters.add("c")
    return "".join(sorted(letters, key="OSMPxtbdRBCcuAUreTI".find)) or "N"


def client_type(client: Client) -> bytes:
    """Which of CLIENT LIST's types the client is: b"normal", b"pubsub", b"replica"."""
    if "S" in client.flags:
        return b"replica"
    return b"pubsub" if "P" in client.flags else b"normal"


@dataclass(slots=True)
class ClientFilter:
    """Which clients are meant. A filter that is not given matches all."""

    ids: set[int] = field(default_factory=set)
    kind: bytes = b""
    user: bytes | None = None
    address: str | None = None
    local_address: str | None = None
    max_age: int | None = None
    skip: Client | None = None

    @classmethod
    def address_only(cls, address: bytes) -> ClientFilter:
        """CLIENT KILL's old form."""
        return cls(address=address.decode("latin-1"))

    @classmethod
    def parse(cls, client: Client, words: Sequence[bytes], *, for_list: bool = False) -> ClientFilter:
        """The filters of `words`. CLIENT KILL leaves out the asking client unless SKIPME NO says otherwise."""
        wanted = cls(skip=None if for_list else client)
        position = 0
        while position < len(words):
            option = words[position].lower()
            if position + 1 >= len(words):
                raise errors.SYNTAX
            if option == b"id":
                position = wanted._take_ids(words, position + 1)
                continue
            wanted._take(client, option, words[position + 1])
            position += 2
        return wanted

    def _take_ids(self, words: Sequence[bytes], position: int) -> int:
        first = position
        while position < len(words):
            number = arguments.integer_or_none(words[position])
            if number is None or number <= 0:
                if position == first:
                    raise errors.CommandError("ERR client-id should be greater than 0" if number is not None
                                              else "ERR Invalid client ID")  # fmt: skip
                break
            self.ids.add(number)
            position += 1
        return position

    def _take(self, client: Client, option: bytes, value: bytes) -> None:
        word = value.lower()
        if option == b"type":
            if word not in TYPES:
                raise errors.CommandError(f"ERR Unknown client type '{errors.printable(value)}'")
            self.kind = b"replica" if word == b"slave" else word
        elif option == b"user":
            if value not in client.engine.extras.get("users", (b"default",)):
                raise errors.CommandError(f"ERR No such user '{errors.printable(value)}'")
            self.user = value
        elif option == b"addr":
            self.address = value.decode("latin-1")
        elif option == b"laddr":
            self.local_address = value.decode("latin-1")
        elif option == b"maxage":
            self.max_age = arguments.integer(value)
        elif option == b"skipme" and word in (b"yes", b"no"):
            self.skip = client if word == b"yes" else None
        else:
            raise errors.SYNTAX

    def matches(self, client: Client) -> bool:
        """Whether `client` is one of those meant."""
        age = (client.engine.keyspace.now - client.created_at) // 1000
        return not (
            client is self.skip
            or (self.ids and client.id not in self.ids)
            or (self.kind and client_type(client) != self.kind)
            or (self.user is not None and getattr(client.user, "name", b"default") != self.user)
            or (self.address is not None and client.address != self.address)
            or (self.local_address is not None and client.local_address != self.local_address)
            or (self.max_age is not None and age < self.max_age)
        )
