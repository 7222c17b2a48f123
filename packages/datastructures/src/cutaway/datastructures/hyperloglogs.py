"""HyperLogLog: how many different elements a set has had, to within 0.81 %, in 12 kB whatever their number.

Hash each element to 64 random-looking bits. Among n different hashes the longest run of zeroes at the end
is about log2(n) bits long, since each bit halves the chance. One such run is a poor witness, so 14 bits of
the hash choose one of m = 16384 *registers*, and each register keeps the longest run (plus one) that the
other 50 bits have shown it. An element seen again changes nothing, and the union of two sets is the greater
of each pair of registers. The estimate is a harmonic mean over the registers; the form used here is that of
Otmar Ertl ("New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284), which needs
no corrections for small or large n. Its standard error is 1.04 / sqrt(m) = 0.81 %. The original is Flajolet
et al., "HyperLogLog" (2007).

A HyperLogLog is a plain string of the keyspace, so this module is functions over a bytearray:

    "HYLL" | encoding (0 dense, 1 sparse) | 3 zero bytes | cached cardinality (u64 LE) | registers

The highest bit of the cached cardinality means that it is out of date. *Dense* registers are 6 bits each,
the first in the lowest bits of the first byte: 4 registers to 3 bytes. *Sparse* registers are runs, written
as opcodes:

    00xxxxxx            ZERO   run of 1..64 registers that are 0
    01xxxxxx yyyyyyyy   XZERO  run of 1..16384 registers that are 0
    1vvvvvxx            VAL    run of 1..4 registers with the value 1..32

A sparse string becomes dense, once and for all, when it would outgrow `sparse_max_bytes`
(hll-sparse-max-bytes) or when a register must hold more than 32. Setting a register splits the run that
covers it and then joins equal neighbours, within five opcodes, exactly as Redis does: so the strings are
the same to the byte.

Dense strings are unpacked sixteen thousand registers at a time: the bytes of a kind (every third one) are
shifted with `bytes.translate`, and combined by one `|` of two long integers. No loop over registers runs in
Python.
"""

from __future__ import annotations

import re
from math import sqrt
from struct import Struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

PRECISION: Final = 14
REGISTERS: Final = 1 << PRECISION
REGISTER_BITS: Final = 6
MAX_RUN: Final = 64 - PRECISION + 1
HEADER_SIZE: Final = 16
DENSE_SIZE: Final = HEADER_SIZE + REGISTERS * REGISTER_BITS // 8
DEFAULT_SPARSE_MAX_BYTES: Final = 3000
STANDARD_ERROR: Final = 1.04 / sqrt(REGISTERS)

DENSE: Final = 0
SPARSE: Final = 1
_ENCODING: Final = 4
_STALE: Final = 15
"""Offset of the byte whose highest bit says that the cached cardinality is out of date."""

_MAX_SPARSE_VALUE: Final = 32
_MAX_VALUE_RUN: Final = 4
_MAX_ZERO_RUN: Final = 64
_LEAP: Final = 32
_ONE_BYTE_OPCODES: Final = re.compile(rb"[^\x40-\x7f]{%d}" % _LEAP)
_ONE_BYTE_LENGTHS: Final = bytes((byte & 3 if byte & 0x80 else byte & 63) + 1 for byte in range(256))
_JOIN_WITHIN: Final = 5
"""After a change, so many opcodes are looked at for equal neighbours."""

_SEED: Final = 0xADC83B19
_MULTIPLIER: Final = 0xC6A4A7935BD1E995
_SHIFT: Final = 47
_MASK: Final = (1 << 64) - 1
_ALPHA_INF: Final = 0.721347520444481703680
"""0.5 / ln 2"""

_HIGH_BITS: Final = int.from_bytes(b"\x80" * REGISTERS, "little")
_CARDINALITY: Final = Struct("<Q")
_WORDS: Final = Struct("<Q")

NOT_HYPERLOGLOG: Final = "WRONGTYPE Key is not a valid HyperLogLog string value."
CORRUPTED: Final = "INVALIDOBJ Corrupted HLL object detected"


class HyperLogLogError(ValueError):
    """A string is not a HyperLogLog, or a broken one; the text is the server's reply."""


