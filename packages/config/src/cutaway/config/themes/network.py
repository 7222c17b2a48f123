"""Directives about listening, connections and what a client may send."""

from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.special import Addresses, OutputBufferLimits
from cutaway.config.values import INT_MAX, LONG_MAX, UINT_MAX, Boolean, Integer, Memory, Octal, Text

_MIB: Final = 1024 * 1024
_KERNEL = "a socket option of Linux that this server does not set"
_ONE_THREAD = "commands and sockets share one event loop"
_RDMA = "there is no RDMA transport"


def _refuse_rdma(_text: str) -> str:
    return "No RDMA building support."


DIRECTIVES: Final = (
    Directive("port", Integer(0, 65535), 6379),
    Directive("bind", Addresses(), ("*", "-::*"), volatile=True),
    Directive("bind-source-addr", Text(), "", "the server makes no connections of its own"),
    Directive("tcp-backlog", Integer(0, INT_MAX), 511, immutable=True),
    Directive("tcp-keepalive", Integer(0, INT_MAX), 300),
    Directive("timeout", Integer(0, INT_MAX), 0),
    Directive("unixsocket", Text(), "", immutable=True),
    Directive("unixsocketperm", Octal(0, 0o777), 0, immutable=True),
    Directive("unixsocketgroup", Text(), "", immutable=True),
    Directive("protected-mode", Boolean(), True),
    Directive("maxclients", Integer(1, UINT_MAX), 10000),
    Directive("client-query-buffer-limit", Memory(_MIB, LONG_MAX), 1024 * _MIB),
    Directive("proto-max-bulk-len", Memory(_MIB, LONG_MAX, signed=True), 512 * _MIB),
    Directive(
        "client-output-buffer-limit",
        OutputBufferLimits(),
        ((0, 0, 0), (256 * _MIB, 64 * _MIB, 60), (32 * _MIB, 8 * _MIB, 60)),
        volatile=True,
    ),
    Directive("maxmemory-clients", Memory(-100, LONG_MAX, signed=True, percentage=100), 0),
    Directive("tracking-table-max-keys", Integer(0, LONG_MAX), 1_000_000),
    Directive("socket-mark-id", Integer(0, UINT_MAX), 0, _KERNEL, immutable=True),
    Directive("mptcp", Boolean(), False, _KERNEL, immutable=True),
    Directive(
        "max-new-connections-per-cycle", Integer(1, 1000), 10, "the event loop decides how many it accepts"
    ),
    Directive(
        "max-new-tls-connections-per-cycle", Integer(1, 1000), 1, "the event loop decides how many it accepts"
    ),
    Directive("io-threads", Integer(1, 256), 1, _ONE_THREAD),
    Directive("io-threads-do-reads", Boolean(), False, _ONE_THREAD, hidden=True),
    Directive("io-threads-always-active", Boolean(), False, _ONE_THREAD, hidden=True),
    Directive("prefetch-batch-max-size", Integer(0, 128), 16, _ONE_THREAD),
    Directive("min-io-threads-avoid-copy-reply", Integer(0, INT_MAX), 7, _ONE_THREAD, hidden=True),
    Directive("min-string-size-avoid-copy-reply", Integer(0, INT_MAX), 16384, _ONE_THREAD, hidden=True),
    Directive(
        "min-string-size-avoid-copy-reply-threaded", Integer(0, INT_MAX), 65536, _ONE_THREAD, hidden=True
    ),
    Directive("rdma-port", Integer(0, 65535), 0, _RDMA),
    Directive("rdma-bind", Text(_refuse_rdma), "", _RDMA),
    Directive("rdma-rx-size", Integer(64 * 1024, 16 * _MIB), _MIB, _RDMA, immutable=True),
    Directive("rdma-completion-vector", Integer(-1, 1024), -1, _RDMA, immutable=True),
)
