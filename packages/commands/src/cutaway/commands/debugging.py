"""DEBUG: for tests, for learners, and for nobody else.

What a value looks like inside, digests of the data, replies of every type, a server that sleeps. Since some of it harms the
server, the directive `enable-debug-command` says who may: nobody, everybody, or clients on the same machine.

DEBUG is one command, not a container: COMMAND knows nothing of its subcommands. They are listed in one dict here, each with the
number of arguments it takes. What needs the outside world is asked of `engine.extras`:

=================  =============================================================================================
`sleep`            stop everything for so many seconds
`reload`           write a snapshot and load it again (keywords `flush`, `save`)
`load_aof`         replay the append-only file into an empty keyspace
`pause_cron`       leave the regular work undone for a while
`aof_flush_sleep`  wait so many microseconds before each write of the append-only file
`codec`            for the serialized length of a value (see `dumping.py`)
`change_repl_id`   take a new replication id
`crash`            die by "segfault", "assert" or "panic"
=================  =============================================================================================
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.configuration import is_local
from cutaway.commands.digests import Digest, add_entry, dataset_digest
from cutaway.commands.dumping import codec
from cutaway.commands.keyspaces import Entry, encoding
from cutaway.commands.strings import encode_string
from cutaway.commands.tables import CommandTable
from cutaway.config import matcher
from cutaway.config.values import parse_size
from cutaway.datastructures import Dict, HashValue, ListValue, SetValue, SortedSetValue
from cutaway.datastructures.eviction_clocks import idle_time
from cutaway.datastructures.quicklists import PlainNode
from cutaway.resp import Attributed, BigNumber, MapReply, Push, Reply, SetReply, Verbatim

debugging: Final = CommandTable("server")
log: Final = logging.getLogger("cutaway.debug")

Action = Callable[..., Reply]
UNLIMITED: Final = 2**31

NOT_ALLOWED: Final = errors.CommandError(
    'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local '
    "connection, otherwise you need to set this option in the configuration file, and then restart the server."
)
NO_TABLE: Final = errors.CommandError(
    "ERR The value stored at the specified key is not represented using an hash table"
)
WRONG_THRESHOLD: Final = errors.CommandError(
    "ERR argument must be a memory value bigger than 1 and smaller than 4gb"
)
WRONG_RELOAD_OPTION: Final = errors.CommandError(
    "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."
)
WRONG_PROTOCOL_TYPE: Final = errors.CommandError(
    "ERR Wrong protocol type name. Please use one of the following: "
    "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
)
NO_RESP2: Final = errors.CommandError("ERR RESP2 is not supported by this command")

_ACTIONS: Final[dict[bytes, tuple[int, int, Action]]] = {}
"""By name: the least and the greatest number of arguments, and what to do."""


def _action(name: str, least: int = 0, most: int | None = None) -> Callable[[Action], Action]:
    def declare(action: Action) -> Action:
        _ACTIONS[name.encode()] = (least, least if most is None else most, action)
        return action

    return declare


@debugging.command(
    "DEBUG", arity=-2, flags="admin noscript loading stale", doc_flags="syscmd", transparent=True
)
def debug(client: Client, name: bytes, *words: bytes) -> Reply:
    """A container for debugging commands. O(1) to O(n), depending on the subcommand."""
    if not client.engine.config.allows("enable-debug-command", local=is_local(client)):
        raise NOT_ALLOWED
    least, most, action = _ACTIONS.get(name.lower(), (0, -1, debug))
    if not least <= len(words) <= most:
        shown = errors.printable(name, 128)
        raise errors.CommandError(
            f"ERR unknown subcommand or wrong number of arguments for '{shown}'. Try DEBUG HELP."
        )
    return action(client, *words)


# ---- looking at values


def _entry(client: Client, key: bytes) -> Entry:
    """The key's entry, even if its time is over: nothing changes by looking."""
    entry = client.db.keys.get(key)
    if entry is None:
        raise errors.NO_SUCH_KEY
    return entry


@_action("object", 1, 2)
def _object(client: Client, key: bytes, *fast: bytes) -> Reply:
    """OBJECT <key> [fast]: where a value lies, its encoding, its size in a snapshot, its last use."""
    entry = _entry(client, key)
    size = "" if fast else f"serializedlength:{_serialized_length(client, entry.value)} "
    idle = idle_time(entry.access, client.engine.keyspace.lru_clock) // 1000
    return (
        f"Value at:{id(entry):#x} refcount:1 encoding:{encoding(entry.value)} {size}"
        f"lru:{entry.access} lru_seconds_idle:{idle}{_quicklist_facts(client, entry.value)}"
    )