# --- hashing -----------------------------------------------------------------------------------------------


def murmur_hash_64a(data: bytes, seed: int = _SEED) -> int:
    """Return the 64-bit MurmurHash2 (variant A, little-endian) of `data`. O(length)."""
    size = len(data)
    whole = size & ~7
    hashed = seed ^ (size * _MULTIPLIER & _MASK)
    for (word,) in _WORDS.iter_unpack(data[:whole] if whole != size else data):
        mixed = word * _MULTIPLIER & _MASK
        hashed = (hashed ^ (mixed ^ mixed >> _SHIFT) * _MULTIPLIER & _MASK) * _MULTIPLIER & _MASK
    if whole != size:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER & _MASK
    hashed = (hashed ^ hashed >> _SHIFT) * _MULTIPLIER & _MASK
    return hashed ^ hashed >> _SHIFT


def register_of(element: bytes) -> tuple[int, int]:
    """Return (register, run): where the element is counted, and its zeroes plus one, 1..51. O(length)."""
    hashed = murmur_hash_64a(element)
    rest = hashed >> PRECISION | 1 << (64 - PRECISION)
    return hashed & (REGISTERS - 1), (rest & -rest).bit_length()


# --- the string --------------------------------------------------------------------------------------------


def create() -> bytearray:
    """Return an empty HyperLogLog: sparse, one run of zeroes, and a valid cached cardinality of 0."""
    return bytearray(b"HYLL\x01" + bytes(HEADER_SIZE - 5) + _zeroes(REGISTERS))


def validate(value: object) -> None:
    """Raise HyperLogLogError unless `value` is a string with the header and size of a HyperLogLog. O(1)."""
    if (
        not isinstance(value, bytes | bytearray)
        or len(value) < HEADER_SIZE
        or value[:4] != b"HYLL"
        or value[_ENCODING] > SPARSE
        or (value[_ENCODING] == DENSE and len(value) != DENSE_SIZE)
    ):
        raise HyperLogLogError(NOT_HYPERLOGLOG)


def encoding_of(hll: bytes | bytearray) -> str:
    """Return "dense" or "sparse" (PFDEBUG ENCODING)."""
    return "dense" if hll[_ENCODING] == DENSE else "sparse"


def is_stale(hll: bytes | bytearray) -> bool:
    """Tell whether the cached cardinality is out of date."""
    return bool(hll[_STALE] & 0x80)


def invalidate(hll: bytearray) -> None:
    """Mark the cached cardinality as out of date."""
    hll[_STALE] |= 0x80


def add(hll: bytearray, element: bytes, sparse_max_bytes: int = DEFAULT_SPARSE_MAX_BYTES) -> bool:
    """Count an element in; return whether a register changed (PFADD). O(1) dense, O(opcodes) sparse.

    Raises HyperLogLogError if the string is corrupted.
    """
    index, run = register_of(element)
    changed = set_register(hll, index, run, sparse_max_bytes)
    if changed:
        hll[_STALE] |= 0x80
    return changed


def set_register(
    hll: bytearray, index: int, run: int, sparse_max_bytes: int = DEFAULT_SPARSE_MAX_BYTES
) -> bool:
    """Raise a register to `run`, if that is more than it has; return whether it was."""
    if hll[_ENCODING] == DENSE:
        return _set_dense(hll, index, run)
    return _set_sparse(hll, index, run, sparse_max_bytes)


def registers(hll: bytes | bytearray) -> bytearray:
    """Return the values of all registers, a byte each. O(m). Raises HyperLogLogError if corrupted."""
    return _unpack(hll) if hll[_ENCODING] == DENSE else _expand(hll)


def to_dense(hll: bytearray) -> bool:
    """Make a sparse string dense, in place; return whether it was sparse (PFDEBUG TODENSE). O(m)."""
    if hll[_ENCODING] == DENSE:
        return False
    hll[HEADER_SIZE:] = _pack(_expand(hll))
    hll[_ENCODING] = DENSE
    return True


