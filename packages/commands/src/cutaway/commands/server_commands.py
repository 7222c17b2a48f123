"""Commands that ask the server about itself, and those of replication as a server without replicas answers them.

WAIT and WAITAOF wait for replicas that do not come: with none asked for they answer at once, otherwise at their deadline. For
the local half of WAITAOF, `engine.extras["sync_log"]` brings the append-only file to the disk. SYNC, PSYNC and REPLCONF, with which
a replica would begin, are refused; they are there because the rules of users name them.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.blocking import Block
from cutaway.commands.clients import Client
from cutaway.commands.connections import REDIS_VERSION
from cutaway.commands.keyspaces import Database
from cutaway.commands.tables import CommandTable
from cutaway.resp import Reply, Verbatim

server_commands: Final = CommandTable("server")

LEAST_ACKNOWLEDGED: Final = ("request_policy:all_shards", "response_policy:agg_min")
INVALID_PORT: Final = errors.CommandError("ERR Invalid master port")
NO_REPLICATION: Final = errors.CommandError(
    "ERR this server does not replicate: it can only be told REPLICAOF NO ONE"
)
NO_REPLICAS_HERE: Final = errors.CommandError("ERR this server does not replicate")
NO_REPLICAS: Final = errors.CommandError("ERR FAILOVER requires connected replicas.")
NO_FAILOVER: Final = errors.CommandError("ERR No failover in progress.")
BAD_FAILOVER_TIMEOUT: Final = errors.CommandError("ERR FAILOVER timeout must be greater than 0")
NO_LOG: Final = errors.CommandError(
    "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
)
LOLWUT_COLUMNS: Final = 20
LOLWUT_MOST_COLUMNS: Final = 1000


@server_commands.command(
    "TIME", arity=1, flags="loading stale fast", since="2.6.0", tips=["nondeterministic_output"]
)
def time_(client: Client) -> Reply:
    """Returns the server's time: seconds since the epoch, and microseconds of the running one. O(1).

    Within a script or a transaction time stands still.
    """
    engine = client.engine
    microseconds: Callable[[], int] | None = engine.extras.get("microseconds")
    now = engine.keyspace.now * 1000 if microseconds is None or engine.nesting else microseconds()
    return [b"%d" % part for part in divmod(now, 1_000_000)]


# ---- replication


def _timeout(client: Client, text: bytes) -> int:
    """The deadline for a timeout in milliseconds; 0 for none."""
    milliseconds = arguments.integer(text, errors.TIMEOUT_NOT_AN_INTEGER)
    if milliseconds < 0:
        raise errors.TIMEOUT_NEGATIVE
    now = client.engine.keyspace.now
    if milliseconds > arguments.INT64_MAX - now:
        raise errors.TIMEOUT_OUT_OF_RANGE
    return now + milliseconds if milliseconds else 0


def _never(_database: Database, _key: bytes) -> bool:
    return False


@server_commands.command("WAIT", arity=3, flags="blocking", group="generic", acl="connection -keyspace", since="3.0.0",
                         syntax="numreplicas timeout", tips=LEAST_ACKNOWLEDGED)  # fmt: skip
def wait(client: Client, replicas: bytes, timeout: bytes) -> Reply:
    """Waits until so many replicas have got all writes of this client. O(1)."""
    wanted = arguments.integer(replicas)
    deadline = _timeout(client, timeout)
    return 0 if wanted <= 0 else Block((), deadline, _never, timeout_reply=0)


@server_commands.command("WAITAOF", arity=4, flags="blocking", group="generic", acl="connection -keyspace", since="7.2.0",
                         syntax="numlocal numreplicas timeout", tips=LEAST_ACKNOWLEDGED)  # fmt: skip
def waitaof(client: Client, local: bytes, replicas: bytes, timeout: bytes) -> Reply:
    """Waits until all writes of this client are on the disk, here and on so many replicas. O(1)."""
    here = arguments.integer_between(local, 0, 1)
    wanted = arguments.positive(replicas)
    deadline = _timeout(client, timeout)
    engine = client.engine
    if here and not engine.config.boolean("appendonly"):
        raise NO_LOG
    sync_log: Callable[[], None] | None = engine.extras.get("sync_log")
    synced = 0
    if engine.config.boolean("appendonly") and sync_log is not None:
        sync_log()
        synced = 1
    reply: Reply = [synced, 0]
    return reply if synced >= here and not wanted else Block((), deadline, _never, timeout_reply=reply)


@server_commands.command(
    "ROLE", arity=1, flags="noscript loading stale fast", acl="admin dangerous", since="2.8.12"
)
def role(_client: Client) -> Reply:
    """Returns the server's part in replication: a primary, with no replicas. O(1)."""
    return [b"master", 0, []]