def _serialized_length(client: Client, value: Any) -> int:
    """The bytes of a value in an RDB file; a DUMP payload has its type before, and ten bytes of footer."""
    return len(codec(client).dump(value)) - 11


def _quicklist_facts(client: Client, value: Any) -> str:
    quicklist = value.quicklist if isinstance(value, ListValue) else None
    if quicklist is None:
        return ""
    limits, nodes = client.engine.limits, len(quicklist.nodes)
    return (
        f" ql_nodes:{nodes} ql_avg_node:{quicklist.count / nodes:.2f} ql_listpack_max:{limits.list_max_listpack_size}"
        f" ql_compressed:{int(limits.list_compress_depth != 0)}"
        f" ql_uncompressed_size:{sum(map(_node_size, quicklist.nodes))}"
    )


def _node_size(node: Any) -> int:
    return len(node.element) if isinstance(node, PlainNode) else node.nbytes


@_action("sdslen", 1)
def _sdslen(client: Client, key: bytes) -> Reply:
    """SDSLEN <key>: the lengths of a key and of its string value."""
    value = _entry(client, key).value
    if not isinstance(value, (bytes, bytearray)):
        raise errors.CommandError("ERR Not an sds encoded string.")
    return f"key_sds_len:{len(key)} key_sds_avail:0 val_sds_len:{len(value)} val_sds_avail:0"


@_action("listpack", 1)
def _listpack(client: Client, key: bytes) -> Reply:
    """LISTPACK <key>: write a value's listpack to the log."""
    value = _entry(client, key).value
    if encoding(value) != "listpack":
        raise errors.CommandError("ERR Not a listpack encoded object.")
    packs: list[Any] = list(value.nodes()) if isinstance(value, ListValue) else [value.pack]
    for pack in packs:
        log.info("listpack of %r: %d entries, %d bytes: %r", key, len(pack), pack.nbytes, list(pack))
    return "Listpack structure printed on stdout"


@_action("quicklist", 1, 2)
def _quicklist(client: Client, key: bytes, *full: bytes) -> Reply:
    """QUICKLIST <key> [0|1]: write a list's nodes to the log, with 1 their elements too."""
    value = _entry(client, key).value
    quicklist = value.quicklist if isinstance(value, ListValue) else None
    if quicklist is None:
        raise errors.CommandError("ERR Not a quicklist encoded object.")
    log.info("quicklist of %r: %d elements in %d nodes", key, quicklist.count, len(quicklist.nodes))
    for number, node in enumerate(quicklist.open_nodes()):
        elements = list(cast("Any", node)) if full and full[0] != b"0" else ""
        log.info("  node %d: %s, %d elements %s", number, type(node).__name__, node.count, elements)
    return "Quicklist structure printed on stdout"


@_action("quicklist-packed-threshold", 1)
def _quicklist_packed_threshold(client: Client, size: bytes) -> Reply:
    """QUICKLIST-PACKED-THRESHOLD <size>: from which size on an element is kept in a node of its own; 0 for the usual one."""
    threshold = parse_size(size.decode("latin-1"))
    if threshold is None or threshold >= 1 << 32:
        raise WRONG_THRESHOLD
    client.engine.limits.list_packed_threshold = threshold
    return "OK"


# ---- hash tables


@_action("htstats", 1, UNLIMITED)
def _htstats(client: Client, index: bytes, *words: bytes) -> Reply:
    """HTSTATS <dbid> [full]: the hash tables of a database."""
    number, databases = arguments.integer(index), client.engine.keyspace.databases
    if not 0 <= number < len(databases):
        raise errors.CommandError("ERR Out of range database")
    full, database = _is_full(words), databases[number]
    text = f"[Dictionary HT]\n{_table_text(database.keys, full=full)}[Expires HT]\n"
    return Verbatim(
        (text + (_table_text(database.expires, full=full) if len(database.expires) else "")).encode()
    )


@_action("htstats-key", 1, UNLIMITED)
def _htstats_key(client: Client, key: bytes, *words: bytes) -> Reply:
    """HTSTATS-KEY <key> [full]: the hash table inside a value."""
    value = _entry(client, key).value
    table = value.table if isinstance(value, (HashValue, SetValue, SortedSetValue)) else None
    if table is None:
        raise NO_TABLE
    return Verbatim(_table_text(table, full=_is_full(words)).encode())