def cardinality(hll: bytearray) -> int:
    """Return the estimated number of elements, and cache it (PFCOUNT key). O(m), or O(1) if cached.

    Raises HyperLogLogError if the string is corrupted.
    """
    if is_stale(hll):
        _CARDINALITY.pack_into(hll, 8, estimate(registers(hll)))
    (cached,) = _CARDINALITY.unpack_from(hll, 8)
    return int(cached)


def union(hlls: Iterable[bytes | bytearray]) -> bytearray:
    """Return the registers of the union, a byte each. O(m) for each. Raises HyperLogLogError."""
    merged = 0
    for hll in hlls:
        values = int.from_bytes(registers(hll), "little")
        # The greater of each pair of bytes, all at once: the borrow of a - b stays in a byte whose highest
        # bit was set before, and tells there whether a >= b. Register values leave that bit free.
        is_greater = ((values | _HIGH_BITS) - merged) & _HIGH_BITS
        merged ^= (values ^ merged) & (is_greater - (is_greater >> 7))
    return bytearray(merged.to_bytes(REGISTERS, "little"))


def union_cardinality(hlls: Iterable[bytes | bytearray]) -> int:
    """Return the estimated number of elements in the union (PFCOUNT key key ...). O(m) for each."""
    return estimate(union(hlls))


def merge(
    target: bytearray, sources: Iterable[bytes | bytearray], sparse_max_bytes: int = DEFAULT_SPARSE_MAX_BYTES
) -> None:
    """Count everything in that the sources have counted (PFMERGE). O(m) for each.

    The target becomes dense if any source is.
    """
    inputs = [target, *sources]
    merged = union(inputs)
    if any(hll[_ENCODING] == DENSE for hll in inputs):
        to_dense(target)
        target[HEADER_SIZE:] = _pack(merged)
    else:
        for index, run in enumerate(merged):
            if run:
                set_register(target, index, run, sparse_max_bytes)
    invalidate(target)


def estimate(values: bytes | bytearray) -> int:
    """Return the cardinality that the registers (a byte each) speak for, by Ertl's estimator. O(m)."""
    m = float(REGISTERS)
    greatest = max(values)
    histogram = [values.count(run) if run <= greatest else 0 for run in range(MAX_RUN + 1)]
    z = m * _tau((m - histogram[MAX_RUN]) / m)
    for run in range(MAX_RUN - 1, 0, -1):
        z = (z + histogram[run]) * 0.5
    z += m * _sigma(histogram[0] / m)
    exact = _ALPHA_INF * m * m / z
    rounded = int(exact)
    return rounded + (exact - rounded >= 0.5)


def _sigma(x: float) -> float:
    """Return x + the sum of x^(2^k) 2^(k-1) over k >= 1: what the registers at 0 contribute."""
    if x == 1.0:
        return float("inf")
    y, z, before = 1.0, x, -1.0
    while z != before:
        x *= x
        before = z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    """Return (1 - x - the sum of (1 - x^(2^-k))^2 2^-k over k >= 1) / 3: the registers that are full."""
    if x in (0.0, 1.0):
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x = sqrt(x)
        before = z
        y *= 0.5
        z -= (1 - x) ** 2 * y
    return z / 3


# --- dense -------------------------------------------------------------------------------------------------


def _set_dense(hll: bytearray, index: int, run: int) -> bool:
    """Raise a dense register. Four registers share three bytes, of which an entry touches at most two."""
    at = HEADER_SIZE + (index >> 2) * 3
    shift = (index & 3) * REGISTER_BITS
    four = hll[at] | hll[at + 1] << 8 | hll[at + 2] << 16
    old = four >> shift & 63
    if run <= old:
        return False
    four += (run - old) << shift
    hll[at : at + 3] = four.to_bytes(3, "little")
    return True


def _table(mask: int, left: int) -> bytes:
    """Return a translation table: take the bits of `mask`, shift them left (or, if negative, right)."""
    return bytes(
        ((byte & mask) << left if left >= 0 else (byte & mask) >> -left) & 0xFF for byte in range(256)
    )


