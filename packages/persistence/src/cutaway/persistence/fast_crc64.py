"""The checksum's second body: `anycrc`, which multiplies polynomials with the processor's own instruction for it.

`crc64` does what Python's integers can do, ten nanoseconds a byte; of a snapshot of small strings that is a third of the
time. Processors have multiplied polynomials over GF(2) for a decade (PCLMULQDQ, PMULL), and what `crc64` does in folds of
thousands of bits they do in folds of 128, some hundred times as fast. `pip install cutaway-persistence[fast]` brings the
package; where it is absent, this is the function of `crc64`. One test suite runs over both.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from cutaway.persistence.crc64 import crc64 as readable

AVAILABLE: Final = find_spec("anycrc") is not None
_calculate: Final[Any] = import_module("anycrc").Model("CRC64-REDIS").calc if AVAILABLE else None


def crc64(data: bytes | bytearray | memoryview, crc: int = 0) -> int:
    """Return the CRC-64 of what gave `crc` followed by `data`; begin with zero. O(bytes)."""
    if _calculate is None:
        return readable(data, crc)
    checksum: int = _calculate(data, crc)
    return checksum
