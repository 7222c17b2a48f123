"""Every directive is set to every nasty value, here and on a real server; replies and values are compared."""

import pytest

from cutaway.config import Config, ConfigError
from cutaway.config.directives import TABLE

UNSAFE = {
    "dir": "changes the directory of the reference server",
    "io-threads": "starts threads",
    "watchdog-period": "arms a timer signal",
    "maxclients": "depends on the limits of the system",
    "port": "opens a socket",
    "bind": "opens sockets",
    "bind-source-addr": "used by outgoing connections only",
    "appendonly": "writes files",
    "locale-collate": "depends on the locales of the system",
    "rdma-port": "depends on the build",
    "oom-score-adj": "writes to /proc",
    "oom-score-adj-values": "writes to /proc",
    "tls-port": "depends on the build",
    "tls-cluster": "depends on the build",
    "tls-replication": "depends on the build",
    "activedefrag": "depends on the build",
    "sanitize-dump-payload": "not in this Valkey",
    "dynamic-hz": "not in this Valkey",
    "io-threads-do-reads": "not in this Valkey",
}

NASTY = (
    *(
        "",
        " ",
        "yes",
        "YES",
        "No",
        "maybe",
        "0",
        "1",
        "-1",
        "-0",
        "00",
        "01",
        "+1",
        "1 ",
        " 1",
        "2",
        "7",
        "10",
        "64",
    ),
    *(
        "99",
        "100",
        "101",
        "1000",
        "1001",
        "65535",
        "65536",
        "1048576",
        "2147483647",
        "2147483648",
        "-2147483648",
    ),
    *("4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808"),
    *(
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999",
        "1k",
        "1kb",
        "1KB",
        "2m",
        "3mb",
        "1g",
    ),
    *(
        "1gb",
        "1GB",
        "1t",
        "1b",
        "b",
        "kb",
        "-1mb",
        "1.5mb",
        "17179869184gb",
        "17179869185gb",
        "8589934592gb",
        "1 mb",
    ),
    *(
        "50%",
        "0%",
        "100%",
        "101%",
        "-1%",
        "%",
        "1%%",
        "05%",
        "0x10",
        "1e3",
        "3.14",
        "nan",
        "inf",
        "abc",
        "a b",
        "a  b",
    ),
    *(
        "no",
        "default",
        "save",
        "nosave",
        "save nosave",
        "now force",
        "force save",
        "now now",
        "safe",
        "failover",
    ),
    *(
        "safe force",
        "default save",
        "save  now",
        "CN",
        "cn",
        "relative",
        "absolute",
        "local",
        "60 1",
        "60 1 5 0",
        "60",
    ),
    *(
        "0 1",
        "1 -1",
        "60 1 ",
        "60  1",
        "60 x",
        "KEA",
        "AKE",
        "g$lshzxetdKE",
        "KEgm",
        "n",
        "An",
        "mnEK",
        "Kx",
        "KEy",
    ),
    *(
        "normal 0 0 0",
        "replica 1mb 2mb 3",
        "slave 1gb 0 60",
        "pubsub 1 2 3 normal 0 0 0",
        "PUBSUB 32mb 8mb 60",
    ),
    *(
        "master 0 0 0",
        "normal 0 0",
        "normal 0 0 -1",
        "normal x 0 0",
        "normal 0 0 1x",
        "50 99 99.9",
        "50.0 1e1",
    ),
    *(
        "100.1",
        "-0.1",
        "0.000001",
        "99.99999999",
        "5.",
        ".5",
        "50 ",
        "1 2 3",
        "0 200 800",
        "-2001 0 0",
        "a/b",
        "a\\b",
    ),
    *(
        "name.rdb",
        "{title}",
        "{title} {port}",
        "{nope}",
        "{",
        "{{x",
        "plain",
        "ümlaut",
        "\udcff\udc80",
        'with "quotes"',
    ),
    *(
        "127.0.0.1",
        "1.2.3",
        "01.2.3.4",
        "::1",
        "::ffff:1.2.3.4",
        "fe80::1%eth0",
        "host-1.example",
        "under_score",
        "x" * 300,
    ),
    *(
        "allkeys-LRU",
        "volatile-ttl",
        "noeviction",
        "everysec",
        "ALWAYS",
        "sync",
        "ip",
        "strict",
        "json",
        "iso8601",
    ),
    *(
        "swapdb",
        "on-empty-db",
        "panic",
        "notice",
        "nothing",
        "allchannels",
        "off",
        "a\nb",
        "a\tb",
        "#",
        "a#b",
        "a,b",
        "a=b",
    ),
)


def settable() -> list[str]:
    names = [name for row in TABLE if row.name not in UNSAFE for name in (row.name, row.alias) if name]
    return sorted(names)


def set_here(config: Config, pairs: list[tuple[str, str]]) -> str:
    try:
        config.set(pairs)
    except ConfigError as error:
        return f"-ERR {error}"
    return "+OK"


def reply_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


@pytest.mark.parametrize("part", range(8))
def test_every_directive_takes_and_refuses_what_valkey_does(valkey, part: int) -> None:
    config = Config(valkey_defaults(valkey))
    for name in settable()[part::8]:
        before = valkey.get(name)
        for value in NASTY:
            if "\0" in value:
                continue
            real = valkey.ask("CONFIG", "SET", name, value)
            ours = set_here(config, [(name, value)])
            assert (reply_line(ours), config.get(name)) == (real, valkey.get(name)), (name, value)
        valkey.ask("CONFIG", "SET", name, before[name])
        set_here(config, [(name, before[name])])


def valkey_defaults(valkey) -> dict[str, str]:
    """What the reference was started with, to start alike."""
    return valkey.get("unixsocket", "dir", "save", "port")
