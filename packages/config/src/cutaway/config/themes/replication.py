"""Directives about masters and replicas."""

from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.special import Master
from cutaway.config.values import INT_MAX, LONG_MAX, Boolean, Enum, Integer, Memory, Text

_NONE: Final = "there is no replication yet: this server is always a primary without replicas"
_DISKLESS: Final = ("disabled", "on-empty-db", "swapdb", "flush-before-load")

DIRECTIVES: Final = (
    Directive("replicaof", Master(), ("", 0), _NONE, alias="slaveof", immutable=True),
    Directive("primaryauth", Text(), "", _NONE, alias="masterauth", sensitive=True),
    Directive("primaryuser", Text(), "", _NONE, alias="masteruser", sensitive=True),
    Directive("replica-serve-stale-data", Boolean(), True, _NONE, alias="slave-serve-stale-data"),
    Directive("replica-read-only", Boolean(), True, _NONE, alias="slave-read-only"),
    Directive("replica-lazy-flush", Boolean(), True, _NONE, alias="slave-lazy-flush"),
    Directive("replica-priority", Integer(0, INT_MAX), 100, _NONE, alias="slave-priority"),
    Directive("replica-announced", Boolean(), True, _NONE),
    Directive("replica-announce-ip", Text(), "", _NONE, alias="slave-announce-ip"),
    Directive("replica-announce-port", Integer(0, 65535), 0, _NONE, alias="slave-announce-port"),
    Directive("replica-ignore-maxmemory", Boolean(), True, _NONE, alias="slave-ignore-maxmemory"),
    Directive("replica-ignore-disk-write-errors", Boolean(), False, _NONE),
    Directive("repl-timeout", Integer(1, INT_MAX), 60, _NONE),
    Directive("repl-ping-replica-period", Integer(1, INT_MAX), 10, _NONE, alias="repl-ping-slave-period"),
    Directive(
        "repl-backlog-size",
        Memory(1, LONG_MAX, signed=True, clamp=(16 * 1024, LONG_MAX)),
        10 * 1024 * 1024,
        _NONE,
    ),
    Directive("repl-backlog-ttl", Integer(0, LONG_MAX), 3600, _NONE),
    Directive("repl-disable-tcp-nodelay", Boolean(), False, _NONE),
    Directive("repl-diskless-sync", Boolean(), True, _NONE),
    Directive("repl-diskless-sync-delay", Integer(0, INT_MAX), 5, _NONE),
    Directive("repl-diskless-sync-max-replicas", Integer(0, INT_MAX), 0, _NONE),
    Directive("repl-diskless-load", Enum(*_DISKLESS), "disabled", _NONE, deny_loading=True),
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
    Directive("min-replicas-to-write", Integer(0, INT_MAX), 0, _NONE, alias="min-slaves-to-write"),
    Directive("min-replicas-max-lag", Integer(0, INT_MAX), 10, _NONE, alias="min-slaves-max-lag"),
    Directive("propagation-error-behavior", Enum("ignore", "panic", "panic-on-replicas"), "ignore", _NONE),
)
