r"""Redis's glob, the little language of `KEYS`, `SCAN MATCH`, `PSUBSCRIBE`, `CONFIG GET` and the ACL.

    *          any bytes, or none          [abc]   one of these bytes
    ?          one byte                    [^abc]  one byte, but none of these
    \x         the byte x itself           [a-z]   one byte of a range, written either way round

A class may hold `\]`; one that is never closed ends with the pattern; an empty one matches nothing. Bytes
are `signed char` in the C server, so a range like `[a-\xff]` runs from -1 to 97. Without regard to case,
only the ASCII letters have two forms, and a byte escaped inside a class keeps its own. And one oddity we
keep: an *empty* text is matched by the empty pattern alone, not even by `*` (KEYS treats a lone `*` before
it ever comes here).

**Why no pattern is slow.** The textbook matcher recurses at each `*`, and a pattern such as `a*a*a*a*b`
then takes exponential time. But every element other than `*` eats exactly one byte, so the part between two
stars may settle for the leftmost place where it fits: if the rest of the pattern does not match after that
place, it will not match after a later one either, for a later one leaves less text. So a star never has to
be reconsidered once the next part was found. A regular expression says this with an atomic group,
`(?>.*?part)`, and only the last part, tied to the end, is searched from behind. The cost is O(len(pattern)
* len(text)) at worst.

A pattern is compiled once to `re` and remembered; `user:1` and `user:*` need not even that. A long pattern,
where `re` would spend longer compiling than matching, is walked directly by the same rule instead. Redis
gives up below 1000 nested stars; so do we.

Source: `stringmatchlen` in `util.c` of Redis 7.2.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

Matcher: TypeAlias = Callable[[bytes], object]
"""Its answer counts by its truth: a bool, or a match object or None."""
Element: TypeAlias = frozenset[int]

_STAR, _QUESTION, _OPEN, _CLOSE, _CARET, _DASH, _ESCAPE = b"*?[]^-\\"
_ANY: Final[Element] = frozenset(range(256))
_MOST_STARS: Final = 1000
_LONGEST_FOR_RE: Final = 512
_RANGE_LENGTH: Final = 3


def matches(pattern: bytes, text: bytes, *, nocase: bool = False) -> bool:
    """Tell whether the whole of `text` matches `pattern`. O(len(pattern) * len(text)) at worst."""
    return bool(matcher(pattern, nocase=nocase)(text))


def matcher(pattern: bytes, *, nocase: bool = False) -> Matcher:
    """Return the test for `pattern`: compile once, then ask it about many texts."""
    if len(pattern) > _LONGEST_FOR_RE:
        return _walker(_parse(pattern, nocase))
    return _compiled(pattern, nocase)


@lru_cache(maxsize=1024)
def _compiled(pattern: bytes, nocase: bool) -> Matcher:  # noqa: FBT001 - part of the key of a cache
    parts = _parse(pattern, nocase)
    if len(parts) > 1 and not any(parts):
        return bool
    if not any(parts[1:]) and all(len(element) == 1 for element in parts[0]):
        literal = b"".join(map(bytes, parts[0]))
        return _equals(literal) if len(parts) == 1 else _starts_with(literal)
    expressions = [b"".join(map(_expression, part)) for part in parts]
    source = expressions[0]
    if len(parts) > 1:
        source += b"".join(b"(?>.*?" + expression + b")" for expression in expressions[1:-1])
        source += b".*" + expressions[-1]
    return re.compile(source, re.DOTALL).fullmatch


def _equals(literal: bytes) -> Matcher:
    return lambda text: text == literal


def _starts_with(prefix: bytes) -> Matcher:
    return lambda text: text.startswith(prefix)


def _expression(element: Element) -> bytes:
    if element is _ANY:
        return b"."
    if len(element) == 1:
        return re.escape(bytes(element))
    if not element:
        return b"(?!)"
    return b"[" + b"".join(b"\\x%02x" % byte for byte in sorted(element)) + b"]"


def _walker(parts: list[list[Element]]) -> Matcher:
    def test(text: bytes) -> bool:
        first, last = parts[0], parts[-1]
        if len(parts) == 1:
            return len(text) == len(first) and _fits(first, text, 0)
        end = len(text) - len(last)
        if (
            not text
            or len(parts) - 2 + bool(last) > _MOST_STARS
            or end < len(first)
            or not _fits(first, text, 0)
        ):
            return False
        position = len(first)
        for part in parts[1:-1]:
            while position + len(part) <= end and not _fits(part, text, position):
                position += 1
            position += len(part)
            if position > end:
                return False
        return _fits(last, text, end)

    return test


def _fits(part: list[Element], text: bytes, position: int) -> bool:
    return all(text[at] in element for at, element in enumerate(part, position))


def _parse(pattern: bytes, nocase: bool) -> list[list[Element]]:  # noqa: FBT001
    """Return the parts between the stars (runs of stars count as one), each a list of sets of bytes."""
    parts: list[list[Element]] = [[]]
    at, size = 0, len(pattern)
    while at < size:
        byte = pattern[at]
        if byte == _STAR:
            if at == 0 or pattern[at - 1] != _STAR or parts[-1]:
                parts.append([])
        elif byte == _QUESTION:
            parts[-1].append(_ANY)
        elif byte == _OPEN:
            element, at = _parse_class(pattern, at + 1, nocase)
            parts[-1].append(element)
        else:
            if byte == _ESCAPE and at + 1 < size:
                at += 1
            parts[-1].append(_with_cases(pattern[at]) if nocase else frozenset((pattern[at],)))
        at += 1
    return parts


def _parse_class(pattern: bytes, at: int, nocase: bool) -> tuple[Element, int]:  # noqa: FBT001
    """Return the bytes of the class whose `[` is before `at`, and the index of its last byte."""
    size = len(pattern)
    negated = pattern[at : at + 1] == b"^"
    at += negated
    chosen: set[int] = set()
    while at < size:
        byte = pattern[at]
        if byte == _ESCAPE and at + 1 < size:
            at += 1
            chosen.add(pattern[at])
        elif byte == _CLOSE:
            break
        elif at + _RANGE_LENGTH <= size and pattern[at + 1] == _DASH:
            chosen |= _range(byte, pattern[at + 2], nocase)
            at += 2
        else:
            chosen |= _with_cases(byte) if nocase else {byte}
        at += 1
    return (_ANY - chosen if negated else frozenset(chosen)), at


def _range(one: int, other: int, nocase: bool) -> Element:  # noqa: FBT001
    low, high = sorted((_signed(one), _signed(other)))
    if not nocase:
        return frozenset(byte for byte in range(256) if low <= _signed(byte) <= high)
    low, high = _lower(low), _lower(high)
    return frozenset(byte for byte in range(256) if low <= _lower(_signed(byte)) <= high)


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _lower(byte: int) -> int:
    return byte + 32 if 65 <= byte <= 90 else byte


def _with_cases(byte: int) -> Element:
    letter = bytes((byte,))
    return frozenset(letter.lower() + letter.upper())
