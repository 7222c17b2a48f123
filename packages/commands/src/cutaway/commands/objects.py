"""OBJECT: what a value looks like inside."""

from __future__ import annotations

from typing import Final

from cutaway.commands import errors
from cutaway.commands.clients import Client
from cutaway.commands.helping import help_lines
from cutaway.commands.key_specs import RO
from cutaway.commands.keyspaces import Entry, encoding
from cutaway.commands.tables import CommandTable
from cutaway.datastructures.eviction_clocks import idle_time, lfu_counter, lfu_minutes
from cutaway.resp import Reply

objects: Final = CommandTable("generic")

objects.container("OBJECT", arity=-2, since="2.2.3", acl="-keyspace")


def _peek(client: Client, key: bytes) -> Entry | None:
    return client.db.peek(key)


def _lfu(client: Client) -> bool:
    return "lfu" in client.engine.config.text("maxmemory-policy")


@objects.command("OBJECT ENCODING", arity=3, flags="readonly", keys=RO(2, ""), syntax="key", since="2.2.3",
                 tips=["nondeterministic_output"])  # fmt: skip
def object_encoding(client: Client, key: bytes) -> Reply:
    """Names the structure that holds a key's value. O(1)."""
    entry = _peek(client, key)
    return None if entry is None else encoding(entry.value).encode()


@objects.command("OBJECT REFCOUNT", arity=3, flags="readonly", keys=RO(2, ""), syntax="key", since="2.2.3",
                 tips=["nondeterministic_output"])  # fmt: skip
def object_refcount(client: Client, key: bytes) -> Reply:
    """Counts the references to a key's value: always 1, for values are not shared here. O(1)."""
    return None if _peek(client, key) is None else 1


@objects.command("OBJECT IDLETIME", arity=3, flags="readonly", keys=RO(2, ""), syntax="key", since="2.2.3",
                 tips=["nondeterministic_output"])  # fmt: skip
def object_idletime(client: Client, key: bytes) -> Reply:
    """Returns for how many seconds a key was not used. O(1)."""
    entry = _peek(client, key)
    if entry is None:
        return None
    if _lfu(client):
        raise errors.CommandError(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching "
            "between policies at runtime LRU and LFU data will take some time to adjust."
        )
    return idle_time(entry.access, client.db.keyspace.lru_clock) // 1000


@objects.command("OBJECT FREQ", arity=3, flags="readonly", keys=RO(2, ""), syntax="key", since="4.0.0",
                 tips=["nondeterministic_output"])  # fmt: skip
def object_freq(client: Client, key: bytes) -> Reply:
    """Returns the logarithmic counter of a key's use, under an LFU policy. O(1)."""
    entry = _peek(client, key)
    if entry is None:
        return None
    if not _lfu(client):
        raise errors.CommandError(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when "
            "switching between policies at runtime LRU and LFU data will take some time to adjust."
        )
    minutes = lfu_minutes(client.engine.keyspace.now)
    return lfu_counter(entry.access, minutes, client.engine.config.integer("lfu-decay-time"))


@objects.command("OBJECT HELP", arity=2, flags="loading stale", since="6.2.0")
def object_help(client: Client) -> Reply:
    """Says what OBJECT can do. O(1)."""
    return help_lines(client, "object")
