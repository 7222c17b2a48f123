"""Slices of the differential test; `nox -s differential` runs 200,000 commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(*options: str) -> None:
    program = Path(__file__).with_name("differential.py")
    result = subprocess.run([sys.executable, program, *options], capture_output=True, text=True, check=False)
    if result.stdout.startswith("no real server"):
        pytest.skip(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("protocol", ["2", "3"])
def test_random_sequences_get_the_real_servers_replies(protocol: str) -> None:
    run("--seed", "1", "--commands", "3000", "--protocol", protocol)


@pytest.mark.parametrize("protocol", ["2", "3"])
def test_the_keys_of_random_requests_are_those_that_the_real_server_finds(protocol: str) -> None:
    run("--keys", "--seed", "1", "--commands", "3000", "--protocol", protocol)
