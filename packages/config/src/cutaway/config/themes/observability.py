"""Directives about logs, the slow log and latency."""

from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.special import Percentiles
from cutaway.config.values import LONG_MAX, Boolean, Enum, Integer, Text

_FACILITIES: Final = ("user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7")

DIRECTIVES: Final = (
    Directive("loglevel", Enum("debug", "verbose", "notice", "warning", "nothing"), "notice"),
    Directive("logfile", Text(absent_if_empty=False), "", immutable=True),
    Directive("log-format", Enum("legacy", "logfmt", "json"), "legacy"),
    Directive("log-timestamp-format", Enum("legacy", "iso8601", "milliseconds"), "legacy"),
    Directive("hide-user-data-from-log", Boolean(), True),
    Directive("syslog-enabled", Boolean(), False, immutable=True),
    Directive("syslog-ident", Text(absent_if_empty=False), "valkey", immutable=True),
    Directive("syslog-facility", Enum(*_FACILITIES), "local0", immutable=True),
    Directive(
        "commandlog-execution-slower-than", Integer(-1, LONG_MAX), 10000, alias="slowlog-log-slower-than"
    ),
    Directive("commandlog-slow-execution-max-len", Integer(0, LONG_MAX), 128, alias="slowlog-max-len"),
    Directive("commandlog-request-larger-than", Integer(-1, LONG_MAX), 1024 * 1024),
    Directive("commandlog-large-request-max-len", Integer(0, LONG_MAX), 128),
    Directive("commandlog-reply-larger-than", Integer(-1, LONG_MAX), 1024 * 1024),
    Directive("commandlog-large-reply-max-len", Integer(0, LONG_MAX), 128),
    Directive("latency-monitor-threshold", Integer(0, LONG_MAX), 0),
    Directive("latency-tracking", Boolean(), True),
    Directive("latency-tracking-info-percentiles", Percentiles(), (50.0, 99.0, 99.9), volatile=True),
)