def _is_full(words: Sequence[bytes]) -> bool:
    return bool(words) and words[0].lower() == b"full"


def _table_text(table: Dict[bytes, Any], *, full: bool) -> str:
    """A dictionary's one table, or its two while it is being rehashed, as Redis words it. O(slots)."""
    lines: list[str] = []
    for number, stats in enumerate(table.stats()):
        lines += [
            f"Hash table {number} stats ({'rehashing target' if number else 'main hash table'}):",
            f" table size: {stats.slots}",
            f" number of elements: {stats.keys}",
        ]
        if not number:
            lines.append(f" rehashing index: {table.rehash_index}")
        used = stats.slots - stats.histogram.get(0, 0)
        if full and used:
            lines += [
                f" different slots: {used}",
                f" max chain length: {max(stats.histogram)}",
                f" avg chain length (counted): {stats.keys / used:.2f}",
                " Chain length distribution:",
                *(
                    f"   {size}: {slots} ({slots / stats.slots:.2%})"
                    for size, slots in stats.histogram.items()
                ),
            ]
    return "".join(f"{line}\n" for line in lines)


# ---- data


@_action("digest")
def _digest(client: Client) -> Reply:
    """DIGEST: a signature of all data, equal on servers that hold the same."""
    return dataset_digest(client.engine.keyspace).hex()


@_action("digest-value", 0, UNLIMITED)
def _digest_value(client: Client, *keys: bytes) -> Reply:
    """DIGEST-VALUE [key ...]: a signature of each key's value."""
    digests: list[Reply] = []
    for key in keys:
        digest = Digest()
        entry = client.db.keys.get(key)
        if entry is not None:
            add_entry(digest, entry)
        digests.append(digest.hex())
    return digests


@_action("populate", 1, 3)
def _populate(client: Client, count: bytes, prefix: bytes = b"key", size: bytes = b"0") -> Reply:
    """POPULATE <count> [prefix] [size]: make so many keys that are not there yet."""
    number, length = arguments.positive(count), arguments.positive(size)
    for place in range(number):
        key, value = b"%s:%d" % (prefix, place), b"value:%d" % place
        if client.db.lookup_write(key) is None:
            client.db.add(key, encode_string(value[:length].ljust(length, b"\0") if length else value))
            client.db.notify(key, "set")
    return "OK"


@_action("reload", 0, UNLIMITED)
def _reload(client: Client, *words: bytes) -> Reply:
    """RELOAD [MERGE] [NOFLUSH] [NOSAVE]: write a snapshot, empty the keyspace, and load it again."""
    options = {word.upper() for word in words}
    if not options <= {b"MERGE", b"NOFLUSH", b"NOSAVE"}:
        raise WRONG_RELOAD_OPTION
    _outside(client, "reload")(
        flush=b"NOFLUSH" not in options, save=b"NOSAVE" not in options, merge=b"MERGE" in options
    )
    return "OK"


@_action("loadaof")
def _loadaof(client: Client) -> Reply:
    """LOADAOF: empty the keyspace, and replay the append-only file."""
    _outside(client, "load_aof")()
    return "OK"


def _outside(client: Client, name: str) -> Callable[..., Any]:
    found: Callable[..., Any] | None = client.engine.extras.get(name)
    if found is None:
        raise errors.CommandError(f"ERR this server was composed without '{name}'")
    return found


# ---- the server


@_action("sleep", 1)
def _sleep(client: Client, seconds: bytes) -> Reply:
    """SLEEP <seconds>: stop the server for so long; decimals are allowed."""
    _outside(client, "sleep")(max(0.0, arguments.number_or_none(seconds) or 0.0))
    return "OK"


@_action("segfault")
def _segfault(client: Client) -> Reply:
    """SEGFAULT: read memory that is not there; the server dies of it, and leaves its report in the log."""
    return cast("Reply", _outside(client, "crash")("segfault"))


@_action("assert")
def _assert(client: Client) -> Reply:
    """ASSERT: fail as a condition does that must hold; the server aborts."""
    return cast("Reply", _outside(client, "crash")("assert"))


@_action("panic")
def _panic(client: Client) -> Reply:
    """PANIC: fail as where nothing sensible is left to do; the server aborts."""
    return cast("Reply", _outside(client, "crash")("panic"))