_LOW_6: Final = _table(0b00111111, 0)
_HIGH_2: Final = _table(0b11000000, -6)
_LOW_4_UP: Final = _table(0b00001111, 2)
_HIGH_4: Final = _table(0b11110000, -4)
_LOW_2_UP: Final = _table(0b00000011, 4)
_HIGH_6: Final = _table(0b11111100, -2)
_TO_HIGH_2: Final = _table(0b00000011, 6)
_TO_LOW_4: Final = _table(0b00111100, -2)
_TO_HIGH_4: Final = _table(0b00001111, 4)
_TO_LOW_2: Final = _table(0b00110000, -4)
_TO_HIGH_6: Final = _table(0b00111111, 2)


def _or(left: bytes, right: bytes) -> bytes:
    """Return the bytewise or of two equally long strings."""
    return (int.from_bytes(left, "little") | int.from_bytes(right, "little")).to_bytes(len(left), "little")


def _unpack(hll: bytes | bytearray) -> bytearray:
    """Return the registers of a dense string, a byte each."""
    first, second, third = (bytes(hll[HEADER_SIZE + offset :: 3]) for offset in range(3))
    values = bytearray(REGISTERS)
    values[0::4] = first.translate(_LOW_6)
    values[1::4] = _or(first.translate(_HIGH_2), second.translate(_LOW_4_UP))
    values[2::4] = _or(second.translate(_HIGH_4), third.translate(_LOW_2_UP))
    values[3::4] = third.translate(_HIGH_6)
    return values


def _pack(values: bytearray) -> bytearray:
    """Return the dense form of registers that have a byte each."""
    one, two, three, four = (bytes(values[offset::4]) for offset in range(4))
    packed = bytearray(DENSE_SIZE - HEADER_SIZE)
    packed[0::3] = _or(one, two.translate(_TO_HIGH_2))
    packed[1::3] = _or(two.translate(_TO_LOW_4), three.translate(_TO_HIGH_4))
    packed[2::3] = _or(three.translate(_TO_LOW_2), four.translate(_TO_HIGH_6))
    return packed


# --- sparse ------------------------------------------------------------------------------------------------


def _opcodes(hll: bytes | bytearray) -> Iterator[tuple[int, int, int]]:
    """Yield (bytes, run length, value) of each opcode of a sparse string."""
    data = bytes(hll)
    at, end = HEADER_SIZE, len(data)
    while at < end:
        byte = data[at]
        if byte & 0x80:
            yield 1, (byte & 3) + 1, (byte >> 2 & 31) + 1
            at += 1
        elif byte & 0x40:
            low = data[at + 1] if at + 1 < end else 0
            yield 2, ((byte & 63) << 8 | low) + 1, 0
            at += 2
        else:
            yield 1, byte + 1, 0
            at += 1


def _expand(hll: bytes | bytearray) -> bytearray:
    """Return the registers of a sparse string, a byte each. Raises HyperLogLogError if they are not 16384."""
    values = bytearray()
    for _, length, value in _opcodes(hll):
        values += bytes((value,)) * length
        if len(values) > REGISTERS:
            break
    if len(values) != REGISTERS:
        raise HyperLogLogError(CORRUPTED)
    return values


def decode(hll: bytes | bytearray) -> bytes:
    """Return the opcodes of a sparse string as PFDEBUG DECODE prints them: "Z:3 v:1,2 z:7". O(opcodes)."""
    names = {0: "z", 1: "Z"}
    parts = [
        f"v:{value},{length}" if value else f"{names[size - 1]}:{length}"
        for size, length, value in _opcodes(hll)
    ]
    return " ".join(parts).encode()


def _zeroes(length: int) -> bytes:
    """Return the opcode of a run of zeroes; none for a run of no registers."""
    if length > _MAX_ZERO_RUN:
        return (0x4000 | length - 1).to_bytes(2, "big")
    return bytes((length - 1,)) if length else b""


def _values(value: int, length: int) -> bytes:
    """Return the opcode of a run of one value; none for a run of no registers."""
    return bytes((0x80 | value - 1 << 2 | length - 1,)) if length else b""


