"""Values of a module's own type: what a class must say so that the rest of the house can keep them.

A module brings a data type of its own (a Bloom filter, a time series) by deriving a class from `ModuleValue`. The
instances are the values: a key holds one, OBJECT, COPY, DUMP, SAVE and MEMORY USAGE ask it for what they need.

In a file a value is a run of *tokens*, whole numbers, doubles and strings, behind the name and the version of its type. A
reader that lacks the type can therefore still see where the value ends, and name what is missing. The name has nine
characters of an alphabet of 64: nine times six bits and ten bits for the version fill 64 bits, the type's id in an RDB file.

Redis's C modules write the same tokens, so a class here can read their values, and the reverse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final, Self

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
NAME_LENGTH: Final = 9
MOST_VERSION: Final = 1023

Token = int | float | bytes
"""A whole number of 64 bits, signed or not; a double; a string."""


class ModuleValue:
    """A value whose type a module brings. Derive from it, name the type, and say how to save and load.

    class Counter(ModuleValue, type_name="mycounter", version=1): ...
    """

    __slots__ = ()

    type_name: ClassVar[str] = ""
    """What TYPE answers, nine characters of `ALPHABET`."""
    type_version: ClassVar[int] = 0
    """The version of what `save` writes, 0 to 1023."""
    encoding: ClassVar[str] = "raw"

    def __init_subclass__(cls, *, type_name: str = "", version: int = 0) -> None:
        """Raises ValueError for a name or a version that no file could hold, TypeError where save or load is missing."""
        super().__init_subclass__()
        if type_name:
            type_id(type_name, version)
            lacking = [name for name in ("save", "load") if name not in _defined_by(cls)]
            if lacking:
                raise TypeError(
                    f"the type {type_name} does not say how to {' and how to '.join(lacking)} its values"
                )
            cls.type_name = type_name
            cls.type_version = version

    def save(self) -> Iterable[Token]:
        """What has to be known to make the value again."""
        raise NotImplementedError

    @classmethod
    def load(cls, tokens: Iterator[Token], version: int) -> Self:
        """The value that some version saved as `tokens`. Raises ValueError, or StopIteration, if they make no sense."""
        raise NotImplementedError

    def rewrite(self, _key: bytes) -> Iterable[Sequence[bytes]] | None:
        """Commands that make the value under a key anew, for a log of commands; None: RESTORE will do."""
        return None

    def copy(self) -> Self:
        """Another value that is equal. The default is the way over the tokens."""
        return self.load(iter(list(self.save())), self.type_version)

    def memory_usage(self, samples: int = 5) -> int:  # noqa: ARG002 - for those that are large and can be sampled
        """About how many bytes the value takes, by a look at some `samples` elements, with 0 at all.

        The default counts all that would be saved.
        """
        return sum(len(token) + 33 if isinstance(token, bytes) else 32 for token in self.save())

    def digest(self) -> Iterable[bytes]:
        """What DEBUG DIGEST mixes, in an order that equal values share."""
        return (token if isinstance(token, bytes) else repr(token).encode() for token in self.save())


def _defined_by(cls: type) -> set[str]:
    """What a class, or a class between it and `ModuleValue`, defines itself."""
    return {name for each in cls.__mro__ if each not in (ModuleValue, object) for name in vars(each)}


def type_id(name: str, version: int) -> int:
    """The id of a type in an RDB file. Raises ValueError for a name or a version that has none."""
    if len(name) != NAME_LENGTH or any(character not in ALPHABET for character in name):
        raise ValueError(f"a type's name has nine of the characters A-Z a-z 0-9 - _; this one is {name!r}")
    if not 0 <= version <= MOST_VERSION:
        raise ValueError(f"a type's version is between 0 and {MOST_VERSION}, not {version}")
    number = 0
    for character in name:
        number = number << 6 | ALPHABET.index(character)
    return number << 10 | version


def type_name_of(identity: int) -> tuple[str, int]:
    """The name and the version in a type's id."""
    return "".join(ALPHABET[identity >> shift & 0x3F] for shift in range(58, 9, -6)), identity & MOST_VERSION
