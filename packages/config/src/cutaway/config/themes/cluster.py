"""Directives about Redis Cluster, all of them accepted only: this server is always a single node."""

import ipaddress
import re
from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.values import INT_MAX, LONG_MAX, LONG_MIN, ULONG_MAX, Boolean, Enum, Integer, Memory, Text

_ALONE: Final = "there is no cluster mode"
_HOSTNAME_LENGTH: Final = 256
_ADDRESS_LENGTH: Final = 46


def _check_hostname(text: str) -> str | None:
    if len(text) >= _HOSTNAME_LENGTH:
        return f"Hostnames must be less than {_HOSTNAME_LENGTH} characters"
    if not re.fullmatch(r"[A-Za-z0-9.-]*", text):
        return "Hostnames may only contain alphanumeric characters, hyphens or dots"
    return None


def _check_nodename(text: str) -> str | None:
    return "Announced human node name contained invalid character" if _has_odd_characters(text) else None


def _check_announced_ip(text: str) -> str | None:
    if len(text.encode("utf-8", "surrogateescape")) >= _ADDRESS_LENGTH:
        return "cluster-announce-ip is too long"
    return "cluster-announce-ip contains invalid character" if _has_odd_characters(text) else None


def _has_odd_characters(text: str) -> bool:
    return re.search(r"[^a-zA-Z0-9./:_`\u0080-\U0010ffff-]", text) is not None


def _check_ipv4(text: str) -> str | None:
    try:
        if text:
            ipaddress.IPv4Address(text)
    except ValueError:
        return "Invalid IPv4 address"
    return None


def _check_ipv6(text: str) -> str | None:
    try:
        if text:
            ipaddress.IPv6Address(text.replace("%", "zone"))
    except ValueError:
        return "Invalid IPv6 address"
    return None


DIRECTIVES: Final = (
    Directive("cluster-enabled", Boolean(), False, _ALONE, immutable=True),
    Directive("cluster-config-file", Text(absent_if_empty=False), "nodes.conf", _ALONE, immutable=True),
    Directive("cluster-config-save-behavior", Enum("sync", "best-effort"), "sync", _ALONE),
    Directive("cluster-databases", Integer(1, INT_MAX), 1, _ALONE, immutable=True),
    Directive("cluster-port", Integer(0, 65535), 0, _ALONE, immutable=True),
    Directive("cluster-node-timeout", Integer(0, LONG_MAX), 15000, _ALONE),
    Directive("cluster-ping-interval", Integer(0, LONG_MAX), 0, _ALONE, hidden=True),
    Directive("cluster-message-gossip-perc", Integer(1, 100), 10, _ALONE, hidden=True),
    Directive("cluster-blacklist-ttl", Integer(LONG_MIN, LONG_MAX), 60, _ALONE),
    Directive("cluster-migration-barrier", Integer(0, INT_MAX), 1, _ALONE),
    Directive("cluster-manual-failover-timeout", Integer(1, INT_MAX), 5000, _ALONE),
    Directive(
        "cluster-replica-validity-factor",
        Integer(0, INT_MAX),
        10,
        _ALONE,
        alias="cluster-slave-validity-factor",
    ),
    Directive("cluster-replica-no-failover", Boolean(), False, _ALONE, alias="cluster-slave-no-failover"),
    Directive("cluster-require-full-coverage", Boolean(), True, _ALONE),
    Directive("cluster-allow-reads-when-down", Boolean(), False, _ALONE),
    Directive("cluster-allow-pubsubshard-when-down", Boolean(), True, _ALONE),
    Directive("cluster-allow-replica-migration", Boolean(), True, _ALONE),
    Directive("cluster-link-sendbuf-limit", Memory(0, ULONG_MAX), 0, _ALONE),
    Directive("cluster-slot-stats-enabled", Boolean(), False, _ALONE),
    Directive("cluster-slot-migration-log-max-len", Integer(0, LONG_MAX), 1000, _ALONE),
    Directive(
        "slot-migration-max-failover-repl-bytes", Memory(-1, LONG_MAX, signed=True, negative=True), 0, _ALONE
    ),
    Directive("cluster-announce-ip", Text(_check_announced_ip), "", _ALONE),
    Directive("cluster-announce-port", Integer(0, 65535), 0, _ALONE),
    Directive("cluster-announce-tls-port", Integer(0, 65535), 0, _ALONE),
    Directive("cluster-announce-bus-port", Integer(0, 65535), 0, _ALONE),
    Directive("cluster-announce-client-ipv4", Text(_check_ipv4), "", _ALONE),
    Directive("cluster-announce-client-ipv6", Text(_check_ipv6), "", _ALONE),
    Directive("cluster-announce-client-port", Integer(0, 65535), 0, _ALONE),
    Directive("cluster-announce-client-tls-port", Integer(0, 65535), 0, _ALONE),
    Directive("cluster-announce-hostname", Text(_check_hostname), "", _ALONE),
    Directive("cluster-announce-human-nodename", Text(_check_nodename), "", _ALONE),
    Directive("cluster-preferred-endpoint-type", Enum("ip", "hostname", "unknown-endpoint"), "ip", _ALONE),
    Directive("availability-zone", Text(absent_if_empty=False), ""),
)