def _find_opcode(hll: bytearray, index: int) -> tuple[int, int, int, int]:
    """Find the opcode of a register: (offset of the opcode before, its own, first register, run length)."""
    before = at = HEADER_SIZE
    first = 0
    end = len(hll)
    may_leap = True
    while at < end:
        # Where no two-byte opcode is near, the lengths of many runs are summed in C.
        while may_leap and _ONE_BYTE_OPCODES.match(hll, at):
            leap = sum(hll[at : at + _LEAP].translate(_ONE_BYTE_LENGTHS))
            if index < first + leap:
                break
            first += leap
            at += _LEAP
            before = at - 1
        may_leap = False
        if at >= end:
            break
        byte = hll[at]
        if byte & 0x80:
            span, size = (byte & 3) + 1, 1
        elif byte < 0x40:
            span, size = byte + 1, 1
        else:
            span, size = ((byte & 63) << 8 | (hll[at + 1] if at + 1 < end else 0)) + 1, 2
            may_leap = True
        if index < first + span:
            return before, at, first, span
        before = at
        at += size
        first += span
    raise HyperLogLogError(CORRUPTED)


def _set_sparse(hll: bytearray, index: int, run: int, sparse_max_bytes: int) -> bool:
    """Raise a sparse register: split the run that covers it, or promote the string to dense."""
    if run > _MAX_SPARSE_VALUE:
        return _promote(hll, index, run)
    before, at, first, span = _find_opcode(hll, index)
    byte = hll[at]
    left, right = index - first, first + span - 1 - index
    if byte & 0x80:
        old = (byte >> 2 & 31) + 1
        if run <= old:
            return False
        split = _values(old, left) + _values(run, 1) + _values(old, right)
    else:
        split = _zeroes(left) + _values(run, 1) + _zeroes(right)
    size = 2 if 0x40 <= byte < 0x80 else 1
    if len(split) > size and len(hll) + len(split) - size > sparse_max_bytes:
        return _promote(hll, index, run)
    hll[at : at + size] = split
    _join_values(hll, before)
    hll[_STALE] |= 0x80
    return True


def _promote(hll: bytearray, index: int, run: int) -> bool:
    """Make the string dense and raise the register there."""
    to_dense(hll)
    return _set_dense(hll, index, run)


def _join_values(hll: bytearray, at: int) -> None:
    """Join neighbouring runs of one value, as far as they fit one opcode, in the few opcodes from `at` on."""
    for _ in range(_JOIN_WITHIN):
        if at >= len(hll):
            return
        byte = hll[at]
        if byte & 0x80 == 0:
            at += 2 if byte & 0x40 else 1
            continue
        after = hll[at + 1] if at + 1 < len(hll) else 0
        length = (byte & 3) + (after & 3) + 2
        if after & 0x80 and byte >> 2 == after >> 2 and length <= _MAX_VALUE_RUN:
            hll[at : at + 2] = bytes((byte & ~3 | length - 1,))
        else:
            at += 1


# --- self test ---------------------------------------------------------------------------------------------


def self_test(rng: Random, cycles: int = 10, elements: int = 100_000) -> str | None:
    """Try the registers, and the estimate against the truth (PFSELFTEST); return what failed, or None.

    O(cycles * m + elements); the real command runs 1000 cycles and ten million elements.
    """
    for _ in range(cycles):
        expected = bytearray(rng.randrange(64) for _ in range(REGISTERS))
        dense = b"HYLL" + bytes(HEADER_SIZE - 4) + _pack(expected)
        for index, (wanted, got) in enumerate(zip(expected, registers(dense), strict=True)):
            if wanted != got:
                return f"TESTFAILED Register {index} should be {wanted} but is {got}"
    seed = rng.getrandbits(64)
    sparse, dense_one = create(), create()
    to_dense(dense_one)
    checkpoint = 1
    for number in range(1, elements + 1):
        element = (number ^ seed).to_bytes(8, "little")
        add(dense_one, element)
        add(sparse, element)
        if number != checkpoint:
            continue
        checkpoint *= 10
        if number < DEFAULT_SPARSE_MAX_BYTES // 2 and encoding_of(sparse) != "sparse":
            return "TESTFAILED sparse encoding not used"
        counted = cardinality(dense_one)
        if counted != cardinality(sparse):
            return "TESTFAILED dense/sparse disagree"
        error = abs(number - counted)
        if error > (1 if number == 10 else int(STANDARD_ERROR * 6 * number) + 1):
            return f"TESTFAILED Too big error. card:{number} abserr:{error}"
    return None
