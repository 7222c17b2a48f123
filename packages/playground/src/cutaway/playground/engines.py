"""The engine of the playground: all rooms that need no socket and no file.

What is missing is what belongs to a process: SAVE and the append-only file, INFO, MONITOR, the slow log, SHUTDOWN. They answer
as any unknown command does. EVAL is there, and says itself that it lacks a Lua interpreter where there is none.

Two choices differ from the server's. A sorted set keeps its order in a `SkipList`, because that is what there is to look at;
and the limits at which a small value changes into a large one are low, so that a handful of elements shows both forms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cutaway.acl import acl
from cutaway.acl import install as install_acl
from cutaway.commands import Command, Engine
from cutaway.commands.all_tables import TABLES as DATA
from cutaway.commands.eviction import install as install_eviction
from cutaway.datastructures import DEFAULT_INDEX, SkipList
from cutaway.pubsub import install as install_pubsub
from cutaway.pubsub import pubsub, tracking_commands
from cutaway.scripting import functions, scripting
from cutaway.scripting import install as install_scripting
from cutaway.transactions import install as install_transactions
from cutaway.transactions import transactions

TABLES: Final[tuple[Iterable[Command], ...]] = (
    *DATA,
    pubsub,
    tracking_commands,
    transactions,
    scripting,
    functions,
    acl,
)

SMALL: Final = {
    "hash-max-listpack-entries": "4",
    "set-max-intset-entries": "4",
    "set-max-listpack-entries": "4",
    "zset-max-listpack-entries": "4",
    "list-max-listpack-size": "4",
    "stream-node-max-entries": "4",
}
"""The settings of the playground that are not the server's: values change their form at four elements."""


def compose() -> Engine:
    """An engine with all these rooms in place."""
    DEFAULT_INDEX.factory = SkipList
    engine = Engine(*TABLES)
    for install in (install_eviction, install_transactions, install_pubsub, install_scripting, install_acl):
        install(engine)
    engine.do("CONFIG", "SET", *(word for pair in SMALL.items() for word in pair))
    return engine