@_action("aof-flush-sleep", 1)
def _aof_flush_sleep(client: Client, microseconds: bytes) -> Reply:
    """AOF-FLUSH-SLEEP <microseconds>: before it writes the append-only file, the server waits so long."""
    _outside(client, "aof_flush_sleep")(max(0.0, arguments.number_or_none(microseconds) or 0.0))
    return "OK"


@_action("config-rewrite-force-all")
def _config_rewrite_force_all(client: Client) -> Reply:
    """CONFIG-REWRITE-FORCE-ALL: as CONFIG REWRITE, with all settings, those too that have their default."""
    _outside(client, "rewrite_config")(everything=True)
    return "OK"


@_action("pause-cron", 1)
def _pause_cron(client: Client, switch: bytes) -> Reply:
    """PAUSE-CRON <0|1>: leave the regular work undone, or take it up again."""
    _outside(client, "pause_cron")(switch != b"0")
    return "OK"


@_action("replybuffer", 2)
def _replybuffer(_client: Client, setting: bytes, _value: bytes) -> Reply:
    """REPLYBUFFER <peak-reset-time|resizing> <value>: nothing to set, for replies wait in lists that are as long as they are."""
    if setting.lower() not in (b"peak-reset-time", b"resizing"):
        raise errors.SYNTAX
    return "OK"


@_action("set-active-expire", 1)
def _set_active_expire(client: Client, switch: bytes) -> Reply:
    """SET-ACTIVE-EXPIRE <0|1>: whether expired keys are removed in the background."""
    client.engine.active_expiry.enabled = switch != b"0"
    return "OK"


@_action("set-disable-deny-scripts", 1)
def _set_disable_deny_scripts(client: Client, flag: bytes) -> Reply:
    """SET-DISABLE-DENY-SCRIPTS <0|1>: whether scripts may call the commands that are not meant for scripts."""
    client.engine.extras["scripts_may_all"] = arguments.integer(flag) != 0
    return "OK"


@_action("change-repl-id")
def _change_repl_id(client: Client) -> Reply:
    """CHANGE-REPL-ID: take a new replication id."""
    change: Callable[[], None] | None = client.engine.extras.get("change_repl_id")
    if change is not None:
        change()
    return "OK"


@_action("log", 1)
def _log(_client: Client, message: bytes) -> Reply:
    """LOG <message>: write a line to the server's log."""
    log.warning("DEBUG LOG: %s", message.decode("utf-8", "backslashreplace"))
    return "OK"


@_action("error", 1)
def _error(_client: Client, text: bytes) -> Reply:
    """ERROR <string>: answer this error."""
    raise errors.CommandError(text.decode("utf-8", "surrogateescape"))


@_action("stringmatch-len", 2)
def _stringmatch_len(_client: Client, length: bytes, pattern: bytes) -> Reply:
    """STRINGMATCH-LEN <length> <pattern>: how long a text of so many letters a takes to match. Kept for old test suites."""
    matcher(pattern)(b"a" * min(arguments.positive(length), 1 << 20))
    return "OK"


_EXAMPLES: Final[dict[bytes, Reply]] = {
    b"string": b"Hello World",
    b"integer": 12345,
    b"double": 3.141,
    b"bignum": BigNumber(1234567999999999999999999999999999999),
    b"null": None,
    b"array": [0, 1, 2],
    b"set": SetReply([0, 1, 2]),
    b"map": MapReply([(number, number == 1) for number in range(3)]),
    b"attrib": Attributed({b"key-popularity": [b"key:123", 90]}, b"Some real reply following the attribute"),
    b"verbatim": Verbatim(b"This is a verbatim\nstring"),
    b"true": True,
    b"false": False,
}


@_action("protocol", 1)
def _protocol(client: Client, kind: bytes) -> Reply:
    """PROTOCOL <type>: answer an example of a reply type: string, integer, double, bignum, null, array, set, map ..."""
    name = kind.lower()
    if name == b"push":
        if client.protocol < 3:
            raise NO_RESP2
        client.deliver(Push([b"server-cpu-usage", 42]))
        return b"Some real reply following the push reply"
    if name not in _EXAMPLES:
        raise WRONG_PROTOCOL_TYPE
    return _EXAMPLES[name]


@_action("help")
def _help(_client: Client) -> Reply:
    """HELP: print this help."""
    lines: list[Reply] = ["DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for _, _, action in _ACTIONS.values():
        form, _, text = (action.__doc__ or "").partition(": ")
        lines += [form, f"    {text[:1].upper()}{text[1:]}"]
    return lines
