"""Logs, slow log, latency monitor, command statistics and metrics."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

try:
    VERSION: Final = version("cutaway-observability")
except PackageNotFoundError:  # run from a source tree that nobody installed
    VERSION: Final = "0"  # type: ignore[misc]
"""The version of Cutaway; all its packages carry the same one."""

__all__ = ["VERSION"]
