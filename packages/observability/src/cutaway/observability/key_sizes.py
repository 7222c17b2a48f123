"""How large are the values? INFO keysizes: for each type, how many keys hold 1, 2 to 3, 4 to 7, 8 to 15 ... elements or bytes.

A mean says nothing of a data set in which one sorted set has ten million members. Counts by powers of two do: a bin is named by its
lower end, `1K=3` means three keys with 1024 to 2047. Strings are measured in bytes, collections in elements.

Redis 8: INFO keysizes (`db0_distrib_lists_items:1=5,4=2`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

FIELDS: Final = {
    "string": "distrib_strings_sizes", "list": "distrib_lists_items", "set": "distrib_sets_items",
    "zset": "distrib_zsets_items", "hash": "distrib_hashes_items",
}  # fmt: skip
"""Redis's field for each type; streams are not measured."""


def bin_name(exponent: int) -> str:
    """The label of the bin that begins at two to the `exponent`; 0 is for what is empty, under -1."""
    if exponent < 0:
        return "0"
    unit, rest = divmod(exponent, 10)
    return f"{1 << rest}{' KMGTPE'[unit].strip()}"


class KeySizes:
    """Counts of the sizes of some keys' values."""

    __slots__ = ("_bins", "counted")

    def __init__(self) -> None:
        self._bins: Final[dict[str, Counter[int]]] = {kind: Counter() for kind in FIELDS}
        self.counted = 0

    def add(self, values: Iterable[tuple[str, int]]) -> None:
        """Count values: (type, size) each. O(n)."""
        bins = self._bins
        for kind, size in values:
            self.counted += 1
            if kind in bins:
                bins[kind][size.bit_length() - 1] += 1

    def fields(self, prefix: str, scale: float = 1.0) -> dict[str, str]:
        """INFO's fields, "db0_distrib_strings_sizes" and so on. `scale` turns the counts of a sample into an estimate of all."""
        return {
            f"{prefix}_{FIELDS[kind]}": ",".join(
                f"{bin_name(exponent)}={round(count * scale)}" for exponent, count in sorted(counts.items())
            )
            for kind, counts in self._bins.items()
            if counts
        }
