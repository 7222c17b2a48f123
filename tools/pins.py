"""Write the `constraint-dependencies` of pyproject.toml anew from a fresh resolution.

A lock file records where each archive was downloaded from, which is nobody else's business, so uv.lock stays
out of the repository. What makes a build repeatable is the versions; this keeps those, and only those.

    python tools/pins.py        # resolve without the old pins, then write the new ones
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import copytree, ignore_patterns

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(?<=# pins: begin\n).*?(?=# pins: end\n)", re.DOTALL)
BARE = ["--no-hashes", "--no-annotate", "--no-header"]
WIDTH = 110


def resolve(pyproject: str) -> list[str]:
    """Names and versions of everything any group or extra of the workspace needs, markers included."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "workspace"
        copytree(ROOT / "packages", copy / "packages", ignore=ignore_patterns("__pycache__", "tests"))
        (copy / "README.md").touch()
        (copy / "pyproject.toml").write_text(BLOCK.sub("constraint-dependencies = []\n", pyproject))
        uv = os.environ.get("UV", "uv")
        export = [uv, "export", "--quiet", "--all-groups", "--all-extras", "--no-emit-workspace", *BARE]
        run = subprocess.run(export, cwd=copy, check=True, capture_output=True, text=True)
    return run.stdout.splitlines()


def fold(pins: list[str]) -> str:
    """A TOML array of strings, as many to a line as fit in 110 columns."""
    lines, line = [], "   "
    for pin in pins:
        item = f' "{pin}",'
        if len(line) + len(item) > WIDTH and line.strip():
            lines.append(line)
            line = "   "
        line += item
    return "\n".join(["constraint-dependencies = [", *lines, line, "]\n"])


def main() -> int:
    """Replace the block between the two `pins:` comments."""
    path = ROOT / "pyproject.toml"
    text = path.read_text()
    pins = resolve(text)
    block = fold(pins)
    path.write_text(BLOCK.sub(lambda _: block, text))
    print(f"{len(pins)} versions pinned in pyproject.toml")
    return 0


if __name__ == "__main__":
    sys.exit(main())
