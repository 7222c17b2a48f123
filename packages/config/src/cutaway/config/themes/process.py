"""Directives about the process: how it starts, stops, runs and talks to the system it lives in."""

import re
from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.special import KeyspaceEvents, OomScores
from cutaway.config.values import INT_MAX, LONG_MAX, Boolean, Enum, Flags, Integer, Text

_AFFINITY: Final = "threads are not tied to processors"
_LUA: Final = "the Lua API has no such functions to allow"

_BLANK_VARIABLES: Final = frozenset({"title", "server-mode"})
_TITLE_VARIABLES: Final = _BLANK_VARIABLES | {"listen-addr", "port", "tls-port", "unixsocket", "config-file"}
_EXCLUSIVE: Final = {("nosave", "save"): "shutdown options SAVE and NOSAVE can't be used simultaneously"}


def _shutdown_flags() -> Flags:
    return Flags("default", "save", "nosave", "now", "force", "safe", "failover", exclusive=_EXCLUSIVE)


def _check_title(template: str) -> str | None:
    """Check that a title names known variables only and does not come out blank, as two of them do here."""
    unquoted = template.replace("{{", "(")
    names = re.findall(r"\{([^}]*)\}", unquoted)
    rest = re.sub(r"\{[^}]*\}", "", unquoted)
    known = all(name in _TITLE_VARIABLES for name in names) and "{" not in rest
    if not known or not (rest.strip(" ") or set(names) - _BLANK_VARIABLES):
        return "template format is invalid or contains unknown variables"
    return None


DIRECTIVES: Final = (
    Directive("databases", Integer(1, INT_MAX), 16, immutable=True),
    Directive("daemonize", Boolean(), False, immutable=True),
    Directive("pidfile", Text(), "", immutable=True),
    Directive("supervised", Enum("upstart", "systemd", "auto", "no"), "no", immutable=True),
    Directive("hz", Integer(0, INT_MAX, clamp=(1, 500)), 10),
    Directive(
        "dynamic-hz",
        Boolean(),
        True,
        "the regular work is as frequent with many clients as with few",
        hidden=True,
    ),
    Directive(
        "shutdown-timeout",
        Integer(0, INT_MAX),
        10,
        "it is the time that replicas get to catch up, and there are none",
    ),
    Directive("shutdown-on-sigint", _shutdown_flags(), ()),
    Directive("shutdown-on-sigterm", _shutdown_flags(), ()),
    Directive("notify-keyspace-events", KeyspaceEvents(), "", volatile=True),
    Directive("busy-reply-threshold", Integer(0, LONG_MAX), 5000, alias="lua-time-limit"),
    Directive("lua-enable-deprecated-api", Boolean(), False, _LUA, protected=True, hidden=True),
    Directive("lua-enable-insecure-api", Boolean(), False, _LUA, protected=True, hidden=True),
    Directive(
        "extended-redis-compatibility",
        Boolean(),
        False,
        "the server always says that it is Redis, as it does with this on",
    ),
    Directive("import-mode", Boolean(), False, "keys expire also while they are being imported"),
    Directive("locale-collate", Text(absent_if_empty=False), "", "SORT compares bytes, in the C locale"),
    Directive(
        "ignore-warnings",
        Text(absent_if_empty=False),
        "",
        "the start-up checks of ARM64 kernels do not apply",
    ),
    Directive(
        "always-show-logo",
        Boolean(),
        False,
        "the start is announced in one line, without a picture",
        immutable=True,
    ),
    Directive("set-proc-title", Boolean(), True, immutable=True),
    Directive(
        "proc-title-template",
        Text(_check_title, absent_if_empty=False),
        "{title} {listen-addr} {server-mode}",
    ),
    Directive("crash-log-enabled", Boolean(), True),
    Directive("crash-memcheck-enabled", Boolean(), True, "memory is not tested after a crash"),
    Directive(
        "use-exit-on-panic",
        Boolean(),
        False,
        "there is no panic: an error in the code costs a command",
        hidden=True,
    ),
    Directive("watchdog-period", Integer(0, INT_MAX), 0, hidden=True),
    Directive("debug-context", Text(absent_if_empty=False), "", "a tool of Valkey's own tests", hidden=True),
    Directive("oom-score-adj", Enum("no", "yes", "relative", "absolute", synonyms={"relative": "yes"}), "no"),
    Directive("oom-score-adj-values", OomScores(), (0, 200, 800)),
    Directive("server-cpulist", Text(), "", _AFFINITY, alias="server_cpulist", immutable=True),
    Directive("bio-cpulist", Text(), "", _AFFINITY, alias="bio_cpulist", immutable=True),
    Directive("aof-rewrite-cpulist", Text(), "", _AFFINITY, alias="aof_rewrite_cpulist", immutable=True),
    Directive("bgsave-cpulist", Text(), "", _AFFINITY, alias="bgsave_cpulist", immutable=True),
)
