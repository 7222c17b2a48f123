"""The commands of a cluster, as a server answers them that is not part of one.

A cluster deals its keys out over 16384 *slots*, and the slots over its nodes. Which slot a key belongs to is arithmetic that
every client can do: CRC-16 of the key's name, modulo 16384. Where the name holds a part between braces, only that part counts
(a *hash tag*), so that `{user:7}:name` and `{user:7}:mail` live together and one command may touch both.

A client library that could use a cluster asks first what there is, with CLUSTER SLOTS, SHARDS, NODES or INFO, and takes the error
that these commands answer for the word that this server stands alone. Rules of ACL files name them on any server. So all of them are
there, with their flags and their syntax, and almost all of them answer that one error.

What can be answered without a cluster is. CLUSTER KEYSLOT computes; READONLY and READWRITE set how a replica treats
its client, and are no mistake on a server that has nobody to redirect to.

Source: https://valkey.io/topics/cluster-spec/
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Any, Final, NoReturn

from cutaway.commands.clients import Client
from cutaway.commands.errors import CommandError
from cutaway.commands.key_specs import KeySpec
from cutaway.commands.tables import CommandTable
from cutaway.resp import Reply

cluster_commands: Final = CommandTable("cluster")

SLOTS: Final = 16384
DISABLED: Final = CommandError("ERR This instance has cluster support disabled")

ADMIN: Final = "admin stale no_async_loading"
ASK: Final = "loading stale"
VARIES: Final = ("nondeterministic_output",)


def key_slot(key: bytes) -> int:
    """The slot a key belongs to. O(its length)."""
    start = key.find(b"{")
    if start >= 0:
        end = key.find(b"}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return crc_hqx(key, 0) % SLOTS


def _needs_a_cluster(
    name: str, summary: str, *, arity: int = 2, flags: str = ADMIN, **declaration: Any
) -> None:
    """Declare a command of which there is all but what it does."""

    def refuse(_client: Client, *_arguments: bytes) -> NoReturn:
        raise DISABLED

    refuse.__doc__ = summary
    cluster_commands.command(name, arity=arity, flags=flags, **{"since": "3.0.0", **declaration})(refuse)


cluster_commands.container("CLUSTER", arity=-2, since="3.0.0")

# ---- what the cluster is

_needs_a_cluster(
    "CLUSTER INFO", "Returns the state of the cluster as this node sees it. O(1).", flags=ASK, tips=VARIES
)
_needs_a_cluster("CLUSTER NODES", "Lists the nodes, in the form of their file. O(N) with N the number of nodes.",
                 flags=ASK, tips=VARIES)  # fmt: skip
_needs_a_cluster("CLUSTER SLOTS", "Tells which slots each node has. O(N) with N the number of nodes.", flags=ASK, tips=VARIES,
                 history=[("4.0.0", "Added node IDs."), ("7.0.0", "Added additional networking metadata field."),
                          ("9.1.0", "Added `availability-zone` field inside the networking metadata.")])  # fmt: skip
_needs_a_cluster("CLUSTER SHARDS", "Tells which slots and nodes each shard has. O(N) with N the number of nodes.",
                 flags=ASK, tips=VARIES, since="7.0.0",
                 history=[("9.1.0", "Added shard level `id` field and node level `availability-zone` field.")])  # fmt: skip
_needs_a_cluster("CLUSTER MYID", "Returns the ID of this node. O(1).", flags=ASK)
_needs_a_cluster(
    "CLUSTER MYSHARDID", "Returns the ID of this node's shard. O(1).", flags=ASK, tips=VARIES, since="7.2.0"
)
_needs_a_cluster("CLUSTER LINKS", "Lists the connections to and from other nodes. O(N) with N the number of nodes.",
                 flags="stale", tips=VARIES, since="7.0.0")  # fmt: skip
_needs_a_cluster("CLUSTER REPLICAS", "Lists the replicas of a primary. O(N) with N the number of replicas.",
                 arity=3, flags="admin stale", tips=VARIES, since="5.0.0", syntax="node-id")  # fmt: skip
_needs_a_cluster("CLUSTER SLAVES", "Lists the replicas of a primary. O(N) with N the number of replicas.",
                 arity=3, flags="admin stale", tips=VARIES, syntax="node-id",
                 doc_flags="deprecated", deprecated=("5.0.0", "`CLUSTER REPLICAS`"))  # fmt: skip
_needs_a_cluster("CLUSTER COUNT-FAILURE-REPORTS", "Tells how many nodes report that one has failed. O(N) with N the number of reports.",
                 arity=3, flags="admin stale", tips=VARIES, syntax="node-id",
                 history=[("9.0.0", "Ignore additional failure reports for a node which has been marked as failed.")])  # fmt: skip
_needs_a_cluster("CLUSTER HELP", "Lists the subcommands. O(1).", flags=ASK, since="5.0.0")

# ---- which nodes belong to it

_needs_a_cluster("CLUSTER MEET", "Makes another node known to this one. O(1).", arity=-4, syntax="ip port [cluster-bus-port]",
                 history=[("4.0.0", "Added the optional `cluster_bus_port` argument.")])  # fmt: skip
_needs_a_cluster("CLUSTER FORGET", "Takes a node off the list. O(1).", arity=3, syntax="node-id")
_needs_a_cluster("CLUSTER REPLICATE", "Makes this node a replica of another, or of none. O(1).", arity=-3, syntax="<node-id | NO ONE>",
                 history=[("9.0.0", "Added support of 'NO ONE' arg instead of <node-id> resulting into detaching replica from primary node.")])  # fmt: skip
_needs_a_cluster(
    "CLUSTER FAILOVER",
    "Puts this replica in its primary's place. O(1).",
    arity=-2,
    syntax="[FORCE | TAKEOVER]",
)
_needs_a_cluster("CLUSTER RESET", "Makes this node forget the cluster. O(N) with N the number of nodes.",
                 arity=-2, flags="admin noscript stale", syntax="[HARD | SOFT]")  # fmt: skip
_needs_a_cluster("CLUSTER SAVECONFIG", "Writes what this node knows of the cluster to its file. O(1).")
_needs_a_cluster("CLUSTER BUMPEPOCH", "Advances the configuration epoch. O(1).", tips=VARIES)
_needs_a_cluster(
    "CLUSTER SET-CONFIG-EPOCH",
    "Sets the configuration epoch of a new node. O(1).",
    arity=3,
    syntax="config-epoch",
)

# ---- keys and slots


@cluster_commands.command("CLUSTER KEYSLOT", arity=3, flags="stale", since="3.0.0", syntax="key")
def cluster_keyslot(_client: Client, key: bytes) -> Reply:
    """Returns the hash slot of a key. O(N) with N the length of the key."""
    return key_slot(key)


_needs_a_cluster(
    "CLUSTER COUNTKEYSINSLOT",
    "Returns how many keys a slot has. O(1).",
    arity=3,
    flags="stale",
    syntax="slot",
)
_needs_a_cluster("CLUSTER GETKEYSINSLOT", "Returns keys of a slot. O(N) with N the number of keys asked for.",
                 arity=4, flags="stale", tips=VARIES, syntax="slot count")  # fmt: skip
_needs_a_cluster("CLUSTER FLUSHSLOT", "Deletes the keys of a slot. O(N) with N the number of its keys.", arity=-3,
                 flags="write admin no_async_loading", acl="keyspace", since="9.0.0", syntax="slot [ASYNC | SYNC]")  # fmt: skip
_needs_a_cluster("CLUSTER SLOT-STATS", "Returns what use is made of slots. O(N*log(N)) with N the number of slots.",
                 arity=-4, flags=ASK, tips=[*VARIES, "request_policy:all_shards"], since="8.0.0",
                 syntax="<SLOTSRANGE start-slot end-slot | ORDERBY metric [LIMIT limit] [ASC | DESC]>")  # fmt: skip
_needs_a_cluster(
    "CLUSTER ADDSLOTS",
    "Gives this node slots. O(N) with N the number of slots.",
    arity=-3,
    syntax="slot [slot ...]",
)
_needs_a_cluster("CLUSTER ADDSLOTSRANGE", "Gives this node ranges of slots. O(N) with N the number of slots.",
                 arity=-4, since="7.0.0", syntax="start-slot end-slot [start-slot end-slot ...]")  # fmt: skip
_needs_a_cluster(
    "CLUSTER DELSLOTS",
    "Leaves slots without a node. O(N) with N the number of slots.",
    arity=-3,
    syntax="slot [slot ...]",
)
_needs_a_cluster("CLUSTER DELSLOTSRANGE", "Leaves ranges of slots without a node. O(N) with N the number of slots.",
                 arity=-4, since="7.0.0", syntax="start-slot end-slot [start-slot end-slot ...]")  # fmt: skip
_needs_a_cluster("CLUSTER FLUSHSLOTS", "Leaves all slots of this node without one. O(1).")
_needs_a_cluster("CLUSTER SETSLOT", "Says which node a slot belongs to, or moves to. O(1).", arity=-4,
                 history=[("8.0.0", "Added the `TIMEOUT` option.")],
                 syntax="slot <IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE> [TIMEOUT timeout]")  # fmt: skip
_needs_a_cluster("CLUSTER MIGRATESLOTS", "Moves slots to other nodes. O(N) with N the number of slots.", arity=-4, since="9.0.0",
                 syntax="SLOTSRANGE start-slot end-slot [start-slot end-slot ...] NODE node-id "
                        "[SLOTSRANGE start-slot end-slot [start-slot end-slot ...] NODE node-id ...]")  # fmt: skip
_needs_a_cluster(
    "CLUSTER GETSLOTMIGRATIONS",
    "Tells how the moves of slots stand. O(N) with N the number of moves.",
    since="9.0.0",
)
_needs_a_cluster(
    "CLUSTER CANCELSLOTMIGRATIONS",
    "Breaks off the moves of slots. O(N) with N the number of moves.",
    since="9.0.0",
)
_needs_a_cluster(
    "CLUSTER SYNCSLOTS",
    "Is what nodes say to each other when slots move. O(1).",
    arity=-3,
    since="9.0.0",
    doc_flags="syscmd",
)
_needs_a_cluster("CLUSTERSCAN", "Returns keys of the whole cluster, in parts. O(N) with N the number of keys returned.",
                 arity=-2, flags="readonly", acl="keyspace", since="9.1.0", keys=KeySpec(("not_key",), 1),
                 tips=[*VARIES, "request_policy:special", "response_policy:special"],
                 syntax="cursor [MATCH match-pattern] [COUNT count] [TYPE type] [SLOT slot]")  # fmt: skip

# ---- a client and a node


@cluster_commands.command("READONLY", arity=1, flags="loading stale fast", acl="connection", since="3.0.0")
def readonly(_client: Client) -> Reply:
    """Lets this client read from a replica. O(1)."""
    return "OK"


@cluster_commands.command("READWRITE", arity=1, flags="loading stale fast", acl="connection", since="3.0.0")
def readwrite(_client: Client) -> Reply:
    """Ends READONLY. O(1)."""
    return "OK"


_needs_a_cluster(
    "ASKING",
    "Says that the next command comes because of an ASK error. O(1).",
    arity=1,
    flags="fast",
    acl="connection",
)
