"""Replication, as a server answers that has no replicas."""

from __future__ import annotations

import pytest

from cutaway.commands import Engine
from cutaway.commands.server_commands import server_commands


@pytest.mark.parametrize(
    "line",
    ["", "ABORT", "TO a 1", "TO a x", "TO a", "TIMEOUT 0", "TIMEOUT -1", "TIMEOUT x", "FORCE", "abort abort", "TIMEOUT 1 timeout 2",
     "to a 1 force TIMEOUT 5", "TIMEOUT 5 ABORT", "TO a 1 TO b 2", "FORCE FORCE", "x"],
)  # fmt: skip
def test_a_failover_needs_replicas(twins, line):
    twins.same("FAILOVER", *line.split())


def test_a_server_that_is_a_primary_may_become_one(twins):
    twins.same("REPLICAOF", "no", "one")


@pytest.mark.parametrize(
    "words", [["SYNC"], ["PSYNC", "?", "-1"], ["REPLCONF", "capa", "eof"]], ids=lambda each: each[0]
)
def test_a_replica_is_refused(words):
    engine = Engine(server_commands)
    assert str(engine.do(*words)) == "ERR this server does not replicate"
