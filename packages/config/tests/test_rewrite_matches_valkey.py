"""CONFIG REWRITE on a real server and here, from the same file after the same changes.

The real server appends in the order of its hash table, so what follows the signature is compared as a set
of lines.
"""

import pytest

from cutaway.config import Config
from cutaway.config.parser import Settings
from cutaway.config.rewriter import SIGNATURE, rewrite

FILES = {
    "nearly empty": "",
    "comments and blanks": "\n\n# first\n\n\n# second\nmaxmemory 1mb\n\n\n\n   # indented\nhz 10\n\n",
    "given twice": "hz 20\nmaxmemory 2mb\nhz 30\n# between\nmaxmemory 3mb\n",
    "aliases": "slave-priority 5\nhash-max-ziplist-value 12\nlua-time-limit 100\nmasterauth s3cret\n",
    "save points": "save 900 1\n# keep\nsave 300 10\nsave 60 10000\n",
    "no saves": 'save ""\n',
    "signed already": f"hz 20\n{SIGNATURE}\nmaxmemory 5mb\n",
    "upper case and quotes": "MaxMemory 4mb\ntls-key-file-pass \"a\\x01\\n\"\nignore-warnings 'x'\n",
    "buffers": "client-output-buffer-limit pubsub 1mb 2mb 3\nclient-output-buffer-limit normal 1000 2kb 0\n",
    "bind and events": "notify-keyspace-events KEAn\noom-score-adj-values 1 2 3\n",
}

CHANGES = {
    "nothing": [],
    "numbers": [
        ("maxmemory", "1073741824"),
        ("hz", "10"),
        ("slowlog-max-len", "128"),
        ("maxmemory-clients", "5%"),
    ],
    "save": [("save", "60 1 5 7"), ("maxmemory-policy", "allkeys-lfu"), ("appendfsync", "always")],
    "no save": [("save", ""), ("shutdown-on-sigint", "save force"), ("busy-reply-threshold", "5000")],
    "texts": [
        ("requirepass", ""),
        ("primaryauth", 'q"\\\t'),
        ("primaryuser", "\u00fc"),
        ("ignore-warnings", "ARM64"),
    ],
    "special": [
        ("client-output-buffer-limit", "replica 1gb 1 1"),
        ("notify-keyspace-events", "gE"),
        ("latency-tracking-info-percentiles", ""),
        ("repl-backlog-size", "3000000"),
        ("replica-priority", "0"),
        ("slot-migration-max-failover-repl-bytes", "-1"),
    ],
}


def load(text: str) -> Config:
    settings = Settings(Config())
    settings.load(text, read=lambda path: path, expand=lambda pattern: [])
    return settings.config


def parts(text: str) -> tuple[list[str], list[str]]:
    """The lines up to the signature as they are, and those after it in any order."""
    lines = text.split("\n")
    end = lines.index(SIGNATURE) if SIGNATURE in lines else len(lines)
    return lines[:end], sorted(lines[end:])


@pytest.mark.parametrize("name", FILES)
def test_rewriting_gives_the_file_valkey_gives(start_server, name: str) -> None:
    server = start_server(FILES[name])
    original = server.config_file.read_text()
    for change in CHANGES.values():
        config = load(original)
        config.assign("dir", str(server.directory))
        for directive, value in change:
            if "auth" in directive or directive == "requirepass":
                assert server.ask("CONFIG", "SET", directive, value) == "+OK"
            else:
                assert server.ask("CONFIG", "SET", directive, value) == "+OK"
            config.set([(directive, value)])
        assert server.ask("CONFIG", "REWRITE") == "+OK"
        users = server.ask("ACL", "LIST")
        assert isinstance(users, list)
        ours = rewrite(config, original, users=[str(user).removeprefix("user ") for user in users])
        real = server.config_file.read_text()
        assert parts(ours) == parts(real)
        original = real


def test_lines_without_meaning_are_kept_behind_question_marks() -> None:
    config = load("maxmemory 1mb\n")
    original = "module.gone 1\nmaxmemory 1mb\nloadmodule /a.so x\ninclude other.conf\n"
    lines = rewrite(config, original).split("\n")
    assert lines[:4] == ["# ??? module.gone 1", "maxmemory 1mb", "", "include other.conf"]


def test_what_was_rewritten_loads_as_the_same_configuration() -> None:
    config = load("save 60 1\nsave 5 1\n")
    config.set(
        [("maxmemory", "12345"), ("primaryauth", "\udcff\x00'\""), ("bind", ""), ("maxmemory-clients", "7%")]
    )
    again = load(rewrite(config, "# mine\nhz 3\n"))
    assert again.get("*") == config.get("*")


def test_rewriting_again_changes_nothing_more() -> None:
    config = load("save 60 1\nhz 20\n")
    config.set([("maxmemory", "12345")])
    once = rewrite(config, rewrite(config, "\n\n# mine\n\n\nhz 3\n"))
    assert rewrite(config, once) == once


def test_a_file_with_all_settings_is_valkeys_and_loads_as_the_same_configuration(start_server) -> None:
    server = start_server("maxmemory 2mb\n# mine\nhz 20\nenable-debug-command yes\n")
    original = server.config_file.read_text()
    config = load(original)
    config.assign("dir", str(server.directory))
    assert server.ask("DEBUG", "CONFIG-REWRITE-FORCE-ALL") == "+OK"
    ours = rewrite(config, original, users=["default on nopass ~* &* +@all"], everything=True)
    own, real = (
        {line.partition(" ")[0]: line for line in text.split("\n")}
        for text in (ours, server.config_file.read_text())
    )
    for name in own.keys() & real.keys():
        assert own[name] == real[name]
    assert real.keys() <= own.keys()
    assert load(ours).get("*") == config.get("*")
