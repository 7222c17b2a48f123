"""Directives about masters and replicas."""

from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.special import Master
from cutaway.config.values import INT_MAX, LONG_MAX, Boolean, Enum, Integer, Memory, Text

_DISKLESS: Final = ("disabled", "on-empty-db", "swapdb", "flush-before-load")

DIRECTIVES: Final = (
    Directive("replicaof", Master(), ("", 0), alias="slaveof", immutable=True),
    Directive("primaryauth", Text(), "", alias="masterauth", sensitive=True),
    Directive("primaryuser", Text(), "", alias="masteruser", sensitive=True),
    Directive("replica-serve-stale-data", Boolean(), True, alias="slave-serve-stale-data"),
    Directive("replica-read-only", Boolean(), True, alias="slave-read-only"),
    Directive("replica-lazy-flush", Boolean(), True, alias="slave-lazy-flush"),
    Directive("replica-priority", Integer(0, INT_MAX), 100, alias="slave-priority"),
    Directive("replica-announced", Boolean(), True),
    Directive("replica-announce-ip", Text(), "", alias="slave-announce-ip"),
    Directive("replica-announce-port", Integer(0, 65535), 0, alias="slave-announce-port"),
    Directive("replica-ignore-maxmemory", Boolean(), True, alias="slave-ignore-maxmemory"),
    Directive("replica-ignore-disk-write-errors", Boolean(), False),
    Directive("repl-timeout", Integer(1, INT_MAX), 60),
    Directive("repl-ping-replica-period", Integer(1, INT_MAX), 10, alias="repl-ping-slave-period"),
    Directive(
        "repl-backlog-size", Memory(1, LONG_MAX, signed=True, clamp=(16 * 1024, LONG_MAX)), 10 * 1024 * 1024
    ),
    Directive("repl-backlog-ttl", Integer(0, LONG_MAX), 3600),
    Directive("repl-disable-tcp-nodelay", Boolean(), False),
    Directive("repl-diskless-sync", Boolean(), True),
    Directive("repl-diskless-sync-delay", Integer(0, INT_MAX), 5),
    Directive("repl-diskless-sync-max-replicas", Integer(0, INT_MAX), 0),
    Directive("repl-diskless-load", Enum(*_DISKLESS), "disabled", deny_loading=True),
    Directive(
        "repl-mptcp",
        Boolean(),
        False,
        "a socket option of Linux that this server does not set",
        immutable=True,
    ),
    Directive(
        "dual-channel-replication-enabled", Boolean(), False, "a full synchronisation uses one connection"
    ),
    Directive("min-replicas-to-write", Integer(0, INT_MAX), 0, alias="min-slaves-to-write"),
    Directive("min-replicas-max-lag", Integer(0, INT_MAX), 10, alias="min-slaves-max-lag"),
    Directive("propagation-error-behavior", Enum("ignore", "panic", "panic-on-replicas"), "ignore"),
)
