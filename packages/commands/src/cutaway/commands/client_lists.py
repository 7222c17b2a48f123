"""CLIENT LIST's lines, and the filters that CLIENT LIST and CLIENT KILL share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client

TYPES: Final = {
    b"normal": b"normal", b"pubsub": b"pubsub", b"replica": b"replica", b"slave": b"replica", b"primary": b"primary",
    b"master": b"primary",
}  # fmt: skip
"""CLIENT LIST's types, old names among them."""
FLAGS: Final = "OSMPxtbdRBCcuAUreTI"
"""The letters of the flags field, in their order; "N" stands for none."""


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
    if client.blocked is not None:
        info["argv-mem"] += client.blocked.argv_bytes
    user = getattr(client.user, "name", b"default")
    values: list[tuple[str, object]] = [
        ("id", client.id), ("addr", client.address), ("laddr", client.local_address), ("fd", info["fd"]),
        ("name", client.name.decode("latin-1")), ("age", (now - client.created_at) // 1000),
        ("idle", max(now - client.last_interaction, 0) // 1000), ("flags", _flags(client)),
        ("capa", "".join(sorted(client.capabilities))), ("db", client.db.index),
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
    if client.address.startswith("/"):
        letters.add("U")
    if client.blocked is not None:
        letters.add("b")
    if client.no_evict:
        letters.add("e")
    if client.no_touch:
        letters.add("T")
    if client.is_killed or client.close_after_reply:
        letters.add("c")
    return "".join(sorted(letters, key=FLAGS.find)) or "N"


def client_type(client: Client) -> bytes:
    """Which of CLIENT LIST's types the client is: b"normal", b"pubsub", b"replica"."""
    if "S" in client.flags:
        return b"replica"
    return b"pubsub" if "P" in client.flags else b"normal"


BAD_ID: Final = errors.CommandError("ERR client-id should be greater than 0")
Test = Callable[[Client], bool]


class ClientFilter:
    """Which clients are meant: those that pass all filters. A `NOT-` before a filter's name turns it round."""

    __slots__ = ("_asking", "_ids", "_skips_asking", "_tests")

    def __init__(self, asking: Client, *, skip_asking: bool = False) -> None:
        self._asking: Final = asking
        self._skips_asking = skip_asking
        self._ids: Final[dict[bool, set[int]]] = {}
        self._tests: Final[dict[str, Test]] = {}

    @classmethod
    def address_only(cls, asking: Client, address: bytes) -> ClientFilter:
        """CLIENT KILL's old form."""
        wanted = cls(asking)
        wanted._tests["addr"] = lambda client: client.address.encode() == address
        return wanted

    @classmethod
    def parse(cls, client: Client, words: Sequence[bytes], *, for_list: bool = False) -> ClientFilter:
        """The filters of `words`. CLIENT KILL leaves out the asking client unless SKIPME NO says otherwise."""
        wanted = cls(client, skip_asking=not for_list)
        position = 0
        while position < len(words):
            option = words[position].decode("latin-1").lower()
            if position + 1 >= len(words):
                raise errors.SYNTAX
            if option in ("id", "not-id"):
                position = wanted._take_ids(words, position + 1, is_not=option == "not-id")
                continue
            wanted._take(option, words[position + 1])
            position += 2
        return wanted

    def _take_ids(self, words: Sequence[bytes], position: int, *, is_not: bool) -> int:
        """As many numbers as there are; a word that is none begins the next filter."""
        first = position
        while position < len(words) and (number := arguments.integer_or_none(words[position])) is not None:
            if number <= 0:
                raise BAD_ID
            self._ids.setdefault(is_not, set()).add(number)
            position += 1
        if position == first:  # CLIENT LIST is Valkey's here, CLIENT KILL has kept the text of old
            raise BAD_ID if self._skips_asking else errors.SYNTAX
        return position

    def _take(self, option: str, value: bytes) -> None:
        if option == "skipme":
            if value.lower() not in (b"yes", b"no"):
                raise errors.SYNTAX
            self._skips_asking = value.lower() == b"yes"
            return
        name = option.removeprefix("not-")
        make = FILTERS.get(name)
        if make is None or (option != name and name in LOWER_BOUNDS):
            raise errors.SYNTAX
        test = make(self._asking, option.upper() if option != name else name, value)
        self._tests[option] = (lambda client: not test(client)) if option != name else test

    def matches(self, client: Client) -> bool:
        """Whether `client` is one of those meant. O(filters)."""
        return (
            not (self._skips_asking and client is self._asking)
            and all((client.id in ids) != is_not for is_not, ids in self._ids.items())
            and all(test(client) for test in self._tests.values())
        )


def _same(attribute: str) -> Callable[[Client, str, bytes], Test]:
    def make(_asking: Client, _option: str, value: bytes) -> Test:
        def test(client: Client) -> bool:
            own = getattr(client, attribute)
            return (own.encode() if isinstance(own, str) else own) == value

        return test

    return make


def _of_type(_asking: Client, _option: str, value: bytes) -> Test:
    kind = value.lower()
    if kind not in TYPES:
        raise errors.CommandError(f"ERR Unknown client type '{errors.printable(value)}'")
    wanted = TYPES[kind]
    return lambda client: client_type(client) == wanted


def _of_user(asking: Client, _option: str, value: bytes) -> Test:
    if value not in asking.engine.extras.get("users", (b"default",)):
        raise errors.CommandError(f"ERR No such user '{errors.printable(value)}'")
    return lambda client: _user_name(client) == value


def _user_name(client: Client) -> bytes:
    name = getattr(client.user, "name", b"default")
    return name if isinstance(name, bytes) else str(name).encode()


def _of_ip(_asking: Client, _option: str, value: bytes) -> Test:
    return lambda client: client.address.rpartition(":")[0].strip("[]").encode() == value


def _with_flags(_asking: Client, option: str, value: bytes) -> Test:
    letters = value.decode("latin-1")
    if set(letters) - set(f"{FLAGS}N"):
        filter_name = "provided" if option == "flags" else option
        raise errors.CommandError(
            f"ERR Unknown flags found in the {filter_name} filter: {errors.printable(value)}"
        )
    return lambda client: set(letters) <= set(_flags(client))


def _with_capabilities(_asking: Client, option: str, value: bytes) -> Test:
    letters = value.decode("latin-1")
    if set(letters) - set("r"):
        filter_name = "provided" if option == "capa" else option
        raise errors.CommandError(
            f"ERR Unknown capa found in the {filter_name} filter: {errors.printable(value)}"
        )
    return lambda client: set(letters) <= client.capabilities


def _in_database(asking: Client, option: str, value: bytes) -> Test:
    name = "DB" if option == "db" else option
    count = len(asking.engine.keyspace.databases)
    number = arguments.integer(value, errors.CommandError(f"ERR {name} is not an integer or out of range"))
    if not 0 <= number < count:
        raise errors.CommandError(f"ERR {name} number should be between 0 and {count - 1}")
    return lambda client: client.db.index == number


def _at_least(seconds_of: Callable[[Client], int]) -> Callable[[Client, str, bytes], Test]:
    def make(_asking: Client, option: str, value: bytes) -> Test:
        least = arguments.integer(
            value, errors.CommandError(f"ERR {option} is not an integer or out of range")
        )
        if least <= 0:
            raise errors.CommandError(f"ERR {option} should be greater than 0")
        return lambda client: seconds_of(client) >= least

    return make


def _age(client: Client) -> int:
    return (client.engine.keyspace.now - client.created_at) // 1000


def _idle(client: Client) -> int:
    return max(client.engine.keyspace.now - client.last_interaction, 0) // 1000


LOWER_BOUNDS: Final = frozenset({"maxage", "idle"})
"""These have no opposite."""
FILTERS: Final[dict[str, Callable[[Client, str, bytes], Test]]] = {
    "type": _of_type, "user": _of_user, "addr": _same("address"), "laddr": _same("local_address"),
    "name": _same("name"), "lib-name": _same("library_name"), "lib-ver": _same("library_version"),
    "ip": _of_ip, "flags": _with_flags, "capa": _with_capabilities, "db": _in_database,
    "maxage": _at_least(_age), "idle": _at_least(_idle),
}  # fmt: skip
"""By the filter's name: what makes a test of the asking client, the option as errors call it, and the value."""
