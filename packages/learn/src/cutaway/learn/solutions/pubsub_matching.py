"""A solution of pubsub.matching: first the pattern becomes a list of elements, then one walk with one way back.

An element is the set of bytes it accepts, or None for a star. When the walk is stuck it goes back to the *last* star and lets it eat one byte
more; earlier stars need never be tried again, for whatever they could still reach, the last one reaches too.
"""

from __future__ import annotations

Element = frozenset[int] | None

ANY = frozenset(range(256))


def matches(pattern: bytes, text: bytes) -> bool:
    """Whether the whole of `text` matches `pattern`."""
    if not text:
        return not pattern
    elements = parse(pattern)
    at = place = 0
    star, resume = -1, 0
    while at < len(text):
        element = elements[place] if place < len(elements) else frozenset()
        if element is None:
            star, resume = place, at
            place += 1
        elif text[at] in element:
            at += 1
            place += 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return all(element is None for element in elements[place:])


def parse(pattern: bytes) -> list[Element]:
    """The elements of a pattern."""
    elements: list[Element] = []
    at = 0
    while at < len(pattern):
        byte = pattern[at : at + 1]
        if byte == b"*":
            elements.append(None)
        elif byte == b"?":
            elements.append(ANY)
        elif byte == b"[":
            element, at = parse_class(pattern, at + 1)
            elements.append(element)
        else:
            if byte == b"\\" and at + 1 < len(pattern):
                at += 1
            elements.append(frozenset((pattern[at],)))
        at += 1
    return elements


def parse_class(pattern: bytes, at: int) -> tuple[frozenset[int], int]:
    """The bytes of the class that begins at `at`, behind its bracket, and where it ends."""
    is_negated = pattern[at : at + 1] == b"^"
    at += is_negated
    accepted: set[int] = set()
    while at < len(pattern) and pattern[at : at + 1] != b"]":
        if pattern[at : at + 1] == b"\\" and at + 1 < len(pattern):
            at += 1
            accepted.add(pattern[at])
        elif pattern[at + 1 : at + 2] == b"-" and at + 2 < len(pattern):
            low, high = sorted((pattern[at], pattern[at + 2]))
            accepted.update(range(low, high + 1))
            at += 2
        else:
            accepted.add(pattern[at])
        at += 1
    return (ANY - accepted if is_negated else frozenset(accepted)), at
