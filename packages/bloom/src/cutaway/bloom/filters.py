r"""Bloom filters that grow.

A Bloom filter answers "was this added?" with *no* or *probably*, from a few bits for each item. Adding an item sets the bits
that k hashes of it point to; an item whose bits are not all set was never added. With n items in m bits, a stranger is taken
for a member with a probability of about (1 - e^(-kn/m))^k, which for a wanted probability p is least at

    m = -n ln p / (ln 2)^2     and     k = -log2 p

so 1 % costs 9.6 bits an item, whatever its length. (B. H. Bloom: Space/time trade-offs in hash coding with allowable errors, 1970.)

The k hashes are made of two, as h1 + i h2, which is as good as k independent ones (A. Kirsch, M. Mitzenmacher: Less hashing, same
performance, 2006). Both come from one BLAKE2b of the item.

A filter whose capacity is reached gets another layer, larger by the factor `expansion` and with half the error, so that the sum
of all layers' errors stays below twice that of the first; to keep what was promised, the first one begins with half of it.
(P. Almeida and others: Scalable Bloom filters, 2007.) An item is in the filter if it is in one of the layers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Final

from cutaway.modules import ModuleValue, Token

TIGHTENING: Final = 0.5
MOST_BYTES: Final = 2**32
"""The largest layer; a claim of more is refused before it is allocated."""


class Full(Exception):  # noqa: N818 - a state, not a defect
    """The filter is full and must not grow."""


class Layer:
    """One filter of fixed size."""

    __slots__ = ("bits", "capacity", "count", "error", "hashes", "table")

    def __init__(self, capacity: int, error: float) -> None:
        """Room for `capacity` items at a false-positive rate of `error`. Raises OverflowError if that takes too much."""
        self.capacity: Final = capacity
        self.error: Final = error
        bits = math.ceil(-capacity * math.log(error) / math.log(2) ** 2)
        if bits > MOST_BYTES * 8:
            raise OverflowError(f"a filter of {bits // 8} bytes")
        self.bits: Final = max(bits, 8)
        self.hashes: Final = max(1, round(-math.log2(error)))
        self.table = bytearray((self.bits + 7) // 8)
        self.count = 0

    def places(self, first: int, second: int) -> Iterator[int]:
        """The bits of an item, from its two hashes. O(k)."""
        bits = self.bits
        return (place % bits for place in range(first, first + second * self.hashes, second))

    def has(self, first: int, second: int) -> bool:
        """Whether all bits of an item are set. O(k)."""
        table = self.table
        return all(table[place >> 3] >> (place & 7) & 1 for place in self.places(first, second))

    def add(self, first: int, second: int) -> None:
        """Set the bits of an item. O(k)."""
        table = self.table
        for place in self.places(first, second):
            table[place >> 3] |= 1 << (place & 7)
        self.count += 1


class BloomFilter(ModuleValue, type_name="cutbloom-", version=0):
    """Layers of filters. `expansion` 0 means that there is one and no more."""

    __slots__ = ("expansion", "layers")

    def __init__(self, capacity: int, error: float, expansion: int = 2) -> None:
        self.expansion: Final = expansion
        own = error * (1 - TIGHTENING) if expansion else error
        self.layers: Final = [Layer(capacity, own)]

    def __contains__(self, item: bytes) -> bool:
        hashes = _hashes(item)
        return any(layer.has(*hashes) for layer in self.layers)

    def add(self, item: bytes) -> bool:
        """Add an item; False if it was probably there. Raises Full. O(k layers), and O(size) when a layer is added."""
        hashes = _hashes(item)
        if any(layer.has(*hashes) for layer in self.layers):
            return False
        last = self.layers[-1]
        if last.count >= last.capacity:
            if not self.expansion:
                raise Full
            last = Layer(last.capacity * self.expansion, last.error * TIGHTENING)
            self.layers.append(last)
        last.add(*hashes)
        return True

    @property
    def count(self) -> int:
        """How many items were added, apart from those that were taken for others."""
        return sum(layer.count for layer in self.layers)

    @property
    def capacity(self) -> int:
        """How many items fit before it grows."""
        return sum(layer.capacity for layer in self.layers)

    def memory_usage(self, _samples: int = 5) -> int:
        """Bytes, of which the tables are nearly all."""
        return sum(len(layer.table) + 160 for layer in self.layers) + 96

    def check(self) -> None:
        """Raise AssertionError if something is not as it must be. O(size)."""
        assert self.layers
        for layer in self.layers:
            assert len(layer.table) == (layer.bits + 7) // 8
            assert 0 <= layer.count <= layer.capacity
            ones = int.from_bytes(layer.table, "little").bit_count()
            assert ones <= layer.count * layer.hashes

    # ---- in files

    def save(self) -> Iterable[Token]:
        """Expansion, then capacity, error, count and table of each layer."""
        yield self.expansion
        for layer in self.layers:
            yield layer.capacity
            yield layer.error
            yield layer.count
            yield bytes(layer.table)

    @classmethod
    def load(cls, tokens: Iterator[Token], _version: int) -> BloomFilter:
        """The reverse. Raises ValueError if the tokens make no filter."""
        expansion = next(tokens)
        made = cls(1, 0.5, expansion if isinstance(expansion, int) and expansion >= 0 else -1)
        made.layers.clear()
        for capacity in tokens:
            error, count, table = next(tokens), next(tokens), next(tokens)
            if (
                not isinstance(capacity, int) or not isinstance(error, float) or not isinstance(count, int)
                or not isinstance(table, bytes) or capacity < 1 or not 0 < error < 1 or not 0 <= count <= capacity
            ):  # fmt: skip
                raise ValueError("not a layer of a filter")
            if -capacity * math.log(error) / math.log(2) ** 2 > 8 * len(table) + 8:
                raise ValueError("a layer's table is too short")
            layer = Layer(capacity, error)
            if len(layer.table) != len(table):
                raise ValueError("a layer's table is of another size")
            layer.table[:] = table
            layer.count = count
            made.layers.append(layer)
        if not made.layers or made.expansion < 0:
            raise ValueError("not a filter")
        return made


def _hashes(item: bytes) -> tuple[int, int]:
    digest = blake2b(item, digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little") | 1
