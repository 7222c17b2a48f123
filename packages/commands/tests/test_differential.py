"""A slice of the differential test; `nox -s differential` runs 200,000 commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("protocol", [2, 3])
def test_random_sequences_get_the_real_servers_replies(protocol: int) -> None:
    program = Path(__file__).with_name("differential.py")
    options = ["--seed", "1", "--commands", "3000", "--protocol", str(protocol)]
    result = subprocess.run([sys.executable, program, *options], capture_output=True, text=True, check=False)
    if result.stdout.startswith("no real server"):
        pytest.skip(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
