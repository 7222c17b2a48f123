"""Sick parts of the engine: a counter, a lookup, a record of watches. Each is shown as a server without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from cutaway.commands import RW, Client, Command, CommandTable, Database, Engine, Entry, FakeClock, arguments
from cutaway.commands.connections import connections
from cutaway.commands.counters import counters
from cutaway.commands.generic import generic
from cutaway.commands.strings import as_bytes, strings
from cutaway.learn.museum.exhibits import LAB_CONTRACT, Exhibit, Lab
from cutaway.transactions import Watches, install, transactions

TABLES: Final = (strings, generic, connections, transactions)


def lab(
    counting: Iterable[Command] = counters,
    watches: Callable[[Engine], Watches] = Watches,
    database: type[Database] = Database,
) -> Lab:
    """A server of healthy parts, but for those that are given."""
    clock = FakeClock()
    engine = Engine(*TABLES, counting, clock=clock, databases=2)
    engine.keyspace.databases[:] = [database(engine.keyspace, index) for index in range(2)]
    install(engine, watches)
    return Lab(engine, clock)


# ---- INCR leaves 64 bits

wrapping: Final = CommandTable("string")


@wrapping.command("INCRBY", arity=3, flags="write denyoom fast", keys=RW(1), syntax="key increment")
def incrby(client: Client, key: bytes, increment: bytes) -> Any:
    """Adds an integer, the way a machine adds 64-bit integers."""
    entry = client.db.lookup_write(key)
    total = arguments.integer(increment)
    if entry is not None:
        total += arguments.integer(as_bytes(entry.value))
    total = (total + 2**63) % 2**64 - 2**63
    client.db.set(key, total)
    client.db.changed(key, "incrby")
    return total


def overflowing() -> Lab:
    """A server whose counters wrap."""
    return lab([*(each for each in counters if each.name != "incrby"), *wrapping])


overflowing.shown = incrby  # type: ignore[attr-defined] # what a visitor sees


def find_overflow(server: Callable[[], Lab]) -> None:
    """The hidden test of incr-overflow."""
    here = server()
    here.do("SET", "n", 2**63 - 1)
    assert isinstance(here.do("INCRBY", "n", 1), Exception)
    assert here.do("GET", "n") == b"%d" % (2**63 - 1)


# ---- an expired key that nobody has looked at


class ForgetfulDatabase(Database):
    """A database that looks at the clock when a key is read, but not when it is about to be changed."""

    __slots__ = ()

    def lookup_write(self, key: bytes) -> Entry | None:
        """The entry, for a command that will change it."""
        return self.keys.get(key)


def forgetful() -> Lab:
    """A server with such databases."""
    return lab(database=ForgetfulDatabase)


forgetful.shown = ForgetfulDatabase  # type: ignore[attr-defined]


def find_ghost(server: Callable[[], Lab]) -> None:
    """The hidden test of expiry-race."""
    here = server()
    here.do("SET", "n", 41, "PX", 10)
    here.wait(20)
    assert here.do("INCR", "n") == 1


# ---- WATCH and time


class TimelessWatches(Watches):
    """Watches that hear of every change, and never look at the clock."""

    __slots__ = ()

    def _is_over(self, entry: Entry | None) -> bool:  # noqa: ARG002
        return False


def timeless() -> Lab:
    """A server with such a record of watches."""
    return lab(watches=TimelessWatches)


timeless.shown = TimelessWatches  # type: ignore[attr-defined]


def find_timeless(server: Callable[[], Lab]) -> None:
    """The hidden test of watch-expired."""
    here = server()
    here.do("SET", "lock", "mine", "PX", 10)
    here.do("WATCH", "lock")
    here.wait(20)
    here.do("MULTI")
    here.do("SET", "k", "v")
    assert not isinstance(here.do("EXEC"), list)


EXHIBITS: Final = (
    Exhibit(
        name="incr-overflow",
        symptom="a counter of bytes sent has become negative",
        report="We add up the bytes that we send with INCRBY. It went well for years. Since last night the total is a huge negative number, and the "
        "bill that is made from it says that we owe our customers money.",
        argument="Server",
        contract=LAB_CONTRACT,
        first_step="""
            server = Server()
            server.do("SET", "sent", 10)
            assert server.do("INCRBY", "sent", 5) == 15
        """,
        healthy=lab,
        sick=overflowing,
        hidden=find_overflow,
        diagnosis="The sum is cut to 64 bits instead of being refused. Redis answers an error and leaves the value alone: a client that gets an error can "
        "act, one that gets a wrong number cannot. The edge is 2**63 - 1, and -2**63 on the other side.",
    ),
    Exhibit(
        name="expiry-race",
        symptom="the limiter of requests per minute sometimes does not begin anew",
        report="For each visitor we do SET visits:<ip> 0 EX 60 NX, then INCR visits:<ip>, and block whoever comes above 100. Some visitors stay blocked "
        "although the minute is over. If we GET the key first to see why, all is well.",
        argument="Server",
        contract=LAB_CONTRACT,
        first_step="""
            server = Server()
            server.do("SET", "visits", 5, "PX", 10)
            server.wait(20)
            assert server.do("GET", "visits") is None
        """,
        healthy=lab,
        sick=forgetful,
        hidden=find_ghost,
        diagnosis="Expiry is lazy: a key whose time is over stays in memory until somebody looks at it, so everybody who looks has to check the clock. Here the lookup "
        "for commands that write does not. That reading first heals it is the mark of this kind of bug: looking changes what is looked at.",
    ),
    Exhibit(
        name="watch-expired",
        symptom="two workers held the same lock, and both transactions went through",
        report="A worker holds a lock with SET lock <me> PX 5000. Before it writes, it does WATCH lock, checks that the lock is still its own, and writes in "
        "MULTI/EXEC. Yesterday a worker was slow, its lock ran out in between, and EXEC wrote all the same.",
        argument="Server",
        contract=LAB_CONTRACT,
        first_step="""
            server = Server()
            server.do("SET", "lock", "mine")
            server.do("WATCH", "lock")
            server.do("SET", "lock", "theirs", client="b")
            server.do("MULTI")
            server.do("SET", "k", "v")
            assert not isinstance(server.do("EXEC"), list)
        """,
        healthy=lab,
        sick=timeless,
        hidden=find_timeless,
        diagnosis="WATCH hears of changes, and an expiry is none until somebody notices it. A key whose time ran out after WATCH has changed all the same: EXEC must look at "
        "the clock itself. Redis had this bug until version 6.0.9.",
    ),
)  # fmt: skip
