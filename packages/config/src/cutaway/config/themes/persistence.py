"""Directives about snapshots and the append-only file."""

from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.special import Directory, Save
from cutaway.config.values import INT_MAX, INT_MIN, LONG_MAX, Boolean, Enum, Integer, Memory, Text

_FSYNC = "a file is synced once, when it is whole"


def _check_dbfilename(text: str) -> str | None:
    return "dbfilename can't be a path, just a filename" if _is_path(text) else None


def _check_appendfilename(text: str) -> str | None:
    if not text:
        return "appendfilename can't be empty"
    return "appendfilename can't be a path, just a filename" if _is_path(text) else None


def _check_appenddirname(text: str) -> str | None:
    if not text:
        return "appenddirname can't be empty"
    return "appenddirname can't be a path, just a dirname" if _is_path(text) else None


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text


DIRECTIVES: Final = (
    Directive("dir", Directory(), ".", protected=True, volatile=True, deny_loading=True),
    Directive("dbfilename", Text(_check_dbfilename, absent_if_empty=False), "dump.rdb", protected=True),
    Directive("save", Save(), ((3600, 1), (300, 100), (60, 10000)), volatile=True),
    Directive("stop-writes-on-bgsave-error", Boolean(), True),
    Directive("rdbcompression", Boolean(), True),
    Directive("rdbchecksum", Boolean(), True, immutable=True),
    Directive("rdb-del-sync-files", Boolean(), False, "there is no replication yet, so no such files"),
    Directive("rdb-save-incremental-fsync", Boolean(), True, _FSYNC),
    Directive("rdb-version-check", Enum("strict", "relaxed"), "strict"),
    Directive("rdb-key-save-delay", Integer(INT_MIN, INT_MAX), 0, hidden=True),
    Directive("key-load-delay", Integer(INT_MIN, INT_MAX), 0, hidden=True),
    Directive(
        "sanitize-dump-payload",
        Enum("no", "yes", "clients"),
        "no",
        "payloads are always checked",
        hidden=True,
    ),
    Directive(
        "loading-process-events-interval-bytes",
        Integer(1024, INT_MAX),
        2 * 1024 * 1024,
        "loading gives way to clients by time, not by bytes",
        hidden=True,
    ),
    Directive("appendonly", Boolean(), False, deny_loading=True),
    Directive("appendfsync", Enum("everysec", "always", "no"), "everysec"),
    Directive(
        "appendfilename", Text(_check_appendfilename, absent_if_empty=False), "appendonly.aof", immutable=True
    ),
    Directive(
        "appenddirname", Text(_check_appenddirname, absent_if_empty=False), "appendonlydir", immutable=True
    ),
    Directive("no-appendfsync-on-rewrite", Boolean(), False),
    Directive("auto-aof-rewrite-percentage", Integer(0, INT_MAX), 100),
    Directive("auto-aof-rewrite-min-size", Memory(0, LONG_MAX, signed=True), 64 * 1024 * 1024),
    Directive("aof-load-truncated", Boolean(), True),
    Directive("aof-use-rdb-preamble", Boolean(), True),
    Directive("aof-timestamp-enabled", Boolean(), False),
    Directive("aof-rewrite-incremental-fsync", Boolean(), True, _FSYNC),
    Directive("aof-disable-auto-gc", Boolean(), False, hidden=True),
)
