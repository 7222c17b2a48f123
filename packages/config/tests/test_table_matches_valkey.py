"""The table holds every name a real server prints, with the default it prints."""

import pytest

from cutaway.config import Config
from cutaway.config.directives import TABLE, markdown_table

OF_THE_MACHINE = {"dir", "port", "unixsocket"}
OF_REDIS_ONLY = {"dynamic-hz", "io-threads-do-reads", "sanitize-dump-payload"}


def test_config_get_star_prints_the_names_valkey_prints(valkey) -> None:
    assert set(Config().get("*")) == set(valkey.get("*"))


def test_every_name_of_redis_7_is_known_too(redis) -> None:
    names = redis.get("*")
    assert len(names) > 150
    config = Config()
    assert [name for name in names if name not in config] == []


def test_defaults_are_those_of_valkey(valkey) -> None:
    real, ours = valkey.get("*"), Config().get("*")
    assert {name: ours[name] for name in real if ours[name] != real[name]}.keys() == OF_THE_MACHINE


def test_hidden_directives_answer_to_their_exact_name_as_in_valkey(valkey) -> None:
    hidden = [row.name for row in TABLE if row.hidden and row.name not in OF_REDIS_ONLY]
    assert len(hidden) > 10
    assert Config().get(*hidden) == valkey.get(*hidden)


@pytest.mark.parametrize(
    "patterns",
    [
        ["MaxMemory"],
        ["maxmemory", "MAXMEMORY"],
        ["max*", "maxmemory"],
        ["MAXMEM*"],
        ["MaxMemory", "maxm*"],
        ["watch*", "watchdog-period"],
        ["Slave-priority", "replica-prio*"],
        [""],
        ["max[m]emory", "ma[^a]*", "?z"],
        ["maxmemor\\y"],
        ["[a-c]*", "*[", "*\\"],
    ],
    ids=str,
)
def test_config_get_matches_names_as_valkey_does(valkey, patterns: list[str]) -> None:
    assert set(Config().get(*patterns)) == set(valkey.get(*patterns))


def test_names_are_unique_and_every_default_survives_its_own_text() -> None:
    names = [name for row in TABLE for name in (row.name, row.alias) if name]
    assert len(names) == len(set(names)) > 240
    for row in TABLE:
        text = row.kind.format(row.default)
        words = text.split(" ") if row.kind.multiple and text else [text]
        if row.name not in ("replicaof", "rdma-bind", "appendfilename") and text:
            assert row.kind.parse(words, row.default) == row.default, row.name


def test_the_manual_lists_every_directive_and_why_it_has_no_effect() -> None:
    lines = list(markdown_table())
    for row in TABLE:
        (line,) = [line for line in lines if line.startswith(f"| `{row.name}`")]
        assert (row.inert or "works") in line
