"""BF.*: Bloom filters as values of keys, with the commands of the module that Redis users know.

The structure is in `filters`; here are the commands. Each is a few lines, because a value of a module's own type is a key like
any other: it expires, is copied, dumped, saved and evicted by what the server has for all keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.bloom.filters import BloomFilter, Full
from cutaway.modules import RO, RW, CommandError, Context, Module, Reply

DEFAULT_CAPACITY: Final = 100
DEFAULT_ERROR: Final = 0.01
DEFAULT_EXPANSION: Final = 2
MOST_CAPACITY: Final = 2**40

EXISTS: Final = CommandError("ERR item exists")
NOT_FOUND: Final = CommandError("ERR not found")
FULL: Final = CommandError("ERR non scaling filter is full")
BAD_ERROR: Final = CommandError("ERR bad error rate")
ERROR_RANGE: Final = CommandError("ERR (0 < error rate range < 1)")
BAD_CAPACITY: Final = CommandError("ERR bad capacity")
CAPACITY_RANGE: Final = CommandError("ERR (capacity should be larger than 0)")
BAD_EXPANSION: Final = CommandError("ERR bad expansion")
EXPANSION_RANGE: Final = CommandError("ERR (expansion should be greater or equal to 1)")
NO_ROOM: Final = CommandError("ERR insufficient memory to create filter")
UNKNOWN_ARGUMENT: Final = CommandError("ERR Unknown argument received")
NO_SUCH_FIELD: Final = CommandError("ERR Invalid information value")
WRONG_COUNT: Final = CommandError("ERR wrong number of arguments for 'bf.insert' command")

module: Final = Module("bf", version=1)
module.data_type(BloomFilter)
module.setting("capacity", DEFAULT_CAPACITY, low=1, high=MOST_CAPACITY)
module.setting("expansion", DEFAULT_EXPANSION, low=0, high=32768)


class Shape:
    """What a new filter is to be like."""

    __slots__ = ("capacity", "error", "expansion")

    def __init__(self, ctx: Context) -> None:
        self.capacity: int = ctx.setting("capacity")
        self.error = DEFAULT_ERROR
        self.expansion: int = ctx.setting("expansion")

    def set_capacity(self, text: bytes) -> None:
        """Raises CommandError."""
        if not text.isdigit():
            raise BAD_CAPACITY
        self.capacity = int(text[:20])
        if not 0 < self.capacity <= MOST_CAPACITY:
            raise CAPACITY_RANGE

    def set_error(self, text: bytes) -> None:
        """Raises CommandError."""
        try:
            self.error = float(text)
        except ValueError:
            raise BAD_ERROR from None
        if not 0 < self.error < 1:
            raise ERROR_RANGE

    def set_expansion(self, text: bytes) -> None:
        """Raises CommandError."""
        if not text.isdigit():
            raise BAD_EXPANSION
        self.expansion = int(text[:20])
        if not 0 <= self.expansion <= 32768:
            raise EXPANSION_RANGE

    def make(self) -> BloomFilter:
        """An empty filter. Raises CommandError if it would be too large."""
        try:
            return BloomFilter(self.capacity, self.error, self.expansion)
        except OverflowError:
            raise NO_ROOM from None


def _add(ctx: Context, key: bytes, items: Sequence[bytes], shape: Shape | None) -> list[Reply]:
    """Add items to the filter at `key`, which `shape` makes if it is not there; an answer for each."""
    opened = ctx.open_key(key)
    bloom = opened.edit(BloomFilter, None if shape is None else shape.make)
    if bloom is None:
        raise NOT_FOUND
    answers: list[Reply] = []
    for item in items:
        try:
            answers.append(bloom.add(item))
        except Full:
            answers.append(FULL)
            break
    opened.changed("bf.add")
    return answers


@module.command("BF.RESERVE", flags="write denyoom", keys=RW(1, "insert"),
                syntax="key error_rate capacity [EXPANSION expansion] [NONSCALING]")  # fmt: skip
def reserve(ctx: Context, key: bytes, error_rate: bytes, capacity: bytes, *options: bytes) -> Reply:
    """Makes an empty filter for so many items and such a rate of false positives. O(size)."""
    shape = Shape(ctx)
    shape.set_error(error_rate)
    shape.set_capacity(capacity)
    words = list(options)
    while words:
        word = words.pop(0).upper()
        if word == b"NONSCALING":
            shape.expansion = 0
        elif word == b"EXPANSION" and words:
            shape.set_expansion(words.pop(0))
        else:
            raise UNKNOWN_ARGUMENT
    opened = ctx.open_key(key)
    if opened.get(BloomFilter) is not None:
        raise EXISTS
    opened.set(shape.make(), "bf.reserve")
    return "OK"


@module.command("BF.ADD", flags="write denyoom fast", keys=RW(1, "insert"), syntax="key item")
def add(ctx: Context, key: bytes, item: bytes) -> Reply:
    """Adds an item, and makes the filter if need be; false if the item was probably there. O(k) where k is the number of hashes."""
    return _add(ctx, key, [item], Shape(ctx))[0]


@module.command("BF.MADD", flags="write denyoom fast", keys=RW(1, "insert"), syntax="key item [item ...]")
def madd(ctx: Context, key: bytes, item: bytes, *items: bytes) -> Reply:
    """Adds items, and makes the filter if need be. O(k * n) for n items."""
    return _add(ctx, key, [item, *items], Shape(ctx))


@module.command("BF.INSERT", flags="write denyoom", keys=RW(1, "insert"),
                syntax="key [CAPACITY capacity] [ERROR error] [EXPANSION expansion] [NOCREATE] [NONSCALING] ITEMS item [item ...]",
                arity=-4)  # fmt: skip
def insert(ctx: Context, key: bytes, *words: bytes) -> Reply:
    """Adds items, and says what the filter is to be like if it has to be made. O(k * n) for n items."""
    shape: Shape | None = Shape(ctx)
    given = Shape(ctx)
    rest = list(words)
    while rest:
        word = rest.pop(0).upper()
        if word == b"ITEMS":
            break
        if word == b"NOCREATE":
            shape = None
        elif word == b"NONSCALING":
            given.expansion = 0
        elif word in _SETTERS and rest:
            _SETTERS[word](given, rest.pop(0))
        else:
            raise UNKNOWN_ARGUMENT
    if not rest:
        raise WRONG_COUNT
    return _add(ctx, key, rest, None if shape is None else given)


_SETTERS: Final = {
    b"CAPACITY": Shape.set_capacity,
    b"ERROR": Shape.set_error,
    b"EXPANSION": Shape.set_expansion,
}


@module.command("BF.EXISTS", flags="readonly fast", keys=RO(1), syntax="key item")
def exists(ctx: Context, key: bytes, item: bytes) -> Reply:
    """Tells whether an item was probably added. O(k)."""
    bloom = ctx.open_key(key).get(BloomFilter)
    return bloom is not None and item in bloom


@module.command("BF.MEXISTS", flags="readonly fast", keys=RO(1), syntax="key item [item ...]")
def mexists(ctx: Context, key: bytes, item: bytes, *items: bytes) -> Reply:
    """Tells of each item whether it was probably added. O(k * n) for n items."""
    bloom = ctx.open_key(key).get(BloomFilter)
    return [bloom is not None and each in bloom for each in (item, *items)]


@module.command("BF.CARD", flags="readonly fast", keys=RO(1), syntax="key")
def card(ctx: Context, key: bytes) -> Reply:
    """Returns how many items were added; 0 if there is no filter. O(1)."""
    bloom = ctx.open_key(key).get(BloomFilter)
    return 0 if bloom is None else bloom.count


@module.command("BF.INFO", flags="readonly fast", keys=RO(1),
                syntax="key [CAPACITY | SIZE | FILTERS | ITEMS | EXPANSION]")  # fmt: skip
def info(ctx: Context, key: bytes, field: bytes = b"") -> Reply:
    """Returns what is known of a filter. O(1)."""
    bloom = ctx.open_key(key).get(BloomFilter)
    if bloom is None:
        raise NOT_FOUND
    facts: dict[str, Reply] = {
        "Capacity": bloom.capacity,
        "Size": bloom.memory_usage(),
        "Number of filters": len(bloom.layers),
        "Number of items inserted": bloom.count,
        "Expansion rate": bloom.expansion or None,
    }
    if not field:
        return facts
    names = dict(zip((b"CAPACITY", b"SIZE", b"FILTERS", b"ITEMS", b"EXPANSION"), facts, strict=True))
    if field.upper() not in names:
        raise NO_SUCH_FIELD
    return [facts[names[field.upper()]]]