@server_commands.command("REPLICAOF", arity=3, flags="admin noscript stale no_async_loading", since="5.0.0",
                         syntax="<host port | NO ONE>")  # fmt: skip
def replicaof(_client: Client, host: bytes, port: bytes) -> Reply:
    """Makes the server a replica of another one, or a primary again. O(1)."""
    if host.upper() == b"NO" and port.upper() == b"ONE":
        return "OK"
    arguments.integer_between(port, 0, 65535, INVALID_PORT)
    raise NO_REPLICATION


@server_commands.command("SLAVEOF", arity=3, flags="admin noscript stale no_async_loading", syntax="<host port | NO ONE>",
                         doc_flags="deprecated", deprecated=("5.0.0", "`REPLICAOF`"))  # fmt: skip
def slaveof(client: Client, host: bytes, port: bytes) -> Reply:
    """Does what REPLICAOF does, under its old name. O(1)."""
    return replicaof(client, host, port)


@server_commands.command("FAILOVER", arity=-1, flags="admin noscript stale", since="6.2.0",
                         syntax="[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]")  # fmt: skip
def failover(_client: Client, *words: bytes) -> Reply:
    """Lets a replica take this server's place. O(1)."""
    if len(words) == 1 and words[0].upper() == b"ABORT":
        raise NO_FAILOVER
    rest, seen = list(words), set[bytes]()
    while rest:
        option = rest.pop(0).upper()
        needed = {b"TO": 2, b"TIMEOUT": 1, b"FORCE": 0}.get(option)
        if needed is None or option in seen or len(rest) < needed:
            raise errors.SYNTAX
        seen.add(option)
        if needed:
            number = arguments.integer(rest[needed - 1])
            if option == b"TIMEOUT" and number <= 0:
                raise BAD_FAILOVER_TIMEOUT
        del rest[:needed]
    raise NO_REPLICAS


@server_commands.command("SYNC", arity=1, flags="admin noscript no_async_loading no_multi")
def sync(_client: Client) -> Reply:
    """Would send the whole data to a replica. O(N) with N the size of the data."""
    raise NO_REPLICAS_HERE


@server_commands.command("PSYNC", arity=-3, flags="admin noscript no_async_loading no_multi", since="2.8.0",
                         syntax="replicationid offset")  # fmt: skip
def psync(_client: Client, *_words: bytes) -> Reply:
    """Would send a replica what it has missed. O(N) with N the size of that."""
    raise NO_REPLICAS_HERE


@server_commands.command(
    "REPLCONF", arity=-1, flags="admin noscript loading stale allow_busy", since="3.0.0", doc_flags="syscmd"
)
def replconf(_client: Client, *_words: bytes) -> Reply:
    """Would take what a replica says of itself. O(1)."""
    raise NO_REPLICAS_HERE


# ---- LOLWUT


@server_commands.command("LOLWUT", arity=-1, flags="readonly fast", syntax="[VERSION version]", since="5.0.0")
def lolwut(client: Client, *words: bytes) -> Reply:
    """Draws a skip list, different each time, and tells the version. O(columns)."""
    if words[:1] and words[0].upper() == b"VERSION" and len(words) > 1:
        arguments.integer(words[1])
        words = words[2:]
    columns = arguments.integer(words[0]) if words else LOLWUT_COLUMNS
    picture = draw_skip_list(client.engine.keyspace.random, max(1, min(columns, LOLWUT_MOST_COLUMNS)))
    return Verbatim(
        f"{picture}\nCutaway, a Redis server with the casing off. Redis ver. {REDIS_VERSION.decode()}\n".encode()
    )


def draw_skip_list(rng: Random, columns: int) -> str:
    """A skip list of so many random numbers, a tower above each, its search path marked from the head down."""
    numbers = sorted(rng.randint(0, 99) for _ in range(columns))
    towers = [1] * columns
    for place in range(columns):
        while towers[place] < 8 and rng.random() < 0.35:
            towers[place] += 1
    lines = [_level(level, towers) for level in range(max(towers), 0, -1)]
    return "\n".join([*lines, "".join([" head", *(f"{number:4d}" for number in numbers)]), ""])


def _level(level: int, towers: list[int]) -> str:
    """One level of the list: its towers, and the links that fly over the lower ones."""
    links = "".join("───o" if tower >= level else "────" for tower in towers)
    return f" o───{links[1:]}───> nil" if links else ""
