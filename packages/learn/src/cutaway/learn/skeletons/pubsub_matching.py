r"""Exercise pubsub.matching: who listens to news.*?

PSUBSCRIBE takes a pattern, and each PUBLISH asks every pattern whether it matches the channel. The same little language serves KEYS,
SCAN MATCH, CONFIG GET and the access rules.

    *          any bytes, or none          [abc]   one of these bytes
    ?          one byte                    [^abc]  one byte, but none of these
    \x         the byte x itself           [a-z]   one byte of a range, written either way round

The contract
  * `matches(pattern, text)` says whether the whole text matches. Both are bytes, and so are what they are made of: no letters, no encodings.
  * A class may hold `\]`; one that is never closed ends with the pattern; an empty one matches nothing. A `-` that has no byte after it,
    or none before, is a byte like any other. A backslash at the end of the pattern is a backslash.
  * An empty text is matched by the empty pattern alone.
  * No pattern takes exponential time.

Check yourself:   python -m cutaway.learn check pubsub.matching
Stuck?            python -m cutaway.learn hint pubsub.matching
"""

from __future__ import annotations


def matches(pattern: bytes, text: bytes) -> bool:
    """Whether the whole of `text` matches `pattern`."""
    raise NotImplementedError


def test_a_star() -> None:
    """The first step."""
    got = matches(b"news.*", b"news.weather")
    assert got is True
